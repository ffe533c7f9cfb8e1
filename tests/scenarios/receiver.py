"""A receiver on this machine: says where a ship is to whoever calls, as an aerial on a mast would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AIS: Final = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"


@contextmanager
def ais_receiver() -> Iterator[int]:
    """Its port on 127.0.0.1, for as long as it listens; each caller is told the same and hung up on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(AIS * 3)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
