"""Who may do what on the home side: one table, and nothing that it does not say. Default deny."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from samsyn.base.errors import SamsynError
from samsyn.statements.marking import MARKINGS, rank

Role = Literal["viewer", "duty", "release", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Act = Literal["read", "report", "handle", "withdraw", "answer", "policy", "audit", "administer"]

MAY: Final[Mapping[Act, frozenset[Role]]] = {
    "read": frozenset(ROLES),  # the picture, statements, findings, explanations: within the clearance
    "report": frozenset({"duty", "release"}),  # sign in the organisation's name
    "handle": frozenset({"duty", "release"}),  # acknowledge, own, set a time
    "withdraw": frozenset({"release"}),
    "answer": frozenset({"release"}),  # requests of partners: consent, refusal
    "policy": frozenset({"release", "administrator"}),  # preview, propose, approve, reject
    "audit": frozenset({"release", "administrator"}),  # the audit log, and what was released to whom
    "administer": frozenset({"administrator"}),  # accounts, partners, zones, feeds
}

CLEARANCE: Final = "TLP:AMBER+STRICT"
"""What an account is cleared for where nothing is said. TLP 2.0: RED is for named persons, and no
role makes one of them: it is given to an account by name."""


class Forbidden(SamsynError):
    """The person who asks may not do this."""


def may(role: Role, act: Act) -> bool:
    return role in MAY.get(act, frozenset())


def cleared(clearance: str) -> frozenset[str]:
    """The markings that a clearance covers. Raises `ValueError` for one that is no marking."""
    return frozenset(MARKINGS[: rank(clearance) + 1])
