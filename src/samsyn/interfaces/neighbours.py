"""All interfaces for readers without a node, on one port."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from starlette.applications import Starlette

from samsyn.base.clock import Clock
from samsyn.interfaces.basemap import Basemap
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.ogc import Ogc
from samsyn.interfaces.port import Channel, reader_port
from samsyn.interfaces.public import Public
from samsyn.interfaces.readers import Readers
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.taxii import Taxii


def reader_routes(
    channel_for: Callable[[str], Channel | None],
    readers: Readers,
    wall: Clock,
    *,
    node: str,
    organisation: str,
    realm: Literal["actual", "exercise"],
    kept: Kept | None = None,
    web: Path | None = None,
    refused: Callable[[str, str, str], None] = lambda *_: None,
) -> Starlette:
    """The app that readers without a node reach; see `port.reader_port`. kept: what the node empties of
    what was withdrawn. web: the built page, which holds the basemap."""
    seens = Seens(kept or Kept())
    interfaces = (
        Taxii(node, organisation, realm, seens, readers.profile),
        Ogc(node, organisation, realm, seens),
        Public(node, organisation, realm, seens),
        Basemap(web),
    )
    return reader_port(channel_for, readers, wall, interfaces, refused=refused)
