"""The course of a demo: three nodes start, the exercise runs, things go wrong, all is checked."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samsyn.base.clock import HOUR_US, SECOND_US, SystemClock
from samsyn.base.errors import Refused, SamsynError
from samsyn.base.settings import FeedSettings, Home
from samsyn.channels.mirror import Mirror
from samsyn.demo import checks
from samsyn.demo.cast import Actor, wait_for
from samsyn.demo.checks import Check
from samsyn.demo.world import NAMES, RECORDED_HOURS, SIMULATED_HOURS, STRANGER, USER, Place, build
from samsyn.exchange.pull import Puller
from samsyn.exchange.roster import Roster
from samsyn.feeds.runner import open_feed
from samsyn.node.stores import Stores
from samsyn.statements.sign import verify

Say = Callable[[str], None]

SPEED_ENDLESS = 60.0
SPENT_S = 30.0  # of a limited demo: starting, and what is shown beside the exercise
REPORT = {
    "title": "Exercise: divers' flag near the outer buoy",
    "text": "EXERCISE. Two persons in a grey boat, seen from the pilot station.",
    "summary": "Exercise: unusual diving activity",
    "category": "sea",
    "lat": 55.6712,
    "lon": 12.6934,
    "marking": "TLP:AMBER",
    "confidence": "medium",
}


class Play:
    """One demo. Everything it makes lies below `root`."""

    def __init__(
        self, root: Path, *, data: Path | None, port: int, seconds: float | None, say: Say
    ) -> None:
        hours = RECORDED_HOURS if data else SIMULATED_HOURS
        speed = hours * 3600 / max(seconds - SPENT_S, 20.0) if seconds else SPEED_ENDLESS
        now_us = SystemClock().now_us()
        self.say = say
        self.seconds = seconds
        self.speed = round(speed, 1)
        self.password = secrets.token_urlsafe(9)
        self.start_us = now_us // HOUR_US * HOUR_US
        self.began_us = now_us + 6 * SECOND_US  # when all three are likely to be up
        self.root = root
        self.places: dict[str, Place] = build(
            root,
            data=data,
            port=port,
            start_us=self.start_us,
            began_us=self.began_us,
            speed=self.speed,
            password=self.password,
        )
        self.actors = {n: Actor(p, self.password, root) for n, p in self.places.items()}
        self.user = USER
        self.stop = threading.Event()

    def up(self) -> None:
        """Start the three nodes. Raises `SamsynError` where one does not come up."""
        threads = [threading.Thread(target=a.start) for a in self.actors.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        down = [n for n, a in self.actors.items() if not a.alive()]
        if down:
            raise SamsynError(f"these nodes did not start: {', '.join(down)}", where=str(self.root))
        self.say(f"{', '.join(NAMES)} are up; exercise time runs {self.speed:g} times as fast")

    def down(self) -> None:
        for actor in self.actors.values():
            actor.stop()

    # the acts: each is a check

    def run(self) -> list[Check]:
        """All acts in order, the last with the nodes stopped: what held and what did not."""
        dk = self.actors["dk"]
        found = wait_for(self._drift_everywhere, self._limit_s(), self.stop)
        done = [self._try("one signature, two views", lambda: self._precision(found))]
        done.append(self._try("both verify dk's one signature", lambda: self._one_signature(found)))
        done.append(self._try("a reader without a rule gets nothing", self._stranger))
        done.append(self._try("kill -9 loses and doubles nothing", self._killed))
        done.append(self._try("a withdrawal reaches", self._withdrawn))
        done.append(self._try("a forged statement is refused", lambda: self._forged(found)))
        done.append(self._try("unreadable input is survived", self._unreadable))
        self.say("waiting for the ship to be under way again")
        wait_for(self._all_drifts_closed, self._limit_s(), self.stop)
        findings = self._try("drift", lambda: self._drift(dk.get("/api/findings")["items"]))
        secrets_ = checks.secrets_of(found[0]) if found else []
        self.down()
        done.insert(0, findings)
        homes = {n: p.home for n, p in self.places.items()}
        fi = self.places["fi"].home.root
        done.append(self._try("no byte in fi's home", lambda: checks.nothing_of(secrets_, fi)))
        done.append(self._try("samsyn verify", lambda: checks.audited(homes)))
        return done

    def _try(self, claim: str, act: Callable[[], Check]) -> Check:
        check = checks.attempt(claim, act)
        self.say(f"{'held' if check.held else 'NOT HELD'}: {check.claim}: {check.shown}")
        return check

    def _limit_s(self) -> float:
        return max((self.seconds or 90.0) * 1.0, 45.0)

    def _drift_everywhere(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """A drift alert of dk's, as se and fi hold it."""
        for alert in self.actors["se"].statements():
            drift = alert["slots"].get("body.detector") == "drift" and alert["iss"] == "dk"
            if drift and (other := self.actors["fi"].holding(alert["jti"])):
                return alert, other
        return None

    def _precision(self, found: tuple[dict[str, Any], dict[str, Any]] | None) -> Check:
        return checks.precision(*(found or (None, None)))

    def _one_signature(self, found: tuple[dict[str, Any], dict[str, Any]] | None) -> Check:
        """From the two homes' own files: the same signed bytes, both verified here once more."""
        parts = set()
        for name in ("se", "fi"):
            with Stores(self.places[name].home) as stores:
                held = stores.statements.get(found[0]["jti"], 1) if found else None
                keys = stores.statement_keys()
                if held and held.body:
                    parts.add(verify(held.body, keys).jwt)
        return Check("both verify dk's one signature", len(parts) == 1, "the same signed part at both")

    def _stranger(self) -> Check:
        """The fourth partner asks dk with its own keys, as any partner would."""
        with Stores(Home(self.root / STRANGER)) as stores:
            card = Roster(stores.home.partners).get("dk")
            assert card is not None
            mirror: Mirror = stores.mirror(card)
            puller = Puller(
                card,
                mirror,
                me=STRANGER,
                request_key=stores.keys.request,
                realm=stores.realm,
                wall=stores.wall,
                jitter=random.Random(),  # noqa: S311  no secret hangs on it
            )
            stop = threading.Event()
            thread = threading.Thread(target=puller.run, args=(stop,))
            thread.start()
            state = wait_for(lambda: (s := puller.state()).state == "up" and s, 15)
            stop.set()
            thread.join()
            held = bool(state) and state.their_size == 0 and mirror.size == 0
        shown = f"answered, {state.their_size} entries" if state else "dk did not answer it"
        return Check("a reader without a rule gets nothing, not even a count", held, shown)

    def _killed(self) -> Check:
        """fi is killed; dk speaks meanwhile; fi comes back and catches up, once."""
        self.say("kill -9 fi")
        self.actors["fi"].kill()
        said = self.actors["dk"].post("/api/reports", REPORT)
        self.actors["fi"].start()
        came = wait_for(lambda: self.actors["fi"].holding(said["jti"]), 30)
        times = sum(s["jti"] == said["jti"] for s in self.actors["fi"].statements())
        self._said = said["jti"]
        shown = f"the report said meanwhile is held {times} time(s) after the restart"
        return Check(
            "kill -9 of fi: it catches up, nothing is doubled", bool(came) and times == 1, shown
        )

    def _withdrawn(self) -> Check:
        dk = self.actors["dk"]
        wait_for(lambda: self.actors["se"].holding(self._said), 15)
        dk.post(f"/api/statements/{self._said}/withdraw", {"purge": True, "why": "demo"})

        def everywhere() -> bool:
            told = dk.get(f"/api/statements/{self._said}")["released"]
            applied = {r["reader"] for r in told if r["op"] == "withdraw" and r["applied"]}
            gone = [self.actors[n].holding(self._said) for n in ("se", "fi")]
            return applied == {"se", "fi"} and all(s and s["purged"] for s in gone)

        held = bool(wait_for(everywhere, 30))
        return Check(
            "a withdrawal is purged by both and acknowledged to dk",
            held,
            "se and fi hold no body any more, and dk's picture shows both cosignatures"
            if held
            else "no",
        )

    def _forged(self, found: tuple[dict[str, Any], dict[str, Any]] | None) -> Check:
        with Stores(self.places["se"].home) as stores:
            held = stores.statements.get(found[0]["jti"], 1) if found else None
            keys = stores.statement_keys()
        body = held.body if held and held.body else b""
        middle = body.index(b"~") - 9  # inside the signature
        forged = (
            body[:middle] + (b"A" if body[middle : middle + 1] != b"A" else b"B") + body[middle + 1 :]
        )
        try:
            verify(forged, keys)
        except Refused as e:
            return Check("a statement with one letter changed is refused", True, e.reason)
        return Check("a statement with one letter changed is refused", False, "it was taken")

    def _unreadable(self) -> Check:
        """Noise and a cut file: said clearly, counted, and the good rows kept."""
        noise = self.root / "noise.nmea"
        good = b"!AIVDM,1,1,,B,13:BuN001=15mQFOjcOBG1p800SK,0*7B\n"
        seeded = random.Random(7)  # noqa: S311  noise that is the same every time
        noise.write_bytes(seeded.randbytes(5_000) + b"\n" + good + good.replace(b"*7B", b"*00"))
        settings = FeedSettings(name="noise", kind="ais_nmea", source=f"file:{noise}", date="2026-11-21")
        stream = open_feed(
            settings, originator="dk", exercise=True, clock=SystemClock(), stop=threading.Event()
        )
        rows = sum(delivery.batch.height for delivery in stream)
        refused = sum(stream.report.refused.values())
        first = next((str(p) for p in stream.report.problems), "")
        held = rows == 1 and refused >= 2 and noise.name in first
        shown = f"{rows} row kept, {refused} refused; {first[:120]}"
        return Check("unreadable input is said, counted, and nothing good lost", held, shown)

    def _all_drifts_closed(self) -> bool:
        items = self.actors["dk"].get("/api/findings")["items"]
        drifts = [f for f in items if f["detector"] == "drift"]
        return bool(drifts) and all(f["state"] == "closed" for f in drifts)

    def _drift(self, items: list[dict[str, Any]]) -> Check:
        """When each drift was first signed is read from dk's own store: version 1 of the alert."""
        drifts = [f for f in items if f["detector"] == "drift"]
        with Stores(self.places["dk"].home) as stores:
            first = {f["key"]: stores.statements.get(f["signed"], 1) for f in drifts if f["signed"]}
        raised_us = {key: stored.at_us for key, stored in first.items() if stored}
        # a tick of the door and a piece of the feed come to minutes of the exercise's time
        slack_us = int(2 * SECOND_US * self.speed)
        return checks.drift_in_time(drifts, raised_us, slack_us)
