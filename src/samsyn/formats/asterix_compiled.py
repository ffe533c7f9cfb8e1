"""ASTERIX blocks to columns with compiled code (`_asterix.c`), many at a time.

Which item lies where is handed to it as a plan, made of the same profiles (`asterix_items`) that the
reader in Python goes by. A block in which anything is out of the ordinary comes back for that reader, in
its turn. Which of the two runs changes nothing but the time.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from samsyn.formats.asterix_columns import Row
from samsyn.formats.asterix_items import (
    LEFT,
    PROFILES,
    Compound,
    Explicit,
    Extended,
    Fixed,
    Profile,
    Repeated,
)
from samsyn.formats.decoded import Decoded
from samsyn.formats.radar import Site

_FORM: Final = 2  # of what `_asterix` takes and gives
built: ModuleType | None
try:
    from samsyn.formats import _asterix

    built = _asterix if getattr(_asterix, "FORM", 0) == _FORM else None  # else built from older sources
except ImportError:  # built without a C compiler
    built = None

Array = npt.NDArray[Any]

LEAST_ROW_BYTES: Final = 8  # of a record that makes a row: two bytes of FSPEC, a time, and who
NEAR_US_MAX: Final = 1 << 60
ABSENT: Final = 255
NO_SQUAWK: Final = 65_535
NO_SITE, TOLD = -1, -2  # of a radar; TOLD: that its place is not known has been said
# In the order of `_asterix.c`.
FLOATS: Final = (
    "lat", "lon", "altitude_ft", "speed_kn", "course_deg", "heading_deg", "vertical_rate_fpm",
)  # fmt: skip
CODES: Final = ("on_ground", "emergency", "nic", "nac_p", "sil")
_REASONS: Final = ("not-real", "extrapolated", "address-not-icao", "no-craft")
_NO_CRAFT: Final = 3
_KIND: Final = {21: "040", 48: "020", 62: "080"}  # the item that a refusal shows
# Where items go, in the order of `_asterix.c`: the source, up to five times, then what a category has.
_TIMES: Final = 5
_TARGETS: Final = {
    21: ("040", "131", "130", "080", "145", "140", "155", "157", "160", "152", "070", "200", "090",
         "210", "170"),
    34: ("120",),
    48: ("020", "040", "070", "090", "220", "240", "200", "230", "161"),
    62: ("080", "105", "185", "380.ADR", "380.ID", "380.GSP", "380.TAN", "380.MHG", "136", "135", "130",
         "220", "380.BVR", "380.GVR", "060", "380.COM", "380.SAB", "245", "040"),
}  # fmt: skip
_NONE, _FIXED, _EXTENDED, _REPEATED, _COMPOUND, _EXPLICIT = range(6)
_UNKNOWN, _READ, _LEFT = range(3)


class Plan(NamedTuple):
    """The profiles as numbers."""

    shapes: Array
    profiles: Array
    kinds: Array


def make_plan(times: dict[int, tuple[str, ...]]) -> Plan:
    """times: of a category the items of which the first that is there is the time of a row."""
    shapes: list[list[int]] = []
    profiles, kinds = np.zeros((256, 2), np.int64), np.zeros(256, np.int64)
    kinds[list(LEFT)] = _LEFT
    for category, profile in PROFILES.items():
        own = _TARGETS.get(category, ())
        targets = {"010": 0, **{name: 1 + i for i, name in enumerate(times.get(category, ()))}}
        targets |= {name: 1 + _TIMES + i for i, name in enumerate(own)}
        parts = {
            item[0]: _lay(item[1].parts, f"{item[0]}.", targets, {}, shapes)
            for item in profile
            if item and isinstance(item[1], Compound)
        }
        profiles[category] = _lay(profile, "", targets, parts, shapes)
        kinds[category] = _READ
    return Plan(np.array(shapes, np.int64), profiles, kinds)


def _lay(
    profile: Profile,
    prefix: str,
    targets: dict[str, int],
    parts: dict[str, tuple[int, int]],
    shapes: list[list[int]],
) -> tuple[int, int]:
    """Appends the items of a profile to `shapes`; the first and how many. parts: of compound items."""
    first = len(shapes)
    for item in profile:
        if item is None:
            shapes.append([_NONE, 0, 0, 0, -1])
            continue
        name, shape = item
        target, inner = targets.get(prefix + name, -1), parts.get(name, (0, 0))
        match shape:
            case Fixed(size):
                shapes.append([_FIXED, size, 0, 0, target])
            case Extended(size):
                shapes.append([_EXTENDED, size, 0, 0, target])
            case Repeated(size):
                shapes.append([_REPEATED, size, 0, 0, target])
            case Explicit():
                shapes.append([_EXPLICIT, 1, 0, 0, target])
            case Compound():
                shapes.append([_COMPOUND, 0, *inner, target])
    return first, len(profile)


class Rows:
    """Rows of one piece as arrays, with room for those of `data_bytes` of blocks."""

    def __init__(self, data_bytes: int) -> None:
        self.room = data_bytes // LEAST_ROW_BYTES + 1
        self.count = 0
        self.time_us, self.craft = np.empty((2, self.room), np.int64)
        self.floats = np.empty((len(FLOATS), self.room))
        self.codes = np.empty((len(CODES), self.room), np.uint8)
        self.squawk = np.empty(self.room, np.uint16)
        self.callsign = np.empty((self.room, 8), np.uint8)

    def __len__(self) -> int:
        return self.count

    def last_us(self) -> int:
        """The time of the last row."""
        return int(self.time_us[self.count - 1])

    def arrays(self) -> tuple[Array, ...]:
        """As `_asterix.c` wants them."""
        return self.time_us, self.craft, self.floats, self.codes, self.squawk, self.callsign

    def put(self, rows: list[Row]) -> None:
        """Rows of the other reader, behind those that are there."""
        for row in rows:
            i = self.count
            self.count += 1
            self.time_us[i], self.craft[i] = row["time_us"], row["craft"]
            for k, name in enumerate(FLOATS):
                value = row.get(name)
                self.floats[k, i] = np.nan if value is None else value
            for k, name in enumerate(CODES):
                value = row.get(name)
                self.codes[k, i] = ABSENT if value is None else value
            self.squawk[i] = row.get("squawk", NO_SQUAWK)
            text = row.get("callsign", "").encode("ascii")
            self.callsign[i] = np.frombuffer(text.ljust(8, b"\0"), np.uint8)

    def columns(self) -> dict[str, Any]:
        """As the schema has them."""
        n = self.count
        made: dict[str, Any] = {"time_us": self.time_us[:n], "craft": self.craft[:n]}
        made |= {name: self.floats[k, :n] for k, name in enumerate(FLOATS)}
        for k, name in enumerate(CODES):
            values = self.codes[k, :n]
            held = values == 1 if name == "on_ground" else values
            made[name] = np.ma.MaskedArray(held, values == ABSENT)
        made["squawk"] = np.ma.MaskedArray(self.squawk[:n], self.squawk[:n] == NO_SQUAWK)
        texts = self.callsign[:n].view("S8").ravel().tolist()
        made["callsign"] = [text.decode("ascii") or None for text in texts]
        return made


class Sites:
    """Where radars stand, by the two bytes of their source."""

    def __init__(self) -> None:
        self._of = np.full(1 << 16, NO_SITE, np.int16)
        self._places: list[Site] = []

    def put(self, source: str, site: Site) -> None:
        """source: "SAC/SIC"; none that no two bytes can say."""
        number = _two_bytes(source)
        if number is not None and len(self._places) <= np.iinfo(np.int16).max:
            self._of[number] = len(self._places)
            self._places.append(site)

    def told(self, source: str) -> None:
        """That it is not known where one stands has been said."""
        number = _two_bytes(source)
        if number is not None:
            self._of[number] = TOLD

    def arrays(self) -> tuple[Array, Array]:
        """As `_asterix.c` wants them."""
        return self._of, np.array(self._places, np.float64).reshape(-1, 3)


def _two_bytes(source: str) -> int | None:
    area, _, code = source.partition("/")
    known = area.isdecimal() and code.isdecimal() and int(area) < 256 and int(code) < 256
    return int(area) << 8 | int(code) if known else None


def tell(refusals: Array, spans: tuple[Array, Array], data: bytes, out: Decoded) -> None:
    """Counts what was refused. spans: where each begins in `data`, and in the input."""
    begins, offsets = spans
    for reason, category, at, begin, size in refusals.tolist():
        span = int(np.searchsorted(begins, at, side="right")) - 1
        shown = data[begin : begin + size].hex()
        if reason == _NO_CRAFT:
            detail = f"address {shown}" if size else "without an aircraft's address"
        else:
            detail = f"{_KIND[category]}={shown}"
        offset = int(offsets[span]) + at - int(begins[span])
        out.refuse(_REASONS[reason], offset=offset, detail=f"CAT{category:03d} {detail}")


def count(counts: Array, out: Decoded) -> None:
    """Takes over how many records of each category were read, or blocks of those that are left."""
    for category in np.flatnonzero(counts).tolist():
        name = f"CAT{category:03d}" if category in PROFILES else f"CAT{category:03d} blocks"
        out.types[name] += int(counts[category])
        out.messages += int(counts[category])
