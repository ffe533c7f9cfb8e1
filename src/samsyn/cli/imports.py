"""samsyn import: objects of other systems become references, told under the name of their source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from samsyn.base.errors import ConfigError
from samsyn.base.settings import FeedSettings, Realm
from samsyn.cli.language import Group, language, t
from samsyn.cli.say import told_when
from samsyn.cli.show import (
    Out,
    facts,
    home_of,
    home_option,
    json_option,
    line,
    realm_option,
    speaking,
    table,
)
from samsyn.desk.imports import ImportSource, Taken
from samsyn.feeds.objects import documents
from samsyn.feeds.report import FeedReport
from samsyn.formats.foreign import REASONS
from samsyn.node.imports import Importing, client_of
from samsyn.node.stores import Stores
from samsyn.statements.marking import MARKINGS
from samsyn.subjects.common import SUBJECTS

PROBLEMS_SHOWN = 10

F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    for option in (
        click.option("--source", required=True, help="Who gives it, as you call them: mitre"),
        click.option(
            "--marking",
            type=click.Choice(MARKINGS),
            default=MARKINGS[-1],
            show_default=True,
            help="Of objects that say nothing of their handling; "
            "what others say is kept, never loosened.",
        ),
        click.option(
            "--onward",
            type=click.Choice(("no", "ask", "circle", "free")),
            default="no",
            show_default=True,
            help="Whether who gets it may pass it on: no, after asking us, within circles, "
            "as they see fit.",
        ),
        click.option(
            "--category",
            type=click.Choice(SUBJECTS),
            default="cyber",
            show_default=True,
            help="What it is about.",
        ),
        click.option(
            "--creator",
            "creators",
            multiple=True,
            help="Take only what this one made (an id such as identity--...); "
            "may be given more than once.",
        ),
        click.option(
            "--by", default="duty officer", show_default=True, help="Who orders it; for our own record."
        ),
        home_option,
        realm_option,
        json_option,
    ):
        command = option(command)
    return command


@click.group("import", cls=Group)
def import_() -> None:
    """Take in what other systems hold: STIX bundles, MISP's JSON, TAXII collections."""


def _source(form: str, said: dict[str, Any]) -> ImportSource:
    return ImportSource(
        name=said["source"],
        format=form,  # type: ignore[arg-type]  # one of two, by the command
        marking=said["marking"],
        onward=said["onward"],
        category=said["category"],
        creators=frozenset(said["creators"]),
    )


def _files(
    kind: str, paths: tuple[Path, ...], root: Path, realm: Realm | None, as_json: bool, **said: Any
) -> None:
    out = Out(as_json)
    with Stores(home_of(root), realm) as stores:
        importing = Importing(stores, kind, _source(kind, said), by=said["by"])
        whole = True
        with out.progress() as progress:
            for path in paths:
                settings = FeedSettings(name=said["source"], kind=kind, source=f"file:{path}")
                report = FeedReport(settings.name, kind, settings.source)
                task = progress.add_task(path.name, total=None, note="")
                for data in documents(settings, report, stores.wall, threading.Event()):
                    total = max((data or b"").count(b'"id"'), 1)  # about; it is only a bar
                    progress.update(task, total=total)
                    read = importing.document(data, str(path), partial(progress.advance, task))
                    whole = whole and read and not report.refused
                progress.update(task, total=1, completed=1)
        if said["complete"] and whole:
            importing.complete()
        _tell(out, importing.taken, stores.runs(), said["source"])
    if importing.taken.refused and not importing.taken.objects:
        raise SystemExit(1)


_complete = click.option(
    "--complete",
    is_flag=True,
    help="The files are all that the source holds: what it gave before and is not in them goes.",
)
_paths = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)


@import_.command("stix")
@_paths
@_complete
@_options
@speaking
def import_stix(paths: tuple[Path, ...], **said: Any) -> None:
    """Take in STIX 2.1 bundles (gzip too) as references. The same file again changes nothing."""
    _files("stix", paths, said.pop("root"), said.pop("realm"), said.pop("as_json"), **said)


@import_.command("misp")
@_paths
@_complete
@_options
@speaking
def import_misp(paths: tuple[Path, ...], **said: Any) -> None:
    """Take in MISP's JSON (gzip too) as references. The same file again changes nothing."""
    _files("misp", paths, said.pop("root"), said.pop("realm"), said.pop("as_json"), **said)


@import_.command("taxii")
@click.argument("url")
@click.option("--user", default="", help="For Basic authentication; without, the secret is a token.")
@click.option("--secret", default="", help="A file that holds the password or token; from the home on.")
@click.option("--authority", default="", help="A file with the certificate to trust; from the home on.")
@_options
@speaking
def import_taxii(url: str, root: Path, realm: Realm | None, as_json: bool, **said: Any) -> None:
    """Take in what came to a TAXII 2.1 collection since the last time, as references.

    URL is the collection's: https://HOST/.../collections/ID/
    """
    out = Out(as_json)
    home = home_of(root)
    with Stores(home, realm) as stores:
        importing = Importing(stores, "taxii", _source("stix", said), by=said["by"])
        client = client_of(home, url, said["user"], said["secret"], said["authority"])
        with out.progress() as progress:
            task = progress.add_task(said["source"], total=None, note="")
            good = importing.collection(client, partial(progress.advance, task))
        client.close()
        _tell(out, importing.taken, stores.runs(), said["source"])
    if not good:
        raise ConfigError(t("the collection was not read to its end"), where=url)


def _tell(out: Out, taken: Taken, runs: bool, source: str) -> None:
    answer = {
        "source": source,
        "objects": dict(taken.objects),
        "refused": dict(taken.refused),
        "statements": taken.statements,
        "withdrawn": taken.withdrawn,
        "problems": [problem._asdict() for problem in taken.problems],
        "node_runs": runs,
    }
    out.answer(answer, lambda: _show(taken, runs, source))


def _show(taken: Taken, runs: bool, source: str) -> None:
    count = taken.objects
    told = {
        t("new objects"): count["new"],
        t("changed objects"): count["changed"],
        t("objects that are gone"): count["gone"],
        t("as they were"): count["same"],
        t("older than what is held"): count["older"],
        t("statements signed"): taken.statements,
        t("statements withdrawn"): taken.withdrawn,
    }
    facts(source, {name: value or None for name, value in told.items()})
    if taken.refused:
        rows = [(r, REASONS[r][language()], n) for r, n in sorted(taken.refused.items())]
        table("\n" + t("Refused"), (t("reason"), t("what it means"), t("count")), rows)
    for problem in taken.problems[:PROBLEMS_SHOWN]:
        what = REASONS[problem.reason][language()]
        line(f"  {problem.what}: {what}" + (f": {problem.detail}" if problem.detail else ""))
    if taken.statements or taken.withdrawn:
        told_when(runs)
