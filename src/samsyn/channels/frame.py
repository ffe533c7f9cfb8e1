"""One signed frame of live tracks, as bytes: what a reader may have of them at one moment.

    length of the head, 4 bytes big-endian
    head: a signed note (C2SP signed-note), by the key and under the name of the channel
        samsyn-track-frame/1
        samsyn.dk/exercise/fi         origin: node, realm, reader, as of the channel
        179529210                     sequence number
        2026-11-21T20:15:00Z          of when, whole seconds
        2                             rows
        Bk2...=                       SHA-256 of the body, base64
    body: an Arrow IPC stream of the columns of `tracks.released`

The log's key signs checkpoints, too; the first line of a frame can be no checkpoint's origin.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Collection
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, iso
from samsyn.base.encoding import sha256
from samsyn.base.errors import InputError, LimitError, Refused
from samsyn.channels.names import split_origin
from samsyn.formats.arrow import TEXT, read_stream
from samsyn.log.note import open_note, parse_note, sign_note
from samsyn.observations.craft import craft_text
from samsyn.tracks.released import COLUMNS, NO_CRAFT, UNSHOWABLE, Column, nothing

VERSION: Final = "samsyn-track-frame/1"
STEP_US: Final = limits.FRAME_EVERY_S * SECOND_US
_LENGTH_BYTES: Final = 4
_DIGITS: Final = 18
_UNSHOWABLE: Final = re.compile(UNSHOWABLE)
_TYPES: Final = {
    name: TEXT if column.dtype == pl.String else str(column.dtype).lower()
    for name, column in COLUMNS.items()
}


class Head(msgspec.Struct, frozen=True):
    """What is signed of a frame. `sequence` counts steps of the clock since 1970, not frames made."""

    origin: str
    sequence: int
    rows: int
    digest: bytes

    @property
    def at_us(self) -> int:
        return self.sequence * STEP_US

    def text(self) -> str:
        digest = base64.b64encode(self.digest).decode()
        lines = (VERSION, self.origin, self.sequence, iso(self.at_us), self.rows, digest)
        return "".join(f"{line}\n" for line in lines)


def body(rows: pl.DataFrame) -> bytes:
    """The Arrow stream of rows as `tracks.released` has them: the same rows give the same bytes."""
    out = io.BytesIO()
    oldest = pl.CompatLevel.oldest()  # plain offsets and bytes for texts: what every reader knows
    rows.rechunk().write_ipc_stream(out, compression="uncompressed", compat_level=oldest)
    return out.getvalue()


EMPTY: Final = body(nothing())
"""What everybody gets who may have nothing, or of whom there is nothing to have."""


def seal(origin: str, sequence: int, rows: int, packed: bytes, key: Ed25519PrivateKey) -> bytes:
    """The frame of a body."""
    head = sign_note(Head(origin, sequence, rows, sha256(packed)).text(), origin, key)
    return len(head).to_bytes(_LENGTH_BYTES) + head + packed


def frame_sequence(frame: bytes) -> int:
    """The sequence number that a frame claims. Nothing is verified. Raises `ValueError`."""
    try:
        return _head(_split(frame)[0]).sequence
    except Refused as e:
        raise ValueError(str(e)) from e


def open_frame(frame: bytes, origin: str, key: Ed25519PublicKey) -> tuple[Head, pl.DataFrame]:
    """Head and rows of a frame that `key` signed for `origin`, every value of them in its range.

    Raises `Refused`: "oversized-frame", "malformed-frame", "forged-frame", "another-readers-frame",
    "exercise-marked-as-actual".
    """
    if len(frame) > limits.FRAME_BYTES:
        raise Refused("oversized-frame", f"a frame of {len(frame)} bytes, over {limits.FRAME_BYTES}")
    note, packed = _split(frame)
    head = _head(note)
    _is_for(head.origin, origin)
    try:
        open_note(note, {origin: key})
    except Refused as e:
        raise Refused("forged-frame", "the frame is not signed by the partner's key") from e
    if head.rows > limits.FRAME_TRACKS:
        raise Refused("oversized-frame", f"a frame of {head.rows} rows, over {limits.FRAME_TRACKS}")
    if sha256(packed) != head.digest:
        raise Refused("forged-frame", "the rows are not those that were signed")
    return head, _rows(packed, head.rows)


def own_rows(frame: bytes, known: Collection[int]) -> tuple[int, pl.DataFrame | None]:
    """The sequence number and the rows of a frame that this node made itself: nothing is verified.

    known: sequence numbers of frames that are held already; for these the rows are None. A craft is
    its text (`observations.craft`), empty where it is not told.
    """
    note, packed = _split(frame)
    head = _head(note)
    if head.sequence in known:
        return head.sequence, None
    rows = _rows(packed, head.rows)
    names = [craft_text(key) if key != NO_CRAFT else "" for key in rows["craft"].to_list()]
    return head.sequence, rows.with_columns(pl.Series("craft", names, pl.String))


def _split(frame: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(frame[:_LENGTH_BYTES])
    end = _LENGTH_BYTES + length
    if not 0 < length <= limits.CHECKPOINT_BYTES or end > len(frame):
        raise Refused("malformed-frame", "the head of a frame is missing or cut short")
    return frame[_LENGTH_BYTES:end], frame[end:]


def _head(note: bytes) -> Head:
    try:
        lines = parse_note(note).text.split("\n")
        if len(lines) != 7 or lines[0] != VERSION or lines[6]:
            raise ValueError("it has other lines")
        split_origin(lines[1])
        digest = base64.b64decode(lines[5], validate=True)
        head = Head(lines[1], _number(lines[2]), _number(lines[4]), digest)
        if head.text() != "\n".join(lines):  # one spelling, and the time of that number
            raise ValueError("it is spelt in another way")
    except (ValueError, OverflowError, OSError, Refused) as e:
        raise Refused("malformed-frame", f"the head of a frame cannot be read: {e}") from e
    return head


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise ValueError("not a number")
    return int(text)


def _is_for(found: str, wanted: str) -> None:
    if found == wanted:
        return
    node, realm, reader = split_origin(found)
    my_node, my_realm, my_reader = split_origin(wanted)
    if (node, reader) == (my_node, my_reader) and realm != my_realm:
        raise Refused("exercise-marked-as-actual", f"a frame of the realm {realm!r}")
    raise Refused("another-readers-frame", f"a frame of {node} for {reader}")


def _rows(packed: bytes, count: int) -> pl.DataFrame:
    try:
        found = read_stream(packed, _TYPES, limits.FRAME_TRACKS)
    except LimitError as e:
        raise Refused("oversized-frame", str(e)) from e
    except InputError as e:
        raise Refused("malformed-frame", str(e)) from e
    if len(found["craft"]) != count:
        raise Refused("malformed-frame", "the frame has another number of rows than was signed")
    for name, column in COLUMNS.items():
        if not _right(found[name], column):
            raise Refused("malformed-frame", f"a value of {name} cannot be")
    made = pl.DataFrame(dict(found), schema={n: c.dtype for n, c in COLUMNS.items()})
    _fit_together(made)
    return made


def _right(values: Any, column: Column) -> bool:
    """Whether each value is one that a sender may give: in its range, or the one for absence."""
    if isinstance(values, list):
        most = limits.TRACK_TEXT_CHARACTERS
        return all(len(text) <= most and not _UNSHOWABLE.search(text) for text in values)
    good = (values >= column.least) & (values <= column.most)
    if column.absent is not None:
        good |= np.isnan(values) if column.absent != column.absent else values == column.absent
    return bool(good.all())


def _fit_together(rows: pl.DataFrame) -> None:
    """Raises `Refused` where columns that are right alone say different things together."""
    told = rows.filter(pl.col("craft") != NO_CRAFT)
    placed = pl.col("place") > 0
    odd = rows.filter((pl.col("lat").is_nan() == placed) | (pl.col("lon").is_nan() == placed))
    if odd.height or told["craft"].n_unique() != told.height:
        raise Refused("malformed-frame", "a craft is there twice, or has no place where it says one")
    if told.filter(pl.col("craft") // (1 << 32) != pl.col("domain")).height:
        raise Refused("malformed-frame", "a craft of the sea in the air, or the other way round")
