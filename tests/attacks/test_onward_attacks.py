"""A holder that was given others' statements and does with them what it may not.

dk's node is in other hands and writes into fi's channel; se is the originator that it had them from.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base import limits
from samsyn.channels import Mirror
from samsyn.channels.leaf import withdraw_leaf
from samsyn.statements.sign import sign
from samsyn.statements.statement import Statement
from tests.attacks.test_channel_attacks import Liar, refused, released
from tests.channels.nodes import Node, bytes_on_disk, draft


class Scene:
    """fi follows dk and se, and knows se's key; `known` may be added to later."""

    def __init__(self, folder: Path) -> None:
        self.fi, self.dk, self.se = Node(folder, "fi"), Liar(folder, "dk"), Liar(folder, "se")
        self.dk.open_to([self.fi, self.se])
        self.known: list[Node] = [self.se, self.fi]
        self.mirror: Mirror = self.fi.follow(self.dk, self.known)
        self.from_se: Mirror = self.fi.follow(self.se, [self.dk, self.fi])

    def of_se(
        self, onward: str = "free", jti: str | None = None, ver: int = 1, **more: str
    ) -> Statement:
        said = draft(onward=onward, **more)
        return sign(said, iss="se", key=self.se.keys.statement, jti=jti, ver=ver)

    def state(self, statement: Statement) -> str:
        stored = self.fi.statements.get(statement.jti)
        return "none" if stored is None else "purged" if stored.purged else stored.state


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_passed_on_against_the_originators_word(scene: Scene) -> None:
    said = scene.of_se("no")
    data = scene.dk.says([released(said)])
    assert refused(scene.mirror, data).reason == "onward-not-allowed"


def test_passed_on_against_the_word_of_an_unknown_originator(scene: Scene) -> None:
    said = sign(draft(onward="no"), iss="no", key=scene.se.keys.statement)
    assert refused(scene.mirror, scene.dk.says([released(said)])).reason == "onward-not-allowed"


def test_passed_on_with_a_forged_signature(scene: Scene) -> None:
    said = sign(draft(), iss="se", key=scene.dk.keys.statement)
    assert refused(scene.mirror, scene.dk.says([released(said)])).reason == "forged-signature"


def test_passed_on_with_an_altered_disclosure(scene: Scene) -> None:
    said, other = scene.of_se(), scene.of_se(title="Something else")
    disclosures = {**said.disclosures, "title": other.disclosures["title"]}
    view = b"~".join([said.jwt, *disclosures.values(), b""])
    data = scene.dk.says([released(said, view)])
    assert refused(scene.mirror, data).reason == "altered-disclosure"


def test_our_own_statement_sent_back(scene: Scene) -> None:
    ours = scene.fi.say()
    assert refused(scene.mirror, scene.dk.says([released(ours)])).reason == "own-statement-returned"


def test_withdrawn_by_its_originator_and_passed_on_again(scene: Scene) -> None:
    said = scene.of_se()
    scene.from_se.receive(scene.se.says([released(said)]))
    scene.from_se.receive(scene.se.says([(withdraw_leaf(said.jti, 1, True), None)]))
    scene.mirror.receive(scene.dk.says([released(said)]))  # dk may not have heard of it yet
    wider = scene.of_se(jti=said.jti, ver=2)
    scene.mirror.receive(scene.dk.says([released(wider)]))
    assert scene.state(said) == "purged"
    scene.fi.db.checkpoint()
    assert said.disclosures["title"] not in bytes_on_disk(scene.fi)
    assert wider.disclosures["title"] not in bytes_on_disk(scene.fi)


def test_purged_by_its_originator_before_it_was_read_and_passed_on(scene: Scene) -> None:
    said = scene.of_se()
    leaf, _ = released(said)
    scene.from_se.receive(
        scene.se.says([(leaf, None), (withdraw_leaf(said.jti, 1, True), None)]),
    )
    scene.mirror.receive(scene.dk.says([released(said)]))
    assert scene.state(said) == "purged"


def test_an_id_used_before_its_originator_reaches_us(scene: Scene) -> None:
    """dk knows the id of what se will tell fi, and is the first to use it: se's channel must go on."""
    said, next_one = scene.of_se(), scene.of_se()
    scene.mirror.receive(scene.dk.says([released(scene.dk.signed(jti=said.jti))]))
    scene.from_se.receive(scene.se.says([released(said), released(next_one)]))
    assert scene.state(next_one) == "standing"
    (told,) = scene.from_se.set_aside()
    assert told.reason == "id-of-another" and told.evidence["received"] == said.present()
    scene.from_se.receive(scene.se.says([(withdraw_leaf(said.jti, 1, True), None)]))
    held = scene.fi.statements.get(said.jti)
    assert held and (held.iss, held.state) == ("dk", "standing")  # se takes back its own alone
    assert scene.from_se.cosigned()  # purges included
    assert said.disclosures["title"] not in bytes_on_disk(scene.fi)


def test_two_statements_of_one_originator_under_one_name(scene: Scene) -> None:
    """se told dk another thing than fi. dk is not to blame; both are kept, and a person is told."""
    said = scene.of_se()
    other = scene.of_se(jti=said.jti, text="another account")
    scene.from_se.receive(scene.se.says([released(said)]))
    scene.mirror.receive(scene.dk.says([released(other), released(scene.dk.signed())]))
    held = scene.fi.statements.get(said.jti)
    assert held and held.statement and held.statement.jwt == said.jwt
    (told,) = scene.mirror.set_aside()
    assert told.reason == "equivocation-of-another"
    assert told.evidence == {"held": said.present(), "received": other.present()}
    data = scene.dk.says([released(scene.of_se(jti=said.jti, ver=2), None)])
    scene.mirror.receive(data)
    assert refused(
        scene.mirror, scene.dk.says([released(scene.of_se(jti=said.jti, ver=2, text="x"))])
    ).reason in ("equivocation", "replayed-entry")


def test_a_flood_of_unknown_originators_is_bounded(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ASIDE_STATEMENTS", 5)
    key = Ed25519PrivateKey.generate()
    made = [sign(draft(), iss=f"x{n}", key=key) for n in range(12)]
    scene.mirror.receive(scene.dk.says([released(s) for s in made]))
    own = scene.dk.signed()
    scene.mirror.receive(scene.dk.says([released(own)]))
    assert scene.state(own) == "standing"
    kept = sum(s.disclosures["title"] in bytes_on_disk(scene.fi) for s in made)
    assert kept == 5 and scene.fi.statements.page() == [scene.fi.statements.get(own.jti)]
    monkeypatch.setattr(limits, "ASIDE_STATEMENTS", 1_000)
    monkeypatch.setattr(limits, "ASIDE_BYTES", 20_000)
    more = [sign(draft(text="y" * 5_000), iss=f"y{n}", key=key) for n in range(8)]
    scene.mirror.receive(scene.dk.says([released(s) for s in more]))
    assert sum(s.disclosures["text"] in bytes_on_disk(scene.fi) for s in more) < 4


def test_what_waits_for_a_card_is_judged_when_it_comes(tmp_path: Path, scene: Scene) -> None:
    no = Node(tmp_path, "no")
    true = sign(draft(onward="free"), iss="no", key=no.keys.statement)
    forged = sign(draft(onward="free"), iss="no", key=scene.dk.keys.statement)
    gone = sign(draft(onward="free"), iss="no", key=no.keys.statement)
    scene.mirror.receive(scene.dk.says([released(s) for s in (true, forged, gone)]))
    scene.mirror.receive(scene.dk.says([(withdraw_leaf(gone.jti, 1, False), None)]))
    assert scene.mirror.take_aside() == 0
    scene.known.append(no)
    assert scene.mirror.take_aside() == 1
    assert [scene.state(s) for s in (true, forged, gone)] == ["standing", "none", "none"]
    assert [p.reason for p in scene.mirror.set_aside()] == ["forged-signature"]
    scene.mirror.receive(scene.dk.says([(withdraw_leaf(true.jti, 1, True), None)]))
    assert scene.state(true) == "purged"


def test_a_purge_of_what_came_by_others_too(scene: Scene) -> None:
    said = scene.of_se()
    coarse = said.present(["title", "place.region"])
    scene.from_se.receive(scene.se.says([released(said, coarse)]))
    scene.mirror.receive(scene.dk.says([released(said)]))
    assert len(scene.fi.statements.get(said.jti).statement.slots) > 2  # type: ignore[union-attr]
    scene.mirror.receive(scene.dk.says([(withdraw_leaf(said.jti, 1, True), None)]))
    held = scene.fi.statements.get(said.jti)
    assert held and held.statement and held.state == "standing"
    assert set(held.statement.slots) == {"title", "place.region"}
    again = scene.dk.says([released(said)])
    assert refused(scene.mirror, again).reason == "released-after-withdrawal"
