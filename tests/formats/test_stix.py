"""Views as STIX: valid in every profile, exact, and nobody speaks in our name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from samsyn.formats import stix, stix_profiles
from samsyn.formats.stix_profiles import PROFILES, Profile, own_uuid
from samsyn.formats.view import View
from samsyn.statements.ladder import place_ladder, time_ladder

SCHEMAS = Path(stix.__file__).parent
HOUR_US = 3_600_000_000
BOTH = [ValidationOptions(version="2.1"), ValidationOptions(version="2.1", schema_dir=str(SCHEMAS))]

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
PLACES = st.builds(
    lambda lat, lon: place_ladder({"type": "Point", "coordinates": [lon, lat]}),
    st.floats(-90, 90).map(lambda x: round(x, 4)),
    st.floats(-180, 180).map(lambda x: round(x, 4)),
)
TIMES = st.integers(0, 4_000_000_000).map(lambda s: time_ladder(s * 1_000_000))
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "title": WORDS,
        "summary": WORDS,
        "text": WORDS,
        "confidence": st.sampled_from(["low", "medium", "high"]),
        "author": WORDS,
        "tags": st.lists(WORDS, max_size=3),
        "body.craft": st.sampled_from(["mmsi:219000001", "icao:4ca123"]),
        "body.category": st.sampled_from(["sea", "cyber"]),
        "body.measured": st.dictionaries(
            WORDS, st.floats(allow_nan=False, allow_infinity=False), max_size=2
        ),
    },
)


@st.composite
def views(draw: st.DrawFn) -> View:
    """What a reader may hold of a statement: any slots, any rungs from coarse to fine."""
    slots: dict[str, Any] = dict(draw(OTHERS))
    for ladder, rungs in ((draw(PLACES), 4), (draw(TIMES), 3)):
        names = list(ladder)
        order = ["region", "area", "spot", "exact"] if rungs == 4 else ["day", "hour", "exact"]
        names.sort(key=lambda name: order.index(name.partition(".")[2]))
        slots |= {name: ladder[name] for name in names[: draw(st.integers(0, rungs))]}
    at_us = draw(st.integers(0, 20_000)) * HOUR_US + 1_700_000_000_000_000
    return View(
        uid=draw(st.uuids(version=5) | st.uuids(version=4)),
        created_us=at_us,
        modified_us=at_us + draw(st.integers(0, 3)) * HOUR_US,
        iss=draw(st.sampled_from(["dk", "se"])),
        jti="00000000-0000-4000-8000-000000000001",
        ver=draw(st.integers(1, 9)),
        kind=draw(st.sampled_from(["alert", "report", "request", "reference", "consent"])),
        marking=draw(st.sampled_from(sorted(stix.TLP))),
        onward=draw(st.sampled_from(["no", "ask", "circle", "free"])),
        exercise=draw(st.booleans()),
        slots=slots,
    )


def made(view: View, profile: Profile) -> list[dict[str, Any]]:
    return [json.loads(one.data) for one in stix_profiles.objects(view, "dk", profile)]


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(view=views())
def test_every_object_of_every_profile_is_valid(profile: Profile, view: View) -> None:
    objects = made(view, profile)
    known = {o["id"] for o in [*objects, *stix_profiles.shared("dk", "Coast Watch", profile)]}
    for one in objects:
        for options in BOTH if one["type"] == "report" else BOTH[:1]:
            found = validate_instance(one, options)
            assert found.is_valid, (one, [str(e) for e in found.errors])
        refs = {*one.get("object_refs", ()), *one.get("object_marking_refs", ())}
        assert refs | {value for name, value in one.items() if name.endswith("_ref")} <= known
    (report,) = (o for o in objects if o["type"] == "report")
    ours = report["extensions"][stix.EXTENSION]
    assert {s["slot"]: json.loads(s["json"]) for s in ours.get("slots", [])} == json.loads(
        json.dumps(dict(view.slots))
    )
    assert len(known) == len({o["id"] for o in objects} | known)
    uuids = [o["id"].partition("--")[2] for o in objects if "created_by_ref" in o]
    assert profile == "plain" or len(set(uuids)) == len(uuids), "MISP takes two of one UUID for one"


@pytest.mark.parametrize("profile", PROFILES)
def test_what_stands_before_all_is_valid(profile: Profile) -> None:
    for one in stix_profiles.shared("dk", "Coast Watch", profile):
        found = validate_instance(one, BOTH[0])
        assert found.is_valid, (one, [str(e) for e in found.errors])
    for exercise in (False, True):
        times_us = 1_700_000_000_000_000, 1_700_003_600_000_000
        gone = stix_profiles.ended(
            UUID("00000000-0000-5000-8000-000000000000"), *times_us, "dk", profile, exercise=exercise
        )
        assert validate_instance(json.loads(gone.data), BOTH[0]).is_valid


@given(st.uuids(version=5), st.sampled_from(["report", "location"]), st.sampled_from(PROFILES))
def test_ids_lead_back_to_the_view(uid: UUID, type_: str, profile: Profile) -> None:
    found = own_uuid(uid, type_, profile)
    assert own_uuid(found, type_, profile) == uid and found.version == 5
    assert found.variant == uid.variant
    of_all = {own_uuid(uid, t, p) for t in ("report", "note") for p in ("misp", "opencti")}
    assert len(of_all | {uid}) == 5


@settings(max_examples=40, deadline=None)
@given(view=views())
def test_nothing_is_finer_than_the_view(view: View) -> None:
    """No time of the statement in any shape, but where its rung is said: from its begin to its end."""
    for profile in PROFILES:
        for one in made(view, profile):
            told = {k: v for k, v in one.items() if k not in ("extensions", "content")}
            if one["type"] == "sighting":
                rung = next(r for r in ("exact", "hour", "day") if f"time.{r}" in view.slots)
                assert told.pop("first_seen")[:10] == view.slots["time.day"]
                assert (told.pop("last_seen") == one["first_seen"]) == (rung == "exact")
            if "time.exact" not in view.slots and "time.hour" not in view.slots:
                continue
            assert view.slots.get("time.exact", "-none-") not in str(told) or any(
                view.slots["time.exact"] in str(view.slots.get(n)) for n in ("title", "text", "summary")
            )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "7",
        '"x"',
        "[]",
        '{"id": 5}',
        '{"id": "malware--1", "type": "malware"}',
        '{"id": "malware--00000000-0000-4000-8000-000000000001", "type": "tool"}',
        '{"id": "malware--00000000-0000-4000-8000-000000000001", "type": "malware", "modified": 7}',
        '{"id": "malware--00000000-0000-4000-8000-000000000001", "type": "malware", '
        '"object_marking_refs": "x"}',
        json.dumps({"id": stix.us("dk"), "type": "identity", "name": "Another"}),
        json.dumps(
            {
                "id": "malware--00000000-0000-4000-8000-000000000001",
                "type": "malware",
                "created_by_ref": stix.us("dk"),
            }
        ),
        json.dumps(
            {
                "id": "report--00000000-0000-4000-8000-000000000001",
                "type": "report",
                "extensions": {stix.EXTENSION: {}},
            }
        ),
    ],
)
def test_a_partner_s_objects_cannot_speak_for_us_or_break_a_page(text: str) -> None:
    good = {"type": "tool", "id": "tool--00000000-0000-4000-8000-000000000002", "name": "T"}
    view = View(
        uid=UUID("00000000-0000-5000-8000-000000000000"),
        created_us=0,
        modified_us=0,
        iss="fi",
        jti="j",
        ver=1,
        kind="reference",
        marking="TLP:GREEN",
        onward="no",
        exercise=False,
        slots={"body.format": "stix", "body.objects": [text, json.dumps(good), 5]},
    )
    for profile in PROFILES:
        held = [
            o for o in made(view, profile) if o["type"] not in ("report", "marking-definition", "note")
        ]
        assert [o["id"] for o in held] == [good["id"]]
        assert held[0]["object_marking_refs"] == [stix.TLP["TLP:GREEN"]]
