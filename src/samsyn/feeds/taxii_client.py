"""Reads another server's TAXII 2.1 collection, page by page, from where the last time ended."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import httpx

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, iso, parse_iso
from samsyn.base.errors import ConfigError
from samsyn.formats.foreign import Unreadable, members

_ACCEPT: Final = "application/taxii+json;version=2.1"
_TAKEN: Final = ("application/taxii+json", "application/stix+json")
_DEFINITIONS: Final = {"match[type]": "marking-definition"}
_OVERLAP_US: Final = SECOND_US  # between two rounds, for servers whose times are equal for many


class Fetched(NamedTuple):
    """One envelope, and from which time of adding (RFC 3339, "" for the beginning) the next round is to
    ask once this one is taken."""

    data: bytes
    after: str


class TaxiiClient:
    """One collection. Nothing of it is believed: sizes and counts are bounded, redirects are not
    followed, and the secret goes to the address that it was given for."""

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        secret: str = "",
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """url: of the collection. user, secret: for Basic authentication; a secret alone is a bearer
        token. trust: which certificates; None: the system's. Raises `ConfigError`."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(f"{url!r} is no collection's address", do="write https://HOST/.../ID/")
        if secret and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ConfigError("a secret is not sent over plain HTTP", where=url, do="use https")
        self._objects = f"{url.rstrip('/')}/objects/"
        headers = {"accept": _ACCEPT}
        if secret and not user:
            headers["authorization"] = f"Bearer {secret}"
        self._client = httpx.Client(
            headers=headers,
            auth=(user, secret) if user else None,
            verify=trust or True,
            timeout=httpx.Timeout(limits.REPLY_PIECE_S, connect=limits.CONNECT_WAIT_S),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def round(self, after: str) -> Iterator[Fetched]:
        """All that was added after `after`; first of all the definitions of markings, so that what
        refers to them is understood whatever page they stand on.

        Raises `Unreadable` where the server does not answer as it should.
        """
        for data, _ in self._pages(_DEFINITIONS):
            yield Fetched(data, after)
        newest = after
        for data, added in self._pages({"added_after": after} if after else {}):
            newest = _later(newest, added)
            yield Fetched(data, after)
        yield Fetched(b"{}", newest)

    def _pages(self, asked: Mapping[str, str]) -> Iterator[tuple[bytes, str]]:
        """Envelopes, each with the time of adding of its last object."""
        seen: set[str] = set()
        query = {**asked, "limit": str(limits.READER_PAGE)}
        while True:
            data, added = self._get(query)
            yield data, added
            more = members(data, "objects").others
            if more.get("more") is not True:
                return
            # the standard wants `next` with `more`; of a server without it, the time goes on
            further = more.get("next")
            mark = further if isinstance(further, str) and further else added
            if not mark or mark in seen:
                raise Unreadable("server", "it says that there is more, and not where")
            seen.add(mark)
            query = {**asked, "limit": query["limit"]}
            query |= {"next": mark} if mark == further else {"added_after": mark}

    def _get(self, query: Mapping[str, str]) -> tuple[bytes, str]:
        try:
            with self._client.stream("GET", self._objects, params=dict(query)) as reply:
                if reply.status_code != httpx.codes.OK:
                    raise Unreadable("server", f"HTTP {reply.status_code}")
                kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind not in _TAKEN:
                    raise Unreadable("media-type", kind[:80])
                held = bytearray()
                for data in reply.iter_bytes(limits.REPLY_PIECE_BYTES):
                    held += data
                    if len(held) > limits.JSON_DOCUMENT_BYTES:
                        raise Unreadable("too-large", f"over {limits.JSON_DOCUMENT_BYTES} bytes")
                return bytes(held) or b"{}", reply.headers.get("x-taxii-date-added-last", "")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as e:
            raise Unreadable("unreachable", str(e) or type(e).__name__) from e


def _later(held: str, added: str) -> str:
    """The later of two times, a little before it; what is no time does not count."""
    try:
        begin = iso((parse_iso(added) - _OVERLAP_US) // SECOND_US * SECOND_US)
    except (ValueError, OverflowError):
        return held
    return max(held, begin)
