"""samsyn init, up, verify, user: a home folder and the node that runs on it."""

from __future__ import annotations

import logging
import resource
import secrets
import signal
import threading
from pathlib import Path

import click
import msgspec
import orjson
from rich.logging import RichHandler

from samsyn.base.errors import ConfigError
from samsyn.base.memory import collect_seldom
from samsyn.base.settings import Home, Realm
from samsyn.cli.evidence import judge_file
from samsyn.cli.language import Group, t, told
from samsyn.cli.policy import tell_differing
from samsyn.cli.show import (
    Out,
    aside,
    facts,
    home_of,
    home_option,
    json_option,
    line,
    realm_option,
    speaking,
    table,
    word,
    yes_no,
)
from samsyn.desk.accounts import add_account
from samsyn.desk.rights import CLEARANCE, ROLES, Role
from samsyn.node.audit import audit
from samsyn.node.homes import make_home
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.statements.marking import MARKINGS

known_file = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@home_option
@click.option("--name", required=True, help="Short name in lower case, as partners will know you: dk")
@click.option("--organisation", required=True, help='In full: "Coast Watch"')
@click.option(
    "--realm",
    type=click.Choice(["actual", "exercise"]),
    default="actual",
    show_default=True,
    help="Which realm the node runs in where nothing else is said.",
)
@click.option("--home-listen", default="127.0.0.1:8440", show_default=True, help="The picture.")
@click.option("--exchange-listen", default="127.0.0.1:8441", show_default=True, help="Partners, HTTPS.")
@click.option("--user", default="duty", show_default=True, help="A first account.")
@json_option
@speaking
def init(
    root: Path,
    name: str,
    organisation: str,
    realm: Realm,
    home_listen: str,
    exchange_listen: str,
    user: str,
    as_json: bool,
) -> None:
    """Make a home folder: settings, keys, a policy that releases nothing.

    The first account is a release officer's, cleared for everything; its password is made up and
    shown once. More accounts: samsyn user add.
    """
    _check_user(user)
    home = make_home(
        root,
        name=name,
        organisation=organisation,
        realm=realm,
        home_listen=home_listen,
        exchange_listen=exchange_listen,
    )
    password = secrets.token_urlsafe(12)
    # whoever makes a node must be able to try all of it: sign, release, withdraw, see the figures
    add_account(home.accounts, user, user, "release", password, MARKINGS[-1])
    made = {"home": str(root), "node": name, "realm": realm, "user": user, "password": password}

    def people() -> None:
        shown = {
            t("home"): root,
            t("node"): name,
            t("realm"): word(realm),
            t("user"): user,
            t("password"): password,
        }
        facts(t("A home for {organisation}", organisation=organisation), shown)
        line("\n" + t("The password is shown this once. Next:"))
        line("  " + t("edit {file}: your feeds and standing orders", file=home.config))
        line("  " + t("edit {file}: who may have what; now nobody, nothing", file=home.policy))
        line(f"  samsyn up --home {root}")

    Out(as_json).answer(made, people)


@click.command()
@home_option
@realm_option
@click.option("--no-picture", is_flag=True, help="Serve partners only.")
@json_option
@speaking
def up(root: Path, realm: Realm | None, no_picture: bool, as_json: bool) -> None:
    """Run the node until Ctrl-C (or SIGTERM).

    With --json one line is written when the node is ready: its addresses.
    """
    handler = logging.StreamHandler() if as_json else RichHandler(console=aside, show_path=False)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(message)s")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # connections are files
    home = home_of(root)
    node = Node(Stores(home, realm), picture=not no_picture)
    node.start()
    collect_seldom()
    differs = node.stores.file_differs()
    ready = {
        **node.desk.health(),
        **node.addresses(),
        "policy_problem": node.policy_problem,
        "policy_file_differs": differs,
    }
    if as_json:
        click.echo(orjson.dumps(ready))
    else:
        shown = {
            t("node"): ready["node"],
            t("realm"): word(ready["realm"]),
            t("picture"): ready.get("picture"),  # it may be told not to serve one
            t("for partners"): ready["exchange"],
            t("for readers without a node"): ready.get("readers"),
            t("policy in force"): yes_no(not ready["policy_problem"]),
            t("what is wrong with it"): told(ready["policy_problem"] or ""),
        }
        facts(t("Samsyn is up"), shown)
        if differs:
            tell_differing(home.policy)
        line(t("Stop it with Ctrl-C."))
    stopped.wait()
    node.stop()


@click.command()
@home_option
@click.option("--log-head", type=known_file, help="A head of the audit log that was kept elsewhere.")
@click.option("--evidence", type=known_file, help="Judge this evidence instead; no home is needed.")
@click.option(
    "--card",
    "cards",
    type=known_file,
    multiple=True,
    help="With --evidence: the card of whom it is about, and of others who have signed in it.",
)
@json_option
@speaking
def verify(
    root: Path, log_head: Path | None, evidence: Path | None, cards: tuple[Path, ...], as_json: bool
) -> None:
    """Audit every log and every statement of a home, in both realms. Exit code 1 where one is wrong.

    Trees and checkpoints are computed anew, every signature is checked, and each entry is held
    against the statement that it tells of, the account of what was given, and the audit log. It may
    be run while the node runs.
    """
    if evidence is not None:
        if not judge_file(root, evidence, cards, as_json):
            raise SystemExit(1)
        return
    found = audit(home_of(root), log_head.read_bytes() if log_head else None)

    def people() -> None:
        results = (t("clean"), t("WRONG"))
        rows = [(word(r.realm), told(r.what), r.checked, results[bool(r.problems)]) for r in found]
        columns = (t("realm"), t("what"), t("checked"), t("result"))
        if not found:
            line(t("Nothing was ever said or received here: there is nothing to audit."))
            return
        table(t("Audit of {home}", home=root), columns, rows)
        for part in found:
            for problem in part.problems:
                where = f"{word(part.realm)}: {told(part.what)}"
                line(f"{where}: {told(problem)}", style="bold red", to=aside)

    clean = not any(r.problems for r in found)
    Out(as_json).answer({"clean": clean, "parts": msgspec.to_builtins(found)}, people)
    if not clean:
        raise SystemExit(1)


@click.group(cls=Group)
def user() -> None:
    """Accounts of the picture."""


@user.command("add")
@home_option
@click.argument("name")
@click.option("--full-name", default="", help="As shown in the picture.")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="duty",
    show_default=True,
    help="What the account is for; a viewer may say nothing.",
)
@click.option(
    "--clearance",
    type=click.Choice(MARKINGS),
    default=CLEARANCE,
    show_default=True,
    help="The strictest marking that the person may see.",
)
@click.option("--password", default=None, help="Asked for where not given.")
@click.option("--provider", is_flag=True, help="No password: signs in by the identity provider only.")
@json_option
@speaking
def user_add(
    root: Path,
    name: str,
    full_name: str,
    role: Role,
    clearance: str,
    password: str | None,
    provider: bool,
    as_json: bool,
) -> None:
    """Add an account; it may sign in at once."""
    home: Home = home_of(root)
    _check_user(name)
    if not provider and password is None:
        password = click.prompt(t("Password"), hide_input=True, confirmation_prompt=True)
    secret = None if provider else password
    add_account(home.accounts, name, full_name or name, role, secret, clearance)
    with Stores(home) as stores:  # whoever may write this folder may add accounts: let it be seen
        stores.diary.write("samsyn user add", "account-added", user=name, role=role, clearance=clearance)
    made = {"user": name, "role": role, "clearance": clearance}
    Out(as_json).answer(made, lambda: line(t("{name} may sign in.", name=name)))


def _check_user(name: str) -> None:
    if not name.isidentifier():
        raise ConfigError(
            t("{name} is no user name", name=repr(name)), do=t("use letters, digits and _")
        )
