"""A channel, or a part of it, as a file: for an air gap, a diode, a courier.

    samsyn-channel-file/1 samsyn.dk/exercise/fi\\n       format and version, origin of the channel
    length (4 bytes, big-endian)  digest (32)  batch     as the exchange would carry it, byte for byte
    ...
    0000                          digest                 the end

A digest is the SHA-256 of the digest before it and the batch (of the first line, for the first): so
what the way damaged is told from what the partner did, before anything of it is looked at. It proves
nothing about who wrote it; the checkpoint in each batch does. Spec: spec/channel-file.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from samsyn.base import limits
from samsyn.base.encoding import sha256
from samsyn.base.errors import InputError, LimitError
from samsyn.channels import batch as wire
from samsyn.channels.mirror import Mirror
from samsyn.channels.names import channel_origin, split_origin
from samsyn.channels.reader import ReaderChannel
from samsyn.log.checkpoint import parse_checkpoint
from samsyn.log.note import parse_note

FORMAT: Final = "samsyn-channel-file"
VERSION: Final = "1"
_LENGTH_BYTES: Final = 4
_DIGEST_BYTES: Final = 32
_AGAIN: Final = "bring it again; what came before this place is taken and stays"


class Header(msgspec.Struct, frozen=True):
    """The first line: whose channel this is, in which realm, and for whom."""

    node: str
    realm: str
    reader: str

    def line(self) -> bytes:
        origin = channel_origin(self.node, self.realm, self.reader)
        return f"{FORMAT}/{VERSION} {origin}\n".encode()

    def check(self, *, me: str, realm: str) -> None:
        """Raises `InputError` unless the file is for this node and realm."""
        if self.reader != me:
            raise InputError(
                f"this file is for {self.reader}, and this node is {me}", do="bring it to them"
            )
        if self.realm != realm:
            raise InputError(
                f"this file is of the realm {self.realm}, not {realm}", do="say which with --realm"
            )


class Taken(msgspec.Struct, frozen=True):
    """What a whole file changed here. `size`: entries held now; `behind`: those still to come."""

    size: int
    entries: int
    statements: int
    withdrawals: int
    behind: int


class Written(msgspec.Struct, frozen=True):
    """What a file holds. `size`: entries of the channel that the reader holds after it."""

    size: int
    bytes: int


class Writer:
    """Writes a channel file, batch by batch, to `out`."""

    def __init__(self, out: BinaryIO, header: Header) -> None:
        self._out = out
        line = header.line()
        self._digest = sha256(line)
        self.bytes = out.write(line)

    def add(self, data: bytes) -> None:
        """One encoded batch; empty: the end."""
        self._digest = sha256(self._digest + data)
        for part in (len(data).to_bytes(_LENGTH_BYTES), self._digest, data):
            self.bytes += self._out.write(part)

    def end(self) -> None:
        """A file without this mark was cut short."""
        self.add(b"")


def export(channel: ReaderChannel, header: Header, since: int, out: BinaryIO) -> Written:
    """Write the channel's entries from index `since` on to its head: one batch in memory at a time.

    Raises `InputError` where the channel has not so many entries.
    """
    if since > channel.size:
        raise InputError(f"this channel has {channel.size} entries, fewer than {since}")
    writer = Writer(out, header)
    after, whole = since, False
    while not whole:
        data = channel.entries(after)
        writer.add(data)
        batch = wire.decode(data)
        after += len(batch.entries)
        # the head may move on meanwhile: a file ends with a batch that reaches its own
        whole = after >= parse_checkpoint(parse_note(batch.checkpoint.encode()).text).size
    writer.end()
    return Written(after, writer.bytes)


def read(file: BinaryIO) -> tuple[Header, Iterator[bytes]]:
    """The header and, as they are asked for, the batches: one in memory at a time.

    Raises `InputError` for what is no channel file of this version and, while the batches are read,
    where the file was damaged or cut short; `LimitError` where a batch is too large. Nothing else of
    a batch is checked: that is the mirror's.
    """
    line = file.readline(limits.CHANNEL_FILE_LINE_BYTES)
    return _header(line), _batches(file, line)


def take(batches: Iterable[bytes], mirror: Mirror) -> Taken:
    """Apply the batches of a file, each durably, until one is refused.

    Raises what `read` raises and what `Mirror.receive` raises by hand; what came before stays.
    """
    before, statements, withdrawals, behind = mirror.size, 0, 0, 0
    for data in batches:
        found = mirror.receive(data, by_hand=True)
        statements += found.statements
        withdrawals += found.withdrawals
        behind = found.behind
    size = mirror.size
    return Taken(size, size - before, statements, withdrawals, behind)


def _header(line: bytes) -> Header:
    format_, _, origin = line.removesuffix(b"\n").decode("ascii", "replace").partition(" ")
    name, _, version = format_.partition("/")
    if name != FORMAT:
        raise InputError("this is no channel file", do="they are made with: samsyn channel export")
    if version != VERSION:
        raise InputError(
            "this channel file is of a format that this version does not know",
            do="update Samsyn, or ask the partner for the older format",
        )
    try:
        header = Header(*split_origin(origin))
    except ValueError as e:
        raise _damaged(0) from e
    if header.line() != line:
        raise _damaged(0)
    return header


def _batches(file: BinaryIO, line: bytes) -> Iterator[bytes]:
    digest, at = sha256(line), len(line)
    while True:
        length = int.from_bytes(_exactly(file, _LENGTH_BYTES, at))
        if length > limits.BATCH_BYTES:
            raise LimitError(
                f"a batch in the file is said to have {length} bytes, over {limits.BATCH_BYTES}",
                where=f"byte {at}",
                do=_AGAIN,
            )
        told = _exactly(file, _DIGEST_BYTES, at)
        data = _exactly(file, length, at)
        digest = sha256(digest + data)
        if digest != told:
            raise _damaged(at)
        at += _LENGTH_BYTES + _DIGEST_BYTES + length
        if not length:
            break
        yield data
    if file.read(1):
        raise _damaged(at)


def _exactly(file: BinaryIO, count: int, at: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise InputError(
            "the file ends before its end mark: it was cut short", where=f"byte {at}", do=_AGAIN
        )
    return data


def _damaged(at: int) -> InputError:
    return InputError("the file was damaged on its way", where=f"byte {at}", do=_AGAIN)
