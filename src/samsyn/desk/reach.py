"""Whom a draft would reach, before anybody signs it. Nothing is kept, and nothing leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samsyn.base.errors import InputError
from samsyn.policy import Policy, facts_of, rung_of
from samsyn.statements.statement import Draft, Statement


def reach(
    draft: Draft, policy: Policy | None, organisations: Mapping[str, str], *, me: str, now_us: int
) -> list[dict[str, Any]]:
    """One row a reader, by name: released, the rungs of place and time, from when (None: at once), the
    slots left out, and a sentence in each language. policy None: nothing is released.

    Raises `InputError` for a draft made of others' statements: what their originators allow is found
    out when it is signed.
    """
    if draft.slots.get("refs"):
        raise InputError(
            "what is made of others' statements has no preview", where="refs", do="see it once signed"
        )
    facts = facts_of(_unsigned(draft, me), now_us, foreign=False)
    rows = []
    for reader in sorted(set(organisations) - {me}):
        row: dict[str, Any] = {"reader": reader, "organisation": organisations[reader]}
        if policy is None or reader not in policy.partners:
            none = {"en": "No policy is in force.", "sv": "Ingen policy gäller."}
            rows.append({**row, "released": False, **none})
            continue
        decision, told = policy.decide(facts, reader, now_us), policy.explain(facts, reader, now_us)
        row |= {"released": decision.released, "en": told.en, "sv": told.sv}
        if decision.released:
            later = decision.not_before_us > now_us
            row |= {
                "place": rung_of(decision.slots, "place"),
                "time": rung_of(decision.slots, "time"),
                "left_out": sorted(facts.slots - decision.slots),
                "from_us": decision.not_before_us if later else None,
            }
        rows.append(row)
    return rows


def _unsigned(draft: Draft, me: str) -> Statement:
    return Statement(
        iss=me,
        jti="",
        ver=1,
        kind=draft.kind,
        marking=draft.marking,
        onward=draft.onward,
        exercise=draft.exercise,
        jwt=b"",
        disclosures={},
        slots=draft.slots,
    )
