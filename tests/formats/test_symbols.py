"""The one code that a craft's symbol has: what it says of itself, and never whose side it is on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.formats import symbols
from samsyn.formats.ais import SEA_DOMAIN
from samsyn.formats.states import AIR_DOMAIN

SHIP, AIRCRAFT, SAR = SEA_DOMAIN + 219_000_123, AIR_DOMAIN + 0x4CA123, SEA_DOMAIN + 111_219_501

crafts = st.integers(SEA_DOMAIN, SEA_DOMAIN + 999_999_999) | st.integers(
    AIR_DOMAIN, AIR_DOMAIN + 0xFFFFFF
)
types = st.none() | st.integers(0, 255)


@given(craft=crafts, ship_type=types, exercise=st.booleans())
def test_everybody_is_unknown_and_an_exercise_is_told(
    craft: int, ship_type: int | None, exercise: bool
) -> None:
    code, cot = symbols.drawn(craft, ship_type, exercise=exercise)
    assert len(code) == 20 and code.isdigit() and code[:2] == "10"
    assert code[2] == str(int(exercise))
    assert code[3] == "1" and cot.startswith("a-u-")  # unknown: never friend, suspect or hostile
    assert code[4:6] == ("01" if cot == "a-u-A" else "30")
    assert code in symbols.codes(exercise=exercise)


@pytest.mark.parametrize(
    ("ship_type", "entity", "cot"),
    [
        (None, "000000", "a-u-S"), (0, "000000", "a-u-S"), (30, "140200", "a-u-S-X-F"),
        (31, "140112", "a-u-S-X-M-T-O"), (35, "110000", "a-u-S"), (36, "140400", "a-u-S-X-R"),
        (37, "140500", "a-u-S-X-A"), (52, "140111", "a-u-S-X-M-T"), (55, "140300", "a-u-S-X-L"),
        (60, "140110", "a-u-S-X-M-P"), (74, "140101", "a-u-S-X-M-C"), (89, "140109", "a-u-S-X-M-O"),
        (51, "140000", "a-u-S-X"), (255, "000000", "a-u-S"),
    ],
)  # fmt: skip
def test_a_ship_is_drawn_as_what_she_says(ship_type: int | None, entity: str, cot: str) -> None:
    assert symbols.drawn(SHIP, ship_type, exercise=False) == (f"1001300000{entity}0000", cot)


def test_what_flies_is_an_aircraft_also_with_a_ships_number() -> None:
    for craft in (AIRCRAFT, SAR):  # a rescue aircraft speaks as ships do
        assert symbols.drawn(craft, 70, exercise=True) == ("10110100000000000000", "a-u-A")


@given(ship_type=types)
def test_what_we_draw_is_read_back_as_the_same(ship_type: int | None) -> None:
    code, cot = symbols.drawn(SHIP, ship_type, exercise=False)
    back = symbols.ship_type_of(code, "")
    assert symbols.drawn(SHIP, back, exercise=False) == (code, cot)
    letters = symbols.ship_type_of("", cot)
    assert symbols.drawn(SHIP, letters, exercise=False)[1] == cot


@pytest.mark.parametrize(
    ("code", "cot", "ship_type"),
    [
        ("", "a-h-S-X-F-T-R", 30),  # a trawler, whosever
        ("", "a-f-S-X-M", 90), ("", "a-f-S", None), ("", "a-f-G-U-C", None), ("", "a-f-A-C-F", None),
        ("10063000001401090000", "a-h-S", 80),  # hostile: their word, and not read
        ("100330000014010900001234567890", "a-f-S", 80),
        ("10033000001401090000x", "a-f-S-X-F", 30), ("SFSPXMO----", "a-f-S", None),
    ],
)  # fmt: skip
def test_what_others_draw_tells_the_type_and_no_side(code: str, cot: str, ship_type: int | None) -> None:
    assert symbols.ship_type_of(code, cot) == ship_type


def test_many_at_once() -> None:
    craft = np.array([SHIP, SHIP, AIRCRAFT, SAR], dtype=np.int64)
    told = symbols.index(craft, np.array([70, 255, 70, 70], dtype=np.uint8))
    codes = symbols.codes(exercise=False)
    assert [codes[i][4:16] for i in told] == [
        "300000140101", "300000000000", "010000000000", "010000000000",
    ]  # fmt: skip
    assert len(set(codes)) == len(codes) < 256
