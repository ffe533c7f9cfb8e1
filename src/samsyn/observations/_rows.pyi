from typing import Any

FORM: int

def find(keys: Any, table: Any, wanted: Any, slots: Any, seed: int, count: int) -> None:
    """Slot of each of `wanted` into `slots`, -1 where it has none."""

def add(keys: Any, table: Any, wanted: Any, slots: Any, seed: int, count: int, limit: int) -> int:
    """The same, new keys put in while there are fewer than `limit`; how many there are then."""

def rebuild(keys: Any, table: Any, seed: int, count: int) -> None:
    """Puts the first `count` keys into `table`, whatever was in it."""

def plain(stream: object, places: Any, absent: Any, arrays: tuple[Any, ...]) -> int:
    """Columns of an Arrow C stream into arrays; how many rows. Raises `ValueError` for another type."""

def mark(
    state: Any,
    rules: Any,
    slots: Any,
    craft: Any,
    time_us: Any,
    lat: Any,
    lon: Any,
    speed_kn: Any,
    altitude_ft: Any,
    marks: Any,
    /,
) -> None:
    """Sets `marks` of rows and takes them into `state`. Raises `ValueError` for a slot beyond it."""
