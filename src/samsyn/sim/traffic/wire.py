"""Reports as the radio carries them, whole columns at once: AIS sentences with tag blocks, Mode S."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pyais.encode import encode_dict

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

CHUNK: Final = 50_000  # rows encoded together
NOT_AVAILABLE_LAT, NOT_AVAILABLE_LON = 91.0, 181.0
_HEX: Final = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_LOWER: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_POLYNOMIAL: Final = 0xFFF409  # of the parity of Mode S (ICAO Annex 10 volume IV, 3.1.2.3.3)
_IDENT: Final = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ#####_###############0123456789######"
CPR: Final = 1 << 17


def _bits(fields: Sequence[tuple[Any, int]], rows: int) -> Bytes:
    """(value, width) one after another, most significant bit first: rows x bits."""
    made = np.empty((rows, sum(width for _, width in fields)), np.uint8)
    at = 0
    for value, width in fields:
        shifts = np.arange(width - 1, -1, -1)
        made[:, at : at + width] = (np.broadcast_to(np.asarray(value), rows)[:, None] >> shifts) & 1
        at += width
    return made


def ais_positions(
    time_ms: Ints, mmsi: Ints, type_: Ints, column: dict[str, Any], station: str
) -> list[bytes]:
    """One line each of messages 1 and 18 (ITU-R M.1371, tables 48 and 70) with a tag block.

    column: lat, lon (NaN: not available), speed_kn, course_deg, heading_deg, status; one length.
    """
    lines: list[bytes] = []
    for a in range(0, len(time_ms), CHUNK):
        part = slice(a, a + CHUNK)
        some = {name: np.asarray(values)[part] for name, values in column.items()}
        lines += _ais_chunk(time_ms[part], mmsi[part], type_[part], some, station)
    return lines


def _ais_chunk(
    time_ms: Ints, mmsi: Ints, type_: Ints, column: dict[str, Any], station: str
) -> list[bytes]:
    lost = np.isnan(column["lat"])
    lat = np.round(np.where(lost, NOT_AVAILABLE_LAT, column["lat"]) * 600_000).astype(np.int64)
    lon = np.round(np.where(lost, NOT_AVAILABLE_LON, column["lon"]) * 600_000).astype(np.int64)
    speed = np.clip(np.round(column["speed_kn"] * 10), 0, 1022).astype(np.int64)
    course = np.round(column["course_deg"] * 10).astype(np.int64) % 3600
    bow = np.asarray(column["heading_deg"])
    heading = np.where(np.isnan(bow), 511, np.round(np.nan_to_num(bow)) % 360).astype(np.int64)
    place = [(speed, 10), (1, 1), (lon, 28), (lat, 27), (course, 12), (heading, 9)]
    rows = len(time_ms)
    second = time_ms // 1000 % 60
    class_a = _bits(
        [(1, 6), (0, 2), (mmsi, 30), (column["status"], 4), (128, 8), *place, (second, 6), (0, 25)], rows
    )
    class_b = _bits([(18, 6), (0, 2), (mmsi, 30), (0, 8), *place, (second, 6), (0b0011100, 29)], rows)
    bits = np.where((type_ == 18)[:, None], class_b, class_a)
    six = bits.reshape(rows, 28, 6) @ np.array([32, 16, 8, 4, 2, 1], np.uint8)
    payload = (six + np.where(six < 40, 48, 56)).astype(np.uint8)
    head, tail = b"AIVDM,1,1,,A,", b",0"
    sentence = np.concatenate([_text(head, rows), payload, _text(tail, rows)], axis=1)
    tag = np.concatenate([_text(f"s:{station},c:".encode(), rows), _decimal(time_ms, 13)], axis=1)
    whole = np.concatenate(
        [
            _text(b"\\", rows), tag, _text(b"*", rows), _checksum(tag), _text(b"\\!", rows),
            sentence, _text(b"*", rows), _checksum(sentence), _text(b"\n", rows),
        ],
        axis=1,
    )  # fmt: skip
    return _split(whole)


def ais_static(mmsi: int, name: str, type_: int, class_b: bool) -> list[str]:
    """What a ship says of itself: message 5, or 24 of a class B."""
    said: dict[str, str | int | float | bytes] = {"mmsi": mmsi, "shipname": name, "ship_type": type_}
    if class_b:
        return [
            str(line)
            for part in (0, 1)
            for line in encode_dict(
                {"type": 24, "partno": part, **said}, talker_id="AI", sentence_type="VDM"
            )
        ]
    return [str(line) for line in encode_dict({"type": 5, **said}, talker_id="AI", sentence_type="VDM")]


def tagged(time_ms: int, station: str, sentences: Sequence[str]) -> bytes:
    """Whole sentences with a tag block before each."""
    tag = f"s:{station},c:{time_ms}"
    total = 0
    for byte in tag.encode():
        total ^= byte
    return "".join(f"\\{tag}*{total:02X}\\{line}\n" for line in sentences).encode()


def modes_lines(time_us: Ints, frames: Bytes) -> list[bytes]:
    """Seconds since 1970, a comma, the frame in hexadecimal digits. frames: rows x 14 bytes."""
    lines: list[bytes] = []
    for a in range(0, len(time_us), CHUNK):
        t, f = time_us[a : a + CHUNK], frames[a : a + CHUNK]
        digits = _LOWER[np.stack([f >> 4, f & 15], axis=2).reshape(len(t), -1)]
        parts = [
            _decimal(t // 1_000_000, 10), _text(b".", len(t)), _decimal(t % 1_000_000, 6),
            _text(b",", len(t)), digits, _text(b"\n", len(t)),
        ]  # fmt: skip
        lines += _split(np.concatenate(parts, axis=1))
    return lines


def squitters(icao: Ints, message: Bytes) -> Bytes:
    """Extended squitters (DF 17) of 56-bit messages, as 14 bytes a row with their parity."""
    rows = len(icao)
    head = _bits([(17, 5), (5, 3), (icao, 24)], rows)
    data = np.packbits(np.concatenate([head, message], axis=1), axis=1)
    parity = np.zeros(rows, np.int64)
    for k in range(data.shape[1]):
        parity = ((parity << 8) & 0xFFFFFF) ^ _PARITY[(parity >> 16) ^ data[:, k]]
    tail = np.stack([parity >> 16, parity >> 8 & 255, parity & 255], axis=1).astype(np.uint8)
    return np.concatenate([data, tail], axis=1)


def airborne_positions(
    lat: Floats, lon: Floats, altitude_ft: Floats, odd: Ints, type_code: Ints
) -> Bytes:
    """Messages of airborne positions (ICAO Doc 9871, A.2.3.2) in compact position reporting."""
    even_odd = odd.astype(np.float64)
    d_lat = 360.0 / (60 - even_odd)
    yz = np.floor(CPR * (lat % d_lat) / d_lat + 0.5)
    r_lat = d_lat * (yz / CPR + np.floor(lat / d_lat))
    d_lon = 360.0 / np.maximum(_zones(r_lat) - even_odd, 1)
    xz = np.floor(CPR * (lon % d_lon) / d_lon + 0.5)
    steps = np.clip(np.round((altitude_ft + 1000) / 25), 0, 2047).astype(np.int64)
    altitude = (steps >> 4) << 5 | 1 << 4 | (steps & 15)
    fields = [
        (type_code, 5), (0, 3), (altitude, 12), (0, 1), (odd, 1),
        (yz.astype(np.int64) % CPR, 17), (xz.astype(np.int64) % CPR, 17),
    ]  # fmt: skip
    return _bits(fields, len(lat))


def velocities(speed_kn: Floats, course_deg: Floats, climb_fpm: Floats) -> Bytes:
    """Messages of velocity over ground (subtype 1; 2, in steps of four knots, above 1,000 kn)."""
    course = np.radians(course_deg)
    east, north = speed_kn * np.sin(course), speed_kn * np.cos(course)
    fast = speed_kn > 1_000
    step = np.where(fast, 4, 1)
    parts = [np.clip(np.round(np.abs(v) / step) + 1, 1, 1023).astype(np.int64) for v in (east, north)]
    rate = np.clip(np.round(np.abs(climb_fpm) / 64) + 1, 1, 511).astype(np.int64)
    fields = [
        (19, 5), (np.where(fast, 2, 1), 3), (0, 2), (2, 3), (east < 0, 1), (parts[0], 10),
        (north < 0, 1), (parts[1], 10), (1, 1), (climb_fpm < 0, 1), (rate, 9), (0, 2), (0, 8),
    ]  # fmt: skip
    return _bits([(np.asarray(v, np.int64), w) for v, w in fields], len(speed_kn))


def identifications(callsigns: Sequence[str]) -> Bytes:
    letters = np.array(
        [[_IDENT.index(c if c != " " else "_") for c in s[:8].ljust(8)] for s in callsigns]
    )
    return _bits([(4, 5), (0, 3), *((letters[:, k], 6) for k in range(8))], len(callsigns))


def operational_status(nac_p: Ints, sil: Ints) -> Bytes:
    """Version 2, airborne (DO-260B, 2.2.3.2.7.2)."""
    fields = [
        (31, 5), (0, 3), (0, 16), (0, 16), (2, 3), (0, 1), (nac_p, 4), (2, 2), (sil, 2), (1, 1), (0, 3),
    ]  # fmt: skip
    return _bits(fields, len(nac_p))


def aircraft_status(squawk: Ints) -> Bytes:
    """Emergency state and Mode A code (type code 28, subtype 1); the code read as decimal digits."""
    a, b, c, d = squawk // 1000, squawk // 100 % 10, squawk // 10 % 10, squawk % 10
    state = np.select([squawk == 7700, squawk == 7600, squawk == 7500], [1, 4, 5], 0)
    order = [
        (c, 0),
        (a, 0),
        (c, 1),
        (a, 1),
        (c, 2),
        (a, 2),
        None,
        (b, 0),
        (d, 0),
        (b, 1),
        (d, 1),
        (b, 2),
        (d, 2),
    ]
    code = [(0, 1) if bit is None else (bit[0] >> bit[1] & 1, 1) for bit in order]
    return _bits([(28, 5), (1, 3), (state, 3), *code, (0, 32)], len(squawk))


def _zones(lat: Floats) -> Floats:
    """NL: longitude zones at a latitude (Doc 9871, C.2.6.2)."""
    a = 1 - np.cos(np.pi / 30)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.floor(2 * np.pi / np.arccos(1 - a / np.cos(np.radians(lat)) ** 2))
    return np.where(np.abs(lat) >= 87, 1.0, found)


def _parity_table() -> Ints:
    table = np.arange(256, dtype=np.int64) << 16
    for _ in range(8):
        table = np.where(table & 0x800000, (table << 1 & 0xFFFFFF) ^ _POLYNOMIAL, table << 1)
    return table


_PARITY: Final = _parity_table()


def _text(text: bytes, rows: int) -> Bytes:
    return np.broadcast_to(np.frombuffer(text, np.uint8), (rows, len(text)))


def _decimal(value: Ints, digits: int) -> Bytes:
    powers = 10 ** np.arange(digits - 1, -1, -1, dtype=np.int64)
    found: Bytes = (value[:, None] // powers % 10 + ord("0")).astype(np.uint8)
    return found


def _checksum(text: Bytes) -> Bytes:
    total = np.bitwise_xor.reduce(text, axis=1)
    found: Bytes = _HEX[np.stack([total >> 4, total & 15], axis=1)]
    return found


def _split(lines: Bytes) -> list[bytes]:
    """The rows as bytes of one length."""
    width = lines.shape[1]
    whole = np.ascontiguousarray(lines).tobytes()
    return [whole[k : k + width] for k in range(0, len(whole), width)]
