"""readsb and OpenSky: units, times, wrong values, wrong shapes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.formats.codes import Emergency
from samsyn.formats.decoded import Decoded
from samsyn.formats.opensky import CSV, OpenskyDecoder
from samsyn.formats.readsb import ReadsbDecoder
from samsyn.formats.states import AIR_DOMAIN

NOW_S = 1_700_000_000.0
AIRCRAFT = {
    "hex": "4ca123", "flight": "SAS123  ", "alt_baro": 35_000, "gs": 450.5, "track": 180.0, "lat": 55.5,
    "lon": 12.5, "seen": 0.5, "seen_pos": 1.0, "nic": 8, "nac_p": 9, "sil": 3, "squawk": "2277",
    "emergency": "none", "baro_rate": -64,
}  # fmt: skip
REST = ["4ca123", "SAS123  ", "Sweden", NOW_S - 1, NOW_S, 12.5, 55.5, 10_668.0, False, 231.5, 180.0,
        -0.33, None, 10_700.0, "2277", False, 0]  # fmt: skip


def readsb(*aircraft: dict, decoder: ReadsbDecoder | None = None, now_s: float = NOW_S) -> Decoded:
    document = {"now": now_s, "messages": 1, "aircraft": list(aircraft)}
    return (decoder or ReadsbDecoder()).decode(json.dumps(document).encode())


def opensky(*states: list) -> Decoded:
    return OpenskyDecoder().decode_json(
        json.dumps({"time": int(NOW_S), "states": list(states)}).encode()
    )


def traffic(*rows: dict) -> Decoded:
    return OpenskyDecoder().decode_json(json.dumps(list(rows)).encode())


def first(out: Decoded) -> dict[str, object]:
    row = {name: values[0] for name, values in out.columns.items()}
    return {n: None if v is np.ma.masked else v for n, v in row.items()}


def test_readsb_row():
    row = first(readsb(AIRCRAFT))
    assert row["craft"] == AIR_DOMAIN + 0x4CA123
    assert row["time_us"] == (NOW_S - 1.0) * 1e6
    assert (row["lat"], row["lon"], row["altitude_ft"]) == (55.5, 12.5, 35_000)
    assert (row["callsign"], row["squawk"], row["emergency"]) == ("SAS123", 2277, Emergency.NONE)
    assert (row["nic"], row["nac_p"], row["sil"], row["on_ground"]) == (8, 9, 3, False)


def test_on_the_ground():
    row = first(readsb({**AIRCRAFT, "alt_baro": "ground"}))
    assert row["on_ground"]
    assert np.isnan(row["altitude_ft"])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"emergency": "nordo"}, Emergency.NO_COMMUNICATIONS),
        ({"emergency": "unlawful", "squawk": "1000"}, Emergency.UNLAWFUL_INTERFERENCE),
        ({"emergency": "none", "squawk": "7700"}, Emergency.GENERAL),
        ({"emergency": None, "squawk": "7500"}, Emergency.UNLAWFUL_INTERFERENCE),
        ({"emergency": None, "squawk": None}, None),
    ],
)
def test_emergencies(said, expected):
    assert first(readsb({**AIRCRAFT, **said}))["emergency"] == expected


def test_an_old_position_does_not_get_a_new_time():
    out = readsb({**AIRCRAFT, "seen_pos": 40.0})
    assert out.rows == 2
    old, new = ({n: v[i] for n, v in out.columns.items()} for i in (0, 1))
    assert (new["time_us"] - old["time_us"]) / 1e6 == 39.5
    assert (old["lat"], old["callsign"], new["callsign"]) == (55.5, None, "SAS123")
    assert np.isnan(new["lat"])


def test_polled_again_an_unchanged_state_makes_no_row():
    decoder = ReadsbDecoder()
    assert readsb(AIRCRAFT, decoder=decoder).rows == 1
    later = {**AIRCRAFT, "seen": 5.5, "seen_pos": 6.0}
    again = readsb(later, decoder=decoder, now_s=NOW_S + 5)
    assert (again.rows, again.types["state again"]) == (0, 1)


def test_addresses_that_are_not_icao():
    out = readsb(AIRCRAFT, {**AIRCRAFT, "hex": "~2ca123"}, {**AIRCRAFT, "hex": 7})
    assert out.rows == 1
    assert out.refused == {"address-not-icao": 1, "no-craft": 1}
    assert [p.where() for p in out.problems] == ["row 2", "row 3"]


def test_a_wrong_value_is_absent_and_the_row_stays():
    out = readsb(
        {**AIRCRAFT, "gs": "fast", "nic": 99, "squawk": "9999", "track": -121, "emergency": "x"}
    )
    assert out.rows == 1
    assert out.refused == {"wrong-value": 5}
    row = first(out)
    assert (row["squawk"], row["nic"]) == (None, None)
    assert np.isnan(row["speed_kn"])


def test_fields_nobody_knows_are_told():
    assert readsb({**AIRCRAFT, "new_field": 1}).unhandled == {"new_field": 1}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"{", "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[]", "shape"),
        (b"{}", "shape"),
        (b'{"now": 1, "aircraft": {}}', "shape"),
        (b'{"now": "x", "aircraft": []}', "shape"),
        (b'{"now": -5, "aircraft": []}', "no-time"),
        (b'{"now": 1700000000, "aircraft": [7]}', "shape"),
    ],
)
def test_documents_of_another_shape(document, reason):
    assert ReadsbDecoder().decode(document).refused == {reason: 1}


def test_opensky_metres_become_feet_and_knots():
    row = first(opensky(REST))
    assert row["altitude_ft"] == pytest.approx(35_000)
    assert row["speed_kn"] == pytest.approx(450, abs=0.1)
    assert row["vertical_rate_fpm"] == pytest.approx(-65, abs=0.1)
    assert row["time_us"] == (NOW_S - 1) * 1e6


def test_opensky_documents():
    assert opensky().rows == 0
    assert OpenskyDecoder().decode_json(b'{"time": 1, "states": null}').refused == {}
    assert opensky(REST, REST[:5]).refused == {"shape": 1}
    assert OpenskyDecoder().decode_json(b'{"time": 1, "states": {}}').refused == {"shape": 1}
    assert OpenskyDecoder().decode_json(b'[{"lat": 1}]').refused == {"shape": 1}


def test_traffic_rows_and_the_same_by_column():
    row = {"timestamp": NOW_S * 1e3, "icao24": "4ca123", "latitude": 55.5, "longitude": 12.5,
           "altitude": 3_000.0, "groundspeed": 200.0, "track": 90.0, "squawk": "0", "onground": False,
           "vertical_rate": 0}  # fmt: skip
    told = first(traffic(row))
    assert (told["speed_kn"], told["altitude_ft"], told["squawk"]) == (200.0, 3_000.0, 0)
    turned = {name: {"0": value} for name, value in row.items()}
    assert first(OpenskyDecoder().decode_json(json.dumps(turned).encode())) == told


def test_csv_lines():
    decoder = OpenskyDecoder()
    header = "time,icao24,lat,lon,velocity,heading,squawk,onground,surprise\n"
    good = f"{NOW_S:.0f},4ca123,55.5,12.5,100,90,1174.0,False,x\n"
    out = decoder.decode_csv((header + good).encode())
    assert (out.rows, out.unhandled) == (1, {"surprise": 1})
    assert first(out)["squawk"] == 1174
    bad = decoder.decode_csv(f"{NOW_S:.0f},4ca123,north,12.5,100,90,,Perhaps,x\n1,2\n".encode())
    assert bad.refused == {"wrong-value": 2, "malformed": 1}
    assert [p.where() for p in bad.problems] == ["line 4", "line 3", "line 3"]


def test_csv_without_its_header():
    out = OpenskyDecoder().decode_csv(b"a,b\n1,2\n3,4\n")
    assert out.rows == 0
    assert out.refused == {"header": 3}


def test_latitude_91_is_kept_for_marking():
    assert first(readsb({**AIRCRAFT, "lat": 91.0}))["lat"] == 91.0


VALUE = st.sampled_from(
    [None, True, -1, 10**30, 1e308, float("nan"), "", "x", [], {}, [1], {"a": 1}, "7700"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*AIRCRAFT, "x"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(
    aircraft=st.lists(st.dictionaries(st.sampled_from([*AIRCRAFT, "x"]), JSON, max_size=8), max_size=4)
)
@settings(max_examples=100, deadline=None)
def test_no_values_make_readsb_fall_over(aircraft):
    readsb(*aircraft, AIRCRAFT)


@given(states=st.lists(st.lists(VALUE, min_size=17, max_size=17), max_size=2), said=JSON)
@settings(max_examples=40, deadline=None)
def test_no_values_make_opensky_fall_over(states, said):
    opensky(*states, REST)
    OpenskyDecoder().decode_json(json.dumps(said).encode())


@given(fields=st.lists(st.text(max_size=6), min_size=len(CSV), max_size=len(CSV)))
@settings(max_examples=60, deadline=None)
def test_no_lines_make_csv_fall_over(fields):
    decoder = OpenskyDecoder()
    decoder.decode_csv((",".join(["time", *CSV.values()]) + "\n").encode())
    decoder.decode_csv(("1," + ",".join(fields) + "\n").encode())
    decoder.decode_csv(",".join(fields).encode("utf-8", "replace") + b"\n")


def test_recorded_documents(data_dir):
    decoder = ReadsbDecoder()
    for name, aircraft in (("sdre_aircraft_1.json", 64), ("sdre_aircraft_2.json", 69)):
        out = decoder.decode((data_dir / "air" / name).read_bytes())
        assert out.messages == len(set(out.columns["craft"].tolist())) == aircraft
        assert not out.refused
        assert not out.unhandled
    states = (data_dir / "air" / "stonesoup_OpenSky_Plane_States.csv").read_bytes()
    out = OpenskyDecoder().decode_csv(states)
    assert (out.messages, out.types["state again"], len(set(out.columns["craft"].tolist()))) == (
        6_052,
        634,
        84,
    )
    assert not out.refused
