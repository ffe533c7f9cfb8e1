"""A certificate instead of a token, or beside it, for programs that read over HTTPS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from taxii2client.common import _HTTPConnection
from taxii2client.v21 import Collection, as_pages

from samsyn.base import limits
from samsyn.desk.diary import Noted
from samsyn.interfaces.taxii import collection_id
from samsyn.node import readers
from tests.channels.nodes import draft
from tests.interfaces.readers import Site, _AnyName, told

PLACES = ("/taxii2/", "/api/", "/ogc/", "/ogc/collections/alerts/items", "/map/baltic.pmtiles", "/no")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    for _ in range(3):
        made.node.stores.pen.sign(draft("alert", exercise=False), by="t")
    made.node.tick()
    yield made
    made.close()


def certificate(site: Site, name: str, *, both: bool = False) -> Path:
    """A new one's file, with its key."""
    first = not (site.home.keys / "readers-ca.pem").exists()
    issued = readers.certificate(site.home, name, "secret", by="anna", both=both)
    if first:
        site.again()  # the first of all: from now on the port asks for one
    file = site.home.root / f"{name}-{issued.der[-8:].hex()}.pem"
    file.write_bytes(issued.certificate_pem + issued.key_pem)
    return file


def client(site: Site, shows: Path | None, token: str = "") -> httpx.Client:
    context = ssl.create_default_context(cafile=str(site.home.keys / "tls.pem"))
    context.check_hostname = False
    if shows is not None:
        context.load_cert_chain(shows)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(verify=context, base_url=site.url, headers=headers, timeout=60)


def replies(site: Site, shows: Path | None, token: str = "") -> list[tuple[int, bytes]]:
    with client(site, shows, token) as asks:
        return [(r.status_code, r.content) for r in map(asks.get, PLACES)]


def titles(site: Site, shows: Path | None, token: str = "") -> list[str]:
    """Whose collection the client is shown."""
    with client(site, shows, token) as asks:
        found = asks.get("/api/collections/").json()
    return [one["title"] for one in found.get("collections", ())]


def noted(site: Site) -> list[Noted]:
    site.node.tick()
    return [n for n in site.node.stores.diary.entries() if n.did.startswith(("reader-c", "refuse"))]


def test_a_certificate_alone_is_enough_and_shows_its_reader_s_channel(site: Site) -> None:
    shows = certificate(site, "gis")
    assert titles(site, shows) == ["Coast Watch for gis (actual)"]
    assert titles(site, None, site.tokens["gis"]) == ["Coast Watch for gis (actual)"]
    assert titles(site, shows, site.tokens["gis"]) == ["Coast Watch for gis (actual)"]


def test_taxii2_client_with_a_certificate_gets_all_of_it(site: Site) -> None:
    shows = certificate(site, "gis")
    trust = str(site.home.keys / "tls.pem")
    connection = _HTTPConnection(verify=trust, version="2.1", cert=str(shows))
    connection.session.trust_env = False
    connection.session.mount("https://", _AnyName())
    url = f"{site.url}/api/collections/{collection_id('dk', 'actual', 'gis')}/"
    pages = as_pages(Collection(url, conn=connection).get_objects, per_request=2)
    assert told([o for page in pages for o in page.get("objects", [])]) == site.held("gis")
    assert len(site.held("gis")) == 3


def test_whatever_is_shown_must_be_the_same_reader_s(site: Site) -> None:
    """Wrong certificate and right token; right certificate and wrong token; another's of either."""
    stranger = replies(site, None)
    assert {status for status, _ in stranger} == {401}
    gis, cyber = certificate(site, "gis"), certificate(site, "cyber")
    before = certificate(site, "gis")  # and `gis` is the one of before from now on
    gis, before = before, gis
    for shows, token in (
        (cyber, site.tokens["gis"]),
        (gis, site.tokens["cyber"]),
        (gis, "made up"),
        (before, site.tokens["gis"]),
        (before, ""),
    ):
        assert replies(site, shows, token) == stranger
    with client(site, gis) as asks:
        for header in ("Bearer", "Basic !!", "Digest x", "Basic Z2lzOg=="):
            assert asks.get("/api/", headers={"authorization": header}).content == stranger[1][1]
    (entry,) = {n.what["reason"] for n in noted(site) if n.did == "refuse"} - {"unknown-token"}
    assert entry == "unknown-certificate"


def test_beside_the_token_neither_is_enough_alone(site: Site) -> None:
    stranger = replies(site, None)
    shows = certificate(site, "gis", both=True)
    assert replies(site, shows) == replies(site, None, site.tokens["gis"]) == stranger
    assert titles(site, shows, site.tokens["gis"]) == ["Coast Watch for gis (actual)"]
    assert titles(site, None, site.tokens["cyber"]) == ["Coast Watch for cyber (actual)"]
    readers.revoke_certificate(site.home, "gis", by="anna", why="lost")
    token = site.tokens["gis"]
    assert replies(site, shows, token) == replies(site, None, token) == stranger


def test_it_is_revoked_at_once_and_both_stand_in_the_audit_log(site: Site) -> None:
    shows = certificate(site, "gis")
    with client(site, shows) as asks:  # one connection, held open
        assert asks.get("/api/").status_code == 200
        readers.revoke_certificate(site.home, "gis", by="anna", why="lost")
        assert asks.get("/api/").status_code == 401
    assert titles(site, None, site.tokens["gis"]) == ["Coast Watch for gis (actual)"]
    shows = certificate(site, "gis")
    readers.revoke(site.home, "gis", by="anna", why="it left")
    assert replies(site, shows) == replies(site, None)
    did = [(n.by, n.did) for n in noted(site) if n.did != "refuse"]
    assert did == [("anna", f"reader-certificate{end}") for end in ("", "-revoke", "")]


def test_another_authority_s_certificate_ends_the_handshake(site: Site, tmp_path: Path) -> None:
    certificate(site, "gis")
    other = Site(tmp_path / "other")
    try:
        theirs = certificate(other, "gis")  # the same name, by another node's authority
        for token in ("", site.tokens["gis"]):
            with pytest.raises(httpx.TransportError), client(site, theirs, token) as asks:
                asks.get("/api/")
    finally:
        other.close()
    assert titles(site, None, site.tokens["gis"]) == ["Coast Watch for gis (actual)"]


def test_certificate_and_token_share_one_allowance(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READER_REQUESTS_PER_MINUTE", 4)
    shows = certificate(site, "gis")

    def status(asks: Any) -> int:
        return int(asks.get("/api/").status_code)

    with client(site, shows) as one, client(site, None, site.tokens["gis"]) as other:
        assert [status(one), status(other), status(one), status(other)] == [200] * 4
        assert status(one) == status(other) == 429
    with client(site, None, site.tokens["cyber"]) as third:
        assert status(third) == 200
