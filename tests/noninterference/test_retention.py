"""When a statement's last day ends, the moment of its withdrawal tells nothing of what else is held."""

from __future__ import annotations

import pytest

from samsyn.base import limits
from samsyn.base.clock import DAY_US, HOUR_US, SECOND_US, iso, parse_iso
from samsyn.desk import retention
from samsyn.desk.retention import Retention
from samsyn.statements import expired
from samsyn.statements.expired import Expired
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft, Statement
from tests.noninterference.pool import BALTIC, KEYS, slots_of
from tests.noninterference.world import Answer, World

TICKS = 60
TICK_US = SECOND_US // 2


def kept_until(day: str, marking: str) -> Statement:
    draft = Draft(
        kind="report",
        marking=marking,
        onward="ask",
        exercise=True,
        slots=slots_of("report", BALTIC, False),
        retain_until=day,
    )
    return sign(draft, iss="dk", key=KEYS["dk"].statement)


DAY = "2026-11-21"
TOLD = [kept_until(DAY, "TLP:AMBER") for _ in range(2)]
SECRETS = [kept_until(DAY, "TLP:RED") for _ in range(9)]


def seen(secrets: list[Statement]) -> list[Answer]:
    """fi asks at each tick round midnight; between what it was told lies what it was not."""
    with World() as world:
        world.db._writer.executescript(expired.SCHEMA)
        keeping = Retention(
            world.db,
            world.statements,
            Expired(world.db),
            world.outbox,
            world.diary,
            rules=(),
            keep_personal_us=365 * DAY_US,
            clock=world.clock,
        )
        for statement in [TOLD[0], *secrets, TOLD[1]]:
            world.statements.put(statement, None, world.clock.now_us())
            world.outbox.put("release", statement.jti, 1)
        midnight_us = parse_iso(f"{DAY}T00:00:00Z") + DAY_US
        for at_us in (world.clock.now_us(), midnight_us - HOUR_US, midnight_us - TICKS * TICK_US // 2):
            world.clock.set(at_us)
            for _ in range(TICKS):
                keeping.step()
                world.tick()
                world.clock.advance(TICK_US)
                if at_us > midnight_us - HOUR_US:
                    world.look("fi", "/exchange/checkpoint")
        world.look_at_everything("fi")
        assert iso(world.clock.now_us()) > DAY
        return world.seen


def test_the_moment_of_a_withdrawal_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies are looked at two in a tick: what lies between two of its statements must not part them."""
    monkeypatch.setattr(limits, "RETENTION_SLICE", 2)
    monkeypatch.setattr(limits, "REQUESTS_PER_MINUTE", 1000)
    quiet, busy = seen([]), seen(SECRETS)
    assert quiet == busy
    sizes = [int(a.body.split(b"\n")[1]) for a in quiet if a.asked.endswith("checkpoint") and a.body]
    assert set(sizes) == {4, 6}  # both went in one tick; released and widened they were before


def test_it_would_tell_if_each_went_when_it_is_come_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with what was done before: nothing remembered, everything let go at once."""
    monkeypatch.setattr(limits, "RETENTION_SLICE", 2)
    monkeypatch.setattr(limits, "REQUESTS_PER_MINUTE", 1000)
    monkeypatch.setattr(retention, "AHEAD_US", 0)

    def come_by(self: Retention, stored: object, now_us: int) -> None:
        end_us = self._end_us(stored)  # type: ignore[arg-type]
        if end_us is not None and end_us <= now_us:
            self._coming[stored.jti, stored.ver] = end_us  # type: ignore[attr-defined]

    monkeypatch.setattr(Retention, "_note", come_by)
    assert seen([]) != seen(SECRETS)
