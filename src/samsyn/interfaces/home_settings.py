"""The part of the home API where an administrator sets things: zones, feeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samsyn.base.limits import ZONES_BODY_BYTES
from samsyn.desk.rights import Act
from samsyn.desk.seat import Seat
from samsyn.desk.zone_book import ZonesForm
from samsyn.interfaces.home_past import Read


class Write(Protocol):
    """Makes a handler of what a seat does; see `HomeApp`."""

    def __call__(
        self, act: Callable[[Any, Request, Seat], Any], most_bytes: int = ..., need: Act = ...
    ) -> Callable[..., Awaitable[Response]]: ...


def settings_routes(read: Read, write: Write) -> list[Route]:
    """read, write: make handlers of what a signed-in person's seat answers."""
    return [
        Route("/api/settings/zones", read(lambda r, seat: seat.administering().zones())),
        Route(
            "/api/settings/zones/change",
            write(_change_zones, ZONES_BODY_BYTES, "administer"),
            methods=["POST"],
        ),
    ]


def _change_zones(body: Any, _: Request, seat: Seat) -> Any:
    return seat.administering().change_zones(ZonesForm.read(body))
