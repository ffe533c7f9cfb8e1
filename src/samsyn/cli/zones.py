"""samsyn zones: what the detectors know of places, and sets of them that come along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from samsyn.base.encoding import from_json
from samsyn.base.errors import ConfigError
from samsyn.cli.language import Group, language, t
from samsyn.cli.show import Out, home_of, home_option, json_option, line, speaking, table, word
from samsyn.exchange.card import write_whole
from samsyn.observations.craft import DOMAIN_AIR
from samsyn.watch.zones import (
    Zone,
    load_zones,
    shipped,
    shipped_features,
    shipped_sets,
    written,
    zones_of,
)


@click.group(cls=Group)
def zones() -> None:
    """Zones: areas to watch, harbours, fairways, and cables and pipelines on the seabed."""


@zones.command("list")
@home_option
@click.argument("what", required=False)
@json_option
@speaking
def zones_list(root: Path, what: str | None, as_json: bool) -> None:
    """What is in a file of zones, read as the node reads it.

    WHAT is a file or a set of `samsyn zones sets`; without it, the zones of the home.
    """
    found = _of(root, what)
    columns = (
        t("zone"),
        t("title"),
        t("sort"),
        t("floor"),
        t("ceiling"),
        t("reach"),
        t("middle"),
        t("drawn from"),
    )
    Out(as_json).answer([_told(z) for z in found], lambda: table(t("Zones"), columns, map(_row, found)))


@zones.command("sets")
@json_option
@speaking
def zones_sets(as_json: bool) -> None:
    """The sets of zones that come with Samsyn: approximate, drawn by us, to begin with."""
    found = {name: shipped(name) for name in shipped_sets()}
    answer: list[dict[str, Any]] = [
        {"set": name, "zones": len(some), "sorts": _sorts(some)} for name, some in found.items()
    ]
    rows = [(one["set"], one["zones"], ", ".join(word(sort) for sort in one["sorts"])) for one in answer]
    columns = (t("set"), t("zones"), t("sorts"))
    Out(as_json).answer(answer, lambda: table(t("Sets of zones"), columns, rows))


@zones.command("take")
@home_option
@click.argument("name")
@json_option
@speaking
def zones_take(root: Path, name: str, as_json: bool) -> None:
    """Put the zones of a set into the home's file of zones, where they can be edited.

    Zones that are there already stay as they are. A running node reads the file when it starts.
    """
    home = home_of(root)
    path = home.root / home.settings().watch.zones
    there = [zone.name for zone in load_zones(path)]
    new = [one for one in shipped_features(name) if one["properties"]["name"] not in there]
    before = from_json(path.read_bytes())["features"] if path.is_file() else []
    collection = {"type": "FeatureCollection", "features": [*before, *new]}
    zones_of(collection, str(path))
    if new:
        write_whole(path, written(collection))
    taken = [one["properties"]["name"] for one in new]
    said = t("{count} zones added to {path}; the others are as they were.", count=len(new), path=path)
    Out(as_json).answer({"added": taken, "file": str(path)}, lambda: line(said))


def _of(root: Path, what: str | None) -> list[Zone]:
    if what is None:
        home = home_of(root)
        return load_zones(home.root / home.settings().watch.zones)
    if what in shipped_sets() and not Path(what).exists():
        return shipped(what)
    if not Path(what).is_file():
        raise ConfigError(
            "neither a file nor a set of zones", where=what, do="see what there is: samsyn zones sets"
        )
    return load_zones(Path(what))


def _sorts(some: list[Zone]) -> list[str]:
    return list(dict.fromkeys(zone.sort for zone in some))


def _middle(zone: Zone) -> tuple[float, float]:
    west, south, east, north = zone.geometry.bounds
    return (south + north) / 2, (west + east) / 2


def _told(zone: Zone) -> dict[str, Any]:
    return {
        "name": zone.name,
        "title": zone.title,
        "sort": zone.sort,
        "floor_ft": zone.floor_ft,
        "ceiling_ft": zone.ceiling_ft,
        "domains": ["air" if d == DOMAIN_AIR else "sea" for d in sorted(zone.domains)],
        "reach_m": zone.reach_m,
        "bounds": list(zone.geometry.bounds),
        "approximate": zone.approximate,
        "source": zone.source,
    }


def _row(zone: Zone) -> tuple[Any, ...]:
    lat, lon = _middle(zone)
    source = f"{t('approximate')}: {zone.source}" if zone.approximate else zone.source
    return (
        zone.name,
        zone.title[language()],
        word(zone.sort),
        "" if zone.floor_ft is None else f"{zone.floor_ft:,.0f} ft",
        "" if zone.ceiling_ft is None else f"{zone.ceiling_ft:,.0f} ft",
        "" if zone.reach_m is None else f"{zone.reach_m:,.0f} m",
        f"{lat:.2f} {lon:.2f}",
        source,
    )
