"""What users of other systems complained of in public threads, each as a scenario that must not happen.

A test is named after its thread; the sentence says the trouble in our own words.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from samsyn.base.clock import DAY_US, HOUR_US, MINUTE_US
from samsyn.base.errors import ConfigError, InputError, Refused
from samsyn.channels import Door
from samsyn.channels import batch as wire
from samsyn.channels.file import Header, export
from samsyn.channels.leaf import Release, read_leaf
from samsyn.channels.names import witness_name
from samsyn.desk.views import Views
from samsyn.log.witness import verify_cosignature
from samsyn.statements.sign import verify
from samsyn.statements.statement import Draft
from samsyn.subjects import KINDS
from tests.channels.nodes import LAT, LON, Node, bytes_on_disk, draft, pull
from tests.channels.passing import Net

FI = """
[[rule]]
id = "to-fi"
why = "w"
to = ["fi"]
kinds = ["alert", "report"]
"""
COARSE = 'place = "area"\ntime = "hour"\nhide = ["author", "sources", "text"]\n'


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Node, Node, Node]:
    """dk gives; se and fi follow it."""
    dk, se, fi = (Node(tmp_path, name) for name in ("dk", "se", "fi"))
    dk.open_to([se, fi])
    for node in (se, fi):
        node.follow(dk)
    return dk, se, fi


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


def file_for(dk: Node, reader: str) -> bytes:
    channel, file = dk.door.reader(reader), BytesIO()
    assert channel
    export(channel, Header("dk", "exercise", reader), 0, file)
    return file.getvalue()


def reached(dk: Node, reader: str) -> bytes:
    """All that this reader can be given: head, entries, the file, live tracks."""
    channel = dk.door.reader(reader)
    assert channel
    return channel.checkpoint() + channel.entries(0) + channel.frame() + file_for(dk, reader)


def opened(data: bytes) -> bytes:
    """`data`, and after it every run of base64 in it as what it stands for."""
    runs = re.findall(rb"[A-Za-z0-9_-]{12,}", data)
    return data + b"\n".join(
        base64.urlsafe_b64decode(run + b"=" * (-len(run) % 4)) for run in runs if len(run) % 4 != 1
    )


def ids(dk: Node, reader: str) -> list[str]:
    """Ids of what was released to a reader, in the order of its channel."""
    channel = dk.door.reader(reader)
    assert channel
    leaves = [read_leaf(e.leaf.encode()) for e in wire.decode(channel.entries(0)).entries]
    return [leaf.id for leaf in leaves if isinstance(leaf, Release)]


# --- leaks, and unclear reach


def test_misp_4200_an_empty_circle_releases_to_nobody(nodes: tuple[Node, Node, Node]) -> None:
    """A sharing group without members was treated as no restriction at all."""
    dk, se, fi = nodes
    dk.open_to([se, fi], "[circles]\nempty = []\n" + FI.replace('"fi"', '"circle:empty"'))
    dk.say()
    assert dk.door.tick().entries == 0
    assert dk.size_to("se") == dk.size_to("fi") == 0
    dk.open_to([se, fi], FI.replace('["fi"]', "[]"))  # nor does a rule that names nobody mean all
    dk.say()
    assert dk.door.tick().entries == 0


def test_geonode_2696_the_members_of_a_circle_are_never_visible(tmp_path: Path) -> None:
    """Whoever could see a group could list its members."""
    names = ("quistgaard-coast", "lindqvist-border", "virtanen-harbour")
    policy = "[circles]\ninner-ring = [" + ", ".join(f'"{n}"' for n in names) + "]\n"
    policy += FI.replace('"fi"', '"circle:inner-ring"').replace("to-fi", "rule-of-the-ring") + COARSE
    policy += 'onward = "circle"\n'
    dk = Node(tmp_path, "dk")
    readers = [Node(tmp_path, name) for name in names]
    dk.open_to(readers, policy)
    for reader in readers:
        reader.follow(dk)
    said = [dk.say(draft(onward="circle")) for _ in range(3)]
    dk.door.tick()
    dk.outbox.put("withdraw", said[0].jti, 1, purge=True)
    dk.door.tick()
    for reader in readers:
        pull(reader, dk)
        seen = opened(reached(dk, reader.name)) + opened(bytes_on_disk(reader))
        hidden = [*(n for n in names if n != reader.name), "inner-ring", "rule-of-the-ring"]
        assert [word for word in hidden if word.encode() in seen] == []
        assert said[1].jti.encode() in seen and reader.name.encode() in seen


@pytest.mark.parametrize("realm", ["actual", "exercise"])
def test_taky_26_and_rsit_28_an_exercise_never_reaches_an_actual_channel(
    tmp_path: Path, realm: Any
) -> None:
    """Players' positions and incidents of an exercise stood among real ones, told apart by a tag."""
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")
    dk.door = Door(dk.db, dk.statements, dk.logs, node="dk", realm=realm, keys=dk.keys, clock=dk.clock)
    dk.open_to([fi], FI)
    other = dk.say(draft(exercise=realm != "exercise"))
    assert dk.door.tick().entries == 0
    dk.say(draft(exercise=realm == "exercise"))
    assert dk.door.tick().entries == 1
    assert other.jti.encode() not in opened(dk.door.reader("fi").entries(0))  # type: ignore[union-attr]
    wrong = "exercise" if realm == "actual" else "actual"
    with pytest.raises(InputError, match=wrong):
        Header("dk", wrong, "fi").check(me="fi", realm=realm)


def test_taky_26_a_node_refuses_the_other_realm_of_a_partner_that_mixes_them(tmp_path: Path) -> None:
    """The same from the receiving side: what is actual is not taken by an exercise, signed or not."""
    dk, fi = Node(tmp_path, "dk"), Node(tmp_path, "fi")
    mirror = fi.follow(dk)
    dk.open_to([fi], FI)
    dk.door._exercise = False  # a partner's node that was tampered with
    actual = dk.say(draft(exercise=False))
    assert dk.door.tick().entries == 1
    with pytest.raises(Refused) as refused:
        mirror.receive(dk.door.reader("fi").entries(0))  # type: ignore[union-attr]
    assert refused.value.reason == "exercise-marked-as-actual"
    assert fi.statements.get(actual.jti) is None


@pytest.mark.parametrize(
    "wrong",
    [
        FI + 'when = { markings_max = "TLP:GREEN" }\n',
        FI + 'when = { tag = ["a"] }\n',
        FI + 'hides = ["author"]\n',
        FI + 'delays = "10m"\n',
        FI + 'place = "exactly"\n',
        FI + 'when = { subject = ["see"] }\n',
        FI + 'when = { area = "unknown" }\n',
        FI + 'hide = ["autor"]\n',
        FI + '[[denied]]\nid = "x"\nwhy = "w"\n',
    ],
)
def test_misp_9879_a_word_that_is_not_known_is_an_error_and_no_silence(
    nodes: tuple[Node, Node, Node], wrong: str
) -> None:
    """A filter with a name that was not understood was left out, and everything went."""
    dk, se, fi = nodes
    with pytest.raises(ConfigError) as refused:
        dk.open_to([se, fi], wrong)
    assert re.search(r"policy\.toml:\d+", str(refused.value.where))


FILTERS: dict[str, tuple[str, Draft]] = {
    "marking_max": ('marking_max = "TLP:GREEN"', draft(marking="TLP:AMBER")),
    "area": ('area = "north"', draft()),
    "confidence_min": ('confidence_min = "high"', draft(confidence="low")),
    "subject": ('subject = "air"', draft()),
    "detector": ('detector = ["silence"]', draft()),
    "tags": ('tags = ["a"]', draft(tags=["b"])),
    "exercise": ("exercise = false", draft()),
}


@pytest.mark.parametrize("name", FILTERS)
def test_misp_9879_a_filter_holds_on_every_way_out(nodes: tuple[Node, Node, Node], name: str) -> None:
    """Filters held in the usual push and were passed over by "push all" and after an upgrade."""
    dk, se, fi = nodes
    condition, said = FILTERS[name]
    areas = "[areas]\nnorth = { bbox = [9.0, 60.0, 31.0, 66.0] }\n"
    policy = areas + FI.replace(', "report"', "") + f"when = {{ {condition} }}\n"
    dk.open_to([se, fi], policy)
    jti = dk.say(said).jti
    dk.door.tick()
    dk = dk.again()  # a restart, perhaps of a newer version
    dk.open_to([se, fi], policy)
    dk.outbox.put("release", jti, 1)  # asked again, as a catch-up does, for all and for one
    dk.outbox.put("release", jti, 1, reader="fi")
    dk.door.tick()
    dk.clock.advance(DAY_US)
    dk.door.tick()
    assert jti.encode() not in opened(reached(dk, "fi"))
    assert (dk.size_to("fi"), dk.size_to("se")) == (0, 0)
    dk.open_to([se, fi], FI)  # and without the condition it is the same statement that goes
    dk.outbox.put("release", jti, 1)
    dk.door.tick()
    assert ids(dk, "fi") == [jti]


def test_opentakserver_290_no_way_out_shows_what_another_keeps(nodes: tuple[Node, Node, Node]) -> None:
    """The web interface gave every group's data, which the socket kept apart."""
    dk, se, fi = nodes
    dk.open_to([se, fi], FI + COARSE)
    told = {dk.say().jti for _ in range(3)}
    untold = {dk.say(draft(marking="TLP:RED")).jti for _ in range(3)}
    dk.door.tick()
    pull(fi, dk)
    shown = Views("dk", dk.statements, dk.door).as_partner("fi")
    assert {item["jti"] for item in shown["held"]} == set(ids(dk, "fi")) == told
    assert {stored.jti for stored in fi.statements.page()} == told
    for way in (file_for(dk, "fi"), dk.door.reader("fi").entries(0)):  # type: ignore[union-attr]
        assert all(jti.encode() in opened(way) for jti in told)
        assert not any(jti.encode() in opened(way) for jti in untold)


def test_misp_1721_who_can_see_this_has_an_exact_answer(nodes: tuple[Node, Node, Node]) -> None:
    """Nobody could say who exactly sees a thing; here it is said, and holds at each reader."""
    dk, se, fi = nodes
    everything = [dk.say(said) for said in (draft(), draft(marking="TLP:RED"), draft("report"))]
    dk.door.tick()
    for reader in (se, fi):
        pull(reader, dk)
    for said in everything:
        given = {d.reader: d.slots for d in dk.door.delivered(said.jti)}
        for reader in (se, fi):
            held = reader.statements.get(said.jti)
            explained = dk.door.explain(said.jti, reader.name)
            assert explained.released == (held is not None) == (reader.name in given)
            assert reader.name in explained.en and (explained.rule or "no rule" in explained.en)
            if held and held.statement:
                assert held.statement.slots.keys() == given[reader.name]


# --- redaction


def test_misp_3258_and_8767_what_is_withheld_is_in_no_byte(nodes: tuple[Node, Node, Node]) -> None:
    """An attribute could be kept back only with all of its object, or not at all."""
    dk, _, fi = nodes
    said = dk.say()
    dk.door.tick()
    pull(fi, dk)
    seen = opened(reached(dk, "fi")) + opened(bytes_on_disk(fi))
    for withheld in ("Watch officer Holm", "secret radar", "exact words", str(LAT), str(LON), "0.6125"):
        assert withheld.encode() not in seen
        assert withheld.encode() in opened(reached(dk, "se"))
    assert b"A vessel drifts" in seen  # the summary stands beside the text
    held = fi.statements.get(said.jti)
    assert held and held.body  # and what was kept back breaks no signature
    assert verify(held.body, {"dk": dk.keys.statement.public_key()}).jwt == said.jwt


# --- what is taken back, and what is changed


def test_misp_7409_a_removed_tag_reaches(nodes: tuple[Node, Node, Node]) -> None:
    """A tag that let a thing out was taken off again, and the copies downstream kept it."""
    dk, se, fi = nodes
    dk.open_to([se, fi], FI + 'when = { tags = ["for-partners"] }\n')
    said = dk.say(draft(tags=["for-partners"]))
    dk.door.tick()
    pull(fi, dk)
    dk.say(draft(tags=["internal"]), jti=said.jti, ver=2)
    dk.door.tick()
    pull(fi, dk)
    stored = fi.statements.get(said.jti)
    assert stored and (stored.ver, stored.state) == (1, "withdrawn")
    assert b"internal" not in opened(reached(dk, "fi"))


def test_misp_8350_and_csp_22_withdrawn_is_gone_where_it_was_passed_on(net: Net) -> None:
    """Deleted at the source, a thing lived on at those who had it of others."""
    said = net.say()
    net.consent(said, readers=("fi", "no"), place="exact", time="exact")
    net.settle()
    assert net.states(said) == dict.fromkeys(("dk", "se", "fi", "no"), "standing")
    net.dk.outbox.put("withdraw", said.jti, 1, purge=True)
    net.settle()
    assert net.states(said) == dict.fromkeys(("dk", "se", "fi", "no"), "purged")
    for node in net.nodes.values():
        node.db.checkpoint()
        assert said.disclosures["text"] not in bytes_on_disk(node)
        sent, applied = net.dk.door.applied(node.name)
        assert sent == applied  # and each has signed that it is so


def test_cloudtak_1318_every_edit_reaches(nodes: tuple[Node, Node, Node]) -> None:
    """Later edits of a feature were dropped in silence: the first version stayed for good."""
    dk, se, fi = nodes
    said = dk.say()
    for ver in range(2, 7):
        dk.say(draft(title=f"Drift, word {ver}"), jti=said.jti, ver=ver)
        dk.door.tick()
        if ver % 2:
            pull(fi, dk)
    pull(fi, dk)
    pull(se, dk)
    for reader in (se, fi):
        stored = reader.statements.get(said.jti)
        assert stored and stored.statement
        assert (stored.ver, stored.statement.slots["title"]) == (6, "Drift, word 6")
        assert len(reader.statements.page(states=("standing",))) == 1


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_opencti_5681_pages_neither_lose_nor_loop_on_equal_times(
    nodes: tuple[Node, Node, Node], limit: int
) -> None:
    """Many things of one instant: a page began again at the same place, or left some out."""
    dk, _, fi = nodes
    said = {dk.say().jti for _ in range(20)}
    dk.door.tick()
    assert pull(fi, dk, limit) == -(-20 // limit)
    assert {stored.jti for stored in fi.statements.page()} == said


# --- preview, proof, access


def test_opencti_11120_what_a_partner_sees_can_be_seen_before_it_asks(
    nodes: tuple[Node, Node, Node],
) -> None:
    """Nobody could look at a collection as its consumer would."""
    dk, _, fi = nodes
    said = [dk.say(), dk.say(draft("report")), dk.say(draft(marking="TLP:RED"))]
    dk.door.tick()
    shown = Views("dk", dk.statements, dk.door).as_partner("fi")
    assert [item["jti"] for item in shown["not_released"]] == [said[2].jti]
    pull(fi, dk)
    held = {s.jti: dict(s.statement.slots) for s in fi.statements.page() if s.statement}
    assert {item["jti"]: item["slots"] for item in shown["held"]} == held
    for item in shown["held"]:
        assert {"author", "place.exact"} <= {left["slot"] for left in item["left_out"]}
        assert item["rules"][0]["rule"] == "area-to-fi"


def test_misp_4664_that_it_was_delivered_is_proved_by_the_receivers_signature(
    nodes: tuple[Node, Node, Node],
) -> None:
    """It could not be shown that a partner had got something, or had deleted it."""
    dk, _, fi = nodes
    said = dk.say()
    dk.door.tick()
    assert not any(d.applied for d in dk.door.delivered(said.jti) if d.reader == "fi")
    dk.outbox.put("withdraw", said.jti, 1, purge=True)
    dk.door.tick()
    pull(fi, dk)
    assert all(d.applied for d in dk.door.delivered(said.jti) if d.reader == "fi")
    note = fi.mirrors["dk"].cosigned()
    assert note
    proof = verify_cosignature(note, witness_name("fi"), fi.keys.log.public_key())
    (withdrawn,) = (d for d in dk.door.delivered(said.jti) if d.reader == "fi" and d.op == "withdraw")
    assert withdrawn.index < proof.checkpoint.size


def test_opencti_3345_access_can_be_asked_for_and_given(net: Net) -> None:
    """Who lacked a thing had no way to ask its owner for it, and no trace was kept of the answer."""
    said = net.say()
    net.settle()
    assert net.state("fi", said) == "none"
    slots: dict[str, Any] = {
        "title": "May fi have this?",
        "body.to": ["dk"],
        "body.about": said.jti,
        "body.about_ver": 1,
        "body.asks": "consent",
        "body.readers": ["fi"],
    }
    KINDS["request"].check(slots)
    asked = net.se.say(
        Draft(kind="request", marking="TLP:AMBER", onward="no", exercise=True, slots=slots)
    )
    net.settle()
    assert net.states(asked).keys() == {"se", "dk"}  # nobody else hears that it was asked
    given = net.consent(said, readers=("fi",), place="region", time="day")
    net.settle()
    assert net.states(given).keys() == {"dk", "se"}
    held = net.held("fi", said)
    assert held and held.statement and held.statement.jwt == said.jwt
    assert _rungs(held.statement.slots, "place.") == ["place.region"]
    assert _rungs(held.statement.slots, "time.") == ["time.day"]
    net.clock.advance(HOUR_US + MINUTE_US)
    net.consent(said, readers=("fi",), given=False)
    net.settle()
    assert net.state("fi", said) == "purged"


def _rungs(slots: Any, ladder: str) -> Sequence[str]:
    return sorted(slot for slot in slots if slot.startswith(ladder))
