"""What TAK clients say to a server: who they are, whether we are there, and which protocol they speak.

    <auth><cot username="gis" password="..." uid="..."/></auth>
    <event uid="takPing" type="t-x-c-t" ...>...</event>
    <event type="t-x-takp-q" ...>...<TakControl><TakRequest version="1"/></TakControl>...</event>

Of all else nothing is read. A document type, and with it an entity, ends the conversation.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from xml.parsers import expat  # no document type gets past `_no_doctype`

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US, iso
from samsyn.base.errors import InputError

PING: Final = "t-x-c-t"
ASKS_PROTOCOL: Final = "t-x-takp-q"
_ENDS: Final = (b"</event>", b"</auth>")
_PROTOBUF: Final = 0xBF
_VARINT_BITS: Final = 7


class Said(NamedTuple):
    """One message of a client. type: of an event; `auth` where it says who it is."""

    type: str
    uid: str = ""
    username: str = ""
    password: str = ""


class Conversation:
    """The bytes of one client, piece by piece; at most `limits.COT_BYTES` of it are held."""

    def __init__(self) -> None:
        self._held = b""

    def hear(self, piece: bytes) -> list[Said]:
        """The messages that become whole. Raises `InputError` for what is none, or too long."""
        self._held += piece
        said: list[Said] = []
        while self._held:
            if self._held[0] == _PROTOBUF:
                end = _protobuf_end(self._held)
            else:
                self._held = self._held.lstrip()
                ends = [self._held.find(e) + len(e) for e in _ENDS if e in self._held]
                end = min(ends, default=0)
            if not end:
                break
            message, self._held = self._held[:end], self._held[end:]
            if message[0] != _PROTOBUF:
                said.append(_read(message))
        if len(self._held) > limits.COT_BYTES:
            raise InputError(f"a message of over {limits.COT_BYTES} bytes")
        return said


def offers_protocol_1(now_us: int) -> bytes:
    """That we speak XML now, and protocol 1 on request."""
    return _control("t-x-takp-v", '<TakProtocolSupport version="1"/>', now_us)


def takes_protocol_1(now_us: int) -> bytes:
    """The last message in XML."""
    return _control("t-x-takp-r", '<TakResponse status="true"/>', now_us)


def _control(type_: str, inside: str, now_us: int) -> bytes:
    now, stale = (iso(at_us // SECOND_US * SECOND_US) for at_us in (now_us, now_us + MINUTE_US))
    return (
        f'<event version="2.0" uid="protouid" type="{type_}" time="{now}" start="{now}" stale="{stale}" '
        'how="m-g"><point lat="0.0" lon="0.0" hae="0.0" ce="999999" le="999999"/>'
        f"<detail><TakControl>{inside}</TakControl></detail></event>"
    ).encode()


def _protobuf_end(held: bytes) -> int:
    """Where a message of protocol 1 ends; 0: not there yet."""
    length = shift = 0
    for at in range(1, min(len(held), 6)):
        length |= (held[at] & 0x7F) << shift
        shift += _VARINT_BITS
        if not held[at] & 0x80:
            if length > limits.COT_BYTES:
                raise InputError(f"a message of over {limits.COT_BYTES} bytes")
            return at + 1 + length if len(held) > at + length else 0
    if len(held) >= 6:
        raise InputError("a length that is none")
    return 0


def _read(message: bytes) -> Said:
    found: dict[str, dict[str, str]] = {}

    def begin(name: str, attributes: dict[str, str]) -> None:
        found.setdefault(name, attributes)

    def no_doctype(*_: object) -> None:
        raise InputError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = no_doctype
    try:
        parser.Parse(message, True)
    except expat.ExpatError as e:
        raise InputError(f"not XML: {e}") from e
    if "auth" in found:
        told = found.get("cot", {})
        return Said("auth", told.get("uid", ""), told.get("username", ""), told.get("password", ""))
    told = found.get("event", {})
    return Said(told.get("type", ""), told.get("uid", ""))
