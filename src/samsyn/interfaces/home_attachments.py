"""The part of the home API that carries attachments: into a report being written, out of a statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samsyn.base import limits
from samsyn.desk.seat import Seat
from samsyn.interfaces.home_past import Read

SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
"""What a browser may draw. All else is bytes to it, whatever its originator calls it."""

_WHOLE: Final = "/api/statements/{jti}/attachments/{sha256}"


def attachment_routes(
    read: Read, write: Callable[..., Callable[..., Awaitable[Response]]]
) -> list[Route]:
    """read, write: make handlers of what a signed-in person's seat answers."""
    keep = write(_keep, most_bytes=limits.ATTACHMENT_BYTES, need="report", raw=True)
    return [
        Route(_WHOLE, read(_body)),
        Route(f"{_WHOLE}/fetch", write(_fetch), methods=["POST"]),
        Route("/api/attachments/{sha256}", keep, methods=["PUT"]),
    ]


def _body(request: Request, seat: Seat) -> Response | None:
    found = seat.attachment(request.path_params["jti"], request.path_params["sha256"])
    if found is None:
        return None
    one, body = found
    kind = one.type if one.type in SHOWN else "application/octet-stream"
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(one.name, safe='')}",
        "cache-control": "no-store",
    }
    return Response(body, headers=headers, media_type=kind)


def _fetch(_: Any, request: Request, seat: Seat) -> Any:
    return seat.fetch_attachment(request.path_params["jti"], request.path_params["sha256"])


def _keep(body: bytes, request: Request, seat: Seat) -> Any:
    return seat.keep_upload(request.path_params["sha256"], body)
