"""What partners hold beyond a policy, and whose decision a tick goes by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samsyn.base.clock import DAY_US, HOUR_US, ManualClock
from samsyn.base.settings import Home
from samsyn.channels.door import Door
from samsyn.demo.world import swap_cards
from samsyn.desk.accounts import Account
from samsyn.desk.drafts import ReportForm
from samsyn.desk.rights import Forbidden, Role
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores

RULE = '[[rule]]\nid = "r"\nwhy = "w"\nto = ["fi"]\nkinds = ["report"]\nplace = "spot"\n'
YOUNG = RULE + 'when = { age_max = "1h" }\n'
COARSE = RULE.replace("spot", "region")


def person(user: str, role: Role = "release") -> Account:
    return Account(user=user, name=user, role=role, password="", clearance="TLP:RED")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    homes = [
        make_home(
            tmp_path / name,
            name=name,
            organisation=name,
            realm="actual",
            policy=YOUNG,
            exchange_listen=f"127.0.0.1:{ord(name[0])}",
        )
        for name in ("dk", "fi", "se")
    ]
    swap_cards(homes)
    with Stores(homes[0], wall=ManualClock(1_700_000_000_000_000)) as opened:
        opened.found()
        yield opened


def clock(stores: Stores) -> ManualClock:
    assert isinstance(stores.wall, ManualClock)
    return stores.wall


def door(stores: Stores) -> Door:
    made, version = stores.door(), stores.policies.version()
    made.set_policy(stores.policy(), stores.readers(), lambda: stores.policies.version() == version)
    return made


def say(stores: Stores) -> str:
    form = ReportForm(title="Drifting", lat=55.0, lon=12.0)
    draft = form.draft(by="t", exercise=False, now_us=stores.clock.now_us())
    return stores.pen.sign(draft, by="t").jti


def put(stores: Stores, text: str, catch_up_us: int | None = None) -> int:
    stores.history.sync()
    review = stores.review(stores.door())
    kept = review.propose(text, by=person("anna"))
    review.approve(kept.id, by=person("bo"), seen=kept.sha256, catch_up_us=catch_up_us)
    return kept.id


def beyond(stores: Stores, number: int) -> dict[str, tuple[str, ...]]:
    stores.history.sync()
    return {b.id: b.slots for b in stores.review(stores.door()).beyond(number)}


def test_what_a_rule_gave_in_its_time_is_not_beyond_it(stores: Stores) -> None:
    jti = say(stores)
    door(stores).tick()
    clock(stores).set(clock(stores).now_us() + DAY_US)
    assert beyond(stores, 1) == {}
    number = put(stores, COARSE)
    assert beyond(stores, number) == {jti: ("place.area", "place.spot")}
    assert beyond(stores, put(stores, "")) != {}
    assert beyond(stores, put(stores, RULE)) == {}


def test_a_tick_never_decides_by_a_policy_that_was_superseded(stores: Stores) -> None:
    """Not even one that began to hold a moment before: what is queued waits for the one in force."""
    old = door(stores)
    jti = say(stores)
    put(stores, COARSE, catch_up_us=0)
    old.tick()
    assert old.delivered(jti) == [] and stores.outbox.waiting() == 1
    new = door(stores)
    new.tick()
    (given,) = new.delivered(jti)
    assert "place.region" in given.slots and "place.area" not in given.slots


def test_withdrawals_go_out_while_a_policy_is_being_changed(stores: Stores) -> None:
    old = door(stores)
    jti = say(stores)
    old.tick()
    put(stores, COARSE)
    stores.pen.withdraw(jti, purge=True, why="", by="t")
    old.tick()
    assert [d.op for d in old.delivered(jti)] == ["release", "withdraw"]


def test_catching_up_reaches_as_far_back_as_asked(stores: Stores) -> None:
    old = say(stores)
    put(stores, "")
    clock(stores).set(clock(stores).now_us() + DAY_US)
    new = say(stores)
    made = door(stores)
    made.tick()
    put(stores, COARSE, catch_up_us=clock(stores).now_us() - HOUR_US)
    made = door(stores)
    made.tick()
    assert made.delivered(old) == [] and len(made.delivered(new)) == 1


def test_what_each_step_asks_of_a_person(stores: Stores) -> None:
    review = stores.review(stores.door())
    for role in ("viewer", "duty"):
        with pytest.raises(Forbidden):
            review.propose(RULE, by=person("x", role))  # type: ignore[arg-type]
    kept = review.propose(RULE, by=person("anna", "administrator"))
    for role in ("viewer", "duty"):
        by = person("x", role)  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            review.approve(kept.id, by=by, seen=kept.sha256)
        with pytest.raises(Forbidden):
            review.reject(kept.id, by=by, why="x")
        with pytest.raises(Forbidden):
            review.withdraw_beyond(1, by=by)
    with pytest.raises(Forbidden):
        review.withdraw_beyond(1, by=person("x", "administrator"))
    assert stores.policies.version() == 1


def test_an_officer_is_shown_what_the_clearance_covers_and_the_diary_gets_all(stores: Stores) -> None:
    form = ReportForm(title="Red", lat=55.0, lon=12.0, marking="TLP:AMBER+STRICT")
    say(stores)
    stores.pen.sign(form.draft(by="t", exercise=False, now_us=1), by="t")
    stores.history.sync()
    review = stores.review(stores.door())
    kept = review.propose(COARSE, by=person("anna"))
    assert kept.preview["statements"] == 2
    amber = Account(user="bo", name="", role="release", password="", clearance="TLP:AMBER")
    told = review.approve(kept.id, by=amber, seen=kept.sha256)
    assert told["statements"] == 1
    assert stores.policies.get(kept.id).preview["statements"] == 2


def said_by_fi(stores: Stores, onward: str) -> str:
    """A statement of a partner, as it is held once its channel was read."""
    with Stores(Home(stores.home.root.parent / "fi")) as fi:
        form = ReportForm(title="Theirs", lat=55.0, lon=12.0, onward=onward)
        made = fi.pen.sign(form.draft(by="t", exercise=False, now_us=1), by="t")
    stores.statements.put(made, received_from="fi", at_us=stores.clock.now_us())
    return made.jti


def test_a_preview_knows_what_originators_allow(stores: Stores) -> None:
    theirs = {onward: said_by_fi(stores, onward) for onward in ("free", "no", "ask")}
    say(stores)
    on = RULE.replace('["fi"]', '["fi", "se"]') + 'when = { originator = "fi" }\n'
    stores.history.sync()
    told = stores.review(stores.door()).preview(on)
    changes = {c["partner"]: c for c in told["changes"]}
    assert changes["se"]["newly_released"] == 1 and changes["fi"]["newly_released"] == 0
    (example,) = changes["se"]["examples"]["newly_released"]
    assert example["jti"] == theirs["free"]


def test_what_was_passed_on_is_taken_back_like_our_own(stores: Stores) -> None:
    jti = said_by_fi(stores, "free")
    on = RULE.replace('["fi"]', '["se"]') + 'when = { originator = "fi" }\n'
    put(stores, on, catch_up_us=0)
    door(stores).tick()
    assert [d.reader for d in door(stores).delivered(jti)] == ["se"]
    number = put(stores, RULE)
    assert list(beyond(stores, number)) == [jti]
    assert stores.review(stores.door()).withdraw_beyond(number, by=person("bo")) == 1
    door(stores).tick()
    assert [d.op for d in door(stores).delivered(jti)] == ["release", "withdraw"]
    assert stores.statements.get(jti).state == "standing" and beyond(stores, number) == {}
