"""Zones: named areas with level bounds, from a GeoJSON file that the organisation wrote."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import shapely
from shapely import affinity
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from samsyn.base.encoding import from_json
from samsyn.base.errors import ConfigError
from samsyn.base.geo import METRES_PER_NM
from samsyn.base.ids import is_node_name
from samsyn.base.limits import ZONES, ZONES_FILE_BYTES
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA

METRES_PER_DEGREE: Final = 60 * METRES_PER_NM
_DOMAINS: Final = {"sea": DOMAIN_SEA, "air": DOMAIN_AIR}


@dataclass(frozen=True)
class Zone:
    """name: short and stable, it goes into findings. geometry: (multi)polygon in degrees (lon, lat),
    not across 180. floor_ft, ceiling_ft: pressure altitude, None for no bound. domains: which craft
    it is for (observations.craft)."""

    name: str
    title: dict[str, str]
    geometry: BaseGeometry
    floor_ft: float | None = None
    ceiling_ft: float | None = None
    domains: frozenset[int] = frozenset((DOMAIN_SEA, DOMAIN_AIR))

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
    {"en", "sv"}), and, if wanted, floor_ft, ceiling_ft, domains (["sea", "air"]). Raises
    `ConfigError` with the file and the feature's index from 0.
    """
    if not path.is_file():
        return []
    if path.stat().st_size > ZONES_FILE_BYTES:
        raise ConfigError(f"more than {ZONES_FILE_BYTES} bytes of zones", where=str(path))
    try:
        return zones_of(from_json(path.read_bytes()), where=str(path))
    except ValueError as e:
        raise ConfigError(f"not JSON: {e}", where=str(path)) from e


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
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, ShapelyError) as e:
            raise ConfigError(f"unusable zone: {e}", where=f"{where}: features[{i}]") from e
        if any(zone.name == other.name for other in zones):
            raise ConfigError(f"a second zone {zone.name!r}", where=f"{where}: features[{i}]")
        zones.append(zone)
    return zones


def _zone(feature: dict[str, Any]) -> Zone:
    properties = feature["properties"]
    name = properties["name"]
    if not isinstance(name, str) or not is_node_name(name):
        raise ValueError(f"name {name!r}; use lower-case letters, digits and -, at most 31")
    title = properties.get("title", name)
    titles = (
        {"en": title, "sv": title}
        if isinstance(title, str)
        else {k: str(title[k]) for k in ("en", "sv")}
    )
    domains = properties.get("domains", ["sea", "air"])
    unknown = [d for d in domains if d not in _DOMAINS]
    if unknown or not domains:
        raise ValueError(f"domains {domains}; there are sea and air")
    bounds = [_level(properties, key) for key in ("floor_ft", "ceiling_ft")]
    if bounds[0] is not None and bounds[1] is not None and bounds[0] >= bounds[1]:
        raise ValueError(f"floor_ft {bounds[0]} is not below ceiling_ft {bounds[1]}")
    return Zone(
        name=name,
        title=titles,
        geometry=_geometry(feature["geometry"]),
        floor_ft=bounds[0],
        ceiling_ft=bounds[1],
        domains=frozenset(_DOMAINS[d] for d in domains),
    )


def _level(properties: dict[str, Any], key: str) -> float | None:
    value = properties.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} {value!r} is no number of feet")
    return float(value)


def _geometry(geojson: dict[str, Any]) -> BaseGeometry:
    found: BaseGeometry = shape(geojson)
    if found.geom_type not in ("Polygon", "MultiPolygon") or found.is_empty:
        raise ValueError(f"geometry is a {found.geom_type}; use a Polygon or a MultiPolygon")
    west, south, east, north = found.bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError(f"geometry reaches {found.bounds}; write degrees, longitude first")
    if not found.is_valid:
        raise ValueError(f"geometry is not simple: {shapely.is_valid_reason(found)}")
    shapely.prepare(found)
    return found
