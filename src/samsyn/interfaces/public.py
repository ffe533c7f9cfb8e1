"""What an organisation tells everybody, without a token: CAP 1.2, Atom, a calendar.

    GET /public/atom.xml          the newest, newest first
    GET /public/calendar.ics
    GET /public/cap/{id}          one alert; of one that was withdrawn or replaced, its end

It is the channel of the reader `public`, if there is one. A view that is not marked TLP:CLEAR is not
shown here, whatever a rule released: that is a second guard, and it fails closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from samsyn.base import limits
from samsyn.formats import public
from samsyn.formats.view import View
from samsyn.interfaces.port import TITLES, Channel, No, error_headers
from samsyn.interfaces.seen import Seen, Seens

CLEAR: Final = "TLP:CLEAR"


class ViewMaker:
    """Keeps views as they are (`seen.Maker`)."""

    name = "view"

    def make(self, view: View) -> View:
        return view

    def size_bytes(self, made: View) -> int:
        return 200 + sum(len(str(value)) for value in made.slots.values())


class Public:
    """`port.Interface` for whoever comes."""

    def __init__(
        self, node: str, organisation: str, realm: Literal["actual", "exercise"], seens: Seens
    ) -> None:
        self._sender = f"samsyn.{node}"
        self._organisation = organisation
        self._exercise = realm == "exercise"
        self._seens = seens
        self._maker = ViewMaker()

    @property
    def open(self) -> bool:
        return True

    def owns(self, parts: Sequence[str]) -> bool:
        return parts[0] == "public"

    def error(self, status: int) -> Response:
        headers = {"cache-control": "no-store", **error_headers(status)}
        return Response(TITLES[status], status, headers, "text/plain")

    def answer(self, request: Request, channel: Channel) -> Response:
        """Raises `No`."""
        if request.method not in ("GET", "HEAD"):
            raise No(405)
        base = f"{request.url.scheme}://{request.headers.get('host', '')}"
        us = {"sender": self._sender, "organisation": self._organisation}
        match request.url.path.strip("/").split("/")[1:]:
            case ["atom.xml"]:
                views = self._newest(channel)
                updated_us = max((view.modified_us for view in views), default=0)
                told = public.atom(views, base=base, updated_us=updated_us, **us)
                return _shown(told, public.ATOM_MEDIA_TYPE)
            case ["calendar.ics"]:
                told = public.calendar(self._newest(channel), **us)
                return _shown(told, public.CALENDAR_MEDIA_TYPE)
            case ["cap", id_]:
                return _shown(self._cap(channel, id_), public.CAP_MEDIA_TYPE)
        raise No(404)

    def _newest(self, channel: Channel) -> list[View]:
        """At most `limits.PUBLIC_ENTRIES` views that stand, newest first."""
        seen = self._seens.of(channel)
        found: list[View] = []
        end = seen.size
        while end and len(found) < limits.PUBLIC_ENTRIES:
            begin = max(end - limits.BATCH_ENTRIES, 0)
            some = [index for index in range(begin, end) if seen.stands(index)]
            made = seen.made(channel, some, self._maker)
            found += [made[i] for i in sorted(made, reverse=True) if made[i].marking == CLEAR]
            end = begin
        return found[: limits.PUBLIC_ENTRIES]

    def _cap(self, channel: Channel, id_: str) -> bytes:
        """Raises `No` (404)."""
        try:
            uid = UUID(id_)
        except ValueError:
            raise No(404) from None
        seen = self._seens.of(channel)
        index = seen.index_of(uid)
        if index is None:
            raise No(404)
        if not seen.stands(index) or seen.entry(index).uid != uid:
            before = public.Told(uid, seen.created_us(uid))
            at_us = seen.released_us(index)
            return public.cap_cancel(before, at_us, self._sender, exercise=self._exercise)
        view = seen.made(channel, [index], self._maker).get(index)
        if view is None or view.marking != CLEAR:
            raise No(404)
        return public.cap(view, self._sender, self._organisation, _before(seen, index))


def _before(seen: Seen, index: int) -> list[public.Told]:
    """What the entry took the place of."""
    ended = seen.entry(index).ended
    return [public.Told(ended, seen.created_us(ended))] if ended is not None else []


def _shown(told: bytes, type_: str) -> Response:
    headers = {"cache-control": "public, max-age=60", "x-content-type-options": "nosniff"}
    return Response(told, 200, headers, type_)
