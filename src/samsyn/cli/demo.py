"""samsyn demo."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import click

from samsyn.base.errors import ConfigError
from samsyn.cli.language import t, told
from samsyn.cli.show import Out, aside, facts, json_option, line, speaking, table
from samsyn.demo.checks import Check
from samsyn.demo.play import Play

DATA = Path("../shared/data")


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Folder of real recordings; {DATA} where that is present. --data '' for none.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=60),
    envvar="DEMO_SECONDS",
    help="Stop by itself after about this long, check what was shown, and exit 0 only if it held.",
)
@click.option("--port", default=8440, show_default=True, help="First port to try, on loopback.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the three homes in this new folder.")
@json_option
@speaking
def demo(data: Path | None, seconds: float | None, port: int, keep: Path | None, as_json: bool) -> None:
    """Three nodes on this machine: they watch, sign, release and show, in the exercise realm.

    With real recordings where there are any, and simulated traffic in any case. Open the addresses
    that it prints. Nothing of it is kept unless you say --keep.
    """
    if data is None and DATA.is_dir():
        data = DATA
    if data is not None and str(data) in ("", "."):
        data = None
    if data is not None and not (data / "sea").is_dir():
        raise ConfigError(
            t("there are no recordings in {folder}", folder=data),
            do=t("name another folder, or leave it out"),
        )
    if keep is not None and keep.exists():
        raise ConfigError(t("{folder} exists already", folder=keep), do=t("name a new folder"))
    with tempfile.TemporaryDirectory(prefix="samsyn-demo-") as made:
        root = keep or Path(made)
        root.mkdir(parents=True, exist_ok=True)
        say = (lambda text: None) if as_json else (lambda text: line(told(text), to=aside))
        play = Play(root, data=data, port=port, seconds=seconds, say=say)
        try:
            play.up()
            if not as_json:
                shown = {n: p.url for n, p in play.places.items()} | {
                    t("user"): play.user,
                    t("password"): play.password,
                    t("recordings"): str(data or t("those that come with Samsyn")),
                }
                facts(t("The demo (EXERCISE)"), shown)
            if seconds is None:
                _wait(play)
                return
            results = play.run()
        finally:
            play.down()
    _summary(results, as_json)


def _wait(play: Play) -> None:
    """Until Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: play.stop.set())
    line(t("Sign in to each, and watch. Stop with Ctrl-C."))
    play.stop.wait()


def _summary(results: list[Check], as_json: bool) -> None:
    rows = [(t("held") if r.held else t("NOT HELD"), told(r.claim), told(r.shown)) for r in results]
    Out(as_json).answer(
        [r._asdict() for r in results],
        lambda: table("\n" + t("What was shown"), ("", t("claim"), t("shown")), rows),
    )
    if not all(r.held for r in results):
        raise SystemExit(1)
