"""What everybody may read, without a token: CAP, Atom, a calendar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import httpx
import icalendar
import msgspec
import pytest
from lxml import etree

from samsyn.exchange.tls import client_context
from samsyn.statements.ladder import time_ladder
from tests.channels.nodes import NOW_US, draft
from tests.interfaces.readers import NAMES, POLICY, Site

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
TOLD = (
    POLICY
    + """
[[rule]]
id = "public-warnings"
why = "Public warnings, order 3"
to = ["public"]
kinds = ["alert", "report"]
when = { marking_max = "TLP:CLEAR" }
place = "area"
time = "hour"
hide = ["author", "sources", "text"]
"""
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, policy=TOLD, names=(*NAMES, "public"))
    yield made
    made.close()


def say(site: Site, title: str, marking: str = "TLP:CLEAR") -> str:
    exercise = site.node.stores.realm == "exercise"
    made = draft("alert", marking=marking, exercise=exercise)
    made = msgspec.structs.replace(made, slots={**made.slots, "title": title})
    return site.node.stores.pen.sign(made, by="t").jti


def entries(site: Site) -> list[Any]:
    reply = site.get("/public/atom.xml")
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/atom+xml"
    return list(feedparser.parse(reply.content).entries)


def cap(site: Site, entry: Any) -> Any:
    reply = site.get(entry.links[0].href.removeprefix(site.url))
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/cap+xml"
    return etree.fromstring(reply.content)


def test_everybody_reads_what_is_clear_and_nothing_else(site: Site) -> None:
    say(site, "Cable damaged")
    say(site, "Not for all", "TLP:GREEN")
    say(site, "Drift ice")
    site.node.tick()
    found = {e.title: e for e in entries(site)}
    assert found.keys() == {"Drift ice", "Cable damaged"}
    alert = cap(site, found["Cable damaged"])
    assert alert.findtext(f"{CAP}status") == "Actual" and alert.findtext(f"{CAP}scope") == "Public"
    assert alert.findtext(f"{CAP}info/{CAP}headline") == "Cable damaged"
    told = icalendar.Calendar.from_ical(site.get("/public/calendar.ics").content).walk("VEVENT")
    assert {str(e["summary"]) for e in told} == {"Cable damaged", "Drift ice"}
    hour = time_ladder(NOW_US)["time.hour"][:-1]
    assert {e["dtstart"].dt.isoformat() for e in told} == {f"{hour}:00:00+00:00"}


def test_a_withdrawal_leaves_the_feed_and_ends_the_alert(site: Site) -> None:
    jti = say(site, "Cable damaged")
    say(site, "Drift ice")
    site.node.tick()
    gone = next(e for e in entries(site) if e.title == "Cable damaged")
    site.node.stores.pen.withdraw(jti, purge=True, why="", by="t")
    site.node.tick()
    assert [e.title for e in entries(site)] == ["Drift ice"]
    told = icalendar.Calendar.from_ical(site.get("/public/calendar.ics").content).walk("VEVENT")
    assert [str(e["summary"]) for e in told] == ["Drift ice"]
    ended = cap(site, gone)
    assert ended.findtext(f"{CAP}msgType") == "Cancel" and ended.find(f"{CAP}info") is None
    assert b"Cable" not in etree.tostring(ended)


def test_a_second_guard_keeps_in_what_a_policy_let_out(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were something else than TLP:CLEAR ever to stand in the channel of everybody, it is not shown."""
    say(site, "Cable damaged")
    site.node.tick()
    (entry,) = entries(site)
    monkeypatch.setattr("samsyn.interfaces.public.CLEAR", "TLP:NONE")
    assert entries(site) == []
    assert site.get(entry.links[0].href.removeprefix(site.url)).status_code == 404


def test_an_exercise_is_marked_wherever_it_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path, "exercise", policy=TOLD, names=(*NAMES, "public"))
    try:
        say(site, "Cable damaged")
        site.node.tick()
        (entry,) = entries(site)
        assert entry.title == "EXERCISE Cable damaged"
        alert = cap(site, entry)
        assert alert.findtext(f"{CAP}status") == "Exercise" and alert.findtext(f"{CAP}note")
        assert b"SUMMARY:EXERCISE Cable" in site.get("/public/calendar.ics").content
    finally:
        site.close()


def test_without_such_a_reader_there_is_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        say(site, "Cable damaged")
        site.node.tick()
        for path in ("/public/atom.xml", "/public/calendar.ics", "/public/cap/x", "/public"):
            assert site.get(path).status_code == 404
            assert site.get(path, site.tokens["cyber"]).status_code == 404
    finally:
        site.close()


def test_nobody_writes(site: Site) -> None:
    context = client_context((site.home.keys / "tls.pem").read_text())
    with httpx.Client(verify=context, timeout=60) as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, f"{site.url}/public/atom.xml").status_code == 405
