"""Each claim of the demo, as a check that can fail. The tests hold the same claims harder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from samsyn.base.clock import HOUR_US, MINUTE_US
from samsyn.base.settings import Home
from samsyn.demo.world import AUTHOR
from samsyn.node.audit import audit


class Check(NamedTuple):
    claim: str
    held: bool
    shown: str


def drift_in_time(drifts: list[dict[str, Any]], raised_us: Mapping[str, int], slack_us: int) -> Check:
    """Each drifting ship one finding, signed within an hour of its start, closed when under way again.

    raised_us: when each finding (by key) was first signed; slack_us: what the speed of the exercise
    makes of the time that programs take.
    """
    crafts = [f["craft"] for f in drifts]
    late_us = [raised_us.get(f["key"], 2**62) - f["start_us"] for f in drifts]
    held = (
        bool(drifts)
        and len(set(crafts)) == len(crafts)
        and all(us <= HOUR_US + slack_us for us in late_us)
        and all(f["state"] == "closed" and f["closed_because"] == "under-way" for f in drifts)
    )
    shown = "; ".join(
        f"{f['craft']} ({f['feed']}) signed {us / MINUTE_US:.0f} min after its start, {f['state']}"
        for f, us in zip(drifts, late_us, strict=True)
    )
    claim = "a drifting ship is one finding, signed within the hour, closed when under way"
    return Check(claim, held, shown or "no drift was found")


def precision(se: dict[str, Any] | None, fi: dict[str, Any] | None) -> Check:
    """se holds the exact place, fi area and hour."""
    got = [
        f"{name}: {s['provenance']['place']}/{s['provenance']['time']}" if s else f"{name}: nothing"
        for name, s in (("se", se), ("fi", fi))
    ]
    held = got == ["se: exact/exact", "fi: area/hour"]
    return Check("one signature, two views: exact for se, area and hour for fi", held, ", ".join(got))


def secrets_of(whole: dict[str, Any]) -> list[bytes]:
    """What fi must never hold of a statement that se holds whole: as bytes to search for."""
    slots = whole["slots"]
    found = {AUTHOR, slots["time.exact"], *slots["place.spot"], *slots.get("sources", [])}
    found |= {str(round(x, d)) for x in slots["place.exact"]["coordinates"] for d in (4, 5, 6)}
    for row in slots.get("body.evidence", []):
        found |= {str(row["time_us"]), str(row["lat"]), str(row["lon"])}
    for name in ("body.start", "body.end", "body.finding"):
        if name in slots:
            found.add(slots[name])
    # a value of a few characters stands in any file by chance
    return sorted(s.encode() for s in found if len(s) >= 7)


def nothing_of(secrets: Iterable[bytes], folder: Path) -> Check:
    """No byte of what was withheld stands in any file below `folder`."""
    wanted = re.compile(b"|".join(re.escape(s) for s in secrets))
    hits = []
    files = size = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        files, size = files + 1, size + len(data)
        if found := wanted.search(data):
            hits.append(f"{path.name}: {found[0]!r}")
    shown = f"{files} files, {size:,} bytes searched" if not hits else "; ".join(hits[:3])
    return Check("no byte of what fi may not have stands in fi's home", not hits, shown)


def audited(homes: dict[str, Home]) -> Check:
    """`samsyn verify` is clean on every home."""
    wrong = []
    parts = 0
    for name, home in homes.items():
        for part in audit(home):
            parts += 1
            wrong += [f"{name} {part.what}: {p}" for p in part.problems]
    return Check(
        "samsyn verify is clean on every home", not wrong, "; ".join(wrong[:3]) or f"{parts} parts"
    )


def attempt(claim: str, act: Callable[[], Check]) -> Check:
    """The check that `act` makes, or a failed one that says what went wrong."""
    try:
        return act()
    except Exception as e:  # noqa: BLE001  a check that cannot even be made has failed, whatever the reason
        return Check(claim, False, f"could not be checked: {e}")
