"""Zones: named areas with level bounds, harbours and seabed infrastructure, from a GeoJSON file that
the organisation wrote."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import shapely
from shapely import affinity
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from samsyn.base.encoding import from_json, to_json
from samsyn.base.errors import ConfigError
from samsyn.base.geo import METRES_PER_NM
from samsyn.base.ids import is_node_name
from samsyn.base.limits import ZONES, ZONES_FILE_BYTES
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA

METRES_PER_DEGREE: Final = 60 * METRES_PER_NM
REACH_M_MAX: Final = 50_000.0

# What a zone is. Who comes into an area is a finding; the others say what goes on at a place.
AREA: Final = "area"
PORT: Final = "port"
HARBOURS: Final = (PORT, "anchorage")
FAIRWAY: Final = "fairway"
INFRASTRUCTURE: Final = ("cable", "pipeline")
SORTS: Final = (AREA, *HARBOURS, FAIRWAY, *INFRASTRUCTURE)

# what reading a stranger's JSON as a zone may raise
_UNUSABLE: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
    ShapelyError,
)
_DOMAINS: Final = {"sea": DOMAIN_SEA, "air": DOMAIN_AIR}
_SUFFIX: Final = ".geojson"
_FEET_A_LEVEL: Final = 100  # a flight level is a hundred feet of pressure altitude (ICAO)
_REACHING: Final = {
    "Point": HARBOURS,
    "LineString": (FAIRWAY, *INFRASTRUCTURE),
    "MultiLineString": (FAIRWAY, *INFRASTRUCTURE),
}


# Which detectors look at zones of a sort.
USED_BY: Final[dict[str, tuple[str, ...]]] = {
    AREA: ("zone-entry", "activity"),
    "port": ("activity", "anchor-drag", "encounter-sea", "loiter", "sudden-stop"),
    "anchorage": ("activity", "anchor-drag", "encounter-sea", "loiter", "sudden-stop"),
    FAIRWAY: ("activity", "encounter-sea"),
    "cable": ("activity", "anchor-drag", "loiter"),
    "pipeline": ("activity", "anchor-drag", "loiter"),
}


class Wrong(ValueError):
    """A feature cannot be a zone. field: the property that is wrong, or "geometry"."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Zone:
    """name: short and stable, it goes into findings. geometry: (multi)polygon in degrees (lon, lat),
    not across 180; of a line or a point what is within reach_m of it. floor_ft, ceiling_ft: pressure
    altitude, None for no bound. domains: which craft it is for (observations.craft). sort: one of
    `SORTS`. drawn: the line or point, None where the file has the area. approximate: drawn from
    what is commonly known; source: from what, in words."""

    name: str
    title: dict[str, str]
    geometry: BaseGeometry
    floor_ft: float | None = None
    ceiling_ft: float | None = None
    domains: frozenset[int] = frozenset((DOMAIN_SEA, DOMAIN_AIR))
    sort: str = AREA
    drawn: BaseGeometry | None = None
    reach_m: float | None = None
    approximate: bool = False
    source: str = ""

    def widened(self, margin_m: float) -> BaseGeometry:
        """The zone and what is within about `margin_m` of it (equirectangular about its middle;
        outlines are simplified by a tenth of the margin)."""
        margin_deg = margin_m / METRES_PER_DEGREE
        flat = affinity.scale(self.geometry, self._stretch, 1.0, origin=(0, 0))
        wide = flat.simplify(margin_deg / 10).buffer(margin_deg, quad_segs=4)
        found: BaseGeometry = affinity.scale(wide, 1 / self._stretch, 1.0, origin=(0, 0))
        shapely.prepare(found)
        return found

    def depth_m(self, lat: float, lon: float) -> float:
        """About how far inside the outline a place is; 0 outside."""
        if not shapely.contains_xy(self.geometry, lon, lat):
            return 0.0
        edge = affinity.scale(self.geometry.boundary, self._stretch, 1.0, origin=(0, 0))
        return float(edge.distance(shapely.Point(lon * self._stretch, lat))) * METRES_PER_DEGREE

    @property
    def _stretch(self) -> float:
        """How long a degree of longitude is against one of latitude, in the zone's middle."""
        _, south, _, north = self.geometry.bounds
        return max(math.cos(math.radians((south + north) / 2)), 0.01)


def load_zones(path: Path) -> list[Zone]:
    """Zones of a GeoJSON FeatureCollection; no file, no zones.

    Each feature has properties name (as of a node: lower case, digits, -), title (text, or
    {"en", "sv"}), and, if wanted, sort (one of `SORTS`), floor_ft or floor_fl, ceiling_ft or
    ceiling_fl, domains (["sea", "air"]), approximate, source. A cable, pipeline or fairway may be
    a line, a port or anchorage a point; each then has reach_m. Raises `ConfigError` with the file
    and the feature's index from 0.
    """
    if not path.is_file():
        return []
    if path.stat().st_size > ZONES_FILE_BYTES:
        raise ConfigError(f"more than {ZONES_FILE_BYTES} bytes of zones", where=str(path))
    try:
        return zones_of(from_json(path.read_bytes()), where=str(path))
    except ValueError as e:
        raise ConfigError(f"not JSON: {e}", where=str(path)) from e


def shipped_sets() -> list[str]:
    """Names of the sets of zones that come with Samsyn, in order."""
    return sorted(
        file.name.removesuffix(_SUFFIX) for file in _shipped().iterdir() if file.name.endswith(_SUFFIX)
    )


def shipped_features(name: str) -> list[dict[str, Any]]:
    """The features of one of them, for a file. Raises `ConfigError` for a name there is none of."""
    if name not in shipped_sets():
        raise ConfigError(
            f"no set of zones is called {name!r}", do=f"there are: {', '.join(shipped_sets())}"
        )
    found: list[dict[str, Any]] = from_json((_shipped() / (name + _SUFFIX)).read_bytes())["features"]
    return found


def shipped(name: str) -> list[Zone]:
    """The zones of one of them. Raises `ConfigError` for a name there is none of."""
    return zones_of({"type": "FeatureCollection", "features": shipped_features(name)}, name)


def fault_of(feature: Any) -> Wrong | None:
    """What keeps a feature from being a zone; None where nothing does."""
    try:
        _zone(feature)
    except Wrong as e:
        return e
    except _UNUSABLE as e:
        return Wrong("", str(e))
    return None


def written(collection: dict[str, Any]) -> bytes:
    """A FeatureCollection as a file that people edit: one feature a line."""
    lines = [to_json(feature) for feature in collection["features"]]
    return b'{"type": "FeatureCollection", "features": [\n' + b",\n".join(lines) + b"\n]}\n"


def _shipped() -> Traversable:
    return resources.files("samsyn.watch") / "shipped"


def zones_of(collection: Any, where: str) -> list[Zone]:
    """Zones of a parsed FeatureCollection. Raises `ConfigError`; `where` names its file."""
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise ConfigError("no GeoJSON FeatureCollection", where=where)
    if len(features) > ZONES:
        raise ConfigError(f"more than {ZONES} zones", where=where)
    zones: list[Zone] = []
    for i, feature in enumerate(features):
        try:
            zone = _zone(feature)
        except _UNUSABLE as e:
            raise ConfigError(f"unusable zone: {e}", where=f"{where}: features[{i}]") from e
        if any(zone.name == other.name for other in zones):
            raise ConfigError(f"a second zone {zone.name!r}", where=f"{where}: features[{i}]")
        zones.append(zone)
    return zones


def _zone(feature: dict[str, Any]) -> Zone:
    properties = feature["properties"]
    name = properties["name"]
    if not isinstance(name, str) or not is_node_name(name):
        raise Wrong("name", f"name {name!r}; use lower-case letters, digits and -, at most 31")
    title = properties.get("title", name)
    if isinstance(title, str):
        titles = {"en": title, "sv": title}
    elif isinstance(title, dict) and {"en", "sv"} <= title.keys():
        titles = {k: str(title[k]) for k in ("en", "sv")}
    else:
        raise Wrong("title", 'title is a text, or {"en": ..., "sv": ...}')
    sort = properties.get("sort", AREA)
    if sort not in SORTS:
        raise Wrong("sort", f"sort {sort!r}; there are {', '.join(SORTS)}")
    domains = properties.get("domains", ["sea", "air"] if sort == AREA else ["sea"])
    unknown = [d for d in domains if d not in _DOMAINS]
    if unknown or not domains:
        raise Wrong("domains", f"domains {domains}; there are sea and air")
    bounds = [_level(properties, key) for key in ("floor", "ceiling")]
    if bounds[0] is not None and bounds[1] is not None and bounds[0] >= bounds[1]:
        raise Wrong("floor", f"floor_ft {bounds[0]} is not below ceiling_ft {bounds[1]}")
    approximate, source = properties.get("approximate", False), properties.get("source", "")
    if not isinstance(approximate, bool) or not isinstance(source, str):
        raise Wrong("source", "approximate is true or false, source is text")
    drawn = _geometry(feature["geometry"], sort)
    reach_m = _reach_m(properties, drawn)
    return Zone(
        name=name,
        title=titles,
        geometry=drawn if reach_m is None else _reached(drawn, reach_m),
        floor_ft=bounds[0],
        ceiling_ft=bounds[1],
        domains=frozenset(_DOMAINS[d] for d in domains),
        sort=sort,
        drawn=None if reach_m is None else drawn,
        reach_m=reach_m,
        approximate=approximate,
        source=source,
    )


def _level(properties: dict[str, Any], key: str) -> float | None:
    """A bound in feet, from feet or flight levels."""
    given = [
        (_number(properties, name, unit), feet)
        for name, unit, feet in (
            (f"{key}_ft", "feet", 1),
            (f"{key}_fl", "flight levels", _FEET_A_LEVEL),
        )
        if properties.get(name) is not None
    ]
    if len(given) > 1:
        raise Wrong(key, f"{key}_ft and {key}_fl; write one of them")
    return given[0][0] * given[0][1] if given else None


def _number(properties: dict[str, Any], key: str, unit: str) -> float:
    value = properties[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Wrong(key.split("_")[0], f"{key} {value!r} is no number of {unit}")
    return float(value)


def _reach_m(properties: dict[str, Any], drawn: BaseGeometry) -> float | None:
    """How far a line or point reaches; None for an area."""
    if drawn.geom_type not in _REACHING:
        if properties.get("reach_m") is not None:
            raise Wrong("reach", "reach_m belongs to a line or a point; this is an area")
        return None
    if properties.get("reach_m") is None:
        raise Wrong("reach", f"a {drawn.geom_type} needs reach_m: how far from it the zone reaches")
    reach_m = _number(properties, "reach_m", "metres")
    if not 0 < reach_m <= REACH_M_MAX:
        raise Wrong("reach", f"reach_m {reach_m}; more than 0 and at most {REACH_M_MAX:.0f}")
    return reach_m


def _geometry(geojson: dict[str, Any], sort: str) -> BaseGeometry:
    try:
        found: BaseGeometry = shape(geojson)
    except _UNUSABLE as e:
        raise Wrong("geometry", f"geometry cannot be read: {e}") from e
    areas = ("Polygon", "MultiPolygon")
    if found.is_empty or (
        found.geom_type not in areas and sort not in _REACHING.get(found.geom_type, ())
    ):
        also = [name for name, sorts in _REACHING.items() if sort in sorts]
        raise Wrong(
            "geometry", f"geometry is a {found.geom_type}; use a {' or a '.join([*areas, *also])}"
        )
    west, south, east, north = found.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Wrong("geometry", f"geometry reaches {found.bounds}; write degrees, longitude first")
    if not found.is_valid:
        raise Wrong("geometry", f"geometry is not simple: {shapely.is_valid_reason(found)}")
    shapely.prepare(found)
    return found


def _reached(drawn: BaseGeometry, reach_m: float) -> BaseGeometry:
    """What is within `reach_m` of a line or point; each half degree of a line by the length that a
    degree of longitude has there."""
    reach_deg = reach_m / METRES_PER_DEGREE
    stretches: list[BaseGeometry] = []
    for part in shapely.get_parts(shapely.segmentize(drawn, 0.5)):
        ends = list(part.coords)
        stretches += [shapely.LineString(pair) for pair in pairwise(ends)] or [part]
    near = []
    for stretch in stretches:
        _, south, _, north = stretch.bounds
        wide = max(math.cos(math.radians((south + north) / 2)), 0.01)
        flat = affinity.scale(stretch, wide, 1.0, origin=(0, 0)).buffer(reach_deg, quad_segs=8)
        near.append(affinity.scale(flat, 1 / wide, 1.0, origin=(0, 0)))
    found: BaseGeometry = shapely.union_all(near)
    shapely.prepare(found)
    return found
