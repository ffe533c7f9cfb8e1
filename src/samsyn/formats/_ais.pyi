from typing import Any

FORM: int
STATE_BYTES: int

def read(
    lines: int,
    last_us: int,
    last_source: int,
    line_bytes: int,
    room: int,
    given: tuple[Any, ...],
    made: tuple[Any, ...],
) -> tuple[int, int, int, int, int, int, int]:
    """One piece of input; `given`: data, state, plan; `made`: arrays with `room` for its lines.

    Rows, texts and refusals made; then the number of lines read so far, the last time said, its source,
    and whether this piece said one. Raises `ValueError` for arrays too short or of another kind."""

def close(state: Any) -> list[int]:
    """Forgets the open messages; the line at which each was last heard, oldest first."""
