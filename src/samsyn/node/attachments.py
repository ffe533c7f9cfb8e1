"""Fetching an attachment from whoever gave us its name."""

from __future__ import annotations

from samsyn.base import limits
from samsyn.base.errors import SamsynError
from samsyn.desk.attaching import Attaching
from samsyn.exchange.ask import Asker
from samsyn.exchange.fetch import fetch_attachment
from samsyn.node.stores import Stores


def attaching(stores: Stores) -> Attaching:
    """Attachments of what a realm holds."""
    return Attaching(
        stores.statements,
        stores.diary,
        stores.clock,
        fetch=lambda jti, digest, by: fetch(stores, jti, digest, by=by),
    )


def fetch(stores: Stores, jti: str, digest: str, *, by: str) -> str:
    """Have the bytes of an attachment here; returns the partner who gave them, "" where they were here.

    Asks the partners by whom the statement came, one after the other. Raises `SamsynError` of the last
    where none gives it.
    """
    wanted = attaching(stores).wanted(jti, digest)
    if wanted is None:
        return ""
    trouble = SamsynError(
        f"nobody who gave us the statement has the file {wanted.attachment.name}, or gives it any more",
        where=jti,
        do="ask its originator; a file that came another way: samsyn attachment take",
    )
    for partner in wanted.partners:
        card = stores.roster.get(partner)
        if card is None or partner in stores.waiting():
            continue
        asker = Asker(
            card,
            me=stores.me,
            request_key=stores.keys.request,
            realm=stores.realm,
            wall=stores.wall,
            per_minute=limits.ATTACHMENT_REQUESTS_PER_MINUTE,
        )
        try:
            body = fetch_attachment(asker, wanted.jti, wanted.ver, wanted.attachment)
        except SamsynError as e:
            trouble = e
            continue
        if body is not None:
            attaching(stores).take(jti, wanted.attachment.sha256, body, by=by, via=partner)
            return partner
    raise trouble
