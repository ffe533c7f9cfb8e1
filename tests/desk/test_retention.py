"""Bodies go when their time is over: the duty that came with them or our own rule, the earlier one."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.clock import DAY_US, ManualClock, parse_iso
from samsyn.base.settings import Home, RetentionRule
from samsyn.desk.retention import Done, until_us
from samsyn.node.audit import audit
from samsyn.node.stores import Stores
from samsyn.statements.sign import sign
from samsyn.statements.statement import Draft
from samsyn.statements.store import Stored
from tests.channels.nodes import draft, new_keys
from tests.cli.conftest import ok
from tests.desk.homes import carry, made_homes, tick
from tests.desk.test_partners import disk, signature

START_US = parse_iso("2026-11-21T20:00:00Z")
KEYS = new_keys()


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    return made_homes(tmp_path, "dk", "se")


def say(home: Home, **duties: object) -> str:
    said = msgspec.structs.replace(draft(exercise=False), **duties)
    with Stores(home, wall=ManualClock(START_US)) as stores:
        return stores.pen.sign(said, by="duty").jti


def at(home: Home, days: float) -> Done:
    """What the node does at its ticks, so many days later, once through the store."""
    total = Done()
    with Stores(home, wall=ManualClock(START_US + int(days * DAY_US))) as stores:
        retention = stores.retention()
        for _ in range(2 + len(stores.statements.page(limit=10_000)) // limits.RETENTION_SLICE):
            done = retention.step()
            total = Done(total.expired + done.expired, total.withdrawn + done.withdrawn)
        tick(stores)
    return total


def given_to_se(homes: dict[str, Home], **duties: object) -> str:
    jti = say(homes["dk"], **duties)
    at(homes["dk"], 0)
    carry(homes["dk"], homes["se"])
    return jti


def ours(home: Home, text: str) -> None:
    home.config.write_text(home.config.read_text() + text)


def problems(home: Home) -> list[str]:
    return [p for part in audit(home) for p in part.problems]


def test_our_own_rule_ends_what_a_partner_said(homes: dict[str, Home]) -> None:
    se = homes["se"]
    ours(se, '\n[[retention]]\nkind = "alert"\nreceived_from = "dk"\nkeep = "90d"\n')
    word = signature(homes["dk"], given_to_se(homes))
    with Stores(se) as stores:  # received now, whatever the clock of the test says
        (held,) = stores.statements.page()
    begun = (held.at_us - START_US) / DAY_US
    assert at(se, begun + 89.9) == Done()
    assert word in disk(se)
    assert at(se, begun + 90.1) == Done(expired=1)
    assert word not in disk(se)
    with Stores(se) as stores:
        (kept,) = stores.statements.page()
        assert kept.purged and kept.state == "standing" and kept.jwt_hash == held.jwt_hash
        (noted,) = [n for n in stores.diary.entries() if n.did == "expire"]
        assert noted.what == {"bodies": 1, "withdrawn": 0}
    assert problems(se) == []
    (part,) = [p for p in audit(se) if p.what == "bodies that expired"]
    assert part.checked == 1
    carry(homes["dk"], se)  # and the partner's channel goes on as ever
    assert at(se, begun + 200) == Done()


def test_the_last_day_that_a_statement_names_binds_who_received_it(homes: dict[str, Home]) -> None:
    given_to_se(homes, retain_until="2026-12-24")
    assert at(homes["se"], 33.1) == Done()  # still the 24th
    assert at(homes["se"], 33.2) == Done(expired=1)
    assert problems(homes["se"]) == []


def test_what_we_said_is_withdrawn_from_all_when_its_last_day_has_passed(
    homes: dict[str, Home],
) -> None:
    dk, se = homes["dk"], homes["se"]
    jti = given_to_se(homes, retain_until="2026-12-24")
    word = signature(dk, jti)
    assert at(dk, 33.1) == Done()
    assert at(dk, 33.2) == Done(withdrawn=1)
    assert word not in disk(dk) and word in disk(se)
    carry(dk, se)
    assert word not in disk(se)
    for home in (dk, se):
        with Stores(home) as stores:
            assert stores.statements.page()[0].state == "withdrawn"
        assert problems(home) == []
    assert at(dk, 40) == Done()


def test_our_own_rules_do_not_end_what_we_said(homes: dict[str, Home]) -> None:
    ours(homes["dk"], '\n[[retention]]\nkeep = "1d"\n')
    say(homes["dk"])
    assert at(homes["dk"], 400) == Done()


def test_personal_data_is_signed_with_a_last_day(
    homes: dict[str, Home], caplog: pytest.LogCaptureFixture
) -> None:
    ours(homes["dk"], '\n[store]\nkeep_personal = "10d"\n')
    with caplog.at_level(logging.INFO):
        jti = say(homes["dk"], personal=True)
    assert "personal data without a last day" in caplog.text
    with Stores(homes["dk"]) as stores:
        stored = stores.statements.get(jti)
        assert stored is not None and stored.statement is not None
        assert stored.statement.retain_until == "2026-12-01"


def test_personal_data_without_a_last_day_is_warned_of(homes: dict[str, Home]) -> None:
    home = ("--home", homes["dk"].root, "--title", "x", "--lat", "55", "--lon", "12", "--personal")
    assert "it is to be kept until 20" in ok("say", *home)
    assert "kept until" not in ok("say", *home, "--retain-until", "2031-01-01")


def test_a_large_store_is_gone_through_a_little_at_a_time_and_what_is_over_goes_together(
    homes: dict[str, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RETENTION_SLICE", 3)
    for _ in range(7):
        say(homes["dk"], retain_until="2026-11-22")
    with Stores(homes["dk"], wall=ManualClock(START_US + 9 * DAY_US)) as stores:
        retention = stores.retention()
        assert [retention.step().withdrawn for _ in range(4)] == [0, 0, 0, 7]
        assert [retention.step().withdrawn for _ in range(4)] == [0, 0, 0, 7]  # no tick came between
        tick(stores)
        assert retention.step() == Done()


def stored_of(said: Draft, *, received: bool, at_us: int) -> tuple[Stored, object]:
    statement = sign(said, iss="dk", key=KEYS.statement)
    source = "dk" if received else None
    stored = Stored(
        1, statement.jti, 1, "dk", said.kind, "standing", source, at_us, b"", b"", said.marking
    )
    return stored, statement


RULES = st.lists(
    st.builds(
        RetentionRule,
        keep=st.integers(0, 400).map(lambda days: f"{days}d"),
        marking=st.sampled_from(["", "TLP:AMBER", "TLP:GREEN"]),
        kind=st.sampled_from(["", "alert", "report"]),
        received_from=st.sampled_from(["", "dk", "fi"]),
    ),
    max_size=4,
)


@given(RULES, st.booleans(), st.booleans(), st.none() | st.dates().map(str))
def test_no_rule_of_ours_makes_anything_stay_longer(
    rules: list[RetentionRule], received: bool, personal: bool, day: str | None
) -> None:
    said = msgspec.structs.replace(
        draft(exercise=False), personal=personal or None, retain_until=_year(day)
    )
    stored, statement = stored_of(said, received=received, at_us=START_US)
    without = until_us(stored, statement, [], 90 * DAY_US)  # type: ignore[arg-type]
    found = until_us(stored, statement, rules, 90 * DAY_US)  # type: ignore[arg-type]
    assert without is None or (found is not None and found <= without)
    if personal:
        assert found is not None
        assert said.retain_until is None or found <= parse_iso(f"{said.retain_until}T00:00:00Z") + DAY_US
    if not received:
        assert found == without


def _year(day: str | None) -> str | None:
    """Hypothesis' dates begin with year 1."""
    return None if day is None else f"20{day[2:]}" if day[5:] != "02-29" else "2028-02-29"


def test_a_wrong_span_is_told(homes: dict[str, Home]) -> None:
    ours(homes["dk"], '\n[[retention]]\nkeep = "a while"\n')
    with pytest.raises(Exception, match="no span of time"):
        homes["dk"].settings()
