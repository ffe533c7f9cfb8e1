from typing import Any

FORM: int
POSITIONS_BYTES: int

def facts(
    frames: Any,
    lengths: Any,
    status: Any,
    kind: Any,
    address: Any,
    floats: Any,
    codes: Any,
    squawk: Any,
    callsign: Any,
    cpr: Any,
    /,
) -> None:
    """What each frame says by itself, into the arrays from `status` on."""

def places(
    status: Any,
    address: Any,
    time_us: Any,
    cpr: Any,
    limits: Any,
    keys: Any,
    table: Any,
    positions: Any,
    near: Any,
    lat: Any,
    lon: Any,
    seed: int,
    count: int,
    most: int,
    /,
) -> int:
    """Positions of frames in order; how many addresses are proven then."""

def rebuild(keys: Any, table: Any, seed: int, count: int, /) -> None:
    """Puts the first `count` keys into `table`, whatever was in it."""

def lines(
    data: Any, most_us: int, kinds: Any, ends: Any, time_us: Any, frames: Any, lengths: Any, /
) -> int:
    """Lines of frames: kind, end, time or counter, and frame of each; how many there are."""

def beast(
    data: Any, begin: int, types: Any, begins: Any, ticks: Any, frames: Any, lengths: Any, /
) -> tuple[int, int]:
    """Frames one behind another in Beast's stream from `begin` on; how many, and where they end."""
