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
