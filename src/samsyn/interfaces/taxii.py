"""TAXII 2.1 for readers without a node: one collection, which is the reader's channel.

    GET /taxii2/                                     discovery
    GET /api/                                        the API root
    GET /api/collections/                            the one collection
    GET /api/collections/{id}/                       that collection
    GET /api/collections/{id}/manifest/              what is in it
    GET /api/collections/{id}/objects/               its objects
    GET /api/collections/{id}/objects/{object}/      one object
    GET /api/collections/{id}/objects/{object}/versions/

Whose channel that is, the port has found out (`interfaces.port`). Nothing can be written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import orjson
from starlette.requests import Request
from starlette.responses import Response

from samsyn.base import limits
from samsyn.base.clock import SECOND_US, iso, parse_iso
from samsyn.channels.names import channel_origin
from samsyn.formats import stix
from samsyn.formats.stix_profiles import PROFILES, Profile
from samsyn.interfaces.collection import BEGIN, Asked, Collections, Page, Place, Placed
from samsyn.interfaces.port import TITLES, Channel, No, error_headers
from samsyn.interfaces.seen import Seens

MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
_ACCEPTED: Final = ("application/taxii+json", "application/*", "*/*")
_PLACE_DIGITS: Final = 12
_COLLECTION_PARTS: Final = 3  # of a path: api, collections, the collection's id
_FILTERS: Final = ("id", "type", "version", "spec_version")
_TITLES: Final = {
    400: "The request is not as TAXII 2.1 wants it",
    403: "This collection is read-only",
    406: "Only application/taxii+json;version=2.1 is spoken here",
}


class _Caller(NamedTuple):
    channel: Channel
    id: str  # of the collection


class Taxii:
    """TAXII 2.1 (`port.Interface`): one collection for each reader."""

    def __init__(
        self,
        node: str,
        organisation: str,
        realm: Literal["actual", "exercise"],
        seens: Seens,
        profile_of: Callable[[str], Profile],
    ) -> None:
        """profile_of: that of a reader, by its name."""
        self._node, self._organisation, self._realm = node, organisation, realm
        self._profile_of = profile_of
        self._collections = {
            profile: Collections(node, organisation, realm, seens, profile) for profile in PROFILES
        }

    @property
    def open(self) -> bool:
        return False

    def owns(self, parts: Sequence[str]) -> bool:
        return parts[0] in ("taxii2", "api")

    def error(self, status: int) -> Response:
        """Says the same for every request that ends this way: nothing of what was asked, or by whom."""
        told = {"title": _TITLES.get(status, TITLES[status]), "http_status": str(status)}
        return _json(told, status, error_headers(status))

    # what is asked for

    def answer(self, request: Request, channel: Channel) -> Response:
        """In a thread: nothing here reads the request's body. Raises `No`."""
        caller = _Caller(channel, collection_id(self._node, self._realm, channel.name))
        parts = request.url.path.strip("/").split("/")
        known = _known(parts, caller.id)
        if request.method != "GET":
            raise No(404 if not known else 403 if parts[3:4] == ["objects"] else 405)
        _check_accept(request.headers.get("accept", ""))
        if not known:
            raise No(404)
        if parts == ["taxii2"]:
            root = f"{request.url.scheme}://{request.headers.get('host', '')}/api/"
            told = {"title": f"Samsyn {self._node}", "description": self._organisation}
            return _json({**told, "default": root, "api_roots": [root]})
        if parts == ["api"]:
            told = {"title": f"{self._organisation} ({self._node}, {self._realm})"}
            room = limits.REQUEST_BODY_BYTES  # TAXII wants a figure; nothing is taken
            return _json({**told, "versions": [MEDIA_TYPE], "max_content_length": room})
        if len(parts) <= _COLLECTION_PARTS:
            shown = self._shown(caller)
            return _json(shown if len(parts) == _COLLECTION_PARTS else {"collections": [shown]})
        return self._objects(request, caller, parts[_COLLECTION_PARTS:])

    def _shown(self, caller: _Caller) -> dict[str, Any]:
        return {
            "id": caller.id,
            "title": f"{self._organisation} for {caller.channel.name} ({self._realm})",
            "description": "What was released to this reader.",
            "can_read": True,
            "can_write": False,
            "media_types": [stix.MEDIA_TYPE],
        }

    def _objects(self, request: Request, caller: _Caller, parts: list[str]) -> Response:
        query = _Query(request)
        one = parts[1] if len(parts) > 1 else None
        asked = query.asked(one)
        if asked is None:  # of another STIX than ours there is nothing
            page = Page([], None)
        else:
            page = self._of(caller).page(
                caller.channel, asked, query.limit, at=query.at, added_after_us=query.added_after_us
            )
        if one is not None and not page.objects and not self._is_there(caller, one):
            raise No(404)
        if parts[-1] == "versions":
            return _paged("versions", page, lambda placed: orjson.dumps(placed.object.version))
        if parts[0] == "manifest":
            return _paged("objects", page, _manifest)
        return _paged("objects", page, lambda placed: placed.object.data)

    def _of(self, caller: _Caller) -> Collections:
        return self._collections[self._profile_of(caller.channel.name)]

    def _is_there(self, caller: _Caller, one: str) -> bool:
        return bool(self._of(caller).page(caller.channel, Asked(ids=[one]), 1).objects)


class _Query:
    """The filters of one request. Raises `No` (400) for what cannot be read."""

    def __init__(self, request: Request) -> None:
        given = request.query_params
        self._match = {
            name: given[f"match[{name}]"].split(",") for name in _FILTERS if f"match[{name}]" in given
        }
        try:
            # 0: what taxii2-client sends where its user gave no number
            limit = int(given.get("limit") or 0)
            after = given.get("added_after")
            self.added_after_us = parse_iso(after) if after else None
            self.at = _read_place(given["next"]) if given.get("next") else BEGIN
        except (ValueError, OverflowError) as e:
            raise No(400) from e
        if limit < 0:
            raise No(400)
        self.limit = min(limit or limits.READER_PAGE_DEFAULT, limits.READER_PAGE)

    def asked(self, one: str | None) -> Asked | None:
        """None where nothing can be meant."""
        spec = self._match.get("spec_version", ["2.1"])
        ids = self._match.get("id") if one is None else [one]
        versions = self._match.get("version")
        # of each object there is one version: the first, the last, and all that there are
        if versions is not None and {"first", "last", "all"} & set(versions):
            versions = None
        if versions is not None:
            try:
                # as we write times, and as others may have written theirs
                versions = [*versions, *(stix.stamp(parse_iso(text)) for text in versions)]
            except (ValueError, OverflowError) as e:
                raise No(400) from e
        return Asked(ids, self._match.get("type"), versions) if "2.1" in spec else None


def collection_id(node: str, realm: str, reader: str) -> str:
    return str(uuid5(NAMESPACE_URL, channel_origin(node, realm, reader)))


def _known(parts: list[str], collection: str) -> bool:
    """Whether these are the parts of a path that this reader has; another's collection is none."""
    match parts:
        case ["taxii2"] | ["api"] | ["api", "collections"]:
            return True
        case ["api", "collections", id_, *rest] if id_ == collection:
            match rest:
                case [] | ["manifest"] | ["objects"] | ["objects", _] | ["objects", _, "versions"]:
                    return True
    return False


def _check_accept(header: str) -> None:
    """Raises `No` (406) unless ours is among what the client takes."""
    for one in header.split(",") if header.strip() else ():
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        versions = [p.partition("=")[2].strip(' "') for p in parameters if p.startswith("version")]
        if kind in _ACCEPTED and all(found == "2.1" for found in versions):
            return
    if header.strip():
        raise No(406)


def _read_place(text: str) -> Place:
    """Raises `ValueError`."""
    index, _, piece = text.partition(".")
    if not (piece.isdecimal() and len(text) <= 2 * _PLACE_DIGITS):
        raise ValueError("not a place")
    return max(Place(int(index), int(piece)), BEGIN)


def _manifest(placed: Placed) -> bytes:
    made = placed.object
    told = {"id": made.id, "date_added": _added(placed), "version": made.version}
    return orjson.dumps({**told, "media_type": stix.MEDIA_TYPE})


def _added(placed: Placed) -> str:
    """As TAXII writes times: six digits after the second."""
    whole, part = divmod(placed.added_us, SECOND_US)
    return f"{iso(whole * SECOND_US)[:-1]}.{part:06d}Z"


def _paged(what: str, page: Page, shown: Callable[[Placed], bytes]) -> Response:
    """An envelope around what is finished already: nothing is read and written again."""
    told, headers = [], {}
    if page.next is not None:
        told.append(b'"more":true,"next":"%d.%d"' % page.next)
    if page.objects:
        told.append(b'"%s":[%s]' % (what.encode(), b",".join(map(shown, page.objects))))
        headers["X-TAXII-Date-Added-First"] = _added(page.objects[0])
        headers["X-TAXII-Date-Added-Last"] = _added(page.objects[-1])
    return _reply(b"{%s}" % b",".join(told), headers=headers)


def _json(told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _reply(orjson.dumps(told), status, headers)


def _reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    more = {"content-type": MEDIA_TYPE, "cache-control": "no-store", **(headers or {})}
    return Response(body, status, more)
