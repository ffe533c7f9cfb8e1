"""Seeing as a partner: what it holds of ours, as it sees it, and what it was not given and why."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

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
        told: dict[str, Any] = {"reader": reader, "held": [], "withdrawn": [], "not_released": []}
        page = self._statements.page(
            limit=limit, states=("standing", "withdrawn"), markings=markings, latest=True
        )
        holdings = self._door.holdings([stored.jti for stored in page])
        for stored in page:
            holding = holdings.get(stored.jti, {}).get(reader)
            if holding is None:
                if stored.iss == self._me and stored.state == "standing":
                    told["not_released"].append(self._not_released(stored, reader))
            elif holding.withdrawn:
                told["withdrawn"].append({**_name(stored), "ver": holding.ver, "purged": holding.purged})
            elif (item := self._held(stored, holding, reader, markings)) is not None:
                told["held"].append(item)
        return told

    def _held(
        self, latest: Stored, holding: Holding, reader: str, markings: Collection[str] | None
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
            "left_out": self._left_out(statement, slots, given),
            "latest_ver": latest.ver,
        }

    def _left_out(
        self, statement: Statement, slots: Collection[str], given: list[Delivered]
    ) -> list[dict[str, Any]]:
        """Each slot that the reader has not, and the rules by which it has not."""
        names = [rule for rule, _ in given[-1].rules] if given else []
        policy = self._door.policy
        rules = {rule.id: rule for rule in policy.rules} if policy else {}
        return [
            {
                "slot": slot,
                "rules": names,
                "hidden_by": [n for n in names if (r := rules.get(n)) is not None and _hidden(r, slot)],
            }
            for slot in sorted(statement.slots.keys() - slots)
        ]

    def _not_released(self, stored: Stored, reader: str) -> dict[str, Any]:
        why = self._door.explain(stored.jti, reader)
        said = stored.statement
        title = str(said.slots.get("title", "")) if said else ""
        return {**_name(stored), "title": title, "rule": why.rule, "en": why.en, "sv": why.sv}


def _name(stored: Stored) -> dict[str, Any]:
    return {"jti": stored.jti, "ver": stored.ver, "iss": stored.iss, "kind": stored.kind}


def _hidden(rule: Rule, slot: str) -> bool:
    return any(hides(word, slot) for word in rule.hide)
