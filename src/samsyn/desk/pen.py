"""Signing in the organisation's name. What is signed is queued for the door in the same transaction.

The command line and the running node sign by the same few lines: the node's next tick finds
what was queued, whoever queued it, also after a crash.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from samsyn.base.clock import Clock, iso
from samsyn.base.database import Database
from samsyn.base.errors import InputError, SamsynError
from samsyn.base.settings import Realm
from samsyn.channels.outbox import Outbox
from samsyn.channels.sources import Sources
from samsyn.desk.diary import Diary
from samsyn.desk.making import check_refs
from samsyn.statements.attachments import named
from samsyn.statements.keys import NodeKeys
from samsyn.statements.sign import sign, sign_many
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.store import StatementStore
from samsyn.subjects import KINDS

log = logging.getLogger("samsyn.desk")


class Signing(NamedTuple):
    """One of many to be signed: as version `ver` of `jti`, or as a new statement."""

    draft: Draft
    jti: str | None
    ver: int


class Pen:
    """What signs and withdraws; one realm's."""

    def __init__(
        self,
        db: Database,
        statements: StatementStore,
        outbox: Outbox,
        diary: Diary,
        *,
        node: str,
        realm: Realm,
        keys: NodeKeys,
        clock: Clock,
        keep_personal_us: int,
    ) -> None:
        self._keep_personal_us = keep_personal_us
        self._db = db
        self._statements = statements
        self._outbox = outbox
        self._diary = diary
        self._node = node
        self._realm = realm
        self._keys = keys
        self._clock = clock
        self._sources = Sources(db, statements, node)
        self._attachments = statements.attachments

    def sign(
        self,
        draft: Draft,
        *,
        by: str,
        jti: str | None = None,
        ver: int = 1,
        attachments: Collection[bytes] = (),
    ) -> Statement:
        """Sign `draft` (as version `ver` of `jti`, or as a new statement); durable on return.

        by: who had it signed, for the diary. attachments: the bytes of what its slots name; of what an
        earlier version named they are here.

        Raises `SamsynError` where the body is not what its kind asks for, the draft is of the other
        realm, or it is freer than what it was made of (`making`).
        """
        draft = self._checked(draft)
        statement = sign(draft, iss=self._node, key=self._keys.statement, jti=jti, ver=ver)
        with self._db.write():
            self._statements.put(statement, received_from=None, at_us=self._clock.now_us())
            if "refs" in draft.slots:
                self._sources.note_refs(statement)
            self._attach(statement, attachments)
            self._outbox.put("release", statement.jti, statement.ver)
            self._diary.write(by, "sign", id=statement.jti, ver=ver, kind=draft.kind)
        return statement

    def sign_many(
        self, signings: Sequence[Signing], *, by: str, did: str, **what: Any
    ) -> list[Statement]:
        """`sign` for many at once, in one transaction and with one entry of the diary: `did`, `what`,
        and the id and version of each.

        Raises `SamsynError` as `sign` does, and for a draft that was made of other statements.
        """
        for one in signings:
            if "refs" in one.draft.slots:
                raise SamsynError("what was made of other statements is signed one by one")
            if named(one.draft.slots):
                raise SamsynError("what has attachments is signed one by one")
        signed = sign_many(
            [self._checked(one.draft) for one in signings],
            iss=self._node,
            key=self._keys.statement,
            jtis=[one.jti for one in signings],
            vers=[one.ver for one in signings],
        )
        with self._db.write():
            self._statements.put_many(signed, received_from=None, at_us=self._clock.now_us())
            self._outbox.put_many([("release", s.jti, s.ver, False, None) for s in signed])
            self._diary.write(by, did, **what, ids=[[s.jti, s.ver] for s in signed])
        return signed

    def _attach(self, statement: Statement, given: Collection[bytes]) -> None:
        """Keep the bytes of each attachment. Raises `InputError` where some are not there."""
        if not (wanted := named(statement.slots)):
            return
        bodies = {sha256(body).hexdigest(): body for body in given}
        for one in wanted:
            body = bodies.get(one.sha256) or self._attachments.of_any_version(statement.jti, one.sha256)
            if body is None:
                raise InputError(
                    f"the file of the attachment {one.name} is not here",
                    where=one.slot,
                    do="attach it again",
                )
            self._attachments.put(statement.jti, statement.ver, one, body, self._clock.now_us())

    def _checked(self, draft: Draft) -> Draft:
        """What is to be signed of a draft. Raises `SamsynError`."""
        if draft.exercise != (self._realm == "exercise"):
            raise SamsynError(f"this is the {self._realm} realm; the draft is not of it")
        if draft.kind not in KINDS:
            raise SamsynError(
                f"{draft.kind!r} is no kind of statement", do=f"use one of {sorted(KINDS)}"
            )
        KINDS[draft.kind].check(draft.slots)
        if "refs" in draft.slots:
            check_refs(draft, self._statements)
        return self._with_last_day(draft)

    def _with_last_day(self, draft: Draft) -> Draft:
        """Personal data never goes without a day on which every holder lets it go."""
        if not draft.personal or draft.retain_until is not None:
            return draft
        day = iso(self._clock.now_us() + self._keep_personal_us)[:10]
        log.info("personal data without a last day: it is to be kept until %s", day)
        return msgspec.structs.replace(draft, retain_until=day)

    def withdraw(self, jti: str, *, purge: bool, why: str, by: str) -> None:
        """Say that our statement `jti` no longer stands, and whether its body must be purged."""
        held = self._statements.get(jti)
        if held is None or held.iss != self._node:
            raise SamsynError(f"{jti} is no statement of ours", do="see: samsyn statements")
        if held.state == "withdrawn" and (held.purged or not purge):
            raise SamsynError(f"{jti} is withdrawn already")
        with self._db.write():
            self._outbox.put("withdraw", jti, held.ver, purge=purge)
            self._diary.write(by, "withdraw", id=jti, ver=held.ver, purge=purge, why=why)
