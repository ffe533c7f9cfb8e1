"""A giving and a taking side of a channel, on disk, for the questions that need them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from samsyn.base.settings import Home, StandingOrder
from samsyn.desk.drafts import ReportForm, alert_draft
from samsyn.exchange.roster import Roster
from samsyn.node.homes import make_home, own_card
from samsyn.node.stores import Stores
from samsyn.statements.second import Second
from samsyn.statements.sign import verify_many
from samsyn.statements.statement import Draft
from samsyn.watch.definition import discover
from samsyn.watch.finding import Finding

COUNT = 10_000
READERS = tuple(f"r{i}" for i in range(10))
RUNGS = (("exact", "exact"), ("area", "hour"), ("region", "day"), ("spot", "hour"), ("area", "exact"))


def reports(count: int = COUNT, first: int = 0) -> list[Draft]:
    """Reports as a person writes them: 15 slots, 3 kB signed."""
    return [_report(i) for i in range(first, first + count)]


def alerts(count: int = COUNT, first: int = 0) -> list[Draft]:
    """Alerts as a standing order makes them, with eight rows of evidence: 22 slots, 5 kB signed."""
    return [_alert(i) for i in range(first, first + count)]


def _report(i: int) -> Draft:
    form = ReportForm(
        title=f"Unlit vessel {i}",
        text="Seen from the pilot station for ten minutes, no lights, no answer on channel 16.",
        summary="An unlit vessel.",
        lat=54 + i % 997 / 100,
        lon=10 + i % 1009 / 60,
        time_us=1_700_000_000_000_000 + i * 1_000_000,
        tags=("night",),
    )
    return form.draft(by="Watch team 7", exercise=False, now_us=0)


def _alert(i: int) -> Draft:
    at_us = 1_700_000_000_000_000 + i * 1_000_000
    finding = Finding(
        key=f"finding-{i}",
        detector="drift",
        craft=f"mmsi:{200_000_000 + i}",
        state="open",
        start_us=at_us,
        updated_us=at_us,
        end_us=None,
        lat=54 + i % 997 / 100,
        lon=10 + i % 1009 / 60,
        measured={"speed_kn": 0.5, "turn_deg": 110.0},
        thresholds={"speed_min_kn": 0.3, "turn_deg": 45.0},
        zone=None,
        evidence=[{"time_us": at_us + k, "lat": 55.0, "lon": 14.0, "speed_kn": 0.5} for k in range(8)],
        feed="roof",
        exercise=False,
        known_errors=("on-purpose",),
        revision=1,
        closed_because=None,
    )
    return alert_draft(finding, _ORDER, _DRIFT)


_ORDER = StandingOrder(id="all", why="bench", detectors=("drift",), unit="Watch team 7")
_DRIFT = discover()["drift"][0]


class Giver:
    """A node that signs and releases to all of `READERS`. exchange: where it would serve them."""

    def __init__(self, folder: Path, exchange: str = "127.0.0.1:8441") -> None:
        home = make_home(
            folder / "giver",
            name="giver",
            organisation="giver",
            realm="actual",
            exchange_listen=exchange,
        )
        for name in READERS:
            other = make_home(folder / name, name=name, organisation=name, realm="actual")
            Roster(home.partners).add(own_card(other))
        home.policy.write_text("\n".join(_rule(i) for i in range(len(RUNGS))))
        self.home = home
        self.readers = folder
        self.stores = Stores(home)
        self.door = self.stores.door()
        self.door.set_policy(self.stores.policy(), self.stores.readers())

    def say(self, said: list[Draft]) -> None:
        """Sign, keep and queue, durably, as many as are given at once."""
        stores = self.stores
        signed = stores.second.sign_many(said, iss="giver", key=stores.keys.statement)
        with stores.db.write():
            stores.statements.put_many(signed, received_from=None, at_us=stores.clock.now_us())
            stores.outbox.put_many(("release", s.jti, s.ver, False, None) for s in signed)

    def __enter__(self) -> Giver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stores.close()


class Taker:
    """Reader `r0` of a giver, with a new store. alone: without the second process of a node."""

    def __init__(self, giver: Giver, *, alone: bool = False) -> None:
        home = Home(giver.readers / "r0")
        for file in home.realm("actual").glob("ledger.sqlite*"):
            file.unlink()
        self.stores = Stores(home)
        if alone:
            self.stores.second = _Nobody()
        self.mirror = self.stores.mirror(own_card(giver.home))

    def __enter__(self) -> Taker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stores.close()


class _Nobody(Second):
    """No second process: all is done where it is asked for."""

    verify_many = staticmethod(verify_many)


def _rule(i: int) -> str:
    place, time = RUNGS[i]
    names = ", ".join(f'"{name}"' for name in READERS[i :: len(RUNGS)])
    hide = '["author"]' if i % 2 else "[]"
    return (
        f'[[rule]]\nid = "rule-{i}"\nwhy = "bench"\nto = [{names}]\nkinds = ["alert", "report"]\n'
        f'place = "{place}"\ntime = "{time}"\nhide = {hide}\n'
    )
