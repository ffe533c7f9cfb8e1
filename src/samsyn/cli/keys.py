"""samsyn keys: new keys for our own node."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from samsyn.cli.language import Group, t
from samsyn.cli.partner import by_option
from samsyn.cli.show import Out, facts, home_of, home_option, json_option, line, speaking, table
from samsyn.node.rotation import rotate


@click.group(cls=Group)
def keys() -> None:
    """Our own keys: what they signed stays valid when new ones take their place."""


@keys.command("rotate")
@home_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default=True,
    help="The folder for the files that the partners are to be sent.",
)
@by_option
@json_option
@speaking
def keys_rotate(root: Path, out: Path, by: str, as_json: bool) -> None:
    """Make new keys and a new certificate, and destroy the old private ones. Stop the node first.

    For each partner a file is written, signed by the old key and the new one: send it, and read the
    words of the new card to each other. Until a partner has taken it, the link with it is down and
    nothing is lost. Releases that still waited for a delay are not made; sign new versions of those
    statements.
    """
    made = rotate(home_of(root), by=by)
    out.mkdir(parents=True, exist_ok=True)
    files = {name: shutil.copy(path, out / path.name) for name, path in made.successions.items()}
    answer = {
        "old_words": made.old.fingerprint,
        "words": made.new.fingerprint,
        "successions": {name: str(path) for name, path in files.items()},
        "not_released": made.dropped,
    }

    def people() -> None:
        shown = {
            t("words of the old card"): made.old.fingerprint,
            t("words of the new card"): made.new.fingerprint,
            t("delayed releases that are not made"): made.dropped or None,
        }
        facts(t("New keys are in use"), shown)
        table(t("To be sent"), (t("partner"), t("file")), sorted(files.items()))
        line(t("A partner takes it with: samsyn partner succeed"))

    Out(as_json).answer(answer, people)
