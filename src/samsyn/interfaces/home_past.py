"""The part of the home API that looks back: the picture as it was known, or released, at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samsyn.base.errors import InputError
from samsyn.desk.seat import Seat

Read = Callable[[Callable[[Request, Seat], Any]], Callable[..., Awaitable[Response]]]


def past_routes(read: Read) -> list[Route]:
    """read: makes a handler of what a signed-in person's seat answers."""
    return [
        Route("/api/past", read(lambda r, seat: seat.known(_time_us(r, "at_us")))),
        Route("/api/past/as/{reader}", read(_view_as)),
    ]


def _view_as(request: Request, seat: Seat) -> Any:
    return seat.view_as_then(request.path_params["reader"], _time_us(request, "at_us"))


def _time_us(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) < 2**53):
        raise InputError(f"{name} is no time", do="give microseconds since 1970")
    return int(text)
