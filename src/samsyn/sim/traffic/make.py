"""A scenario and a seed to what receivers heard and what truly happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from samsyn.base.encoding import to_json
from samsyn.sim.traffic import aircraft, at_sea, ships, surges, truths
from samsyn.sim.traffic.cast import Cast, Truth
from samsyn.sim.traffic.motion import nm
from samsyn.sim.traffic.reports import files
from samsyn.sim.traffic.scenario import Scenario, read_scenario


class Made(msgspec.Struct, frozen=True):
    """What one seed of a scenario came to.

    files: name and bytes of each receiver's recording. zones: a GeoJSON FeatureCollection.
    craft_hours: between the first and the last report heard of each craft, by domain ("sea", "air").
    """

    start_s: int
    files: dict[str, bytes]
    zones: dict[str, Any]
    truths: list[Truth]
    craft: dict[str, int]
    craft_hours: dict[str, float]


def kinds() -> frozenset[str]:
    """The kinds of situation that a scenario may ask for."""
    return frozenset(at_sea.makers())


def load(path: Path) -> Scenario:
    """The scenario of a file. Raises `InputError` with file and field."""
    return read_scenario(path.read_bytes(), str(path), kinds())


def make(said: Scenario, seed: int, tell: Callable[[float], None] = lambda share: None) -> Made:
    """The same scenario and seed give the same bytes. tell: how far it is, 0 to 1."""
    cast = Cast(said, seed)
    for lane in said.lane:
        ships.sail_lane(cast, lane)
    for ground in said.ground:
        ships.stay_on_ground(cast, ground)
    lanes = [sky for sky in said.sky if sky.doing == "airliners"]
    for sky in said.sky:
        aircraft.fly(cast, sky, lanes.index(sky) if sky in lanes else 0, len(lanes))
    surges.add(cast)
    for situation in said.situation:
        at_sea.makers()[situation.kind](cast, situation.count, situation.within)
    truths.from_ways(cast)
    tell(0.1)
    heard = {
        name: b"".join(lines) for name, lines in files(cast, lambda share: tell(0.1 + 0.85 * share))
    }
    truths.could_be_told(cast)
    tell(1.0)
    hours = {"sea": 0.0, "air": 0.0}
    for id_, times_s in cast.heard_s.items():
        if len(times_s):
            hours["sea" if id_.startswith("mmsi") else "air"] += float(times_s[-1] - times_s[0]) / 3600
    return Made(
        start_s=said.scenario.start_s(),
        files=heard,
        zones=_zones(cast),
        truths=sorted(cast.truths, key=lambda t: (t.start_s, t.detector, t.craft)),
        craft={
            "sea": sum(c.sea for c in cast.craft),
            "air": sum(not c.sea for c in cast.craft),
        },
        craft_hours=hours,
    )


def write(made: Made, folder: Path) -> list[Path]:
    """The receivers' files, zones.geojson and truth.json, in a folder that is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    truth = {
        "exercise": True,
        "start_s": made.start_s,
        "craft": made.craft,
        "craft_hours": made.craft_hours,
        "situations": [msgspec.to_builtins(t) for t in made.truths],
    }
    whole = {**made.files, "zones.geojson": to_json(made.zones), "truth.json": to_json(truth)}
    for name, data in whole.items():
        path = folder / name
        path.write_bytes(data)
        written.append(path)
    return written


def _zones(cast: Cast) -> dict[str, Any]:
    """The scenario's zones and lines as the file of zones that a node has."""
    features = []
    for zone in cast.said.zone:
        ring = _degrees(cast, [*zone.outline, zone.outline[0]])
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {
                    "name": zone.name,
                    "title": zone.title,
                    "domains": list(zone.domains),
                    **({"sort": "anchorage"} if zone.anchorage else {}),
                    **({} if zone.floor_ft is None else {"floor_ft": zone.floor_ft}),
                    **({} if zone.ceiling_ft is None else {"ceiling_ft": zone.ceiling_ft}),
                },
            }
        )
    for line in cast.said.line:
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": _degrees(cast, line.way)},
                "properties": {
                    "name": line.name,
                    "title": line.title,
                    "sort": "cable",
                    "reach_m": line.corridor_m,
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _degrees(cast: Cast, places: Any) -> list[list[float]]:
    metres = np.array([nm(place) for place in places])
    lat, lon = cast.degrees(metres[:, 0], metres[:, 1])
    return [[round(float(b), 6), round(float(a), 6)] for a, b in zip(lat, lon, strict=True)]
