"""Statements as the picture shows them: what is held, who said it, what it was cut to."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from samsyn.base.encoding import b64url
from samsyn.base.geo import cell_ring, is_cell
from samsyn.channels.door import Delivered
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.store import Stored


def finest(slots: Iterable[str], ladder: str, rungs: tuple[str, ...]) -> str:
    """The finest rung of `ladder` ("place" or "time") among slot names; "none" where there is none."""
    held = set(slots)
    return next((r for r in reversed(rungs) if f"{ladder}.{r}" in held), "none")


def footprint(slots: Mapping[str, Any]) -> dict[str, Any] | None:
    """GeoJSON of the finest place held: the geometry itself, or the outlines of its cells."""
    if "place.exact" in slots:
        exact: dict[str, Any] = slots["place.exact"]
        return exact
    rung = finest(slots, "place", PLACE_RUNGS)
    cells = [c for c in slots.get(f"place.{rung}", ()) if isinstance(c, str) and is_cell(c)]
    if not cells:
        return None
    return {"type": "MultiPolygon", "coordinates": [[ring(c)] for c in cells]}


def ring(cell: str) -> list[list[float]]:
    """A cell's outline as GeoJSON has it: longitude before latitude, its first corner also the last."""
    corners = [[lon, lat] for lat, lon in cell_ring(cell)]
    return [*corners, corners[0]]


def item(
    stored: Stored,
    *,
    me: str,
    organisations: Mapping[str, str],
    keys: Mapping[str, bytes],
    deliveries: Iterable[Delivered],
    unknown: Collection[str] = (),
) -> dict[str, Any]:
    """One statement for the picture. `keys`: each originator's raw statement key. unknown: slots to
    leave out, of a picture of before they came."""
    statement, own = stored.statement, stored.iss == me
    slots = {k: v for k, v in statement.slots.items() if k not in unknown} if statement else {}
    key = keys.get(stored.iss, b"")
    return {
        "iss": stored.iss,
        "jti": stored.jti,
        "ver": stored.ver,
        "kind": stored.kind,
        "marking": statement.marking if statement else None,
        "onward": statement.onward if statement else None,
        "exercise": statement.exercise if statement else None,
        "state": stored.state,
        "purged": stored.purged,
        "own": own,
        "received_at_us": stored.at_us,
        "slots": slots,
        "footprint": footprint(slots),
        "provenance": {
            "said_by": stored.iss,
            "organisation": organisations.get(stored.iss, stored.iss),
            "signature": "checked",  # nothing unverified is ever stored
            "key": b64url(hashlib.sha256(key).digest())[:12] if key else "",
            "through": stored.received_from or me,
            "place": finest(slots, "place", PLACE_RUNGS),
            "time": finest(slots, "time", TIME_RUNGS),
            "withheld": not own and not stored.purged,
        },
        "released": [_released(d, slots) for d in deliveries],  # oldest first
    }


def _released(delivery: Delivered, all_slots: Iterable[str]) -> dict[str, Any]:
    held = delivery.slots
    return {
        "reader": delivery.reader,
        "op": delivery.op,
        "at_us": delivery.at_us,
        "ver": delivery.ver,
        "rule": ", ".join(rule for rule, _ in delivery.rules),
        "why": "; ".join(why for _, why in delivery.rules),
        "place": finest(held, "place", PLACE_RUNGS),
        "time": finest(held, "time", TIME_RUNGS),
        "hidden": sorted(set(all_slots) - held) if held else [],
        "sent": True,
        "applied": delivery.applied,
    }
