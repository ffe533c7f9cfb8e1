"""The table of columns and how batches are made by it."""

from __future__ import annotations

import numpy as np
import pytest

from samsyn.observations.craft import craft_from_text, craft_key, craft_text
from samsyn.observations.schema import COLUMNS, SCHEMA, empty_batch, make_batch

GIVEN = {"feed": "f", "originator": "dk", "exercise": False}


def test_absent_is_null_however_it_is_said():
    batch = make_batch(
        {
            "time_us": [1, 2],
            "craft": np.array([3, 4]),
            "time_source": [0, 0],
            "lat": np.array([55.0, np.nan]),
            "nav_status": np.ma.masked_equal(np.array([1, 15], dtype=np.uint8), 15),
            "name": ["A", None],
        },
        **GIVEN,
    )
    assert batch.schema == SCHEMA
    assert batch.row(0, named=True)["lat"] == 55.0
    assert batch.select("lat", "nav_status", "name", "squawk").row(1) == (None, None, None, None)
    assert batch["marks"].to_list() == [0, 0]


@pytest.mark.parametrize(
    "columns",
    [
        {"time_us": [1], "craft": [1], "time_source": [0], "speed": [1.0]},
        {"time_us": [1], "craft": [1], "time_source": [0], "feed": ["x"]},
        {"time_us": [1], "craft": [1]},
        {"time_us": [1, 2], "craft": [1], "time_source": [0]},
        {"time_us": [None], "craft": [1], "time_source": [0]},
    ],
)
def test_what_is_no_batch(columns):
    with pytest.raises(ValueError, match=r"batch|length|row"):
        make_batch(columns, **GIVEN)


def test_no_rows():
    made = make_batch({"time_us": [], "craft": [], "time_source": []}, **GIVEN)
    assert made.height == 0
    assert made.schema == empty_batch().schema == SCHEMA


def test_every_column_says_what_it_is():
    for column in COLUMNS:
        assert column.meaning, column
        assert column.source, column
        assert not column.name.startswith("marks") or column.unit == "bits"


@pytest.mark.parametrize(
    "text",
    [
        "mmsi:212123000",
        "mmsi:002190067",
        "icao:4ca123",
        "icao:000001",
        "sea-track:00000001",
        "air-track:190d0007",
    ],
)
def test_craft_text_and_back(text):
    assert craft_text(craft_from_text(text)) == text


def test_what_is_no_craft():
    for text in ("mmsi:1", "4ca123", "icao:4CA123", "icao:4ca1234"):
        with pytest.raises(ValueError, match="no craft"):
            craft_from_text(text)
    with pytest.raises(ValueError, match="no craft"):
        craft_text(7)
    with pytest.raises(ValueError, match="no craft"):
        craft_key(5, 1)
