"""A photo goes beside a report: on request, to whom its name was given, and away with it when purged."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from samsyn.base import limits
from samsyn.base.errors import Refused, SamsynError
from samsyn.channels.reader import ReaderChannel
from samsyn.cli import main
from samsyn.exchange.ask import Asker
from samsyn.exchange.fetch import fetch_attachment
from samsyn.node.attachments import attaching, fetch
from samsyn.node.audit import audit
from samsyn.node.node import Node
from samsyn.node.stores import Stores
from samsyn.statements.attachments import Attachment, named
from samsyn.statements.statement import Draft
from tests.scenarios.network import homes, running, wait

DK = """
[[rule]]
id = "all-to-se"
why = "annex A"
to = ["se"]
kinds = ["report"]
place = "exact"
time = "exact"

[[rule]]
id = "area-to-fi"
why = "annex B"
to = ["fi"]
kinds = ["report"]
place = "area"
time = "hour"
"""
SE = """
[[rule]]
id = "on-to-ee"
why = "annex C"
to = ["ee"]
kinds = ["report"]
when = { originator = ["dk"] }
place = "exact"
time = "exact"
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Node]]:
    policies = {"dk": DK, "se": SE, "fi": "", "ee": ""}
    with running(tmp_path_factory.mktemp("net"), policies) as nodes:
        yield nodes


def run(node: Node, *command: str) -> dict[str, object]:
    """A command of a person at the node's home; it must succeed."""
    words = [*command, "--home", str(node.stores.home.root), "--json"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.stdout)
    return told


def say(node: Node, photo: Path) -> str:
    """A report that may go anywhere, with a photo."""
    place = ("--lat", "57.2", "--lon", "18.1", "--onward", "free", "--marking", "TLP:GREEN")
    return str(run(node, "say", "--title", "A ship", *place, "--attach", str(photo))["id"])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    made = tmp_path / "skrov på väg.jpg"
    made.write_bytes(b"\xff\xd8\xff" + secrets.token_bytes(300_000))
    return made


def attached(node: Node, jti: str) -> list[Attachment]:
    stored = node.stores.statements.get(jti)
    return named(stored.statement.slots) if stored and stored.statement else []


def arrives(node: Node, jti: str) -> None:
    wait(lambda: node.stores.statements.get(jti))


def asked(me: Node, of: str, jti: str, digest: str, ver: int = 1) -> bytes | None:
    """What `of` answers to whoever asks for any bytes at all."""
    card = me.stores.roster.get(of)
    assert card is not None
    asker = Asker(
        card,
        me=me.stores.me,
        request_key=me.stores.keys.request,
        realm=me.stores.realm,
        wall=me.stores.wall,
        per_minute=limits.ATTACHMENT_REQUESTS_PER_MINUTE,
    )
    wanted = Attachment(slot="attachment.1", sha256=digest, name="x", type="image/jpeg", size=10**7)
    try:
        return fetch_attachment(asker, jti, ver, wanted)
    except Refused as e:
        assert e.reason == "another-attachment"  # it came, and is of another size than we made up
        return b"came"


def test_who_was_given_its_name_fetches_it_and_nobody_else(
    nodes: dict[str, Node], photo: Path, tmp_path: Path
) -> None:
    dk, se, fi = (nodes[n] for n in ("dk", "se", "fi"))
    jti, digest = say(dk, photo), sha256(photo.read_bytes()).hexdigest()
    for node in (se, fi):
        arrives(node, jti)
    (one,) = attached(se, jti)
    assert (one.name, one.type, one.sha256) == (photo.name, "image/jpeg", digest)
    assert run(se, "attachment", "list", jti)[0]["here"] is False  # type: ignore[index]
    assert run(se, "attachment", "fetch", jti)["via"] == "dk"
    saved = Path(str(run(se, "attachment", "save", jti, "--to", str(tmp_path / "out"))["file"]))
    assert saved.name == photo.name and saved.read_bytes() == photo.read_bytes()
    assert not any(part.problems for part in audit(se.stores.home))

    # fi knows the report and not the slot: it is answered as for what was never there
    assert attached(fi, jti) == [] and asked(fi, "dk", jti, digest) is None
    assert asked(fi, "dk", jti, "0" * 64) is None
    assert asked(fi, "se", jti, digest) is None
    assert asked(se, "dk", jti, digest) == b"came" and asked(se, "dk", jti, digest, ver=2) is None


def test_passed_on_it_comes_from_who_passed_it_on_once_that_has_it(
    nodes: dict[str, Node], photo: Path
) -> None:
    dk, se, ee = (nodes[n] for n in ("dk", "se", "ee"))
    jti, digest = say(dk, photo), sha256(photo.read_bytes()).hexdigest()
    arrives(ee, jti)
    with pytest.raises(SamsynError, match="has the file"):
        fetch(ee.stores, jti, digest, by="t")
    assert fetch(se.stores, jti, digest, by="t") == "dk"
    assert fetch(ee.stores, jti, digest, by="t") == "se"
    assert attaching(ee.stores).body(jti, digest)[1] == photo.read_bytes()


def test_other_bytes_are_refused_however_they_come(
    nodes: dict[str, Node], photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dk, se = nodes["dk"], nodes["se"]
    jti, digest = say(dk, photo), sha256(photo.read_bytes()).hexdigest()
    arrives(se, jti)
    forged = b"x" + photo.read_bytes()[1:]
    for sent in (forged, photo.read_bytes() + b"x", photo.read_bytes()[:-1]):
        with monkeypatch.context() as m:
            m.setattr(ReaderChannel, "attachment", lambda *_, sent=sent: sent)
            with pytest.raises(SamsynError, match=r"not the bytes|more than is agreed"):
                fetch(se.stores, jti, digest, by="t")
    wrong = tmp_path / "another" / photo.name
    wrong.parent.mkdir()
    wrong.write_bytes(forged)
    words = ["attachment", "take", jti, str(wrong), "--home", str(se.stores.home.root)]
    assert CliRunner().invoke(main, words).exit_code != 0
    assert se.stores.statements.attachments.held(jti, 1) == frozenset()

    # by hand, over an air gap: what has the hash is the file
    run(se, "attachment", "take", jti, str(photo))
    assert attaching(se.stores).body(jti, digest)[1] == photo.read_bytes()


def test_purged_it_is_in_no_file_of_any_home(nodes: dict[str, Node], photo: Path) -> None:
    dk, se, ee = (nodes[n] for n in ("dk", "se", "ee"))
    jti, digest = say(dk, photo), sha256(photo.read_bytes()).hexdigest()
    arrives(ee, jti)
    for node in (se, ee):
        fetch(node.stores, jti, digest, by="t")
    piece = photo.read_bytes()[5_000:5_040]

    def keeps(node: Node) -> bool:
        files = node.stores.home.root.rglob("*")
        return any(piece in file.read_bytes() for file in files if file.is_file())

    assert all(keeps(node) for node in (dk, se, ee))
    run(dk, "withdraw", jti, "--why", "wrong ship")
    wait(lambda: not any(keeps(node) for node in (dk, se, ee)))
    for node in (dk, se, ee):
        assert node.stores.statements.attachments.held(jti, 1) == frozenset()
    assert asked(se, "dk", jti, digest) is None


def test_a_new_version_names_it_again_without_its_bytes(nodes: dict[str, Node], photo: Path) -> None:
    dk = nodes["dk"]
    jti, digest = say(dk, photo), sha256(photo.read_bytes()).hexdigest()
    stored = dk.stores.statements.get(jti)
    assert stored and stored.statement
    said = stored.statement
    draft = Draft(
        kind=said.kind,
        marking=said.marking,
        onward=said.onward,
        exercise=said.exercise,
        slots=dict(said.slots),
    )
    dk.stores.pen.sign(draft, by="t", jti=jti, ver=2)
    assert attaching(dk.stores).body(jti, digest)[1] == photo.read_bytes()
    with pytest.raises(SamsynError, match="is not here"):
        dk.stores.pen.sign(draft, by="t")


def test_verify_finds_bytes_that_were_changed_on_disk(tmp_path: Path, photo: Path) -> None:
    (home,) = homes(tmp_path, {"dk": DK.replace("se", "dk2").replace("fi", "dk3")}).values()
    with Stores(home) as stores:
        node_home = stores.home
        words = ["say", "--title", "A", "--lat", "1", "--lon", "1", "--attach", str(photo)]
        assert CliRunner().invoke(main, [*words, "--home", str(node_home.root)]).exit_code == 0
        assert not any(part.problems for part in audit(home))
        with stores.db.write() as db:
            db.execute("UPDATE attachment SET body = zeroblob(length(body))")
        bad = [part for part in audit(home) if part.problems]
        assert [part.what for part in bad] == ["attachments"]
