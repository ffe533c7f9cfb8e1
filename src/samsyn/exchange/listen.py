"""An ASGI app on a port, in a thread with its own loop. Knows nothing of what the app does.

uvicorn does the HTTP. What is added here: limits on connections that say nothing or drip (uvicorn has
none for the head of a request), the port known before the first request, a stop that does not wait
for those who hold a request open, and the certificate that a client showed (DER), which the app finds
in the state of each request's scope as `certificate` where there is one.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from samsyn.base import limits
from samsyn.base.errors import ConfigError

KEEP_ALIVE_S = 9  # longer than our own client keeps an idle connection: it never meets a closed one
STOP_S = 2
BACKLOG = 128
THREAD_JOIN_S = 10.0


class Listener:
    """A server made by `serve`; not listening before `start`."""

    def __init__(
        self, config: uvicorn.Config, host: str, port: int, on_stop: Callable[[], None]
    ) -> None:
        self._server = _Server(config, on_stop)
        self._host, self._port = host.strip("[]"), port
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and answer. Raises `ConfigError` where the port cannot be had."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # asyncio turns Nagle's algorithm off only where the socket says that it is TCP; left on, the
        # head and the body of a reply wait 40 ms for each other
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, self._port))
            bound.listen(BACKLOG)
        except OSError as e:
            bound.close()
            raise ConfigError(
                f"cannot listen: {e.strerror or e}",
                where=self.address,
                do="choose another port, or end what holds it",
            ) from e
        self._port = bound.getsockname()[1]
        self._thread = threading.Thread(
            target=self._run, args=(bound,), name=f"listen-{self._port}", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(THREAD_JOIN_S):
            raise ConfigError("the server did not start", where=self.address, do="see the log")

    def _run(self, bound: socket.socket) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(self._server.serve(sockets=[bound]))

    @property
    def port(self) -> int:
        """The port that is bound (after `start`; before, the one asked for)."""
        return self._port

    @property
    def address(self) -> str:
        """`host:port` as bound."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    def stop(self) -> None:
        """End within seconds: open requests are woken, then cut. May be called twice, or unstarted."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(THREAD_JOIN_S)
            self._thread = None


def serve(
    app: Any,
    host: str,
    port: int,
    tls: ssl.SSLContext | None = None,
    *,
    connections_max: int = limits.CONNECTIONS,
    on_stop: Callable[[], None] = lambda: None,
) -> Listener:
    """A listener for ASGI `app` on host:port (port 0: any free one), plain HTTP unless `tls` is given.

    on_stop: called in the server's loop when stopping begins; wakes what holds requests open.
    """
    config = uvicorn.Config(
        app,
        http=_GuardedProtocol,
        loop="asyncio",
        ssl_context_factory=(lambda _config, _default: tls) if tls is not None else None,
        log_config=None,
        log_level="error",  # anybody can cause warnings
        access_log=False,
        server_header=False,
        date_header=False,  # replies then differ by what they say and nothing else
        proxy_headers=False,  # identity is never taken from a header
        limit_concurrency=connections_max,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
        ws_max_size=limits.REQUEST_BODY_BYTES,
        # a frame of 100,000 tracks takes 13 ms to make and 85 to pack, in the thread that serves all
        # pages, for half its bytes; and what is never unpacked cannot swell
        ws_per_message_deflate=False,
    )
    return Listener(config, host, port, on_stop)


class _Loop(asyncio.SelectorEventLoop):
    """Gives a TLS handshake no longer than a request's head; uvicorn offers no way to say so."""

    async def create_server(self, *given: Any, **options: Any) -> asyncio.Server:
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = limits.REQUEST_READ_S
        return await super().create_server(*given, **options)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


class _GuardedProtocol(H11Protocol):
    """Cuts a connection whose next request's head is not whole in time, that takes no reply, or that
    goes on sending a body that was answered unread (`limits.BODY_UNREAD_BYTES`).

    The first clock runs from the connection's start and from each reply's end until a request is under
    way; the second (`limits.REPLY_PIECE_S`) while what was written waits to be taken.
    """

    _guard: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(True) if tls is not None else None
        if certificate:  # checked in the handshake: without an authority that the port asks for, none
            self.app_state = {**self.app_state, "certificate": certificate}
        self._arm()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self.conn.their_state is h11.SEND_BODY:
            # some of it was on its way when the reply went out; nobody sends much more in good faith
            self._unread_bytes += len(data)
            if self._unread_bytes > limits.BODY_UNREAD_BYTES:
                self._cut()

    def on_response_complete(self) -> None:
        self._arm()
        super().on_response_complete()
        if self.cycle is not None and not self.cycle.response_complete:  # a pipelined one has begun
            self._disarm()

    def handle_websocket_upgrade(self, *request: Any) -> None:
        self._disarm()
        super().handle_websocket_upgrade(*request)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(limits.REPLY_PIECE_S, self._cut)

    def resume_writing(self) -> None:
        self._stop_stuck()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._stop_stuck()
        super().connection_lost(exc)

    def _arm(self) -> None:
        self._disarm()
        self._guard = self.loop.call_later(limits.REQUEST_READ_S, self._cut)

    def _disarm(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None

    def _stop_stuck(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _cut(self) -> None:
        self.transport.abort()
