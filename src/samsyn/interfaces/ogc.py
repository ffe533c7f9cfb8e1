"""OGC API - Features (Part 1: Core, OGC 17-069r4) for map servers and GIS: a channel as features.

    GET /ogc/                                    landing page
    GET /ogc/conformance
    GET /ogc/api                                 OpenAPI 3.0 of this
    GET /ogc/collections                         alerts, reports, tracks
    GET /ogc/collections/{collection}
    GET /ogc/collections/{collection}/items      bbox, datetime, limit, at
    GET /ogc/collections/{collection}/items/{id}

JSON, or HTML for a browser (`f=html`, or by the Accept header).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from samsyn.base import limits
from samsyn.formats import features
from samsyn.formats.view import View, finest_time
from samsyn.interfaces.asked import Area, Span, read_area, read_span, span_of
from samsyn.interfaces.html import page
from samsyn.interfaces.live import Live
from samsyn.interfaces.openapi import openapi
from samsyn.interfaces.port import TITLES, Channel, No, error_headers
from samsyn.interfaces.seen import Seens

Object = dict[str, Any]

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CONFORMS: Final = tuple(
    f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}"
    for name in ("core", "geojson", "html", "oas30")
)
KINDS: Final = {"alerts": "alert", "reports": "report"}
TRACKS: Final = "tracks"
_TEXTS: Final = {
    "alerts": "Findings that an organisation signed, as they were released to this reader",
    "reports": "Accounts of persons, as they were released to this reader",
    TRACKS: "Craft as they are heard now, as they are released to this reader",
}
_PARAMETERS: Final = frozenset({"f", "bbox", "datetime", "limit", "at", "bbox-crs", "crs"})
_DEFAULT_LIMIT: Final = 10  # what the standard has


class Shown(NamedTuple):
    """A view as a feature, and what it is looked for by."""

    kind: str
    feature: bytes
    bounds: Area | None
    span: Span | None


class FeatureMaker:
    """Makes features of views (`seen.Maker`)."""

    name = "feature"

    def make(self, view: View) -> Shown:
        made = features.feature(view)
        bounds = features.bounds(made["geometry"])
        span = span_of(str(finest_time(view.slots) or ""))
        return Shown(view.kind, orjson.dumps(made), Area(*bounds) if bounds else None, span)

    def size_bytes(self, made: Shown) -> int:
        return len(made.feature) + 200


class Query(NamedTuple):
    """What of a collection is asked for. at: where to read on."""

    bbox: Area | None
    span: Span | None
    limit: int
    at: int


class Ogc:
    """`port.Interface`."""

    def __init__(
        self, node: str, organisation: str, realm: Literal["actual", "exercise"], seens: Seens
    ) -> None:
        self._node, self._organisation, self._realm = node, organisation, realm
        self._seens = seens
        self._maker = FeatureMaker()
        self._live = Live()

    @property
    def open(self) -> bool:
        return False

    def owns(self, parts: Sequence[str]) -> bool:
        return parts[0] == "ogc"

    def error(self, status: int) -> Response:
        told = {"type": "about:blank", "title": TITLES[status], "status": status}
        headers = {"cache-control": "no-store", **error_headers(status)}
        return Response(orjson.dumps(told), status, headers, "application/problem+json")

    def answer(self, request: Request, channel: Channel) -> Response:
        """Raises `No`."""
        parts = request.url.path.strip("/").split("/")
        if request.method not in ("GET", "HEAD"):
            raise No(405)
        html = _wants_html(request)
        base = f"{request.url.scheme}://{request.headers.get('host', '')}/ogc"
        match parts[1:]:
            case []:
                told = self._landing(base)
            case ["conformance"]:
                told = {"conformsTo": CONFORMS}
            case ["api"]:
                return _json(openapi(self._title()), "application/vnd.oai.openapi+json;version=3.0")
            case ["collections"]:
                told = {
                    "links": [_link(f"{base}/collections", "self")],
                    "collections": [_collection(base, name) for name in _TEXTS],
                }
            case ["collections", name] if name in _TEXTS:
                told = _collection(base, name)
            case ["collections", name, "items"] if name in _TEXTS:
                query = _query(request)
                return self._items(base, name, query, request, channel, html=html)
            case ["collections", name, "items", id_] if name in _TEXTS:
                return self._item(base, name, id_, channel, html=html)
            case _:
                raise No(404)
        return self._html(told, request) if html else _json(told)

    def _title(self) -> str:
        return f"{self._organisation} ({self._node}, {self._realm})"

    def _landing(self, base: str) -> Object:
        return {
            "title": self._title(),
            "description": "What was released to this reader.",
            "links": [
                _link(f"{base}/", "self"),
                _link(f"{base}/api", "service-desc", "application/vnd.oai.openapi+json;version=3.0"),
                _link(f"{base}/conformance", "conformance"),
                _link(f"{base}/collections", "data"),
            ],
        }

    def _items(
        self,
        base: str,
        name: str,
        query: Query,
        request: Request,
        channel: Channel,
        *,
        html: bool,
    ) -> Response:
        here = f"{base}/collections/{name}/items"
        found, next_ = (
            self._live.page(channel, query)
            if name == TRACKS
            else self._page(channel, KINDS[name], query)
        )
        links = [_link(f"{here}?{request.url.query}".rstrip("?"), "self", features.MEDIA_TYPE)]
        links.append(_link(f"{base}/collections/{name}", "collection"))
        if next_ is not None:
            kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("at", "limit")]
            more = "&".join(f"{k}={v}" for k, v in [*kept, ("limit", query.limit), ("at", next_)])
            links.append(_link(f"{here}?{more}", "next", features.MEDIA_TYPE))
        if html:
            told = [orjson.loads(one) for one in found]
            return self._html({"links": links, "features": told}, request)
        return _collected(found, links)

    def _item(self, base: str, name: str, id_: str, channel: Channel, *, html: bool) -> Response:
        if name == TRACKS:
            found = self._live.one(channel, id_)
        else:
            found = self._one(channel, KINDS[name], id_)
        if found is None:
            raise No(404)
        here = f"{base}/collections/{name}"
        told = orjson.loads(found)
        told["links"] = [
            _link(f"{here}/items/{id_}", "self", features.MEDIA_TYPE),
            _link(here, "collection"),
        ]
        return self._html(told) if html else _json(told, features.MEDIA_TYPE)

    def _page(self, channel: Channel, kind: str, query: Query) -> tuple[list[bytes], int | None]:
        """Features from entry `query.at` on, and where to read on; None: that was all."""
        found: list[bytes] = []
        size = looked = 0
        for index, shown in self._standing(channel, query.at):
            looked += 1
            if looked > limits.READER_PAGE_ENTRIES:
                return found, index
            if shown.kind != kind or not _fits(shown, query):
                continue
            if len(found) >= query.limit or size > limits.BATCH_BYTES:
                return found, index
            found.append(shown.feature)
            size += len(shown.feature)
        return found, None

    def _standing(self, channel: Channel, begin: int) -> Iterator[tuple[int, Shown]]:
        seen = self._seens.of(channel)
        at = begin
        while at < seen.size:
            some = range(at, min(at + limits.BATCH_ENTRIES, seen.size))
            made = seen.made(channel, [index for index in some if seen.stands(index)], self._maker)
            yield from sorted(made.items())
            at = some.stop

    def _one(self, channel: Channel, kind: str, id_: str) -> bytes | None:
        try:
            uid = UUID(id_)
        except ValueError:
            return None
        seen = self._seens.of(channel)
        index = seen.index_of(uid)
        if index is None or str(uid) != id_:
            return None
        shown = seen.made(channel, [index], self._maker).get(index)
        return shown.feature if shown and shown.kind == kind else None

    def _html(self, told: Object, request: Request | None = None) -> Response:
        language = request.headers.get("accept-language", "") if request else ""
        return page(told, self._title(), language)


def _fits(shown: Shown, query: Query) -> bool:
    """What has no place is in no box; what has no time is at any (17-069r4, 7.15.3 and 7.15.4)."""
    if query.bbox is not None and (shown.bounds is None or not query.bbox.touches(shown.bounds)):
        return False
    return query.span is None or shown.span is None or query.span.touches(shown.span)


def _query(request: Request) -> Query:
    """Raises `No` (400) for a parameter that is none, or that cannot be read (17-069r4, 7.15)."""
    given = request.query_params
    if set(given) - _PARAMETERS or any(given.get(n, CRS84) != CRS84 for n in ("bbox-crs", "crs")):
        raise No(400)
    try:
        bbox = read_area(given["bbox"]) if given.get("bbox") else None
        span = read_span(given["datetime"]) if given.get("datetime") else None
        limit, at = given.get("limit", str(_DEFAULT_LIMIT)), given.get("at", "0")
        if not (limit.isdecimal() and at.isdecimal() and len(limit + at) < 32 and int(limit)):
            raise No(400)
    except ValueError as e:
        raise No(400) from e
    return Query(bbox, span, min(int(limit), limits.READER_PAGE), int(at))


def _wants_html(request: Request) -> bool:
    asked = request.query_params.get("f")
    if asked not in (None, "json", "html"):
        raise No(400)
    if asked is not None:
        return asked == "html"
    accepted = [one.partition(";")[0].strip() for one in request.headers.get("accept", "").split(",")]
    return "text/html" in accepted


def _collection(base: str, name: str) -> Object:
    here = f"{base}/collections/{name}"
    return {
        "id": name,
        "title": name.capitalize(),
        "description": _TEXTS[name],
        "itemType": "feature",
        "crs": [CRS84],
        "links": [_link(here, "self"), _link(f"{here}/items", "items", features.MEDIA_TYPE)],
    }


def _link(href: str, rel: str, type_: str = "application/json") -> Object:
    return {"href": href, "rel": rel, "type": type_}


def _collected(found: Sequence[bytes], links: Sequence[Object]) -> Response:
    head = b'{"type":"FeatureCollection","numberReturned":%d,"links":' % len(found)
    body = head + orjson.dumps(links) + b',"features":[' + b",".join(found) + b"]}"
    return Response(body, 200, _HEADERS, features.MEDIA_TYPE)


def _json(told: Mapping[str, Any], type_: str = "application/json") -> Response:
    return Response(orjson.dumps(told), 200, _HEADERS, type_)


_HEADERS: Final = {"cache-control": "no-store", "content-crs": f"<{CRS84}>"}
