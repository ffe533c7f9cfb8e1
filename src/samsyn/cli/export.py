"""samsyn export: tracks of a period as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from samsyn.base.clock import iso
from samsyn.base.errors import ConfigError, InputError
from samsyn.base.settings import Realm
from samsyn.cli.language import Group, t
from samsyn.cli.look import area_of, time_us
from samsyn.cli.persons import by_option, person
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, realm_option, speaking, yes_no
from samsyn.desk.sight import sight_of
from samsyn.node.stores import Stores
from samsyn.observations.craft import craft_from_text
from samsyn.observations.reader import Observations
from samsyn.statements.marking import strictest
from samsyn.tracks.export import FORMATS, Asked, Part, geoparquet_bytes, gpx_pieces, parts_of


@click.group(cls=Group)
def export() -> None:
    """Files for other programs."""


@export.command("tracks")
@home_option
@realm_option
@click.option("--from", "begin", required=True, help="2026-11-21T20:15:00Z, by the rows' own time.")
@click.option("--to", "end", required=True, help="The same; what is of this very time is left out.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    required=True,
    help="GeoParquet 1.1 or GPX 1.1.",
)
@click.option("--area", default="", metavar="W,S,E,N", help="Positions in this area alone, degrees.")
@click.option("--craft", "crafts", multiple=True, metavar="CRAFT", help="mmsi:219000001, icao:4ca123.")
@click.option("--feed", "feeds", multiple=True, metavar="NAME", help="What this feed brought alone.")
@click.option(
    "--out",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write; it must not be there yet.",
)
@by_option
@json_option
@speaking
def export_tracks(
    root: Path,
    realm: Realm | None,
    begin: str,
    end: str,
    kind: str,
    area: str,
    crafts: tuple[str, ...],
    feeds: tuple[str, ...],
    path: Path,
    user: str,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Write the tracks of a period to a file.

    What is in it is what your account is cleared for, and the file says its marking and whether it is
    exercise. The diary tells who took what. A file once given away takes no more orders from here:
    what goes to partners goes by the release policy, not by this.
    """
    out = Out(as_json)
    asked = Asked(
        from_us=time_us(begin, "--from"),
        to_us=time_us(end, "--to"),
        area=area_of(area),
        craft=[_craft(text) for text in crafts] or None,
        feeds=feeds or None,
    )
    if asked.from_us >= asked.to_us:
        raise InputError(t("the period ends before it begins"), where="--from, --to")
    if path.exists():
        raise ConfigError(t("there is such a file already"), where=str(path), do=t("name another"))
    with Stores(home_of(root), realm) as stores:
        account = person(stores, user, password_file, "report")
        sight = sight_of(stores.settings, account.clearance)
        observations = Observations(stores.home.observations(stores.realm))
        parts = parts_of(observations, asked, sight)
        answer = _answer(stores, asked, parts, path)
        # written down first: a file that nobody knows of must not be there
        stores.diary.write(account.user, "export-tracks", **{k: answer[k] for k in _DIARY})
        _write(path, kind, parts, answer, stores.clock.now_us())
    answer["damaged_files"] = sorted(str(torn) for torn in observations.torn)
    out.answer(answer, lambda: _show(answer))


_DIARY = ("from", "to", "marking", "craft", "positions")


def _craft(text: str) -> int:
    try:
        return craft_from_text(text)
    except ValueError as e:
        raise InputError(str(e), where="--craft") from e


def _answer(stores: Stores, asked: Asked, parts: list[Part], path: Path) -> dict[str, Any]:
    markings = {marking for part in parts for marking in part.markings}
    return {
        "file": str(path),
        "from": iso(asked.from_us),
        "to": iso(asked.to_us),
        "marking": strictest(markings or {stores.settings.node.default_marking}),
        "exercise": stores.realm == "exercise",
        "craft": len({part.craft for part in parts}),
        "parts": len(parts),
        "positions": sum(len(part.time_us) for part in parts),
    }


def _write(path: Path, kind: str, parts: list[Part], answer: dict[str, Any], at_us: int) -> None:
    """The file, whole or not at all; readable by its owner, since it carries a marking."""
    pending = path.with_name(path.name + ".pending")
    pending.touch(mode=0o600)
    try:
        if kind == "gpx":
            exercise = "EXERCISE " if answer["exercise"] else ""
            with pending.open("w", encoding="utf-8") as file:
                file.writelines(gpx_pieces(parts, f"{exercise}{answer['marking']}", at_us))
        else:
            said = {
                "samsyn:marking": answer["marking"],
                "samsyn:exercise": "true" if answer["exercise"] else "false",
            }
            pending.write_bytes(geoparquet_bytes(parts, said))
        pending.rename(path)
    finally:
        pending.unlink(missing_ok=True)


def _show(answer: dict[str, Any]) -> None:
    facts(
        t("Exported"),
        {
            t("file"): answer["file"],
            t("marking"): answer["marking"],
            t("exercise"): yes_no(answer["exercise"]),
            t("craft"): answer["craft"],
            t("positions"): f"{answer['positions']:,}",
            t("damaged files passed over"): len(answer["damaged_files"]) or None,
        },
    )
