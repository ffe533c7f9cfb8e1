"""The property is worth what its histories hold: that they are what they say, and that much happens."""

from __future__ import annotations

from collections import Counter

import pytest

from samsyn.base.clock import HOUR_US, MINUTE_US
from tests.noninterference.acts import ACTS, play
from tests.noninterference.histories import SEERS, pair, seen
from tests.noninterference.pool import foreign, pool
from tests.noninterference.rules import LEVELS, READERS, SPELLINGS, Choice
from tests.noninterference.world import World

ROWS = ("0", "1")  # of frames of live tracks
WORDS = ("release", "widen", "withdraw", '"view":null')


def every_choice() -> list[Choice]:
    """All levels against all spellings; at one time all blocks have the same numbers."""
    return [
        tuple((name, level, spelling) for name in ("ee", "fi", "se"))
        for level in range(LEVELS)
        for spelling in range(SPELLINGS)
    ]


def test_what_can_reach_whom_is_what_is_written_beside_it() -> None:
    """By playing each statement alone: `reach` was written by hand."""
    found: dict[int, set[str]] = {n: set() for n in range(len(pool()))}
    foreign_reach: set[str] = set()
    for choice in every_choice():
        with World() as world:
            world.decide_by(choice)
            for n in found:
                world.say(n, 1)
            play(world, ("queue_foreign", "release"))
            for wait_us in (0, 10 * MINUTE_US):
                world.clock.advance(wait_us)
                world.tick()
            foreign_reach |= {d.reader for d in world.door.delivered(foreign().jti)}
            for n in found:
                found[n] |= {d.reader for d in world.door.delivered(pool()[n].jti)}
    assert foreign_reach == {"se"}
    # a circle's second spelling holds se and lv too, which no block of theirs says
    assert {n: got - {"lv"} for n, got in found.items()} == {
        n: set(said.reach) for n, said in enumerate(pool())
    }


def test_a_spelling_changes_nothing_for_its_reader() -> None:
    for reader in SEERS:
        for level in range(LEVELS):
            told = set()
            for spelling in range(SPELLINGS):
                with World() as world:
                    blocks = [(r, level, spelling if r == reader else 0) for r in ("ee", "fi", "se")]
                    world.decide_by(tuple(blocks))
                    for n in range(len(pool())):
                        world.say(n, 1)
                    for _ in range(3):
                        world.tick()
                        world.clock.advance(HOUR_US // 4)
                    world.look_at_everything(reader)
                    told.add(tuple(world.seen))
            assert len(told) == 1, (reader, level)


def test_a_reader_without_a_rule_looks_like_one_with_nothing_to_read() -> None:
    told = set()
    for level in (0, 1):  # a rule, and none
        with World() as world:
            world.decide_by((("ee", level, 0), ("fi", 0, 0), ("se", 0, 0)))
            world.say(10, 1)  # for se alone
            world.tick()
            world.look_at_everything("ee")
            told.add(tuple(world.seen))
    assert len(told) == 1


def test_much_happens() -> None:
    """Every act, in one history and in both; releases, widenings, withdrawals, purges, refusals."""
    acts: Counter[tuple[str, bool, bool]] = Counter()
    statuses: Counter[int] = Counter()
    words: Counter[str] = Counter()
    for drawn in map(pair, range(120)):
        acts.update((d.act[0], d.in_a, d.in_b) for step in drawn.steps for d in step.doings)
        for answer in seen(drawn, True):
            statuses[answer.status] += 1
            text = answer.body.decode("latin-1")
            words.update(w for w in WORDS if w in text)
            words.update(n for n in ROWS if "frame" in answer.asked and f"Z\n{n}\n" in text)
    assert {name for name, _, _ in acts} == set(ACTS)
    assert {(a, b) for _, a, b in acts} == {(True, True), (True, False), (False, True)}
    assert set(statuses) == {0, 200, 404, 409, 429}
    assert min(words[w] for w in WORDS) > 10, words
    assert min(words[n] for n in ROWS) > 10, words  # frames without a track and with one


@pytest.mark.parametrize("who", ["xx", *READERS])
def test_whoever_is_not_let_in_gets_one_answer_whatever_is_behind(who: str) -> None:
    """A stranger, and readers who do not sign: the same reply with nothing said and with much."""
    told = set()
    for count in (0, len(pool())):
        with World() as world:
            for n in range(count):
                world.say(n, 1)
            world.tick()
            for target in ("/exchange/checkpoint", "/exchange/entries?after=0&limit=9", "/exchange/no"):
                answer = world.ask(who, target, signed=who == "xx")
                told.add((answer.status, answer.headers, answer.body))
    assert len(told) == 1 and {status for status, _, _ in told} == {404}
