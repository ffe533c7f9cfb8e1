"""New keys for a node: what it does so that its partners can follow, and that a crash leaves no half.

    keys/next/       the new keys and what was said of them, until they are in use
    keys/retired/N.json               the card of before, and the channels' sizes then
    keys/retired/N/fi.succession.json what fi is to be sent; kept, since it can never be made again

Everything is prepared in `next`, then `next/ready` is written: from there on the way is only forward,
and doing it again finishes it. Only then are the old private keys destroyed.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from samsyn.base.clock import SystemClock
from samsyn.base.errors import SamsynError
from samsyn.base.settings import Home
from samsyn.channels.names import channel_origin
from samsyn.exchange import tls
from samsyn.exchange.card import Card, write_whole
from samsyn.exchange.succession import SUFFIX, OwnPast, make_succession, own_past
from samsyn.node.homes import own_card
from samsyn.node.partners import REALMS
from samsyn.node.stores import Stores
from samsyn.statements.keys import NAMES, NEXT, READY, generate, load

FILES: Final = (*(f"{name}.pem" for name in NAMES), tls.KEY_FILE, tls.CERTIFICATE_FILE)


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """The cards before and after, what each partner is to be sent, and how many releases that waited
    for a delay are not made: they are of statements signed with the old key."""

    old: Card
    new: Card
    successions: dict[str, Path]
    dropped: int


def rotate(home: Home, *, by: str) -> Rotated:
    """Take new keys into use. No node may run on this home. Raises `ConfigError`."""
    folder = home.keys
    dropped = 0
    if not (folder / NEXT / READY).exists():
        with ExitStack() as opened:
            realms = [opened.enter_context(stores) for stores in _realms(home)]
            for stores in realms:
                stores.take_lock()
            for stores in realms:
                dropped += _decide_what_waits(stores)
            _prepare(home, realms)
    number = len(own_past(folder)) + (0 if _is_moved(folder) else 1)
    _use(folder, number)
    past = own_past(folder)[-1]
    new = own_card(home)
    for stores in _realms(home):
        with stores:
            stores.diary.write(
                by, "keys-rotate", old=past.card.fingerprint, new=new.fingerprint, dropped=dropped
            )
            stores.door().set_policy(None, stores.readers())  # heads by the new key
    made = sorted((folder / "retired" / str(number)).glob(f"*{SUFFIX}"))
    named = {path.name.removesuffix(SUFFIX): path for path in made}
    return Rotated(old=past.card, new=new, successions=named, dropped=dropped)


def _realms(home: Home) -> list[Stores]:
    own = home.settings().node.realm
    return [Stores(home, r) for r in REALMS if r == own or home.ledger(r).is_file()]


def _decide_what_waits(stores: Stores) -> int:
    """What is queued is released while the old key can still say so; returns how many releases, queued
    or held back by a delay, are not made. No policy, or one that is wrong, must not keep anybody from
    taking new keys."""
    door = stores.door()
    try:
        stores.found()
        door.set_policy(stores.policy(), stores.readers())
    except SamsynError:
        door.set_policy(None, stores.readers())
    left = -1
    while stores.outbox.waiting() != left:
        left = stores.outbox.waiting()
        door.tick()
    with stores.db.write() as db:
        db.execute("DELETE FROM outbox")
        return left + db.execute("DELETE FROM pending").rowcount


def _prepare(home: Home, realms: list[Stores]) -> None:
    folder, upcoming = home.keys, home.keys / NEXT
    shutil.rmtree(upcoming, ignore_errors=True)  # of an attempt that never was ready
    old, old_keys = own_card(home), load(folder)
    new_keys = generate(upcoming)
    tls.generate(upcoming, old.name, SystemClock().now_us())
    new = own_card(home, upcoming)
    past = OwnPast(old, {s.realm: _sizes(s) for s in realms})
    write_whole(upcoming / "past.json", msgspec.json.encode(past))
    for card in realms[0].roster.all():
        sizes = {realm: found.get(card.name, 0) for realm, found in past.sizes.items()}
        made = make_succession(old, new, card.name, sizes, old_keys.statement, new_keys.statement)
        write_whole(upcoming / f"{card.name}{SUFFIX}", made.to_bytes())
    write_whole(upcoming / READY, b"")


def _sizes(stores: Stores) -> dict[str, int]:
    """Of every channel that this node ever wrote, former partners' too."""
    begin = channel_origin(stores.me, stores.realm, "")
    names = [name for name in stores.logs.names() if name.startswith(begin)]
    return {name.removeprefix(begin): stores.logs.size(name) for name in names}


def _is_moved(folder: Path) -> bool:
    """Whether an interrupted rotation has come as far as to note the old card among those of before."""
    past = folder / NEXT / "past.json"
    return not past.exists()


def _use(folder: Path, number: int) -> None:
    """From `next/ready` on: each step may be done again."""
    upcoming, retired = folder / NEXT, folder / "retired"
    (retired / str(number)).mkdir(parents=True, exist_ok=True)
    if (upcoming / "past.json").exists():
        for path in upcoming.glob(f"*{SUFFIX}"):
            path.replace(retired / str(number) / path.name)
        (upcoming / "past.json").replace(retired / f"{number}.json")
    for name in FILES:
        if (upcoming / name).exists():
            _destroy(folder / name)
            (upcoming / name).replace(folder / name)
    (upcoming / READY).unlink()
    upcoming.rmdir()


def _destroy(path: Path) -> None:
    """Overwrite before the name goes. What a disk keeps of its own accord is beyond us."""
    if path.exists():
        with path.open("r+b") as file:
            file.write(b"\0" * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
