"""DK tells SE, SE asks whether FI may have it, DK answers; then DK takes it back. Real nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from samsyn.base.clock import parse_iso
from samsyn.desk.asking import ConsentForm, RequestForm
from samsyn.desk.drafts import ReportForm
from samsyn.node.audit import audit
from samsyn.node.node import Node
from samsyn.statements.store import Stored
from tests.scenarios.network import running, wait

AT_US = parse_iso("2026-11-21T20:15:03.123456Z")
DK = """
[[rule]]
id = "all-to-se"
why = "annex A"
to = ["se"]
kinds = ["report"]
place = "exact"
time = "exact"
"""
SE = """
[[rule]]
id = "on-to-fi"
why = "annex B"
to = ["fi"]
kinds = ["report"]
when = { originator = ["dk"] }
place = "exact"
time = "exact"
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Node]]:
    with running(tmp_path_factory.mktemp("net"), {"dk": DK, "se": SE, "fi": ""}) as nodes:
        yield nodes


def held(node: Node, jti: str) -> Stored | None:
    return node.stores.statements.get(jti)


def found(node: Node, kind: str, **slots: Any) -> Stored | None:
    """The statement of that kind whose body says so."""
    for stored in node.stores.statements.page():
        said = stored.statement
        if (
            stored.kind == kind
            and said
            and all(said.slots.get(f"body.{k}") == v for k, v in slots.items())
        ):
            return stored
    return None


def test_from_the_request_to_the_purge(nodes: dict[str, Node]) -> None:
    dk, se, fi = nodes["dk"], nodes["se"], nodes["fi"]
    form = ReportForm(title="Drifting", text="all of it", lat=55.678912, lon=12.612345, time_us=AT_US)
    said = dk.stores.pen.sign(form.draft(by="t", exercise=False, now_us=AT_US), by="t")
    wait(lambda: held(se, said.jti))
    assert "no consent for fi" in se._door.explain(said.jti, "fi").en

    se.stores.asking.request(
        RequestForm(about=said.jti, readers=("fi",), place="area", time="hour", why="she heads for fi"),
        by="duty officer",
    )
    asked = wait(lambda: found(dk, "request", about=said.jti))
    assert found(fi, "request") is None
    dk.stores.asking.answer(ConsentForm(request=asked.jti, given=True), by="release officer")
    got = wait(lambda: held(fi, said.jti))

    # fi has the word of dk itself, and checks it with dk's card alone
    card = fi.stores.roster.get("dk")
    assert card and got.received_from == "se"
    key = JWK(kty="OKP", crv="Ed25519", x=card.statement_key)
    seen = SDJWTVerifier(got.body.decode(), lambda *_: key).get_verified_payload()
    assert (seen["iss"], seen["jti"]) == ("dk", said.jti)
    assert "place.area" in seen and "place.spot" not in seen and "time.exact" not in seen
    assert found(fi, "consent") is None

    dk.stores.pen.withdraw(said.jti, purge=True, why="wrong after all", by="t")
    wait(lambda: (gone := held(fi, said.jti)) and gone.purged)
    wait(lambda: all(n.stores.outbox.waiting() == 0 for n in nodes.values()))
    wait(lambda: se.link("fi")["sent"] == se.link("fi")["applied"])
    for node in nodes.values():
        problems = [p for part in audit(node.stores.home) for p in part.problems]
        assert problems == []
