"""What the compiled reader says of the ladders of time and place is what `ladder.py` says."""

from __future__ import annotations

from itertools import product
from types import ModuleType

import orjson
import pytest

from samsyn.base import limits
from samsyn.statements import read as reading
from samsyn.statements.forms import FORMS
from samsyn.statements.ladder import is_cell_over, place_ladder, time_ladder
from tests.statements import presentations
from tests.statements.test_compiled import built, outcome, restored

__all__ = ["built", "restored"]  # fixtures

Said = dict[str, bytes]

INSTANT: Said = {slot: orjson.dumps(value) for slot, value in time_ladder(1_700_000_000_000_000).items()}
LATER: Said = {slot: orjson.dumps(value) for slot, value in time_ladder(1_700_004_000_000_000).items()}
NEXT: Said = {slot: orjson.dumps(value) for slot, value in time_ladder(1_700_086_400_000_000).items()}
TIMES = ("time.day", "time.hour", "time.exact")
PLACES = ("place.region", "place.area", "place.spot", "place.exact")


def _point(lon: float, lat: float) -> Said:
    said = place_ladder({"type": "Point", "coordinates": [lon, lat]})
    return {slot: orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for slot, value in said.items()}


HERE, THERE = _point(10.5, 54.25), _point(-74, -33)
BESIDE = _point(10.55, 54.25)  # of the same area, in another spot


def _presented(said: Said) -> bytes:
    return presentations.spelt(
        *[b'["s","%b",%b]' % (slot.encode(), said[slot]) for slot in sorted(said)]
    )


def _alike(said: Said, built: ModuleType) -> bytes:
    presentation = _presented(said)
    assert outcome(presentation, built) == outcome(presentation, None), said
    return presentation


def _decided(said: Said, built: ModuleType) -> bool:
    """Whether none of its values is made, and the rules agree."""
    presentation = _alike(said, built)
    reading.compiled = built
    ours = reading.take_ours(presentation)
    return ours is not None and ours[4] == {}


@pytest.mark.parametrize("slots", [*product((0, 1), repeat=3)], ids=str)
def test_rungs_of_one_instant_are_told_and_of_two_left_to_the_rules(
    built: ModuleType, slots: tuple[int, ...]
) -> None:
    there = [slot for slot, one in zip(TIMES, slots, strict=True) if one]
    assert _decided({slot: INSTANT[slot] for slot in there}, built)
    for whose in product((INSTANT, LATER, NEXT), repeat=len(there)):
        said = {slot: one[slot] for slot, one in zip(there, whose, strict=True)}
        right = outcome(_presented(said), None)[0] == "read"
        assert _decided(said, built) == right, said


@pytest.mark.parametrize("slot", TIMES)
def test_each_character_of_a_time_is_looked_at(built: ModuleType, slot: str) -> None:
    whole = INSTANT[slot]
    for at in range(1, len(whole)):
        for other in b"019-:TZx./":
            changed = whole[:at] + bytes([other]) + whole[at + 1 :]
            _decided({slot: changed}, built)
            _decided({**INSTANT, slot: changed}, built)
        _decided({slot: whole[:at] + whole[at + 1 :]}, built)
        _decided({slot: whole[:at] + b"0" + whole[at:]}, built)
    for value in (b"null", b"1", b"[]", b'"\\u0032' + whole[2:], b'"\xc3\xa5' + whole[3:], b'""'):
        assert not _decided({slot: value}, built)


def test_the_calendar_is_kept(built: ModuleType) -> None:
    for year, month, day in product(
        (1000, 1900, 2000, 2023, 2024), range(14), (0, 1, 28, 29, 30, 31, 32)
    ):
        said = {"time.day": b'"%d-%02d-%02d"' % (year, month, day)}
        assert _decided(said, built) == (outcome(_presented(said), None)[0] == "read"), said


@pytest.mark.parametrize(
    "clock", ["00:00:00", "23:59:59", "24:00:00", "23:60:00", "23:59:60", "29:00:00"]
)
def test_so_is_the_clock(built: ModuleType, clock: str) -> None:
    right = clock in ("00:00:00", "23:59:59")
    assert _decided({"time.exact": b'"2026-11-21T%bZ"' % clock.encode()}, built) == right
    assert _decided({"time.hour": b'"2026-11-21T%bZ"' % clock[:2].encode()}, built) == (clock[:2] < "24")


@pytest.mark.parametrize("slots", [*product((0, 1), repeat=3)], ids=str)
def test_cells_over_a_point_are_told_and_others_left_to_the_rules(
    built: ModuleType, slots: tuple[int, ...]
) -> None:
    there = [slot for slot, one in zip(PLACES, slots, strict=False) if one]
    for whose in product((HERE, BESIDE, THERE), repeat=len(there)):
        said = {slot: one[slot] for slot, one in zip(there, whose, strict=True)}
        _alike({**said, "place.exact": HERE["place.exact"]}, built)
        assert _decided(said, built) == (not there)  # without a point they are the rules'
    for whole in (HERE, THERE):
        said = {slot: whole[slot] for slot in [*there, "place.exact"]}
        assert _decided(said, built)
        ours = reading.take_ours(_presented(said))
        assert ours is not None and (ours[6] is not None) == bool(there)
        assert ours[6] is None or is_cell_over(*ours[6])


def test_a_cell_between_that_is_not_above_the_finest_is_found(built: ModuleType) -> None:
    for slot in PLACES[:2]:
        assert not _decided({**HERE, slot: THERE[slot]}, built)


def test_cells_of_which_none_is_above_the_point_are_found(built: ModuleType) -> None:
    for slot in PLACES[:3]:
        two = orjson.dumps(sorted(orjson.loads(one[slot])[0] for one in (THERE, _point(100, 3))))
        presentation = _alike({**HERE, slot: two}, built)
        assert outcome(presentation, built)[:2] == ("refused", "finer-outside-coarser")


def test_each_character_of_a_cell_is_looked_at(built: ModuleType) -> None:
    for slot in PLACES[:3]:
        cell = HERE[slot]
        for at in range(len(cell)):
            for other in b'0fFg"[]/:`':
                _alike({**HERE, slot: cell[:at] + bytes([other]) + cell[at + 1 :]}, built)
        one = cell[1:-1]
        for odd in (
            b"[%b,%b]" % (one, one),
            b"[]",
            b'["%b"]' % cell[2:-2].upper(),
            one,
            b'["0%b]' % one[1:],
        ):
            assert not _decided({**HERE, slot: odd}, built), odd
        alone = {slot: cell, "place.exact": HERE["place.exact"]}
        for digit in range(15):  # another cell than the one over the point, also one that is none
            other = (
                cell[: 2 + digit] + (b"1" if cell[2 + digit] != ord("1") else b"2") + cell[3 + digit :]
            )
            _alike({**alone, slot: other}, built)


RIGHT = [b"[10,54]", b"[180,90]", b"[-180,-90]", b"[-0.5,0.25]", b"[10.1234567890123,0]", b"[0,0.0]"]
ODD = [b"[181,0]", b"[0,91]", b"[-181,0]", b"[0,-90.00001]", b"[180.0000000001,0]", b"[0,90.0000000001]"]
ODD += [b"[-0,0]", b"[0,-0.0]", b"[1e1,54]", b"[10,54E0]", b"[10.12345678901234,0]", b"[0,1,2]", b"[10]"]
ODD += [
    b"[]",
    b'["10",54]',
    b"[true,54]",
    b"[null,54]",
    b"[[10,54]]",
    b"[010,54]",
    b"[10,54.]",
    b"[10,]",
]
ODD += [b"[10 ,54]", b"[1,%b]" % (b"0." + b"1" * 40), b"{}", b"[1%b,0]" % (b"0" * 17), b"[1,1", b"[1;1]"]


@pytest.mark.parametrize("position", [*RIGHT, *ODD], ids=str)
def test_a_point_is_told_from_what_is_none(built: ModuleType, position: bytes) -> None:
    said = {"place.exact": b'{"coordinates":%b,"type":"Point"}' % position}
    assert _decided(said, built) == (position in RIGHT)
    for slot in PLACES[:3]:
        _alike({**said, slot: HERE[slot]}, built)


OTHERS = [
    b'{"type":"Point","coordinates":[10,54]}',
    b'{"coordinates":[10,54],"type":"Pointy"}',
    b'{"coordinates":[10,54],"type":"point"}',
    b'{"coordinates":[10,54],"type":"Point","x":1}',
    b'{"coordinates":[10,54]}',
    b'{"coordinates":[[10,54],[11,54]],"type":"LineString"}',
    b'{"coordinates":[[[10,54],[11,54],[11,55],[10,54]]],"type":"Polygon"}',
    b"null",
    b'"x"',
]


@pytest.mark.parametrize("value", OTHERS, ids=str)
def test_other_places_are_left_to_the_rules(built: ModuleType, value: bytes) -> None:
    assert not _decided({"place.exact": value}, built)
    assert not _decided({**HERE, "place.exact": value}, built)
    _alike({**INSTANT, **HERE, "place.exact": value, "time.day": b"1"}, built)


def test_where_one_ladder_is_odd_only_its_rungs_are_made(built: ModuleType) -> None:
    for odd in ({"time.day": NEXT["time.day"]}, {"time.hour": b"1"}):
        ours = reading.take_ours(_presented({**INSTANT, **HERE, **odd}))
        assert ours is not None and sorted(ours[4]) == sorted(TIMES)
    for odd in ({"place.area": THERE["place.area"]}, {"place.exact": b"{}"}):
        ours = reading.take_ours(_presented({**INSTANT, **HERE, **odd}))
        assert ours is not None and sorted(ours[4]) == sorted(PLACES)


def test_a_cell_that_is_not_over_the_point_is_refused(built: ModuleType) -> None:
    said = {**_point(10.5, 54.25), "place.exact": BESIDE["place.exact"]}
    reading.compiled = built
    assert outcome(_presented(said), built)[:2] == ("refused", "finer-outside-coarser")


def test_a_point_is_no_deeper_than_a_value_may_be(built: ModuleType) -> None:
    presentation = _presented({"place.exact": HERE["place.exact"]})
    for depth in (2, 3):
        found = built.take_apart(
            presentation, limits.STATEMENT_SLOTS, limits.DISCLOSURE_BYTES, depth, FORMS
        )
        assert (found is not None) == (depth == 3)


def test_values_of_a_ladder_are_there_when_asked_for(built: ModuleType) -> None:
    reading.compiled = built
    found = reading.read(_presented({**INSTANT, **HERE})).statement.slots
    assert isinstance(found, reading.Slots) and found.made == {}
    assert found["time.exact"] == "2023-11-14T22:13:20Z"
    assert found["place.exact"] == {"type": "Point", "coordinates": [10.5, 54.25]}
