"""Seeing as a partner: what it holds of ours, as it sees it, and what it was not given and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from samsyn.base.clock import iso
from samsyn.channels.door import Delivered, Door
from samsyn.channels.given import Holding
from samsyn.desk.items import finest, footprint
from samsyn.policy.rules import Rule, hides
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.statement import Statement
from samsyn.statements.store import StatementStore, Stored

SHOWN: Final = 500  # statements, the newest ones


class Views:
    """me: this node's name. All that is told is cut to the markings that the person may see."""

    def __init__(self, me: str, statements: StatementStore, door: Door) -> None:
        self._me = me
        self._statements = statements
        self._door = door

    def as_partner(
        self, reader: str, markings: Collection[str] | None = None, limit: int = SHOWN
    ) -> dict[str, Any]:
        """`held`: statements as `reader` sees them, each with what was left out and by which rule;
        `withdrawn`: those it had; `not_released`: the others of ours, each with the reason in a
        sentence. markings: of statements told of; None: all."""
        page = self._statements.page(
            limit=limit, states=("standing", "withdrawn"), markings=markings, latest=True
        )
        return self._told(reader, page, markings, None)

    def as_partner_then(
        self, reader: str, then: Iterable[Stored], markings: Collection[str], at_us: int
    ) -> dict[str, Any]:
        """`as_partner` as it was at `at_us`, of the statements of `then` (`earlier.Earlier.held`).

        `purged_since`: what it held then and whose body is gone now. By which policy it was held back
        then is not told, only whether it was given later.
        """
        return self._told(reader, then, markings, at_us)

    def _told(
        self,
        reader: str,
        page: Iterable[Stored],
        markings: Collection[str] | None,
        at_us: int | None,
    ) -> dict[str, Any]:
        page = list(page)
        told: dict[str, Any] = {"reader": reader, "held": [], "withdrawn": [], "not_released": []}
        told["purged_since"] = []
        holdings = self._door.holdings([stored.jti for stored in page], at_us)
        for stored in page:
            holding = holdings.get(stored.jti, {}).get(reader)
            if holding is None:
                if stored.iss == self._me and stored.state == "standing":
                    told["not_released"].append(self._not_released(stored, reader, at_us))
            elif holding.withdrawn:
                told["withdrawn"].append({**_name(stored), "ver": holding.ver, "purged": holding.purged})
            elif (item := self._held(stored, holding, reader, markings, at_us)) is not None:
                told["held"].append(item)
            elif stored.purged:
                told["purged_since"].append({**_name(stored), "ver": holding.ver})
        return told

    def _held(
        self,
        latest: Stored,
        holding: Holding,
        reader: str,
        markings: Collection[str] | None,
        at_us: int | None,
    ) -> dict[str, Any] | None:
        """The version that the reader has, which need not be the latest, with no slot that it has not.

        None where that version is not for the eyes of who asks.
        """
        stored = latest
        if holding.ver != latest.ver:
            stored = self._statements.get(latest.jti, holding.ver) or latest
        statement = stored.statement
        if statement is None or (markings is not None and stored.marking not in markings):
            return None
        slots = {name: value for name, value in statement.slots.items() if name in holding.slots}
        given = [
            d
            for d in self._door.delivered(stored.jti)
            if d.reader == reader and d.ver == stored.ver and d.op != "withdraw"
            if at_us is None or d.at_us <= at_us
        ]
        return {
            **_name(stored),
            "marking": statement.marking,
            "onward": statement.onward,
            "exercise": statement.exercise,
            "slots": slots,
            "footprint": footprint(slots),
            "place": finest(slots, "place", PLACE_RUNGS),
            "time": finest(slots, "time", TIME_RUNGS),
            "given_us": given[-1].at_us if given else None,
            "applied": bool(given) and given[-1].applied,
            "rules": [{"rule": rule, "why": why} for rule, why in given[-1].rules] if given else [],
            "left_out": self._left_out(statement, slots, given, now=at_us is None),
            "latest_ver": latest.ver,
        }

    def _left_out(
        self, statement: Statement, slots: Collection[str], given: list[Delivered], *, now: bool
    ) -> list[dict[str, Any]]:
        """Each slot that the reader has not, and the rules by which it has not; which of them hid it is
        told only of now, by the policy in force."""
        names = [rule for rule, _ in given[-1].rules] if given else []
        policy = self._door.policy if now else None
        rules = {rule.id: rule for rule in policy.rules} if policy else {}
        return [
            {
                "slot": slot,
                "rules": names,
                "hidden_by": [n for n in names if (r := rules.get(n)) is not None and _hidden(r, slot)],
            }
            for slot in sorted(statement.slots.keys() - slots)
        ]

    def _not_released(self, stored: Stored, reader: str, at_us: int | None) -> dict[str, Any]:
        said = stored.statement
        title = str(said.slots.get("title", "")) if said else ""
        if at_us is not None:
            return {**_name(stored), "title": title, "rule": None, **self._since(stored, reader, at_us)}
        why = self._door.explain(stored.jti, reader)
        return {**_name(stored), "title": title, "rule": why.rule, "en": why.en, "sv": why.sv}

    def _since(self, stored: Stored, reader: str, at_us: int) -> dict[str, str]:
        """Whether a reader was given later what it had not then."""
        later = [d for d in self._door.delivered(stored.jti) if d.reader == reader and d.at_us > at_us]
        if not later:
            return {
                "en": f"It has not been given to {reader} until now.",
                "sv": f"Det har inte lämnats till {reader} till nu.",
            }
        at = iso(later[0].at_us)
        return {
            "en": f"It was given to {reader} later, at {at}.",
            "sv": f"Det lämnades till {reader} senare, {at}.",
        }


def _name(stored: Stored) -> dict[str, Any]:
    return {"jti": stored.jti, "ver": stored.ver, "iss": stored.iss, "kind": stored.kind}


def _hidden(rule: Rule, slot: str) -> bool:
    return any(hides(word, slot) for word in rule.hide)
