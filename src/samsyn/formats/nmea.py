r"""NMEA 0183 lines to AIS payloads, a whole piece of input at once.

    \s:2190067,c:1384257600*hh\!BSVDM,1,1,,A,13@:`L001N0ded0O6Fp8wW<00<0t,0*62
     tag block (NMEA 4.0)       talker and type, parts, part, sequence, channel, payload, fill*checksum

    $PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26        the time of the sentences that follow

Checksums are verified here, of sentences and of tag blocks. A sentence without a time of its own has
the last one that its stream said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US
from samsyn.formats.codes import TimeSource
from samsyn.formats.decoded import Decoded, shown

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

NO_TIME: Final = np.iinfo(np.int64).min
OPEN_MESSAGES_MAX: Final = 64  # messages whose later parts are still awaited
PART_LINES_MAX: Final = 1_000  # a later part further away than this belongs to another message
_PAD: Final = bytes(256)  # so that reading a fixed distance past any line stays inside
_HEX: Final = np.full(256, 255, dtype=np.uint8)
for _i, _c in enumerate(b"0123456789ABCDEF"):
    _HEX[_c] = _i
for _i, _c in enumerate(b"abcdef"):
    _HEX[_c] = 10 + _i


@dataclass
class Payloads:
    """The payloads of whole AIS messages, in the order in which they were complete."""

    buffer: Bytes  # all characters; padded past the last payload
    start: Ints
    length: Ints  # characters
    fill_bits: Ints
    line: Ints
    time_us: Ints  # NO_TIME where the stream has said none
    time_source: Ints


class _Part(NamedTuple):
    """A message in several sentences, as far as it has come."""

    heard: int
    payload: bytes
    line: int
    time_us: int
    time_source: int


@dataclass
class _Lines:
    """Where the lines of one piece begin and end, and where their sentences do."""

    buffer: Bytes
    start: Ints
    end: Ints  # of the text, line end excluded
    begin: Ints  # of the sentence, tag block and noise before it skipped
    number: Ints
    running_xor: Bytes
    commas: Ints
    stars: Ints
    slashes: Ints

    def after(self, places: Ints, at: Ints) -> Ints:
        """For each of `at` the first of the sorted `places` not before it, or a place in the padding."""
        found: Ints = np.r_[places, len(self.buffer) - 8][np.searchsorted(places, at)]
        return found

    def commas_after(self, at: Ints, count: int) -> Ints:
        """The first `count` commas after each of `at`, a row each; places in the padding where none."""
        commas = np.r_[self.commas, np.full(count, len(self.buffer) - 8)]
        found: Ints = commas[np.searchsorted(self.commas, at)[:, None] + np.arange(count)]
        return found


class NmeaReader:
    """Reads one stream, piece by piece; remembers open messages, the line number and the last time."""

    def __init__(self) -> None:
        self.lines = 0
        self.said_time = False  # whether the last piece had a time in it
        self._open: dict[tuple[int, ...], _Part] = {}
        self._last = (NO_TIME, int(TimeSource.RECEIVED))

    def read(self, data: bytes, into: Decoded) -> Payloads:
        """The payloads in `data`, which must end with a newline. Refusals are counted in `into`."""
        lines = self._lines_of(data)
        into.lines += len(lines.start)
        first = lines.buffer[lines.begin]
        blank = lines.begin >= lines.end
        too_long = lines.end - lines.start > limits.LINE_BYTES
        noise = ~blank & ~np.isin(first, np.frombuffer(b"!$#", np.uint8))
        framed, fits = _checked(lines)
        candidate = ~blank & ~too_long & ((first == ord("!")) | (first == ord("$")))
        good = candidate & framed & fits
        for reason, wrong in (
            ("line-too-long", too_long),
            ("not-nmea", noise & ~too_long),
            ("malformed", candidate & ~framed),
            ("checksum", candidate & framed & ~fits),
        ):
            _refuse(into, reason, lines, data, np.flatnonzero(wrong))
        _refuse(into, "tag-block", lines, data, np.flatnonzero(_damaged_tag(lines)))
        ais = good & _says(lines, b"!") & (_says(lines, b"VDM", 3) | _says(lines, b"VDO", 3))
        pghp = good & _says(lines, b"$PGHP,1,")
        for i in np.flatnonzero(good & ~ais & ~pghp).tolist():  # GPS and other sentences beside AIS
            at = int(lines.begin[i])
            into.types[shown(data[at : at + 6].split(b",")[0])] += 1
        time_us, time_source = self._times(lines, pghp, ais)
        return self._payloads(lines, data, np.flatnonzero(ais), (time_us, time_source), into)

    def _lines_of(self, data: bytes) -> _Lines:
        buffer = np.frombuffer(data + _PAD, np.uint8)
        end = np.flatnonzero(buffer[: len(data)] == ord("\n"))
        start = np.r_[0, end[:-1] + 1] if len(end) else end
        number = self.lines + 1 + np.arange(len(end))
        self.lines += len(end)
        end = end - ((buffer[end - 1] == ord("\r")) & (end > start))
        tagged = buffer[start] == ord("\\")
        slashes = np.flatnonzero(buffer == ord("\\"))
        closing = np.r_[slashes, len(buffer)][np.searchsorted(slashes, start + 1)]
        begin = np.where(tagged & (closing < end), closing + 1, start)
        # A sentence begins at its last "!": what a disturbed line put before it is no reason to lose it.
        marks = np.flatnonzero(buffer == ord("!"))
        last = np.searchsorted(marks, end) - 1
        mark = marks[np.maximum(last, 0)] if len(marks) else begin
        comment = buffer[start] == ord("#")
        return _Lines(
            buffer=buffer,
            start=start,
            end=end,
            begin=np.where((last >= 0) & (mark > begin) & ~comment, mark, begin),
            number=number,
            running_xor=np.bitwise_xor.accumulate(buffer),
            commas=np.flatnonzero(buffer == ord(",")),
            stars=np.flatnonzero(buffer == ord("*")),
            slashes=slashes,
        )

    def _times(self, lines: _Lines, pghp: Bools, ais: Bools) -> tuple[Ints, Ints]:
        """Time and its source for every line: its own, or the last one said before it."""
        said = np.full(len(lines.start), NO_TIME)
        source = np.zeros(len(lines.start), dtype=np.int64)
        for found, times, kind in (
            (np.flatnonzero(pghp), _pghp_times, TimeSource.PGHP),
            (np.flatnonzero(ais), _trailing_times, TimeSource.RECORDED),
            (np.flatnonzero(lines.begin > lines.start), _tag_times, TimeSource.TAG_BLOCK),
        ):
            time_us = times(lines, found)
            there = time_us != NO_TIME
            said[found[there]] = time_us[there]
            source[found[there]] = kind
        index = np.maximum.accumulate(np.where(said != NO_TIME, np.arange(len(said)), -1))
        time_us = np.where(index >= 0, said[index], self._last[0]) if len(said) else said
        time_source = np.where(index >= 0, source[index], self._last[1]) if len(said) else source
        if len(said):
            self._last = (int(time_us[-1]), int(time_source[-1]))
        self.said_time = bool((said != NO_TIME).any())
        return time_us, time_source

    def forget_time(self) -> None:
        """The last time that the stream said is too old for what comes now."""
        self._last = (NO_TIME, int(TimeSource.RECEIVED))

    def _payloads(
        self, lines: _Lines, data: bytes, rows: Ints, times: tuple[Ints, Ints], into: Decoded
    ) -> Payloads:
        """Takes the sentences `rows` apart and puts messages in several parts together."""
        begin, buffer = lines.begin[rows], lines.buffer
        comma = lines.commas_after(begin, 6)
        star = lines.after(lines.stars, begin)
        parts = buffer[comma[:, 0] + 1].astype(np.int64) - ord("0")
        part = buffer[comma[:, 1] + 1].astype(np.int64) - ord("0")
        fill = buffer[comma[:, 5] + 1].astype(np.int64) - ord("0")
        formed = (comma[:, 0] == begin + 6) & (comma[:, 1] == begin + 8) & (comma[:, 2] == begin + 10)
        formed &= (comma[:, 3] - comma[:, 2] <= 2) & (comma[:, 4] - comma[:, 3] <= 2)
        formed &= (comma[:, 5] + 2 == star) & (fill >= 0) & (fill <= 5)
        formed &= (part >= 1) & (part <= parts) & (parts <= 9) & (comma[:, 5] > comma[:, 4] + 1)
        _refuse(into, "malformed", lines, data, rows[~formed])
        whole = np.flatnonzero(formed & (parts == 1))
        columns = [
            comma[whole, 4] + 1,
            comma[whole, 5] - comma[whole, 4] - 1,
            fill[whole],
            lines.number[rows[whole]],
            times[0][rows[whole]],
            times[1][rows[whole]],
        ]
        extra: list[tuple[int, ...]] = []
        joined = bytearray(data)
        for i in np.flatnonzero(formed & (parts > 1)).tolist():
            key = (
                int(buffer[begin[i] + 1]),
                int(buffer[begin[i] + 2]),
                int(parts[i]),
                int(buffer[comma[i, 2] + 1]),
                int(buffer[comma[i, 3] + 1]),
            )
            here = _Part(
                int(part[i]),
                data[comma[i, 4] + 1 : comma[i, 5]],
                int(lines.number[rows[i]]),
                int(times[0][rows[i]]),
                int(times[1][rows[i]]),
            )
            message = self._join(key, here, into)
            if message is not None:
                at = len(joined)
                joined += message.payload
                extra.append(
                    (
                        at,
                        len(message.payload),
                        int(fill[i]),
                        here.line,
                        message.time_us,
                        message.time_source,
                    )
                )
        if extra:
            columns = [np.r_[old, new] for old, new in zip(columns, np.array(extra).T, strict=True)]
            order = np.argsort(columns[3], kind="stable")
            columns = [column[order] for column in columns]
            buffer = np.frombuffer(bytes(joined) + _PAD, np.uint8)
        return Payloads(buffer, *columns)

    def _join(self, key: tuple[int, ...], here: _Part, into: Decoded) -> _Part | None:
        """Adds one part to its message; the message when it is whole."""
        before = self._open.pop(key, None)
        if here.heard == 1:
            if before is not None:
                into.refuse("fragment-missing", line=before.line)
            if len(self._open) >= OPEN_MESSAGES_MAX:
                oldest = self._open.pop(next(iter(self._open)))
                into.refuse("fragment-missing", line=oldest.line)
            self._open[key] = here
            return None
        follows = before is not None and before.heard == here.heard - 1
        if before is None or not follows or not _near(before, here):
            into.refuse("fragment-orphan", line=here.line)
            if before is not None:
                into.refuse("fragment-missing", line=before.line)
            return None
        grown = before._replace(heard=here.heard, payload=before.payload + here.payload, line=here.line)
        if here.heard == key[2]:
            return grown
        self._open[key] = grown
        return None

    def finish(self, into: Decoded) -> None:
        """The stream has ended: messages still open will never be whole."""
        for part in self._open.values():
            into.refuse("fragment-missing", line=part.line)
        self._open.clear()


def _near(before: _Part, here: _Part) -> bool:
    apart_us = abs(here.time_us - before.time_us) if NO_TIME not in (here.time_us, before.time_us) else 0
    return here.line - before.line <= PART_LINES_MAX and apart_us <= MINUTE_US


def _says(lines: _Lines, text: bytes, offset: int = 0) -> Bools:
    """Which sentences have `text` at `offset`."""
    same = np.ones(len(lines.begin), dtype=bool)
    for i, char in enumerate(text):
        same &= lines.buffer[lines.begin + offset + i] == char
    return same


def _checked(lines: _Lines) -> tuple[Bools, Bools]:
    """Whether each sentence has a checksum at all, and whether it fits: the XOR between ! or $ and *."""
    star = lines.after(lines.stars, lines.begin)
    return (star + 3 <= lines.end), _xor_fits(lines, lines.begin, star)


def _xor_fits(lines: _Lines, begin: Ints, star: Ints) -> Bools:
    """Whether the XOR of what lies between `begin` and `star` is the hex number after `star`."""
    high, low = _HEX[lines.buffer[star + 1]], _HEX[lines.buffer[star + 2]]
    said = high.astype(np.int64) * 16 + low
    fits: Bools = (
        (high < 16) & (low < 16) & (said == (lines.running_xor[star - 1] ^ lines.running_xor[begin]))
    )
    return fits


def _damaged_tag(lines: _Lines) -> Bools:
    """Lines whose tag block has no end or a wrong checksum; the sentence behind it may still be good."""
    closing = lines.after(lines.slashes, lines.start + 1)
    star = lines.after(lines.stars, lines.start)
    whole = (closing < lines.end) & (star < closing)
    damaged: Bools = (lines.buffer[lines.start] == ord("\\")) & ~(
        whole & _xor_fits(lines, lines.start, star)
    )
    return damaged


def _refuse(into: Decoded, reason: str, lines: _Lines, data: bytes, rows: Ints) -> None:
    kept = limits.FEED_PROBLEMS_KEPT
    for i in rows[:kept].tolist():
        into.refuse(reason, line=int(lines.number[i]), detail=shown(data[lines.start[i] : lines.end[i]]))
    if len(rows) > kept:
        into.refused[reason] += len(rows) - kept


def _number(buffer: Bytes, start: Ints, end: Ints, digits: int) -> Ints:
    """The decimal number in buffer[start:end], at most `digits` long; -1 where there is none."""
    value = np.zeros(len(start), dtype=np.int64)
    bad = (end <= start) | (end - start > digits)
    for i in range(digits):
        at = np.minimum(start + i, len(buffer) - 1)
        inside = start + i < end
        digit = buffer[at].astype(np.int64) - ord("0")
        bad |= inside & ((digit < 0) | (digit > 9))
        value = np.where(inside, value * 10 + digit, value)
    return np.where(bad, -1, value)


def _pghp_times(lines: _Lines, rows: Ints) -> Ints:
    """$PGHP,1,year,month,day,hour,minute,second,millisecond,..."""
    if not len(rows):
        return rows
    begin, buffer = lines.begin[rows], lines.buffer
    comma = lines.commas_after(begin, 9)[:, 1:]
    year, month, day, hour, minute, second, milli = (
        _number(buffer, comma[:, i] + 1, comma[:, i + 1], 4) for i in range(7)
    )
    ok = (year >= 1970) & (month >= 1) & (month <= 12) & (day >= 1) & (hour >= 0) & (hour < 24)
    ok &= (minute >= 0) & (minute < 60) & (second >= 0) & (second <= 60) & (milli >= 0) & (milli < 1000)
    months = np.where(ok, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    ok &= day <= following - first
    seconds = ((first + day - 1) * 24 + hour) * 3600 + minute * 60 + second
    return np.where(ok, seconds * SECOND_US + milli * 1000, NO_TIME)


def _trailing_times(lines: _Lines, rows: Ints) -> Ints:
    """Seconds since 1970 after the last comma behind the checksum, as United States receivers add."""
    buffer, end = lines.buffer, lines.end[rows]
    star = lines.after(lines.stars, lines.begin[rows])
    last = np.r_[-1, lines.commas][np.searchsorted(lines.commas, end)]
    behind = last > star
    value = _number(buffer, np.where(behind, last + 1, end), end, 10)
    return np.where(value >= 1_000_000, value * SECOND_US, NO_TIME)


def _tag_times(lines: _Lines, rows: Ints) -> Ints:
    """Parameter c of a tag block whose checksum fits: seconds since 1970, or milliseconds if so long."""
    buffer, start = lines.buffer, lines.start[rows]
    if not len(rows):
        return rows
    closing, star = lines.after(lines.slashes, start + 1), lines.after(lines.stars, start)
    tag = np.flatnonzero((buffer[1:-1] == ord("c")) & (buffer[2:] == ord(":"))) + 1
    tag = tag[np.isin(buffer[tag - 1], np.frombuffer(b"\\,", np.uint8))]
    at = lines.after(tag, start)
    stop = np.minimum(lines.after(lines.commas, at), lines.after(lines.stars, at))
    value = _number(buffer, at + 2, stop, 13)
    ok = (buffer[start] == ord("\\")) & (star < closing) & (at < star) & (value >= 1_000_000)
    ok &= _xor_fits(lines, start, star) & (closing < lines.end[rows])
    scale = np.where(value >= 100_000_000_000, 1000, SECOND_US)
    return np.where(ok, value * scale, NO_TIME)
