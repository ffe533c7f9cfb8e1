"""The compiled part of this folder (`_tracks.c`), where it was built; else all is done in numpy."""

from __future__ import annotations

from types import ModuleType
from typing import Final

_FORM: Final = 1  # of what `_tracks` takes and gives
built: ModuleType | None
try:
    from samsyn.tracks import _tracks

    built = _tracks if getattr(_tracks, "FORM", 0) == _FORM else None  # else built from older sources
except ImportError:  # built without a C compiler
    built = None
