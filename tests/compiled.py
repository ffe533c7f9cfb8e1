"""Compiled readers built anew for tests, whatever lies beside their sources."""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import hatch_build


def built(name: str, folder: Path) -> ModuleType:
    """The module `name` ("formats/_ais"), compiled into `folder`; skips where it cannot be."""
    try:
        path = hatch_build.build_compiled(
            hatch_build.ROOT / "src" / "samsyn" / f"{name}.c", folder, "-Werror"
        )
    except hatch_build.ReaderError as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{name} cannot be compiled here: {e}")
    spec = spec_from_file_location(name.rpartition("/")[2], path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
