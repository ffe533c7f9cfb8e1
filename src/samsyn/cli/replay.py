"""samsyn replay: a recording, or a period that was kept, into the exercise realm of a running node."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import polars as pl

from samsyn.base.errors import ConfigError, InputError
from samsyn.base.settings import Home, Realm
from samsyn.cli.feed import EXTRACT_KIND, ends, kind_of, source_of
from samsyn.cli.language import t
from samsyn.cli.look import area_of, time_us
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, speaking
from samsyn.desk.replays import Replay
from samsyn.feeds.recording import write
from samsyn.node.stores import Stores
from samsyn.observations.reader import Observations, Wanted
from samsyn.observations.schema import SCHEMA
from samsyn.statements.marking import MARKINGS, strictest

POLL_S: Final = 0.3
WRITTEN: Final = "replayed"  # folder of the exercise realm for periods while they play


@click.command()
@home_option
@click.argument("recording", required=False)
@click.option("--kind", help="A kind of `samsyn feed list`; guessed where not given.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Times as fast as it was.",
)
@click.option("--from", "begin", help="In place of a recording: what was kept from this time ...")
@click.option("--to", "end", help="... until before this one; 2026-11-21T20:15:00Z.")
@click.option(
    "--of",
    "realm",
    type=click.Choice(["actual", "exercise"]),
    default="actual",
    show_default=True,
    help="The realm in which it was kept.",
)
@click.option("--area", default="", metavar="W,S,E,N", help="Positions in this area alone, degrees.")
@click.option("--feed", "feeds", multiple=True, metavar="NAME", help="What this feed brought alone.")
@json_option
@speaking
def replay(
    root: Path,
    recording: str | None,
    kind: str | None,
    speed: float,
    begin: str | None,
    end: str | None,
    realm: Realm,
    area: str,
    feeds: tuple[str, ...],
    as_json: bool,
) -> None:
    """Play a recording, or a period that was kept, into a running node, in its exercise realm.

    What is replayed is not now: it never enters the actual realm, and the picture says so. Its first
    row falls on the exercise's present time; the exercise clock runs at --speed while it plays. A
    period carries the strictest marking of what is in it.
    """
    out = Out(as_json)
    if (recording is None) == (begin is None) or (begin is None) != (end is None):
        raise ConfigError(t("name a recording, or a period by --from and --to"))
    home, written, marking = home_of(root), None, ""
    if recording is not None:
        address = source_of(recording)
        if not ends(address):
            do = t("name a file or extract:NAME")
            raise ConfigError(t("a recording is a file"), where=recording, do=do)
    with Stores(home, "exercise") as stores:
        if not stores.runs():
            raise ConfigError(
                t("no node runs on this home in the exercise realm"),
                where=str(root),
                do=t("start one: samsyn up --home {home} --realm exercise", home=root),
            )
        if begin is not None and end is not None:
            wanted = Wanted(
                from_us=time_us(begin, "--from"),
                to_us=time_us(end, "--to"),
                area=area_of(area),
                feeds=feeds or None,
            )
            written, marking = _written(home, realm, wanted)
            address, kind, recording = f"file:{written}", EXTRACT_KIND, f"{begin} - {end}"
        try:
            asked = stores.replays.ask(address, kind or kind_of(address), speed, marking)
            done = _wait(stores, asked, out, str(recording), root)
        finally:
            if written is not None:
                written.unlink(missing_ok=True)
    if done.state == "failed":
        raise ConfigError(t("the replay failed: {problem}", problem=done.problem), where=recording or "")
    told = {"recording": recording, "speed": speed, "rows": done.rows, "refused": done.refused}
    shown = {
        t("recording"): recording,
        t("speed"): f"{speed:g}",
        t("rows"): done.rows,
        t("refused"): done.refused,
    }
    out.answer(told | ({"marking": marking} if marking else {}), lambda: facts(t("Replayed"), shown))


def _written(home: Home, realm: Realm, wanted: Wanted) -> tuple[Path, str]:
    """The rows of a period as a recording, and their strictest marking. Raises `InputError`."""
    folder = home.realm("exercise") / WRITTEN
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.iterdir():  # of a command that was killed: it must not outlive what it is of
        left.unlink(missing_ok=True)
    observations = Observations(home.observations(realm))
    markings: set[str | None] = set()

    def batches() -> Iterator[pl.DataFrame]:
        for batch in observations.batches(wanted, (*SCHEMA, "marking")):
            markings.update(batch["marking"].unique())
            yield batch.select(*SCHEMA)

    path = folder / f"{secrets.token_hex(8)}.csv.gz"
    path.touch(mode=0o600)
    if not write(path, batches()):
        path.unlink()
        raise InputError(t("nothing was kept of this period"), where="--from, --to")
    # one that nobody wrote down may have been any
    return path, strictest(marking or MARKINGS[-1] for marking in markings)


def _wait(stores: Stores, asked: int, out: Out, title: str, root: Path) -> Replay:
    """Until the node has played it, or failed to."""
    pause = threading.Event()
    with out.progress() as progress:
        task = progress.add_task(f"replay {title}", total=1.0, note="")
        while (now := stores.replays.get(asked)).state in ("asked", "running"):
            note = t("{rows} rows", rows=f"{now.rows:,}")
            progress.update(task, completed=now.progress, note=note)
            if not stores.runs():
                raise ConfigError(t("the node was stopped while it played"), where=str(root))
            pause.wait(POLL_S)
    return now
