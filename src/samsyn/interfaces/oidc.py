"""Signing in by the organisation's own identity provider: OpenID Connect, authorization code with PKCE.

The provider says who somebody is; what that person may do stays in `accounts.toml`. Somebody who has no
account here gets none by being known there.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from typing import Any, Final, NamedTuple

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US, Clock
from samsyn.base.encoding import b64url
from samsyn.base.errors import Refused
from samsyn.base.settings import SignInSettings

_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA"]  # asymmetric only: our secret signs nothing
_PENDING_US: Final = 10 * MINUTE_US  # from our page to the provider and back
_TIMEOUT_S: Final = 10.0
_SKEW_S: Final = 60


class Begun(NamedTuple):
    """Where to send the browser, and what it must bring back beside the provider's word."""

    url: str
    bound: str


class _Pending(NamedTuple):
    bound: bytes
    nonce: str
    verifier: str
    until_us: int


class Provider:
    """One identity provider."""

    def __init__(
        self,
        settings: SignInSettings,
        secret: str,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """secret: the client's, as the provider gave it. transport: a test's own network."""
        self.title = settings.title or settings.issuer
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._transport = transport
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}

    async def begin(self, callback: str) -> Begun:
        """callback: the address to which the provider sends the browser back. Raises `Refused`."""
        state, nonce, bound = (secrets.token_urlsafe(32) for _ in range(3))
        verifier = secrets.token_urlsafe(48)
        now_us = self._clock.now_us()
        async with self._connect() as client:
            said = await self._discover(client)
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": callback,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": b64url(_hash(verifier)),
            "code_challenge_method": "S256",  # RFC 7636
        }
        url = httpx.URL(said["authorization_endpoint"]).copy_merge_params(asked)
        with self._lock:
            alive = {k: p for k, p in self._pending.items() if p.until_us > now_us}
            if len(alive) >= limits.SIGN_INS_PENDING:
                raise Refused("too-many-sign-ins", "too many people are signing in", do="wait a minute")
            alive[state] = _Pending(_hash(bound), nonce, verifier, now_us + _PENDING_US)
            self._pending = alive
        return Begun(str(url), bound)

    async def finish(self, callback: str, *, state: str, code: str, bound: str) -> str:
        """The user's name, as the provider has it. Raises `Refused` for what is not as it must be."""
        with self._lock:
            pending = self._pending.pop(state, None)
        now_us = self._clock.now_us()
        if pending is None or pending.until_us <= now_us or pending.bound != _hash(bound):
            raise Refused("not-our-sign-in", "this sign-in was not begun here", do="sign in again")
        try:
            async with self._connect() as client:
                said = await self._discover(client)
                token = await self._exchange(client, said["token_endpoint"], callback, code, pending)
                keys = KeySet.import_key_set(await _get(client, said["jwks_uri"]))
            return self._name(token, keys, pending.nonce, now_us // SECOND_US)
        except (JoseError, httpx.HTTPError, KeyError, TypeError, ValueError) as e:
            raise Refused("sign-in-refused", f"the provider's word cannot be taken: {e}") from e

    def _name(self, id_token: str, keys: KeySet, nonce: str, now_s: int) -> str:
        found = jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
        registry = jwt.JWTClaimsRegistry(
            now=lambda: now_s,
            leeway=_SKEW_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(found.claims)
        name = found.claims[self._settings.claim]
        if not isinstance(name, str) or not name:
            raise ValueError(f"no {self._settings.claim}")
        return name

    async def _exchange(
        self, client: httpx.AsyncClient, url: str, callback: str, code: str, pending: _Pending
    ) -> str:
        """The ID token for a code (RFC 6749, 4.1.3)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "client_id": self._settings.client_id,
            "code_verifier": pending.verifier,
        }
        auth = httpx.BasicAuth(self._settings.client_id, self._secret) if self._secret else None
        reply = await client.send(client.build_request("POST", url, data=form), auth=auth)
        reply.raise_for_status()
        return str(reply.json()["id_token"])

    def _connect(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, transport=self._transport)

    async def _discover(self, client: httpx.AsyncClient) -> Any:
        """OpenID Connect Discovery 1.0. Raises `Refused` where the provider is not the one meant."""
        try:
            said = await _get(client, f"{self._settings.issuer}/.well-known/openid-configuration")
        except (httpx.HTTPError, ValueError) as e:
            raise Refused(
                "provider-away", f"the identity provider does not answer: {e}", do="use a password"
            ) from e
        if not isinstance(said, dict) or said.get("issuer") != self._settings.issuer:
            raise Refused("another-provider", "the identity provider has another name than it should")
        return said


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    reply = await client.get(url)
    reply.raise_for_status()
    return reply.json()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
