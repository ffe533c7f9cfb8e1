"""What the fake node's organisations have said, and what it knows of feeds, partners and zones."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

import h3
import numpy as np

from browser.fake_traffic import START_US
from samsyn.formats import symbols

ORGANISATIONS = {
    "dk": "Danish Exercise Centre",
    "se": "Swedish Exercise Centre",
    "fi": "Finnish Exercise Centre",
}


def _cells(lat: float, lon: float) -> dict[str, list[str]]:
    finest = h3.latlng_to_cell(lat, lon, 7)
    return {
        f"place.{rung}": [h3.cell_to_parent(finest, resolution)]
        for rung, resolution in (("region", 3), ("area", 5), ("spot", 7))
    }


def _outline(cell: str) -> dict[str, Any]:
    ring = [[lon, lat] for lat, lon in h3.cell_to_boundary(cell)]
    return {"type": "MultiPolygon", "coordinates": [[[*ring, ring[0]]]]}


def _iso(us: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(us / 1e6))


def drift_evidence(start_us: int, lat: float, lon: float) -> list[dict[str, Any]]:
    """A ship under way that stops and drifts abeam: what the plot has to show."""
    draw = np.random.default_rng(3)
    rows = []
    for i in range(48):
        under_way = i < 10
        speed = 11 + draw.normal(0, 0.2) if under_way else max(0.2, 0.6 + draw.normal(0, 0.12))
        lat += speed * 6 / 3600 * (0.35 if under_way else 0.2)
        lon += speed * 6 / 3600 * (1.2 if under_way else 0.9)
        rows.append({
            "time_us": start_us + i * 360_000_000,
            "lat": round(lat, 5), "lon": round(lon, 5),
            "speed_kn": round(speed, 1),
            "course_deg": 68.0 if under_way else round(75 + draw.normal(0, 9), 1),
            "heading_deg": 66 if under_way else round(330 + draw.normal(0, 6)) % 360,
        })  # fmt: skip
    return rows


def pair_evidence(start_us: int) -> list[dict[str, Any]]:
    """Two aircraft that come closer than they may: distances and levels, row by row."""
    return [
        {
            "time_us": start_us + i * 10_000_000, "lat": 57.0 + i * 0.01, "lon": 17.6 + i * 0.02,
            "altitude_ft": 34_000.0, "speed_kn": 450.0, "course_deg": 45.0,
            "other_lat": 57.6 - i * 0.008, "other_lon": 17.7 + i * 0.018,
            "other_altitude_ft": 35_000.0 - 40 * i, "range_nm": round(abs(30 - i) * 0.6 + 1.2, 1),
            "vertical_ft": 1000.0 - 40 * i, "nac_p": 9.0 if i < 18 else 3.0,
        }
        for i in range(26)
    ]  # fmt: skip


def cell_evidence(start_us: int) -> list[dict[str, Any]]:
    """Craft in one cell, each with its own row: some have lost their position."""
    return [
        {"time_us": start_us + i * 60_000_000, "craft": f"icao:4601{i:02x}", "lat": 54.9 + i * 0.03,
         "lon": 18.8 + i * 0.05, "lost": i % 2 == 0}
        for i in range(6)
    ]  # fmt: skip


UNHANDLED = dict.fromkeys(
    ("acknowledged_by", "acknowledged_us", "acknowledged_ver", "owner", "owner_us", "due_us")
)


def statement(
    iss: str,
    kind: str,
    lat: float,
    lon: float,
    at_us: int,
    slots: dict[str, Any],
    *,
    place: str = "exact",
    when: str = "exact",
    marking: str = "TLP:AMBER",
    released: Iterable[dict[str, Any]] = (),
    exercise: bool = True,
) -> dict[str, Any]:
    """One item of the API, cut to the rungs `place` and `when`."""
    point = {"type": "Point", "coordinates": [lon, lat]}
    cells = _cells(lat, lon)
    rungs = ["region", "area", "spot", "exact"]
    held = {f"place.{r}": cells.get(f"place.{r}", point) for r in rungs[: rungs.index(place) + 1]}
    times = {"day": _iso(at_us)[:10], "hour": _iso(at_us)[:13] + "Z", "exact": _iso(at_us)}
    held |= {f"time.{r}": times[r] for r in list(times)[: list(times).index(when) + 1]}
    own = iss == "dk"
    return {
        "iss": iss, "jti": str(uuid.uuid4()), "ver": 1, "kind": kind, "marking": marking,
        "onward": "ask", "exercise": exercise, "state": "standing", "purged": False, "own": own,
        "handling": dict(UNHANDLED), "received_at_us": at_us + 95_000_000, "slots": {**held, **slots},
        "footprint": point if place == "exact" else _outline(cells[f"place.{place}"][0]),
        "provenance": {
            "said_by": iss, "organisation": ORGANISATIONS[iss], "signature": "checked",
            "key": "q7Jx0bVw9TnE", "through": iss, "entry": None if own else 12,
            "place": place, "time": when, "withheld": not own,
        },
        "released": list(released),
    }  # fmt: skip


def release(
    reader: str,
    rule: str,
    why: str,
    place: str,
    when: str,
    *hidden: str,
    applied: bool = True,
    at_us: int = 0,
) -> dict[str, Any]:
    return {
        "at_us": at_us, "reader": reader, "op": "release", "rule": rule, "why": why, "place": place,
        "time": when, "hidden": list(hidden), "sent": True, "applied": applied,
    }  # fmt: skip


def alert_slots(
    detector: str, craft: str, title: str, state: str = "open", **more: Any
) -> dict[str, Any]:
    return {
        "title": title, "confidence": "medium", "body.detector": detector, "body.craft": craft,
        "body.state": state, **{k.replace("__", "."): v for k, v in more.items()},
    }  # fmt: skip


def partner_alert(now_us: int, title: str = "Silence: mmsi:230994000") -> dict[str, Any]:
    """What fi told us: area and hour, nothing finer."""
    slots = alert_slots("silence", "mmsi:230994000", title, summary="A ship stopped reporting.")
    at_us = now_us - 400_000_000
    return statement("fi", "alert", 59.62, 22.9, at_us, slots, place="area", when="hour")


def first_items(now_us: int, exercise: bool) -> list[dict[str, Any]]:
    """Newest first."""
    start = START_US + 1_800_000_000
    rows = drift_evidence(START_US, 54.98, 14.2)
    given_us = start + 100_000_000
    to_se = release(
        "se", "close-partners", "Bilateral agreement on sea surveillance, art. 2", "exact", "exact",
        at_us=given_us,
    )  # fmt: skip
    to_fi = release(
        "fi", "sea-alerts-nordic", "Sea surveillance agreement, art. 3", "area", "hour",
        "author", "sources", "body.evidence", "body.start", "place.spot", "place.exact", "time.exact",
        applied=False, at_us=given_us + 900_000_000,
    )  # fmt: skip
    drift = alert_slots(
        "drift", "mmsi:212123000", "Drifting: mmsi:212123000",
        text="The ship moves slowly, abeam of its heading, and its status says not under command.",
        author="standing order sea-1", sources=["feed ais-belts", "detector drift"], tags=["sea"],
        body__start=_iso(start), body__evidence=rows,
        body__measured={
            "duration_s": 13_320.0, "net_m": 4140.0, "speed_kn": 0.58, "turn_deg": 104.0,
            "directness": 0.97,
        },
        body__known_errors=["Navigational status is set by hand and often forgotten."],
        body__thresholds={
            "directness": 0.8, "turn_deg": 45.0, "speed_min_kn": 0.3, "speed_max_kn": 5.0,
            "net_m": 250.0, "duration_s": 1800.0,
        },
    )  # fmt: skip
    zone = alert_slots(
        "zone-entry", "icao:4601aa", "Zone entry: icao:4601aa", body__zone="nord-cable", tags=["air"]
    )
    closed = alert_slots(
        "emergency", "icao:46a3b1", "Emergency: icao:46a3b1", "closed", body__closed_because="code-ended"
    )
    said = {
        "title": "Buoy adrift south of Gotland",
        "summary": "A light buoy is off its place.",
        "confidence": "high",
        "body.category": "sea",
    }
    at = rows[-1]
    found = [
        partner_alert(now_us),
        statement("se", "alert", 58.6, 19.9, now_us - 3_900_000_000, zone, marking="TLP:GREEN"),
        statement("dk", "alert", 57.1, 11.6, now_us - 7_300_000_000, closed, released=[to_se]),
        statement("se", "report", 56.82, 18.05, now_us - 9_000_000_000, said, place="spot"),
        statement("dk", "alert", at["lat"], at["lon"], start, drift, released=[to_se, to_fi]),
    ]
    return [item | {"exercise": exercise} for item in found]


AIS = ("AIS, NMEA lines", "AIS, NMEA-rader")
READSB = ("Aircraft, readsb", "Luftfartyg, readsb")


def _both(en: str, sv: str) -> dict[str, str]:
    return {"en": en, "sv": sv}


STATUS_ERROR = _both(
    "Navigational status is set by hand and often forgotten.",
    "Navigeringsstatus ställs in för hand och glöms ofta.",
)


def picture() -> dict[str, Any]:
    """All but the realm and its time."""
    now = time.time_ns() // 1000  # partners and feeds are heard in wall time

    def feed(
        name: str, kind: str, en: str, sv: str, state: str, rows: int, refused: int, ago_s: int
    ) -> dict[str, Any]:
        return {
            "name": name, "kind": kind, "title": _both(en, sv), "state": state,
            "rows": rows, "problem": "", "refused": refused, "last_heard_us": now - ago_s * 1_000_000,
            "marking": "TLP:GREEN",
        }  # fmt: skip

    def detector(en: str, sv: str) -> dict[str, Any]:
        return {
            "title": _both(en, sv),
            "definition": _both(
                "A craft does what its definition says.", "En farkost gör det definitionen säger."
            ),
            "what_to_do": _both(
                "Call the ship on VHF 16. Ask for cause and intentions; look for what lies downwind.",
                "Anropa fartyget på VHF 16. Fråga om orsak och avsikt; se efter vad som ligger i lä.",
            ),
            "known_errors": [
                {"id": "status", **STATUS_ERROR},
                {"id": "sensor", **_both("A wrong heading sensor.", "En kursgivare som visar fel.")},
            ],
            "closed": {"code-ended": _both("the craft says otherwise", "farkosten anger annat")},
            "thresholds": {
                "speed_max_kn": {
                    "value": 5.0,
                    "unit": "kn",
                    "meaning": _both("fastest drift", "snabbaste drift"),
                }
            },
        }

    return {
        "node": "dk", "organisation": ORGANISATIONS["dk"],
        "symbols": symbols.codes(exercise=True),
        "marking": "TLP:AMBER", "default_marking": "TLP:GREEN", "partners": ["fi", "no", "se"],
        "feeds": [
            feed("ais-belts", "ais_nmea", *AIS, "live", 73_214, 12, 2),
            feed("adsb-south", "readsb", *READSB, "live", 41_870, 0, 61),
            feed("ais-kattegat", "ais_nmea", *AIS, "silent", 902, 0, 5_400),
        ],
        "detectors": {
            "drift": detector("Drifting", "Driver"),
            "silence": detector("Silence", "Tystnad"),
            "encounter-air": detector("Close aircraft", "Nära luftfartyg"),
            "interference": detector("Interference", "Störning"),
            "zone-entry": detector("Zone entry", "Går in i zon"),
            "emergency": detector("Emergency", "Nödläge"),
        },
    }  # fmt: skip


def links() -> list[dict[str, Any]]:
    now = time.time_ns() // 1000

    def link(
        partner: str, name: str, state: str, ago_s: int, sent: int, applied: int, received: int
    ) -> dict[str, Any]:
        return {
            "partner": partner, "organisation": name, "state": state,
            "last_heard_us": now - ago_s * 1_000_000, "sent": sent, "applied": applied,
            "received": received, "refused": None,
            "held": 0, "withdrawn": 0, "purges": 0, "purged": 0,
        }  # fmt: skip

    no = link("no", "Norwegian Exercise Centre", "refused", 4_000, 0, 0, 3)
    no["refused"] = {
        "reason": "forked-log",
        **_both(
            "Its log does not continue the one seen before.",
            "Dess logg fortsätter inte den som setts tidigare.",
        ),
    }
    fi = link("fi", ORGANISATIONS["fi"], "waiting", 150, 38, 37, 12)
    fi |= {"held": 3, "withdrawn": 5, "purges": 4, "purged": 3}
    return [
        fi,
        no,
        link("se", ORGANISATIONS["se"], "up", 31, 41, 41, 19),
    ]


def findings(items: list[dict[str, Any]], now_us: int) -> list[dict[str, Any]]:
    own = next((i for i in items if i["own"] and i["slots"].get("body.detector") == "drift"), None)
    base = {
        "start_us": START_US, "updated_us": now_us - 60_000_000, "end_us": None, "zone": None,
        "feed": "ais-belts", "known_errors": ["status"], "closed_because": None, "exercise": True,
        "revision": 3, "other": None, "domain": "sea", "cell": None, "marking": "TLP:AMBER",
        "measured": {"speed_kn": 0.58}, "thresholds": {"speed_max_kn": 5.0},
    }  # fmt: skip
    rows = drift_evidence(START_US, 54.98, 14.2)
    return [
        {**base, "key": "f1", "found_us": START_US + 1_800_000_000, "detector": "drift",
         "craft": "mmsi:212123000", "state": "open",
         "lat": rows[-1]["lat"], "lon": rows[-1]["lon"], "evidence": rows, "signed": own and own["jti"]},
        {**base, "key": "f2", "found_us": START_US + 5_400_000_000, "detector": "silence",
         "craft": "mmsi:211002114", "state": "open",
         "lat": 55.9, "lon": 16.9, "evidence": [], "signed": None},
        {**base, "key": "f3", "found_us": START_US + 9_000_000_000, "detector": "encounter-air",
         "craft": "icao:4601aa", "other": "icao:46a3b1", "domain": "air", "state": "open",
         "lat": 57.3, "lon": 18.2, "evidence": pair_evidence(START_US + 8_000_000_000), "signed": None},
        {**base, "key": "f4", "found_us": START_US + 10_000_000_000, "detector": "interference",
         "craft": None, "cell": "841f181ffffffff", "domain": "air", "state": "open",
         "lat": 55.0, "lon": 19.0, "evidence": cell_evidence(START_US + 9_900_000_000), "signed": None},
    ]  # fmt: skip


ZONES: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "cable-b", "title": _both("Cable B", "Kabel B")},
            "geometry": {"type": "Polygon", "coordinates": [
                [[14.6, 54.85], [15.9, 55.0], [15.9, 55.15], [14.6, 55.0], [14.6, 54.85]]]},
        },
        {
            "type": "Feature",
            "properties": {"name": "nord-cable", "title": _both("North cable", "Nordkabeln")},
            "geometry": {"type": "Polygon", "coordinates": [
                [[19.3, 58.3], [20.6, 58.5], [20.5, 58.9], [19.2, 58.7], [19.3, 58.3]]]},
        },
    ],
}  # fmt: skip


def reach(form: dict[str, Any]) -> list[dict[str, Any]]:
    """Whom a draft would reach: fi an area and an hour unless it is strict, no nothing."""
    strict = form["marking"] in ("TLP:AMBER+STRICT", "TLP:RED")
    fi: dict[str, Any] = {"reader": "fi", "organisation": "Finnish Border Centre"}
    no = {"reader": "no", "organisation": "Norwegian Coast Radio", "released": False}
    no |= _both("Not released to no: no rule.", "Lämnas inte till no: ingen regel.")
    if strict:
        told = _both("Not released to fi: its marking.", "Lämnas inte till fi: märkningen.")
        return [fi | {"released": False} | told, no]
    told = _both("Released to fi by sea-fi.", "Lämnas till fi enligt sea-fi.")
    cut = {"place": "area", "time": "hour", "left_out": ["author"], "from_us": None}
    return [fi | {"released": True} | cut | told, no]
