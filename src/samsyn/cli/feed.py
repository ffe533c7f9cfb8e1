"""samsyn feed, replay: what is in a recording, and playing it into a node."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from samsyn.base.clock import SystemClock, iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, screen, speaking, table
from samsyn.feeds.runner import discover, guess, open_feed
from samsyn.feeds.summary import Summary
from samsyn.node.stores import Stores
from samsyn.watch.definition import discover as discover_detectors
from samsyn.watch.finding import Finding
from samsyn.watch.plot import plot
from samsyn.watch.runner import Watch
from samsyn.watch.zones import load_zones

PROBLEMS_SHOWN = 10
POLL_S = 0.3


@click.group()
def feed() -> None:
    """Feeds: sources of observations."""


@feed.command("list")
@json_option
@speaking
def feed_list(as_json: bool) -> None:
    """The kinds of feed that there are."""
    kinds = discover()
    rows = [(name, kind.title["en"], kind.title["sv"]) for name, kind in sorted(kinds.items())]
    names = ("kind", "en", "sv")
    Out(as_json).answer(
        [dict(zip(names, row, strict=True)) for row in rows],
        lambda: table("Kinds of feed", ("kind", "what it is", "på svenska"), rows),
    )


def source_of(text: str) -> str:
    """A path or an address as a feed's `source`."""
    if text.partition(":")[0] in ("file", "extract", "tcp", "udp", "http", "https"):
        return text
    if not Path(text).is_file():
        raise ConfigError(f"there is no file {text}", do="name a file, tcp:HOST:PORT, udp:... or a URL")
    return f"file:{Path(text).resolve()}"


@feed.command("try")
@click.argument("source")
@click.option("--kind", help="A kind of `samsyn feed list`; guessed where not given.")
@click.option("--date", default="", help="2013-11-12, for lines that carry no date.")
@click.option("--findings", is_flag=True, help="Run the detectors over it and list what they find.")
@click.option("--zones", type=click.Path(path_type=Path, exists=True), help="Zones for --findings.")
@click.option("--plot", "plots", type=click.Path(path_type=Path), help="Folder for a plot a finding.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="For sources without end.")
@json_option
@speaking
def feed_try(
    source: str,
    kind: str | None,
    date: str,
    findings: bool,
    zones: Path | None,
    plots: Path | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Decode SOURCE (a file or an address) and say what is in it. Nothing is stored or signed."""
    out = Out(as_json)
    address = source_of(source)
    settings = FeedSettings(name="try", kind=kind or guess(address), source=address, date=date)
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    # what is tried goes nowhere; made-up traffic may be looked at too
    made_up = settings.kind in discover() and discover()[settings.kind].exercise_only
    stream = open_feed(settings, originator="try", exercise=made_up, clock=SystemClock(), stop=stop)
    summary = Summary()
    watch = Watch(tuple(discover_detectors()), zones=load_zones(zones) if zones else [])
    found: dict[str, Finding] = {}
    if not address.startswith("file:"):
        timer.start()
    with out.progress() as progress:
        task = progress.add_task(f"{settings.kind} {source}", total=1.0, note="")
        for delivery in stream:
            summary.add(delivery.batch)
            if findings or plots:
                found.update({f.key: f for f in watch.feed(delivery.batch)})
            progress.update(task, completed=delivery.progress or 0.0, note=f"{summary.rows:,} rows")
    timer.cancel()
    if findings or plots:
        found.update({f.key: f for f in watch.finish()})
    written = _write_plots(list(found.values()), plots)
    told = {
        "source": source,
        "kind": settings.kind,
        **summary.told(),
        "refused": dict(stream.report.refused),
        "problems": [msgspec.to_builtins(p) for p in stream.report.problems],
        "findings": [msgspec.to_builtins(f) for f in found.values()],
        "plots": written,
    }
    out.answer(told, lambda: _show(told, list(found.values()), bool(findings or plots)))


def _write_plots(found: Sequence[Finding], folder: Path | None) -> list[str]:
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for finding in found:
        path = folder / f"{finding.detector}-{finding.craft.replace(':', '-')}-{finding.start_us}.svg"
        path.write_text(plot(finding))
        names.append(str(path))
    return names


def _show(told: dict[str, Any], found: Sequence[Finding], watched: bool) -> None:
    plain = {k: v for k, v in told.items() if not isinstance(v, dict | list)}
    facts(f"{told['source']}", plain)
    for name in ("message_types", "domains"):
        if told.get(name):
            table("\n" + name.replace("_", " "), ("what", "rows"), sorted(told[name].items()))
    if told["refused"]:
        table("\nrefused", ("reason", "count"), sorted(told["refused"].items()))
    for problem in told["problems"][:PROBLEMS_SHOWN]:
        screen.print(f"  {problem.get('where', '')}: {problem.get('what', '')}", markup=False)
    if len(told["problems"]) > PROBLEMS_SHOWN:
        screen.print(f"  ... and {len(told['problems']) - PROBLEMS_SHOWN} more (--json shows them)")
    if watched:
        rows = [
            (
                f.detector,
                f.craft,
                f.state,
                iso(f.start_us),
                iso(f.end_us) if f.end_us else "",
                _excess(f),
            )
            for f in sorted(found, key=lambda f: f.start_us)
        ]
        names = ("detector", "craft", "state", "start", "end", "measured")
        table(f"\nfindings: {len(rows)}", names, rows)
    for path in told["plots"]:
        screen.print(f"plot: {path}", highlight=False)


def _excess(finding: Finding) -> str:
    return ", ".join(f"{k} {v:g}" for k, v in sorted(finding.measured.items()))


@click.command()
@home_option
@click.argument("recording")
@click.option("--kind", help="A kind of `samsyn feed list`; guessed where not given.")
@click.option("--speed", type=float, default=60.0, show_default=True, help="Times as fast as it was.")
@json_option
@speaking
def replay(root: Path, recording: str, kind: str | None, speed: float, as_json: bool) -> None:
    """Play a recording into the running node of a home, in its exercise realm.

    A replayed recording is not now: it never enters the actual realm, and the picture says so. The
    recording's first row falls on the exercise's present time; the exercise clock runs at SPEED
    while it plays.
    """
    out = Out(as_json)
    address = source_of(recording)
    with Stores(home_of(root), "exercise") as stores:
        if not stores.runs():
            raise ConfigError(
                "no node runs on this home in the exercise realm",
                where=str(root),
                do=f"start one: samsyn up --home {root} --realm exercise",
            )
        asked = stores.replays.ask(address, kind or guess(address), speed)
        with out.progress() as progress:
            task = progress.add_task(f"replay {recording}", total=1.0, note="")
            pause = threading.Event()
            while (now := stores.replays.get(asked)).state in ("asked", "running"):
                progress.update(task, completed=now.progress, note=f"{now.rows:,} rows")
                if not stores.runs():
                    raise ConfigError("the node was stopped while it played", where=str(root))
                pause.wait(POLL_S)
    if now.state == "failed":
        raise ConfigError(f"the replay failed: {now.problem}", where=recording)
    told = {"recording": recording, "speed": speed, "rows": now.rows, "refused": now.refused}
    out.answer(told, lambda: facts("Replayed", told))
