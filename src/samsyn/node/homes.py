"""Making a home folder, and the card that it shows to partners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samsyn.base.clock import SystemClock
from samsyn.base.errors import ConfigError
from samsyn.base.ids import is_node_name
from samsyn.base.settings import Home, Realm, split_address
from samsyn.base.settings import to_toml_value as toml
from samsyn.exchange import tls
from samsyn.exchange.card import Card, make_card
from samsyn.statements.keys import generate, load

CONFIG = """\
# This node. Paths are relative to this folder. A key that is not known is an error, not a surprise.

[node]
name = {name}
organisation = {organisation}
realm = {realm}                    # "actual" or "exercise"; a node process is in one of them
home_listen = {home_listen}        # the picture: leave it on loopback, or put a TLS proxy before it
exchange_listen = {exchange_listen}    # partners; HTTPS, requests signed
# readers_listen = "0.0.0.0:8442"     # readers without a node (samsyn reader add); HTTPS
# readers_certificate = "gis.pem"     # a certificate that their programs trust; readers_key = "gis.key"
# tak_listen = "0.0.0.0:8089"         # TAK clients among them (samsyn reader certificate); TLS
{address}
[exercise]                           # how time runs in the exercise realm
{exercise}
# A feed: where observations come from. `samsyn feed list` names the kinds.
#
# [[feed]]
# name = "my-receiver"
# kind = "ais_nmea"
# source = "tcp:127.0.0.1:10110"     # or tcp-listen:10110, udp:0.0.0.0:10110, file:PATH, http://...
# marking = "TLP:GREEN"              # of its live tracks; else that of the node
# keep = "7d"                        # its observations; else as [store] says
{feeds}
# How long observations are kept after they came in.
#
# [store]
# keep_observations = "30d"
# keep_marked = {{ "TLP:RED" = "3d" }} # by the marking of their feed
#
# How long what partners say is kept here, unless it names an earlier day itself; hashes stay.
#
# [[retention]]
# keep = "90d"
# kind = "report"                    # or marking = "TLP:RED", received_from = "se"
#
# A standing order: findings that are signed as alerts without a person. Without one, findings stay
# findings until somebody signs them.
#
# [[standing_order]]
# id = "distress-at-once"
# why = "Duty instruction 4: distress is told at once"
# detectors = ["emergency"]
# marking = "TLP:GREEN"
{orders}"""

POLICY = """\
# Who may have what. Nothing leaves without a rule; every rule says why.
#
# [[rule]]
# id     = "sea-alerts-se"
# why    = "Sea surveillance agreement, article 3"
# to     = ["se"]                    # partners by name, or "circle:NAME"
# kinds  = ["alert", "report"]
# when   = { subject = "sea" }
# place  = "area"                    # region | area | spot | exact; absent: no place at all
# time   = "hour"                    # day | hour | exact; absent: no time at all
# hide   = ["author", "sources"]
"""

ZONES = """\
{"type": "FeatureCollection", "features": []}
"""


def make_home(
    root: Path,
    *,
    name: str,
    organisation: str,
    realm: Realm,
    home_listen: str = "127.0.0.1:8440",
    exchange_listen: str = "127.0.0.1:8441",
    exchange_address: str = "",
    exercise: str = "",
    feeds: Sequence[str] = (),
    orders: Sequence[str] = (),
    policy: str = POLICY,
    zones: str = ZONES,
) -> Home:
    """A new home at `root`: settings, keys, certificate, policy, zones.

    `exercise`, `feeds` and `orders` are TOML to put in. Raises `ConfigError` where there is one
    already or a value cannot be used.
    """
    home = Home(root)
    if home.config.exists() or home.keys.exists():
        raise ConfigError("there is a home here already", where=str(root), do="choose another --home")
    if not is_node_name(name):
        raise ConfigError(
            f"{name!r} is no node name", do="use lower-case letters, digits and -, at most 31"
        )
    for field, address in (("home_listen", home_listen), ("exchange_listen", exchange_listen)):
        split_address(address, field)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = f"exchange_address = {toml(exchange_address)}\n" if exchange_address else ""
    text = CONFIG.format(
        name=toml(name),
        organisation=toml(organisation),
        realm=toml(realm),
        home_listen=toml(home_listen),
        exchange_listen=toml(exchange_listen),
        address=address,
        exercise=exercise,
        feeds="\n".join(feeds),
        orders="\n".join(orders),
    )
    home.config.write_text(text)
    home.policy.write_text(policy)
    (root / "zones.geojson").write_text(zones)
    home.partners.mkdir()
    generate(home.keys)
    tls.generate(home.keys, name, SystemClock().now_us())
    home.settings()
    return home


def own_card(home: Home, keys: Path | None = None) -> Card:
    """This node's card; with the keys in another folder than the home's where one is given.

    Raises `ConfigError` where its address cannot be reached by others.
    """
    folder = keys or home.keys
    node = home.settings().node
    address = node.exchange_address or node.exchange_listen
    if split_address(address, "exchange")[1] == 0:
        raise ConfigError(
            "the exchange listens on a port that is chosen at start",
            where=f"{home.config}: node.exchange_listen",
            do="name the port, or set exchange_address",
        )
    return make_card(node.name, node.organisation, address, load(folder), tls.own_certificate(folder))
