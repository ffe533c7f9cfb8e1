"""Homes that hold each other's cards, and the door's tick on one, without a running node."""

from __future__ import annotations

from pathlib import Path

from samsyn.base.settings import Home
from samsyn.demo.world import swap_cards
from samsyn.node.homes import make_home
from samsyn.node.stores import Stores

ALL_TO_SE = """
[[rule]]
id = "all-to-se"
why = "Close partnership"
to = ["se"]
kinds = ["alert", "report"]
place = "area"
time = "hour"
hide = ["author", "sources", "text"]
"""


def made_homes(folder: Path, *names: str, policy: str = ALL_TO_SE) -> dict[str, Home]:
    """`policy` is dk's; the others release nothing."""
    homes = {
        name: make_home(
            folder / name,
            name=name,
            organisation=f"Coast Watch {name.upper()}",
            realm="actual",
            exchange_listen=f"127.0.0.1:{8441 + n}",
            policy=policy if name == "dk" else "",
        )
        for n, name in enumerate(names)
    }
    swap_cards(homes.values())
    return homes


def tick(stores: Stores) -> None:
    """What the running node does twice a second."""
    door = stores.door()
    door.set_policy(stores.policy(), stores.readers())
    door.tick()


def carry(giver: Home, reader: Home) -> None:
    """All that is in the channel from one to the other, and the receipt back."""
    with Stores(giver) as ours, Stores(reader) as theirs:
        door = ours.door()
        door.set_policy(None, ours.readers())
        card = theirs.roster.get(ours.me)
        channel = door.reader(theirs.me)
        assert card is not None and channel is not None
        mirror = theirs.mirror(card)
        while mirror.receive(channel.entries(mirror.size)).behind:
            pass
        note = mirror.cosigned()
        assert note is not None
        channel.cosign(note)
