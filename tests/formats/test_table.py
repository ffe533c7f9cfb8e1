"""Tables in columns of somebody's choice: the map, units, times, shapes, and real ones."""

from __future__ import annotations

import csv
import gzip
import json
import struct
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base.clock import HOUR_US, parse_iso
from samsyn.formats.ais import SEA_DOMAIN
from samsyn.formats.states import AIR_DOMAIN
from samsyn.formats.table import KNOWN, NUMBERS, OURS, TableDecoder

AT = "2023-11-14T22:13:20Z"
AT_US = parse_iso(AT)
ROW = {"mmsi": 219000123, "timestamp": AT, "lat": 55.5, "lon": 12.75, "sog": 11.3, "cog": 185.4}


def csv_of(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    lines = [delimiter.join(rows[0])] + [delimiter.join(str(v) for v in r.values()) for r in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def first(out) -> dict[str, Any]:
    return {name: values[0] for name, values in out.columns.items()}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_well_known_names_need_no_map(delimiter):
    row = {"MMSI": 219000123, "BaseDateTime": "2023-11-14T22:13:20", "LAT": 55.5, "LON": 12.75,
           "SOG": 11.3, "COG": 185.4, "Heading": 511, "VesselName": "SAMPLE", "Cargo": 70}  # fmt: skip
    out = TableDecoder(ignore=["Length"]).decode_csv(csv_of(row, delimiter=delimiter))
    told = first(out)
    assert (told["craft"], told["time_us"], told["name"]) == (SEA_DOMAIN + 219000123, AT_US, "SAMPLE")
    assert (told["lat"], told["lon"], told["speed_kn"], told["course_deg"]) == (55.5, 12.75, 11.3, 185.4)
    assert np.isnan(told["heading_deg"])
    assert (out.refused, out.unhandled) == (Counter(), {"Cargo": 1})
    assert TableDecoder(ignore=["Cargo"]).decode_csv(csv_of(row)).unhandled == {}


def test_the_map_goes_before_well_known_names():
    row = {"who": "4CA123", "when": "14/11/2023 23:13", "y": 555_000_000, "x": 127_500_000, "v": 100,
           "up": 10, "h": 1_000, "cog": 90, "track": 180}  # fmt: skip
    decoder = TableDecoder(
        columns={"icao": "who", "time": "when", "lat": "y", "lon": "x", "speed_kn": "v",
                 "vertical_rate_fpm": "up", "altitude_ft": "h", "course_deg": "track"},
        units={"time": "%d/%m/%Y %H:%M", "lat": "deg*1e7", "lon": "deg*1e7", "speed_kn": "km/h",
               "vertical_rate_fpm": "m/s", "altitude_ft": "m"},
        offset_us=HOUR_US,
    )  # fmt: skip
    told = first(decoder.decode_csv(csv_of(row)))
    assert (told["craft"], told["time_us"]) == (AIR_DOMAIN + 0x4CA123, AT_US - 20_000_000)
    assert (told["lat"], told["lon"]) == (pytest.approx(55.5), pytest.approx(12.75))
    assert told["speed_kn"] == pytest.approx(53.9957, abs=1e-4)
    assert told["vertical_rate_fpm"] == pytest.approx(1968.5, abs=0.1)
    assert (told["altitude_ft"], told["course_deg"]) == (pytest.approx(3280.84), 180)


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        (AT, "", 0), ("2023-11-14 22:13:20.25", "", 0.25), ("2023-11-15T00:13:20+02:00", "", 0),
        (1_700_000_000, "", 0), (1_700_000_000_250, "", 0.25), (1_700_000_000_250_000, "", 0.25),
        ("1700000000.5", "", 0.5), (1_700_000_000, "s", 0), (12, "s", 12 - 1_700_000_000),
        ("1970-01-01T00:00:00Z", "", None), ("2150-01-01T00:00:00Z", "", None), ("noon", "", None),
        (None, "", None), (True, "", None), ([1], "", None), (-5, "s", None), (1e300, "", None),
        ("14.11.2023", "%Y", None), ("2038-01-19T03:14:08Z", "", 447_483_648),
    ],
)  # fmt: skip
def test_times(value, unit, seconds):
    out = TableDecoder(units={"time": unit} if unit else {}).decode_json(
        json.dumps([{**ROW, "timestamp": value}]).encode()
    )
    if seconds is None:
        assert (out.rows, out.refused) == (0, {"no-time": 1})
    else:
        assert first(out)["time_us"] == AT_US + round(seconds * 1e6)


@pytest.mark.parametrize("said", [
    [ROW], {"vessels": [ROW]}, {"count": 1, "timestamp": AT, "rows": [{**ROW, "timestamp": AT}]},
    {"timestamp": AT, "vessels": [{n: v for n, v in ROW.items() if n != "timestamp"}]},
])  # fmt: skip
def test_json_lists_wherever_they_are(said):
    out = TableDecoder().decode_json(json.dumps(said).encode())
    assert (first(out)["craft"], first(out)["time_us"]) == (SEA_DOMAIN + 219000123, AT_US)
    assert not out.refused


def feature(place: list[float], kind: str = "Point", **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": place}
    return {"type": "Feature", "mmsi": 219000123, "geometry": geometry, "properties": properties}


def test_geojson_points_as_a_national_service_gives_them():
    said = {"type": "FeatureCollection", "dataUpdatedTime": AT, "features": [
        feature([12.75, 55.5], mmsi=219000123, sog=11.3, cog=360, navStat=15, heading=511,
                posAcc=True, raim=False, timestamp=20, timestampExternal=1_700_000_000_250),
        feature([[1, 2], [3, 4]], kind="LineString"), "nothing", feature([13.0]),
    ]}  # fmt: skip
    decoder = TableDecoder(ignore=["timestamp"])
    out = decoder.decode_json(json.dumps(said).encode())
    told = first(out)
    assert (told["lat"], told["lon"], told["time_us"]) == (55.5, 12.75, AT_US + 250_000)
    assert np.isnan(told["course_deg"])
    assert out.columns["nav_status"].tolist() == [None]
    assert (bool(told["position_accurate"]), bool(told["raim"])) == (True, False)
    assert out.refused == {"shape": 2, "no-time": 1}
    again = decoder.decode_json(json.dumps(said).encode())
    assert again.rows == 0  # polled again, it says nothing new
    said["features"][0]["properties"]["timestampExternal"] += 1_000  # type: ignore[index]
    assert decoder.decode_json(json.dumps(said).encode()).rows == 1


@pytest.mark.parametrize("document", [b"{}", b'{"a": 1}', b"3", b'{"a": [{}], "b": [{}]}', b"[{"])
def test_documents_without_a_list(document):
    out = TableDecoder().decode_json(document)
    assert sum(out.refused.values()) == 1
    assert out.rows == 0


def test_values_that_cannot_be_are_told_and_the_rest_kept():
    rows = [{**ROW, "lat": "north"}, {**ROW, "sog": -4}, {**ROW, "lat": 91, "lon": 181, "sog": 102.3},
            {**ROW, "mmsi": 0}, {**ROW, "mmsi": "219000123.0"}, {**ROW, "mmsi": 10**10}]  # fmt: skip
    out = TableDecoder().decode_csv(csv_of(*rows) + b"219000123,short\n")
    assert out.refused == {"wrong-value": 2, "no-craft": 2, "malformed": 1}
    assert {p.where() for p in out.problems if p.reason == "no-craft"} == {"line 5", "line 7"}
    assert np.isnan(out.columns["speed_kn"][[1, 2]]).all()
    assert out.rows == 4


def test_a_table_without_a_header_is_refused_line_by_line():
    out = TableDecoder().decode_csv(b"# a comment\n1,2,3\n4,5,6\n")
    assert (out.rows, out.refused) == (0, {"header": 2})


def test_what_is_not_ours_cannot_be_mapped():
    for settings_ in ({"columns": {"colour": "C"}}, {"units": {"lat": "furlongs"}}):
        with pytest.raises(ValueError):
            TableDecoder(**settings_)
    assert set(KNOWN) <= OURS
    assert all(units for units, *_ in NUMBERS.values())


@given(cuts=st.lists(st.integers(0, 6), max_size=4))
def test_it_does_not_matter_where_a_table_is_cut(cuts):
    lines = csv_of(*({**ROW, "lat": 55 + i / 10} for i in range(5))).splitlines(keepends=True)
    edges = sorted({0, len(lines), *cuts})
    decoder = TableDecoder()
    outs = [decoder.decode_csv(b"".join(lines[a:b])) for a, b in pairwise(edges)]
    assert [v for o in outs if o.rows for v in o.columns["lat"]] == [55 + i / 10 for i in range(5)]


# Infinity is no JSON: a document with one is refused as a whole
VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.just([])
)


@given(rows=st.lists(st.dictionaries(st.sampled_from([*ROW, "raim", "navstat", "squawk", "x"]), VALUE)))
@settings(max_examples=150, deadline=None)
def test_no_values_make_it_fall_over(rows):
    out = TableDecoder().decode_json(json.dumps([*rows, ROW]).encode())
    assert out.columns["lat"][-1] == 55.5
    lines = "".join(",".join(str(v) for v in row.values()) + "\n" for row in rows)
    TableDecoder().decode_csv(csv_of(ROW) + lines.encode("utf-8", "replace"))


def test_the_solent_recording(data_dir):
    raw = (data_dir / "sea" / "stonesoup_SolentAIS.csv").read_text()
    out = TableDecoder().decode_csv(raw.encode())
    theirs = list(csv.DictReader(raw.splitlines()))
    assert (out.rows, out.refused, out.unhandled) == (18_623, Counter(), Counter())
    assert out.columns["lat"].tolist() == [float(r["Latitude_degrees"]) for r in theirs]
    assert (out.columns["craft"] - SEA_DOMAIN).tolist() == [int(r["MMSI"]) for r in theirs]
    assert out.columns["time_us"].tolist() == [
        round(datetime.fromisoformat(r["Time"]).replace(tzinfo=UTC).timestamp() * 1e6) for r in theirs
    ]


def test_a_snapshot_of_the_baltic(data_dir):
    raw = (data_dir / "sea" / "juhku1_baltic_07b536f.json").read_bytes()
    decoder = TableDecoder(columns={"ship_type": "ship_type"}, ignore=["destination"])
    out = decoder.decode_json(raw)
    assert (out.rows, out.refused, out.unhandled) == (9_735, Counter(), Counter())
    assert out.columns["name"][0] == "FFS ATLAS"


def unpacked(data: bytes, at: int) -> tuple[Any, int]:
    """One value of MessagePack, as far as the recording needs it."""
    kind = data[at]
    for low, high in ((0x80, 0x8F), (0xA0, 0xBF)):
        if low <= kind <= high:
            count, at = kind - low, at + 1
            break
    else:
        if kind < 0x80 or kind >= 0xE0:
            return struct.unpack_from("b", data, at)[0], at + 1
        if kind in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[kind], at + 1
        codes = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xD0: ">b", 0xD1: ">h",
                 0xD2: ">i", 0xCF: ">Q", 0xD3: ">q"}  # fmt: skip
        if kind in codes:
            return struct.unpack_from(codes[kind], data, at + 1)[0], at + 1 + struct.calcsize(
                codes[kind]
            )
        size = {0xD9: 1, 0xDA: 2, 0xDE: 2}[kind]
        count, at = int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size
    if 0x80 <= kind <= 0x8F or kind == 0xDE:
        made = {}
        for _ in range(count):
            name, at = unpacked(data, at)
            made[name], at = unpacked(data, at)
        return made, at
    return data[at : at + count].decode(), at + count


def test_two_ships_on_one_mmsi(data_dir):
    """Messages of Global Fishing Watch, unpacked here, as the list of objects that they are."""
    data = gzip.decompress((data_dir / "sea" / "gfw_segment_224051350.msg.gz").read_bytes())
    at, said = 0, []
    while at < len(data):
        message, at = unpacked(data, at)
        said.append({n: message.get(n) for n in ("mmsi", "timestamp", "lat", "lon", "speed", "course")})
    decoder = TableDecoder(columns={"speed_kn": "speed", "course_deg": "course"})
    out = decoder.decode_csv(
        csv_of(*({n: "" if v is None else v for n, v in row.items()} for row in said))
    )
    assert out.messages == len(said) > 1_000
    assert out.rows == len(said)
    assert set(out.columns["craft"].tolist()) == {SEA_DOMAIN + 224_051_350}
    assert not out.refused
