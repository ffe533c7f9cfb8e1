"""`samsyn verify`: every log and every statement of a home, computed and checked anew."""

from __future__ import annotations

import msgspec

from samsyn.base.errors import Refused, SamsynError
from samsyn.base.settings import Home, Realm
from samsyn.channels.audit import audit_given, audit_held
from samsyn.channels.given import Account
from samsyn.channels.names import channel_origin
from samsyn.desk.diary import diary_origin
from samsyn.exchange.card import public_key
from samsyn.log.checkpoint import open_checkpoint
from samsyn.node.stores import Stores
from samsyn.statements.sign import verify

PAGE = 500


class Part(msgspec.Struct, frozen=True):
    """One thing that was audited, how many items it has, and what is wrong with them."""

    realm: Realm
    what: str
    checked: int
    problems: tuple[str, ...]


def audit(home: Home) -> list[Part]:
    """Raises `ConfigError` where there is no usable home."""
    parts: list[Part] = []
    realms: tuple[Realm, ...] = ("actual", "exercise")
    for realm in realms:
        if home.ledger(realm).is_file():
            with Stores(home, realm) as stores:
                parts += _realm(stores)
    return parts


def _realm(stores: Stores) -> list[Part]:
    realm = stores.realm
    parts = [_diary(stores)]
    for card in stores.roster.all():
        given = audit_given(
            channel_origin(stores.me, realm, card.name),
            card.name,
            stores.logs,
            stores.statements,
            Account(stores.db),
            stores.keys.log.public_key(),
            public_key(card.log_key),
        )
        parts.append(Part(realm, f"channel to {card.name}", given.size, given.problems))
        held = audit_held(
            channel_origin(card.name, realm, stores.me),
            card.name,
            stores.logs,
            stores.statements,
            public_key(card.log_key),
        )
        parts.append(Part(realm, f"channel from {card.name}", held.size, held.problems))
    parts.append(_statements(stores))
    return parts


def _diary(stores: Stores) -> Part:
    origin = diary_origin(stores.me, stores.realm)
    if origin not in stores.logs.names():  # nothing was ever written
        return Part(stores.realm, "diary", 0, ())
    found = stores.logs.audit(origin)
    problems = list(found.problems)
    note = stores.logs.checkpoint(origin)
    if note is not None:
        try:
            open_checkpoint(note, origin, stores.keys.log.public_key())
        except Refused as e:
            problems.append(str(e))
    return Part(stores.realm, "diary", found.size, tuple(problems))


def _statements(stores: Stores) -> Part:
    """Every body that is held: signature by its originator's key, disclosures, ladders, realm."""
    keys = stores.statement_keys()
    problems: list[str] = []
    checked = 0
    before: int | None = None
    while page := stores.statements.page(before=before, limit=PAGE):
        before = page[-1].id
        for stored in page:
            checked += 1
            if stored.body is None:
                continue
            try:
                found = verify(stored.body, keys)
            except SamsynError as e:
                problems.append(f"{stored.jti} version {stored.ver}: {e}")
                continue
            if (found.iss, found.jti, found.ver) != (stored.iss, stored.jti, stored.ver):
                problems.append(f"{stored.jti} version {stored.ver}: the row tells of another statement")
            if found.exercise != (stores.realm == "exercise"):
                problems.append(f"{stored.jti} version {stored.ver}: it is of the other realm")
    return Part(stores.realm, "statements", checked, tuple(problems))
