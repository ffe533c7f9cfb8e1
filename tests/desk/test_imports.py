"""What other systems hold becomes statements under the name of their source, once, and never freer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.errors import ConfigError
from samsyn.desk.imports import ImportSource
from samsyn.feeds.objects import marking_of
from samsyn.formats import misp, stix
from samsyn.formats.foreign import UNKNOWN, UNMARKED, Foreign
from samsyn.node.homes import make_home
from samsyn.node.imports import Importing
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.statements.marking import MARKINGS, rank
from samsyn.statements.store import Stored

MITRE = "identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"
OTHER = "identity--00000000-0000-4000-8000-0000000000aa"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    home = make_home(
        tmp_path / "dk", name="dk", organisation="C", realm="actual", exchange_listen="127.0.0.1:9"
    )
    made = Stores(home)
    yield made
    made.close()


def made(number: int, day: int = 1, **more: Any) -> dict[str, Any]:
    said = {
        "type": "malware",
        "spec_version": "2.1",
        "id": f"malware--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": f"2026-01-{day:02d}T00:00:00.000Z",
        "created_by_ref": MITRE,
        "name": f"Example {number}",
        "is_family": False,
    }
    return {**said, **more}


def bundle(*objects: Any) -> bytes:
    return json.dumps({"type": "bundle", "id": "bundle--x", "objects": list(objects)}).encode()


def take(
    stores: Stores, data: bytes | None, name: str = "mitre", kind: str = "stix", **said: Any
) -> Importing:
    source = ImportSource(name=name, format="misp" if kind == "misp" else "stix", **said)
    done = Importing(stores, kind, source, by="t")
    done.document(data, "file", lambda _: None)
    return done


def standing(stores: Stores) -> list[Stored]:
    return [s for s in stores.statements.page(limit=1_000, latest=True) if s.state == "standing"]


def held(stores: Stores) -> dict[str, dict[str, Any]]:
    """All objects in statements that stand, by id; each in one statement only."""
    found: dict[str, dict[str, Any]] = {}
    for stored in standing(stores):
        assert stored.statement is not None
        for text in stored.statement.slots["body.objects"]:
            value = json.loads(text)
            key = value.get("id") or value["uuid"]
            assert key not in found
            found[key] = value
    return found


def test_objects_are_kept_whole_under_the_name_of_their_source(stores: Stores) -> None:
    objects = [made(n) for n in range(100)] + [made(200, type="tool", id="tool--" + made(200)["id"][9:])]
    done = take(stores, bundle(*objects), marking="TLP:GREEN")
    assert done.taken.objects == {"new": 101} and not done.taken.refused
    assert held(stores) == {o["id"]: o for o in objects}
    for stored in standing(stores):
        statement = stored.statement
        assert statement is not None and statement.kind == "reference" and statement.iss == "dk"
        assert statement.slots["body.source"] == "mitre" and MITRE in statement.slots["sources"]
        assert len(statement.slots["body.objects"]) <= limits.IMPORT_TOGETHER
        types = {json.loads(text)["type"] for text in statement.slots["body.objects"]}
        assert len(types) == 1 and types < set(statement.slots["tags"])
    (entry,) = (n for n in stores.diary.entries() if n.did == "import")
    assert entry.what["source"] == "mitre" and len(entry.what["ids"]) == len(standing(stores))


def test_the_same_again_changes_nothing(stores: Stores) -> None:
    first = [made(n) for n in range(50)]
    take(stores, bundle(*first))
    before = [(s.jti, s.ver, s.body) for s in standing(stores)]
    again = take(stores, json.dumps({"objects": first}, indent=1, sort_keys=True).encode())
    assert again.taken.objects == {"same": 50} and again.taken.statements == 0
    assert [(s.jti, s.ver, s.body) for s in standing(stores)] == before


def test_a_newer_version_is_a_version_of_its_statement(stores: Stores) -> None:
    take(stores, bundle(*(made(n) for n in range(50))))
    before = {s.jti: s.ver for s in standing(stores)}
    done = take(stores, bundle(made(3, day=2, name="New"), made(4, day=2, revoked=True)))
    assert done.taken.objects == {"changed": 2} and done.taken.statements == 1
    after = {s.jti: s.ver for s in standing(stores)}
    assert after.keys() == before.keys() and sum(after.values()) == sum(before.values()) + 1
    assert held(stores)[made(3)["id"]]["name"] == "New"
    assert held(stores)[made(4)["id"]]["revoked"] is True, "others must hear of it, too"
    older = take(stores, bundle(made(3)))
    assert older.taken.objects == {"older": 1} and held(stores)[made(3)["id"]]["name"] == "New"


def test_a_newer_version_that_is_marked_otherwise_moves(stores: Stores) -> None:
    take(stores, bundle(made(1), made(2)), marking="TLP:GREEN")
    take(stores, bundle(made(1, day=2, object_marking_refs=[RED])), marking="TLP:GREEN")
    markings = {
        json.loads(text)["id"]: s.marking
        for s in standing(stores)
        if s.statement
        for text in s.statement.slots["body.objects"]
    }
    assert markings == {made(1)["id"]: "TLP:RED", made(2)["id"]: "TLP:GREEN"}


def test_what_is_gone_at_its_source_goes(stores: Stores) -> None:
    """From everybody who has it: a further version would leave the one before where it is."""
    door = stores.door()
    take(stores, bundle(*(made(n) for n in range(3))))
    (before,) = standing(stores)
    done = take(stores, bundle(made(0), made(1)))
    done.complete()
    door.tick()
    assert done.taken.objects["gone"] == 1 and held(stores).keys() == {made(0)["id"], made(1)["id"]}
    gone = stores.statements.get(before.jti)
    assert gone is not None and gone.purged and done.taken.withdrawn == 1
    take(stores, bundle(made(1, day=3, name="New")))  # what stayed is known where it is now
    assert held(stores)[made(1)["id"]]["name"] == "New" and len(held(stores)) == 2
    done = take(stores, bundle())
    done.complete()
    door.tick()
    assert done.taken.withdrawn == 1 and not held(stores)
    # an older document does not bring it back; a newer version does
    assert take(stores, bundle(made(0))).taken.objects in ({"same": 1}, {"older": 1})
    assert not held(stores)
    take(stores, bundle(made(0, day=9)))
    assert held(stores).keys() == {made(0)["id"]}


def test_what_a_person_withdrew_stays_so(stores: Stores) -> None:
    take(stores, bundle(made(1)))
    (before,) = standing(stores)
    stores.pen.withdraw(before.jti, purge=True, why="", by="t")
    Node(stores).tick()
    take(stores, bundle(made(1, day=2)))
    assert not held(stores)


def test_an_id_belongs_to_who_used_it_first(stores: Stores) -> None:
    """Another source, another creator, a change without a version: refused, and what is held stays."""
    take(stores, bundle(made(1)))
    before = [(s.jti, s.ver, s.body) for s in standing(stores)]
    for reason, name, value in (
        ("another-source", "rival", made(1, day=2)),
        ("another-source", "rival", made(1, name="Other words")),
        ("another-creator", "mitre", made(1, day=2, created_by_ref=OTHER)),
        ("changed", "mitre", made(1, name="Other words")),
        ("creator", "mitre", made(7, created_by_ref=OTHER)),
    ):
        done = take(
            stores, bundle(value), name, creators=frozenset({MITRE} if reason == "creator" else ())
        )
        assert done.taken.refused == {reason: 1}, reason
        assert [(s.jti, s.ver, s.body) for s in standing(stores)] == before
    assert take(stores, bundle(made(1)), "rival").taken.objects == {"same": 1}


def test_ids_that_collide_with_ours_are_refused(stores: Stores) -> None:
    own = sorted(stix.own_ids("dk"))
    for id_ in own:
        value = made(1, id=id_, type=id_.partition("--")[0])
        assert take(stores, bundle(value)).taken.refused == {"ours": 1}
    (identity,) = (i for i in own if i.startswith("identity"))
    assert take(stores, bundle(made(1, created_by_ref=identity))).taken.refused == {"ours": 1}
    extension = {stix.EXTENSION: {"extension_type": "property-extension"}}
    assert take(stores, bundle(made(1, extensions=extension))).taken.refused == {"samsyn": 1}
    assert not held(stores)


def test_two_of_one_id_in_one_document(stores: Stores) -> None:
    done = take(
        stores, bundle(made(1), made(1), made(2), made(2, day=3, name="N"), made(3), made(3, name="X"))
    )
    assert done.taken.refused == {"twice": 1}
    assert {v["name"] for v in held(stores).values()} == {"Example 1", "N", "Example 3"}


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("not-json", b"{"),
        ("not-json", b"\xff\xfe"),
        ("shape", b"[]"),
        ("shape", b'{"type": "report"}'),
        ("shape", b'{"objects": {}}'),
        ("too-deep", b'{"objects": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}"),
        ("too-deep", b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b', "objects": []}'),
        ("key-twice", b'{"objects": [], "objects": []}'),
        ("key-twice", b'{"type": "bundle", "type": "bundle", "objects": []}'),
        ("too-large", None),
    ],
    ids=str,
)
def test_a_document_that_cannot_be_read_is_refused_whole(
    stores: Stores, reason: str, data: bytes | None
) -> None:
    done = take(stores, data)
    assert done.taken.refused == {reason: 1} and not done.taken.objects


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("key-twice", '{"type":"malware","id":"malware--1","name":"a","name":"b"}'),
        ("key-twice", '{"type": "malware", "x": {"y": 1, "y": 2}}'),
        ("key-twice", '{"a":1,"a":2,"b":"\\u0022:"}'),  # the count of keys comes out right
        ("key-twice", '{"a":1,"a":2,"b" :3}'),
        ("key-twice", '{"a":1,"a"\n:2}'),
        ("too-large", json.dumps(made(1, description="x" * 60_000))),
        ("shape", json.dumps(made(1, modified="soon"))),
        ("shape", json.dumps(made(1, object_marking_refs="TLP:RED"))),
        ("shape", json.dumps(made(1, granular_markings=["x"]))),
        ("shape", json.dumps(made(1, created_by_ref="x" * 5_000))),
        ("shape", "7"),
    ],
)
def test_an_object_that_cannot_be_taken_leaves_the_others(
    stores: Stores, reason: str, text: str
) -> None:
    good = made(50)
    data = b'{"objects": [%s, %s]}' % (text.encode(), json.dumps(good).encode())
    done = take(stores, data)
    assert done.taken.refused == {reason: 1} and held(stores) == {good["id"]: good}


def test_misp_deletes_and_moves(stores: Stores) -> None:
    def document(**first: Any) -> bytes:
        attribute = {
            "uuid": f"{2:08d}-0000-4000-8000-000000000000",
            "timestamp": "5",
            "value": "192.0.2.1",
        }
        other = {"uuid": f"{3:08d}-0000-4000-8000-000000000000", "timestamp": "5", "value": "192.0.2.2"}
        head = {
            "uuid": f"{1:08d}-0000-4000-8000-000000000000",
            "timestamp": "5",
            "distribution": "3",
            "info": "Example",
            "Attribute": [{**attribute, **first}, other],
        }
        return json.dumps({misp.TOP: head}).encode()

    take(stores, document(), kind="misp")
    (only,) = standing(stores)
    assert only.marking == "TLP:GREEN" and len(held(stores)) == 3
    take(stores, document(), kind="misp")
    assert [(s.jti, s.ver) for s in standing(stores)] == [(only.jti, 1)]
    take(stores, document(timestamp="6", distribution="0"), kind="misp")
    assert sorted(s.marking for s in standing(stores)) == ["TLP:GREEN", "TLP:RED"]
    take(stores, document(timestamp="7", deleted=True), kind="misp")
    Node(stores).tick()
    assert len(held(stores)) == 2 and "192.0.2.1" not in str(held(stores))
    assert [s.marking for s in standing(stores)] == ["TLP:GREEN"]


def test_a_source_that_cannot_be_is_refused(stores: Stores) -> None:
    for said in ({"marking": "white"}, {"category": "weather"}, {"name": ""}, {"name": "x" * 101}):
        with pytest.raises(ConfigError):
            take(stores, bundle(), **said)
    with pytest.raises(ConfigError, match="brings no objects"):
        take(stores, bundle(), kind="ais_nmea")


LABELS = st.lists(st.sampled_from([*MARKINGS, UNMARKED, UNKNOWN]), min_size=1, max_size=4)


@given(LABELS, st.sampled_from(MARKINGS))
def test_a_marking_is_kept_or_made_stricter_never_looser(labels: list[str], unmarked: str) -> None:
    found = Foreign("a--1", "a", 0, "", False, tuple(labels), "{}", b"", 2)
    given_ = marking_of(found, unmarked)
    assert all(rank(given_) >= rank(label) for label in labels if label in MARKINGS)
    if UNKNOWN in labels:
        assert given_ == MARKINGS[-1]
    if UNMARKED in labels:
        assert rank(given_) >= rank(unmarked)
    assert given_ in {*labels, unmarked, MARKINGS[-1]}


VALUES = st.tuples(st.integers(0, 9), st.integers(1, 4), st.sampled_from(["a", "b"]), st.booleans())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(VALUES, max_size=12), min_size=1, max_size=5))
def test_whatever_comes_the_newest_of_each_stands_once(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[tuple[int, int, str, bool]]]
) -> None:
    """A model: of each object the highest version, of two alike the first."""
    home = make_home(
        tmp_path_factory.mktemp("home") / "dk",
        name="dk",
        organisation="C",
        realm="actual",
        exchange_listen="127.0.0.1:9",
    )
    model: dict[str, dict[str, Any]] = {}
    with Stores(home) as opened:
        door = opened.door()
        for document in documents:
            objects = [
                made(n, day=day, name=name, **({"object_marking_refs": [RED]} if red else {}))
                for n, day, name, red in document
            ]
            take(opened, bundle(*objects), marking="TLP:GREEN")
            door.tick()
            for one in objects:
                before = model.get(one["id"])
                if before is None or before["modified"] < one["modified"]:
                    model[one["id"]] = one
            assert held(opened) == model
            for stored in standing(opened):
                assert stored.statement is not None
                for text in stored.statement.slots["body.objects"]:
                    red = "object_marking_refs" in json.loads(text)
                    assert stored.marking == ("TLP:RED" if red else "TLP:GREEN")
