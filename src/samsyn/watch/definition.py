"""What a detector says about itself: `detector.toml`, found by folder."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection
from importlib import import_module, resources
from typing import Any

import msgspec

from samsyn.base.errors import ConfigError


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in every language of the picture."""

    en: str
    sv: str


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    en: str
    sv: str


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: float
    unit: str
    source: str
    meaning: Text


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """id: the detector's name in findings, alerts and rules. closed: why a finding of it may end."""

    id: str
    title: Text
    definition: Text
    what_to_do: Text
    thresholds: dict[str, Threshold]
    known_errors: tuple[Named, ...]
    closed: dict[str, Text]

    def value(self, name: str) -> float:
        return self.thresholds[name].value

    def values(self, *names: str) -> dict[str, float]:
        return {name: self.thresholds[name].value for name in names}


def discover(names: Collection[str] = ()) -> dict[str, tuple[Definition, Any]]:
    """Detectors by id, in order of id: definition and `Detector` class; all, or those named.

    Raises `ConfigError` for a name that no folder has.
    """
    found = _all()
    unknown = sorted(set(names) - set(found))
    if unknown:
        raise ConfigError(
            f"no detector is called {', '.join(unknown)}",
            where="watch.detectors",
            do=f"there are: {', '.join(sorted(found))}",
        )
    return {id_: one for id_, one in found.items() if not names or id_ in names}


@functools.cache  # the files come with the program and do not change while it runs
def _all() -> dict[str, tuple[Definition, Any]]:
    found: dict[str, tuple[Definition, Any]] = {}
    for folder in resources.files("samsyn.watch.detectors").iterdir():
        toml = folder / "detector.toml"
        if not toml.is_file():
            continue
        definition = msgspec.convert(tomllib.loads(toml.read_text("utf-8")), Definition)
        module = import_module(f"samsyn.watch.detectors.{folder.name}.detector")
        found[definition.id] = (definition, module.Detector)
    return dict(sorted(found.items()))
