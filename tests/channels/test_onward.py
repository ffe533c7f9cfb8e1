"""Onward release: what others said goes on only as its originator lets it, and comes back with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from samsyn.base.clock import DAY_US, HOUR_US
from samsyn.channels.sources import Sources
from samsyn.statements.statement import Draft
from tests.channels.nodes import bytes_on_disk, draft, pull
from tests.channels.passing import Net, policy


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


def test_no_goes_nowhere(net: Net) -> None:
    said = net.say(onward="no")
    net.settle()
    net.se.outbox.put("release", said.jti, 1)
    net.settle()
    assert net.states(said) == {"dk": "standing", "se": "standing"}
    assert "dk lets it go no further" in net.why("se", said, "fi")


def test_ask_goes_nowhere_before_a_consent_and_is_not_even_queued(net: Net) -> None:
    said = net.say()
    net.dk.door.tick()
    channel = net.dk.door.reader("se")
    assert channel
    net.se.mirrors["dk"].receive(channel.entries(0))
    assert net.se.outbox.waiting() == 0
    net.settle()
    assert net.states(said) == {"dk": "standing", "se": "standing"}
    assert "no consent for fi" in net.why("se", said, "fi")
    assert "dk's own statement" in net.why("se", said, "dk")


def test_a_consent_lets_it_go_to_whom_it_names_and_no_finer(net: Net) -> None:
    said = net.say()
    net.settle()
    net.consent(said, place="area", time="hour")
    net.settle()
    assert net.states(said) == {"dk": "standing", "fi": "standing", "se": "standing"}
    held = net.held("fi", said)
    assert held and held.statement and held.received_from == "se"
    assert held.statement.jwt == said.jwt
    assert "place.area" in held.statement.slots and "place.spot" not in held.statement.slots
    assert "time.hour" in held.statement.slots and "time.exact" not in held.statement.slots
    net.settle()
    assert net.state("no", said) == "none"


def test_a_consent_that_came_before_the_statement_or_names_another_asker(net: Net) -> None:
    first, second = net.say(), net.say()
    net.consent(first)
    net.consent(second, asker="fi")  # of no use to se
    net.consent(second, by="no")  # and no is not the originator
    net.settle()
    assert net.states(first).keys() == {"dk", "se", "fi"}
    assert net.states(second).keys() == {"dk", "se"}


def test_a_refusal_counts_like_a_consent_and_the_latest_answer_holds(net: Net) -> None:
    said = net.say()
    consent = net.consent(said, readers=("fi", "no"), place="exact", time="exact")
    net.settle()
    assert net.states(said).keys() == {"dk", "se", "fi", "no"}
    net.consent(said, readers=("fi",), given=False)
    net.settle()
    assert net.states(said) == {"dk": "standing", "se": "standing", "fi": "purged", "no": "standing"}
    net.consent(said, readers=("no",), place="area", jti=consent.jti, ver=2)  # finer than now allowed
    net.settle()
    assert net.state("no", said) == "purged"


def test_a_withdrawn_consent_takes_back_what_was_passed_on(net: Net) -> None:
    said = net.say()
    consent = net.consent(said)
    net.settle()
    assert net.state("fi", said) == "standing"
    net.dk.outbox.put("withdraw", consent.jti, 1)
    net.settle()
    assert net.states(said) == {"dk": "standing", "se": "standing", "fi": "purged"}
    assert "no consent for fi" in net.why("se", said, "fi")


def test_a_consent_that_ends_stops_what_is_new_and_calls_nothing_back(net: Net) -> None:
    said, late = net.say(), net.say()
    net.consent(said, until="2026-11-22")
    net.settle()
    assert net.state("fi", said) == "standing"
    net.clock.advance(DAY_US + HOUR_US * 4)
    net.consent(late, until="2026-11-22")
    net.settle()
    assert net.state("fi", said) == "standing" and net.state("fi", late) == "none"
    assert "ended at 2026-11-23T00:00:00Z" in net.why("se", late, "fi")


def test_circle_goes_through_circles_and_only_one_step(net: Net) -> None:
    net.rule("se", policy(["fi"], onward=["circle:near", "no"], circle=["fi"]))
    net.rule("fi", policy(["no"], onward=["circle:near"], circle=["no"]))
    said = net.say(onward="circle")
    net.settle()
    assert net.states(said).keys() == {"dk", "se", "fi"}  # no is named, not in the circle
    assert "through another" not in net.why("se", said, "no")
    assert "it came through another" not in net.why("se", said, "fi")
    assert "only by who has it from dk" in net.why("fi", said, "no")


def test_free_goes_as_each_holders_policy_says(net: Net) -> None:
    net.rule("se", policy(["fi"], place="area"))
    net.rule("fi", policy(["no"]))
    said = net.say(onward="free")
    net.settle()
    assert net.states(said).keys() == {"dk", "se", "fi", "no"}
    held = net.held("no", said)
    assert held and held.statement and "place.spot" not in held.statement.slots  # what fi has


def test_a_withdrawal_reaches_every_holder(net: Net) -> None:
    """Also where what goes on goes round: fi has it of se, no of fi and se, se again of both."""
    said = net.say(onward="free")
    net.settle()
    assert set(net.states(said).values()) == {"standing"} and len(net.states(said)) == 4
    net.dk.outbox.put("withdraw", said.jti, 1, purge=True)
    net.settle()
    assert net.states(said) == dict.fromkeys(("dk", "se", "fi", "no"), "purged")
    for node in net.nodes.values():
        node.db.checkpoint()
        assert said.disclosures["title"] not in bytes_on_disk(node)


@pytest.mark.parametrize("purge", [True, False])
def test_what_goes_in_a_circle_does_not_hold_itself_up(net: Net, purge: bool) -> None:
    """dk takes it back from se alone, and se told fi, fi no, no fi: none may live of the others."""
    net.rule("se", policy(["fi"]))
    net.rule("fi", policy(["no"]))
    net.rule("no", policy(["se", "fi"]))
    said = net.say(onward="free")
    net.settle()
    assert net.states(said).keys() == {"dk", "se", "fi", "no"}
    net.dk.outbox.put("withdraw", said.jti, 1, purge=purge, reader="se")
    net.settle()
    gone = "purged" if purge else "withdrawn"
    assert net.states(said) == {"dk": "standing", "se": gone, "fi": gone, "no": gone}


def test_a_way_that_ends_leaves_the_others(net: Net) -> None:
    """fi has it of dk by the area and of se exactly: se's withdrawal takes what came by se alone."""
    area = (
        policy(["se"])
        + '[[rule]]\nid = "area"\nwhy = "w"\nto = ["fi"]\nkinds = ["alert"]\nplace = "area"\n'
    )
    net.rule("dk", area)
    said = net.say(onward="free")
    net.rule("fi", policy(["no"]))
    net.settle()
    held = net.held("fi", said)
    assert held and held.statement and "place.exact" in held.statement.slots
    assert net.state("no", said) == "standing"
    net.dk.outbox.put("withdraw", said.jti, 1, purge=True, reader="se")
    net.settle()
    held = net.held("fi", said)
    assert held and held.state == "standing" and held.statement
    assert "place.exact" not in held.statement.slots and "place.area" in held.statement.slots
    assert said.disclosures["place.exact"] not in bytes_on_disk(net.fi)
    assert net.state("no", said) == "purged"  # it had more than fi still has


def test_what_ended_by_one_way_and_came_by_another_within_one_tick(net: Net) -> None:
    """fi's door finds both acts at once: who had it is told of the end, who may have it now gets it."""
    net.rule("se", policy(["fi"]))
    net.rule("fi", policy(["se"]))
    said = net.say(onward="free")
    net.settle()
    net.rule("fi", policy(["no", "se"]))
    net.rule("dk", policy(["fi"]))
    net.dk.outbox.put("withdraw", said.jti, 1, purge=True, reader="se")
    net.dk.door.tick()
    pull(net.se, net.dk)
    net.se.door.tick()
    pull(net.fi, net.se)
    net.dk.outbox.put("release", said.jti, 1)
    net.dk.door.tick()
    pull(net.fi, net.dk)
    report = net.fi.door.tick()
    assert report.readers == {"no": 1, "se": 1} and (report.released, report.withdrawn) == (1, 1)
    net.settle()
    assert net.states(said) == {"dk": "standing", "fi": "standing", "no": "standing", "se": "purged"}


def test_what_a_node_has_withdrawn_of_its_own_does_not_come_again(net: Net) -> None:
    said = net.say(onward="free")
    net.settle()
    net.dk.outbox.put("withdraw", said.jti, 1, purge=True)
    net.say(onward="free", jti=said.jti, ver=2)
    net.settle()
    assert set(net.states(said).values()) == {"purged"}


def test_versions_are_of_each_way(net: Net) -> None:
    """se is slow: dk's second version comes to fi of dk first, and se's first after it."""
    net.rule("dk", policy(["se", "fi"]))
    said = net.say(onward="free")
    net.dk.door.tick()
    for name in ("se", "fi"):
        channel = net.dk.door.reader(name)
        assert channel
        net.nodes[name].mirrors["dk"].receive(channel.entries(0))
    net.say(onward="free", jti=said.jti, ver=2)
    net.dk.door.tick()
    channel = net.dk.door.reader("fi")
    assert channel
    net.fi.mirrors["dk"].receive(channel.entries(1))
    net.se.door.tick()  # passes on version 1
    channel = net.se.door.reader("fi")
    assert channel
    net.fi.mirrors["se"].receive(channel.entries(0))
    assert [(s.ver, s.state) for s in net.fi.statements.versions(said.jti)] == [
        (1, "superseded"),
        (2, "standing"),
    ]
    net.settle()
    ways = net.fi.statements.ways([said.jti])[said.jti]
    assert {(w.via, w.ver) for w in ways if w.via in ("dk", "se")} == {
        ("dk", 1),
        ("dk", 2),
        ("se", 1),
        ("se", 2),
    }


def test_a_new_version_with_another_onward_is_taken_back_downstream(net: Net) -> None:
    said = net.say(onward="free")
    net.settle()
    assert net.state("fi", said) == "standing"
    net.say(onward="ask", jti=said.jti, ver=2)
    net.settle()
    assert net.states(said) == {
        "dk": "standing",
        "se": "standing",
        "fi": "withdrawn",
        "no": "withdrawn",
    }


def made_of(net: Net, *sources: str, onward: str = "ask") -> Draft:
    return draft("report", onward=onward, refs=list(sources))


def test_what_is_made_of_it_goes_where_it_may_go(net: Net) -> None:
    said = net.say()
    net.settle()
    own = net.se.say(made_of(net, f"dk/{said.jti}/1"))
    net.settle()
    assert net.states(own).keys() == {"se", "dk"}  # dk needs no consent of its own
    assert "no consent for fi" in net.why("se", own, "fi")
    Sources(net.se.db, net.se.statements, "se").note_refs(own)
    net.consent(said, place="area", time="day")
    net.settle()
    assert net.states(own).keys() == {"se", "dk", "fi"}
    held = net.held("fi", own)
    assert held and held.statement and "place.spot" not in held.statement.slots


def test_all_sources_must_agree(net: Net) -> None:
    net.rule("fi", policy(["se"]))
    first, second, closed = net.say(), net.say("fi"), net.say(onward="no")
    net.consent(first, readers=("fi", "no"))
    net.settle()
    both = net.se.say(made_of(net, f"dk/{first.jti}/1", f"fi/{second.jti}/1"))
    none = net.se.say(made_of(net, f"dk/{first.jti}/1", f"dk/{closed.jti}/1", onward="no"))
    gone = net.se.say(made_of(net, "dk/9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11/1"))
    net.settle()
    assert net.states(both).keys() == {"se", "fi"}
    assert net.states(none).keys() == net.states(gone).keys() == {"se"}


def test_the_sources_of_sources_count(net: Net) -> None:
    said = net.say()
    net.settle()
    own = net.se.say(made_of(net, f"dk/{said.jti}/1"))
    second = net.se.say(made_of(net, f"se/{own.jti}/1", onward="free"))
    net.settle()
    assert net.states(second).keys() == {"se", "dk"}


def test_what_was_made_of_what_is_gone_is_told_and_goes_no_further(net: Net) -> None:
    said = net.say(onward="free")
    net.settle()
    own = net.se.say(made_of(net, f"dk/{said.jti}/1"))
    sources = Sources(net.se.db, net.se.statements, "se")
    sources.note_refs(own)
    net.settle()
    assert sources.bereft() == []
    net.dk.outbox.put("withdraw", said.jti, 1, purge=True)
    net.settle()
    assert sources.bereft() == [(own.jti, said.jti)]
    assert net.state("se", own) == net.state("fi", own) == "standing"
    assert "lets it go no further" in net.why("se", own, "fi")
    net.se.say(made_of(net), jti=own.jti, ver=2)
    assert sources.bereft() == []
