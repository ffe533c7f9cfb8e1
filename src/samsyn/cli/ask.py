"""samsyn request, consent, notices: may it go on, and what a person should see to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from samsyn.base.settings import Realm
from samsyn.cli.language import language, t
from samsyn.cli.say import told_when
from samsyn.cli.show import Out, home_of, home_option, json_option, line, realm_option, speaking, table
from samsyn.desk.asking import PLACES, TIMES, ConsentForm, RequestForm
from samsyn.node.stores import Stores
from samsyn.statements.statement import Statement


@click.command()
@home_option
@realm_option
@click.argument("statement")
@click.option("--for", "readers", multiple=True, help="A partner; may be given more than once.")
@click.option("--place", type=click.Choice(PLACES[1:]), help="The finest place that may go on.")
@click.option("--time", type=click.Choice(TIMES[1:]), help="The finest time that may go on.")
@click.option("--information", is_flag=True, help="Ask to be told more, not to pass it on.")
@click.option("--reply-by", default="", help="2026-11-30T12:00:00Z: by when an answer is needed.")
@click.option("--why", default="", help="What it is needed for.")
@click.option("--by", default="duty officer", show_default=True, help="Person or unit; the slot author.")
@json_option
@speaking
def request(
    root: Path,
    realm: Realm | None,
    statement: str,
    readers: tuple[str, ...],
    information: bool,
    by: str,
    as_json: bool,
    **more: Any,
) -> None:
    """Ask the originator of STATEMENT whether it may go on.

    The request goes to the originator alone.
    """
    form = RequestForm.read(
        {
            "about": statement,
            "readers": list(readers),
            "asks": "information" if information else "consent",
            **{name: value or "" for name, value in more.items()},
        }
    )
    with Stores(home_of(root), realm) as stores:
        made = stores.asking.request(form, by=by)
        _answer(made, stores.runs(), as_json)


@click.command()
@home_option
@realm_option
@click.argument("request")
@click.option("--give/--refuse", "given", required=True, default=None, help="The answer.")
@click.option(
    "--for", "readers", multiple=True, help="A partner; those that were asked for where not given."
)
@click.option("--place", type=click.Choice(PLACES[1:]), help="The finest place that may go on.")
@click.option("--time", type=click.Choice(TIMES[1:]), help="The finest time that may go on.")
@click.option("--until", default="", help="2026-11-30: then nothing new goes on; what has gone, stays.")
@click.option("--why", default="", help="What the asker is told.")
@click.option(
    "--by", default="release officer", show_default=True, help="Person or unit; the slot author."
)
@json_option
@speaking
def consent(
    root: Path, realm: Realm | None, readers: tuple[str, ...], by: str, as_json: bool, **more: Any
) -> None:
    """Answer REQUEST: whether our statement may go on, to whom and how precisely.

    What the options leave out is as it was asked for. Withdraw the consent to take it back: then what
    was passed on by it is withdrawn as well.
    """
    form = ConsentForm.read({**more, "readers": list(readers)})
    with Stores(home_of(root), realm) as stores:
        made = stores.asking.answer(form, by=by)
        _answer(made, stores.runs(), as_json)


def _answer(made: Statement, runs: bool, as_json: bool) -> None:
    told = {"id": made.jti, "ver": made.ver, "kind": made.kind, "to": made.slots["body.to"]}

    def people() -> None:
        line(t("Signed: {id}", id=made.jti))
        told_when(runs)

    Out(as_json).answer({**told, "node_runs": runs}, people)


@click.command()
@home_option
@realm_option
@json_option
@speaking
def notices(root: Path, realm: Realm | None, as_json: bool) -> None:
    """What a person should see to: what lost its source, and what was set aside."""
    with Stores(home_of(root), realm) as stores:
        found = stores.notices()
    columns = (t("about"), t("why"))
    rows = [(n["about"], n[language()]) for n in found]
    Out(as_json).answer(found, lambda: table(t("To be seen to"), columns, rows))
