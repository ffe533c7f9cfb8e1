"""What is made of other statements names them all, and is handled no more freely than the strictest."""

from __future__ import annotations

from collections.abc import Collection

from samsyn.base import limits
from samsyn.base.errors import InputError
from samsyn.policy.rules import ONWARD_RANK
from samsyn.statements.marking import rank, strictest
from samsyn.statements.refs import Ref, read_ref, refs_of
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.store import StatementStore


def check_refs(draft: Draft, statements: StatementStore) -> None:
    """Raises `InputError` where a draft's sources are not held, or it would be freer than they are."""
    sources = [_held(text, statements) for text in draft.slots.get("refs", ())]
    if not sources:
        return
    named = {Ref(s.iss, s.jti, s.ver) for s in sources}
    missing = sorted({str(ref) for s in sources for ref in refs_of(s.slots)} - set(map(str, named)))
    if missing:
        raise InputError(
            "what a source was made of is named too",
            where="refs",
            do=f"add {', '.join(missing)}",
        )
    marking = strictest(s.marking for s in sources)
    if rank(draft.marking) < rank(marking):
        raise InputError(
            f"a source is marked {marking}, and this would be {draft.marking}",
            where="marking",
            do=f"use {marking} or a stricter one",
        )
    onward = min((s.onward for s in sources), key=ONWARD_RANK.__getitem__)
    if ONWARD_RANK[draft.onward] > ONWARD_RANK[onward]:
        raise InputError(
            f"a source may go on as {onward!r}, and this would as {draft.onward!r}",
            where="onward",
            do=f"use {onward!r} or a stricter one",
        )
    if any(s.exercise != draft.exercise for s in sources):
        raise InputError("a source is of the other realm", where="refs")


def with_sources(jtis: Collection[str], statements: StatementStore) -> list[str]:
    """The references to these statements as they stand, and to all that they name themselves.

    Raises `InputError` for one that is not held.
    """
    found: dict[str, None] = {}
    for jti in jtis:
        stored = statements.get(jti)
        statement = stored.statement if stored else None
        if stored is None or statement is None or stored.state == "withdrawn":
            raise InputError(f"we hold no statement {jti} that stands", where="refs")
        found[str(Ref(stored.iss, stored.jti, stored.ver))] = None
        found.update(dict.fromkeys(map(str, refs_of(statement.slots))))
    return list(found)[: limits.SOURCES]


def _held(text: str, statements: StatementStore) -> Statement:
    ref = read_ref(text)
    if ref is None:
        raise InputError(
            f"{text!r} is no reference", where="refs", do="write originator/id/version: se/0b9f.../1"
        )
    stored = statements.get(ref.jti, ref.ver)
    statement = stored.statement if stored else None
    if stored is None or statement is None or stored.iss != ref.originator:
        raise InputError(f"we do not hold {ref}", where="refs", do="see: samsyn statements")
    if stored.state == "withdrawn":
        raise InputError(f"{ref} was withdrawn", where="refs", do="make it of what stands")
    return statement
