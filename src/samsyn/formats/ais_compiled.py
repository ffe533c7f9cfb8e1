"""AIS sentences to messages with compiled code (`_ais.c`), a piece of input at a time.

Which field lies where and how it becomes a value is handed to it as a plan, made of the same tables
(`ais_layouts`) that the reader in numpy goes by. Which of the two runs changes nothing but the time.
"""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from samsyn.base import limits
from samsyn.formats.ais_layouts import LAYOUTS, TEXTS, Kind, Layout, fields_of, second_of
from samsyn.formats.ais_messages import Messages
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown
from samsyn.formats.nmea import NO_TIME

_FORM: Final = 1  # of what `_ais` takes and gives
built: ModuleType | None
try:
    from samsyn.formats import _ais

    built = _ais if getattr(_ais, "FORM", 0) == _FORM else None  # else built from older sources
except ImportError:  # built without a C compiler
    built = None

Array = npt.NDArray[Any]

_FLOATS: Final = ("lat", "lon", "altitude_ft", "speed_kn", "course_deg", "heading_deg")
_CODES: Final = ("nav_status", "ship_type", "position_accurate", "raim")
_TEXTS: Final = ("callsign", "name", "text")
_PLACES: Final = {**dict.fromkeys(range(1, 28)), 24: "24A", 28: "24B", 29: "24B auxiliary"}
_LAYOUT_ROOM: Final = 32
_REFUSALS_A_LINE: Final = 4
_TEXTS_A_LINE: Final = 2
_OPEN_CHARACTERS: Final = 16 * limits.KIB  # of texts whose messages began in an earlier piece
# By the numbers of `_ais.c`. Told in the order of the other reader, parts of messages as they came.
_REASONS: Final = (
    "line-too-long", "not-nmea", "malformed", "checksum", "tag-block", "malformed", "fragment-orphan",
    "fragment-missing", "payload", "unknown-type", "too-short",
)  # fmt: skip
_STAGES: Final = np.array([0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9])
_SHOWN: Final = 5  # reasons up to this one are told with their line


class _Plan(NamedTuple):
    layouts: Array
    fields: Array
    factors: Array
    columns: dict[int, tuple[str, ...]]  # of a place in `layouts`


def _plan() -> _Plan:
    layouts = np.tile(np.array([0, 0, -1, -1], np.int64), (_LAYOUT_ROOM, 1))
    fields: list[tuple[int, ...]] = []
    factors: list[float] = []
    columns: dict[int, tuple[str, ...]] = {}
    for place, name in _PLACES.items():
        layout = LAYOUTS.get(name or place)
        if layout is None:
            continue
        begin = len(fields)
        for line, factor in _lines(layout):
            fields.append(line)
            factors.append(factor)
        needed, second = layout.field(layout.needed), second_of(layout)
        layouts[place] = (
            begin,
            len(fields),
            needed.offset + needed.width,
            second.offset if second else -1,
        )
        read = [column for column, _ in layout.numbers.values()]
        columns[place] = (*read, *(TEXTS[text] for text in layout.texts))
    return _Plan(layouts, np.array(fields, np.int64), np.array(factors), columns)


def _lines(layout: Layout) -> list[tuple[tuple[int, ...], float]]:
    """The fields of a layout as `_ais.c` has them, and the factor of each."""
    made: list[tuple[tuple[int, ...], float]] = []
    for name, field in fields_of(layout.pyais_class).items():
        if name in layout.numbers:
            column, how = layout.numbers[name]
            place = (_FLOATS if column in _FLOATS else _CODES).index(column)
            line = (place, how.kind, *field, how.absent, int(how.factor))
            made.append((line, how.factor))
        elif name in layout.texts:
            made.append(((_TEXTS.index(TEXTS[name]), Kind.TEXT, *field, 0, 0), 1.0))
    return made


_PLAN: Final = _plan()


class CompiledReader:
    """Sentences of one stream, piece by piece. Only where `built` is not None."""

    def __init__(self) -> None:
        assert built is not None
        self._read = built.read
        self._close = built.close
        self._state = np.zeros(built.STATE_BYTES, np.uint8)
        self._lines = 0
        self._last = (NO_TIME, int(TimeSource.RECEIVED))
        self.said_time = False

    def read(self, data: bytes, out: Decoded) -> Messages:
        """The messages that become whole in `data`; refusals are counted in `out`."""
        room = data.count(b"\n")
        longs = np.empty((3, room), np.int64)  # time, MMSI, line
        bytes_ = np.empty((3, room), np.uint8)  # time source, type, second
        floats = np.empty((len(_FLOATS), room))
        codes, there = np.empty((2, len(_CODES), room), np.uint8)
        counts, made = np.zeros(28, np.int64), np.zeros(_LAYOUT_ROOM, np.int64)
        texts = np.empty((_TEXTS_A_LINE * room, 4), np.int64)
        characters = np.empty(len(data) + _OPEN_CHARACTERS, np.uint8)
        refusals = np.empty((_REFUSALS_A_LINE * room, 5), np.int64)
        rows, said, refused, self._lines, *last, self.said_time = self._read(
            self._lines, *self._last, limits.LINE_BYTES, room,
            (data, self._state, *_PLAN[:3]),
            (*longs, *bytes_, floats, codes, there, counts, made, texts, characters, refusals),
        )  # fmt: skip
        self._last = (last[0], last[1])
        out.lines += room
        for message_type in np.flatnonzero(counts).tolist():
            out.types[str(message_type)] += int(counts[message_type])
        out.messages += int(counts.sum())
        if refused:
            _tell(refusals[:refused], data, out)
        values = _values(made, floats[:, :rows], codes[:, :rows], there[:, :rows])
        _put_texts(values, rows, texts[:said], characters)
        time_us, mmsi, line = longs[:, :rows]
        time_source, kind, second = bytes_[:, :rows]
        return Messages(time_us, time_source, line, mmsi, kind, second, values)

    def forget_time(self) -> None:
        """The last time that the stream said is too old for what comes now."""
        self._last = (NO_TIME, int(TimeSource.RECEIVED))

    def finish(self, out: Decoded) -> None:
        """The stream has ended: messages still open will never be whole."""
        for line in self._close(self._state):
            out.refuse("fragment-missing", line=line)


def _values(made: Array, floats: Array, codes: Array, there: Array) -> dict[str, Any]:
    """The columns that the kinds of message in this piece have; of texts all None."""
    names = {name for place in np.flatnonzero(made).tolist() for name in _PLAN.columns[place]}
    values: dict[str, Any] = {name: floats[i] for i, name in enumerate(_FLOATS) if name in names}
    for i, name in enumerate(_CODES):
        if name in names:
            held = codes[i] if i < 2 else codes[i].astype(bool)
            values[name] = np.ma.MaskedArray(held, there[i] == 0)
    for name in _TEXTS:
        if name in names:
            values[name] = [None] * floats.shape[1]
    return values


def _put_texts(values: dict[str, Any], rows: int, texts: Array, characters: Array) -> None:
    if not len(texts):
        return
    all_text = characters[: int(texts[-1, 2] + texts[-1, 3])].tobytes().decode("ascii")
    lists = [values.get(name) for name in _TEXTS]
    for column, row, begin, length in texts.tolist():
        lists[column][row] = all_text[begin : begin + length]


def _tell(refusals: Array, data: bytes, out: Decoded) -> None:
    """Counts what was refused; tells the first of each reason, in the order of the other reader."""
    reasons = refusals[:, 0]
    beside = Counter(data[at : at + 6] for at in refusals[reasons < 0, 2].tolist())  # GPS and others
    for begins, count in beside.items():
        out.types[shown(begins.split(b",")[0])] += count
    refusals = refusals[reasons >= 0]
    refusals = refusals[np.argsort(_STAGES[refusals[:, 0]], kind="stable")]
    kept = limits.FEED_PROBLEMS_KEPT
    for reason, line, start, end, kind in refusals[:kept].tolist():
        detail = shown(data[start:end]) if reason <= _SHOWN else f"type {kind}" if kind >= 0 else ""
        out.refuse(_REASONS[reason], line=line, detail=detail)
    for reason, count in enumerate(np.bincount(refusals[kept:, 0], minlength=1).tolist()):
        if count:
            out.refused[_REASONS[reason]] += count
