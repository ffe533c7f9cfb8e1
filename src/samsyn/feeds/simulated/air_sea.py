"""Simulated craft to what a receiver writes: AIS sentences with tag blocks, readsb's aircraft.json."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor
from random import Random
from typing import Any, Final

from pyais.encode import encode_dict

from samsyn.base.clock import SECOND_US
from samsyn.base.encoding import to_json
from samsyn.feeds.simulated.scenario import Area, Scenario
from samsyn.feeds.simulated.ways import (
    AT_ANCHOR,
    MOORED,
    Scripted,
    State,
    Way,
    flights,
    ground_ways,
    lane_ways,
)

CHUNK_S: Final = 60  # what is written together
DOCUMENT_S: Final = 30  # how often the receiver's document is read
SAYS_S: Final = 60  # a ship under way says where she is this often: what is received, not what is sent
SAYS_STILL_S: Final = 180
SAYS_NAME_S: Final = 1800

MMSI_BASE: Final = 300_000_000  # country code 300 belongs to no state (ITU table of MIDs)
ICAO_BASE: Final = 0xF0_0000  # a block that ICAO keeps for itself: no state's
FISHING_TYPE: Final = 30

_ARMOUR: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bytes([*range(48, 88), *range(96, 120)]),
)

_FIRST: Final = ("ALVA", "BRIM", "DAGG", "ELDA", "FJALL", "GRYN", "HASSEL", "ISLA", "KLINT", "LUMI")
_LAST: Final = ("BRIS", "DROTT", "FALK", "HOLM", "KOBBE", "LYKTA", "MAST", "SKATA", "TARNA", "VIK")


@dataclass
class _Craft:
    number: int
    way: Way
    name: str
    type: int = 0
    air: bool = False


class Traffic:
    """All craft of a scenario, heard in one area. The same seed gives the same traffic."""

    def __init__(self, scenario: Scenario, area: Area) -> None:
        self._frame = scenario.scenario
        self._start_s = self._frame.start_us() // SECOND_US
        self._area = area
        craft = list(_fleet(scenario))
        self._ships = [c for c in craft if not c.air]
        self._aircraft = [c for c in craft if c.air]
        rng = Random(f"{self._frame.seed}/beat")  # noqa: S311  traffic of an exercise, no secret
        self._beat_s = {c.number: rng.randrange(SAYS_STILL_S) for c in self._ships}

    def chunks(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """For each `CHUNK_S` of the scenario the AIS lines, and the documents of aircraft."""
        end_s = int(self._frame.minutes * 60)
        for begins_s in range(0, end_s, CHUNK_S):
            until_s = min(begins_s + CHUNK_S, end_s)
            documents = [self._document(at_s) for at_s in range(begins_s, until_s, DOCUMENT_S)]
            yield self._lines(begins_s, until_s), [d for d in documents if d]

    def _heard(self, state: State | None) -> bool:
        west, south, east, north = self._area
        return state is not None and west <= state.lon <= east and south <= state.lat <= north

    def _lines(self, begins_s: int, until_s: int) -> bytes:
        said: list[tuple[int, str]] = []
        for ship in self._ships:
            first_s = begins_s + (self._beat_s[ship.number] - begins_s) % SAYS_S
            for at_s in range(first_s, until_s, SAYS_S):
                beat_s = at_s - self._beat_s[ship.number]
                state = ship.way.at(at_s / 60)
                if state is None or not self._heard(state):
                    continue
                still = state.status in (AT_ANCHOR, MOORED)
                if not still or beat_s % SAYS_STILL_S == 0:
                    said.append((at_s, _position(ship.number, state)))
                if beat_s % SAYS_NAME_S == 0:
                    said += [(at_s, line) for line in _static(ship)]
        said.sort(key=lambda one: one[0])
        return "".join(self._tagged(at_s, line) for at_s, line in said).encode("ascii")

    def _tagged(self, at_s: int, sentence: str) -> str:
        """With a tag block (NMEA 0183 version 4): station and UNIX time."""
        tag = f"s:SIM,c:{self._start_s + at_s}"
        return f"\\{tag}*{_checksum(tag)}\\{sentence}\n"

    def _document(self, at_s: int) -> bytes:
        aircraft: list[dict[str, Any]] = []
        for plane in self._aircraft:
            state = plane.way.at(at_s / 60)
            if state is not None and self._heard(state):
                aircraft.append(_readsb(plane, state))
        return to_json({"now": self._start_s + at_s, "aircraft": aircraft}) if aircraft else b""


def _fleet(scenario: Scenario) -> Iterator[_Craft]:
    seed = scenario.scenario.seed
    ships = aircraft = 0
    for lane in scenario.lane:
        for way in lane_ways(lane, Random(f"{seed}/{lane.name}")):  # noqa: S311  no secret
            ships += 1
            yield _Craft(MMSI_BASE + ships, way, _name(ships), lane.type)
    for ground in scenario.ground:
        for still in ground_ways(ground, Random(f"{seed}/{ground.name}")):  # noqa: S311  no secret
            ships += 1
            kind = FISHING_TYPE if ground.doing == "fishing" else 70
            yield _Craft(MMSI_BASE + ships, still, _name(ships), kind)
    for air in scenario.air:
        rng = Random(f"{seed}/{air.name}")  # noqa: S311  no secret
        for flight in flights(air, scenario.scenario.minutes, rng):
            aircraft += 1
            yield _Craft(ICAO_BASE + aircraft, flight, f"SIM{aircraft:04d}", air=True)
    for craft in scenario.craft:
        number = craft.mmsi if craft.mmsi is not None else int(craft.icao or "", 16)
        yield _Craft(number, Scripted(craft), craft.name, craft.type, air=craft.mmsi is None)


def _name(number: int) -> str:
    """An invented name; SIM says at once that the ship is none."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
    return f"SIM {first} {last}"


def _position(mmsi: int, state: State) -> str:
    """A position report, message type 1 (ITU-R M.1371, table 48), as one sentence.

    pyais writes the same five times slower; a test holds the two equal.
    """
    bits = 0
    for value, width in (
        (1, 6),
        (0, 2),  # not repeated
        (mmsi, 30),
        (state.status, 4),
        (128, 8),  # rate of turn not available
        (min(round(state.speed_kn * 10), 1022), 10),
        (1, 1),  # accurate
        (round(state.lon * 600_000), 28),
        (round(state.lat * 600_000), 27),
        (round(state.course_deg * 10) % 3600, 12),
        (round(state.heading_deg) % 360, 9),
        (60, 6),  # second not available: the tag block has the time
        (0, 2 + 3 + 1 + 19),  # manoeuvre, spare, RAIM, radio
    ):
        bits = bits << width | value & (1 << width) - 1
    # six bits a character, as in base64 but with other letters
    payload = b64encode(bits.to_bytes(21, "big")).translate(_ARMOUR).decode()
    sentence = f"AIVDM,1,1,,A,{payload},0"
    return f"!{sentence}*{_checksum(sentence)}"


def _static(ship: _Craft) -> list[str]:
    message: dict[str, Any] = {
        "type": 5,
        "mmsi": ship.number,
        "shipname": ship.name,
        "ship_type": ship.type,
    }
    found: list[str] = encode_dict(message, talker_id="AI", sentence_type="VDM")
    return found


def _checksum(text: str) -> str:
    return f"{reduce(xor, text.encode('ascii')):02X}"


def _readsb(plane: _Craft, state: State) -> dict[str, Any]:
    said = {
        "hex": f"{plane.number:06x}",
        "flight": plane.name,
        "alt_baro": round(state.altitude_ft),
        "gs": round(state.speed_kn, 1),
        "track": round(state.course_deg, 1),
        "lat": round(state.lat, 6),
        "lon": round(state.lon, 6),
        "seen": 0,
        "seen_pos": 0,
        "nic": 8,
        "nac_p": 9,
        "sil": 3,
    }
    return said if state.squawk is None else {**said, "squawk": f"{state.squawk:04d}"}
