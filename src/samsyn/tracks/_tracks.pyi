from typing import Any

FORM: int

def newest(time_us: Any, slots: Any, held_us: Any, rows: Any, /) -> tuple[int, bool]:
    """Rows no older than what is held of their craft into `rows`, and `held_us` brought up to them: how
    many, and whether one of them is older than one of its craft before it."""

def put(
    rows: Any,
    slots: Any,
    kinds: Any,
    absent: Any,
    room: int,
    into: tuple[Any, ...],
    values: tuple[Any, ...],
    /,
) -> None:
    """Of each column the values that are there. Raises `ValueError` for arrays that do not fit."""

def smooth(
    state: Any,
    models: Any,
    rows: Any,
    slots: Any,
    time_us: Any,
    lat: Any,
    lon: Any,
    variance: Any,
    north: Any,
    east: Any,
    model: Any,
    outcomes: Any,
    gate: float,
    /,
) -> None:
    """Takes rows into the state of their craft; what became of each. Raises `ValueError` like `put`."""

def place(
    rows: Any,
    slots: Any,
    time_us: Any,
    lat: Any,
    lon: Any,
    doubted: Any,
    position_us: Any,
    held_lat: Any,
    held_lon: Any,
    /,
) -> None:
    """Positions; a doubted one only where there was none. Raises `ValueError` like `put`."""
