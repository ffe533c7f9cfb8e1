"""OpenAPI 3.1 of the home API. Bodies are the very forms that the desk reads; a test holds the rest to
what the server answers, and every route to a line here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from samsyn.desk.asking import ConsentForm, RequestForm
from samsyn.desk.auditing import ExportForm
from samsyn.desk.drafts import ReportForm
from samsyn.desk.exporting import MEDIA
from samsyn.desk.feed_book import FeedForm, FeedStep
from samsyn.desk.review import PolicyForm
from samsyn.desk.zone_book import ZonesForm

Object = dict[str, Any]


class SignIn(msgspec.Struct):
    """Who somebody is."""

    user: str
    password: str


class Withdrawal(msgspec.Struct):
    """purge: whether who holds it must forget it."""

    purge: bool = True
    why: str = ""


class Handling(msgspec.Struct):
    """A step in seeing to an alert. due_us: by when; microseconds since 1970."""

    step: str
    due_us: int | None = None


class View(msgspec.Struct):
    """A view of the picture, kept by a name. address: what stands in the page's address from # on."""

    name: str
    address: str = ""


class _Does(NamedTuple):
    path: str
    method: str
    summary: str
    body: type[msgspec.Struct] | type[bytes] | None = None
    query: tuple[str, ...] = ()
    reply: str = "object"


_FORMS: Final = (
    FeedForm,
    FeedStep,
    ZonesForm,
    ExportForm,
    ReportForm,
    RequestForm,
    ConsentForm,
    PolicyForm,
    SignIn,
    Withdrawal,
    Handling,
    View,
)
_TIMES: Final = frozenset({"at", "at_us", "from_us", "to_us", "known_us", "since_us", "until_us"})
_OPTIONAL: Final = frozenset(
    {"at", "known_us", "box", "reader", "did", "by", "partner", "since_us", "until_us", "before"}
)
ALL: Final = (
    _Does("/healthz", "get", "Whether the node runs"),
    _Does("/api/openapi.json", "get", "This document"),
    _Does("/api/sign-in", "get", "How one can sign in"),
    _Does("/api/oidc", "get", "Go to the identity provider", reply="redirect"),
    _Does("/api/oidc/callback", "get", "Back from the identity provider", reply="redirect"),
    _Does("/api/session", "get", "Who I am"),
    _Does("/api/session", "post", "Sign in", SignIn),
    _Does("/api/session", "delete", "Sign out"),
    _Does("/api/picture", "get", "What the page shows around the map"),
    _Does("/api/statements", "get", "The inbox"),
    _Does("/api/statements/{jti}", "get", "One statement, with who said it and through whom"),
    _Does("/api/statements/{jti}/withdraw", "post", "Withdraw it", Withdrawal),
    _Does("/api/statements/{jti}/handle", "post", "See to it", Handling),
    _Does("/api/statements/{jti}/explain", "get", "Why it is released, or not", query=("reader",)),
    _Does("/api/statements/{jti}/attachments/{sha256}", "get", "An attachment's file", reply="bytes"),
    _Does("/api/statements/{jti}/attachments/{sha256}/fetch", "post", "Fetch it from the partner"),
    _Does("/api/attachments/{sha256}", "put", "A file for a report that is being written", bytes),
    _Does("/api/reports", "post", "Say something", ReportForm),
    _Does("/api/reports/reach", "post", "Whom it would reach; nothing is signed", ReportForm),
    _Does("/api/requests", "post", "Ask the originator", RequestForm),
    _Does("/api/consents", "post", "Answer a request", ConsentForm),
    _Does("/api/notices", "get", "What a person should see to"),
    _Does("/api/as/{reader}", "get", "The picture as a reader sees it"),
    _Does("/api/policy", "get", "The policy in force, and those proposed"),
    _Does("/api/policy/preview", "post", "What a policy would release", PolicyForm),
    _Does("/api/policy/propose", "post", "Propose a policy", PolicyForm),
    _Does("/api/policy/approve", "post", "Approve one that another proposed", PolicyForm),
    _Does("/api/policy/reject", "post", "Reject a proposed policy", PolicyForm),
    _Does(
        "/api/links",
        "get",
        "The partners: how each is reached, with figures of what it has",
    ),
    _Does("/api/findings", "get", "What detectors found"),
    _Does("/api/activity", "get", "Craft in each zone, against what is usual", query=("at",)),
    _Does("/api/interference", "get", "Cells with lost satellite positions", query=("at",)),
    _Does("/api/zones", "get", "The zones, as GeoJSON"),
    _Does("/api/tracks/{domain}/{number}", "get", "One craft"),
    _Does("/api/views", "get", "The views that I keep"),
    _Does("/api/views/keep", "post", "Keep a view", View),
    _Does("/api/views/forget", "post", "Forget a view", View),
    _Does(
        "/api/audit",
        "get",
        "The audit log, the newest entries first",
        query=("did", "by", "partner", "since_us", "until_us", "before"),
    ),
    _Does("/api/audit/released", "get", "What a partner was given", query=("to", "from_us", "to_us")),
    _Does("/api/audit/proof", "get", "The outcome of the last check of all proofs"),
    _Does("/api/audit/verify", "post", "Begin such a check"),
    _Does("/api/audit/export", "post", "The log, or what a partner was given", ExportForm, reply="file"),
    _Does("/api/settings/zones", "get", "The zones, to be edited"),
    _Does("/api/settings/zones/change", "post", "Put and remove zones", ZonesForm),
    _Does("/api/settings/feeds", "get", "The feeds, to be set"),
    _Does("/api/settings/feeds/put", "post", "Add or change a feed", FeedForm),
    _Does("/api/settings/feeds/step", "post", "Suspend a feed, take it up, remove it", FeedStep),
    _Does("/api/settings/feeds/try", "post", "What comes by a feed in some seconds", FeedForm),
    _Does("/api/past", "get", "The inbox as it was known then", query=("at_us",)),
    _Does("/api/past/as/{reader}", "get", "The picture as a reader saw it then", query=("at_us",)),
    _Does("/api/past/frame", "get", "Tracks as they stood", query=("at_us", "box"), reply="binary"),
    _Does("/api/past/trail/{craft}", "get", "Where a craft was", query=("from_us", "to_us", "known_us")),
)


@lru_cache(maxsize=1)
def document() -> Object:
    """The whole of it."""
    paths: Object = {}
    for does in ALL:
        paths.setdefault(does.path, {})[does.method] = _operation(does)
    _, forms = msgspec.json.schema_components(_FORMS, ref_template="#/components/schemas/{name}")
    said = {"type": "string"}
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "en", "sv"],
                "properties": {"code": said, "en": said, "sv": said},
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Samsyn home API",
            "version": "1.0.0",
            "description": "For an organisation's own users. Sign in first; every request that changes "
            "something carries the header X-Samsyn. Live frames come over the WebSocket /api/live.",
        },
        "paths": paths,
        "components": {"schemas": {**forms, "Error": error}},
    }


def _operation(does: _Does) -> Object:
    names = [part[1:-1] for part in does.path.split("/") if part.startswith("{")]
    parameters = [_parameter(name, "path") for name in names]
    parameters += [_parameter(name, "query") for name in does.query]
    media = "application/json"
    shown: Object = {"type": "object"}
    if does.reply == "binary":
        media, shown = "application/vnd.apache.arrow.stream", {"type": "string"}
    content: Object = {media: {"schema": shown}}
    if does.reply == "file":
        content = {media: {"schema": {"type": "string"}} for media in MEDIA.values()}
    replies: Object = {"200": {"description": does.summary, "content": content}}
    if does.reply == "bytes":
        content = {"*/*": {"schema": {"type": "string"}}}
    if does.reply == "redirect":
        replies = {"303": {"description": does.summary}}
    problem = {"schema": {"$ref": "#/components/schemas/Error"}}
    for status, text in _PROBLEMS.items():
        replies[status] = {"description": text, "content": {"application/json": problem}}
    made: Object = {"summary": does.summary, "parameters": parameters, "responses": replies}
    if does.method != "get":
        header = {"name": "X-Samsyn", "in": "header", "required": True, "schema": {"const": "1"}}
        made["parameters"] = [*parameters, header]
    if does.body is bytes:
        file = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        made["requestBody"] = {"required": True, "content": file}
    elif does.body is not None:
        body = {"schema": {"$ref": f"#/components/schemas/{does.body.__name__}"}}
        made["requestBody"] = {"required": True, "content": {"application/json": body}}
    return made


_PROBLEMS: Final = {
    "400": "The request cannot be read, or asks for what cannot be",
    "401": "Not signed in",
    "403": "The role does not allow it, or X-Samsyn is missing",
    "404": "There is no such thing",
    "421": "Not served under this name",
    "429": "Too many tries",
}


def _parameter(name: str, where: str) -> Object:
    schema: Object = {"type": "string", "minLength": 1}
    if name in _TIMES:
        schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
    elif name in ("domain", "number"):
        schema = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
    return {
        "name": name,
        "in": where,
        "required": where == "path" or name not in _OPTIONAL,
        "schema": schema,
    }
