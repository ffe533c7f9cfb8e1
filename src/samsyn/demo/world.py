"""The demo's world: who takes part, what each hears, and what each lets the others have."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from samsyn.base.clock import iso
from samsyn.base.settings import Home, to_toml_value
from samsyn.desk.accounts import add_account
from samsyn.exchange.roster import Roster
from samsyn.node.homes import make_home, own_card

USER = "duty"
AUTHOR = "Watch team 7, desk Kastellet"  # a value that must never reach a reader without it


class Place(NamedTuple):
    """One node of the demo."""

    name: str
    organisation: str
    home: Home
    home_port: int
    exchange_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.home_port}"


NAMES = {
    "dk": "Exercise Coast Watch DK",
    "se": "Exercise Sea Centre SE",
    "fi": "Exercise Border Centre FI",
}
STRANGER = "no"  # a partner whose card is known and whom no rule names

SCENARIOS = Path(str(resources.files("samsyn.feeds.simulated"))) / "scenarios"
EXTRACTS = ("bornholm", "fyn")  # real flights that the project carries

# Recordings of the data folder: node, name, kind, file, begin after the exercise's start.
RECORDINGS = (
    ("dk", "sound-and-belts", "ais_nmea", "sea/dma_aisabnormal_ais-sample.txt.gz", "0s"),
    ("dk", "west-of-bornholm", "ais_nmea", "sea/dma_212123000_drift_1.ais", "0s"),
    ("dk", "bornholm-flight", "opensky", "air/traffic_calibration_bornholm.json.gz", "10m"),
    ("dk", "fyn-survey", "opensky", "air/traffic_survey_fyn.json.gz", "30m"),
    ("se", "kiruna-flight", "opensky", "air/traffic_calibration_kiruna.json.gz", "5m"),
)
RECORDED_HOURS = 14.6  # from the first row of the longest recording to its last
SIMULATED_HOURS = 5.0  # dk's drifting ship is under way again after three and a half

POLICY = {
    "dk": """\
[[rule]]
id = "all-to-se"
why = "Exercise agreement on sea surveillance, annex A: everything"
to = ["se"]
kinds = ["alert", "report"]
place = "exact"
time = "exact"

[[rule]]
id = "coarse-to-fi"
why = "Exercise agreement on sea surveillance, annex B: area and hour"
to = ["fi"]
kinds = ["alert", "report"]
place = "area"
time = "hour"
hide = ["author", "sources", "text", "body.observer"]

[[rule]]
id = "live-to-se"
why = "Exercise agreement on sea surveillance, annex A: everything"
to = ["se"]
kinds = ["track"]
place = "exact"

[[rule]]
id = "live-coarse-to-fi"
why = "Exercise agreement on sea surveillance, annex B: where there are ships, not which"
to = ["fi"]
kinds = ["track"]
when = { subject = "sea" }
place = "spot"
hide = ["craft", "callsign", "name"]
""",
    "se": """\
[circles]
south = ["dk"]

[[rule]]
id = "alerts-south"
why = "Exercise agreement, annex C: spot and hour"
to = ["circle:south"]
kinds = ["alert", "report"]
place = "spot"
time = "hour"
hide = ["author"]

[[rule]]
id = "sea-to-fi"
why = "Exercise agreement, annex D: sea only, everything"
to = ["fi"]
kinds = ["alert"]
when = { subject = "sea" }
place = "exact"
time = "exact"
""",
    "fi": """\
[[rule]]
id = "alerts-to-all"
why = "Exercise agreement, annex E: area and hour"
to = ["dk", "se"]
kinds = ["alert", "report"]
place = "area"
time = "hour"
""",
}

ORDER = """\
[[standing_order]]
id = "all-at-once"
why = "Exercise order 1: what the watch finds is told at once"
detectors = ["drift", "zone-entry", "silence", "emergency"]
marking = "TLP:AMBER"
unit = "{unit}"
"""

ZONES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {
                "name": "bornholm-low",
                "title": {"en": "Bornholm, low level", "sv": "Bornholm, låg höjd"},
                "floor_ft": 0,
                "ceiling_ft": 12000,
                "domains": ["air"],
            },
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[14.55, 54.9], [15.3, 54.9], [15.3, 55.4], [14.55, 55.4], [14.55, 54.9]]
                ],
            },
        }
    ],
}


def feed_toml(name: str, kind: str, source: str, begin: str) -> str:
    values = {"name": name, "kind": kind, "source": source, "begin": begin}
    return "[[feed]]\n" + "".join(f"{k} = {to_toml_value(v)}\n" for k, v in values.items())


def feeds_of(node: str, data: Path | None) -> list[str]:
    """What `node` hears: simulated traffic always, and recordings: those in `data` or those carried."""
    scenario = SCENARIOS / f"baltic-morning-{node}.toml"
    made = [feed_toml("simulated", "simulated", f"file:{scenario}", "0s")]
    if data is not None:
        made += [
            feed_toml(name, kind, f"file:{(data / file).resolve()}", begin)
            for who, name, kind, file, begin in RECORDINGS
            if who == node and (data / file).is_file()
        ]
    elif node == "dk":
        made += [feed_toml(f"{name}-flight", "columns", f"extract:{name}", "20m") for name in EXTRACTS]
    return made


def free_ports(count: int, near: int) -> list[int]:
    """Ports on loopback that can be bound now, from `near` upwards."""
    found: list[int] = []
    for port in range(near, near + 500):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            break
    return found


def build(
    root: Path,
    *,
    data: Path | None,
    port: int,
    start_us: int,
    began_us: int,
    speed: float,
    password: str,
) -> dict[str, Place]:
    """Make the homes, swap the cards, write rules and accounts. Returns the nodes by name."""
    ports = free_ports(2 * len(NAMES) + 1, port)
    exercise = (
        f"start = {to_toml_value(iso(start_us))}\n"
        f"began = {to_toml_value(iso(began_us))}\n"
        f"speed = {speed}\n"
    )
    places: dict[str, Place] = {}
    for i, (name, organisation) in enumerate(NAMES.items()):
        home = make_home(
            root / name,
            name=name,
            organisation=organisation,
            realm="exercise",
            home_listen=f"127.0.0.1:{ports[2 * i]}",
            exchange_listen=f"127.0.0.1:{ports[2 * i + 1]}",
            exercise=exercise,
            feeds=feeds_of(name, data),
            orders=[ORDER.format(unit=AUTHOR if name == "dk" else f"Watch team {name}")],
            policy=POLICY[name],
            zones=json.dumps(ZONES),
        )
        # who sees and does everything in the demo; an organisation has several people for it
        add_account(home.accounts, USER, "Duty officer", "release", password, "TLP:RED")
        places[name] = Place(name, organisation, home, ports[2 * i], ports[2 * i + 1])
    stranger = make_home(
        root / STRANGER,
        name=STRANGER,
        organisation="A partner without a rule",
        realm="exercise",
        exchange_listen=f"127.0.0.1:{ports[-1]}",
        exercise=exercise,
    )
    homes = [*(p.home for p in places.values()), stranger]
    swap_cards(homes)
    return places


def swap_cards(homes: Iterable[Home]) -> None:
    """Every home gets the card of every other, as if the words had been compared."""
    cards = [own_card(home) for home in homes]
    for home in homes:
        me = home.settings().node.name
        for card in cards:
            if card.name != me:
                Roster(home.partners, me).add(card)
