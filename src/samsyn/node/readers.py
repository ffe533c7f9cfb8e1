"""Readers without a node come and lose their token: what that means for each realm of a home.

Everything here may be done while the node runs: it looks at the file at every request and tick.
"""

from __future__ import annotations

import msgspec

from samsyn.base.clock import SystemClock, iso
from samsyn.base.errors import ConfigError
from samsyn.base.settings import Home
from samsyn.channels.given import Account
from samsyn.channels.names import channel_origin
from samsyn.exchange.reader_certificates import Issued, issue
from samsyn.exchange.roster import Roster
from samsyn.formats.stix_profiles import Profile
from samsyn.interfaces.readers import Readers
from samsyn.node.partners import realms_of


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One reader. certificate: whether it has one; both: whether it must show it beside the token.
    entries: of its channels in all realms; waiting: releases held back."""

    name: str
    organisation: str
    added: str
    revoked: bool
    certificate: bool
    both: bool
    entries: int
    waiting: int


def add(home: Home, name: str, organisation: str, *, by: str, profile: Profile = "plain") -> str:
    """A new reader's token, which is kept nowhere; or a new one of a reader whose token was revoked.

    What was held back meanwhile is decided at the next tick, by the policy as it is then. Raises
    `ConfigError` where a partner, of now or of before, has that name, and as `Readers.add`.
    """
    roster = Roster(home.partners)
    taken = {card.name for card in (*roster.all(), *roster.former())} | {home.settings().node.name}
    if name in taken:
        raise ConfigError(f"{name} is the name of a node", do="choose another name")
    readers = Readers(home.readers)
    known = readers.get(name) is not None
    token = readers.add(name, organisation, iso(SystemClock().now_us()), profile)
    for stores in realms_of(home):
        with stores.db.write():
            if known:
                Account(stores.db).end_hold(name, decide=True)
            stores.diary.write(by, "reader-add", reader=name, organisation=organisation)
    return token


def certificate(home: Home, name: str, password: str, *, by: str, both: bool = False) -> Issued:
    """A new certificate for a reader that has a token; the one of before is nobody's from now on. both:
    certificate and token are wanted together from now on, else either.

    A running node takes the first one of all after it is started anew. Raises `ConfigError`.
    """
    readers = Readers(home.readers)
    readers.active(name)
    now_us = SystemClock().now_us()
    issued = issue(home.keys, home.settings().node.name, name, password, now_us)
    readers.set_certificate(name, issued.der, both=both)
    for stores in realms_of(home):
        stores.diary.write(by, "reader-certificate", reader=name, with_token=both)
    return issued


def revoke_certificate(home: Home, name: str, *, by: str, why: str) -> None:
    """From the next request on its certificate is nobody's; its token it keeps. Raises `ConfigError`."""
    Readers(home.readers).revoke_certificate(name)
    for stores in realms_of(home):
        stores.diary.write(by, "reader-certificate-revoke", reader=name, why=why)


def revoke(home: Home, name: str, *, by: str, why: str) -> None:
    """From the next request on its token is nobody's. Raises `ConfigError`."""
    Readers(home.readers).revoke(name)
    for stores in realms_of(home):
        stores.diary.write(by, "reader-revoke", reader=name, why=why)


def shown(home: Home) -> list[Shown]:
    """All of them, revoked ones too, by name."""
    entries: dict[str, int] = {}
    waiting: dict[str, int] = {}
    readers = Readers(home.readers).all()
    for stores in realms_of(home):
        for reader in readers:
            size = stores.logs.size(channel_origin(stores.me, stores.realm, reader.name))
            held = Account(stores.db).held_back(reader.name)
            entries[reader.name] = entries.get(reader.name, 0) + size
            waiting[reader.name] = waiting.get(reader.name, 0) + held
    return [
        Shown(
            name=reader.name,
            organisation=reader.organisation,
            added=reader.added,
            revoked=not reader.token,
            certificate=bool(reader.certificate),
            both=reader.both,
            entries=entries[reader.name],
            waiting=waiting[reader.name],
        )
        for reader in readers
    ]
