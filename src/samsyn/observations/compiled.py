"""The compiled part of this folder (`_rows.c`), where it was built; else all is done in numpy."""

from __future__ import annotations

from types import ModuleType
from typing import Final

_FORM: Final = 2  # of what `_rows` takes and gives
built: ModuleType | None
try:
    from samsyn.observations import _rows

    built = _rows if getattr(_rows, "FORM", 0) == _FORM else None  # else built from older sources
except ImportError:  # built without a C compiler
    built = None
