from typing import Any

FORM: int

def read(
    span: int,
    at: int,
    near_us: int,
    chain: bool,
    rows: int,
    room: int,
    given: tuple[Any, ...],
    plan: tuple[Any, ...],
    made: tuple[Any, ...],
    /,
) -> tuple[int, int, int, int, int, int]:
    """Blocks from byte `at` of a span on, until one must be left to the other reader or all are read.

    given: data; begin, end and time near them of each span. plan: shapes, profiles, what is done with
    each category; sites by source, sites. made: arrays with `room` rows, refusals, records by category.
    chain: the next block is near the last row, not near its span's time.

    The span and byte where it stopped (all spans: none is left), rows and refusals made, targets of
    radars whose place is known to be unknown, and the time that the next block is near. Raises
    `ValueError` for arrays too short or of another kind, and for spans that are not in `data`."""

def run(data: Any, at: int, known: Any, /) -> int:
    """Where the whole blocks of `known` categories that follow each other from `at` on end."""
