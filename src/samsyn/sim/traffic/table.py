"""The truth table: every detector over several seeds of every scenario, and over real recordings.

A page of figures is made from runs; the same seeds give the same page. Which seeds detectors were tuned
on and which were held out is said when it is made, and they are counted apart.
"""

from __future__ import annotations

import math
import tempfile
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from samsyn.base.clock import ManualClock, iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings, Struct
from samsyn.feeds.runner import open_feed
from samsyn.sim.traffic.make import load, make, write
from samsyn.sim.traffic.score import Score, judge, watched, wilson
from samsyn.watch.definition import discover
from samsyn.watch.finding import Finding, about_whom
from samsyn.watch.runner import Watch

RECALL_AIM: Final = 0.95
FALSE_AIM: Final = 0.1  # a thousand craft-hours
FIRINGS_SHOWN: Final = 12  # of one detector on one recording; the count is of all


class Run(NamedTuple):
    """One seed of one scenario."""

    scenario: Path
    seed: int
    held_out: bool


class Firing(Struct, frozen=True):
    """Why a detector fires on a recording. craft: where it fires for several reasons."""

    detector: str
    explanation: str
    craft: tuple[str, ...] = ()


class Recording(Struct, frozen=True):
    """A real recording: file in the folder of recordings, kind of feed, whether detectors were tuned
    on it, and what explains the findings."""

    file: str
    kind: str
    title: str
    tuned: bool = False
    date: str = ""
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    units: dict[str, str] = msgspec.field(default_factory=dict)
    firing: tuple[Firing, ...] = ()


class Notes(Struct, frozen=True):
    """What a person wrote about the figures: `why` by detector, where an aim is not reached."""

    recording: tuple[Recording, ...] = ()
    why: dict[str, str] = msgspec.field(default_factory=dict)


def read_notes(path: Path) -> Notes:
    """Raises `ConfigError` with the field that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Notes)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
        raise ConfigError(str(e), where=str(path)) from e


def measure(
    runs: Sequence[Run],
    detectors: Collection[str] = (),
    tell: Callable[[int, float], None] = lambda run, share: None,
) -> dict[bool, dict[str, Score]]:
    """Scores by detector, of the seeds that were held out (True) and of the others (False)."""
    scores: dict[bool, dict[str, Score]] = {True: {}, False: {}}
    wanted = set(detectors) or set(discover())
    for nth, run in enumerate(runs):
        said = load(run.scenario)
        judged = [id_ for id_ in said.scenario.judges if id_ in wanted & set(discover())]
        if not judged:
            continue
        with tempfile.TemporaryDirectory(prefix="samsyn-truth-") as folder:
            made = make(said, run.seed, lambda share, n=nth: tell(n, share / 2))  # type: ignore[misc]
            write(made, Path(folder))
            found = watched(
                made,
                Path(folder),
                judged,
                lambda share, n=nth: tell(n, 0.5 + share / 2),  # type: ignore[misc]
            )
        for score in judge(made, found, judged):
            before = scores[run.held_out].get(score.detector)
            scores[run.held_out][score.detector] = before.plus(score) if before else score
    return scores


def firings(recording: Recording, folder: Path) -> list[Finding] | None:
    """The last revision of every finding on a recording; None where it is not there."""
    path = folder / recording.file
    if not path.is_file():
        return None
    settings = FeedSettings(
        name="try",
        kind=recording.kind,
        source=f"file:{path}",
        date=recording.date,
        columns=recording.columns,
        units=recording.units,
    )
    stream = open_feed(
        settings, originator="try", exercise=False, clock=ManualClock(0), stop=threading.Event()
    )
    watch = Watch()
    found = {f.key: f for delivery in stream for f in watch.feed(delivery.batch)}
    found.update({f.key: f for f in watch.finish()})
    return sorted(found.values(), key=lambda f: (f.detector, f.start_us, f.key))


def page(
    runs: Sequence[Run],
    scores: dict[bool, dict[str, Score]],
    notes: Notes,
    recordings: Path | None,
) -> str:
    """docs/truth.md as text. `recordings`: their folder, if it is here."""
    parts = [
        "# How well the detectors do",
        "<!-- Written by `make truth`; change what is measured, not this page. -->",
        _INTRODUCTION,
        f"Seeds: {_seeds(runs)}.",
    ]
    for held_out, title in ((True, "Held out"), (False, "Tuned on")):
        if scores[held_out]:
            parts += [f"## {title}", _scores(scores[held_out])]
    parts += ["## What is not reached, and why", _shortfalls(scores, notes)]
    parts += ["## What was missed, what was false", _kinds_missed(scores)]
    if recordings is not None:
        parts += ["## Real recordings", _REAL, _recordings(notes, recordings)]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = """\
Invented craft over an invented sea, heard by invented receivers as AIS sentences and Mode S frames,
and read by the ordinary decoders (`exercises/truth/*.toml`; nothing in them is real). Recall is the
share of situations found, of those that could be heard. Precision is the share of findings that are
about one of them; findings about what lies at the edge of a definition count neither way ("neither").
A false alarm is a finding about nothing that happened. Shares and rates have their 95 % interval in
brackets (Wilson's; for rates Garwood's). The aim is a recall of 0.95 at no more than 0.1 false alarms
in 1,000 craft-hours of what the detector's scenarios let be heard.

What makes it hard is in the same traffic: ships at anchor that swing, fishing boats, pilots who board,
tows, ferries that meet, survey ships and flights, receivers that fail for hours, aircraft that land,
codes dialled through, poor receivers of satellites, two ships on one number.

One detector on one scenario: `samsyn exercise truth exercises/truth/sea.toml --detector drift`."""
_REAL: Final = """\
Every finding of every detector on each recording that was at hand. They belong to others and are no
part of the project. Nobody knows the whole truth about them; what explains a finding is told as far as
it can be seen in the rows. A recording "tuned on" is one that some detector's thresholds were set by."""


def _seeds(runs: Sequence[Run]) -> str:
    said = []
    for name in sorted({run.scenario.stem for run in runs}):
        for held_out, word in ((False, "tuned on"), (True, "held out")):
            seeds = [str(r.seed) for r in runs if r.scenario.stem == name and r.held_out == held_out]
            if seeds:
                said.append(f"{name} {', '.join(seeds)} ({word})")
    return "; ".join(said)


def _scores(scores: dict[str, Score]) -> str:
    heads = ("detector", "situations", "recall", "precision", "delay, median / p95", "craft-hours",
             "false per 1,000 craft-hours", "neither")  # fmt: skip
    rows = []
    for id_, s in sorted(scores.items()):
        false = len(s.false)
        low, high = garwood(false)
        per = 1000 / s.hours if s.hours else 0.0
        rows.append(
            (
                f"`{id_}`",
                f"{s.situations}",
                _share(s.found, s.situations),
                _share(s.right, s.right + false),
                f"{_time(quantile(s.delays_s, 0.5))} / {_time(quantile(s.delays_s, 0.95))}",
                f"{s.hours:,.0f}",
                f"{false * per:.2f} ({low * per:.2f} to {high * per:.2f})",
                str(s.neutral),
            )
        )
    return _table(heads, rows)


def _shortfalls(scores: dict[bool, dict[str, Score]], notes: Notes) -> str:
    lines = []
    for id_ in sorted(set(scores[True]) | set(scores[False])):
        short = []
        for held_out, word in ((True, "held out"), (False, "tuned on")):
            s = scores[held_out].get(id_)
            if s is None:
                continue
            if s.situations and s.found < RECALL_AIM * s.situations:
                short.append(f"recall {s.found / s.situations:.3f} ({word})")
            if 1000 * len(s.false) > FALSE_AIM * s.hours:
                short.append(f"{1000 * len(s.false) / s.hours:.2f} false ({word})")
        if short:
            why = " ".join(notes.why.get(id_, "Nobody has said why yet.").split())
            lines.append(f"- `{id_}`: {'; '.join(short)}. {why}")
    return "\n".join(lines) or "Every detector reaches the aim, on seeds tuned on and on those held out."


def _kinds_missed(scores: dict[bool, dict[str, Score]]) -> str:
    rows = []
    for id_ in sorted(set(scores[True]) | set(scores[False])):
        for held_out, word in ((True, "held out"), (False, "tuned on")):
            s = scores[held_out].get(id_)
            if s is None or not (s.missed or s.false):
                continue
            missed = Counter(t.what for t in s.missed)
            told = ", ".join(f"{count} {what}" for what, count in sorted(missed.items()))
            rows.append((f"`{id_}`", word, told or "none", str(len(s.false))))
    return _table(("detector", "seeds", "missed", "false alarms"), rows) if rows else "Nothing."


def _recordings(notes: Notes, folder: Path) -> str:
    rows = []
    for recording in notes.recording:
        found = firings(recording, folder)
        use = "tuned on" if recording.tuned else "held out"
        if found is None:
            rows.append((recording.title, use, "not here", ""))
            continue
        if not found:
            rows.append((recording.title, use, "none", ""))
        counts = Counter((f.detector, _why(recording, f)) for f in found)
        for (detector, why), count in sorted(counts.items()):
            some = [f for f in found if f.detector == detector and _why(recording, f) == why]
            who = ", ".join(_told(f) for f in some[:FIRINGS_SHOWN])
            more = f", and {count - FIRINGS_SHOWN} more" if count > FIRINGS_SHOWN else ""
            rows.append((recording.title, use, f"{count} `{detector}`: {who}{more}", why))
    return _table(("recording", "seeds", "findings", "explanation"), rows).replace("seeds", "use", 1)


def _told(finding: Finding) -> str:
    return f"{about_whom(finding)} {iso(finding.start_us)[11:19]}"


def _why(recording: Recording, finding: Finding) -> str:
    for firing in recording.firing:
        named = not firing.craft or finding.craft in firing.craft or finding.other in firing.craft
        if firing.detector == finding.detector and named:
            return " ".join(firing.explanation.split())
    return "**not explained**"


def garwood(count: int) -> tuple[float, float]:
    """95 % interval of a Poisson mean of which `count` were seen (Garwood 1936), by halving."""

    def mean(seen: int, share: float) -> float:
        """The mean of which no more than `seen` are seen with a chance of `share`."""
        low, high = 0.0, seen + 10 * math.sqrt(seen + 1) + 10
        while high - low > 1e-6 * high:
            middle = (low + high) / 2
            logs = [k * math.log(middle) - middle - math.lgamma(k + 1) for k in range(seen + 1)]
            low, high = (middle, high) if sum(map(math.exp, logs)) > share else (low, middle)
        return low

    return (mean(count - 1, 0.975) if count else 0.0), mean(count, 0.025)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _share(hits: int, of: int) -> str:
    if not of:
        return ""
    low, high = wilson(hits, of)
    return f"{hits / of:.3f} ({low:.3f} to {high:.3f})"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if abs(seconds) < 120 else f"{seconds / 60:.0f} min"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |" for line in lines
    )
