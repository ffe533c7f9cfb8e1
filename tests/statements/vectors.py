"""Makes `spec/vectors/`: inputs and expected outputs that any other implementation can run.

    python -m tests.statements.vectors

Keys are of fixed seeds and the randomness is replaced by a counted hash, so the same code writes the
same files; a test compares them with what lies in `spec/vectors/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base.encoding import b64url
from samsyn.log import merkle
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.log.note import COSIGNATURE_V1, ED25519, verifier_key
from samsyn.log.witness import cosign
from samsyn.statements.keys import public_text, thumbprint
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.sign import parse, sign
from samsyn.statements.statement import Statement, view_hash
from tests.statements import samples
from tests.statements.samples import DK, SE, disclosure, draft, forged, header, payload, seal

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"
JTI = "0b9f3c52-5d1e-4f6a-8c7b-2e4d6f8a0c1e"

GEOMETRIES: dict[str, dict[str, Any]] = {
    "point": samples.POINT,
    "points": {"type": "MultiPoint", "coordinates": [[10.9, 55.3], [24.9, 60.1]]},
    "line": {"type": "LineString", "coordinates": [[10.6, 55.3], [10.8, 55.36], [11.1, 55.32]]},
    "area with a hole": {
        "type": "Polygon",
        "coordinates": [
            [[10.8, 55.3], [11.0, 55.3], [11.0, 55.4], [10.8, 55.4], [10.8, 55.3]],
            [[10.85, 55.33], [10.95, 55.33], [10.95, 55.37], [10.85, 55.37], [10.85, 55.33]],
        ],
    },
    "too large for a spot": {
        "type": "Polygon",
        "coordinates": [[[10, 54], [14, 54], [14, 57], [10, 57], [10, 54]]],
    },
}


def counted_randomness() -> Callable[[int], bytes]:
    """In place of `os.urandom`: SHA-256 of 0, 1, 2, ... cut to length."""
    count = -1

    def random(size: int) -> bytes:
        nonlocal count
        found = b""
        while len(found) < size:
            count += 1
            found += sha256(count.to_bytes(8, "big")).digest()
        return found[:size]

    return random


def ladders() -> dict[str, Any]:
    times_us = [0, 1_795_291_503_000_000, 1_795_294_799_999_999]
    here, far = samples.slots(), place_ladder({"type": "Point", "coordinates": [24.9, 60.1]})
    outside = [
        {"place.area": here["place.area"], "place.exact": far["place.exact"]},
        {"place.region": here["place.region"], "place.spot": far["place.spot"]},
        {"time.day": "2026-11-20", "time.exact": "2026-11-21T20:05:03Z"},
        {"time.hour": "2026-11-21T19Z", "time.exact": "2026-11-21T20:05:03Z"},
    ]
    malformed = [
        {"place.spot": []},
        {"place.spot": here["place.area"]},
        {"place.area": [here["place.area"][0].upper()]},
        {"place.exact": {"type": "Point", "coordinates": [181, 0]}},
        {"time.exact": "2026-11-21T20:05:03+00:00"},
        {"time.exact": "2026-11-21T20:05:03.500Z"},
        {"time.day": "2026-02-30"},
    ]
    return {
        "place": [
            {"name": name, "geometry": geometry, "rungs": place_ladder(geometry)}
            for name, geometry in GEOMETRIES.items()
        ],
        "time": [{"at_us": at_us, "rungs": time_ladder(at_us)} for at_us in times_us],
        "refused": [{"reason": "finer-outside-coarser", "slots": slots} for slots in outside]
        + [{"reason": "malformed", "slots": slots} for slots in malformed],
    }


def statements() -> dict[str, Any]:
    with patch("os.urandom", counted_randomness()):
        said = sign(draft(), iss="dk", key=DK, jti=JTI)
        other = sign(draft({"title": "Another"}), iss="dk", key=DK, jti=JTI)
        by_se = sign(draft({"title": "A"}), iss="dk", key=SE, jti=JTI).present().decode()
        unheard = sign(draft({"title": "A"}), iss="xx", key=DK, jti=JTI).present().decode()
    area = ["place.region", "place.area", "time.day", "time.hour", "title", "summary"]
    views = {
        "all that was said": said.present(),
        "area and hour": said.present(area),
        "nothing but the claims in clear": said.present([]),
        "a slot and a claim of a later version": forged(
            [disclosure("s", "wave.height_m", 2.5)], caveat="x"
        ),
    }
    return {
        "keys": {
            iss: {"kid": thumbprint(key.public_key()), "public": public_text(key.public_key())}
            for iss, key in (("dk", DK), ("se", SE))
        },
        "valid": [_expected(name, view) for name, view in views.items()],
        "refused": [
            {"name": name, "reason": reason, "presentation": view.decode()}
            for name, reason, view in [*altered(said, other), *flawed(said)]
        ]
        + [
            {"name": "signed by another", "reason": "forged-signature", "presentation": by_se},
            {"name": "of one unknown", "reason": "unknown-originator", "presentation": unheard},
        ],
    }


Case = tuple[str, str, bytes]


def altered(said: Statement, other: Statement) -> list[Case]:
    reason = "altered-disclosure"
    twice = [disclosure("a", "title", "A"), disclosure("b", "title", "B")]
    foreign = said.present([]) + other.disclosures["title"] + b"~"
    doubled = said.present(["title"]) + said.disclosures["title"] + b"~"
    day = [disclosure("s", "time.hour", "2026-11-21T20Z"), disclosure("s", "time.day", "2026-11-22")]
    return [
        ("a disclosure of another statement", reason, foreign),
        ("one disclosure twice", reason, doubled),
        ("one slot with two values", reason, forged(twice)),
        ("an hour of another day", "finer-outside-coarser", forged(day)),
    ]


def flawed(said: Statement) -> list[Case]:
    title = [disclosure("salt", "title", "A")]
    digests = payload(title)["_sd"]
    malformed = {
        "another algorithm": seal(header(alg="HS256"), payload(title), title),
        "a header with more in it": seal(header(crit=["b64"]), payload(title), title),
        "another type": seal(header(typ="JWT"), payload(title), title),
        "31 digests": forged(title, _sd=digests[:31]),
        "digests not sorted": forged(title, _sd=digests[::-1]),
        "another digest algorithm": forged(title, _sd_alg="sha-512"),
        "a time in clear": forged(title, iat=1_795_291_503),
        "a claim disclosed as a slot": forged([disclosure("s", "marking", "TLP:CLEAR")]),
        "a key twice in a value": forged([disclosure(raw=b'["s","body.x",{"a":1,"a":2}]')]),
        "a disclosure inside a slot": forged([disclosure("s", "body.x", {"_sd": []})]),
        "a disclosure of an array element": forged([disclosure("s", "A")]),
        "an id in upper case": forged(jti=JTI.upper()),
        "no tilde at the end": said.jwt,
    }
    large = forged([disclosure("s", "text", "a" * 49_200)])
    return [
        *((name, "malformed", view) for name, view in malformed.items()),
        ("a disclosure over 64 KiB", "oversized-statement", large),
    ]


def _expected(name: str, view: bytes) -> dict[str, Any]:
    found = parse(view)
    claims = ("iss", "jti", "ver", "kind", "marking", "onward", "exercise")
    return {
        "name": name,
        "presentation": view.decode(),
        "view": b64url(view_hash(view)),
        "claims": {**{claim: getattr(found, claim) for claim in claims}, **found.extra},
        "slots": dict(found.slots),
    }


def log() -> dict[str, Any]:
    leaves = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]

    def part(begin: int, end: int) -> bytes:
        return merkle.root_of(hashes[begin:end])

    sizes = range(len(leaves) + 1)
    origin, witness = "samsyn.dk/exercise/fi", "samsyn.fi"
    keys = {
        name: Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)
        for name, n in ((origin, 4), (witness, 5))
    }
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
    checkpoint = sign_checkpoint(origin, 8, part(0, 8), keys[origin])
    return {
        "leaves": [leaf.hex() for leaf in leaves],
        "roots": [part(0, size).hex() for size in sizes],
        "inclusion": [
            {"index": i, "size": size, "proof": [h.hex() for h in merkle.inclusion(i, size, part)]}
            for size in sizes
            for i in range(size)
        ],
        "consistency": [
            {"old": old, "new": new, "proof": [h.hex() for h in merkle.consistency(old, new, part)]}
            for new in sizes
            for old in range(new + 1)
        ],
        "checkpoint": {
            "verifier_key": verifier_key(origin, ED25519, public[origin]),
            "note": checkpoint.decode(),
        },
        "cosignature": {
            "verifier_key": verifier_key(witness, COSIGNATURE_V1, public[witness]),
            "at_s": 1_795_291_503,
            "note": cosign(checkpoint, witness, keys[witness], 1_795_291_503).decode(),
        },
    }


FILES = {"ladders.json": ladders, "statements.json": statements, "log.json": log}


def text(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, make in FILES.items():
        (FOLDER / name).write_text(text(make()), encoding="utf-8")
