"""Was every policy put in force as it must be? The ledger's policies against the diary."""

from __future__ import annotations

from typing import NamedTuple

from samsyn.desk.diary import read_entries
from samsyn.desk.policies import FOUNDING, KeptPolicy, Policies, digest
from samsyn.log.store import LogStore

_DECIDED = ("policy-founded", "policy-approved")


class _Step(NamedTuple):
    """What the diary says of one policy's way into force."""

    sha256: str
    proposed_by: str
    by: str


def unapproved(diary: str, logs: LogStore, policies: Policies) -> list[str]:
    """What is or was in force here without two persons in the diary, or other than the diary tells.

    diary: the name of its log, which is taken to be whole (`LogStore.audit` says whether it is).
    """
    proposed: dict[int, _Step] = {}
    decided: dict[int, _Step] = {}
    try:
        for noted in read_entries(logs, diary):
            number, sha256 = noted.what.get("policy"), str(noted.what.get("sha256"))
            if not isinstance(number, int):
                continue
            if noted.did == "policy-proposed":
                proposed[number] = _Step(sha256, noted.by, "")
            elif noted.did in _DECIDED:
                by = FOUNDING if noted.did == _DECIDED[0] else str(noted.what.get("proposed_by"))
                decided.pop(number, None)
                decided[number] = _Step(sha256, by, noted.by)
    except ValueError as e:
        return [str(e)]
    last = next(reversed(decided), 0)
    problems = []
    all_kept = policies.all()
    for number in decided.keys() - {kept.id for kept in all_kept}:
        problems.append(f"policy {number} came into force, and is not kept here any more")
    for kept in reversed(all_kept):
        if kept.state in ("in-force", "superseded"):
            problems += _wrong(kept, proposed.get(kept.id), decided.get(kept.id))
        if (kept.state == "in-force") != (kept.id == last):
            problems.append(
                f"{kept.name} is {kept.state}, and the diary tells of policy {last} as the last"
            )
    return problems


def _wrong(kept: KeptPolicy, proposed: _Step | None, decided: _Step | None) -> list[str]:
    if digest(kept.text) != kept.sha256:
        return [f"{kept.name} has another text than its hash says"]
    if decided is None:
        return [f"{kept.name} came into force, and the diary does not tell of it"]
    if decided.sha256 != kept.sha256:
        return [f"{kept.name} is another text than the one that was approved"]
    if kept.proposed_by == FOUNDING and decided.proposed_by == FOUNDING:
        return []
    if proposed is None or (proposed.sha256, proposed.proposed_by) != decided[:2]:
        return [f"{kept.name} was approved, and the diary tells of no such proposal"]
    if decided.by in (decided.proposed_by, FOUNDING, "") or kept.proposed_by != decided.proposed_by:
        return [f"{kept.name} was proposed and approved by one person"]
    return []
