"""Release policy: rules in `policy.toml`, decisions with rule and why, default deny."""

from samsyn.policy.decide import Explanation, Policy, load, parse, rung_of
from samsyn.policy.decision import Decision
from samsyn.policy.load import read_text
from samsyn.policy.rules import Cap, Facts, Passing, facts_of

__all__ = [
    "Cap",
    "Decision",
    "Explanation",
    "Facts",
    "Passing",
    "Policy",
    "facts_of",
    "load",
    "parse",
    "read_text",
    "rung_of",
]
