"""Statements for tests, honest and forged."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base.encoding import b64url, sha256
from samsyn.statements.keys import thumbprint
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.sign import TYP
from samsyn.statements.statement import Draft, Statement

AT_US = 1_795_291_503_000_000  # 2026-11-21T20:05:03Z


def key(number: int) -> Ed25519PrivateKey:
    """The same key for the same number: vectors are made from these."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


DK, SE, FI = key(1), key(2), key(3)
KEYS = {"dk": DK.public_key(), "se": SE.public_key(), "fi": FI.public_key()}
POINT = {"type": "Point", "coordinates": [10.9137, 55.3412]}


def slots(**body: Any) -> dict[str, Any]:
    return {
        **place_ladder(POINT),
        **time_ladder(AT_US),
        "title": "Tanker not under command",
        "summary": "A tanker drifts in the Great Belt",
        "text": "Has been drifting at 0.5 kn since 03:10; speed from the radar at Sprogø",
        "confidence": "high",
        "author": "watch officer 3",
        "sources": ["ais", "radar"],
        "body.detector": "drift",
        "body.measured": {"speed_kn": 0.5, "turn_deg": 60.0},
        "body.evidence": [{"time_us": AT_US, "lat": 55.3412, "lon": 10.9137, "speed_kn": 0.5}],
        **{f"body.{name}": value for name, value in body.items()},
    }


def draft(given: dict[str, Any] | None = None, **changes: Any) -> Draft:
    fields: dict[str, Any] = {
        "kind": "alert",
        "marking": "TLP:AMBER",
        "onward": "ask",
        "exercise": True,
        "slots": slots() if given is None else given,
    }
    return Draft(**{**fields, **changes})


# --- forging: the pieces of a statement, changed, and signed with whatever key one has


def pieces(statement: Statement) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """Header, payload and disclosures."""
    header, payload, _ = statement.jwt.split(b".")
    return _open(header), _open(payload), [d for _, d in sorted(statement.disclosures.items())]


def _open(encoded: bytes) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    assert isinstance(found, dict)
    return found


def seal(
    header: dict[str, Any] | bytes,
    payload: dict[str, Any] | bytes,
    disclosures: list[bytes],
    signer: Ed25519PrivateKey = DK,
) -> bytes:
    """A presentation of exactly these pieces, correctly signed."""
    parts = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in (header, payload)]
    message = ".".join(b64url(part) for part in parts)
    jwt = f"{message}.{b64url(signer.sign(message.encode()))}"
    return b"~".join([jwt.encode(), *disclosures, b""])


def disclosure(*parts: Any, raw: bytes | None = None) -> bytes:
    return b64url(raw if raw is not None else json.dumps(parts).encode()).encode()


def header(signer: Ed25519PrivateKey = DK, **changes: Any) -> dict[str, Any]:
    return {"alg": "EdDSA", "kid": thumbprint(signer.public_key()), "typ": TYP, **changes}


def payload(disclosures: list[bytes], **changes: Any) -> dict[str, Any]:
    """A payload that signs `disclosures`, padded as it should be."""
    digests = [b64url(sha256(d)) for d in disclosures]
    digests += [b64url(sha256(b"decoy %d" % n)) for n in range(32 - len(digests))]
    return {
        "_sd": sorted(digests),
        "_sd_alg": "sha-256",
        "exercise": True,
        "iss": "dk",
        "jti": "3f2a8a39-6d0e-4b0c-9a55-0c1d2e3f4a5b",
        "kind": "alert",
        "marking": "TLP:AMBER",
        "onward": "ask",
        "ver": 1,
        **changes,
    }


def forged(disclosures: list[bytes] | None = None, head: Any = None, **changes: Any) -> bytes:
    """A correctly signed presentation of `disclosures` with `changes` to the payload."""
    given = disclosures or []
    return seal(head if head is not None else header(), payload(given, **changes), given)
