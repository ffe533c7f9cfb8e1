"""Who asks: requests between nodes are signed (RFC 9421, HTTP Message Signatures), each for one use.

    Signature-Input: samsyn=("@method" "@path" "@query" "content-digest");created=1795292400;
        keyid="fi";alg="ed25519";nonce="<16 random bytes>";tag="samsyn/exercise/<certificate>"
    Signature: samsyn=:...:

`keyid` is the partner's node name and is looked up in the roster, nowhere else. The signature covers
what is asked; a body is covered by its digest (RFC 9530). The tag names the realm and, by the SHA-256
of its certificate, the node that is asked: a partner cannot pass on a request that was meant for it
(RFC 9421, 7.2.8, by way of the application), while a proxy may still rename hosts. A request is good
for `limits.REQUEST_AGE_S` around its `created` and only once within it; what was signed before this
node started is refused, since the memory of nonces starts empty.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    VerifyResult,
    algorithms,
)

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, Clock
from samsyn.base.encoding import b64url
from samsyn.base.errors import Refused, SamsynError
from samsyn.exchange.card import Card, public_key
from samsyn.exchange.roster import Roster

COVERED = ("@method", "@path", "@query")
NONCE_CHARACTERS = range(16, 65)


@lru_cache(maxsize=256)  # for every request: to read the certificate again costs more than to sign
def audience(to: Card, realm: str) -> str:
    """The tag that binds a request to the node of card `to`, in one realm."""
    return f"samsyn/{realm}/{b64url(to.thumbprint)}"


class Signer:
    """Signs this node's requests. `clock` is wall time."""

    def __init__(self, name: str, key: Ed25519PrivateKey, realm: str, clock: Clock) -> None:
        self._name = name
        self._realm = realm
        self._clock = clock
        self._signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Own(key))

    def sign(self, request: Any, to: Card, body: bytes = b"") -> None:
        """Add the signature headers to `request` (an object with method, url, headers), in place."""
        self._signer.sign(
            request,
            key_id=self._name,
            created=datetime.fromtimestamp(self._clock.now_us() // SECOND_US, UTC),
            nonce=b64url(secrets.token_bytes(16)),
            label="samsyn",
            tag=audience(to, self._realm),
            covered_component_ids=COVERED,
            body=body or None,
        )


@dataclass(frozen=True)
class Received:
    """A request as it came. `url` is absolute; its host is not looked at.

    `headers.items()` gives every field line, in order.
    """

    method: str
    url: str
    headers: Any


@dataclass(frozen=True)
class Caller:
    """A request whose signature holds: the partner's name, and what `Verifier.check_body` needs."""

    partner: str
    nonce: str
    created_s: int
    signed: VerifyResult


class Verifier:
    """Checks partners' requests for the node of card `me`. `clock` is wall time. Thread-safe.

    Every refusal is raised as `Refused` and must be answered alike; the reason is for our own log.
    """

    def __init__(self, roster: Roster, me: Card, realm: str, clock: Clock) -> None:
        self._roster = roster
        self._tag = audience(me, realm)
        self._clock = clock
        self._started_s = clock.now_us() // SECOND_US
        self._lock = threading.Lock()
        self._nonces: dict[str, dict[str, int]] = {}
        # A stranger's signature is checked too, against a key nobody has: refusing takes as long.
        self._nobody = Ed25519PrivateKey.generate().public_key()

    def verify(self, request: Received) -> Caller:
        """The partner that signed `request`. The body is not yet checked, the nonce not yet spent.

        Raises `Refused`: "unsigned-request" (none, malformed, wrong coverage, another node's tag),
        "unknown-partner", "stale-request", "forged-request", "replayed-request".
        """
        known = _Lookup(self._roster, self._nobody)
        checker = _Checker(known, self._clock.now_us() // SECOND_US, self._started_s)
        try:
            found = checker.verify(request, expect_tag=self._tag)
        except HTTPMessageSignaturesException as e:
            reason = (
                "stale-request"
                if checker.stale
                else "forged-request"
                if known.asked
                else "unsigned-request"
            )
            raise Refused(
                "unknown-partner" if known.stranger else reason, str(e), where=known.asked
            ) from e
        covered = {f'"{name}"' for name in COVERED} | {'"@signature-params"'}
        if len(found) != 1 or set(found[0].covered_components) - {'"content-digest"'} != covered:
            raise Refused("unsigned-request", "the signature covers something else", where=known.asked)
        nonce = found[0].nonce
        if nonce is None or len(nonce) not in NONCE_CHARACTERS or known.stranger:
            raise Refused("unsigned-request", "a request needs a nonce", where=known.asked)
        caller = Caller(known.asked, nonce, int(found[0].parameters["created"]), found[0])
        if nonce in self._nonces.get(caller.partner, {}):
            raise Refused("replayed-request", "this request was made before", where=caller.partner)
        return caller

    def spend(self, caller: Caller) -> None:
        """Remember the nonce. Raises `Refused` ("replayed-request", "too-many-requests")."""
        oldest_s = self._clock.now_us() // SECOND_US - limits.REQUEST_AGE_S
        with self._lock:
            spent = self._nonces.setdefault(caller.partner, {})
            if caller.nonce in spent:
                raise Refused("replayed-request", "this request was made before", where=caller.partner)
            if len(spent) >= limits.NONCES:
                spent = {nonce: at_s for nonce, at_s in spent.items() if at_s >= oldest_s}
                self._nonces[caller.partner] = spent
            if len(spent) >= limits.NONCES:
                raise Refused("too-many-requests", "no room for another nonce", where=caller.partner)
            spent[caller.nonce] = caller.created_s

    def check_body(self, request: Received, caller: Caller, body: bytes) -> None:
        """Raises `Refused` ("altered-body") unless the signature covers `body`."""
        try:
            _Checker(None, 0, 0).verify_body(request, [caller.signed], body)
        except HTTPMessageSignaturesException as e:
            raise Refused("altered-body", str(e), where=caller.partner) from e


class _Own(HTTPSignatureKeyResolver):
    """This node's one key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return self._key


class _Lookup(HTTPSignatureKeyResolver):
    """Finds the request key of a partner; remembers who was asked for."""

    def __init__(self, roster: Roster, nobody: Ed25519PublicKey) -> None:
        self._roster = roster
        self._nobody = nobody
        self.asked = ""
        self.stranger = False

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        self.asked = key_id[:64]
        try:
            card = self._roster.get(key_id)
        except SamsynError:
            card = None  # a card that cannot be used admits nobody; `Roster.all` tells the operator
        if card is not None and self._roster.suspended(key_id):
            card = None
        self.stranger = card is None
        return public_key(card.request_key) if card is not None else self._nobody


class _Checker(HTTPMessageVerifier):
    """The library's verifier, told the time by our clock."""

    signature_metadata_parameters: ClassVar[set[str]] = {"alg", "created", "keyid", "nonce", "tag"}

    def __init__(self, keys: HTTPSignatureKeyResolver | None, now_s: int, started_s: int) -> None:
        super().__init__(signature_algorithm=algorithms.ED25519, key_resolver=keys)
        self._now_s = now_s
        self._started_s = started_s
        self.stale = False

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        created_s = sig_input.params.get("created")
        if (
            type(created_s) is not int
            or abs(created_s - self._now_s) > limits.REQUEST_AGE_S
            or created_s < self._started_s
        ):
            self.stale = True
            raise HTTPMessageSignaturesException(
                "signed too long ago, or not yet, or before this node started"
            )
