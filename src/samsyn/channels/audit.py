"""Auditing channels: each entry held against the statement that it tells of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base.errors import Refused, SamsynError
from samsyn.channels.given import Account, Given
from samsyn.channels.leaf import Leaf, Release, Widen, Withdraw, read_leaf
from samsyn.channels.names import witness_name
from samsyn.channels.reader import Cutter
from samsyn.channels.retired import Retired, open_head
from samsyn.log.store import LogStore
from samsyn.log.witness import verify_cosignature
from samsyn.statements.store import StatementStore
from samsyn.statements.through import PURGED, WITHDRAWN, Way

PAGE = 1_000


class ChannelAudit(msgspec.Struct, frozen=True):
    """How many entries a channel has, and what is wrong with it: nothing, one hopes."""

    size: int
    problems: tuple[str, ...]


def audit_given(
    origin: str,
    reader: str,
    logs: LogStore,
    statements: StatementStore,
    account: Account,
    log_key: Ed25519PublicKey,
    reader_keys: Sequence[Ed25519PublicKey],
    retired: Sequence[Retired] = (),
) -> ChannelAudit:
    """A channel that this node keeps: tree, head, the reader's cosignature, that every view that is not
    purged can still be cut to the bytes that its entry names, and that our own account of what was
    given tells of each entry, and of no other. retired: our keys of before. reader_keys: its own, the
    one of now last; none: it has no node, and nothing cosigned."""
    size, problems = _log(origin, logs, log_key, retired)
    note = logs.cosignature(origin, reader)
    if note is not None:
        problems += _tried(
            "the reader's cosignature",
            lambda: _cosigned(note, reader, reader_keys),
        )
    cutter = Cutter(reader, statements, account)
    given: dict[int, tuple[str, Given]] = {}
    for _, jti, one in account.of_reader(reader):
        if one.index in given:
            problems.append(f"entry {one.index}: the account of what was given tells of it twice")
        given[one.index] = jti, one
    for index in range(0, size, PAGE):
        for n, (data, private) in enumerate(logs.entries(origin, index, PAGE), index):
            problems += _tried(f"entry {n}", lambda d=data, p=private: _view(cutter, d, p))  # type: ignore[misc]
            if not _told_of(given.pop(n, None), data, private):
                problems.append(f"entry {n}: the account of what was given does not tell of it")
    problems += [f"entry {n}: the account tells of it, and the channel has none" for n in sorted(given)]
    return ChannelAudit(size, tuple(problems))


class Held(msgspec.Struct, frozen=True):
    """What a channel's entries are held against: statements, their ways, what was set aside."""

    statements: StatementStore
    ways: Mapping[str, Sequence[Way]]
    asides: Mapping[str, Collection[int]]


def audit_held(
    origin: str,
    partner: str,
    logs: LogStore,
    statements: StatementStore,
    log_key: Ed25519PublicKey,
    asides: Mapping[str, Collection[int]],
    expired: Callable[[str, int], bool] = lambda *_: False,
    retired: Sequence[Retired] = (),
) -> ChannelAudit:
    """A partner's channel as this node holds it: tree, head, and that what is held of each statement
    is what the entries left of it: withdrawn is withdrawn, purged is gone, the rest is there, unless
    this node let it go itself (`expired`, by id and version).

    asides: versions by id that were set aside of this channel (`aside.Asides.names`). retired: the
    partner's keys of before.
    """
    size, problems = _log(origin, logs, log_key, retired)
    last: dict[str, Leaf] = {}
    for index in range(0, size, PAGE):
        for n, (data, _) in enumerate(logs.entries(origin, index, PAGE), index):
            try:
                leaf = read_leaf(data)
            except SamsynError as e:
                problems.append(f"entry {n}: {e}")
                continue
            # a withdrawal is final: nothing after it may bring the statement back
            if not isinstance(last.get(leaf.id), Withdraw) or isinstance(leaf, Withdraw):
                last[leaf.id] = leaf
    held = Held(statements, statements.ways(last.keys()), asides)
    for jti, leaf in last.items():
        if not (isinstance(leaf, Release | Widen) and expired(jti, leaf.ver)):
            problems += [f"{jti}: {p}" for p in _holding(jti, leaf, partner, held)]
    return ChannelAudit(size, tuple(problems))


def _cosigned(note: bytes, reader: str, keys: Sequence[Ed25519PublicKey]) -> None:
    """Raises `Refused` where none of the reader's keys made the cosignature."""
    if not keys:
        raise SamsynError("it has no key to cosign with", where=reader)
    for key in keys[:-1]:
        with contextlib.suppress(Refused):
            verify_cosignature(note, witness_name(reader), key)
            return
    verify_cosignature(note, witness_name(reader), keys[-1])


def _log(
    origin: str, logs: LogStore, log_key: Ed25519PublicKey, retired: Sequence[Retired]
) -> tuple[int, list[str]]:
    if origin not in logs.names():  # nothing was ever written
        return 0, []
    found = logs.audit(origin)
    problems = list(found.problems)
    note = logs.checkpoint(origin)
    if note is not None:
        problems += _tried("the head", lambda: open_head(note, origin, log_key, retired))
    return found.size, problems


def _told_of(given: tuple[str, Given] | None, data: bytes, private: bytes) -> bool:
    """Whether the account's entry is the channel's: statement, version, operation and cut."""
    if given is None:
        return False
    jti, one = given
    try:
        leaf = read_leaf(data)
    except SamsynError:
        return False
    purge = isinstance(leaf, Withdraw) and leaf.purge
    cut = b"%d" % one.cut if one.cut else b""
    said = (leaf.id, leaf.ver, type(leaf).__name__.lower(), purge, private)
    return said == (jti, one.ver, one.op, one.purge, cut)


def _view(cutter: Cutter, data: bytes, private: bytes) -> None:
    leaf = read_leaf(data)
    if isinstance(leaf, Withdraw) or cutter.view(leaf, private) is not None:
        return
    if cutter.purge_index(leaf.id) is None:
        raise SamsynError("its statement is gone, and no entry ordered that", where=leaf.id)


def _holding(jti: str, leaf: Leaf, partner: str, held: Held) -> list[str]:
    ways = held.ways.get(jti)
    if ways is not None:
        return _way(leaf, [way for way in ways if way.via == partner])
    if leaf.ver in held.asides.get(jti, ()):
        return []
    versions = [s for s in held.statements.versions(jti) if s.iss == partner]
    if isinstance(leaf, Withdraw):
        wrong = [s for s in versions if s.state != "withdrawn" or (leaf.purge and not s.purged)]
        return ["withdrawn, but still held as if it stood"] if wrong else []
    if all(s.ver != leaf.ver or s.purged for s in versions):
        return [f"version {leaf.ver} was received and is not held"]
    return []


def _way(leaf: Leaf, ways: Sequence[Way]) -> list[str]:
    """Of a statement that came through others too: what this partner did to its own way of it."""
    if isinstance(leaf, Withdraw):
        wrong = [way for way in ways if way.ended < (PURGED if leaf.purge else WITHDRAWN)]
        return ["withdrawn, but still held as if it stood"] if wrong else []
    if all(way.ver != leaf.ver for way in ways):
        return [f"version {leaf.ver} was received and is not held"]
    return []


def _tried(what: str, check: Callable[[], object]) -> list[str]:
    try:
        check()
    except SamsynError as e:
        return [f"{what}: {e}"]
    return []
