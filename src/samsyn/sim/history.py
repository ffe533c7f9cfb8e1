"""What the organisations of a simulated network say, and the policies that they have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

from samsyn.base.clock import iso
from samsyn.base.errors import ConfigError
from samsyn.policy.load import parse_rules
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS, place_ladder, time_ladder
from samsyn.statements.marking import MARKINGS
from samsyn.statements.statement import Draft
from samsyn.subjects import KINDS
from samsyn.subjects.common import CONFIDENCES

ONWARD: Final = ("no", "ask", "circle", "free")
DELAYS: Final = ("0s", "0s", "0s", "10m", "2h", "1d")
HIDDEN: Final = ("author", "sources", "text", "body", "summary")
_AREAS: Final = """\
[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }
west = { bbox = [-5.0, 50.0, 13.0, 66.0] }
"""


def make_draft(chance: random.Random, at_us: int, *, exercise: bool) -> Draft:
    """Something to say: an alert or a report, at sea between 54 and 62 north."""
    kind = chance.choice(["alert", "report"])
    point = [round(chance.uniform(4, 26), 5), round(chance.uniform(54, 62), 5)]
    slots: dict[str, Any] = {
        "title": f"Drift {chance.randrange(1000)}",
        "summary": "what many may be told",
        "text": "what few may be told: " + "and more " * chance.randrange(30),
        "confidence": chance.choice(CONFIDENCES),
        "author": f"officer {chance.randrange(10)}",
        "sources": ["coastal radar"],
        "tags": chance.sample(["sea", "cable", "north"], chance.randrange(3)),
    }
    if chance.random() < 0.8:
        slots |= place_ladder({"type": "Point", "coordinates": point})
    if chance.random() < 0.9:
        slots |= time_ladder(at_us)
    if kind == "alert":
        slots |= {
            "body.detector": chance.choice(["drift", "silence", "emergency"]),
            "body.craft": chance.choice(["mmsi:212123000", "icao:4ca123"]),
            "body.state": chance.choice(["open", "closed"]),
            "body.start": iso(at_us),
            "body.measured": {"speed_kn": round(chance.random(), 3)},
        }
    else:
        slots["body.category"] = chance.choice(["sea", "air", "cyber"])
    marking, onward = chance.choice(MARKINGS), chance.choice(ONWARD)
    return Draft(kind=kind, marking=marking, onward=onward, exercise=exercise, slots=slots)


def make_policy(chance: random.Random, partners: Sequence[str]) -> str:
    """A policy as one would find it in a file: some rules, some circles (perhaps empty), denials."""
    circles = [f"circle{n}" for n in range(2)]
    text = "[circles]\n"
    for circle in circles:
        text += f"{circle} = {_list(chance.sample(partners, chance.randrange(len(partners) + 1)))}\n"
    text += _AREAS
    names = [*partners, *(f"circle:{circle}" for circle in circles)]
    rules = {f"rule-{n}": _rule(chance, n, names) for n in range(chance.randint(1, 5))}
    for n in range(chance.choice([0, 1, 2])):
        of = _list(sorted(chance.sample(partners, chance.randint(1, len(partners)))))
        rules[f"onward-{n}"] = _rule(chance, n, names, "onward").replace(
            "when = { ", f"when = {{ originator = {of}, "
        )
    for n in range(chance.choice([0, 0, 1])):
        deny = f'[[deny]]\nid = "deny-{n}"\nwhy = "told so"\nto = {_list([chance.choice(names)])}\n'
        rules[f"deny-{n}"] = f"{deny}kinds = {_kinds(chance)}\nwhen = {_when(chance)}\n"
    while True:  # a rule that has no effect is an error: without it the policy says the same
        try:
            whole = text + "".join(rules.values())
            parse_rules(whole, "policy.toml", partners=partners, kinds=KINDS)
            return whole
        except ConfigError as e:
            del rules[e.where.split()[-1]]


def make_consent(
    chance: random.Random, about: str, asker: str, readers: Sequence[str], at_us: int, *, exercise: bool
) -> Draft:
    """An originator's answer, as if it had been asked."""
    slots: dict[str, Any] = {
        **time_ladder(at_us),
        "title": "Consent",
        "body.to": [asker],
        "body.about": about,
        "body.answer": chance.choice(["given", "given", "given", "refused"]),
        "body.readers": list(readers),
    }
    if chance.random() < 0.8:
        slots["body.place"] = chance.choice(PLACE_RUNGS)
    if chance.random() < 0.8:
        slots["body.time"] = chance.choice(TIME_RUNGS)
    return Draft(kind="consent", marking="TLP:AMBER", onward="no", exercise=exercise, slots=slots)


def _rule(chance: random.Random, n: int, names: Sequence[str], word: str = "rule") -> str:
    to = chance.sample(names, chance.randint(1, 3))
    lines = [
        f'[[rule]]\nid = "{word}-{n}"\nwhy = "agreement {n}"\nto = {_list(to)}',
        f"kinds = {_kinds(chance)}",
        f'delay = "{chance.choice(DELAYS)}"',
    ]
    if word == "onward" or chance.random() < 0.5:
        lines.append(f"when = {_when(chance)}")
    if chance.random() < 0.8:
        lines.append(f'place = "{chance.choice(PLACE_RUNGS)}"')
    if chance.random() < 0.8:
        lines.append(f'time = "{chance.choice(TIME_RUNGS)}"')
    if chance.random() < 0.5:
        lines.append(f"hide = {_list(chance.sample(HIDDEN, 2))}")
    if chance.random() < 0.2:
        lines.append(f'onward = "{chance.choice(ONWARD)}"')
    return "\n".join(lines) + "\n"


def _when(chance: random.Random) -> str:
    conditions = {
        "subject": _list(chance.sample(["sea", "air", "cyber"], 2)),
        "area": f'"{chance.choice(["baltic", "west"])}"',
        "marking_max": f'"{chance.choice(MARKINGS)}"',
        "confidence_min": f'"{chance.choice(CONFIDENCES)}"',
        "tags": _list([chance.choice(["sea", "cable", "north"])]),
    }
    chosen = chance.sample(sorted(conditions), chance.randint(1, 2))
    return "{ " + ", ".join(f"{name} = {conditions[name]}" for name in chosen) + " }"


def _kinds(chance: random.Random) -> str:
    return _list(chance.choice([["alert"], ["report"], ["alert", "report"], ["alert", "report"]]))


def _list(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
