"""An identity provider of a test's own, without a network: as it must be, and as it must not be."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

ISSUER = "https://id.example"


class FakeProvider:
    """`claims` go into the ID token; what a test puts into `wrong` goes over them."""

    def __init__(self, now_s: int) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
        self.other = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
        self.now_s = now_s
        self.user = "otto"
        self.wrong: dict[str, Any] = {}
        self.signs_with = self.key
        self.away = False
        self.issuer = ISSUER
        self.asked: dict[str, dict[str, str]] = {}  # by code

    @property
    def network(self) -> httpx.MockTransport:
        """In which there is this provider and nothing else."""
        return httpx.MockTransport(self._answer)

    def log_in(self, url: str) -> str:
        """The person says yes: the query with which the browser is sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return f"code={code}&state={asked['state']}"

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("no route")
        match request.url.path:
            case "/.well-known/openid-configuration":
                names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
                told = {name: f"{ISSUER}/{path}" for name, path in names.items()}
                return httpx.Response(200, json={"issuer": self.issuer, **told})
            case "/keys":
                return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
            case "/token":
                return self._token({k: v[0] for k, v in parse_qs(request.content.decode()).items()})
        return httpx.Response(404)

    def _token(self, given: dict[str, str]) -> httpx.Response:
        asked = self.asked.pop(given.get("code", ""), None)
        hashed = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return httpx.Response(400, json={"error": "invalid_grant"})
        claims = {
            "iss": ISSUER, "aud": "samsyn", "sub": "1", "nonce": asked["nonce"], "iat": self.now_s,
            "exp": self.now_s + 300, "preferred_username": self.user, **self.wrong,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if isinstance(self.signs_with, OctKey):
            token = jwt.encode({"alg": "HS256"}, claims, self.signs_with)
        else:
            token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.signs_with)
        body = {"access_token": "x", "token_type": "Bearer", "id_token": token}
        return httpx.Response(200, json=body)
