"""What is taken along as a file: JSON lines or CSV, with its marking first."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import orjson

Form = Literal["jsonl", "csv"]
MEDIA: Final[Mapping[Form, str]] = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


class Exported(NamedTuple):
    """A file's name, media type and bytes."""

    name: str
    media: str
    data: bytes


def exported(
    name: str, form: Form, head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Exported:
    """`head`, with its marking, as the first line; then a line for each of the rows."""
    lines = orjson.dumps(head) + b"\n" + b"".join(orjson.dumps(row) + b"\n" for row in rows)
    return Exported(name, MEDIA[form], lines if form == "jsonl" else _csv(head, rows))


def _csv(head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["#", *(f"{name}: {_cell(value)}" for name, value in head.items())])
    columns = list(rows[0]) if rows else []
    writer.writerow(["marking", *columns] if "marking" not in columns else columns)
    for row in rows:
        # each line keeps its own marking, or the file's: lines are copied out of files
        own = [] if "marking" in columns else [head["marking"]]
        writer.writerow([*own, *(_cell(row[column]) for column in columns)])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode() if value is not None else ""
    return f"'{text}" if text.startswith(_FORMULA) else text
