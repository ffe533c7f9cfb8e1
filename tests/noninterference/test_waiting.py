"""A partner that waits for news is woken neither by what is none of its business nor too late."""

from __future__ import annotations

import asyncio

import pytest

from samsyn.exchange.bell import Bell
from tests.noninterference.world import Answer, World

SECRET, TOLD = 10, 0  # numbers in the pool: for se alone, and for all


async def until_waiting(bell: Bell, task: asyncio.Task[Answer]) -> None:
    """The request has been answered, or has looked and lies in wait."""
    while not bell._waiting and not task.done():
        await asyncio.sleep(0)


async def waits(world: World, others: int) -> list[Answer]:
    """fi asks to be told when its channel grows; others get something `others` times; then fi does."""
    task = asyncio.ensure_future(world.asking("fi", "/exchange/live?after=0"))
    await until_waiting(world.bell, task)
    for _ in range(others):
        world.say(SECRET, 1)
        world.outbox.put("release", world.version(SECRET, 1).jti, 1)
        world.tick()
        world.bell.ring()
        await asyncio.sleep(0)
        await until_waiting(world.bell, task)
    answered_early = task.done()
    world.say(TOLD, 1)
    world.tick()
    answer = await task
    assert not answered_early
    return [answer]


@pytest.mark.parametrize("others", [0, 1, 5])
def test_a_ring_for_others_wakes_nobody(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samsyn.base.limits.LIVE_WAIT_S", 20.0)
    with World() as world, World() as quiet:
        told = world._loop.run_until_complete(waits(world, others))
        assert told == quiet._loop.run_until_complete(waits(quiet, 0))
        assert b"\n1\n" in told[0].body
