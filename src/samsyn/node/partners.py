"""Partners come, are suspended, and leave: what that means for each realm of a home.

The card's folder is one for both realms; what was given and received is each realm's own. Everything
here may be done while the node runs: it looks at the folder at every tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from samsyn.base.clock import SystemClock, iso
from samsyn.base.errors import ConfigError, Refused, SamsynError
from samsyn.base.settings import Home, Realm
from samsyn.channels.given import Account
from samsyn.channels.names import channel_origin
from samsyn.channels.refusals import Refusals
from samsyn.exchange.card import Card
from samsyn.exchange.roster import Roster, Standing
from samsyn.exchange.succession import Succession, claimed_name, read_succession
from samsyn.interfaces.readers import Readers
from samsyn.node.stores import Stores
from samsyn.policy import parse, read_text
from samsyn.subjects import KINDS

REALMS: tuple[Realm, ...] = ("actual", "exercise")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Where one realm stands with a partner. Counts of entries, but `waiting` (releases held back)
    and `statements` (of theirs, bodies held here)."""

    realm: Realm
    written: int
    applied: int
    received: int
    statements: int
    waiting: int


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """How far leaving has come. done: the partner is a former one. unconfirmed: entries, withdrawals
    among them, that it has not signed to have applied; purged: bodies of theirs that went here."""

    done: bool
    withdrawn: int = 0
    unconfirmed: int = 0
    purged: int = 0


def added(home: Home, card: Card, *, by: str) -> None:
    """Take a card, its words compared, and say so in the audit log.

    Raises `Refused`, and `ConfigError` where a reader without a node has that name.
    """
    if Readers(home.readers).get(card.name) is not None:
        raise ConfigError(
            f"{card.name} is the name of a reader without a node", do="ask the partner to rename"
        )
    Roster(home.partners, home.settings().node.name).add(card)
    _note(home, by, "partner-add", partner=card.name, words=card.fingerprint)


def succeed(home: Home, data: bytes, where: str, *, by: str) -> Card:
    """Take a partner's new keys, which a person has agreed to; returns its new card.

    Raises `Refused`: what `read_succession` finds, and "succession-below" where it denies entries that
    were taken here by the old keys.
    """
    roster = Roster(home.partners, home.settings().node.name)
    found = successor(home, data, where)
    name = found.new.name
    for stores in realms_of(home):
        size = stores.logs.size(channel_origin(name, stores.realm, stores.me))
        if size > found.sizes.get(stores.realm, 0):
            raise Refused(
                "succession-below",
                f"{size} entries were taken by the old keys, and it counts fewer",
                where=where,
                do="do not take it; call the partner",
            )
    roster.succeed(found)
    old, new = found.old.fingerprint, found.new.fingerprint
    _note(home, by, "partner-succeed", partner=name, old=old, new=new)
    return found.new


def successor(home: Home, data: bytes, where: str) -> Succession:
    """A succession, checked, before anybody has agreed to it. Raises as `read_succession`."""
    roster = Roster(home.partners, home.settings().node.name)
    held = roster.get(claimed_name(data))
    return read_succession(data, where, held=held, me=home.settings().node.name)


def shown(home: Home, name: str) -> list[Held]:
    """Raises `ConfigError` where there is no such partner."""
    _card(home, name)
    return [_held(stores, name) for stores in realms_of(home)]


def suspend(home: Home, name: str, *, by: str, why: str) -> None:
    """From the next request on. Raises `ConfigError`."""
    roster = _roster(home, name)
    if roster.standing(name) is not None:
        raise ConfigError(
            f"{name} is suspended already, or about to leave", do="see: samsyn partner list"
        )
    for stores in realms_of(home):
        at = iso(stores.wall.now_us())
        stores.diary.write(by, "partner-suspend", partner=name, why=why)
    roster.set_standing(name, Standing("suspended", at, by, why))


def resume(home: Home, name: str, *, by: str, catch_up: bool) -> int:
    """Serve it as usual again; returns how many releases had waited.

    catch_up: they are decided at the next tick, by the policy as it is then; else they are forgotten.
    """
    roster = _roster(home, name)
    if roster.standing(name) is None:
        raise ConfigError(f"{name} is not suspended")
    waited = 0
    for stores in realms_of(home):
        account = Account(stores.db)
        with stores.db.write():
            held = account.held_back(name)
            account.end_hold(name, decide=catch_up)
            stores.diary.write(by, "partner-resume", partner=name, releases=held, decided=catch_up)
        waited += held
    roster.set_standing(name, None)
    return waited


def leave(
    home: Home,
    name: str,
    *,
    withdraw: bool,
    theirs: Literal["purge", "keep"],
    now: bool,
    by: str,
    why: str,
) -> Left:
    """End a partnership. To be repeated, with `withdraw`, until it says that it is done.

    withdraw: what the partner was given is withdrawn from it, with purge, and it leaves once it has
    signed that all of it is applied, or when `now` is given. theirs: what becomes of the bodies of its
    statements that are held here. Raises `ConfigError`, also where the policy in force names it.
    """
    roster = _roster(home, name)
    withdrawn = 0
    if withdraw:
        # first of all nothing new may be given that the withdrawals would not reach
        roster.set_standing(name, Standing("leaving", _now(), by, why))
        withdrawn = sum(_withdraw_all(stores, name, by, why) for stores in realms_of(home))
        if withdrawn and not now:
            return Left(done=False, withdrawn=withdrawn, unconfirmed=_unconfirmed(home, name))
    unconfirmed = _unconfirmed(home, name)
    if withdraw and unconfirmed and not now:
        return Left(done=False, unconfirmed=unconfirmed)
    for stores in realms_of(home):
        _check_policy(stores, name)
    purged = 0
    for stores in realms_of(home):
        gone = _purge(stores, name) if theirs == "purge" else 0
        stores.diary.write(
            by, "partner-leave", partner=name, why=why, withdrawn=withdraw, theirs=theirs, purged=gone
        )
        purged += gone
    roster.leave(name)
    return Left(done=True, unconfirmed=unconfirmed if withdraw else 0, purged=purged)


def _withdraw_all(stores: Stores, name: str, by: str, why: str) -> int:
    """Queue the withdrawal, with purge, of everything that this reader was given; nothing where that
    is queued or written already."""
    account = Account(stores.db)
    with stores.db.write():
        given = account.held_by(name)
        if not given or stores.outbox.waiting(name):
            return 0
        stores.outbox.put_many([("withdraw", jti, ver, True, name) for jti, ver in given])
        account.end_hold(name, decide=False)
        stores.diary.write(by, "partner-withdraw", partner=name, why=why, statements=len(given))
    return len(given)


def _unconfirmed(home: Home, name: str) -> int:
    """Entries of its channel that the partner has not applied, and withdrawals not yet written."""
    missing = 0
    for stores in realms_of(home):
        held = _held(stores, name)
        missing += held.written - held.applied + stores.outbox.waiting(name)
    return missing


def _check_policy(stores: Stores, name: str) -> None:
    """A policy that names nobody we know cannot be in force: it would release nothing to anyone."""
    now = stores.policies.in_force()
    text, where = (now.text, now.name) if now else (read_text(stores.home.policy), "policy.toml")
    everybody = list(stores.readers())
    try:
        parse(text, where, partners=everybody, kinds=KINDS)
    except SamsynError:
        return  # it is not in force in any case
    try:
        parse(text, where, partners=[r for r in everybody if r != name], kinds=KINDS)
    except SamsynError as e:
        raise ConfigError(
            f"the policy in force names {name}",
            where=str(e.where),
            do="have a policy approved that does not name it, then do this again",
        ) from e


def _purge(stores: Stores, name: str) -> int:
    """Let the bodies of a partner's statements go, and of what it sent that was refused."""
    with stores.db.write():
        theirs = stores.expired.held_from(name)
        gone = stores.expired.expire(theirs, stores.wall.now_us(), "partner-left")
        origin = channel_origin(name, stores.realm, stores.me)
        Refusals(stores.db, origin, name).forget()
    stores.db.checkpoint()
    return gone


def _held(stores: Stores, name: str) -> Held:
    written = channel_origin(stores.me, stores.realm, name)
    received = channel_origin(name, stores.realm, stores.me)
    return Held(
        realm=stores.realm,
        written=stores.logs.size(written),
        applied=stores.logs.cosigned(written).get(name, 0),
        received=stores.logs.size(received),
        statements=len(stores.expired.held_from(name)),
        waiting=Account(stores.db).held_back(name),
    )


def realms_of(home: Home) -> Iterator[Stores]:
    """Each realm that has a store; the home's own in any case."""
    own = home.settings().node.realm
    for realm in REALMS:
        if realm == own or home.ledger(realm).is_file():
            with Stores(home, realm) as stores:
                yield stores


def _now() -> str:
    return iso(SystemClock().now_us())


def _note(home: Home, by: str, did: str, **what: str) -> None:
    for stores in realms_of(home):
        stores.diary.write(by, did, **what)


def _roster(home: Home, name: str) -> Roster:
    roster = Roster(home.partners, home.settings().node.name)
    if roster.get(name) is None:
        raise ConfigError(f"{name!r} is no partner of ours", do="see: samsyn partner list")
    return roster


def _card(home: Home, name: str) -> Card:
    card = _roster(home, name).get(name)
    assert card is not None
    return card
