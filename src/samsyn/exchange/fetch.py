"""Fetching one attachment from a partner that gave us its name: once, because a person wants it."""

from __future__ import annotations

import asyncio
import threading

import httpx

from samsyn.base.errors import Refused, SamsynError
from samsyn.exchange.ask import Asker, Busy, trouble
from samsyn.exchange.link import explain
from samsyn.statements.attachments import Attachment


def fetch_attachment(asker: Asker, jti: str, ver: int, wanted: Attachment) -> bytes | None:
    """Its bytes, checked; None where the partner does not have them, or does not give them any more.

    Raises `SamsynError` where the partner cannot be asked, and `Refused` ("another-attachment") where
    it sends something else.
    """
    try:
        body = asyncio.run(_fetch(asker, jti, ver, wanted))
    except (Refused, Busy, TimeoutError, httpx.HTTPError) as e:
        _, reason = trouble(e) or ("down", "own-fault")
        raise SamsynError(explain(reason)[0], where=asker.card.name) from e
    if not body:
        return None
    wanted.check(body)
    return body


async def _fetch(asker: Asker, jti: str, ver: int, wanted: Attachment) -> bytes:
    path = f"/exchange/attachment/{jti}/{ver}/{wanted.sha256}"
    async with asker.client() as client:
        return await asker.ask(client, threading.Event(), "GET", path, wanted.size)
