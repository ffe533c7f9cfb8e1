"""`samsyn verify`: every log and every statement of a home, computed and checked anew."""

from __future__ import annotations

import sys

import msgspec

from samsyn.base.errors import InputError, Refused, SamsynError
from samsyn.base.settings import Home, Realm
from samsyn.channels.aside import Asides
from samsyn.channels.audit import audit_given, audit_held
from samsyn.channels.given import Account
from samsyn.channels.names import channel_origin
from samsyn.channels.retired import by_key, open_head
from samsyn.desk.approved import unapproved
from samsyn.desk.complete import unaccounted
from samsyn.desk.diary import diary_origin
from samsyn.exchange.card import public_key
from samsyn.log.checkpoint import Checkpoint, parse_checkpoint
from samsyn.log.note import parse_note
from samsyn.node.stores import Stores
from samsyn.statements.attachments import named
from samsyn.statements.sign import verify_many

PAGE = 500


class Part(msgspec.Struct, frozen=True):
    """One thing that was audited, how many items it has, and what is wrong with them."""

    realm: Realm
    what: str
    checked: int
    problems: tuple[str, ...]


def audit(home: Home, diary_head: bytes | None = None) -> list[Part]:
    """diary_head: a signed head of a diary, kept elsewhere: the diary must have had it, and has grown.

    Raises `ConfigError` where there is no usable home, `Refused` where that is no head of a diary here.
    """
    parts: list[Part] = []
    realms: tuple[Realm, ...] = ("actual", "exercise")
    for realm in realms:
        if home.ledger(realm).is_file():
            with Stores(home, realm) as stores, stores.db.snapshot():
                parts += audit_realm(stores)
                if diary_head is not None and _origin_of(diary_head) == _diary_origin(stores):
                    parts.append(_kept_head(stores, diary_head))
                    diary_head = None
    if diary_head is not None:
        raise InputError("this is no head of an audit log of this home", where=_origin_of(diary_head))
    return parts


def _diary_origin(stores: Stores) -> str:
    return diary_origin(stores.me, stores.realm)


def _origin_of(note: bytes) -> str:
    """Raises `Refused`."""
    return parse_checkpoint(parse_note(note).text).origin


def _kept_head(stores: Stores, note: bytes) -> Part:
    """Whether the diary begins with what it was when this head of it was kept."""
    origin = _diary_origin(stores)
    problems: tuple[str, ...] = ()
    try:
        head = _open(stores, note, origin)
        if stores.logs.root_at(origin, head.size) != head.root:
            problems = (f"the first {head.size} entries are not those under the head that was kept",)
    except Refused as e:
        return Part(stores.realm, "head of the diary that was kept", 0, (str(e),))
    except ValueError:
        problems = (f"it had {head.size} entries when the head was kept, and has fewer now",)
    return Part(stores.realm, "head of the diary that was kept", head.size, problems)


def _open(stores: Stores, note: bytes, origin: str) -> Checkpoint:
    """A head of our own diary, by the log key of now or of before. Raises `Refused`."""
    retired = [msgspec.structs.replace(one, size=sys.maxsize) for one in stores.own_retired("")]
    return open_head(note, origin, stores.keys.log.public_key(), retired)


def audit_realm(stores: Stores) -> list[Part]:
    """Everything of one realm, as of the moment that its reader has."""
    realm = stores.realm
    parts = [_diary(stores)]
    for card in [*stores.roster.all(), *stores.roster.former()]:
        given = audit_given(
            channel_origin(stores.me, realm, card.name),
            card.name,
            stores.logs,
            stores.statements,
            Account(stores.db),
            stores.keys.log.public_key(),
            [*stores.former_log_keys(card.name), public_key(card.log_key)],
            stores.own_retired(card.name),
        )
        parts.append(Part(realm, f"channel to {card.name}", given.size, given.problems))
        held = audit_held(
            channel_origin(card.name, realm, stores.me),
            card.name,
            stores.logs,
            stores.statements,
            public_key(card.log_key),
            Asides(stores.db, channel_origin(card.name, realm, stores.me), card.name).names(),
            stores.expired.has,
            stores.retired(card.name),
        )
        parts.append(Part(realm, f"channel from {card.name}", held.size, held.problems))
    parts += [_channel_to(stores, reader.name) for reader in stores.tokens.all()]
    parts.append(_statements(stores))
    parts += _attachments(stores)
    decided = [p for p in stores.policies.all() if p.state in ("in-force", "superseded")]
    if decided:
        wrong = unapproved(_diary_origin(stores), stores.logs, stores.policies)
        parts.append(Part(realm, "policies that were in force", len(decided), tuple(wrong)))
    expired = stores.expired.count()
    if expired:
        parts.append(Part(realm, "bodies that expired", expired, ()))
    return parts


def _channel_to(stores: Stores, reader: str) -> Part:
    """Of a reader without a node: it has no key, so nothing of it may be cosigned."""
    given = audit_given(
        channel_origin(stores.me, stores.realm, reader),
        reader,
        stores.logs,
        stores.statements,
        Account(stores.db),
        stores.keys.log.public_key(),
        (),
        stores.own_retired(reader),
    )
    return Part(stores.realm, f"channel to {reader}", given.size, given.problems)


def _diary(stores: Stores) -> Part:
    origin = diary_origin(stores.me, stores.realm)
    problems = unaccounted(origin, stores.logs, stores.me, stores.realm)
    if origin not in stores.logs.names():  # nothing was ever written
        return Part(stores.realm, "diary", 0, tuple(problems))
    found = stores.logs.audit(origin)
    problems += found.problems
    note = stores.logs.checkpoint(origin)
    if note is not None:
        try:
            _open(stores, note, origin)
        except Refused as e:
            problems.append(str(e))
    return Part(stores.realm, "diary", found.size, tuple(problems))


def _statements(stores: Stores) -> Part:
    """Every body that is held: signature by its originator's key, disclosures, ladders, realm."""
    keys = stores.statement_keys()
    former = stores.former_statement_keys()
    verify = by_key(verify_many, lambda: former)
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
                (found,) = verify([stored.body], keys)
            except SamsynError as e:
                problems.append(f"{stored.jti} version {stored.ver}: {e}")
                continue
            if (found.iss, found.jti, found.ver) != (stored.iss, stored.jti, stored.ver):
                problems.append(f"{stored.jti} version {stored.ver}: the row tells of another statement")
            if found.exercise != (stores.realm == "exercise"):
                problems.append(f"{stored.jti} version {stored.ver}: it is of the other realm")
    return Part(stores.realm, "statements", checked, tuple(problems))


def _attachments(stores: Stores) -> list[Part]:
    """Every attachment that is here: named by the version that it is kept with, and of its bytes."""
    problems: list[str] = []
    checked = 0
    for jti, ver, digest, body in stores.statements.attachments.all():
        checked += 1
        stored = stores.statements.get(jti, ver)
        statement = stored.statement if stored else None
        one = (
            next((a for a in named(statement.slots) if a.sha256 == digest), None) if statement else None
        )
        try:
            if one is None:
                raise Refused("another-attachment", "no statement that is held names it")
            one.check(body)
        except Refused as e:
            problems.append(f"attachment {digest[:12]} of {jti} version {ver}: {e}")
    return [Part(stores.realm, "attachments", checked, tuple(problems))] if checked else []
