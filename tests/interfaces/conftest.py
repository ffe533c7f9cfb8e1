"""A home with a partner and no feeds, and its home tree, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from samsyn.base.settings import Home
from samsyn.demo.world import swap_cards
from samsyn.desk import accounts
from samsyn.desk.accounts import add_account
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.node.homes import make_home
from samsyn.node.node import Node
from samsyn.node.stores import Stores

PASSWORD = "correct horse battery"
POLICY = """
[[rule]]
id = "area-to-fi"
why = "test agreement"
to = ["fi"]
kinds = ["alert", "report"]
place = "area"
time = "hour"
"""


@pytest.fixture(autouse=True)
def light_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 that costs nothing: how hard it is to guess is not what these tests ask."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    dk = make_home(
        tmp_path / "dk",
        name="dk",
        organisation="Coast Watch",
        realm="actual",
        policy=POLICY,
        exchange_listen="127.0.0.1:9",
    )
    fi = make_home(
        tmp_path / "fi",
        name="fi",
        organisation="Border Centre",
        realm="actual",
        exchange_listen="127.0.0.1:10",
    )
    swap_cards([dk, fi])
    for user, role in (("duty", "duty"), ("guest", "viewer"), ("otto", "release")):
        add_account(dk.accounts, user, user.title(), role, PASSWORD)  # type: ignore[arg-type]
    return dk


@pytest.fixture
def node(home: Home) -> Iterator[Node]:
    made = Node(Stores(home))
    yield made
    made.stop()


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Samsyn</title>")
    (folder / "assets" / "a.js").write_text("1")
    (tmp_path / "secret.txt").write_text("not for the web")
    return folder


@pytest.fixture
def client(node: Node, home: Home, web: Path) -> TestClient:
    sessions = Sessions(home.accounts, node.stores.wall)
    app = home_app(node.desk, sessions, web, frozenset({"127.0.0.1"}))
    return TestClient(app, base_url="http://127.0.0.1:8440", headers={"x-samsyn": "1"})


@pytest.fixture
def signed_in(client: TestClient) -> TestClient:
    """As a release officer, who may do most."""
    assert client.post("/api/session", json={"user": "otto", "password": PASSWORD}).status_code == 200
    return client
