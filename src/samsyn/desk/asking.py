"""Asking an originator whether its statement may go on, and answering who asks about ours."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from samsyn.base.clock import Clock
from samsyn.base.database import Database
from samsyn.base.errors import InputError
from samsyn.channels.onward import until_us
from samsyn.desk.pen import Pen
from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS, time_ladder
from samsyn.statements.statement import Draft, Statement
from samsyn.statements.store import StatementStore, Stored

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answered (
  request TEXT PRIMARY KEY, consent TEXT NOT NULL, ver INTEGER NOT NULL
) WITHOUT ROWID;
"""

PLACES: Final = ("", *PLACE_RUNGS)
TIMES: Final = ("", *TIME_RUNGS)


class RequestForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked about statement `about`: consent for `readers`, or to be told more."""

    about: str
    readers: tuple[str, ...] = ()
    asks: Literal["consent", "information"] = "consent"
    place: str = ""  # finest rungs; "": nothing of that ladder
    time: str = ""
    reply_by: str = ""
    why: str = ""

    @staticmethod
    def read(values: Any) -> RequestForm:
        """Raises `InputError` naming the field."""
        try:
            return msgspec.convert(values, RequestForm)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="request") from e


class ConsentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The answer to a request. What is left out is as it was asked for."""

    request: str
    given: bool
    readers: tuple[str, ...] = ()
    place: str | None = None
    time: str | None = None
    until: str = ""
    why: str = ""

    @staticmethod
    def read(values: Any) -> ConsentForm:
        """Raises `InputError` naming the field."""
        try:
            return msgspec.convert(values, ConsentForm)
        except msgspec.ValidationError as e:
            raise InputError(str(e), where="consent") from e


class Asking:
    """Signs requests and consents, of one realm. They reach the addressee by the rule `addressed`."""

    def __init__(
        self, db: Database, statements: StatementStore, pen: Pen, *, node: str, clock: Clock
    ) -> None:
        self._db = db
        self._statements = statements
        self._pen = pen
        self._node = node
        self._clock = clock

    def request(self, form: RequestForm, *, by: str) -> Statement:
        """Ask the originator of a statement that we hold. Raises `InputError` saying what is wrong."""
        stored, about = self._standing(form.about)
        if stored.iss == self._node:
            raise InputError("this statement is our own", where="about", do="say it in the policy")
        if form.asks == "consent":
            if about.onward == "no":
                raise InputError(f"{stored.iss} lets nobody pass this on", where="about")
            if about.onward != "ask":
                raise InputError(
                    f"{stored.iss} does not ask to be asked: onward is {about.onward!r}",
                    where="about",
                    do="a rule of the policy that names the originator releases it",
                )
            if not form.readers:
                raise InputError("for whom is consent asked?", where="readers", do="name partners")
        _rungs(form.place, form.time)
        slots: dict[str, Any] = {
            **time_ladder(self._clock.now_us()),
            "title": f"May this go on to {', '.join(form.readers)}?"
            if form.asks == "consent"
            else "More is asked for",
            "author": by,
            "body.to": [stored.iss],
            "body.about": stored.jti,
            "body.about_ver": stored.ver,
            "body.asks": form.asks,
        }
        more = {
            "text": form.why,
            "body.readers": list(form.readers),
            "body.place": form.place,
            "body.time": form.time,
            "body.reply_by": form.reply_by,
        }
        return self._pen.sign(self._draft("request", about, slots, more), by=by)

    def answer(self, form: ConsentForm, *, by: str) -> Statement:
        """Answer a request about our statement; a second answer is a new version of the first.

        Raises `InputError` saying what is wrong.
        """
        stored, asked = self._standing(form.request)
        if stored.kind != "request" or self._node not in asked.slots.get("body.to", ()):
            raise InputError("this is no request to us", where="request")
        about = self._statements.get(str(asked.slots.get("body.about")))
        if about is None or about.iss != self._node:
            raise InputError("it asks about no statement of ours", where="request")
        readers = list(form.readers or asked.slots.get("body.readers", ()))
        if not readers:
            raise InputError("for whom?", where="readers", do="name partners")
        place = asked.slots.get("body.place", "") if form.place is None else form.place
        time = asked.slots.get("body.time", "") if form.time is None else form.time
        _rungs(place, time)
        if form.until and not until_us(form.until):
            raise InputError(
                f"{form.until!r} is no time", where="until", do="write 2026-11-30 or an instant"
            )
        slots: dict[str, Any] = {
            **time_ladder(self._clock.now_us()),
            "title": f"Consent {'given' if form.given else 'refused'}: {', '.join(readers)}",
            "author": by,
            "body.to": [stored.iss],
            "body.request": stored.jti,
            "body.about": about.jti,
            "body.answer": "given" if form.given else "refused",
            "body.readers": readers,
        }
        more = {"text": form.why}
        if form.given:
            more |= {"body.place": place, "body.time": time, "body.until": form.until}
        draft = self._draft("consent", asked, slots, more)
        with self._db.write() as db:
            before = self._answered(stored.jti)
            jti, ver = (before[0], before[1] + 1) if before else (None, 1)
            made = self._pen.sign(draft, by=by, jti=jti, ver=ver)
            db.execute(
                "INSERT INTO answered VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " consent = excluded.consent, ver = excluded.ver",
                (stored.jti, made.jti, made.ver),
            )
        return made

    def _answered(self, request: str) -> tuple[str, int] | None:
        """Our answer as it stands; None where there is none, or it was withdrawn."""
        row = self._db.read().execute("SELECT consent, ver FROM answered WHERE request = ?", (request,))
        found = row.fetchone()
        held = self._statements.get(found[0]) if found else None
        return (held.jti, found[1]) if held is not None and held.state == "standing" else None

    def _standing(self, jti: str) -> tuple[Stored, Statement]:
        stored = self._statements.get(jti)
        statement = stored.statement if stored else None
        if stored is None or statement is None or stored.state == "withdrawn":
            raise InputError(f"we hold no statement {jti} that stands", do="see: samsyn statements")
        return stored, statement

    def _draft(self, kind: str, like: Statement, slots: dict[str, Any], more: dict[str, Any]) -> Draft:
        """Between the two: marked as what it is about, and to go no further."""
        return Draft(
            kind=kind,
            marking=like.marking,
            onward="no",
            exercise=like.exercise,
            slots={**slots, **{name: value for name, value in more.items() if value}},
        )


def _rungs(place: str, time: str) -> None:
    for where, word, known in (("place", place, PLACES), ("time", time, TIMES)):
        if word not in known:
            raise InputError(
                f"{word!r} is no rung", where=where, do=f"use one of {', '.join(known[1:])}"
            )
