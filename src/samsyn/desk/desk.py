"""The desk: the one object behind the home tree. What a reader can reach never holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from samsyn import __version__
from samsyn.base.clock import Clock, ExerciseClock, iso
from samsyn.base.errors import InputError
from samsyn.base.settings import Settings
from samsyn.channels.door import Door
from samsyn.desk.diary import Diary
from samsyn.desk.drafts import ReportForm
from samsyn.desk.findings import FindingStore
from samsyn.desk.items import item
from samsyn.desk.pen import Pen
from samsyn.observations.craft import craft_key
from samsyn.statements.marking import strictest
from samsyn.statements.store import StatementStore, Stored
from samsyn.tracks.frame import frame
from samsyn.tracks.table import TrackTable
from samsyn.watch.definition import Definition

__all__ = ["Desk", "ReportForm"]

STATEMENTS_SHOWN = 500


class Partners(msgspec.Struct, frozen=True):
    """What the desk shows of partners: organisation and statement key by node name, ourselves too."""

    organisations: Mapping[str, str]
    keys: Mapping[str, bytes]


class Desk:
    """What the organisation's own people see and do, in one realm.

    feeds, links, partners and versions are the node's to tell: what stands above the desk is asked
    for, not imported. versions: a counter for each list, so that a page knows what to fetch again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        door: Door,
        statements: StatementStore,
        findings: FindingStore,
        pen: Pen,
        diary: Diary,
        tracks: TrackTable,
        zones: dict[str, Any],
        definitions: Mapping[str, Definition],
        partners: Callable[[], Partners],
        feeds: Callable[[], list[dict[str, Any]]],
        links: Callable[[], list[dict[str, Any]]],
        versions: Callable[[], dict[str, int]],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._door = door
        self._statements = statements
        self._findings = findings
        self._pen = pen
        self._diary = diary
        self._tracks = tracks
        self._zones = zones
        self._definitions = definitions
        self._partners = partners
        self._feeds = feeds
        self.links = links
        self.versions = versions

    @property
    def name(self) -> str:
        """This node's."""
        return self._settings.node.name

    def now_us(self) -> int:
        return self._clock.now_us()

    def speed(self) -> float:
        return self._clock.speed if isinstance(self._clock, ExerciseClock) else 1.0

    def health(self) -> dict[str, Any]:
        node = self._settings.node
        return {"ok": True, "node": node.name, "realm": node.realm, "version": __version__}

    def picture(self) -> dict[str, Any]:
        """What the page needs once: who we are, what realm, which feeds and detectors."""
        node = self._settings.node
        held = [s.statement.marking for s in self._held() if s.statement]
        return {
            "node": node.name,
            "organisation": node.organisation,
            "realm": node.realm,
            "now_us": self.now_us(),
            "speed": self.speed(),
            "marking": strictest([*held, node.default_marking]),
            "partners": sorted(set(self._partners().organisations) - {node.name}),
            "feeds": self._feeds(),
            "detectors": {k: msgspec.to_builtins(d) for k, d in self._definitions.items()},
        }

    def _held(self) -> list[Stored]:
        """The latest version of each statement; a withdrawal ends all versions, one is enough."""
        page = self._statements.page(limit=STATEMENTS_SHOWN, states=("standing", "withdrawn"))
        latest: dict[str, Stored] = {}
        for stored in page:
            if stored.jti not in latest or latest[stored.jti].ver < stored.ver:
                latest[stored.jti] = stored
        return list(latest.values())

    def _item(self, stored: Stored) -> dict[str, Any]:
        partners = self._partners()
        own = stored.iss == self.name
        return item(
            stored,
            me=self.name,
            organisations=partners.organisations,
            keys=partners.keys,
            deliveries=self._door.delivered(stored.jti) if own else (),
        )

    def statements(self) -> list[dict[str, Any]]:
        """What we hold, newest first; superseded versions are not listed."""
        return [self._item(s) for s in self._held()]

    def item(self, jti: str) -> dict[str, Any] | None:
        stored = self._statements.get(jti)
        return self._item(stored) if stored else None

    def withdraw(self, jti: str, *, purge: bool, why: str, by: str) -> dict[str, Any] | None:
        """Queue the withdrawal of our own statement. Raises `SamsynError` where it is not ours."""
        self._pen.withdraw(jti, purge=purge, why=why, by=by)
        return self.item(jti)

    def report(self, form: ReportForm, *, by: str) -> dict[str, Any] | None:
        exercise = self._settings.node.realm == "exercise"
        made = self._pen.sign(form.draft(by=by, exercise=exercise, now_us=self.now_us()), by=by)
        return self.item(made.jti)

    def explain(self, jti: str, reader: str) -> dict[str, Any] | None:
        """Why `reader` got, or did not get, statement `jti`; one sentence in each language."""
        if reader not in self._partners().organisations or reader == self.name:
            raise InputError(f"{reader!r} is no partner of ours", do="see: samsyn partner list")
        if self._statements.get(jti) is None:
            return None
        found = self._door.explain(jti, reader)
        return {"en": found.en, "sv": found.sv, "released": found.released, "rule": found.rule}

    def findings(self) -> list[dict[str, Any]]:
        return [
            {**msgspec.to_builtins(f), "signed": jti, "start": iso(f.start_us)}
            for f, jti in self._findings.newest()
        ]

    def signed_in(self, user: str) -> None:
        self._diary.write(user, "sign-in")

    def zones(self) -> dict[str, Any]:
        return self._zones

    def track(self, domain: int, number: int) -> dict[str, Any] | None:
        """The latest state of one craft, with the age of what is shown."""
        if domain not in (1, 2) or not 0 <= number < 2**32:
            return None
        found = self._tracks.one(craft_key(domain, number))
        return None if found is None else {k: _plain(v) for k, v in found.items()}

    def frame(self, viewport: tuple[float, float, float, float]) -> bytes:
        return frame(self._tracks, viewport, self.now_us())


def _plain(value: Any) -> Any:
    """NumPy scalars as JSON has them; not-a-number is absence."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value
