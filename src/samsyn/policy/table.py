"""A history as a table of facts: one row a version of a statement, what rules may look at and no more.

What many statements share stands in one column, the *profile*: all facts but the instant and the
place, as JSON of a fixed order, so that equal facts are equal texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import polars as pl

from samsyn.policy.rules import Facts, Passing

FACT_VERSION: Final = 1
"""Tables kept on disk under another number are to be made anew from the statements."""

FACT_SCHEMA: Final = pl.Schema(
    {
        "jti": pl.String(),
        "ver": pl.Int64(),
        "id": pl.Int64(),  # whatever the keeper of the table finds a statement by
        "at_us": pl.Int64(),
        "profile": pl.Categorical(),
        "west": pl.Float64(),  # the box around the place, degrees; null where there is no place
        "south": pl.Float64(),
        "east": pl.Float64(),
        "north": pl.Float64(),
        "lat": pl.Float64(),  # of a place that is one point
        "lon": pl.Float64(),
        "cells": pl.Categorical(),  # H3, parted by blanks
    }
)

FactRow = tuple[
    str,
    int,
    int,
    int,
    str,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    str | None,
]


class Profile(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """All of `Facts` but instant and place."""

    kind: str
    originator: str
    foreign: bool
    marking: str
    onward: str
    exercise: bool
    slots: frozenset[str]
    subject: str | None
    confidence: str | None
    detector: str | None
    tags: frozenset[str]
    addressees: frozenset[str]
    passing: Passing | None


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Profile)
_SHARED: Final = Profile.__struct_fields__


def fact_row(jti: str, ver: int, id: int, facts: Facts) -> FactRow:
    """One row, in the order of `FACT_SCHEMA`."""
    profile = _ENCODER.encode(Profile(**{name: getattr(facts, name) for name in _SHARED})).decode()
    place = facts.place
    if place is None:
        return (jti, ver, id, facts.at_us, profile, None, None, None, None, None, None, None)
    lat, lon = place.point or (None, None)
    return (jti, ver, id, facts.at_us, profile, *place.box, lat, lon, " ".join(place.cells))


def fact_rows(rows: Iterable[FactRow]) -> pl.DataFrame:
    """The table of rows made by `fact_row`."""
    return pl.DataFrame(list(rows), schema=FACT_SCHEMA, orient="row")


def read_profile(text: str) -> Profile:
    """Raises `msgspec.ValidationError` at what another `FACT_VERSION` wrote."""
    return _DECODER.decode(text)
