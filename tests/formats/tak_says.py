"""What TAK clients and strangers send, and how a message of protocol 1 is read."""

from __future__ import annotations

import takproto

PING = b'<event version="2.0" uid="takPing" type="t-x-c-t" how="m-g"><point/></event>'
ASKS_PROTOCOL_1 = (
    b'<event version="2.0" uid="p" type="t-x-takp-q"><detail><TakControl/></detail></event>'
)
END = b"</event>"
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 999 + b'">]><event>&b;</event>'
LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(98, 107))
    + b"]><event>&j;</event>"
)
"""Ten thousand million of them, were they ever written out."""
FROM_A_FILE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><event>&a;</event>'
DEEP = b"<event>" + b"<deeper>" * 10_000 + b"</deeper>" * 10_000 + b"</event>"
TWICE = b'<event type="t-x-c-t" type="t-x-c-t"/></event>'
BEGUN = b'<event uid="'
NOT_XML = b"\x00\x01\x02</event>"


def uid_of(message: bytes) -> str:
    """Of a message of protocol 1."""
    return str(takproto.parse_proto(bytearray(message)).cotEvent.uid)
