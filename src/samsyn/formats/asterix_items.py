"""What lies where in an ASTERIX record: the user application profiles of the categories that are read.

From EUROCONTROL-SPEC-0149: part 4 (CAT048), 12 (CAT021, edition 2.1 and later), 9 (CAT062), 2b
(CAT034), 10 (CAT063), 15 (CAT065). A record begins with its FSPEC, a bit for each item in this order;
how long an item is, its shape says. Another library finds the same items in the same bytes (tests).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Fixed(NamedTuple):
    """So many bytes."""

    size: int


class Extended(NamedTuple):
    """Parts of so many bytes; another follows while the last bit of one is set."""

    size: int


class Repeated(NamedTuple):
    """A count in one byte, then so many times so many bytes."""

    size: int


class Compound(NamedTuple):
    """Bits for the parts that are there, as in an FSPEC, then these; None where no part is defined."""

    parts: tuple[tuple[str, Shape] | None, ...]


class Explicit(NamedTuple):
    """A length in one byte, itself included."""


Shape = Fixed | Extended | Repeated | Compound | Explicit
Profile = tuple[tuple[str, Shape] | None, ...]

_ONE: Final = Fixed(1)


def _parts(*named: tuple[str, int] | None) -> Compound:
    return Compound(tuple(p and (p[0], Fixed(p[1])) for p in named))


def _ages(count: int) -> Compound:
    return Compound(tuple((str(i), _ONE) for i in range(1, count + 1)))


def _profile(text: str, shapes: dict[str, Shape]) -> Profile:
    """A profile from words: `010:2` is an item of two bytes, `-` no item, `130` one in `shapes`."""
    items: list[tuple[str, Shape] | None] = []
    for word in text.split():
        name, _, size = word.partition(":")
        items.append(None if name == "-" else (name, Fixed(int(size)) if size else shapes[name]))
    return tuple(items)


_PURPOSE: Final[dict[str, Shape]] = {"RE": Explicit(), "SP": Explicit()}

CAT021: Final = _profile(
    "010:2 040 161:2 015:1 071:3 130:6 131:8 072:3 150:2 151:2 080:3 073:3 074:4 075:3 076:4 140:2 090 "
    "210:1 070:2 230:2 145:2 152:2 200:1 155:2 157:2 160:4 165:2 077:3 170:6 020:1 220 146:2 148:2 110 "
    "016:1 008:1 271 132:1 250 260:7 400:1 295 - - - - - RE SP",
    {
        "040": Extended(1),
        "090": Extended(1),
        "220": _parts(("WS", 2), ("WD", 2), ("TMP", 2), ("TRB", 1)),
        "110": Compound((("TIS", Extended(1)), ("TID", Repeated(15)))),
        "271": Extended(1),
        "250": Repeated(8),
        "295": _ages(23),
        **_PURPOSE,
    },
)
CAT034: Final = _profile(
    "010:2 000:1 030:3 020:1 041:2 050 060 070 100:8 110:1 120:8 090:2 RE SP",
    {
        "050": _parts(("COM", 1), None, None, ("PSR", 1), ("SSR", 1), ("MDS", 2)),
        "060": _parts(("COM", 1), None, None, ("PSR", 1), ("SSR", 1), ("MDS", 1)),
        "070": Repeated(2),
        **_PURPOSE,
    },
)
CAT048: Final = _profile(
    "010:2 140:3 020 040:4 070:2 090:2 130 220:3 240:6 250 161:2 042:4 200:4 170 210:4 030 080:2 100:4 "
    "110:2 120 230:2 260:7 055:1 050:2 065:1 060:2 SP RE",
    {
        "020": Extended(1),
        "130": _ages(7),
        "250": Repeated(8),
        "170": Extended(1),
        "030": Extended(1),
        "120": Compound((("CAL", Fixed(2)), ("RDS", Repeated(6)))),
        **_PURPOSE,
    },
)
CAT062: Final = _profile(
    "010:2 - 015:1 070:3 105:8 100:6 185:4 210:2 060:2 245:7 380 040:2 080 290 200:1 295 136:2 130:2 "
    "135:2 220:2 390 270 300:1 110 120:2 510 500 340 - - - - - RE SP",
    {
        "380": Compound((
            ("ADR", Fixed(3)), ("ID", Fixed(6)), ("MHG", Fixed(2)), ("IAS", Fixed(2)),
            ("TAS", Fixed(2)), ("SAL", Fixed(2)), ("FSS", Fixed(2)), ("TIS", Extended(1)),
            ("TID", Repeated(15)), ("COM", Fixed(2)), ("SAB", Fixed(2)), ("ACS", Fixed(7)),
            ("BVR", Fixed(2)), ("GVR", Fixed(2)), ("RAN", Fixed(2)), ("TAR", Fixed(2)),
            ("TAN", Fixed(2)), ("GSP", Fixed(2)), ("VUN", _ONE), ("MET", Fixed(8)), ("EMC", _ONE),
            ("POS", Fixed(6)), ("GAL", Fixed(2)), ("PUN", _ONE), ("MB", Repeated(8)),
            ("IAR", Fixed(2)), ("MAC", Fixed(2)), ("BPS", Fixed(2)),
        )),
        "080": Extended(1),
        "290": _parts(
            ("TRK", 1), ("PSR", 1), ("SSR", 1), ("MDS", 1), ("ADS", 2), ("ES", 1), ("VDL", 1),
            ("UAT", 1), ("LOP", 1), ("MLT", 1),
        ),
        "295": _ages(31),
        "390": Compound((
            ("TAG", Fixed(2)), ("CSN", Fixed(7)), ("IFI", Fixed(4)), ("FCT", _ONE), ("TAC", Fixed(4)),
            ("WTC", _ONE), ("DEP", Fixed(4)), ("DST", Fixed(4)), ("RDS", Fixed(3)), ("CFL", Fixed(2)),
            ("CTL", Fixed(2)), ("TOD", Repeated(4)), ("AST", Fixed(6)), ("STS", _ONE),
            ("STD", Fixed(7)), ("STA", Fixed(7)), ("PEM", Fixed(2)), ("PEC", Fixed(7)),
        )),
        "270": Extended(1),
        "110": _parts(
            ("SUM", 1), ("PMN", 4), ("POS", 6), ("GA", 2), ("EM1", 2), ("TOS", 1), ("XP", 1)
        ),
        "510": Extended(3),
        "500": _parts(
            ("APC", 4), ("COV", 2), ("APW", 4), ("AGA", 1), ("ABA", 1), ("ATV", 2), ("AA", 2), ("ARC", 1)
        ),
        "340": _parts(("SID", 2), ("POS", 4), ("HEI", 2), ("MDC", 2), ("MDA", 2), ("TYP", 1)),
        **_PURPOSE,
    },
)  # fmt: skip
CAT063: Final = _profile(
    "010:2 015:1 030:3 050:2 060 070:2 080:4 081:2 090:4 091:2 092:2 - RE SP",
    {"060": Extended(1), **_PURPOSE},
)
CAT065: Final = _profile("010:2 000:1 015:1 030:3 020:1 040:1 050:1 - - - - - RE SP", _PURPOSE)

PROFILES: Final[dict[int, Profile]] = {
    21: CAT021, 34: CAT034, 48: CAT048, 62: CAT062, 63: CAT063, 65: CAT065,
}  # fmt: skip
# Categories that are known and left: about no one aircraft, or better told elsewhere.
LEFT: Final = {
    1: "radar target reports, old form", 2: "radar service messages, old form",
    4: "safety net messages", 8: "weather", 9: "weather, composite", 10: "surface movement",
    11: "surface movement, system tracks", 15: "independent non-cooperative targets",
    16: "their configuration", 17: "Mode S coordination", 18: "Mode S datalink",
    19: "multilateration status", 20: "multilateration", 23: "ADS-B ground station status",
    24: "validation", 25: "ground system status",
    30: "tracks, national", 31: "tracks, national", 32: "miniplan", 129: "drones", 150: "military",
    205: "radio direction finder", 240: "radar video", 247: "version numbers",
    252: "session control", 253: "monitoring",
}  # fmt: skip


class Cut(Exception):
    """An item that goes beyond the end of its block."""


class Undefined(Exception):
    """A bit is set for an item that its category does not have, so nobody knows how long it is."""


def read_record(profile: Profile, block: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """The items of the record at `at`, raw, and where the next one begins.

    Parts of compound items are named `380.ADR`; the length byte of `RE` and `SP` is kept. Raises `Cut`
    or `Undefined`.
    """
    items: dict[str, bytes] = {}
    present, at = _present(profile, block, at)
    for name, shape in present:
        at = _read(name, shape, block, at, items)
    return items, at


def _present(profile: Profile, block: bytes, at: int) -> tuple[list[tuple[str, Shape]], int]:
    found = []
    frn = 0
    more = True
    while more:
        if at >= len(block):
            raise Cut
        octet = block[at]
        at += 1
        for bit in range(7):
            if octet << bit & 0x80:
                item = profile[frn + bit] if frn + bit < len(profile) else None
                if item is None:
                    raise Undefined(f"item {frn + bit + 1}")
                found.append(item)
        frn += 7
        more = bool(octet & 1)
    return found, at


def _read(name: str, shape: Shape, block: bytes, at: int, items: dict[str, bytes]) -> int:
    """Puts one item into `items`; where the next one begins."""
    start = at
    if isinstance(shape, Fixed):
        at += shape.size
    elif isinstance(shape, Compound):
        present, at = _present(shape.parts, block, at)
        items[name] = block[start:at]
        for part, inner in present:
            at = _read(f"{name}.{part}", inner, block, at, items)
        return at
    elif isinstance(shape, Extended):
        at += shape.size
        while at <= len(block) and block[at - 1] & 1:
            at += shape.size
    else:
        if at >= len(block):
            raise Cut
        at += max(block[at], 1) if isinstance(shape, Explicit) else 1 + block[at] * shape.size
    if at > len(block):
        raise Cut
    items[name] = block[start:at]
    return at
