"""Signing in by an identity provider, and what must not sign anybody in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OctKey
from starlette.testclient import TestClient

from samsyn.base.clock import MINUTE_US, SECOND_US, ManualClock
from samsyn.base.settings import Home, SignInSettings
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.interfaces.oidc import Provider
from samsyn.node.node import Node
from tests.interfaces.provider import ISSUER, FakeProvider

NOW_US = 1_795_291_200_000_000


class Site:
    """A home tree with a provider beside passwords, and a browser."""

    def __init__(self, node: Node, home: Home, web: Path) -> None:
        self.clock = ManualClock(NOW_US)
        self.there = FakeProvider(NOW_US // SECOND_US)
        said = SignInSettings(issuer=ISSUER, client_id="samsyn", title="Coast Watch ID")
        provider = Provider(said, "", self.clock, self.there.network)
        names = frozenset({"127.0.0.1"})
        self.app = home_app(node.desk, Sessions(home.accounts, self.clock), web, names, provider)
        self.browser = self.client()
        self.node = node

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1:8440", follow_redirects=False)

    def sign_in(self, change: Callable[[str], str] = lambda query: query) -> str:
        """Where the browser lands; change: what comes back from the provider."""
        begun = self.browser.get("/api/oidc")
        assert begun.status_code == 303 and begun.headers["location"].startswith(f"{ISSUER}/auth?")
        query = change(self.there.log_in(begun.headers["location"]))
        return self.browser.get(f"/api/oidc/callback?{query}").headers["location"]

    def who(self) -> Any:
        reply = self.browser.get("/api/session")
        return reply.json()["user"] if reply.status_code == 200 else None


@pytest.fixture
def site(node: Node, home: Home, web: Path) -> Site:
    return Site(node, home, web)


def test_somebody_with_an_account_here_signs_in(site: Site) -> None:
    assert site.browser.get("/api/sign-in").json() == {"provider": "Coast Watch ID"}
    assert site.sign_in() == "/"
    assert site.who() == "otto"
    assert "sign-in" in [n.did for n in site.node.stores.diary.entries()]
    session = next(c for c in site.browser.cookies.jar if c.name == "samsyn_session_dk")
    assert session.has_nonstandard_attr("HttpOnly")


def test_what_the_request_says_is_as_it_must_be(site: Site) -> None:
    begun = site.browser.get("/api/oidc")
    assert "code_challenge_method=S256" in begun.headers["location"]
    back = "redirect_uri=http%3A%2F%2F127.0.0.1%3A8440%2Fapi%2Foidc%2Fcallback"
    assert back in begun.headers["location"]
    cookie = begun.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/api/oidc" in cookie


@pytest.mark.parametrize(
    "wrong",
    [
        {"preferred_username": "nobody-here"},
        {"preferred_username": None},
        {"preferred_username": ["otto"]},
        {"aud": "another-program"},
        {"iss": "https://elsewhere.example"},
        {"nonce": "an-old-one"},
        {"exp": NOW_US // SECOND_US - 3600},
        {"exp": None},
    ],
    ids=["no-account", "no-name", "no-text", "for-another", "by-another", "replayed", "old", "endless"],
)
def test_a_word_that_is_not_as_it_must_be_signs_nobody_in(site: Site, wrong: dict[str, Any]) -> None:
    site.there.wrong = wrong
    assert site.sign_in() == "/#failed=oidc"
    assert site.who() is None


def test_a_token_signed_by_another_key_or_by_a_secret_signs_nobody_in(site: Site) -> None:
    site.there.signs_with = site.there.other
    assert site.sign_in() == "/#failed=oidc"
    site.there.signs_with = OctKey.import_key(b"samsyn" * 8)  # type: ignore[assignment]
    assert site.sign_in() == "/#failed=oidc"
    assert site.who() is None


def test_a_sign_in_that_another_browser_began_is_not_taken(site: Site) -> None:
    """Login CSRF: somebody sends the victim's browser the end of a sign-in of their own."""
    thief = site.client()
    query = site.there.log_in(thief.get("/api/oidc").headers["location"])
    assert site.browser.get(f"/api/oidc/callback?{query}").headers["location"] == "/#failed=oidc"
    assert site.who() is None
    # and it is used up: the thief cannot go on with it either
    assert thief.get(f"/api/oidc/callback?{query}").headers["location"] == "/#failed=oidc"


def test_a_state_is_good_once_and_for_ten_minutes(site: Site) -> None:
    query = site.there.log_in(site.browser.get("/api/oidc").headers["location"])
    site.clock.advance(11 * MINUTE_US)
    assert site.browser.get(f"/api/oidc/callback?{query}").headers["location"] == "/#failed=oidc"
    assert site.sign_in(lambda query: query.replace("state=", "state=x")) == "/#failed=oidc"
    assert site.who() is None


def test_a_provider_that_is_away_or_another_is_told(site: Site) -> None:
    site.there.away = True
    assert site.browser.get("/api/oidc").headers["location"] == "/#failed=oidc"
    site.there.away, site.there.issuer = False, "https://elsewhere.example"
    assert site.browser.get("/api/oidc").headers["location"] == "/#failed=oidc"


def test_without_a_provider_there_is_no_such_way(client: TestClient) -> None:
    assert client.get("/api/sign-in").json() == {"provider": None}
    for path in ("/api/oidc", "/api/oidc/callback?state=x&code=y"):
        assert client.get(path, follow_redirects=False).status_code == 404
