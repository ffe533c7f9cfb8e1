"""What a node listens on: partners, the picture, readers without a node, TAK clients among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from samsyn.base.errors import ConfigError
from samsyn.base.settings import Settings, split_address
from samsyn.channels.reader import ReaderChannel
from samsyn.desk.desk import Desk
from samsyn.exchange.listen import Listener, serve
from samsyn.exchange.reader_certificates import readers_context
from samsyn.exchange.tls import server_context
from samsyn.interfaces.accounts import Sessions
from samsyn.interfaces.home import home_app
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.neighbours import reader_routes
from samsyn.interfaces.oidc import Provider
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.tak import TakServer
from samsyn.node.stores import Stores

WEB: Final = Path(__file__).resolve().parent.parent / "interfaces" / "web"

ChannelFor = Callable[[str], ReaderChannel | None]


class Servers:
    """All of one node's. Each is started as it is made; they stop in the order of their start."""

    def __init__(self, stores: Stores, settings: Settings) -> None:
        self._stores = stores
        self._settings = settings
        self._running: list[Listener | TakServer] = []
        self._addresses: dict[str, str] = {}

    def addresses(self) -> dict[str, str]:
        """Where each is reached, by name."""
        return dict(self._addresses)

    def stop(self) -> None:
        for server in self._running:
            server.stop()

    def partners(self, app: Any, on_stop: Callable[[], None]) -> None:
        """Raises `ConfigError`, as all of these."""
        host, port = self._address("exchange_listen")
        context = server_context(self._stores.home.keys)
        self._start("exchange", "https://{}", serve(app, host, port, context, on_stop=on_stop))

    def picture(self, desk: Desk) -> None:
        host, port = self._address("home_listen")
        sessions = Sessions(self._stores.home.accounts, self._stores.wall, self._stores.signed_in)
        names = frozenset({host, "localhost", "127.0.0.1"})
        app = home_app(desk, sessions, WEB, names, self._provider())
        self._start("picture", "http://{}", serve(app, host, port))

    def readers(self, channel_for: ChannelFor, kept: Kept) -> None:
        """Where they are served at all."""
        if self._settings.node.readers_listen:
            self._readers(channel_for, kept)
        if self._settings.node.tak_listen:
            self._tak(channel_for, kept)

    def _readers(self, channel_for: ChannelFor, kept: Kept) -> None:
        stores = self._stores
        host, port = self._address("readers_listen")
        app = reader_routes(
            channel_for,
            stores.tokens,
            stores.wall,
            node=stores.me,
            organisation=self._settings.node.organisation,
            realm=stores.realm,
            kept=kept,
            web=WEB,
            refused=stores.refused.note,
        )
        listener = serve(app, host, port, readers_context(*self._readers_tls()))
        self._start("readers", "https://{}/taxii2/", listener)

    def _tak(self, channel_for: ChannelFor, kept: Kept) -> None:
        stores = self._stores
        server = TakServer(
            channel_for,
            stores.tokens,
            stores.wall,
            Seens(kept),
            *self._address("tak_listen"),
            readers_context(*self._readers_tls()),
            node=stores.me,
            realm=stores.realm,
            refused=stores.refused.note,
        )
        self._start("tak", "tls://{}", server)

    def _readers_tls(self) -> tuple[Path, Path | None, Path | None]:
        node, home = self._settings.node, self._stores.home
        certificate, key = (
            home.root / name if name else None for name in (node.readers_certificate, node.readers_key)
        )
        return home.keys, certificate, key

    def _provider(self) -> Provider | None:
        said, stores = self._settings.sign_in, self._stores
        if not said.issuer:
            return None
        secret = ""
        if said.client_secret:
            path = stores.home.root / said.client_secret
            try:
                secret = path.read_text().strip()
            except OSError as e:
                raise ConfigError(
                    f"cannot read the client's secret: {e.strerror}", where=str(path)
                ) from e
        return Provider(said, secret, stores.wall)

    def _address(self, name: str) -> tuple[str, int]:
        return split_address(getattr(self._settings.node, name), f"config.toml: node.{name}")

    def _start(self, name: str, shown: str, server: Listener | TakServer) -> None:
        server.start()
        self._running.append(server)
        self._addresses[name] = shown.format(server.address)
