"""The part of the home API that signs people in by the organisation's identity provider."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from samsyn.base.errors import Refused
from samsyn.interfaces.oidc import Provider

log = logging.getLogger(__name__)

BEGIN: Final = "/api/oidc"
CALLBACK: Final = "/api/oidc/callback"
_FAILED: Final = "/#failed=oidc"
_BOUND_S: Final = 600

Opens = Callable[[Request, str], Awaitable["Response | None"]]


def sign_in_routes(
    provider: Provider | None, cookie: str, opens: Opens, absent: Callable[[], Response]
) -> list[Route]:
    """cookie: that binds a sign-in to the browser that began it. opens: a reply that signs in the user
    of this name, or None. absent: the reply where there is no provider."""

    async def begin(request: Request) -> Response:
        if provider is None:
            return absent()
        try:
            begun = await provider.begin(_callback(request))
        except Refused as e:
            log.warning("nobody can sign in by the identity provider: %s", e)
            return RedirectResponse(_FAILED, 303)
        reply = RedirectResponse(begun.url, 303)
        secure = request.url.scheme == "https"
        # lax: the provider sends the browser here from another site
        reply.set_cookie(
            cookie, begun.bound, _BOUND_S, path=BEGIN, httponly=True, samesite="lax", secure=secure
        )
        return reply

    async def finish(request: Request) -> Response:
        if provider is None:
            return absent()
        given = request.query_params
        state, code = given.get("state", ""), given.get("code", "")
        try:
            user = await provider.finish(
                _callback(request), state=state, code=code, bound=request.cookies.get(cookie, "")
            )
        except Refused as e:
            log.warning("somebody could not sign in: %s", e)
            return RedirectResponse(_FAILED, 303)
        reply = await opens(request, user) or RedirectResponse(_FAILED, 303)
        reply.delete_cookie(cookie, path=BEGIN)
        return reply

    return [Route(BEGIN, begin), Route(CALLBACK, finish)]


def _callback(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}{CALLBACK}"
