"""The part of the home API that looks back: the picture as it was known, or released, at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samsyn.base.errors import InputError
from samsyn.desk.seat import Seat

FRAME_MEDIA: Final = "application/vnd.apache.arrow.stream"

Read = Callable[[Callable[[Request, Seat], Any]], Callable[..., Awaitable[Response]]]


def past_routes(read: Read) -> list[Route]:
    """read: makes a handler of what a signed-in person's seat answers."""
    return [
        Route("/api/past", read(lambda r, seat: seat.known(time_us(r, "at_us")))),
        Route("/api/past/as/{reader}", read(_view_as)),
        Route("/api/past/frame", read(_frame)),
        Route("/api/past/trail/{craft}", read(_trail)),
    ]


def _view_as(request: Request, seat: Seat) -> Any:
    return seat.view_as_then(request.path_params["reader"], time_us(request, "at_us"))


def _frame(request: Request, seat: Seat) -> Response:
    frame = seat.past(time_us(request, "at_us"), _box(request.query_params.get("box", "")))
    return Response(frame, media_type=FRAME_MEDIA)


def _trail(request: Request, seat: Seat) -> Any:
    known_us = time_us(request, "known_us") if "known_us" in request.query_params else None
    span_us = time_us(request, "from_us"), time_us(request, "to_us")
    return seat.trail(request.path_params["craft"], *span_us, known_us)


def time_us(request: Request, name: str) -> int:
    """A time of the query, microseconds since 1970. Raises `InputError`."""
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) < 2**53):
        raise InputError(f"{name} is no time", do="give microseconds since 1970")
    return int(text)


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text[:200].split(","))
    except ValueError:
        raise InputError("box is none", do="give west,south,east,north in degrees") from None
    return west, south, east, north
