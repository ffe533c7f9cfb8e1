"""Views to make other systems' formats of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from samsyn.base.clock import HOUR_US
from samsyn.formats.view import View, view_uid
from samsyn.statements.ladder import place_ladder, time_ladder

AT_US = 1_795_291_200_000_000  # 2026-11-21T20:00:00Z
POINT = {"type": "Point", "coordinates": [19.25, 58.125]}


def view(**more: Any) -> View:
    """An alert at 58.125 N 19.25 E with all rungs, but for `more`."""
    jti = "7f0c3a52-3a5e-4d7e-9a41-5f3f1d1f7a01"
    slots = {"title": "MV X drifts", "summary": "Bow off her course", "confidence": "medium"}
    slots |= {"body.detector": "drift", "body.craft": "mmsi:219000123", "tags": ["drift", "cable"]}
    slots |= {**place_ladder(POINT), **time_ladder(AT_US)}
    given: dict[str, Any] = {
        "uid": view_uid(jti, 1, "aGFzaA"),
        "created_us": AT_US,
        "modified_us": AT_US + HOUR_US,
        "iss": "dk",
        "jti": jti,
        "ver": 1,
        "kind": "alert",
        "marking": "TLP:CLEAR",
        "onward": "no",
        "exercise": False,
        "slots": slots,
    }
    return View(**{**given, **more})


def without(slots: Any, *begins: str) -> dict[str, Any]:
    """Slots but for those whose names begin so."""
    return {name: value for name, value in slots.items() if not name.startswith(begins)}


# what JSON in UTF-8 can hold: anything but half characters
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@st.composite
def views(draw: st.DrawFn) -> View:
    """Views with any texts, rungs and places, 180 degrees and the poles among them."""
    lon = draw(st.floats(-180, 180, allow_nan=False))
    lat = draw(st.floats(-89.9, 89.9, allow_nan=False))
    slots: dict[str, Any] = {"title": draw(texts), "summary": draw(texts), "text": draw(texts)}
    places = place_ladder({"type": "Point", "coordinates": [lon, lat]})
    times = time_ladder(draw(st.integers(0, 2**51)))
    slots |= dict(list(places.items())[: draw(st.integers(0, len(places)))])
    slots |= dict(list(times.items())[: draw(st.integers(0, 3))])
    slots |= draw(st.sampled_from(({}, {"confidence": "high"}, {"tags": ["a", "b"]})))
    slots |= draw(st.sampled_from(({}, {"body.craft": "icao:4ca123"}, {"body.category": "cyber"})))
    return view(
        uid=UUID(int=draw(st.integers(0, 2**128 - 1))),
        kind=draw(st.sampled_from(("alert", "report"))),
        exercise=draw(st.booleans()),
        slots=slots,
    )
