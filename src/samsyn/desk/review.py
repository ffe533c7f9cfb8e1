"""Deciding on a policy: what it would change, shown before it is in force, and who puts it there.

A person acts under an account: its role must allow it, and no rule of the policy may reach a marking
above its clearance, for nobody decides on the release of what they may not see. What a preview tells
is cut to the clearance as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from samsyn.base.clock import Clock, iso, parse_span
from samsyn.base.database import Database
from samsyn.base.errors import InputError, SamsynError
from samsyn.channels.door import Door
from samsyn.channels.given import Holding
from samsyn.channels.outbox import Outbox
from samsyn.desk.accounts import Account
from samsyn.desk.diary import Diary
from samsyn.desk.history import FactHistory
from samsyn.desk.policies import KeptPolicy, Policies, digest
from samsyn.desk.rights import Forbidden, cleared
from samsyn.policy import Facts, Policy
from samsyn.policy.frame import Change, Preview, fact_row, fact_rows, preview, rows_touched
from samsyn.policy.rules import ANYONE, MARKING_REACH
from samsyn.policy.table import read_profile
from samsyn.statements.marking import strictest
from samsyn.statements.store import StatementStore, Stored

PAGE: Final = 1_000
EXAMPLES: Final = 5
_LOSES: Final = ("withheld", "narrowed", "widened")  # what gains a slot may lose another
_GAINS: Final = ("newly_released", "widened", "sooner")
COUNTS: Final = tuple(n for n in Change.__struct_fields__ if n not in ("reader", "examples"))
_FILE: Final = "policy.toml"


class PolicyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the home API is asked about policies; each request needs some of it."""

    text: str = ""
    id: int | None = None
    sha256: str = ""
    since: str = ""  # spans: 90d, 12h
    catch_up: str = ""
    why: str = ""

    @staticmethod
    def read(values: Any) -> PolicyForm:
        """Raises `InputError` naming the field."""
        try:
            return msgspec.convert(values, PolicyForm)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="policy") from e

    def number(self) -> int:
        """Which policy is meant. Raises `InputError` where that is not said."""
        if self.id is None:
            raise InputError("which policy is not said", where="id", do="give its number")
        return self.id


def read_span(text: str) -> int:
    """Microseconds of a span. Raises `InputError`."""
    try:
        return parse_span(text)
    except ValueError as e:
        raise InputError(str(e), where=text, do="write 90d, 12h or 30m") from e


class Beyond(msgspec.Struct, frozen=True):
    """What one reader holds of a statement of ours, and would not be given by a policy."""

    reader: str
    id: str  # of the statement
    ver: int
    title: str
    slots: tuple[str, ...]  # those beyond; all that it holds where nothing would be given
    whole: bool


class Review:
    """One realm's. parse: a policy's text (and its name, for errors) among the partners there are."""

    def __init__(
        self,
        db: Database,
        *,
        policies: Policies,
        history: FactHistory,
        statements: StatementStore,
        door: Door,
        outbox: Outbox,
        diary: Diary,
        clock: Clock,
        parse: Callable[[str, str], Policy],
    ) -> None:
        self._db = db
        self._policies = policies
        self.history = history
        self._statements = statements
        self._door = door
        self._outbox = outbox
        self._diary = diary
        self._clock = clock
        self._parse = parse

    # looking

    def preview(
        self,
        text: str,
        name: str = _FILE,
        *,
        since_us: int | None = None,
        markings: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """What `text` would change, on statements held since `since_us` (None: all) of these markings.

        Call `history.sync` first. Raises `ConfigError` with line and rule where it is no policy.
        """
        new, old = self._parse(text, name), self._old()
        now = self._policies.in_force()
        facts = self._with_passing(self.history.facts(since_us, markings), old, new)
        found = preview(old, new, facts, self._clock.now_us(), EXAMPLES)
        before = now.text if now else ""
        return {
            "sha256": digest(text),
            "instead_of": now.id if now else 0,
            "since": iso(since_us) if since_us is not None else None,
            "statements": found.statements,
            "changes": [self._change(change) for change in found.changes],
            "tracks_change": old.track_rules != new.track_rules,
            "given": [msgspec.to_builtins(b) for b in self._given_beyond(old, new, facts, found)],
            "diff": list(
                difflib.unified_diff(
                    before.splitlines(), text.splitlines(), "in force", name, lineterm=""
                )
            ),
        }

    def preview_kept(
        self, id_: int, *, since_us: int | None = None, markings: Collection[str] | None = None
    ) -> dict[str, Any]:
        """`preview` of a policy that was proposed."""
        kept = self._policies.get(id_)
        return self.preview(kept.text, kept.name, since_us=since_us, markings=markings)

    def beyond(self, id_: int, markings: Collection[str] | None = None) -> list[Beyond]:
        """All that readers hold of our statements and policy `id_` would not have given them."""
        policy = self._parsed(self._policies.get(id_))
        facts = self.history.facts(markings=markings)
        return self._beyond(policy, facts["jti"].to_list())

    def proposals(self) -> dict[str, Any]:
        """What is in force and what waits for a second person, texts included."""
        now = self._policies.in_force()
        return {
            "in_force": _told(now) if now else None,
            "proposed": [_told(p) for p in self._policies.all() if p.state == "proposed"],
        }

    # deciding

    def propose(self, text: str, *, by: Account) -> KeptPolicy:
        """Keep it for another person to decide on, with its preview. Raises `SamsynError`."""
        self._may_decide(self._parse(text, _FILE), by)
        return self._policies.propose(text, by=by.user, preview=_counts(self.preview(text)))

    def approve(
        self, id_: int, *, by: Account, seen: str, catch_up_us: int | None = None
    ) -> dict[str, Any]:
        """Take a proposal into force; `seen`: the hash of the text that this person has looked at.

        catch_up_us: also release what was said since that instant and the new policy gives more of;
        None: nothing of what was decided before is decided again. Returns the preview as of now, cut
        to the clearance, and how many releases were queued. Raises `SamsynError`.
        """
        kept = self._policies.get(id_)
        new, old = self._parsed(kept), self._old()
        self._may_decide(new, by)
        told = self.preview(kept.text, kept.name)
        shown = self.preview(kept.text, kept.name, markings=cleared(by.clearance))
        acts = self._catch_up(old, new, catch_up_us) if catch_up_us is not None else []
        with self._db.write():
            self._policies.approve(
                id_, by=by.user, seen=seen, preview=_counts(told), instead_of=told["instead_of"]
            )
            if acts:
                self._outbox.put_many(acts)
                self._diary.write(by.user, "policy-caught-up", policy=id_, releases=len(acts))
        return {**shown, "policy": id_, "caught_up": len(acts)}

    def reject(self, id_: int, *, by: Account, why: str) -> None:
        """Raises `SamsynError`."""
        by.require("policy")
        self._policies.reject(id_, by=by.user, why=why)

    def withdraw_beyond(self, id_: int, *, by: Account) -> int:
        """Queue withdrawals, with purge, from exactly the readers of `beyond`; returns how many.

        Who is withdrawn from gets nothing of that statement again. Raises `SamsynError` where the
        policy is not in force.
        """
        by.require("withdraw")
        if self._policies.version() != id_:
            raise InputError(f"policy {id_} is not in force", do="approve it first")
        found = self.beyond(id_, cleared(by.clearance))
        with self._db.write():
            self._outbox.put_many([("withdraw", b.id, b.ver, True, b.reader) for b in found])
            for b in found:
                why = f"policy {id_} gives less"
                self._diary.write(
                    by.user, "withdraw", id=b.id, ver=b.ver, purge=True, reader=b.reader, why=why
                )
        return len(found)

    def _may_decide(self, policy: Policy, by: Account) -> None:
        by.require("policy")
        rules = [r for r in (*policy.rules, *policy.track_rules) if not r.deny]
        reach = strictest(r.when.marking_max or MARKING_REACH for r in rules)
        if rules and not by.sees(reach):
            raise Forbidden(
                f"a rule reaches {reach}, and this account is not cleared for it",
                where=by.user,
                do="let somebody decide who is",
            )

    # working out

    def _parsed(self, kept: KeptPolicy) -> Policy:
        return self._parse(kept.text, kept.name)

    def _old(self) -> Policy:
        """What decides now; nothing is released by one that cannot be read."""
        now = self._policies.in_force()
        try:
            return self._parsed(now) if now else Policy((), ())
        except SamsynError:
            return Policy((), ())

    def _with_passing(self, facts: pl.DataFrame, *policies: Policy) -> pl.DataFrame:
        """The rows with what other originators allow of them now: consents come and go, so the copy
        has none. Only of own statements made of others', and of others' that some rule speaks of."""
        asked = frozenset().union(
            *(r.when.originator or () for p in policies for r in p.rules if not r.deny)
        )
        others = [
            text
            for text in facts["profile"].unique().cast(pl.String()).to_list()
            if (profile := read_profile(text)).foreign
            and (ANYONE in asked or profile.originator in asked)
        ]
        redo = pl.col("profile").cast(pl.String()).is_in(others)
        redo |= pl.col("jti").is_in(list(self._door.derived()))
        ids = facts.filter(redo)["id"].to_list()
        if not ids:
            return facts
        readers = frozenset().union(*(p.partners for p in policies))
        rows = (
            fact_row(stored.jti, stored.ver, stored.id, made)
            for at in range(0, len(ids), PAGE)
            for stored in self._statements.by_ids(ids[at : at + PAGE])
            if (made := self._door.facts_of(stored, readers)) is not None
        )
        return pl.concat([facts.filter(~redo), fact_rows(rows)])

    def _change(self, change: Change) -> dict[str, Any]:
        examples = {
            name: [{**msgspec.to_builtins(e), "title": self._title(e.jti, e.ver)} for e in found]
            for name, found in change.examples.items()
        }
        counts = {name: getattr(change, name) for name in COUNTS}
        return {"partner": change.reader, **counts, "examples": examples}

    def _title(self, jti: str, ver: int) -> str:
        stored = self._statements.get(jti, ver)
        said = stored.statement if stored else None
        return str(said.slots.get("title", "")) if said else ""

    def _given_beyond(
        self, old: Policy, new: Policy, facts: pl.DataFrame, found: Preview
    ) -> list[Beyond]:
        """What was given already, and this change would not give: nobody gets it back by a policy."""
        if not any(getattr(change, name) for change in found.changes for name in _LOSES):
            return []
        rows = rows_touched(old, new, facts, found.now_us, _LOSES)
        touched = sorted({row for of_reader in rows.values() for row in of_reader.tolist()})
        return self._beyond(new, facts["jti"].gather(touched).to_list())

    def _beyond(self, policy: Policy, jtis: Sequence[str]) -> list[Beyond]:
        found: list[Beyond] = []
        for at in range(0, len(jtis), PAGE):
            holdings = self._door.holdings(jtis[at : at + PAGE])
            held = {
                (jti, holding.ver)
                for jti, readers in holdings.items()
                for holding in readers.values()
                if not holding.withdrawn
            }
            for stored in self._statements.get_many(held):
                said, facts = stored.statement, self._door.facts_of(stored, policy.partners)
                if said is not None and facts is not None:
                    for reader, holding in sorted(holdings[stored.jti].items()):
                        if not holding.withdrawn and holding.ver == stored.ver:
                            title = str(said.slots.get("title", ""))
                            found += self._held_beyond(policy, stored, facts, reader, holding, title)
        return sorted(found, key=lambda b: (b.reader, b.id))

    def _held_beyond(
        self,
        policy: Policy,
        stored: Stored,
        facts: Facts,
        reader: str,
        holding: Holding,
        title: str,
    ) -> list[Beyond]:
        """None where the policy would have given it: now, or at the moment at which it was given.

        A rule that has ended since, or speaks of young statements only, was right in its time.
        """
        slots = holding.slots
        for at_us in (self._clock.now_us(), self._given_us(stored.jti, reader)):
            decision = policy.decide(facts, reader, max(at_us, facts.at_us))
            kept = decision.slots if decision.released else frozenset()
            if decision.released and holding.slots <= kept:
                return []
            slots = min(slots, holding.slots - kept, key=len)
        return [
            Beyond(reader, stored.jti, stored.ver, title, tuple(sorted(slots)), slots == holding.slots)
        ]

    def _given_us(self, jti: str, reader: str) -> int:
        """When the reader was given the last of it."""
        given = [d.at_us for d in self._door.delivered(jti) if d.reader == reader and d.slots]
        return max(given, default=0)

    def _catch_up(
        self, old: Policy, new: Policy, since_us: int
    ) -> list[tuple[Any, str, int, bool, str | None]]:
        """A release for each reader who would now be given more of what was said since."""
        facts = self._with_passing(self.history.facts(since_us), old, new)
        rows = rows_touched(old, new, facts, self._clock.now_us(), _GAINS)
        jtis, vers = facts["jti"], facts["ver"]
        return [
            ("release", jtis[row], int(vers[row]), False, reader)
            for reader, of_reader in rows.items()
            for row in of_reader.tolist()
        ]


def _counts(told: dict[str, Any]) -> dict[str, Any]:
    """What of a preview is kept for good: figures. No id and no title: a purge must reach those."""
    changes = {
        change["partner"]: {name: change[name] for name in COUNTS if change[name]}
        for change in told["changes"]
    }
    return {
        "instead_of": told["instead_of"],
        "statements": told["statements"],
        "changes": changes,
        "given_beyond": len(told["given"]),
    }


def _told(kept: KeptPolicy) -> dict[str, Any]:
    return {
        "id": kept.id,
        "state": kept.state,
        "sha256": kept.sha256,
        "text": kept.text,
        "proposed_by": kept.proposed_by,
        "proposed_us": kept.proposed_us,
        "decided_by": kept.decided_by,
        "decided_us": kept.decided_us,
        "why": kept.why,
    }
