"""One history, five readers, every way to read: each shows the same set, and that is the policy's.

The channel as the exchange sends it, TAXII, OGC, TAK; for everybody Atom, CAP and the calendar.

What is asked of each way is what its users ask; what is compared is which version of which statement
is there, and how fine a place it tells.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Literal, NamedTuple

import feedparser
import icalendar
import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from samsyn.exchange.reader_certificates import readers_context
from samsyn.formats import stix
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.tak import TakServer
from samsyn.interfaces.taxii import collection_id
from samsyn.policy import facts_of, parse, rung_of
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.subjects import KINDS
from tests.channels.nodes import NOW_US, draft
from tests.formats import tak_says
from tests.interfaces.readers import Site
from tests.interfaces.test_tak import Client

TRIED = 3  # ids of others that each reader asks for, of each sort
READERS = ("gis", "cyber", "tak", "public", "nobody")
POLICY = """
[areas]
west = { bbox = [9.0, 53.0, 15.0, 66.0] }

[[rule]]
id = "alerts-west"
why = "Sea surveillance agreement"
to = ["gis", "tak"]
kinds = ["alert"]
when = { area = "west" }
place = "area"
time = "hour"

[[rule]]
id = "all"
why = "Threat platform"
to = ["cyber"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"

[[rule]]
id = "green-reports"
why = "Reports for the field"
to = ["tak"]
kinds = ["report"]
when = { marking_max = "TLP:GREEN" }
place = "spot"
time = "day"

[[rule]]
id = "warnings"
why = "Public warnings"
to = ["public"]
kinds = ["alert", "report"]
when = { marking_max = "TLP:CLEAR" }
place = "region"
time = "day"

[[deny]]
id = "no-secret-tag"
why = "Kept for ourselves"
to = ["gis", "tak", "public"]
when = { tags = ["own"] }
"""


class Act(NamedTuple):
    """Say something, say a new version of what was said, or withdraw it; `of` counts what was said."""

    does: Literal["say", "again", "withdraw"]
    of: int
    kind: str
    marking: str
    lon: float
    placed: bool
    own: bool


acts = st.lists(
    st.builds(
        Act,
        st.sampled_from(("say", "say", "say", "again", "withdraw")),
        st.integers(0, 9),
        st.sampled_from(("alert", "report")),
        st.sampled_from(("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER")),
        st.sampled_from((10.0, 14.9, 20.0)),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)

Shown = dict[str, tuple[int, str]]
"""By statement: its version, and the finest place that is told."""


class Ways:
    """A site with all ways open, and what each of them shows to a reader."""

    def __init__(self, root: Path) -> None:
        self.site = Site(root, policy=POLICY, names=READERS)
        stores = self.site.node.stores
        self.tak = TakServer(
            self.site.node.desk.door.reader,
            stores.tokens,
            self.site.wall,
            Seens(Kept()),
            "127.0.0.1",
            0,
            readers_context(self.site.home.keys),
            node="dk",
            realm="actual",
            look_s=0.02,
        )
        self.tak.start()
        self.held: list[tuple[str, int, Any]] = []  # statement, its version, its draft

    def close(self) -> None:
        self.tak.stop()
        self.site.close()

    def play(self, history: list[Act]) -> None:
        pen = self.site.node.stores.pen
        for act in history:
            if act.does == "say" or not self.held:
                self.held.append((pen.sign(_draft(act), by="t").jti, 1, _draft(act)))
                continue
            at = act.of % len(self.held)
            jti, ver, made = self.held[at]
            if act.does == "again":
                fresh = msgspec.structs.replace(_draft(act), kind=made.kind)
                slots = {k: v for k, v in fresh.slots.items() if not k.startswith("body.")}
                slots |= {k: v for k, v in made.slots.items() if k.startswith("body.")}
                fresh = msgspec.structs.replace(fresh, slots=slots)
                self.held[at] = jti, ver + 1, fresh
                pen.sign(fresh, by="t", jti=jti, ver=ver + 1)
            else:
                self.held.pop(at)
                pen.withdraw(jti, purge=True, why="", by="t")
            self.site.node.tick()
        self.site.node.tick()

    def decided(self, reader: str) -> Shown:
        """What the policy gives this reader of what stands."""
        policy = parse(POLICY, "policy.toml", partners=READERS, kinds=list(KINDS))
        found: Shown = {}
        for jti, ver, _ in self.held:
            stored = self.site.node.stores.statements.get(jti, ver)
            assert stored is not None and stored.statement is not None
            facts = facts_of(stored.statement, NOW_US, foreign=False)
            decision = policy.decide(facts, reader, NOW_US)
            if decision.released:
                found[jti] = ver, rung_of(decision.slots & stored.statement.slots.keys(), "place")
        return found

    def exchange(self, reader: str) -> Shown:
        """The channel itself, as a partner's node is sent it."""
        held = self.site.held(reader)
        return {jti: (ver, rung_of(slots.keys(), "place")) for jti, (_, ver, slots) in held.items()}

    def taxii(self, reader: str) -> Shown:
        found: Shown = {}
        for made in self.site.fetched(reader, 2):
            if made["type"] == "report" and not made.get("revoked"):
                ours = made["extensions"][stix.EXTENSION]
                slots = {one["slot"] for one in ours["slots"]}
                found[ours["statement"]] = ours["statement_version"], rung_of(slots, "place")
        return found

    def ogc(self, reader: str) -> Shown:
        found: Shown = {}
        for collection in ("alerts", "reports"):
            path = f"/ogc/collections/{collection}/items?limit=2"
            while path:
                page = self.site.get(path, self.site.tokens[reader]).json()
                for one in page["features"]:
                    told = one["properties"]
                    found[told["statement"]] = told["version"], told.get("place_rung", "none")
                links = [link["href"] for link in page["links"] if link["rel"] == "next"]
                path = links[0].removeprefix(self.site.url) if links else ""
        return found

    def cot(self, reader: str) -> Shown:
        """Until the answer to a ping that was sent when all was told."""
        client = Client(self.tak.address)
        client.sign_in(reader, self.site.tokens[reader])
        found: Shown = {}
        client.hear()
        told = 0
        while told < 2:  # the first may overtake what is being told, the second cannot
            client.say(tak_says.PING)
            while (one := client.hear()).get("type") != "t-x-c-t-r":
                detail = one.find("detail/samsyn")
                if detail is not None:
                    remarks = one.findtext("detail/remarks") or ""
                    version = int(remarks.partition("version ")[2].split(",")[0].split("\n")[0])
                    found[detail.attrib["statement"]] = version, detail.attrib["place"]
            told = told + 1 if len(found) >= self._drawn(reader) else 0
        client.socket.close()
        return found

    def _drawn(self, reader: str) -> int:
        return sum(rung != "none" for _, rung in self.decided(reader).values())

    def public(self) -> dict[str, set[str]]:
        """Titles by way."""
        feed = feedparser.parse(self.site.get("/public/atom.xml").content).entries
        calendar = icalendar.Calendar.from_ical(self.site.get("/public/calendar.ics").content)
        caps = [self.site.get(e.links[0].href.removeprefix(self.site.url)).content for e in feed]
        headline = ".//{urn:oasis:names:tc:emergency:cap:1.2}headline"
        return {
            "atom": {e.title for e in feed},
            "calendar": {str(e["summary"]) for e in calendar.walk("VEVENT")},
            "cap": {str(etree.fromstring(cap).findtext(headline)) for cap in caps},
        }


def _draft(act: Act) -> Any:
    made = draft(act.kind, marking=act.marking, exercise=False)
    slots = {k: v for k, v in made.slots.items() if not k.startswith(("place.", "time."))}
    slots |= {"title": f"{act.kind} {act.lon} {act.marking}"} | time_ladder(NOW_US)
    if act.placed:
        slots |= place_ladder({"type": "Point", "coordinates": [act.lon, 58.0]})
    if act.own:
        slots["tags"] = ["own"]
    return msgspec.structs.replace(made, slots=slots)


@given(history=acts)
@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.generate,),  # a failing history is short as it is; another try takes seconds
    suppress_health_check=list(HealthCheck),
)
def test_every_way_shows_what_the_policy_gives(history: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ways = Ways(Path(folder))
        try:
            ways.play(history)
            for reader in READERS:
                decided = ways.decided(reader)
                assert ways.exchange(reader) == decided, reader
                assert ways.taxii(reader) == decided, reader
                assert ways.ogc(reader) == decided, reader
                placed = {jti: told for jti, told in decided.items() if told[1] != "none"}
                assert ways.cot(reader) == placed, reader
            titles = {made.slots["title"] for jti, _, made in ways.held if jti in ways.decided("public")}
            assert all(shown == titles for shown in ways.public().values())
            assert ways.decided("nobody") == {}
            _nothing_of_others(ways)
            _no_object_of_others(ways.site)
        finally:
            ways.close()


def _nothing_of_others(ways: Ways) -> None:
    """What one reader can name, another that was not given it gets as what nobody has."""
    site = ways.site
    ids: dict[str, set[str]] = {}
    for reader in READERS:
        path = "/ogc/collections/{}/items?limit=1000"
        ids[reader] = {
            f"{kind}/items/{f['id']}"
            for kind in ("alerts", "reports")
            for f in site.get(path.format(kind), site.tokens[reader]).json()["features"]
        }
    never = "alerts/items/00000000-0000-4000-8000-000000000000"
    for reader, others in ((r, set.union(*ids.values()) - ids[r]) for r in READERS):
        nothing = site.get(f"/ogc/collections/{never}", site.tokens[reader])
        assert nothing.status_code == 404
        for path in others:
            for query in ("", "?f=html", "?f=json"):
                reply = site.get(f"/ogc/collections/{path}{query}", site.tokens[reader])
                assert (reply.status_code, reply.content) == (404, nothing.content), path
            headers = {"x-forwarded-user": "cyber", "x-client-cert": "cyber", "host": "cyber"}
            reply = site.get(f"/ogc/collections/{path}", site.tokens[reader], **headers)
            assert (reply.status_code, reply.content) == (404, nothing.content)
    assert json.loads(nothing.content)["status"] == 404


def _no_object_of_others(site: Site) -> None:
    """The same over TAXII, by ids, collections, filters and places; and of what is for everybody."""
    own = {reader: {o["id"] for o in site.fetched(reader, 100)} for reader in READERS}
    everything = set.union(*own.values())
    for reader in READERS:
        token, base = site.tokens[reader], f"/api/collections/{collection_id('dk', 'actual', reader)}"
        nothing = site.get(f"{base}/objects/report--00000000-0000-4000-8000-000000000000/", token)
        assert nothing.status_code == 404
        for id_ in sorted(everything - own[reader])[:TRIED]:
            for path in (f"{base}/objects/{id_}/", f"{base}/objects/{id_}/versions/"):
                reply = site.get(path, token)
                assert (reply.status_code, reply.content) == (404, nothing.content), path
            for more in ("&match[version]=all", "&next=0.0"):
                assert site.get(f"{base}/objects/?match[id]={id_}{more}", token).json() == {}
        for other in READERS:
            if other != reader:
                theirs = f"/api/collections/{collection_id('dk', 'actual', other)}/objects/"
                reply = site.get(theirs, token)
                assert (reply.status_code, reply.content) == (404, nothing.content)
    reports = {id_ for id_ in everything - own["public"] if id_.startswith("report--")}
    for id_ in sorted(reports)[:TRIED]:
        assert site.get(f"/public/cap/{id_.partition('--')[2]}").status_code == 404
