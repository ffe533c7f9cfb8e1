"""The weaker relation: equal up to opaque random strings of fixed size.

Where a withheld slot has another value, the signed part must have another digest, and with it come
another signature, view hash, root and proof. Two transcripts are then held to be equal *up to
opaque strings*:

- every answer has the same status, headers and length;
- every part of a body that is not one of the opaque strings below is the same, byte for byte;
- opaque strings have the same lengths in the same places, and are equal to each other in one
  transcript exactly where they are in the other (so one is a renaming of the other);
- of a list of digests, which is sorted and so has no order of its own, the count is compared, and
  how many of them belong to what is disclosed.

Opaque are: digests, salts, signatures, view hashes, roots, proof hashes, the digests of a file. Each is
a hash or signature over fresh random salts, or such a salt itself, so its bytes tell nothing of what
is withheld to whoever cannot invert SHA-256; that is assumed here and not tested.
"""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from typing import Any

from samsyn.base.encoding import b64url, unb64url
from samsyn.channels.file import read
from samsyn.log.note import parse_note
from tests.noninterference.world import Answer


class Names:
    """Opaque strings by the order in which they first appear."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, opaque: str) -> str:
        return f"<{len(opaque)} random, number {self._seen.setdefault(opaque, len(self._seen))}>"


def shape(answers: list[Answer]) -> list[Any]:
    """A transcript with its opaque strings renamed: equal shapes are what the relation asks for."""
    names = Names()
    return [(a.asked, a.status, a.headers, len(a.body), _body(a, names)) for a in answers]


def _body(answer: Answer, names: Names) -> Any:
    body = answer.body
    if not answer.status and body.startswith(b"samsyn-channel-file/"):
        header, batches = read(BytesIO(body))
        return header, [_batch(batch, names) for batch in batches]
    if body.startswith(b'{"checkpoint"'):
        return _batch(body, names)
    if "/exchange/frame" in answer.asked:  # of twins too every byte must be the same
        return body
    if b"\n\n" in body:
        return _note(body.decode(), names)
    return body


def _batch(data: bytes, names: Names) -> Any:
    found = json.loads(data)
    found["checkpoint"] = _note(found["checkpoint"], names)
    for entry in found["entries"]:
        entry["leaf"] = _leaf(entry["leaf"], names)
        entry["view"] = _view(entry["view"], names) if entry["view"] is not None else None
    for shown in found["withdrawn"]:
        shown["proof"] = [names.of(h) for h in shown["proof"]]
    for proof in ("known", "given"):
        found[proof] = [names.of(h) for h in found[proof]]
    return found


def _note(text: str, names: Names) -> Any:
    note = parse_note(text.encode())
    origin, size, root, *rest = note.text.splitlines()
    signatures = [(s.name, s.key_id, names.of(s.data.hex())) for s in note.signatures]
    return origin, size, names.of(root), rest, signatures


def _leaf(text: str, names: Names) -> Any:
    leaf = json.loads(text)
    if "view" in leaf:
        leaf["view"] = names.of(leaf["view"])
    return list(leaf.items())


def _view(text: str, names: Names) -> Any:
    jwt, *disclosures, end = text.split("~")
    header, payload, signature = jwt.split(".")
    claims = json.loads(unb64url(payload))
    digests = claims.pop("_sd")
    told = [json.loads(unb64url(d) or b"[null,null,null]") for d in disclosures]
    known = sum(b64url(sha256(d.encode()).digest()) in digests for d in disclosures)
    return (
        header,
        list(claims.items()),
        ([len(d) for d in digests], known),
        names.of(signature),
        [(names.of(str(salt)), slot, value) for salt, slot, value in told],
        end,
    )
