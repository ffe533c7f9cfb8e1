"""The audit log for one person at the picture: its entries, what a partner was given, the proof's state.

Who is cleared for every marking reads all of it. For everybody else what was done to a statement above
the clearance is not there: no entry, no figure that counts it, no gap in the places; and an entry
of a sort that is not named here is not shown either.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec

from samsyn.base.clock import iso, parse_iso
from samsyn.base.errors import InputError, LimitError
from samsyn.base.limits import (
    AUDIT_EXPORT,
    AUDIT_LOOKED,
    AUDIT_NAMED,
    AUDIT_PAGE,
    RELEASED_ENTRIES,
)
from samsyn.channels.leaf import Leaf
from samsyn.desk.accounts import Account
from samsyn.desk.desk import Desk
from samsyn.desk.diary import RELEASED, Noted
from samsyn.desk.exporting import Exported, Form, exported
from samsyn.desk.released import plain, summed
from samsyn.desk.rights import cleared
from samsyn.desk.verified import Outcome
from samsyn.statements.marking import MARKINGS, strictest
from samsyn.statements.store import Stored

# done to one statement, named by its id
ONE: Final = frozenset({"sign", "withdraw", "acknowledge", "take", "let-go", "due"})
# what else there is, and what of it counts or names no statement
OPEN: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "refuse": "partner what reason count",
        "policy-founded": "policy sha256",
        "policy-proposed": "policy sha256",
        "policy-approved": "policy sha256 proposed_by instead_of",
        "policy-rejected": "policy sha256 why",
        "policy-caught-up": "policy",
        "partner-add": "partner words",
        "partner-succeed": "partner old new",
        "partner-suspend": "partner why",
        "partner-resume": "partner decided",
        "partner-withdraw": "partner why",
        "partner-leave": "partner why withdrawn theirs",
        "reader-add": "reader organisation",
        "reader-certificate": "reader",
        "reader-revoke": "reader why",
        "keys-rotate": "old new",
        "sign-in": "",
        "sign-out": "",
        "sign-in-failed": "unwritten_before",
        "account-added": "name role clearance",
        "verify": "",
        "export-audit": "file",
        "zones-changed": "added changed removed before after",
    }.items()
}
TIME_US_MAX: Final = 2**53 - 1  # the largest time that the page can write
TimeUs = Annotated[int, msgspec.Meta(ge=0, le=TIME_US_MAX)]
IMPORT: Final = "import"
_COUNTED: Final = "bodies"  # parts of a check that are there only where something is counted


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries. did: one sort, or with a `*` at its end all that begin so. by: part of a name.
    partner: a partner or reader that the entry is about. Times in microseconds UTC, the end not
    in it. before: a place; the entries before it."""

    did: str = ""
    by: str = ""
    partner: str = ""
    since_us: int | None = None
    until_us: int | None = None
    before: str = ""

    def may_take(self, noted: Noted) -> bool:
        """By what is in the entry itself, the partner left aside."""
        did = self.did
        if did and not (noted.did.startswith(did[:-1]) if did.endswith("*") else noted.did == did):
            return False
        if self.by.casefold() not in noted.by.casefold():
            return False
        if self.since_us is None and self.until_us is None:
            return True
        at_us = parse_iso(noted.at)
        early = self.since_us is not None and at_us < self.since_us
        return not early and (self.until_us is None or at_us < self.until_us)


class ExportForm(msgspec.Struct, frozen=True, kw_only=True):
    """What of the log to take along: what fits the filter, or, with `to`, what that partner was given
    between since_us and until_us (microseconds UTC)."""

    form: Form = "jsonl"
    did: str = ""
    by: str = ""
    partner: str = ""
    since_us: TimeUs | None = None
    until_us: TimeUs | None = None
    to: str = ""

    @classmethod
    def read(cls, body: Any) -> ExportForm:
        """Raises `InputError`."""
        try:
            return msgspec.convert(body, cls)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="export") from e

    def filter(self) -> AuditFilter:
        return AuditFilter(
            did=self.did,
            by=self.by,
            partner=self.partner,
            since_us=self.since_us,
            until_us=self.until_us,
        )


class Auditing:
    """Made by a seat, for a role that may. visible: the latest version of a statement, where this
    person may know of it."""

    def __init__(self, desk: Desk, account: Account, visible: Callable[[str], Stored | None]) -> None:
        account.require("audit")
        self._desk = desk
        self._account = account
        self._sees_all = account.clearance == MARKINGS[-1]
        self._visible = functools.cache(visible)

    def page(self, asked: AuditFilter, limit: int = AUDIT_PAGE) -> dict[str, Any]:
        """Entries that fit, the newest first.

        more: the place from which it goes on, None at the log's beginning. head: how many entries
        the log has and their root, for who sees all of them. marking: the strictest of what is named.
        Raises `InputError`.
        """
        entries: list[dict[str, Any]] = []
        more, looked = None, 0
        diary = self._desk.diary
        for noted in diary.newest(diary.number(asked.before) if asked.before else None):
            takes = asked.may_take(noted)
            # who sees all need not be told what does not fit
            told = self._told(noted) if takes or not self._sees_all else {}
            if told is None:
                continue
            looked += 1
            if takes and _is_about(told, asked.partner):
                entries.append(told)
            if len(entries) == limit or looked == AUDIT_LOOKED:
                more = diary.place(noted.number)
                break
        size, root = diary.head()
        head = {"size": size, "root": root} if self._sees_all else None
        return {"entries": entries, "more": more, "head": head, "marking": self._marking(entries)}

    def released(self, to: str, from_us: int, until_us: int) -> dict[str, Any]:
        """What a partner was given between two times: the answer of `samsyn released`, of what this
        person may know. entry: its place in the channel, None for who does not see all of them.

        Raises `InputError`, and `LimitError` where that is too much to show.
        """
        releases = self._desk.releases
        if to not in self._desk.partners().organisations and not releases.has(to):
            raise InputError(f"{to!r} is no partner of ours", do="see: samsyn partner list")
        answer = releases.answer(to, from_us, until_us)
        if not self._sees_all:
            answer = summed(to, [entry for entry in answer.entries if self._visible(entry.id)])
        if len(answer.entries) > RELEASED_ENTRIES:
            raise LimitError(
                f"more than {RELEASED_ENTRIES} entries", do="ask for a shorter time, or: samsyn released"
            )
        told = plain(answer, (iso(from_us), iso(until_us)))
        if not self._sees_all:
            told["entries"] = [{**entry, "entry": None} for entry in told["entries"]]
        markings = [e["marking"] for e in told["entries"] if e["marking"] in MARKINGS]
        return {**told, "marking": strictest([self._desk.settings.node.default_marking, *markings])}

    # the proof

    def proof(self) -> dict[str, Any]:
        """The outcome of the last check, and whether the log still begins with what it was then.

        Figures, and what exactly is wrong, only for who sees all: they count statements of all markings.
        """
        outcome = self._desk.verified.last()
        running = self._desk.check.running()
        if outcome is None:
            return {"running": running, "last": None}
        last = {
            "at": outcome.at,
            "by": outcome.by,
            "sound": outcome.sound,
            "problem": outcome.problem,
            "stands": self._desk.diary.had(outcome.size, outcome.root),
            "size": outcome.size if self._sees_all else None,
            "root": outcome.root if self._sees_all else None,
            "parts": self._parts(outcome),
        }
        return {"running": running, "last": last}

    def verify(self) -> dict[str, Any]:
        """Begin a check of everything in this realm; `proof` tells of it when it is done."""
        self._desk.check.start(self._account.user)
        return self.proof()

    def _parts(self, outcome: Outcome) -> list[dict[str, Any]]:
        if self._sees_all:
            return [{**msgspec.to_builtins(part), "sound": not part.problems} for part in outcome.parts]
        return [
            {"what": part.what, "checked": None, "problems": [], "sound": not part.problems}
            for part in outcome.parts
            if part.problems or not part.what.startswith(_COUNTED)
        ]

    # an export

    def export(self, asked: ExportForm) -> Exported:
        """What was asked for as a file that carries its marking. It is an entry of its own. Raises
        `SamsynError`."""
        if asked.to:
            span = asked.since_us or 0, TIME_US_MAX if asked.until_us is None else asked.until_us
            told = self.released(asked.to, *span)
            return self._export(f"released-{asked.to}", asked.form, told, complete=True)
        told = self.page(asked.filter(), AUDIT_EXPORT)
        return self._export("audit", asked.form, told, complete=not told["more"])

    def _export(self, name: str, form: Form, told: dict[str, Any], *, complete: bool) -> Exported:
        node, now, rows = self._desk.settings.node, iso(self._desk.wall.now_us()), told["entries"]
        head = {
            "marking": told["marking"],
            "node": node.name,
            "realm": node.realm,
            "made": now,
            "by": self._account.user,
            "complete": complete,
            "entries": len(rows),
        }
        file = f"{node.name}-{node.realm}-{name}-{now[:19].replace(':', '')}.{form}"
        made = exported(file, form, head, rows)
        self._desk.diary.write(self._account.user, "export-audit", file=file, entries=len(rows))
        return made

    # one entry

    def _told(self, noted: Noted) -> dict[str, Any] | None:
        """An entry as it is shown; None where it is not there for this person."""
        what, told = dict(noted.what), self._outside(noted)
        if noted.did in ONE:
            stored = self._visible(str(what.pop("id", "")))
            if stored is None and not self._sees_all:
                return None
            told["statements"] = [_named(stored)] if stored else []
        elif noted.did == RELEASED:
            channels = [self._channel(channel) for channel in what.pop("channels", ())]
            told["channels"] = [channel for channel in channels if channel]
            if not told["channels"]:
                return None
        elif noted.did == IMPORT:
            found, told["further"] = self._some(str(jti) for jti, _ in what.pop("ids", ()))
            told["statements"] = [_named(stored) for stored in found]
            if not found and not self._sees_all:
                return None
        elif noted.did.startswith("feed-"):
            if not self._sees_all and str(what.get("marking")) not in cleared(self._account.clearance):
                return None
        elif not self._sees_all:
            fields = OPEN.get(noted.did)
            if fields is None:
                return None
            what = {name: value for name, value in what.items() if name in fields}
        return {**told, "what": what}

    def _outside(self, noted: Noted) -> dict[str, Any]:
        return {
            "place": self._desk.diary.place(noted.number),
            "number": noted.number if self._sees_all else None,
            "at": noted.at,
            "at_us": parse_iso(noted.at),
            "by": noted.by,
            "did": noted.did,
            "statements": [],
            "further": False,
            "channels": [],
        }

    def _channel(self, head: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a tick wrote to one channel; None where nothing of it may be known of."""
        reader, first, size = str(head["reader"]), int(head["from"]), int(head["size"])
        ops: dict[str, str] = {}  # the last thing said of each
        leaves = self._desk.releases.told(reader, first, size)
        found, further = self._some(_noting(leaves, ops))
        if not found and not self._sees_all:
            return None
        span = {"from": first, "size": size} if self._sees_all else {"from": None, "size": None}
        statements = [{**_named(stored), "op": ops[stored.jti]} for stored in found]
        return {"reader": reader, **span, "statements": statements, "further": further}

    def _some(self, ids: Iterator[str]) -> tuple[list[Stored], bool]:
        """The first of these statements that may be known of, and whether there are more."""
        seen = (stored for jti in dict.fromkeys(ids) if (stored := self._visible(jti)))
        found = list(itertools.islice(seen, AUDIT_NAMED + 1))
        return found[:AUDIT_NAMED], len(found) > AUDIT_NAMED

    def _marking(self, entries: list[dict[str, Any]]) -> str:
        named = [one for e in entries for one in (e, *e["channels"]) for one in one["statements"]]
        markings = [one["marking"] for one in named if one["marking"] in MARKINGS]
        return strictest([self._desk.settings.node.default_marking, *markings])


def _noting(leaves: Iterable[Leaf], ops: dict[str, str]) -> Iterator[str]:
    """The id of each, and in `ops` what is said of it."""
    for leaf in leaves:
        ops[leaf.id] = str(type(leaf).__struct_config__.tag)
        yield leaf.id


def _named(stored: Stored) -> dict[str, Any]:
    """title: None once the body is purged."""
    statement = stored.statement
    return {
        "id": stored.jti,
        "kind": stored.kind,
        "marking": stored.marking,
        "state": stored.state,
        "iss": stored.iss,
        "title": str(statement.slots.get("title", "")) if statement else None,
    }


def _is_about(told: Mapping[str, Any], partner: str) -> bool:
    what = told.get("what", {})
    named = {what.get("partner"), what.get("reader"), *(c["reader"] for c in told.get("channels", ()))}
    return not partner or partner in named
