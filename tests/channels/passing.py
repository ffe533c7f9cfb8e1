"""dk says it, se passes it on, fi and no hear of it: four nodes that know one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from samsyn.base.clock import ManualClock
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.store import Stored
from samsyn.subjects import KINDS
from tests.channels.nodes import NOW_US, Node, draft, pull

NAMES = ("dk", "fi", "no", "se")

ALL_TO = """
[circles]
near = {circle}

[[rule]]
id = "own"
why = "Close partnership"
to = {to}
kinds = ["alert", "report"]
place = "exact"
time = "exact"

[[rule]]
id = "onward"
why = "What others let go on"
to = {onward}
kinds = ["alert", "report"]
when = {{ originator = ["dk", "fi", "no", "se"] }}
place = "{place}"
time = "exact"
"""


def policy(
    to: list[str], onward: list[str] | None = None, circle: list[str] | None = None, place: str = "exact"
) -> str:
    """All of its own to `to`, all of others' to `onward`; `circle:near` holds `circle`."""
    return ALL_TO.format(
        to=_list(to), onward=_list(onward or to), circle=_list(circle or []), place=place
    )


def _list(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


class Net:
    """By default dk gives to se alone, and se and fi to everybody."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW_US)
        self.nodes = {name: Node(folder, name, clock=self.clock) for name in NAMES}
        self.dk, self.fi, self.no, self.se = (self.nodes[name] for name in NAMES)
        for node in self.nodes.values():
            for other in self.others(node):
                node.follow(other, self.nodes.values())
        self.rule("dk", policy(["se"]))
        for name in ("se", "fi", "no"):
            self.rule(name, policy([n for n in NAMES if n != name]))

    def others(self, node: Node) -> list[Node]:
        return [other for other in self.nodes.values() if other is not node]

    def rule(self, name: str, text: str) -> None:
        node = self.nodes[name]
        node.open_to(self.others(node), text)

    def settle(self) -> int:
        """Ticks and pulls until nothing moves; returns how many entries were written."""
        written = 0
        while True:
            entries = sum(node.door.tick().entries for node in self.nodes.values())
            for node in self.nodes.values():
                for other in self.others(node):
                    pull(node, other)
            if not entries and not any(node.outbox.waiting() for node in self.nodes.values()):
                return written
            written += entries

    def say(self, by: str = "dk", onward: str = "ask", **more: Any) -> Statement:
        jti, ver = more.pop("jti", None), more.pop("ver", 1)
        return self.nodes[by].say(draft(onward=onward, **more), jti=jti, ver=ver)

    def consent(
        self,
        to: Statement,
        *,
        by: str = "dk",
        asker: str = "se",
        readers: tuple[str, ...] = ("fi",),
        given: bool = True,
        jti: str | None = None,
        ver: int = 1,
        **more: str,
    ) -> Statement:
        """`by` answers `asker` about the statement `to`."""
        slots: dict[str, Any] = {
            "title": "Consent",
            "body.to": [asker],
            "body.about": to.jti,
            "body.answer": "given" if given else "refused",
            "body.readers": list(readers),
            **{f"body.{name}": value for name, value in more.items()},
        }
        KINDS["consent"].check(slots)
        said = Draft(kind="consent", marking="TLP:AMBER", onward="no", exercise=True, slots=slots)
        return self.nodes[by].say(said, jti=jti, ver=ver)

    def held(self, name: str, statement: Statement) -> Stored | None:
        return self.nodes[name].statements.get(statement.jti)

    def state(self, name: str, statement: Statement) -> str:
        """none, standing, withdrawn, or purged."""
        stored = self.held(name, statement)
        if stored is None:
            return "none"
        return "purged" if stored.purged else stored.state

    def states(self, statement: Statement) -> dict[str, str]:
        """Of all who hold or held it."""
        return {n: s for n in NAMES if (s := self.state(n, statement)) != "none"}

    def why(self, by: str, statement: Statement, reader: str) -> str:
        return self.nodes[by].door.explain(statement.jti, reader).en
