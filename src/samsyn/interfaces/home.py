"""The home API and the picture: for the organisation's own signed-in users, built from a `Desk`."""

from __future__ import annotations

import asyncio
import functools
import gzip
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from samsyn.base.errors import InputError, LimitError, SamsynError
from samsyn.base.limits import REQUEST_BODY_BYTES, SESSION_AGE_S
from samsyn.desk.asking import ConsentForm, RequestForm
from samsyn.desk.desk import Desk, ReportForm
from samsyn.desk.review import PolicyForm
from samsyn.desk.rights import Act, Forbidden
from samsyn.desk.seat import Seat
from samsyn.interfaces import basemap
from samsyn.interfaces.accounts import Account, Sessions
from samsyn.interfaces.home_attachments import attachment_routes
from samsyn.interfaces.home_audit import audit_routes
from samsyn.interfaces.home_openapi import document
from samsyn.interfaces.home_past import past_routes
from samsyn.interfaces.home_settings import settings_routes
from samsyn.interfaces.home_sign_in import sign_in_routes
from samsyn.interfaces.oidc import Provider
from samsyn.interfaces.page_line import PageLine
from samsyn.statements.strict import strict_json

PACKED = (".js", ".mjs", ".css", ".html", ".json", ".svg")  # of the page; nothing secret is in them
DESK_THREADS = 4  # kept for good: each holds one reading connection of the store
T = TypeVar("T")

# Nothing is loaded from anywhere but this node; nothing inline runs.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

Handler = Callable[[Request, Account], Awaitable[Response]]

TEXTS = {
    "sign-in": ("Wrong user or password.", "Fel användare eller lösenord."),
    "session": ("Sign in first.", "Logga in först."),
    "role": ("Your role does not allow this.", "Din roll tillåter inte detta."),
    "header": (
        "The request lacks the header X-Samsyn.",
        "Begäran saknar huvudet X-Samsyn.",
    ),
    "tries": ("Too many tries: wait a minute.", "För många försök: vänta en minut."),
    "absent": ("There is no such thing here.", "Det finns inget sådant här."),
    "body": ("The request's body cannot be read.", "Begärans innehåll kan inte läsas."),
    "host": ("This address is not served here.", "Den adressen betjänas inte här."),
}


def json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def error(code: str, status: int, english: str = "", swedish: str = "") -> Response:
    en, sv = TEXTS.get(code, (english, swedish or english))
    return json({"error": {"code": code, "en": en, "sv": sv}}, status)


class Guard:
    """Answers only for the names it was started under, and puts the headers on every reply.

    The check of `Host` stops a web page elsewhere from reaching a node on loopback by a name that
    it lets point there (DNS rebinding); that of `Origin` stops its scripts from opening `live`.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        foreign = origin and origin.partition("://")[2] != host
        if host.rpartition(":")[0] not in self._hosts or foreign:
            if scope["type"] == "http":
                await error("host", 421)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HomeApp:
    """The handlers. What a route tells or does goes through the seat of the person who asks."""

    def __init__(
        self, desk: Desk, sessions: Sessions, web: Path, provider: Provider | None = None
    ) -> None:
        self._desk = desk
        self._sessions = sessions
        self._web = web
        self._basemap = basemap.Basemap(web)
        self._provider = provider
        # browsers keep cookies by host, not by port: two nodes on one machine must not share one
        self._cookie = f"samsyn_session_{desk.name}"
        self._threads = ThreadPoolExecutor(DESK_THREADS, thread_name_prefix="desk")

    async def _in_thread(self, work: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    def routes(self) -> list[Route | WebSocketRoute]:
        read, write = self._read, self._write
        return [
            Route("/healthz", self.healthz),
            Route("/api/session", self.session, methods=["GET", "POST", "DELETE"]),
            Route("/api/picture", read(lambda r, seat: seat.picture())),
            Route("/api/statements", read(lambda r, seat: {"items": seat.statements()})),
            Route("/api/statements/{jti}", read(lambda r, seat: seat.item(r.path_params["jti"]))),
            Route("/api/statements/{jti}/withdraw", write(self.withdraw), methods=["POST"]),
            Route("/api/statements/{jti}/handle", write(self.handle), methods=["POST"]),
            Route("/api/statements/{jti}/explain", read(self.explain)),
            Route("/api/reports", write(self.report), methods=["POST"]),
            Route("/api/reports/reach", write(self.reach), methods=["POST"]),
            Route("/api/requests", write(self.request), methods=["POST"]),
            Route("/api/consents", write(self.consent), methods=["POST"]),
            Route("/api/notices", read(lambda r, seat: {"items": seat.notices()})),
            Route("/api/as/{reader}", read(lambda r, seat: seat.view_as(r.path_params["reader"]))),
            Route("/api/policy", read(lambda r, seat: seat.policy())),
            *(
                Route(f"/api/policy/{act}", write(_policy(act)), methods=["POST"])
                for act in ("preview", "propose", "approve", "reject")
            ),
            Route("/api/links", read(lambda r, seat: {"links": seat.links()})),
            Route("/api/findings", read(lambda r, seat: {"items": seat.findings()})),
            Route("/api/activity", read(lambda r, seat: seat.activity(_instant(r)))),
            Route("/api/interference", read(lambda r, seat: seat.interference(_instant(r)))),
            Route("/api/zones", read(lambda r, seat: seat.zones())),
            Route("/api/tracks/{domain:int}/{number:int}", read(self.track)),
            *attachment_routes(read, write),
            *past_routes(read),
            *audit_routes(read, write),
            *settings_routes(read, write),
            Route("/api/sign-in", self.ways),
            *sign_in_routes(
                self._provider, f"{self._cookie}_begun", self._opens, lambda: error("absent", 404)
            ),
            Route("/api/views", read(lambda r, seat: {"items": seat.views()})),
            Route("/api/views/keep", write(self.keep_view), methods=["POST"]),
            Route("/api/views/forget", write(self.forget_view), methods=["POST"]),
            Route("/api/openapi.json", read(lambda r, seat: document())),
            WebSocketRoute("/api/live", self.live),
            Route("/{path:path}", self.page),
        ]

    async def healthz(self, _: Request) -> Response:
        return json(self._desk.health())

    # sessions

    def _account(self, connection: Request | WebSocket) -> Account | None:
        return self._sessions.account(connection.cookies.get(self._cookie, ""))

    async def session(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._sign_in(request)
        account = self._account(request)
        if account is None:
            return error("session", 401)
        reply = json(_person(account))
        if request.method == "DELETE":
            if "x-samsyn" not in request.headers:
                return error("header", 403)
            await self._in_thread(Seat(self._desk, account).signed_out)
            await self._in_thread(self._sessions.sign_out, request.cookies.get(self._cookie, ""))
            reply.delete_cookie(self._cookie)
        return reply

    async def ways(self, _: Request) -> Response:
        """How one can sign in: by password, and by the provider of this title."""
        return json({"provider": self._provider.title if self._provider else None})

    async def _opens(self, request: Request, user: str) -> Response | None:
        """Back to the page, signed in."""
        opened = await self._in_thread(self._sessions.begin, user)
        if opened is None:
            await self._in_thread(self._failed, user)
            return None
        return await self._in_thread(self._signed_in, request, RedirectResponse("/", 303), *opened)

    def _signed_in(self, request: Request, reply: Response, token: str, account: Account) -> Response:
        Seat(self._desk, account).signed_in()
        secure = request.url.scheme == "https"
        reply.set_cookie(
            self._cookie, token, max_age=SESSION_AGE_S, httponly=True, samesite="strict", secure=secure
        )
        return reply

    async def _sign_in(self, request: Request) -> Response:
        if "x-samsyn" not in request.headers:
            return error("header", 403)
        body = await _body(request)
        if not isinstance(body, dict):
            return error("body", 400)
        user, password = str(body.get("user", "")), str(body.get("password", ""))
        try:
            opened = await self._in_thread(self._sessions.sign_in, user, password)
        except LimitError:
            await self._in_thread(self._failed, user)
            return error("tries", 429)
        if opened is None:
            await self._in_thread(self._failed, user)
            return error("sign-in", 401)
        return await self._in_thread(self._signed_in, request, json(_person(opened[1])), *opened)

    def _failed(self, user: str) -> None:
        self._desk.sign_in_failed(self._sessions.known(user), self._sessions.now_us())

    # the two shapes of a handler

    def _read(self, answer: Callable[[Request, Seat], Any]) -> Callable[..., Awaitable[Response]]:
        async def handler(request: Request) -> Response:
            account = self._account(request)
            if account is None:
                return error("session", 401)
            return await self._answer(lambda: answer(request, Seat(self._desk, account)))

        return handler

    def _write(
        self,
        act: Callable[[Any, Request, Seat], Any],
        most_bytes: int = REQUEST_BODY_BYTES,
        need: Act = "read",
        *,
        raw: bool = False,
    ) -> Callable[..., Awaitable[Response]]:
        """most_bytes: of the body. need: for a large one, what the role must allow before it is read.
        raw: the body is a file, and not JSON."""

        async def handler(request: Request) -> Response:
            account = self._account(request)
            if account is None:
                return error("session", 401)
            if "x-samsyn" not in request.headers:  # a form on another site cannot set it
                return error("header", 403)
            if not account.may(need):
                return error("role", 403)
            body = await (_bytes if raw else _body)(request, most_bytes)
            if not isinstance(body, bytes if raw else dict):
                return error("body", 400)
            return await self._answer(lambda: act(body, request, Seat(self._desk, account)))

        return handler

    async def _answer(self, work: Callable[[], Any]) -> Response:
        try:
            value = await self._in_thread(work)
        except Forbidden:
            return error("role", 403)
        except SamsynError as e:
            return error(type(e).__name__, 400, str(e))
        if isinstance(value, Response):
            return value
        return error("absent", 404) if value is None else json(value)

    # what takes more than one line

    def withdraw(self, body: Any, request: Request, seat: Seat) -> Any:
        why, purge = str(body.get("why", "")), body.get("purge", True) is not False
        return seat.withdraw(request.path_params["jti"], purge=purge, why=why)

    def handle(self, body: Any, request: Request, seat: Seat) -> Any:
        due_us = body.get("due_us")
        if due_us is not None and not (type(due_us) is int and 0 <= due_us < 2**53):
            raise InputError("due_us is no time", do="give microseconds since 1970, or null")
        return seat.handle(request.path_params["jti"], str(body.get("step", "")), due_us)

    def explain(self, request: Request, seat: Seat) -> Any:
        return seat.explain(request.path_params["jti"], request.query_params.get("reader", ""))

    def report(self, body: Any, _: Request, seat: Seat) -> Any:
        return seat.report(ReportForm.read(body))

    def reach(self, body: Any, _: Request, seat: Seat) -> Any:
        return seat.reach(ReportForm.read(body))

    def request(self, body: Any, _: Request, seat: Seat) -> Any:
        return seat.request(RequestForm.read(body))

    def consent(self, body: Any, _: Request, seat: Seat) -> Any:
        return seat.answer(ConsentForm.read(body))

    def keep_view(self, body: Any, _: Request, seat: Seat) -> Any:
        return {"items": seat.keep_view(str(body.get("name", "")), str(body.get("address", "")))}

    def forget_view(self, body: Any, _: Request, seat: Seat) -> Any:
        return {"items": seat.forget_view(str(body.get("name", "")))}

    def track(self, request: Request, seat: Seat) -> Any:
        return seat.track(request.path_params["domain"], request.path_params["number"])

    async def page(self, request: Request) -> Response:
        """A file of the built page; every other path is the page itself."""
        asked = (self._web / request.path_params["path"]).resolve()
        if not asked.is_relative_to(self._web.resolve()) or not asked.is_file():
            if request.path_params["path"].startswith(("api/", "assets/")):
                return error("absent", 404)
            asked = self._web / "index.html"
        if request.path_params["path"] == basemap.PLACE and asked.is_file():
            return (await self._in_thread(self._basemap.archive)).reply(request.headers)
        if not asked.is_file():
            return Response("The picture is not built: pip install . builds it.", 503)
        # names under assets/ carry a hash of their content
        kept = "assets" in asked.relative_to(self._web.resolve()).parts
        headers = {"cache-control": "public, max-age=31536000, immutable" if kept else "no-cache"}
        if asked.suffix not in PACKED or "gzip" not in request.headers.get("accept-encoding", ""):
            return FileResponse(asked, headers=headers)
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        kind = mimetypes.guess_type(asked.name)[0]
        packed = await self._in_thread(_packed, asked, asked.stat().st_mtime_ns)
        return Response(packed, headers=headers, media_type=kind)

    # live

    async def live(self, socket: WebSocket) -> None:
        """Track frames for the viewport about once a second, and which lists have changed."""
        # what changes after this is noted; a page that then asks for its lists misses nothing
        seen = self._desk.versions()
        # accepted in any case: a page learns why only from a close code, not from a refused handshake
        await socket.accept()
        if self._account(socket) is None:
            await socket.close(1008)
            return
        line = PageLine()
        # where it looks, before it is sent the whole world
        line.told(socket.query_params.get("told", ""))
        sender = asyncio.create_task(self._send_frames(socket, line, seen))
        try:
            while True:
                line.told(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            sender.cancel()

    async def _send_frames(self, socket: WebSocket, line: PageLine, seen: Mapping[str, int]) -> None:
        try:
            while (account := self._account(socket)) is not None:
                frame = await self._in_thread(Seat(self._desk, account).frame, line.viewport)
                await socket.send_bytes(frame)
                versions = self._desk.versions()
                changed = [k for k, v in versions.items() if seen.get(k) != v]
                seen = versions
                note = {"now_us": self._desk.now_us(), "speed": self._desk.speed(), "changed": changed}
                await socket.send_text(orjson.dumps(note).decode())
                await line.sent()
            await socket.close(1008)  # the session has ended
        except (WebSocketDisconnect, RuntimeError):
            return  # starlette says RuntimeError where the other side has gone while we sent


def _policy(act: str) -> Callable[[Any, Request, Seat], Any]:
    """A handler for one step of deciding on a policy."""
    step = attrgetter(f"{act}_policy")
    return lambda body, _, seat: step(seat)(PolicyForm.read(body))


def _person(account: Account) -> dict[str, str]:
    return {
        "user": account.user,
        "name": account.name,
        "role": account.role,
        "clearance": account.clearance,
    }


@functools.lru_cache(maxsize=64)
def _packed(path: Path, _changed_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6, mtime=0)


async def _body(request: Request, most_bytes: int = REQUEST_BODY_BYTES) -> Any:
    """The JSON of a small body; None for anything else: of another media type, with a key that stands
    twice, nested too deeply."""
    said = request.headers.get("content-type", "application/json").partition(";")[0]
    if said.strip().lower() != "application/json":
        return None
    taken = await _bytes(request, most_bytes)
    try:
        return strict_json(taken or b"{}") if taken is not None else None
    except ValueError:
        return None


async def _bytes(request: Request, most_bytes: int) -> bytes | None:
    """The body as it came; None of one that is longer."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > most_bytes:
            return None
    return bytes(taken)


def _instant(request: Request) -> int | None:
    """The time of `?at=`, microseconds since 1970; None where it is not given."""
    text = request.query_params.get("at")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise InputError("at is no time", do="give microseconds since 1970, or nothing")
    return int(text)


def home_app(
    desk: Desk,
    sessions: Sessions,
    web: Path,
    hosts: frozenset[str],
    provider: Provider | None = None,
) -> Starlette:
    """The whole home tree. `hosts`: names and addresses under which it is served, without port.
    provider: by whom people may sign in, beside passwords."""
    app = HomeApp(desk, sessions, web, provider)
    return Starlette(routes=app.routes(), middleware=[Middleware(functools.partial(Guard, hosts=hosts))])
