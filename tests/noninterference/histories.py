"""Pairs of histories from a seed: what happens in both, and what only in one of them.

From a seed and not drawn by Hypothesis, which repeats itself and prefers what comes first: of 500
pairs drawn by it sixteen said anything secret. `smallest` does what its shrinking would.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from samsyn.base.clock import HOUR_US, MINUTE_US, SECOND_US
from tests.noninterference.acts import Act, choose, common, play, secret
from tests.noninterference.rules import LEVELS
from tests.noninterference.world import Answer, World

SEERS = ("ee", "fi", "fi", "no")
"""Readers by a circle alone, by name with much withheld, and without any rule."""

WAITS_US = (SECOND_US // 2, 30 * SECOND_US, 3 * MINUTE_US, 10 * MINUTE_US, 2 * HOUR_US)
IN_ONE = ((False, True), (True, False), (True, True))


class Doing(NamedTuple):
    """An act, and in which of the two histories it happens."""

    act: Act
    in_a: bool
    in_b: bool


class Step(NamedTuple):
    """What is done, in order; then the door ticks and X looks. `wait_us`: before all that."""

    wait_us: int
    doings: tuple[Doing, ...]


class Pair(NamedTuple):
    """Two histories that differ only in what reader `x` may not have."""

    x: str
    steps: tuple[Step, ...]


def pair(seed: int, levels: int = LEVELS, seers: tuple[str, ...] = SEERS) -> Pair:
    r = Random(seed)
    x = r.choice(seers)
    both, one = common(x, levels), secret(x)

    def doing() -> Doing:
        if r.random() < 0.45:
            return Doing(choose(both, r), True, True)
        return Doing(choose(one, r), *r.choice(IN_ONE))

    steps = [
        Step(r.choice(WAITS_US), tuple(doing() for _ in range(r.randint(1, 8))))
        for _ in range(r.randint(2, 4))
    ]
    return Pair(x, tuple(steps))


def seen(pair: Pair, b: bool, *, twins: bool = False) -> list[Answer]:
    """Everything that the pair's reader can see of one of the two histories."""
    with World(twins=twins) as world:
        for step in pair.steps:
            world.clock.advance(step.wait_us)
            for doing in step.doings:
                if doing.in_b if b else doing.in_a:
                    play(world, doing.act)
            world.tick()
            world.follow(pair.x)
        world.look_at_everything(pair.x)
        return world.seen


def same(pair: Pair) -> bool:
    """Whether the reader sees the same bytes of both."""
    return seen(pair, False) == seen(pair, True)


def smallest(pair: Pair, holds: Callable[[Pair], bool]) -> Pair:
    """Of a pair for which `holds` is false, one from which nothing more can be left out."""
    tried = -1
    while tried:
        tried = 0
        for smaller in _smaller(pair):
            if not holds(smaller):
                pair, tried = smaller, 1
                break
    return pair


def _smaller(pair: Pair) -> list[Pair]:
    steps = list(pair.steps)
    made = [steps[:n] + steps[n + 1 :] for n in range(len(steps))]
    for n, step in enumerate(steps):
        for m in range(len(step.doings)):
            less = step._replace(doings=step.doings[:m] + step.doings[m + 1 :])
            made.append([*steps[:n], less, *steps[n + 1 :]])
    return [pair._replace(steps=tuple(less)) for less in made]


def first_difference(a: list[Answer], b: list[Answer]) -> str:
    """Where two transcripts part, for a person; empty where they are the same."""
    for n, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return f"answer {n}:\n  a: {one}\n  b: {other}"
    return "" if len(a) == len(b) else f"{len(a)} answers and {len(b)}"


def told(pair: Pair) -> str:
    """The smallest failing pair and where it fails."""
    less = smallest(pair, same)
    return f"{less}\n{first_difference(seen(less, False), seen(less, True))}"
