"""One simulated node: a real home with real stores, door and mirrors; only clock and disk are not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from samsyn.base.clock import ManualClock
from samsyn.base.settings import Home, Realm
from samsyn.channels import Door, Mirror
from samsyn.exchange import tls
from samsyn.exchange.card import SUFFIX
from samsyn.node.homes import own_card
from samsyn.node.stores import Stores
from samsyn.policy import Policy
from samsyn.sim.disk import Disk
from samsyn.statements.keys import NAMES

_CONFIG: Final = """\
[node]
name = "{name}"
organisation = "Organisation {name}"
realm = "{realm}"
exchange_listen = "127.0.0.1:8441"
"""


def make_homes(
    folder: Path, policies: dict[str, str], realm: Realm, chance: random.Random, now_us: int
) -> dict[str, Home]:
    """A home for each name, with the policy given, and every other's card. Keys come from `chance`."""
    homes = {name: Home(folder / name) for name in policies}
    for name, home in homes.items():
        home.partners.mkdir(parents=True)
        home.keys.mkdir()
        home.config.write_text(_CONFIG.format(name=name, realm=realm))
        home.policy.write_text(policies[name])
        for key in NAMES:
            pem = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
            (home.keys / f"{key}.pem").write_bytes(pem)
            (home.keys / f"{key}.pem").chmod(0o600)
        tls.generate(home.keys, name, now_us)
    for name, home in homes.items():
        card = own_card(home)
        for other in homes:
            if other != name:
                card.write(homes[other].partners / f"{name}{SUFFIX}")
    return homes


class Place:
    """A node that can be stopped, lose power, and be started again on what its disk holds."""

    def __init__(self, name: str, home: Home, realm: Realm, clock: ManualClock, disk: Disk) -> None:
        self.name = name
        self.home = home
        self.realm: Realm = realm
        self.clock = clock
        self.disk = disk
        self.is_up = False
        self.start()

    def start(self) -> None:
        """What `node` does at its start, but threads and sockets."""
        self.stores = Stores(self.home, self.realm, self.clock, self.disk.connection())
        self.policy: Policy = self.stores.policy()
        self.door: Door = self.stores.door()
        self.door.set_policy(self.policy, self.stores.readers())
        self.mirrors: dict[str, Mirror] = {
            card.name: self.stores.mirror(card) for card in self.stores.roster.all()
        }
        self.is_up = True

    def stop(self) -> None:
        """Stop in good order, or clear up after a loss of power: then the disk has the last word."""
        self.stores.close()
        self.disk.restore()
        self.is_up = False

    @property
    def partners(self) -> Sequence[str]:
        return sorted(self.mirrors)

    def bytes_on_disk(self) -> bytes:
        """All that the store's files hold, free pages and write-ahead log included."""
        file = self.home.ledger(self.realm)
        return b"".join(p.read_bytes() for p in sorted(file.parent.glob(f"{file.name}*")))
