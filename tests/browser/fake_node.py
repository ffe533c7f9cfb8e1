"""A small stand-in for a node's home API, for tests of the page alone.

It serves the built page under the same content security policy as a node, and the same API from
made-up data. What a test wants to happen (an alert arrives, the line breaks) it tells the `FakeNode`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from asyncio import FIRST_COMPLETED
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from browser import fake_past as past
from browser import fake_story as story
from browser.fake_traffic import START_US, Traffic
from samsyn.formats import symbols
from samsyn.interfaces.page_line import PageLine

SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
USER, PASSWORD = "vakt", "correct horse battery"
SPEED = 60.0


class FakeNode:
    """The API's state, and the handlers over it."""

    def __init__(self, web: Path, *, realm: str = "exercise", sea: int = 420, air: int = 90) -> None:
        self._web = web
        self.realm = realm
        self.traffic = Traffic(sea, air)
        self.items: list[dict[str, Any]] = []
        self.second_craft: dict[str, float] | None = None  # another that says it is the ship
        self.versions = {"statements": 1, "links": 1, "findings": 1, "feeds": 1}
        self.signed_in = False
        self.user = USER
        self.provider: str | None = None
        self.away = False
        self.first_looks: list[tuple[float, float, float, float]] = []  # of each live line
        self.frames_asked: list[int] = []  # times that tracks of the past were asked of
        self.views: list[dict[str, str]] = []
        self.trails_asked: list[dict[str, str]] = []
        self._began_s = time.monotonic()
        self._sockets: set[WebSocket] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.items.extend(story.first_items(self.now_us(), self.realm == "exercise"))

    def now_us(self) -> int:
        gone_s = time.monotonic() - self._began_s
        return START_US + int((4 * 3600 + gone_s * self.speed()) * 1e6)

    def speed(self) -> float:
        return SPEED if self.realm == "exercise" else 1.0

    # what a test may do

    def add(self, item: dict[str, Any]) -> str:
        self.items.insert(0, item)
        self.versions["statements"] += 1
        return str(item["jti"])

    def break_line(self) -> None:
        """Close every live line and answer nothing until `mend_line`."""
        self.away = True
        self._hang_up(1011)

    def end_sessions(self) -> None:
        self.signed_in = False
        self._hang_up(1008)

    def _hang_up(self, code: int) -> None:
        assert self._loop is not None
        for line in list(self._sockets):
            asyncio.run_coroutine_threadsafe(line.close(code), self._loop).result(5)

    def mend_line(self) -> None:
        self.away = False

    # the API

    def app(self) -> Starlette:
        def read(answer: Any) -> Any:
            async def handler(request: Request) -> Response:
                if self.away:
                    return Response(status_code=503)
                if not self.signed_in:
                    return _error(401, "session")
                if request.method == "POST" and "x-samsyn" not in request.headers:
                    return _error(403, "header")
                body = orjson.loads(await request.body() or b"{}")
                value = answer(request, body)
                return _error(404, "absent") if value is None else _json(value)

            return handler

        routes = [
            Route("/api/sign-in", lambda r: _json({"provider": self.provider})),
            Route("/api/session", self._session, methods=["GET", "POST", "DELETE"]),
            Route("/api/picture", read(self._picture)),
            Route("/api/statements", read(lambda r, b: {"items": self.items})),
            Route("/api/statements/{jti}/withdraw", read(self._withdraw), methods=["POST"]),
            Route("/api/statements/{jti}/handle", read(self._handle), methods=["POST"]),
            Route("/api/statements/{jti}/explain", read(self._explain)),
            Route("/api/reports", read(self._report), methods=["POST"]),
            Route("/api/reports/reach", read(lambda r, b: {"items": story.reach(b)}), methods=["POST"]),
            Route("/api/notices", read(lambda r, b: {"items": []})),
            Route("/api/links", read(lambda r, b: {"links": story.links()})),
            Route(
                "/api/findings", read(lambda r, b: {"items": story.findings(self.items, self.now_us())})
            ),
            Route("/api/zones", read(lambda r, b: story.ZONES)),
            Route("/api/tracks/{domain:int}/{number:int}", read(self._track)),
            Route("/api/past", read(self._known)),
            Route("/api/past/as/{reader}", read(self._given)),
            Route("/api/past/frame", self._past_frame),
            Route("/api/past/trail/{craft}", read(self._trail)),
            Route("/api/views", read(lambda r, b: {"items": self.views})),
            Route("/api/views/keep", read(self._keep_view), methods=["POST"]),
            Route("/api/views/forget", read(self._keep_view), methods=["POST"]),
            Route("/api/activity", read(lambda r, b: past.activity(self.now_us()))),
            Route("/api/interference", read(self._interference)),
            Route("/api/as/{reader}", read(self._given)),
            WebSocketRoute("/api/live", self._live),
            Route("/{path:path}", self._page),
        ]
        return Starlette(routes=routes)

    async def _session(self, request: Request) -> Response:
        who = {"user": self.user, "name": "Vera Vakt", "role": "release"}
        if request.method == "POST":
            body = orjson.loads(await request.body())
            if (body["user"], body["password"]) != (self.user, PASSWORD):
                return _error(401, "sign-in", "Wrong user or password.", "Fel användare eller lösenord.")
            self.signed_in = True
        elif request.method == "DELETE":
            self.signed_in = False
            return _json(who)
        return _json(who) if self.signed_in else _error(401, "session")

    def _picture(self, _: Request, __: Any) -> Any:
        return story.picture() | {"realm": self.realm, "now_us": self.now_us(), "speed": self.speed()}

    def _withdraw(self, request: Request, body: Any) -> Any:
        item = next(i for i in self.items if i["jti"] == request.path_params["jti"])
        item.update(state="withdrawn", purged=body["purge"])
        if body["purge"]:
            item.update(slots={}, footprint=None, marking=None)
        released = [r for r in item["released"] if r["op"] == "release"]
        item["released"] += [{**r, "op": "withdraw", "applied": True} for r in released]
        self.versions["statements"] += 1
        return item

    def _handle(self, request: Request, body: Any) -> Any:
        item = next(i for i in self.items if i["jti"] == request.path_params["jti"])
        step, now_us = body["step"], self.now_us()
        item["handling"] |= {
            "acknowledge": {
                "acknowledged_by": USER, "acknowledged_us": now_us, "acknowledged_ver": item["ver"],
            },
            "take": {"owner": USER, "owner_us": now_us},
            "let-go": {"owner": None, "owner_us": None},
            "due": {"due_us": body["due_us"]},
        }[step]  # fmt: skip
        self.versions["statements"] += 1
        return item

    def _explain(self, request: Request, _: Any) -> Any:
        reader = request.query_params["reader"]
        item = next(i for i in self.items if i["jti"] == request.path_params["jti"])
        found = next((r for r in item["released"] if r["reader"] == reader), None)
        if found is None:
            return {
                "released": False, "rule": None,
                "en": f"No rule releases this to {reader}: no rule names {reader}.",
                "sv": f"Ingen regel lämnar ut detta till {reader}: ingen regel nämner {reader}.",
            }  # fmt: skip
        return {
            "released": True, "rule": found["rule"],
            "en": f"Rule “{found['rule']}” releases it to {reader}: {found['why']}.",
            "sv": f"Regeln ”{found['rule']}” lämnar ut den till {reader}: {found['why']}.",
        }  # fmt: skip

    def _known(self, request: Request, _: Any) -> Any:
        at_us = int(request.query_params["at_us"])
        return past.known(self.items, at_us)

    def _given(self, request: Request, _: Any) -> Any:
        at_us = int(request.query_params.get("at_us", self.now_us()))
        return past.given(self.items, request.path_params["reader"], at_us)

    def _trail(self, request: Request, _: Any) -> Any:
        asked = request.query_params
        self.trails_asked.append(dict(asked))
        return past.trail(request.path_params["craft"], int(asked["from_us"]), int(asked["to_us"]))

    def _keep_view(self, request: Request, body: Any) -> Any:
        self.views = [v for v in self.views if v["name"] != body["name"]]
        if request.url.path.endswith("keep"):
            self.views.append(body)
        return {"items": self.views}

    def _interference(self, request: Request, _: Any) -> Any:
        return past.interference(int(request.query_params.get("at", self.now_us())))

    async def _past_frame(self, request: Request) -> Response:
        if self.away or not self.signed_in:
            return Response(status_code=503 if self.away else 401)
        at_us = int(request.query_params["at_us"])
        self.frames_asked.append(at_us)
        return Response(self.traffic.frame(at_us), media_type="application/vnd.apache.arrow.stream")

    def _report(self, _: Request, body: Any) -> Any:
        slots = {k: body[k] for k in ("title", "text", "summary", "confidence") if body[k]}
        slots |= {"author": USER, "body.category": body["category"], "body.observer": USER}
        item = story.statement(
            "dk", "report", body["lat"], body["lon"], self.now_us(), slots, marking=body["marking"]
        )
        self.add(item)
        return item

    def _track(self, request: Request, _: Any) -> Any:
        domain, number = request.path_params["domain"], request.path_params["number"]
        symbol, _ = symbols.drawn((domain << 32) + number, 70, exercise=True)
        if domain == 2:
            return {
                "craft": f"icao:{number:06x}", "callsign": "SAS1421", "altitude_ft": 34_000,
                "speed_kn": 451.0, "course_deg": 41.0, "vertical_rate_fpm": 64, "squawk": 2247,
                "lat": 58.1, "lon": 16.2,
                "time_us": self.now_us() - 3_000_000, "feed": "adsb-south", "originator": "dk",
                "exercise": True, "symbol": symbol,
            }  # fmt: skip
        return {
            "craft": f"mmsi:{number:09d}", "name": "NORDIC EXAMPLE", "callsign": "OXYZ", "ship_type": 70,
            "lat": 55.1234, "lon": 14.5678, "speed_kn": 12.4, "course_deg": 68.0, "heading_deg": 66.0,
            "nav_status": 0, "time_us": self.now_us() - 42_000_000, "feed": "ais-belts",
            "originator": "dk", "exercise": True, "symbol": symbol,
            "smoothed": {"lat": 55.1233, "lon": 14.5680, "error_m": 24.4, "speed_kn": 12.31,
                         "speed_error_kn": 0.42, "course_deg": 67.6},
            "second_craft": self.second_craft,
        }  # fmt: skip

    async def _live(self, line: WebSocket) -> None:
        if self.away:
            await line.close(1011)
            return
        seen = dict(self.versions)
        await line.accept()
        if not self.signed_in:
            await line.close(1008)
            return
        self._loop = asyncio.get_running_loop()
        self._sockets.add(line)
        page = PageLine()
        page.told(line.query_params.get("told", ""))
        self.first_looks.append(page.viewport)
        listen = asyncio.create_task(_listen(line, page))
        try:
            while not listen.done():
                await line.send_bytes(self.traffic.frame(self.now_us()))
                changed = [k for k, v in self.versions.items() if seen.get(k) != v]
                seen = dict(self.versions)
                note = {"now_us": self.now_us(), "speed": self.speed(), "changed": changed}
                await line.send_text(orjson.dumps(note).decode())
                await asyncio.wait(
                    [listen, asyncio.create_task(page.sent())], return_when=FIRST_COMPLETED
                )
        except (WebSocketDisconnect, RuntimeError):
            pass  # the other side has gone
        finally:
            self._sockets.discard(line)
            listen.cancel()

    async def _page(self, request: Request) -> Response:
        asked = self._web / request.path_params["path"]
        return FileResponse(asked if asked.is_file() else self._web / "index.html")


async def _listen(line: WebSocket, page: PageLine) -> None:
    try:
        while True:
            page.told(await line.receive_text())
    except WebSocketDisconnect:
        return


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _error(status: int, code: str, en: str = "No.", sv: str = "Nej.") -> Response:
    return _json({"error": {"code": code, "en": en, "sv": sv}}, status)


class _Headers:
    """Puts the content security policy on every reply."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [
                    (b"content-security-policy", SECURITY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        await self._app(scope, receive, with_policy)


class Serving:
    """A `FakeNode` on a free port of this machine, in a thread, until `stop`."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()  # who asks before the thread below has begun waits, and is not refused
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            _Headers(node.app()), log_level="error", lifespan="off", ws="websockets-sansio"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
