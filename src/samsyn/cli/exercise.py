"""samsyn exercise: traffic with known truth, and what the watch makes of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
import msgspec

from samsyn.base.clock import SECOND_US, iso
from samsyn.base.errors import ConfigError
from samsyn.cli.language import Group, t
from samsyn.cli.show import Out, facts, json_option, line, speaking, table
from samsyn.sim.traffic import make, write
from samsyn.sim.traffic.cast import Truth
from samsyn.sim.traffic.make import load
from samsyn.sim.traffic.score import Score, judge, watched, wilson
from samsyn.sim.traffic.table import Run, measure, page, read_notes
from samsyn.watch.definition import discover
from samsyn.watch.finding import Finding, about_whom

SHOWN = 30  # of a list of what was missed or false; --json has all

scenario_argument = click.argument(
    "scenario", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
seed_option = click.option("--seed", default=1, show_default=True, help="Another seed, other traffic.")


@click.group(cls=Group)
def exercise() -> None:
    """Exercises: invented traffic whose truth is known."""


@exercise.command("traffic")
@scenario_argument
@seed_option
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the receivers' recordings, the zones and the truth.",
)
@json_option
@speaking
def traffic(scenario: Path, seed: int, folder: Path, as_json: bool) -> None:
    """Make the traffic of SCENARIO: what each receiver heard, as the radio carries it.

    AIS sentences and Mode S frames, zones.geojson, and truth.json with what happened. The same scenario
    and seed give the same bytes. All of it is an exercise.
    """
    out = Out(as_json)
    said = load(scenario)
    with out.progress() as progress:
        task = progress.add_task(scenario.name, total=1.0, note="")
        made = make(said, seed, lambda share: progress.update(task, completed=share))
    files = write(made, folder)
    answer = {
        "scenario": str(scenario),
        "seed": seed,
        "exercise": True,
        "craft": made.craft,
        "craft_hours": made.craft_hours,
        "situations": len(made.truths),
        "files": [str(path) for path in files],
    }
    shown = {
        t("ships"): made.craft["sea"],
        t("aircraft"): made.craft["air"],
        t("craft-hours heard"): f"{sum(made.craft_hours.values()):,.0f}",
        t("situations"): len(made.truths),
        t("files"): "\n".join(str(path) for path in files),
    }
    out.answer(answer, lambda: facts(f"{scenario.name} ({t('exercise')})", shown))


@exercise.command("truth")
@scenario_argument
@seed_option
@click.option("--detector", "wanted", multiple=True, help="Only this one; may be given again.")
@json_option
@speaking
def truth(scenario: Path, seed: int, wanted: tuple[str, ...], as_json: bool) -> None:
    """Run the detectors over SCENARIO and hold their findings against what happened.

    The traffic goes the whole way: bytes, decoders, tracks, detectors. Without --detector, all that the
    scenario has truth for.
    """
    out = Out(as_json)
    said = load(scenario)
    there = [id_ for id_ in discover() if id_ in said.scenario.judges]
    for id_ in wanted:
        if id_ not in there:
            raise ConfigError(
                t("this scenario has no truth for {detector}", detector=repr(id_)),
                where=str(scenario),
                do=t("use one of {names}", names=", ".join(there)),
            )
    detectors = list(wanted) or there
    with out.progress() as progress, tempfile.TemporaryDirectory(prefix="samsyn-truth-") as folder:
        task = progress.add_task(scenario.name, total=2.0, note="")
        made = make(said, seed, lambda share: progress.update(task, completed=share))
        write(made, Path(folder))
        found = watched(
            made, Path(folder), detectors, lambda share: progress.update(task, completed=1 + share)
        )
    scores = judge(made, found, detectors)
    out.answer([_told(score) for score in scores], lambda: _show(scores, made.start_s))


@exercise.command("table")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--seeds", default="1-3", show_default=True, help="Seeds that detectors were tuned on: 1-3."
)
@click.option(
    "--held-out", default="11-12", show_default=True, help="Seeds kept from tuning; '' for none."
)
@click.option("--detector", "wanted", multiple=True, help="Only this one; may be given again.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of real recordings, to list what fires on them.",
)
@click.option(
    "--page",
    "written",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the page to this file.",
)
@json_option
@speaking
def table_of_truth(
    folder: Path,
    seeds: str,
    held_out: str,
    wanted: tuple[str, ...],
    data: Path | None,
    written: Path | None,
    as_json: bool,
) -> None:
    """Measure all detectors on the scenarios of FOLDER, over several seeds, and write the page.

    FOLDER holds scenarios and notes.toml: real recordings, what explains the findings on them, and
    why an aim is not reached.
    """
    out = Out(as_json)
    notes = read_notes(folder / "notes.toml")
    scenarios = sorted(p for p in folder.glob("*.toml") if p.name not in ("notes.toml", "small.toml"))
    runs = [
        Run(path, seed, held)
        for path in scenarios
        for text, held in ((seeds, False), (held_out, True))
        for seed in _numbers(text)
    ]
    with out.progress() as progress:
        task = progress.add_task(t("truth"), total=float(len(runs)), note="")

        def tell(nth: int, share: float) -> None:
            note = f"{runs[nth].scenario.stem} {runs[nth].seed}"
            progress.update(task, completed=nth + share, note=note)

        scores = measure(runs, wanted, tell)
    if written is not None:
        written.write_text(page(runs, scores, notes, data), "utf-8")
    both = {"tuned_on": scores[False], "held_out": scores[True]}
    told = {name: [_told(s) for s in some.values()] for name, some in both.items()}

    def people() -> None:
        for held in (True, False):
            line(t("Held out") if held else t("Tuned on"), style="bold")
            _show(list(scores[held].values()), 0, listed=False)

    out.answer(told, people)


def _numbers(text: str) -> list[int]:
    """1-3 or 1,2,7. Raises `ConfigError`."""
    found: list[int] = []
    try:
        for part in filter(None, text.split(",")):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError as e:
        raise ConfigError(t("no seeds: {said}", said=repr(text)), do=t("write 1-3 or 1,2,7")) from e
    return found


def _told(score: Score) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(score)
    said["recall_95"] = wilson(score.found, score.situations)
    said["false"] = [f.key for f in score.false]
    return said


def _show(scores: list[Score], start_s: int, *, listed: bool = True) -> None:
    rows = [
        (
            s.detector,
            f"{s.found}/{s.situations}",
            f"{s.found / s.situations:.3f}" if s.situations else "",
            len(s.false),
            f"{1000 * len(s.false) / s.hours:.2f}" if s.hours else "",
            f"{sorted(s.delays_s)[len(s.delays_s) // 2] / 60:.1f}" if s.delays_s else "",
        )
        for s in scores
    ]
    heads: tuple[str, ...] = (
        t("detector"),
        t("found"),
        t("recall"),
        t("false"),
        t("false per 1,000 craft-hours"),
        t("median delay, minutes"),
    )
    table(t("Against the truth (exercise)"), heads, rows)
    if not listed:
        return
    missed = [_missed(truth, start_s) for score in scores for truth in score.missed]
    false = [_false(finding) for score in scores for finding in score.false]
    for title, lines in ((t("Missed"), missed), (t("False"), false)):
        if lines:
            heads = (t("detector"), t("craft"), t("start"), t("what"))
            more = f" ({SHOWN} / {len(lines)})" if len(lines) > SHOWN else ""
            table("\n" + title + more, heads, lines[:SHOWN])


def _missed(truth: Truth, start_s: int) -> tuple[str, ...]:
    at_us = int((start_s + truth.start_s) * SECOND_US)
    return truth.detector, ", ".join(truth.craft[:2]) or truth.zone or "", iso(at_us), truth.what


def _false(finding: Finding) -> tuple[str, ...]:
    measured = ", ".join(f"{name} {value:g}" for name, value in sorted(finding.measured.items()))
    return finding.detector, about_whom(finding), iso(finding.start_us), measured
