"""The part of the home API that looks at what was done here: the audit log, its proof, an export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samsyn.desk.auditing import AuditFilter, ExportForm
from samsyn.desk.seat import Seat
from samsyn.interfaces.home_past import Read, time_us

Write = Callable[[Callable[[Any, Request, Seat], Any]], Callable[..., Awaitable[Response]]]


def audit_routes(read: Read, write: Write) -> list[Route]:
    """read, write: make handlers of what a signed-in person's seat answers."""
    return [
        Route("/api/audit", read(lambda r, seat: seat.auditing().page(_filter(r)))),
        Route("/api/audit/released", read(_released)),
        Route("/api/audit/proof", read(lambda r, seat: seat.auditing().proof())),
        Route("/api/audit/verify", write(lambda b, r, seat: seat.auditing().verify()), methods=["POST"]),
        Route("/api/audit/export", write(_export), methods=["POST"]),
    ]


def _filter(request: Request) -> AuditFilter:
    asked = request.query_params
    words = {name: asked.get(name, "") for name in ("did", "by", "partner", "before")}
    times = {name: time_us(request, name) for name in ("since_us", "until_us") if name in asked}
    return AuditFilter(**words, **times)  # type: ignore[arg-type]  # two dicts of their own types


def _released(request: Request, seat: Seat) -> Any:
    span = time_us(request, "from_us"), time_us(request, "to_us")
    return seat.auditing().released(request.query_params.get("to", ""), *span)


def _export(body: Any, _: Request, seat: Seat) -> Response:
    made = seat.auditing().export(ExportForm.read(body))
    named = {"content-disposition": f'attachment; filename="{made.name}"'}
    return Response(made.data, headers=named, media_type=made.media)
