"""One person's seat at the desk: what this person may see and do, and nothing else.

Every way from the home tree to the store leads through a seat. It asks the role for each act
(`rights.MAY`), and what lies above the person's clearance is not there: not listed, not counted, not
found by its id, not explained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
import numpy as np

from samsyn.base.clock import HOUR_US, iso
from samsyn.base.errors import InputError
from samsyn.base.limits import LAYER_PLACES
from samsyn.channels import figures
from samsyn.desk.accounts import Account
from samsyn.desk.administering import Administering
from samsyn.desk.asking import ConsentForm, RequestForm
from samsyn.desk.auditing import Auditing
from samsyn.desk.desk import Desk
from samsyn.desk.drafts import ReportForm
from samsyn.desk.handling import known_step
from samsyn.desk.items import item, ring
from samsyn.desk.reach import reach
from samsyn.desk.review import PolicyForm, read_span
from samsyn.desk.rights import Forbidden, cleared
from samsyn.desk.sight import sight_of
from samsyn.desk.views import Views
from samsyn.formats import symbols
from samsyn.observations.craft import craft_from_text, craft_key
from samsyn.statements.attachments import Attachment
from samsyn.statements.marking import MARKINGS, strictest
from samsyn.statements.store import Stored
from samsyn.tracks.frame import frame
from samsyn.tracks.past import Sight
from samsyn.watch.finding import Finding
from samsyn.watch.tally import Layer, Tally

STATEMENTS_SHOWN = 500
FIGURES = (*figures.NAMES, "received")  # of a link: entries of all markings, so only for who sees all


class Seat:
    """Opened for one request; what the role or clearance becomes meanwhile holds for the next."""

    def __init__(self, desk: Desk, account: Account) -> None:
        account.require("read")
        self._desk = desk
        self._account = account
        self._markings = cleared(account.clearance)

    # reading

    def picture(self) -> dict[str, Any]:
        """What the page needs once: who we are, what realm, which feeds and detectors.

        marking: the strictest of what there is for this person: statements, and the feeds whose
        tracks are drawn.
        """
        desk, node = self._desk, self._desk.settings.node
        feeds = [{**f, "marking": self._feed_marking(f["name"])} for f in desk.feeds()]
        mine = [f for f in feeds if f["marking"] in self._markings]
        shown = [*(s.marking for s in self._held()), *(f["marking"] for f in mine)]
        return {
            "node": node.name,
            "organisation": node.organisation,
            "realm": node.realm,
            "now_us": desk.now_us(),
            "speed": desk.speed(),
            "marking": strictest([*shown, node.default_marking]),
            "default_marking": node.default_marking,
            "partners": sorted(set(desk.partners().organisations) - {node.name}),
            "feeds": mine,
            "detectors": {k: msgspec.to_builtins(d) for k, d in desk.definitions.items()},
            "symbols": symbols.codes(exercise=node.realm == "exercise"),
        }

    def statements(self) -> list[dict[str, Any]]:
        """What we hold, newest first; superseded versions are not listed."""
        return [self._item(s) for s in self._held()]

    def item(self, jti: str) -> dict[str, Any] | None:
        stored = self._visible(jti)
        return self._item(stored) if stored else None

    def explain(self, jti: str, reader: str) -> dict[str, Any] | None:
        """Why `reader` got, or did not get, statement `jti`; one sentence in each language."""
        self._known(reader)
        if self._visible(jti) is None:
            return None
        found = self._desk.door.explain(jti, reader)
        return {"en": found.en, "sv": found.sv, "released": found.released, "rule": found.rule}

    def view_as(self, reader: str) -> dict[str, Any]:
        """What a partner holds of ours as it sees it, and what it was not given and why."""
        desk = self._desk
        self._known(reader)
        views = Views(desk.name, desk.statements, desk.door)
        told = views.as_partner(reader, self._markings)
        return {**told, "organisation": desk.partners().organisations[reader]}

    def findings(self) -> list[dict[str, Any]]:
        """Those of our watch: within the clearance by what they were signed as, or would be."""
        told = []
        for f, jti, us in self._desk.findings.newest():
            marking = self._marking_of(f, jti)
            if self._account.sees(marking):
                more = {"signed": jti, "found_us": us, "start": iso(f.start_us), "marking": marking}
                told.append({**msgspec.to_builtins(f), **more})
        return told

    def interference(self, at_us: int | None) -> dict[str, Any]:
        """The interference layer of the hour of `at_us`, or of the last one counted: cells with their
        counts by the feed, of those that this person may know of, that heard most craft there.

        hours: when the hours begin of which there are counts, newest first. low, high: shares of a
        cell's craft from which it is drawn as touched and as disturbed. ring: a cell's outline,
        longitude and latitude of each corner, closed.
        """
        value = self._desk.definitions["interference"].value
        hours, begin_us, told = self._layer("interference", at_us, HOUR_US)
        cells = [
            {"cell": t.place, "domain": t.domain, "feed": t.feed, "ring": ring(t.place), **_counts(t)}
            for t in sorted(told, key=lambda t: -t.figures["craft"])[:LAYER_PLACES]
        ]
        shares = {"low": value("share_low"), "high": value("share_high")}
        return {"hour_us": begin_us, "hours": hours, **shares, "cells": cells}

    def activity(self, at_us: int | None) -> dict[str, Any]:
        """The activity layer of the hour of `at_us`, or of the last one counted: for each zone and
        class of craft how many came, how many usually do, up to how many is usual, and whether it
        is unusual (1 more, -1 fewer). hours: as of `interference`.
        """
        hours, begin_us, told = self._layer("activity", at_us, HOUR_US)
        zones = []
        for tally in told[:LAYER_PLACES]:
            zone, _, group = tally.place.partition("/")
            zones.append({"zone": zone, "group": group, "domain": tally.domain, **tally.figures})
        return {"hour_us": begin_us, "hours": hours, "zones": zones}

    def _layer(
        self, layer: Layer, at_us: int | None, span_us: int
    ) -> tuple[list[int], int | None, list[Tally]]:
        """When the spans begin of which there are counts; the one asked for; its tallies, of each
        place and domain the fullest."""
        tallies, feeds = self._desk.tallies, self._cleared_feeds()
        spans = tallies.spans(layer, feeds)
        if at_us is None:
            begin_us = spans[0] if spans else None
        else:
            begin_us = at_us // span_us * span_us
        fullest: dict[tuple[str, str], Tally] = {}
        for tally in tallies.of(layer, begin_us, feeds) if begin_us is not None else ():
            place = (tally.place, tally.domain)
            if place not in fullest or tally.figures["craft"] > fullest[place].figures["craft"]:
                fullest[place] = tally
        return spans, begin_us, list(fullest.values())

    def _cleared_feeds(self) -> list[str]:
        named = [feed["name"] for feed in self._desk.feeds()]
        return [name for name in named if self._feed_marking(name) in self._markings]

    # looking back

    def known(self, at_us: int) -> dict[str, Any]:
        """Statements as this node held them at a time, the last that had come first.

        until_us: when that changes next, None: not since; first_us: when the first of all came;
        tracks_from_us: from when on tracks can be shown, None: there are none.
        """
        earlier = self._desk.earlier
        items = [
            self._item(then.stored, at_us, then.unknown) for then in earlier.held(at_us, self._markings)
        ]
        told = {"at_us": at_us, **self._bounds(at_us), "tracks_from_us": self.past_begins_us()}
        return {**told, "items": items}

    def view_as_then(self, reader: str, at_us: int) -> dict[str, Any]:
        """`view_as`, as it was at a time: what the partner had been given by then."""
        desk = self._desk
        self._known(reader)
        held = desk.earlier.held(at_us, self._markings)
        views = Views(desk.name, desk.statements, desk.door)
        told = views.as_partner_then(reader, (then.stored for then in held), self._markings, at_us)
        organisation = desk.partners().organisations[reader]
        return {**told, "at_us": at_us, **self._bounds(at_us), "organisation": organisation}

    def _bounds(self, at_us: int) -> dict[str, int | None]:
        earlier = self._desk.earlier
        return {
            "first_us": earlier.first_us(self._markings),
            "until_us": earlier.next_us(at_us, self._markings),
        }

    # views that this person keeps

    def views(self) -> list[dict[str, str]]:
        return self._desk.saved.of(self._account.user)

    def keep_view(self, name: str, address: str) -> list[dict[str, str]]:
        """Keep a view by a name; returns all that are kept. Raises `InputError`, `LimitError`."""
        self._desk.saved.keep(self._account.user, name, address)
        return self.views()

    def forget_view(self, name: str) -> list[dict[str, str]]:
        self._desk.saved.forget(self._account.user, name)
        return self.views()

    def links(self) -> list[dict[str, Any]]:
        """How it stands with each partner; without figures for who may not know of all they count."""
        links = self._desk.links()
        if self._account.clearance == MARKINGS[-1]:
            return links
        return [{**link, **dict.fromkeys(FIGURES)} for link in links]

    def zones(self) -> dict[str, Any]:
        return self._desk.zones

    def track(self, domain: int, number: int) -> dict[str, Any] | None:
        """The latest state of one craft, with the age of what is shown."""
        try:
            key = craft_key(domain, number)
        except ValueError:
            return None
        tracks = self._desk.tracks.upto(self._markings)
        found = tracks.one(key)
        if found is None or not tracks.shows(np.array([key]), self._desk.now_us())[0]:
            theirs = self._desk.partner_tracks.one(key)
            found = theirs if theirs is not None else found
        if found is None:
            return None
        exercise = self._desk.settings.node.realm == "exercise"
        symbol, _ = symbols.drawn(key, found["ship_type"], exercise=exercise)
        return {"partner": None, **{k: _plain(v) for k, v in found.items()}, "symbol": symbol}

    def frame(self, viewport: tuple[float, float, float, float]) -> bytes:
        tracks = self._desk.tracks.upto(self._markings)
        return frame(tracks, viewport, self._desk.now_us(), self._desk.partner_tracks)

    # the past

    def past(self, at_us: int, viewport: tuple[float, float, float, float]) -> bytes:
        """The frame of our own tracks as it was at `at_us` (microseconds UTC of the realm's clock):
        the same Arrow columns as `frame`, with ages as they were then.

        Made of what is kept and had been heard by then. Partners' tracks are kept nowhere, so there
        are none. An instant to come gives the present one; one before all that is kept, no tracks.
        Going on in time, or back to where somebody was a moment ago, is cheap; a leap costs about
        as much as an hour of rows.
        """
        return self._desk.past.frame(at_us, viewport, self._sight(), self._desk.now_us())

    def past_begins_us(self) -> int | None:
        """The earliest instant of which this person can be shown a past; None: there is none."""
        return self._desk.past.begins_us(self._sight())

    def trail(self, craft: str, from_us: int, to_us: int, known_us: int | None = None) -> dict[str, Any]:
        """Where a craft ("mmsi:219000001", "icao:4ca123") was between two times: see
        `tracks.past.PastTracks.trail` for what is told, and its limits. known_us: as it was known at
        that instant. Raises `InputError`."""
        try:
            key = craft_from_text(craft)
        except ValueError as e:
            raise InputError(str(e), where="craft") from e
        return self._desk.past.trail(key, from_us, to_us, self._sight(), known_us)

    def _sight(self) -> Sight:
        return sight_of(self._desk.settings, self._account.clearance)

    # release policies

    def policy(self) -> dict[str, Any]:
        """What is in force, and what waits for a second person."""
        self._account.require("policy")
        return self._desk.review.proposals()

    def preview_policy(self, asked: PolicyForm) -> dict[str, Any]:
        """What a text, or a proposal by its number, would change: of what this person may see."""
        self._account.require("policy")
        review = self._desk.review
        review.history.sync()
        since_us = self._since(asked.since)
        if asked.id is not None:
            return review.preview_kept(asked.id, since_us=since_us, markings=self._markings)
        return review.preview(asked.text, since_us=since_us, markings=self._markings)

    def propose_policy(self, asked: PolicyForm) -> dict[str, Any]:
        """Keep a text for another person to decide on. Raises `SamsynError`."""
        self._desk.review.history.sync()
        kept = self._desk.review.propose(asked.text, by=self._account)
        return {"id": kept.id, "sha256": kept.sha256, "state": kept.state}

    def approve_policy(self, asked: PolicyForm) -> dict[str, Any]:
        """Put a proposal of somebody else in force: the one with this hash. Raises `SamsynError`."""
        review = self._desk.review
        review.history.sync()
        return review.approve(
            asked.number(), by=self._account, seen=asked.sha256, catch_up_us=self._since(asked.catch_up)
        )

    def reject_policy(self, asked: PolicyForm) -> dict[str, Any]:
        """Turn a proposal down. Raises `SamsynError`."""
        self._desk.review.reject(asked.number(), by=self._account, why=asked.why)
        return {"id": asked.id, "state": "rejected"}

    def _since(self, span: str) -> int | None:
        return self._desk.now_us() - read_span(span) if span else None

    # what was done here

    def auditing(self) -> Auditing:
        """The audit log, as far as this person may know of it. Raises `Forbidden`."""
        return Auditing(self._desk, self._account, self._visible)

    def administering(self) -> Administering:
        """Zones and feeds. Raises `Forbidden`."""
        return Administering(self._desk, self._account)

    # acting

    def report(self, form: ReportForm) -> dict[str, Any] | None:
        """Sign a report. Raises `SamsynError` where it cannot be one, or this person may not."""
        self._account.require("report")
        desk, by = self._desk, self._account.user
        if form.marking in MARKINGS and form.marking not in self._markings:
            raise Forbidden(f"this account is not cleared for {form.marking}", where=by)
        exercise = desk.settings.node.realm == "exercise"
        draft = form.draft(by=by, exercise=exercise, now_us=desk.now_us())
        files = [value["sha256"] for value in form.attachments]
        made = desk.pen.sign(draft, by=by, attachments=desk.attaching.uploads.of(by, files))
        desk.attaching.uploads.drop(by, files)
        return self.item(made.jti)

    def keep_upload(self, digest: str, body: bytes) -> dict[str, Any]:
        """Keep a file for the report that this person writes. Raises `SamsynError`."""
        self._account.require("report")
        self._desk.attaching.uploads.keep(self._account.user, digest, body)
        return {"sha256": digest, "size": len(body)}

    def attachment(self, jti: str, digest: str) -> tuple[Attachment, bytes] | None:
        """An attachment that is here, and its bytes. Raises `InputError` where it is not."""
        return self._desk.attaching.body(jti, digest) if self._visible(jti) else None

    def fetch_attachment(self, jti: str, digest: str) -> dict[str, Any] | None:
        """Have an attachment here, from the partner who gave its name. Raises `SamsynError`."""
        self._account.require("handle")
        if self._visible(jti) is None:
            return None
        self._desk.attaching.fetch(jti, digest, self._account.user)
        return self.item(jti)

    def reach(self, form: ReportForm) -> dict[str, Any]:
        """Whom a report would reach as it stands (`reach.reach`). Raises `InputError`."""
        self._account.require("report")
        desk = self._desk
        exercise = desk.settings.node.realm == "exercise"
        draft = form.draft(by=self._account.user, exercise=exercise, now_us=desk.now_us())
        organisations = desk.partners().organisations
        return {
            "items": reach(draft, desk.door.policy, organisations, me=desk.name, now_us=desk.now_us())
        }

    def request(self, form: RequestForm) -> dict[str, Any] | None:
        """Ask an originator about a statement that this person sees; None where there is none.

        Raises `SamsynError` where it cannot be asked.
        """
        self._account.require("report")
        if self._visible(form.about) is None:
            return None
        return self.item(self._desk.asking.request(form, by=self._account.user).jti)

    def answer(self, form: ConsentForm) -> dict[str, Any] | None:
        """Answer a partner's request. Raises `SamsynError` where it cannot be answered so."""
        self._account.require("answer")
        if self._visible(form.request) is None:
            return None
        return self.item(self._desk.asking.answer(form, by=self._account.user).jti)

    def notices(self) -> list[dict[str, Any]]:
        """What this person should see to; of what was set aside only who sees all is told."""
        sees_all = self._account.clearance == MARKINGS[-1]
        return [
            notice
            for notice in self._desk.notices()
            if (sees_all if notice["kind"] == "set-aside" else self._visible(notice["about"]))
        ]

    def withdraw(self, jti: str, *, purge: bool, why: str) -> dict[str, Any] | None:
        """Queue the withdrawal of our own statement. Raises `SamsynError` where it is not ours."""
        self._account.require("withdraw")
        if self._visible(jti) is None:
            return None
        self._desk.pen.withdraw(jti, purge=purge, why=why, by=self._account.user)
        return self.item(jti)

    def handle(self, jti: str, step: str, due_us: int | None) -> dict[str, Any] | None:
        """Acknowledge a statement, take it, let it go, or say by when. Raises `InputError`."""
        self._account.require("handle")
        stored = self._visible(jti)
        if stored is None:
            return None
        self._desk.handling.step(jti, stored.ver, known_step(step), self._account.user, due_us)
        return self.item(jti)

    def signed_in(self) -> None:
        self._desk.diary.write(self._account.user, "sign-in")

    def signed_out(self) -> None:
        self._desk.diary.write(self._account.user, "sign-out")

    # what there is for this person

    def _known(self, reader: str) -> None:
        if reader not in self._desk.partners().organisations or reader == self._desk.name:
            raise InputError(f"{reader!r} is no partner of ours", do="see: samsyn partner list")

    def _held(self) -> list[Stored]:
        """The latest version of each statement; a withdrawal ends all versions, one is enough."""
        return self._desk.statements.page(
            limit=STATEMENTS_SHOWN,
            states=("standing", "withdrawn"),
            markings=self._markings,
            latest=True,
        )

    def _visible(self, jti: str) -> Stored | None:
        """The latest version, where this person is cleared for it: then also for what came before."""
        stored = self._desk.statements.get(jti)
        return stored if stored is not None and stored.marking in self._markings else None

    def _item(
        self, stored: Stored, at_us: int | None = None, unknown: Collection[str] = ()
    ) -> dict[str, Any]:
        """at_us: as it was then, without the slots that were unknown; None: as it is."""
        desk = self._desk
        partners = desk.partners()
        delivered = desk.door.delivered(stored.jti) if stored.iss == desk.name else []
        shown = item(
            stored,
            me=desk.name,
            organisations=partners.organisations,
            keys=partners.keys,
            deliveries=[d for d in delivered if at_us is None or d.at_us <= at_us],
            unknown=unknown,
        )
        handling = desk.handling.get(stored.jti)
        if at_us is not None:
            handling = handling.until(at_us)
        named = [
            {**msgspec.to_builtins(one), "here": here}
            for one, here in desk.attaching.listed(stored)
            if one.slot not in unknown
        ]
        return {**shown, "attachments": named, "handling": msgspec.to_builtins(handling)}

    def _marking_of(self, finding: Finding, jti: str | None) -> str:
        """What a finding was signed as; else the strictest that it would be signed as."""
        signed = self._desk.statements.get(jti) if jti else None
        if signed is not None and signed.marking in MARKINGS:
            return signed.marking
        return strictest(self._would_be(finding))

    def _feed_marking(self, name: str) -> str:
        settings = self._desk.settings
        said = next((feed.marking for feed in settings.feed if feed.name == name), "")
        said = said or settings.removed.get(name, "")
        return said or settings.node.default_marking

    def _would_be(self, finding: Finding) -> Iterator[str]:
        for feed in (finding.feed, *finding.more_feeds):
            yield self._feed_marking(feed)
        for order in self._desk.settings.standing_order:
            if finding.detector in order.detectors:
                yield order.marking


def _counts(tally: Tally) -> dict[str, int]:
    return {name: int(count) for name, count in tally.figures.items()}


def _plain(value: Any) -> Any:
    """NumPy scalars as JSON has them; not-a-number is absence."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value
