"""samsyn look back: the detectors over a period that is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from samsyn.base.clock import iso, parse_iso, parse_span
from samsyn.base.errors import InputError
from samsyn.base.settings import Realm
from samsyn.cli.feed import show_findings, write_plots
from samsyn.cli.language import Group, t
from samsyn.cli.persons import person
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, realm_option, speaking
from samsyn.node.intake import watched_alone
from samsyn.node.stores import Stores
from samsyn.observations.reader import Area, Observations
from samsyn.watch.finding import Finding
from samsyn.watch.look_back import Found, Period, look_back
from samsyn.watch.runner import Watch
from samsyn.watch.zones import load_zones

AREA_PARTS: Final = 4


def time_us(text: str, option: str) -> int:
    """A time as typed. Raises `InputError` naming the option."""
    try:
        return parse_iso(text)
    except ValueError as e:
        do = t("write 2026-11-21T20:15:00Z")
        raise InputError(t("{said} is no time", said=repr(text)), where=option, do=do) from e


def area_of(text: str) -> Area | None:
    """WEST,SOUTH,EAST,NORTH in degrees; None for nothing. Raises `InputError`."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as e:
        do = t("write WEST,SOUTH,EAST,NORTH in degrees: 10,54,16,57")
        raise InputError(t("{said} is no area", said=repr(text)), where="--area", do=do) from e
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90):
        do = t("write WEST,SOUTH,EAST,NORTH in degrees: 10,54,16,57")
        raise InputError(t("{said} is no area", said=repr(text)), where="--area", do=do)
    return west, south, east, north


@click.group(cls=Group)
def look() -> None:
    """What was kept: look back at it."""


@look.command("back")
@home_option
@realm_option
@click.option("--from", "begin", required=True, help="2026-11-21T20:15:00Z, by the rows' own time.")
@click.option("--to", "end", required=True, help="The same; what is of this very time is left out.")
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    metavar="NAME",
    help="Of docs/detectors.md; may be given more than once. All where not given.",
)
@click.option(
    "--area", default="", metavar="W,S,E,N", help="Show findings in this area, degrees: 10,54,16,57."
)
@click.option(
    "--feed",
    "feeds",
    multiple=True,
    metavar="NAME",
    help="Look at what this feed brought alone; may be given more than once.",
)
@click.option("--warm", help="How far before it the watch begins; as the node does where not given.")
@click.option(
    "--plot",
    "plots",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a plot of each finding.",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="KEY",
    help="Keep this finding among the node's own, unsigned; takes --by. May be given more than once.",
)
@click.option("--by", "user", help="Your account, for --keep; its password is asked for.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Read the password from its first line (-: standard input); else it is asked for.",
)
@json_option
@speaking
def back(
    root: Path,
    realm: Realm | None,
    begin: str,
    end: str,
    detectors: tuple[str, ...],
    area: str,
    feeds: tuple[str, ...],
    warm: str | None,
    plots: Path | None,
    keep: tuple[str, ...],
    user: str | None,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Run the detectors over what was kept of a period.

    They find what they found then, or would have found: the same findings, with the same evidence.
    Nothing is signed and nothing is released by this. Works on the home folder, whether its node runs
    or not; what came in during the last seconds may not be there yet.
    """
    out = Out(as_json)
    within = area_of(area)
    with Stores(home_of(root), realm) as stores:
        if keep and user is None:
            raise InputError(t("a person keeps findings"), where="--keep", do=t("say who: --by"))
        by = person(stores, user, password_file, "report").user if keep and user else ""
        period = _period(stores, begin, end, warm, feeds)
        observations = Observations(stores.home.observations(stores.realm))
        found = _look(stores, observations, period, detectors, out)
        shown = [f for f in found.findings if within is None or _inside(f, within)]
        _keep(stores, shown, keep, by)
        answer = {
            "realm": stores.realm,
            "from": iso(period.from_us),
            "to": iso(period.to_us),
            "feeds": found.feeds,
            "rows": found.rows,
            "damaged_files": sorted(str(path) for path in observations.torn),
            "findings": [msgspec.to_builtins(f) for f in shown],
            "kept": list(keep),
            "plots": write_plots(shown, plots),
        }
    out.answer(answer, lambda: _show(answer, shown))


def _period(stores: Stores, begin: str, end: str, warm: str | None, feeds: tuple[str, ...]) -> Period:
    from_us, to_us = time_us(begin, "--from"), time_us(end, "--to")
    if from_us >= to_us:
        raise InputError(t("the period ends before it begins"), where="--from, --to")
    try:
        warm_us = stores.settings.watch.warm_us() if warm is None else parse_span(warm)
    except ValueError as e:
        raise InputError(str(e), where="--warm") from e
    return Period(from_us, to_us, warm_us, feeds or None)


def _look(
    stores: Stores, observations: Observations, period: Period, detectors: tuple[str, ...], out: Out
) -> Found:
    settings = stores.settings
    zones = load_zones(stores.home.root / settings.watch.zones)
    names = detectors or settings.watch.detectors
    with out.progress() as progress:
        task = progress.add_task(t("looking back"), total=1.0, note="")
        return look_back(
            observations,
            lambda: Watch(names, zones=zones),
            lambda feed: watched_alone(feed, settings.feed),
            period,
            progress=lambda share, rows: progress.update(
                task, completed=share, note=t("{rows} rows", rows=f"{rows:,}")
            ),
        )


def _inside(finding: Finding, area: Area) -> bool:
    if finding.lat is None or finding.lon is None:
        return False
    west, south, east, north = area
    beside = west <= finding.lon <= east if west <= east else not east < finding.lon < west
    return south <= finding.lat <= north and beside


def _keep(stores: Stores, found: Sequence[Finding], keys: tuple[str, ...], by: str) -> None:
    """Put findings among the node's own: unsigned, so they go nowhere. Raises `InputError`."""
    there = {finding.key: finding for finding in found}
    for key in keys:
        if key not in there:
            raise InputError(
                t("no finding {key} was found", key=repr(key)),
                where="--keep",
                do=t("take a key as --json shows it"),
            )
    with stores.db.write():
        for key in keys:
            stores.findings.put(there[key], stores.clock.now_us())
            stores.diary.write(by, "keep-finding", finding=key)


def _show(answer: dict[str, Any], found: Sequence[Finding]) -> None:
    facts(
        t("Looked back"),
        {
            t("from"): answer["from"],
            t("to"): answer["to"],
            t("feeds"): ", ".join(answer["feeds"]),
            t("rows"): f"{answer['rows']:,}",
            t("damaged files passed over"): len(answer["damaged_files"]) or None,
        },
    )
    show_findings(found)
    for finding in found:
        line(f"  {finding.key}")
    for path in answer["plots"]:
        line(t("plot: {path}", path=path))
    for key in answer["kept"]:
        line(t("kept, unsigned: {key}", key=key))
