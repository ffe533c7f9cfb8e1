"""New keys: what the old ones signed stays, what they sign now is refused, and nobody is left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from samsyn.base.clock import DAY_US, ManualClock, SystemClock
from samsyn.base.errors import ConfigError, Refused
from samsyn.base.settings import Home
from samsyn.channels import batch as wire
from samsyn.channels.leaf import release_leaf
from samsyn.exchange import tls
from samsyn.exchange.card import make_card
from samsyn.exchange.succession import Succession, make_succession, own_past
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.node import partners, rotation
from samsyn.node.audit import audit
from samsyn.node.homes import own_card
from samsyn.node.rotation import Rotated, rotate
from samsyn.node.stores import Stores
from samsyn.statements.keys import load
from samsyn.statements.sign import sign
from samsyn.statements.statement import view_hash
from tests.channels.nodes import draft, new_keys
from tests.desk.homes import ALL_TO_SE, carry, made_homes, tick
from tests.desk.test_partners import clean

TO_SE = "samsyn.dk/actual/se"


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    return made_homes(tmp_path, "dk", "se", policy=ALL_TO_SE)


def say(home: Home, count: int = 1) -> list[str]:
    with Stores(home) as stores:
        said = [stores.pen.sign(draft(exercise=False), by="duty").jti for _ in range(count)]
        tick(stores)
    return said


def send(made: Rotated, to: Home) -> None:
    file = made.successions[to.settings().node.name]
    partners.succeed(to, file.read_bytes(), str(file), by="anna")


def held(home: Home) -> int:
    with Stores(home) as stores:
        return sum(not s.purged for s in stores.statements.page())


def test_a_partner_follows_and_nothing_is_lost(homes: dict[str, Home]) -> None:
    dk, se = homes["dk"], homes["se"]
    say(dk, 2)
    carry(dk, se)
    say(dk, 1)  # this one is still on its way, under the old key
    old = own_card(dk)
    made = rotate(dk, by="anna")
    assert made.old == old and made.new == own_card(dk) and made.new.fingerprint != old.fingerprint
    say(dk, 2)
    with pytest.raises(Refused, match="no known key has signed"):
        carry(dk, se)
    assert held(se) == 2
    send(made, se)
    carry(dk, se)
    assert held(se) == 5 and clean(dk, se)
    with Stores(dk) as stores:
        assert [n.what["new"] for n in stores.diary.entries() if n.did == "keys-rotate"] == [
            made.new.fingerprint
        ]
        assert stores.door().applied("se") == (5, 5)


def test_twice_and_by_both(homes: dict[str, Home]) -> None:
    dk, se = homes["dk"], homes["se"]
    for _ in range(3):
        say(dk)
        carry(dk, se)
        send(rotate(dk, by="anna"), se)
        send(rotate(se, by="bo"), dk)
        assert clean(dk, se)
    say(dk)
    carry(dk, se)
    assert held(se) == 4 and clean(dk, se)
    assert len(own_past(dk.keys)) == 3


def test_a_partner_that_was_away_for_two_rotations_takes_both_in_order(homes: dict[str, Home]) -> None:
    dk, se = homes["dk"], homes["se"]
    made = []
    for _ in range(2):
        say(dk)
        made.append(rotate(dk, by="anna"))
    say(dk)
    with pytest.raises(Refused, match="it follows a card"):
        send(made[1], se)
    send(made[0], se)
    send(made[1], se)
    carry(dk, se)
    assert held(se) == 3 and clean(dk, se)


def test_old_private_keys_are_gone(homes: dict[str, Home]) -> None:
    dk = homes["dk"]
    files = [dk.keys / name for name in rotation.FILES if name != "tls.pem"]
    secrets = [file.read_bytes().split(b"\n")[1] for file in files]
    for file in files:  # what lay under the name, and not only the name
        os.link(file, dk.root / f"{file.name}.was")
    rotate(dk, by="anna")
    left = b"".join(p.read_bytes() for p in dk.root.rglob("*") if p.is_file())
    assert not any(secret in left for secret in secrets)
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_no_rotation_under_a_running_node(homes: dict[str, Home]) -> None:
    with Stores(homes["dk"]) as running:
        running.take_lock()
        with pytest.raises(ConfigError, match="a node runs"):
            rotate(homes["dk"], by="anna")
    assert not (homes["dk"].keys / "next").exists()


@pytest.mark.parametrize("step", range(1, 12))
def test_an_interrupted_rotation_is_finished_by_doing_it_again(
    homes: dict[str, Home], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power fails at the n-th file that changes its name."""
    dk, se = homes["dk"], homes["se"]
    say(dk)
    replace, done = Path.replace, 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal done
        done += 1
        if done == step:
            raise OSError("power failed")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        try:
            rotate(dk, by="anna")
        except OSError:
            interrupted = True
        else:
            interrupted = False
    if (dk.keys / "next" / "ready").exists():
        with pytest.raises(ConfigError, match="not in use yet"):
            Stores(dk)
    made = rotate(dk, by="anna") if interrupted else None
    if made is None:
        return
    say(dk)
    for number in range(1, len(own_past(dk.keys)) + 1):
        file = dk.keys / "retired" / str(number) / "se.succession.json"
        partners.succeed(se, file.read_bytes(), "", by="anna")
    carry(dk, se)
    assert held(se) == 2 and clean(dk, se)


def test_what_a_delay_held_back_is_counted_and_not_released(homes: dict[str, Home]) -> None:
    dk, se = homes["dk"], homes["se"]
    dk.policy.write_text(ALL_TO_SE + 'delay = "10m"\n')
    (jti,) = say(dk)
    made = rotate(dk, by="anna")
    assert made.dropped == 1
    with Stores(dk, wall=ManualClock(SystemClock().now_us() + DAY_US)) as stores:
        stores.outbox.put("release", jti, 1)
        tick(stores)
        assert stores.logs.size(TO_SE) == 0
        door = stores.door()
        door.set_policy(stores.policy(), stores.readers())
        assert "key that was replaced" in door.explain(jti, "se").en
    send(made, se)
    assert clean(dk, se)


def test_a_wrong_policy_keeps_nobody_from_new_keys(homes: dict[str, Home]) -> None:
    dk = homes["dk"]
    with Stores(dk) as stores:
        stores.pen.sign(draft(exercise=False), by="duty")
    dk.policy.write_text("[[rule]]\nid = 1\n")
    assert rotate(dk, by="anna").dropped == 1


# whoever has the old keys


class Thief:
    """Has dk's keys of before, and se took the new ones."""

    def __init__(self, homes: dict[str, Home]) -> None:
        self.dk, self.se = homes["dk"], homes["se"]
        say(self.dk, 2)
        carry(self.dk, self.se)
        self.card, self.keys = own_card(self.dk), load(self.dk.keys)
        self.made = rotate(self.dk, by="anna")

    def succession(self, folder: Path) -> bytes:
        """Another successor, as the thief would have it."""
        own = new_keys()
        certificate = tls.generate(folder / "thief", "dk", 1_795_291_503_000_000)
        card = make_card("dk", self.card.organisation, "evil.example:1", own, certificate)
        made = make_succession(self.card, card, "se", {"actual": 2}, self.keys.statement, own.statement)
        return made.to_bytes()


@pytest.fixture
def thief(homes: dict[str, Home]) -> Thief:
    return Thief(homes)


def test_a_second_succession_by_a_stolen_key_is_not_taken(thief: Thief, tmp_path: Path) -> None:
    send(thief.made, thief.se)
    with pytest.raises(Refused) as error:
        partners.succeed(thief.se, thief.succession(tmp_path), "", by="anna")
    assert error.value.reason == "not-the-successor"
    say(thief.dk)
    carry(thief.dk, thief.se)
    assert held(thief.se) == 3


def test_before_the_first_only_the_words_tell_a_thief(thief: Thief, tmp_path: Path) -> None:
    """What rotation cannot do: both files are properly signed. People compare the words."""
    forged = partners.successor(thief.se, thief.succession(tmp_path), "")
    assert forged.new.fingerprint != thief.made.new.fingerprint


def test_a_statement_signed_with_a_retired_key(thief: Thief) -> None:
    """Put into the channel by dk's own node, or by whoever writes with its new log key."""
    send(thief.made, thief.se)
    said = sign(draft(exercise=False), iss="dk", key=thief.keys.statement)
    view = said.present()
    with Stores(thief.dk) as dk:
        dk.logs.append(TO_SE, [(release_leaf(said.jti, 1, view_hash(view)), b"")])
        size, root = dk.logs.head(TO_SE)
        note = sign_checkpoint(TO_SE, size, root, dk.keys.log)
        known = wire.hashes_to_text(dk.logs.consistency(TO_SE, 2, 3))
        entry = wire.Entry(release_leaf(said.jti, 1, view_hash(view)).decode(), view.decode())
        data = wire.encode(
            wire.Batch(checkpoint=note.decode(), after=2, entries=[entry], known=known, given=[])
        )
    assert _refused(thief.se, data) == "retired-key"


def test_a_head_signed_with_a_retired_key(thief: Thief) -> None:
    send(thief.made, thief.se)
    with Stores(thief.dk) as dk:
        leaf = release_leaf(sign(draft(), iss="dk", key=thief.keys.statement).jti, 1, b"x" * 32)
        dk.logs.append(TO_SE, [(leaf, b"")])
        size, root = dk.logs.head(TO_SE)
        note = sign_checkpoint(TO_SE, size, root, thief.keys.log)
        known = wire.hashes_to_text(dk.logs.consistency(TO_SE, 2, 3))
    batch = wire.Batch(checkpoint=note.decode(), after=2, entries=[], known=known, given=[])
    assert _refused(thief.se, wire.encode(batch)) == "retired-key"


def _refused(home: Home, data: bytes) -> str:
    with Stores(home) as stores:
        (card,) = stores.roster.all()
        with pytest.raises(Refused) as error:
            stores.mirror(card).receive(data)
        assert stores.mirror(card).size == 2
    return error.value.reason


def other_reader(thief: Thief, made: Succession) -> Succession:
    return msgspec.structs.replace(made, reader="fi")


def larger_size(thief: Thief, made: Succession) -> Succession:
    return msgspec.structs.replace(made, sizes={"actual": 1_000})


def other_card(thief: Thief, made: Succession) -> Succession:
    return msgspec.structs.replace(made, new=own_card(thief.se))


def old_card_again(thief: Thief, made: Succession) -> Succession:
    return make_succession(
        made.old, made.old, "se", made.sizes, thief.keys.statement, thief.keys.statement
    )


def fewer_than_held(thief: Thief, made: Succession) -> Succession:
    keys = load(thief.dk.keys)
    return make_succession(made.old, made.new, "se", {"actual": 1}, thief.keys.statement, keys.statement)


def without_the_old_key(thief: Thief, made: Succession) -> Succession:
    return msgspec.structs.replace(made, old_signature=made.new_signature)


def without_the_new_key(thief: Thief, made: Succession) -> Succession:
    return msgspec.structs.replace(made, new_signature=made.old_signature)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_reader, "other-reader"),
        (larger_size, "forged-succession"),
        (other_card, "unknown-partner"),
        (old_card_again, "shared-key"),
        (fewer_than_held, "succession-below"),
        (without_the_old_key, "forged-succession"),
        (without_the_new_key, "forged-succession"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_succession_that_was_changed(
    thief: Thief, change: Callable[[Thief, Succession], Succession], reason: str
) -> None:
    made = msgspec.json.decode(thief.made.successions["se"].read_bytes(), type=Succession)
    card = own_card(thief.se)
    with pytest.raises(Refused) as error:
        partners.succeed(thief.se, change(thief, made).to_bytes(), "", by="anna")
    assert error.value.reason == reason
    with Stores(thief.se) as stores:
        assert stores.roster.get("dk") == thief.card and own_card(thief.se) == card


def test_audit_knows_which_key_was_whose(thief: Thief) -> None:
    """Without the note of the old keys, what they signed cannot be checked any more."""
    send(thief.made, thief.se)
    assert clean(thief.dk, thief.se)
    for path in (thief.se.partners / "retired").iterdir():
        path.unlink()
    assert any(p.problems for p in audit(thief.se))
