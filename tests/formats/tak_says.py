"""What TAK clients and strangers send, and how a message of protocol 1 is read."""

from __future__ import annotations

import takproto

PING = b'<event version="2.0" uid="takPing" type="t-x-c-t" how="m-g"><point/></event>'
ASKS_PROTOCOL_1 = (
    b'<event version="2.0" uid="p" type="t-x-takp-q"><detail><TakControl/></detail></event>'
)
END = b"</event>"
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 999 + b'">]><event>&b;</event>'
NOT_XML = b"\x00\x01\x02</event>"


def uid_of(message: bytes) -> str:
    """Of a message of protocol 1."""
    return str(takproto.parse_proto(bytearray(message)).cotEvent.uid)
