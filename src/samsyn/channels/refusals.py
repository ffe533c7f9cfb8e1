"""What was refused, from whom and why: kept as evidence and told to people in their language.

Evidence obeys withdrawals too: when a partner has a statement purged, kept batches that name it
lose their bytes, and only the words about them and the signed heads stay. Nor are such bytes kept
anew when a batch that names it comes again later: the ids of what was purged are remembered. Nor are
the bytes of a batch that shows what others said: their purge would not reach them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from samsyn.base import limits
from samsyn.base.database import Database
from samsyn.base.encoding import sha256, to_json
from samsyn.base.errors import Refused
from samsyn.channels import batch as wire
from samsyn.channels.leaf import read_leaf
from samsyn.channels.names import channel_origin, split_origin
from samsyn.statements.sign import parse

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS refusal (
  id INTEGER PRIMARY KEY, log TEXT NOT NULL, partner TEXT NOT NULL, reason TEXT NOT NULL,
  what TEXT NOT NULL, digest BLOB NOT NULL, ids TEXT NOT NULL, evidence BLOB,
  first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, count INTEGER NOT NULL,
  UNIQUE (log, reason, digest)
);
CREATE TABLE IF NOT EXISTS purged (
  log TEXT NOT NULL, jti TEXT NOT NULL, PRIMARY KEY (log, jti)
) WITHOUT ROWID;
"""

_HEADS: Final = "checkpoint-"
"""What evidence of a shrunk or forked log is called: no word of any statement is in it."""

_EN_SV: Final = {
    "malformed-batch": (
        "what was sent cannot be read as entries of a channel",
        "det som skickades går inte att läsa som poster i en kanal",
    ),
    "oversized-batch": (
        "what was sent is larger than the agreed limits",
        "det som skickades är större än de avtalade gränserna",
    ),
    "forged-checkpoint": (
        "the head of the channel is not signed by the partner's key",
        "kanalens huvud är inte signerat med partnerns nyckel",
    ),
    "retired-key": (
        "something new is signed with a key that the partner has replaced",
        "något nytt är signerat med en nyckel som partnern har ersatt",
    ),
    "replayed-entry": ("an entry was sent again", "en post skickades igen"),
    "missing-entries": ("entries are missing before those sent", "poster saknas före dem som skickades"),
    "shrunk-log": (
        "the partner's log is shorter than it was; both heads are kept",
        "partnerns logg är kortare än den var; båda huvudena är sparade",
    ),
    "forked-log": (
        "the partner's log has another past than the one shown before; both heads are kept",
        "partnerns logg har ett annat förflutet än det som visats; båda huvudena är sparade",
    ),
    "altered-entry": (
        "an entry or its view is not the one in the partner's log",
        "en post eller dess vy är inte den i partnerns logg",
    ),
    "malformed-entry": ("an entry cannot be read", "en post går inte att läsa"),
    "unknown-operation": (
        "an entry asks for something this version does not know",
        "en post begär något som denna version inte känner",
    ),
    "missing-view": (
        "a view was held back without a withdrawal",
        "en vy hölls inne utan att något återkallats",
    ),
    "released-after-withdrawal": (
        "a withdrawn statement was released again",
        "en återkallad utsaga lämnades ut igen",
    ),
    "unknown-originator": (
        "a statement is signed by someone whose key is not known here; add their card to see it",
        "en utsaga är signerad av någon vars nyckel är okänd här; lägg till deras kort för att se den",
    ),
    "forged-signature": (
        "the signature of a statement does not hold",
        "signaturen på en utsaga håller inte",
    ),
    "altered-disclosure": (
        "something disclosed is not what was signed",
        "något som visats är inte det som signerades",
    ),
    "finer-outside-coarser": (
        "a fine place or time does not lie inside the coarse one",
        "en fin plats eller tid ligger inte inom den grova",
    ),
    "oversized-statement": ("a statement is too large", "en utsaga är för stor"),
    "malformed": ("a statement cannot be read", "en utsaga går inte att läsa"),
    "malformed-slot": (
        "a part of a statement is not of the form it must have",
        "en del av en utsaga har inte den form den ska ha",
    ),
    "exercise-marked-as-actual": (
        "exercise and actual were mixed in one channel",
        "övning och skarpt läge blandades i en kanal",
    ),
    "version-by-another-originator": (
        "the partner used the id of someone else's statement",
        "partnern använde id:t för någon annans utsaga",
    ),
    "onward-not-allowed": (
        "the partner passed on a statement that its originator lets nobody pass on",
        "partnern lämnade vidare en utsaga som upphovet inte låter någon lämna vidare",
    ),
    "own-statement-returned": (
        "the partner sent us a statement of our own",
        "partnern skickade oss en utsaga som är vår egen",
    ),
    "equivocation-of-another": (
        "a statement that the partner passed on differs from the one held under the same id and version;"
        " its originator has signed both, both are kept: ask the originator",
        "en utsaga som partnern lämnat vidare skiljer sig från den som finns under samma id och version;"
        " upphovet har signerat båda, båda är sparade: fråga upphovet",
    ),
    "id-of-another": (
        "two originators have used one id; what came second is not shown, both are kept: ask both",
        "två upphov har använt samma id; det som kom sist visas inte, båda är sparade: fråga båda",
    ),
    "equivocation": (
        "the partner has signed two different statements under one id and version; both are kept",
        "partnern har signerat två olika utsagor under samma id och version; båda är sparade",
    ),
}
REASONS: Final = frozenset(_EN_SV)
"""Every reason for which a batch can be refused."""

_OTHER: Final = ("what was sent was refused", "det som skickades avvisades")


_unpack = msgspec.msgpack.Decoder(dict[str, bytes]).decode


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal of a partner's batch, for the home side. `count`: how often the same was sent."""

    id: int
    partner: str
    reason: str
    what: str
    en: str
    sv: str
    first_us: int
    last_us: int
    count: int
    evidence: dict[str, bytes]  # signed heads at most, once a purge reached it


class Refusals:
    """The refused batches of one partner's channel."""

    def __init__(self, db: Database, log: str, partner: str) -> None:
        self._db = db
        self._log = log
        self._partner = partner

    def keep(self, data: bytes, refused: Refused, at_us: int) -> None:
        """Durably. The same bytes for the same reason are counted, not kept twice."""
        ids = _ids(data)
        evidence = dict(refused.evidence)
        if ids and (self.purged(ids) or _of_others(data, self._partner)):
            evidence = {"batch-sha256": sha256(data), **_heads(evidence)}
        elif ids is None:  # it cannot be known whose words these are, so a purge could not reach them
            evidence["batch-sha256"] = sha256(data)
        else:
            evidence["batch"] = data
        with self._db.write() as db:
            db.execute(
                "INSERT INTO refusal (log, partner, reason, what, digest, ids, evidence,"
                " first_us, last_us, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"
                " ON CONFLICT (log, reason, digest)"
                " DO UPDATE SET count = count + 1, last_us = excluded.last_us",
                (
                    self._log,
                    self._partner,
                    refused.reason,
                    str(refused),
                    sha256(data),
                    to_json(ids or []).decode(),
                    msgspec.msgpack.encode(evidence),
                    at_us,
                    at_us,
                ),
            )
            db.execute(
                "DELETE FROM refusal WHERE log = ? AND id NOT IN"
                " (SELECT id FROM refusal WHERE log = ? ORDER BY last_us DESC, id DESC LIMIT ?)",
                (self._log, self._log, limits.REFUSALS_KEPT),
            )

    def purge(self, jtis: Collection[str]) -> None:
        """Let the bytes go of evidence that names one of these, and remember them, in the caller's
        transaction."""
        with self._db.write() as db:
            db.executemany(
                "INSERT INTO purged VALUES (?, ?) ON CONFLICT DO NOTHING",
                ((self._log, jti) for jti in sorted(jtis)),
            )
            rows = db.execute(
                "SELECT id, evidence FROM refusal WHERE log = ? AND evidence IS NOT NULL AND EXISTS"
                " (SELECT 1 FROM json_each(ids) WHERE value IN (SELECT value FROM json_each(?)))",
                (self._log, to_json(sorted(jtis)).decode()),
            ).fetchall()
            for id_, evidence in rows:
                left = _heads(_unpack(evidence))
                packed = msgspec.msgpack.encode(left) if left else None
                db.execute("UPDATE refusal SET evidence = ? WHERE id = ?", (packed, id_))

    def forget(self) -> None:
        """Let the bytes of all evidence of this channel go; words and signed heads stay."""
        with self._db.write() as db:
            rows = db.execute("SELECT id, evidence FROM refusal WHERE log = ?", (self._log,)).fetchall()
            for id_, evidence in rows:
                left = _heads(_unpack(evidence)) if evidence else {}
                packed = msgspec.msgpack.encode(left) if left else None
                db.execute("UPDATE refusal SET evidence = ? WHERE id = ?", (packed, id_))

    def purged(self, jtis: Collection[str]) -> set[str]:
        """Which of these this partner has had purged, whether anything of them was held here or not."""
        rows = self._db.read().execute(
            "SELECT jti FROM purged WHERE log = ? AND jti IN (SELECT value FROM json_each(?))",
            (self._log, to_json(sorted(jtis)).decode()),
        )
        return {row[0] for row in rows}

    def withdrawn_unread(self, originators: Mapping[str, str]) -> list[str]:
        """Those whose originator had them purged in its own channel to us before we had read them there;
        by id, who said it."""
        node, realm, me = split_origin(self._log)
        found = []
        for jti, originator in originators.items():
            row = self._db.read().execute(
                "SELECT 1 FROM purged WHERE log = ? AND jti = ?",
                (channel_origin(originator, realm, me), jti),
            )
            if originator != node and row.fetchone() is not None:
                found.append(jti)
        return found

    def problems(self) -> list[Problem]:
        """Latest first."""
        rows = self._db.read().execute(
            "SELECT id, reason, what, first_us, last_us, count, evidence FROM refusal WHERE log = ?"
            " ORDER BY last_us DESC, id DESC",
            (self._log,),
        )
        return [self._problem(*row) for row in rows]

    def _problem(
        self,
        id_: int,
        reason: str,
        what: str,
        first_us: int,
        last_us: int,
        count: int,
        evidence: bytes | None,
    ) -> Problem:
        en, sv = reason_texts(reason)
        kept = _unpack(evidence) if evidence else {}
        return Problem(
            id=id_,
            partner=self._partner,
            reason=reason,
            what=what,
            en=en,
            sv=sv,
            first_us=first_us,
            last_us=last_us,
            count=count,
            evidence=kept,
        )


def reason_texts(reason: str) -> tuple[str, str]:
    """A refusal's reason for people, English and Swedish."""
    return _EN_SV.get(reason, _OTHER)


def _heads(evidence: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in evidence.items() if name.startswith(_HEADS)}


def _of_others(data: bytes, partner: str) -> bool:
    """Whether a refused batch that can be read shows a statement that the partner did not say itself.
    Its originator's purge may never come to us, so its bytes are not kept."""
    for entry in wire.decode(data).entries:
        if entry.view is not None:
            with contextlib.suppress(Refused, UnicodeEncodeError):
                if parse(entry.view.encode()).iss != partner:
                    return True
    return False


def _ids(data: bytes) -> list[str] | None:
    """The statements that a refused batch names; None where it cannot be read."""
    try:
        return sorted({read_leaf(e.leaf.encode()).id for e in wire.decode(data).entries})
    except (Refused, UnicodeEncodeError):
        return None
