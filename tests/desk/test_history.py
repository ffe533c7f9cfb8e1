"""The columnar copy of what rules may look at: always the same as what the statements themselves say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samsyn.desk import history
from samsyn.desk.drafts import ReportForm
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores
from samsyn.policy.frame import fact_row, fact_rows

TAG = "zebra-crossing-at-midnight"


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    monkeypatch.setattr(history, "COMPRESSION", "uncompressed")  # so that files can be searched
    home = make_home(tmp_path / "dk", name="dk", organisation="D", realm="actual")
    with Stores(home) as opened:
        yield opened


def say(stores: Stores, *, jti: str | None = None, ver: int = 1, marking: str = "TLP:GREEN") -> str:
    form = ReportForm(title="Drifting", lat=55.0 + ver, lon=12.0, tags=(TAG,), marking=marking)
    draft = form.draft(by="t", exercise=False, now_us=1)
    return stores.pen.sign(draft, by="t", jti=jti, ver=ver).jti


def same(stores: Stores) -> None:
    """The copy holds exactly the facts of what stands."""
    stores.history.sync()
    wanted = fact_rows(
        fact_row(s.jti, s.ver, s.id, stores.facts_of(s))
        for s in reversed(stores.statements.page(states=("standing",), limit=10_000))
        if s.body is not None
    )
    assert stores.history.facts().sort("id").equals(wanted)
    assert stores.history.behind() == 0


def test_it_follows_what_is_said_superseded_and_withdrawn(stores: Stores) -> None:
    same(stores)
    first, second = say(stores), say(stores)
    same(stores)
    say(stores, jti=first, ver=2)
    stores.statements.withdraw(second, purge=False, at_us=1)
    third = say(stores)
    assert stores.history.behind() == 4
    same(stores)
    assert set(stores.history.facts()["jti"]) == {first, third}
    stores.statements.withdraw(first, purge=True, at_us=1)
    same(stores)


def test_by_time_and_by_marking(stores: Stores) -> None:
    say(stores, marking="TLP:RED")
    green = say(stores)
    stores.history.sync()
    assert list(stores.history.facts(markings=["TLP:GREEN"])["jti"]) == [green]
    assert stores.history.facts(since_us=stores.clock.now_us() + 1).is_empty()
    assert len(stores.history.facts(since_us=0)) == 2


def bytes_on_disk(stores: Stores) -> bytes:
    ledger = stores.home.ledger(stores.realm)
    return b"".join(p.read_bytes() for p in ledger.parent.glob(f"{ledger.name}*"))


def test_what_is_purged_leaves_no_byte(stores: Stores) -> None:
    jti = say(stores)
    stores.history.sync()
    stores.db.checkpoint()
    assert TAG.encode() in bytes_on_disk(stores)
    stores.statements.withdraw(jti, purge=True, at_us=1)
    stores.forget()
    assert TAG.encode() not in bytes_on_disk(stores)
    assert stores.history.facts().is_empty()


def test_leaving_the_home_forgets_too(stores: Stores) -> None:
    """A purge that a command brought, while no node runs."""
    jti = say(stores)
    stores.history.sync()
    with Stores(stores.home) as other:
        other.statements.withdraw(jti, purge=True, at_us=1)
    assert TAG.encode() not in bytes_on_disk(stores)


def test_many_segments_and_another_version(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    with stores.db.write() as db:
        say(stores)
        db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'statement'", ((2 << 16) - 2,))
        names = [say(stores) for _ in range(4)]
    same(stores)
    assert stores.db.read().execute("SELECT count(*) FROM history").fetchone()[0] == 3
    stores.statements.withdraw(names[0], purge=True, at_us=1)
    stores.forget()
    same(stores)
    monkeypatch.setattr(history, "FACT_VERSION", 99)
    assert stores.history.behind() == 5
    same(stores)


def test_a_change_between_reading_and_writing_is_not_lost(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    jti = say(stores)
    stores.history.sync()
    say(stores)
    read = stores.statements.by_ids

    def read_and_purge(ids: list[int]) -> object:
        found = read(ids)
        monkeypatch.undo()
        stores.statements.withdraw(jti, purge=True, at_us=1)
        stores.history.forget()
        return found

    monkeypatch.setattr(stores.statements, "by_ids", read_and_purge)
    stores.history.sync()
    assert jti not in set(stores.history.facts()["jti"])
    same(stores)
