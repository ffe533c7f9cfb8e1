"""samsyn feed: what is in a recording."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from samsyn.base.clock import SystemClock, iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings
from samsyn.cli.language import Group, language, t, told
from samsyn.cli.show import Out, facts, json_option, line, speaking, table, word
from samsyn.feeds.report import FeedProblem
from samsyn.feeds.runner import FeedStream, discover, guess, open_feed
from samsyn.feeds.source import EXTRACTS, check_source
from samsyn.feeds.summary import Summary
from samsyn.formats.decoded import REASONS
from samsyn.watch.definition import discover as discover_detectors
from samsyn.watch.finding import Finding, about_whom
from samsyn.watch.plot import plot
from samsyn.watch.runner import Watch
from samsyn.watch.zones import load_zones

PROBLEMS_SHOWN = 10
DETAIL_SHOWN = 60  # characters of the words at fault; --json has them all
EXTRACT_KIND = "columns"  # of the recordings that come with Samsyn


@click.group(cls=Group)
def feed() -> None:
    """Feeds: sources of observations."""


@feed.command("list")
@json_option
@speaking
def feed_list(as_json: bool) -> None:
    """The kinds of feed that there are."""
    kinds = sorted(discover().items())
    told = [{"kind": name, "en": kind.title["en"], "sv": kind.title["sv"]} for name, kind in kinds]
    rows = [(name, kind.title[language()], ", ".join(kind.sources)) for name, kind in kinds]
    columns = (t("kind"), t("what it is"), t("comes by"))
    Out(as_json).answer(told, lambda: table(t("Kinds of feed"), columns, rows))


def source_of(text: str) -> str:
    """A path or an address as a feed's `source`. Raises `ConfigError` where it can be neither."""
    scheme, _, name = text.partition(":")
    if scheme == "extract":
        there = sorted(path.name.removesuffix(".csv.gz") for path in EXTRACTS.glob("*.csv.gz"))
        if name not in there:
            raise ConfigError(
                t("no recording {name} comes with Samsyn", name=repr(name)),
                do=t("use one of {names}", names=", ".join(there)),
            )
        return text
    if scheme in ("file", "tcp", "tcp-listen", "udp", "http", "https"):
        check_source(text)
        return text
    if not Path(text).is_file():
        raise ConfigError(
            t("there is no file {path}", path=text),
            do=t("name a file, extract:NAME, tcp:HOST:PORT, tcp-listen:PORT, udp:HOST:PORT or a URL"),
        )
    return f"file:{Path(text).resolve()}"


def _settings(kind: str, address: str, date: str, given: tuple[str, ...]) -> FeedSettings:
    """The settings of the feed to try. Raises `ConfigError` for what is no setting."""
    said: dict[str, Any] = {"name": "try", "kind": kind, "source": address, "date": date}
    for text in given:
        key, _, value = text.partition("=")
        table, _, name = key.partition(".")
        try:
            found: Any = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found = value
        if name:
            said.setdefault(table, {})[name] = found
        else:
            said[table] = found
    try:
        return msgspec.convert(said, FeedSettings)
    except msgspec.ValidationError as e:
        raise ConfigError(
            str(e), where=" ".join(given), do=t("see what a [[feed]] may say in docs/feeds.md")
        ) from e


def kind_of(address: str) -> str:
    """The kind of feed that a source is, as far as can be told."""
    return EXTRACT_KIND if address.startswith("extract:") else guess(address)


def ends(address: str) -> bool:
    """Whether a source is a recording."""
    return address.startswith(("file:", "extract:"))


@feed.command("try")
@click.argument("source")
@click.option("--kind", help="A kind of `samsyn feed list`; guessed where not given.")
@click.option("--date", default="", help="2013-11-12, for lines that carry no date.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the feed, such as columns.speed_kn=VELOCITY or units.speed_kn=m/s.",
)
@click.option("--findings", is_flag=True, help="Run the detectors over it and list what they find.")
@click.option(
    "--zones",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="GeoJSON file of zones for the detectors; takes --findings for granted.",
)
@click.option(
    "--plot",
    "plots",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a plot of each finding; takes --findings for granted.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long to listen to a source without end; Ctrl-C ends it too.",
)
@json_option
@speaking
def feed_try(
    source: str,
    kind: str | None,
    date: str,
    given: tuple[str, ...],
    findings: bool,
    zones: Path | None,
    plots: Path | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Decode SOURCE and say what is in it. Nothing is stored or signed.

    SOURCE is a file (gzip too), extract:NAME for a recording that comes with Samsyn, tcp:HOST:PORT,
    tcp-listen:PORT (others call), udp:HOST:PORT or a URL. Exit code 1 where not one observation could
    be made of it.
    """
    out = Out(as_json)
    address = source_of(source)
    settings = _settings(kind or kind_of(address), address, date, given)
    stop = threading.Event()
    stream = open_feed(settings, originator="try", exercise=False, clock=SystemClock(), stop=stop)
    watch = None
    if findings or plots or zones:
        watch = Watch(tuple(discover_detectors()), zones=load_zones(zones) if zones else [])
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    if not ends(address):
        timer.start()
    summary, found = _listen(stream, watch, out, f"{settings.kind} {source}", stop)
    timer.cancel()
    answer = {
        "source": source,
        "kind": settings.kind,
        **summary.told(),
        "refused": dict(stream.report.refused),
        "problems": [msgspec.to_builtins(p) for p in stream.report.problems],
        "findings": [msgspec.to_builtins(f) for f in found],
        "plots": write_plots(found, plots),
    }
    out.answer(answer, lambda: _show(answer, stream.report.problems, found, watch is not None))
    if not summary.rows:
        raise SystemExit(1)


def _listen(
    stream: FeedStream, watch: Watch | None, out: Out, title: str, stop: threading.Event
) -> tuple[Summary, list[Finding]]:
    """Everything that comes until the source ends, `stop` is set or the person has seen enough."""
    summary = Summary()
    found: dict[str, Finding] = {}
    with out.progress() as progress:
        task = progress.add_task(title, total=1.0, note="")
        try:
            for delivery in stream:
                summary.add(delivery.batch)
                if watch:
                    found.update({f.key: f for f in watch.feed(delivery.batch)})
                note = t("{rows} rows", rows=f"{summary.rows:,}")
                progress.update(task, completed=delivery.progress or 0.0, note=note)
        except KeyboardInterrupt:
            stop.set()
    if watch:
        found.update({f.key: f for f in watch.finish()})
    return summary, sorted(found.values(), key=lambda f: (f.start_us, f.key))


def write_plots(found: Sequence[Finding], folder: Path | None) -> list[str]:
    """A plot of each finding as a file in `folder`; their names. None: none."""
    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for finding in found:
        about = about_whom(finding).replace(":", "-").replace(" ", "-")
        path = folder / f"{finding.detector}-{about}-{finding.start_us}.svg"
        path.write_text(plot(finding, language=language()), "utf-8")
        names.append(str(path))
    return names


def _show(
    answer: dict[str, Any], problems: Sequence[FeedProblem], found: Sequence[Finding], watched: bool
) -> None:
    facts(answer["source"], _facts(answer))
    if answer["message_types"]:
        rows = sorted(answer["message_types"].items(), key=lambda pair: -pair[1])
        table("\n" + t("By type of message"), (t("type"), t("rows")), rows)
    if answer["marks"]:
        table(
            "\n" + t("Marked as not plausible"), (t("mark"), t("rows")), sorted(answer["marks"].items())
        )
    if answer["refused"]:
        counts = sorted(answer["refused"].items())
        refused = [(reason, REASONS[reason][language()], count) for reason, count in counts]
        table("\n" + t("Refused"), (t("reason"), t("what it means"), t("count")), refused)
    for problem in problems[:PROBLEMS_SHOWN]:
        what = problem.what if language() == "en" else problem.what_sv
        place = told(problem.where.rpartition(": ")[2])  # the source itself is the title
        line(f"  {place}: {what}" + (f": {problem.detail[:DETAIL_SHOWN]}" if problem.detail else ""))
    if len(problems) > PROBLEMS_SHOWN:
        line("  " + t("... and {count} more (--json shows them)", count=len(problems) - PROBLEMS_SHOWN))
    if watched:
        show_findings(found)
    for path in answer["plots"]:
        line(t("plot: {path}", path=path))
    if not answer["rows"]:
        line(
            "\n" + t("Not one observation could be made of it as {kind}.", kind=answer["kind"]),
            style="bold red",
        )


def _facts(answer: dict[str, Any]) -> dict[str, Any]:
    area = ""
    if answer["area"]:
        west, south, east, north = answer["area"]
        area = f"{south:.2f} .. {north:.2f} °N, {west:.2f} .. {east:.2f} °E"
    return {
        t("kind"): answer["kind"],
        t("rows"): answer["rows"],
        t("plausible positions"): answer["positions"],
        t("ships"): answer["domains"].get("sea"),
        t("aircraft"): answer["domains"].get("air"),
        t("first"): answer["first"],
        t("last"): answer["last"],
        t("area"): area,
    }


def show_findings(found: Sequence[Finding]) -> None:
    """A table of findings for people."""
    definitions = discover_detectors()
    rows = [
        (
            getattr(definitions[f.detector][0].title, language()),
            about_whom(f),
            word(f.state),
            iso(f.start_us),
            iso(f.end_us) if f.end_us else "",
            ", ".join(f"{name} {value:g}" for name, value in sorted(f.measured.items())),
        )
        for f in found
    ]
    columns = (t("detector"), t("craft"), t("state"), t("start"), t("end"), t("measured"))
    if rows:
        table("\n" + t("Findings: {count}", count=len(rows)), columns, rows)
    else:
        line("\n" + t("The detectors found nothing."))
