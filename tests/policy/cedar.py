"""Our rules told to Cedar, another organisation's policy engine, which then answers on its own.

One request a slot, and one without a slot for the statement as a whole. Cedar cannot say areas of
H3 cells, and it answers for one instant: what is due later is not allowed yet. All else it says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import cedarpy

from samsyn.policy import Facts, Policy
from samsyn.policy.rules import Rule
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS
from samsyn.statements.marking import MARKINGS
from samsyn.subjects import declared, need

ONWARD = ["no", "ask", "circle", "free"]
CONFIDENCE = ["low", "medium", "high"]
DEGREE = 1_000_000  # Cedar has no floats


def told(policy: Policy) -> cedarpy.PolicySet:
    """The rules for statements, the built-in one too."""
    return cedarpy.PolicySet.from_str("\n".join(_rule(rule) for rule in policy.statement_rules))


def can_say(rule: Rule) -> bool:
    return rule.when.area is None or all(area.box is not None for area in rule.when.area)


def request(said: Facts, reader: str, slot: str | None, now_us: int) -> dict[str, Any]:
    context: dict[str, Any] = {
        "reader": reader,
        "kind": said.kind,
        "originator": said.originator,
        "foreign": said.foreign,
        "marking": said.marking,
        "onward": said.onward,
        "exercise": said.exercise,
        "tags": sorted(said.tags),
        "to": sorted(said.addressees),
        "at": said.at_us,
        "now": now_us,
    }
    for name in ("subject", "confidence", "detector"):
        if getattr(said, name) is not None:
            context[name] = getattr(said, name)
    if said.place is not None:
        context["box"] = dict(zip("wsen", (round(v * DEGREE) for v in said.place.box), strict=True))
    if said.passing is not None:
        mine = [cap for cap in said.passing.caps if cap.reader == reader]
        context["passing"] = {
            "circles_only": said.passing.circles_only,
            "ends": [
                cap.until_us for cap in mine if cap.until_us is not None and cap.until_us <= now_us
            ],
            "place": min((_rank(PLACE_RUNGS, cap.place) for cap in mine), default=9),
            "time": min((_rank(TIME_RUNGS, cap.time) for cap in mine), default=9),
        }
        if said.passing.readers is not None:
            context["passing"]["readers"] = sorted(said.passing.readers)
    if slot is not None:
        place, time = need(said.kind, slot) or (None, None)
        context["slot"] = {
            "name": slot,
            "declared": slot in declared(said.kind),
            "place": _rank(PLACE_RUNGS, place),
            "time": _rank(TIME_RUNGS, time),
        }
    return {
        "principal": {"type": "Reader", "id": reader},
        "action": {"type": "Action", "id": "hold"},
        "resource": {"type": "Statement", "id": "it"},
        "context": context,
    }


def answers(policies: cedarpy.PolicySet, requests: Sequence[dict[str, Any]]) -> list[bool]:
    """Raises `AssertionError` where Cedar could not evaluate a policy: it would leave it out."""
    found = cedarpy.is_authorized_batch(list(requests), policies, [])
    assert not any(one.diagnostics.errors for one in found), found[0].diagnostics.errors
    return [one.allowed for one in found]


def _rule(rule: Rule) -> str:
    tests = [*_both(rule), *([] if rule.deny else _of_release(rule))]
    return f"{'forbid' if rule.deny else 'permit'}(principal, action, resource) when {{\n  " + (
        " &&\n  ".join(f"({test})" for test in tests) + "\n};"
    )


def _both(rule: Rule) -> list[str]:
    when = rule.when
    tests = [f"{_set(rule.kinds)}.contains(context.kind)"]
    if not rule.addressed:
        tests.append(f"{_set(rule.readers)}.contains(context.reader)")
    reach = when.marking_max or (None if rule.deny else "TLP:AMBER")
    if reach:
        tests.append(f"{_set(MARKINGS[: MARKINGS.index(reach) + 1])}.contains(context.marking)")
    for name in ("subject", "detector"):
        words = getattr(when, name)
        if words is not None:
            tests.append(f"context has {name} && {_set(words)}.contains(context.{name})")
    if when.confidence_min:
        words = CONFIDENCE[CONFIDENCE.index(when.confidence_min) :]
        tests.append(f"context has confidence && {_set(words)}.contains(context.confidence)")
    if when.tags is not None:
        tests.append(f"context.tags.containsAny({_set(when.tags)})")
    if when.exercise is not None:
        tests.append(f"context.exercise == {str(when.exercise).lower()}")
    if when.originator is not None and "*" not in when.originator:
        tests.append(f"{_set(when.originator)}.contains(context.originator)")
    if rule.onward:
        words = ONWARD[: ONWARD.index(rule.onward) + 1]
        tests.append(f"{_set(words)}.contains(context.onward)")
    if when.age_max_us is not None:
        tests.append(f"context.now - context.at <= {when.age_max_us}")
    if rule.until_us is not None:
        tests.append(f"context.now < {rule.until_us}")
    if when.area is not None:
        boxes = [_box(area.box, rule.deny) for area in when.area if area.box] or ["false"]
        tests.append(f"context has box && ({' || '.join(boxes)})")
    return tests


def _of_release(rule: Rule) -> list[str]:
    tests = [
        f"context.now >= context.at + {rule.delay_us}",
        "!context.foreign || context has passing",
        "!(context has passing) || !(context.passing has readers)"
        " || context.passing.readers.contains(context.reader)",
        f"!(context has passing) || !context.passing.circles_only"
        f" || {_set(rule.circled)}.contains(context.reader)",
        "!(context has passing) || context.passing.ends == []",
    ]
    if rule.addressed:
        tests.append("context.to.contains(context.reader)")
    else:
        tests.append(f'context.marking != "TLP:RED" || {_set(rule.named)}.contains(context.reader)')
    if rule.when.originator is None:
        tests.append("!context.foreign")
    slot = [
        "context.slot.declared",
        f"context.slot.place <= {_rank(PLACE_RUNGS, rule.place)}",
        f"context.slot.time <= {_rank(TIME_RUNGS, rule.time)}",
        "(!(context has passing) || (context.slot.place <= context.passing.place"
        " && context.slot.time <= context.passing.time))",
    ]
    for word in rule.hide:
        stem = word.removesuffix(".*")
        slot.append(
            f'!(context.slot.name == "{stem}" || context.slot.name == "body.{stem}"'
            f' || context.slot.name like "{stem}.*")'
        )
    tests.append(f"!(context has slot) || ({' && '.join(slot)})")
    return tests


def _box(box: tuple[float, float, float, float], touching: bool) -> str:
    w, s, e, n = (round(v * DEGREE) for v in box)
    here = "context.box"
    if touching:
        return f"({w} <= {here}.e && {here}.w <= {e} && {s} <= {here}.n && {here}.s <= {n})"
    return f"({w} <= {here}.w && {here}.e <= {e} && {s} <= {here}.s && {here}.n <= {n})"


def _set(words: Collection[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in sorted(words)) + "]"


def _rank(rungs: Sequence[str], rung: str | None) -> int:
    return rungs.index(rung) + 1 if rung else 0
