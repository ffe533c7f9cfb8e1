"""The symbol that a craft is drawn with, here and in partners' systems: from what it says of itself.

A code has twenty digits, as MIL-STD-2525D and APP-6(D) have them: version, context (0 reality, 1
exercise), standard identity, symbol set (01 air, 30 sea surface), status, and what it is. The identity
is always *unknown*: who hears a craft does not know whose side it is on, and a type that a ship says of
herself is an observation, no attribution. Cursor on Target says the same in letters (a-u-S-X-M-C).
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_UNKNOWN: Final = "1"  # standard identity; never another one
_AIR_SET: Final = "01"
_SEA_SET: Final = "30"
_NO_TYPE: Final = 255  # a ship that has not said hers
_MMSI_BITS: Final = 32
_SAR_AIRCRAFT: Final = 111  # how their MMSI begin (ITU-R M.585)


class _Sort(NamedTuple):
    """entity: of the symbol set. letters: of Cursor on Target, after the domain. said: the AIS types
    (ITU-R M.1371, table 53) that mean it; the first stands for all of them on the way back."""

    entity: str
    letters: str
    said: tuple[int, ...]


_UNSAID: Final = _Sort("000000", "", (0,))
# what the standards have no symbol for (pilots, tenders, rescue boats, fast craft) is civilian, no more
_NO_SYMBOL: Final = (90, *range(20, 30), *range(40, 50), 34, 50, 51, 53, 54, 56, 57, 59, *range(91, 100))
_SHIPS: Final = (
    _UNSAID,
    _Sort("140000", "X", _NO_SYMBOL),
    _Sort("140200", "X-F", (30,)),
    _Sort("140112", "X-M-T-O", (31, 32)),
    _Sort("140103", "X-M-D", (33,)),
    _Sort("110000", "", (35,)),
    _Sort("140400", "X-R", (36,)),
    _Sort("140500", "X-A", (37,)),
    _Sort("140111", "X-M-T", (52,)),
    _Sort("140300", "X-L", (55,)),
    _Sort("140116", "", (58,)),
    _Sort("140110", "X-M-P", tuple(range(60, 70))),
    _Sort("140101", "X-M-C", tuple(range(70, 80))),
    _Sort("140109", "X-M-O", tuple(range(80, 90))),
)  # fmt: skip
_AIRCRAFT: Final = len(_SHIPS)  # nothing that they say tells what they are

_INDEX: Final = np.zeros(256, dtype=np.uint8)
for _at, _sort in enumerate(_SHIPS):
    _INDEX[list(_sort.said)] = _at

_CODE: Final = re.compile(r"\d{4}30\d{4}(\d{6})\d{4}(?:\d{10})?")
_OF_ENTITY: Final = {sort.entity: sort.said[0] for sort in _SHIPS[1:]}
_OF_LETTERS: Final = {sort.letters: sort.said[0] for sort in _SHIPS if sort.letters}


def codes(*, exercise: bool) -> list[str]:
    """All the codes that there are, in the order of `index`."""
    sea = [_code(_SEA_SET, sort.entity, exercise) for sort in _SHIPS]
    return [*sea, _code(_AIR_SET, "000000", exercise)]


def index(craft: Array, ship_type: Array) -> npt.NDArray[np.uint8]:
    """Which of `codes` each craft has. craft: keys; ship_type: AIS types, 255 where none was said."""
    number, domain = craft & ((1 << _MMSI_BITS) - 1), craft >> _MMSI_BITS
    flies = (domain % 2 == 0) | ((domain == 1) & (number // 1_000_000 == _SAR_AIRCRAFT))
    return np.where(flies, np.uint8(_AIRCRAFT), _INDEX[ship_type])


def drawn(craft: int, ship_type: int | None, *, exercise: bool) -> tuple[str, str]:
    """One craft's code, and its type in Cursor on Target: `a-u-S-X-M-C` (a: a thing, u: unknown).
    craft: its key."""
    said = _NO_TYPE if ship_type is None else ship_type
    at = int(index(np.array([craft]), np.array([said], dtype=np.uint8))[0])
    letters = "" if at == _AIRCRAFT else _SHIPS[at].letters
    type_ = "a-u-A" if at == _AIRCRAFT else "-".join(filter(None, ("a-u-S", letters)))
    return codes(exercise=exercise)[at], type_


def ship_type_of(code: str, cot: str) -> int | None:
    """The AIS type of a ship that somebody else drew so; None where it tells none.

    code: twenty or thirty digits, or anything else; cot: a type of Cursor on Target. Whom they took her
    for (friend, hostile) is their judgement, not what she is, and is not read.
    """
    found = _CODE.fullmatch(code)
    if found and found[1] in _OF_ENTITY:
        return _OF_ENTITY[found[1]]
    parts = cot.split("-")[3:] if cot[4:5] == "S" else []
    while parts:
        said = _OF_LETTERS.get("-".join(parts))
        if said is not None:
            return said
        parts.pop()  # a trawler is a fishing vessel
    return None


def _code(symbol_set: str, entity: str, exercise: bool) -> str:
    return f"10{int(exercise)}{_UNKNOWN}{symbol_set}0000{entity}0000"
