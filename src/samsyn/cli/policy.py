"""samsyn policy: what a change of rules would do, and the two persons who put it in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from samsyn.base.clock import iso
from samsyn.base.errors import InputError
from samsyn.base.settings import Realm
from samsyn.channels.door import Door
from samsyn.cli.language import Group, language, t
from samsyn.cli.persons import by_option, person
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
    word,
)
from samsyn.desk.policies import FOUNDING, KeptPolicy, digest
from samsyn.desk.review import COUNTS, Review, read_span
from samsyn.node.stores import Stores
from samsyn.policy import read_text
from samsyn.policy.sense import remarks

SHOWN = 20  # statements listed one by one; with --json all are told
HASH_MIN = 12

policy_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group(cls=Group)
def policy() -> None:
    """Release policies: check, preview, propose, approve.

    The file is a working copy. What is in force stands in the home's ledger, and another policy takes
    its place when one release officer has proposed it and another has approved it.
    """


@policy.command("check")
@home_option
@realm_option
@policy_file
@json_option
@speaking
def policy_check(root: Path, realm: Realm | None, file: Path, as_json: bool) -> None:
    """Whether a file is a policy. An error names file, line and rule; nothing is changed."""
    with Stores(home_of(root), realm) as stores:
        text = read_text(file)
        found = stores.parse(text, file.name)
        now = stores.policies.in_force()
        warnings = remarks((*found.rules, *found.track_rules), stores.clock.now_us())
    told = {
        "sha256": digest(text),
        "warnings": [msgspec.to_builtins(w) for w in warnings],
        "rules": len({r.id for r in (*found.rules, *found.track_rules)}),
        "partners": list(found.partners),
        "in_force": now is not None and now.text == text,
    }

    def people() -> None:
        line(t("{file} is a policy of {rules} rules.", file=file, rules=told["rules"]))
        for warning in dict.fromkeys(warnings):
            where = f"{file.name}:{warning.line} {warning.rule}"
            line(f"  {where}: {getattr(warning, language())}", style="yellow")

    Out(as_json).answer(told, people)


@policy.command("show")
@home_option
@realm_option
@click.option("--text", "whole", is_flag=True, help="Its text as well.")
@json_option
@speaking
def policy_show(root: Path, realm: Realm | None, whole: bool, as_json: bool) -> None:
    """What is in force, who put it there, and whether the file says something else."""
    with Stores(home_of(root), realm) as stores:
        now = stores.policies.in_force()
        differs = stores.file_differs()
        waiting = [p.id for p in stores.policies.all() if p.state == "proposed"]
        file = stores.home.policy
    told: dict[str, Any] = {
        "in_force": _row(now) if now else None,
        "file_differs": differs,
        "proposed": waiting,
    }
    if whole and now:
        told["text"] = now.text

    def people() -> None:
        if now is None:
            line(t("No policy was ever in force here: the first samsyn up takes {file}.", file=file))
        else:
            facts(t("Policy in force"), _shown(now))
        if differs:
            tell_differing(file)
        if whole and now:
            line("\n" + now.text)

    Out(as_json).answer(told, people)


def tell_differing(file: Path) -> None:
    """That the working copy is not what is in force, and what to do about it."""
    line(t("{file} differs from what is in force, and changes nothing.", file=file), style="bold")
    line("  " + t("To put it in force: samsyn policy preview, propose, and approve by another person."))


@policy.command("preview")
@home_option
@realm_option
@policy_file
@click.option("--since", default="", help="Only statements of this span: 90d, 12h; all where not given.")
@json_option
@speaking
def policy_preview(root: Path, realm: Realm | None, file: Path, since: str, as_json: bool) -> None:
    """What a file would change if it were in force, by partner, with examples. Nothing is changed."""
    out = Out(as_json)
    with Stores(home_of(root), realm) as stores:
        review = synced(stores, out)
        told = review.preview(read_text(file), file.name, since_us=_since(stores, since))
    out.answer(told, lambda: show_preview(told))


@policy.command("propose")
@home_option
@realm_option
@policy_file
@by_option
@json_option
@speaking
def policy_propose(
    root: Path, realm: Realm | None, file: Path, user: str, password_file: Path | None, as_json: bool
) -> None:
    """Keep a policy for another release officer to decide on. Nothing changes by it."""
    out = Out(as_json)
    with Stores(home_of(root), realm) as stores:
        by = person(stores, user, password_file, "policy")
        kept = synced(stores, out).propose(read_text(file), by=by)

    def people() -> None:
        line(t("Proposed as policy {id}, SHA-256 {sha256}.", id=kept.id, sha256=kept.sha256))
        line(t("Another person decides: samsyn policy approve {id} --by ...", id=kept.id))

    out.answer(_row(kept), people)


@policy.command("list")
@home_option
@realm_option
@json_option
@speaking
def policy_list(root: Path, realm: Realm | None, as_json: bool) -> None:
    """Every policy that was ever proposed, newest first."""
    with Stores(home_of(root), realm) as stores:
        kept = stores.policies.all()
    columns = (
        t("number"),
        t("state"),
        t("proposed by"),
        t("at"),
        t("decided by"),
        t("SHA-256"),
        t("why"),
    )
    rows = [
        (
            p.id,
            word(p.state),
            _name(p.proposed_by),
            _at(p.proposed_us),
            p.decided_by,
            _short(p),
            p.why,
        )
        for p in kept
    ]
    Out(as_json).answer([_row(p) for p in kept], lambda: table(t("Policies"), columns, rows))


@policy.command("approve")
@home_option
@realm_option
@click.argument("number", type=int)
@by_option
@click.option(
    "--sha256",
    "seen",
    default="",
    help="Of the text that you have looked at, its first 12 signs at least; asked for where not given.",
)
@click.option(
    "--catch-up",
    default="",
    help="Also release what was said in this span (90d, 12h) and may be given now.",
)
@json_option
@speaking
def policy_approve(
    root: Path,
    realm: Realm | None,
    number: int,
    user: str,
    password_file: Path | None,
    seen: str,
    catch_up: str,
    as_json: bool,
) -> None:
    """Put a proposal in force: another person than the one who proposed it.

    Its preview is made anew, as of now, and kept with the decision in the audit log. That one person
    does not have two accounts is for the organisation to see to: a program cannot know.
    """
    out = Out(as_json)
    with Stores(home_of(root), realm) as stores:
        by = person(stores, user, password_file, "policy")
        review, kept = synced(stores, out), stores.policies.get(number)
        if not seen:
            seen = _ask(review, kept, as_json)
        if len(seen) >= HASH_MIN and kept.sha256.startswith(seen.lower()):
            seen = kept.sha256
        told = review.approve(number, by=by, seen=seen, catch_up_us=_since(stores, catch_up))

    def people() -> None:
        line(t("Policy {id} is in force.", id=number), style="bold")
        if told["caught_up"]:
            line(t("{count} releases of what was said before are queued.", count=told["caught_up"]))
        _tell_given(told["given"], number)

    out.answer(told, people)


def _ask(review: Review, kept: KeptPolicy, as_json: bool) -> str:
    """Show what is to be approved; returns its hash where the person says yes."""
    if as_json:
        raise InputError(
            t("the hash of what is approved is missing"), do=t("give --sha256, as policy list shows it")
        )
    show_preview(review.preview_kept(kept.id))
    click.confirm(
        t("Put policy {id}, SHA-256 {sha256}, in force?", id=kept.id, sha256=kept.sha256), abort=True
    )
    return kept.sha256


@policy.command("reject")
@home_option
@realm_option
@click.argument("number", type=int)
@by_option
@click.option("--why", required=True, help="For our own record.")
@json_option
@speaking
def policy_reject(
    root: Path,
    realm: Realm | None,
    number: int,
    user: str,
    password_file: Path | None,
    why: str,
    as_json: bool,
) -> None:
    """Turn a proposal down, for good; one's own as well."""
    with Stores(home_of(root), realm) as stores:
        by = person(stores, user, password_file, "policy")
        stores.review(stores.door()).reject(number, by=by, why=why)
    told = {"id": number, "state": "rejected"}
    Out(as_json).answer(told, lambda: line(t("Policy {id} is rejected.", id=number)))


@policy.command("withdrawals")
@home_option
@realm_option
@click.argument("number", type=int)
@click.option("--queue", is_flag=True, help="Queue them, with purge; the policy must be in force.")
@click.option("--by", "user", default="", help="With --queue: your account; its password is asked for.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Read the password from its first line (-: standard input); else it is asked for.",
)
@json_option
@speaking
def policy_withdrawals(
    root: Path,
    realm: Realm | None,
    number: int,
    queue: bool,
    user: str,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """What partners hold and this policy would not have given them: it stays theirs until withdrawn.

    With --queue it is withdrawn, from exactly those partners. Who is withdrawn from gets nothing of
    that statement again, coarser or not.
    """
    out = Out(as_json)
    with Stores(home_of(root), realm) as stores:
        review = synced(stores, out)
        found = review.beyond(number)
        queued = 0
        if queue:
            by = person(stores, user, password_file, "withdraw")
            queued = review.withdraw_beyond(number, by=by)
    rows = [
        {"partner": b.reader, "id": b.id, "ver": b.ver, "title": b.title, "slots": list(b.slots)}
        for b in found
    ]
    answer = {"beyond": rows, "queued": queued}

    def people() -> None:
        _tell_given([{**row, "reader": row["partner"], "whole": True} for row in rows], None)
        if not rows:
            line(t("Nobody holds more than this policy would give."))
        if queue:
            line(t("{count} withdrawals are queued.", count=queued))

    out.answer(answer, people)


# what the commands share


def synced(stores: Stores, out: Out) -> Review:
    """The means to decide, with its copy of the facts up to date; a bar where that takes a while."""
    history = stores.history
    with out.progress() as bar:
        task = bar.add_task(t("reading statements"), total=history.behind(), note="")
        history.sync(lambda read: bar.advance(task, read))
    door: Door = stores.door()
    return stores.review(door)


def _since(stores: Stores, span: str) -> int | None:
    return stores.clock.now_us() - read_span(span) if span else None


def show_preview(told: dict[str, Any]) -> None:
    """A preview for people: figures by partner, examples to open, and what stays with partners."""
    if told["diff"]:
        for row in told["diff"]:
            line(row, style="green" if row.startswith("+") else "red" if row.startswith("-") else "")
        line("")
    columns = (
        t("partner"),
        t("newly released"),
        t("widened"),
        t("narrowed"),
        t("withheld"),
        t("sooner"),
        t("later"),
        t("unchanged"),
        t("never released"),
    )
    rows = [(c["partner"], *(c[name] for name in COUNTS)) for c in told["changes"]]
    table(t("What it would change, of {count} statements", count=told["statements"]), columns, rows)
    labels = dict(zip(COUNTS, columns[1:], strict=True))
    examples = [
        (e["jti"], c["partner"], labels[name], e["title"], e["old_rule"] or "-", e["new_rule"] or "-")
        for c in told["changes"]
        for name, found in c["examples"].items()
        for e in found
    ]
    if examples:
        heads = (t("statement"), t("partner"), t("change"), t("title"), t("rule now"), t("rule then"))
        table("\n" + t("Examples (open one: samsyn explain STATEMENT PARTNER)"), heads, examples)
    if told["tracks_change"]:
        line(t("Rules on live tracks change too: there is no history of those to hold them against."))
    _tell_given(told["given"], None)


def _tell_given(given: list[dict[str, Any]], number: int | None) -> None:
    if not given:
        return
    title = t("Given already, and no rule would give it: {count}. It stays theirs.", count=len(given))
    columns = (t("statement"), t("partner"), t("title"), t("slots"))
    rows = [(g["id"], g["reader"], g["title"], ", ".join(g["slots"])) for g in given[:SHOWN]]
    table("\n" + title, columns, rows)
    if number is not None:
        line(t("To withdraw it: samsyn policy withdrawals {id} --queue --by ...", id=number))


def _row(kept: KeptPolicy) -> dict[str, Any]:
    return {
        "id": kept.id,
        "state": kept.state,
        "sha256": kept.sha256,
        "proposed_by": kept.proposed_by,
        "proposed": iso(kept.proposed_us),
        "decided_by": kept.decided_by,
        "decided": iso(kept.decided_us) if kept.decided_us is not None else None,
        "why": kept.why,
        "preview": kept.preview,
    }


def _shown(kept: KeptPolicy) -> dict[str, Any]:
    return {
        t("number"): kept.id,
        t("SHA-256"): kept.sha256,
        t("proposed by"): _name(kept.proposed_by),
        t("approved by"): kept.decided_by,
        t("since"): _at(kept.decided_us if kept.decided_us is not None else kept.proposed_us),
    }


def _short(kept: KeptPolicy) -> str:
    return kept.sha256[:HASH_MIN]


def _name(by: str) -> str:
    return t("the file, at the first start") if by == FOUNDING else by


def _at(at_us: int) -> str:
    return iso(at_us // 1_000_000 * 1_000_000)
