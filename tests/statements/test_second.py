"""The second process does as this one does, refusals too, and it ends with us."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base.errors import Refused
from samsyn.statements.ladder import place_ladder, time_ladder
from samsyn.statements.second import WORTH_IT, Second
from samsyn.statements.sign import verify_many
from samsyn.statements.statement import Draft

KEY = Ed25519PrivateKey.generate()
KEYS = {"dk": KEY.public_key()}
MANY = WORTH_IT + 5


def draft(n: int) -> Draft:
    point = {"type": "Point", "coordinates": [14.0, 55.0]}
    slots = {**place_ladder(point), **time_ladder(n * 1_000_000), "title": f"t{n}", "tags": ["a", "b"]}
    return Draft(kind="report", marking="TLP:GREEN", onward="ask", exercise=False, slots=slots)


@pytest.fixture(scope="module")
def second() -> Iterator[Second]:
    made = Second()
    yield made
    made.close()


def test_what_it_signs_verifies_and_carries_the_draft(second: Second) -> None:
    drafts = [draft(n) for n in range(MANY)]
    signed = second.sign_many(drafts, iss="dk", key=KEY)
    views = [s.present() for s in signed]
    assert [s.slots for s in signed] == [d.slots for d in drafts]
    assert verify_many(views, KEYS) == second.verify_many(views, KEYS) == signed


def test_a_draft_that_cannot_be_signed_is_told(second: Second) -> None:
    wrong = draft(1)
    wrong.slots["place.spot"] = ["871fb4662ffffff"]  # not where the point is
    with pytest.raises(Refused) as e:
        second.sign_many([*(draft(n) for n in range(MANY)), wrong], iss="dk", key=KEY)
    assert e.value.reason == "finer-outside-coarser"
    assert len(second.sign_many([draft(n) for n in range(MANY)], iss="dk", key=KEY)) == MANY


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda v: v.replace(b"~", b"", 1), "malformed"),
        (lambda v: v[: v.index(b"~") - 9] + b"AAAAAAAAA" + v[v.index(b"~") :], "forged-signature"),
        (lambda v: v[:-20] + b"x" + v[-19:], None),
    ],
)
def test_it_refuses_as_this_process_does(second: Second, damage: object, reason: str | None) -> None:
    assert callable(damage)
    views = [s.present() for s in second.sign_many([draft(n) for n in range(MANY)], iss="dk", key=KEY)]
    views[MANY // 2] = damage(views[MANY // 2])
    with pytest.raises(Refused) as here:
        verify_many(views, KEYS)
    with pytest.raises(Refused) as there:
        second.verify_many(views, KEYS)
    assert here.value.reason == there.value.reason == (reason or here.value.reason)
    good = [s.present() for s in second.sign_many([draft(n) for n in range(MANY)], iss="dk", key=KEY)]
    assert len(second.verify_many(good, KEYS)) == MANY  # no answer of before is left in the pipe


def test_an_unknown_originator_is_refused(second: Second) -> None:
    views = [s.present() for s in second.sign_many([draft(n) for n in range(MANY)], iss="xx", key=KEY)]
    with pytest.raises(Refused) as e:
        second.verify_many(views, KEYS)
    assert e.value.reason == "unknown-originator"


def test_it_is_started_anew_when_it_was_killed(second: Second) -> None:
    second.sign_many([draft(n) for n in range(MANY)], iss="dk", key=KEY)
    for child in psutil.Process().children():
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
            child.wait()
    assert len(second.sign_many([draft(n) for n in range(MANY)], iss="dk", key=KEY)) == MANY


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import os, signal, sys\n"
        "from tests.statements.test_second import KEY, MANY, draft\n"
        "from samsyn.statements.second import Second\n"
        "if __name__ == '__main__':\n"
        "    Second().sign_many([draft(n) for n in range(MANY)], iss='dk', key=KEY)\n"
        "    import psutil\n"
        "    print(*[c.pid for c in psutil.Process().children()], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{root}:{root / 'src'}", "PATH": ""},
    )
    children = [psutil.Process(int(p)) for p in done.stdout.split() if psutil.pid_exists(int(p))]
    assert done.stdout.split(), done.stderr
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
