"""The part of the home API where an administrator sets things: zones, feeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samsyn.base.limits import ZONES_BODY_BYTES
from samsyn.desk.feed_book import FeedForm, FeedStep
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
        Route("/api/settings/feeds", read(lambda r, seat: seat.administering().feeds())),
        Route("/api/settings/feeds/put", write(_put_feed), methods=["POST"]),
        Route("/api/settings/feeds/step", write(_step_feed), methods=["POST"]),
        Route("/api/settings/feeds/try", write(_try_feed), methods=["POST"]),
    ]


def _change_zones(body: Any, _: Request, seat: Seat) -> Any:
    return seat.administering().change_zones(ZonesForm.read(body))


def _put_feed(body: Any, _: Request, seat: Seat) -> Any:
    return seat.administering().put_feed(FeedForm.read(body))


def _step_feed(body: Any, _: Request, seat: Seat) -> Any:
    return seat.administering().step_feed(FeedStep.read(body))


def _try_feed(body: Any, _: Request, seat: Seat) -> Any:
    return seat.administering().try_feed(FeedForm.read(body))
