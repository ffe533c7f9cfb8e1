"""Two histories that differ only in what a reader may not have look the same to it, byte for byte."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import MINUTE_US, ManualClock
from samsyn.statements.statement import Statement
from tests.channels.nodes import NOW_US, POLICY, Node, draft, new_keys

KEYS = {name: new_keys() for name in ("dk", "se", "fi", "no")}
SECRET = draft(marking="TLP:RED")  # no rule reaches it

with tempfile.TemporaryDirectory() as _folder:
    _pen = Node(Path(_folder), "dk", keys=KEYS["dk"])
    TOLD = [_pen.say() for _ in range(4)]
    UNTOLD = [_pen.say(SECRET) for _ in range(3)]

# A step: the statements queued before a tick (index, and whether it is a withdrawal).
told = st.lists(
    st.lists(st.tuples(st.sampled_from(TOLD), st.booleans()), max_size=3), min_size=1, max_size=3
)
untold = st.lists(
    st.lists(st.tuples(st.sampled_from(UNTOLD), st.booleans()), max_size=3), min_size=3, max_size=3
)
Steps = Sequence[Sequence[tuple[Statement, bool]]]


def history(folder: Path, steps: Steps, more: Steps) -> dict[str, list[bytes]]:
    """Play the steps, with `more` mixed in; everything that each reader could ever see."""
    folder.mkdir()
    clock = ManualClock(NOW_US)
    dk = Node(folder, "dk", keys=KEYS["dk"], clock=clock)
    readers = [Node(folder, name, keys=KEYS[name], clock=clock) for name in ("se", "fi", "no")]
    dk.open_to(readers, POLICY)
    seen: dict[str, list[bytes]] = {reader.name: [] for reader in readers}
    for n, step in enumerate(steps):
        for statement, withdraw in [*more[n], *step]:
            with dk.db.write():
                dk.statements.put(statement, None, clock.now_us())
                act = "withdraw" if withdraw else "release"
                dk.outbox.put(act, statement.jti, 1, purge=withdraw)  # type: ignore[arg-type]
        dk.door.tick()
        clock.advance(MINUTE_US)
        for reader in readers:
            channel = dk.door.reader(reader.name)
            assert channel
            seen[reader.name] += [channel.checkpoint(), channel.entries(0), channel.entries(1, 1)]
    dk.db.close()
    for reader in readers:
        reader.db.close()
    return seen


@settings(max_examples=25, deadline=None)
@given(told, untold)
def test_what_is_not_released_changes_no_byte(steps: Steps, more: Steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        without = history(Path(folder, "a"), steps, [[], [], []])
        with_it = history(Path(folder, "b"), steps, more)
    assert without == with_it
    assert len(set(with_it["no"])) == 3  # one head, one answer to each question, whatever happened
