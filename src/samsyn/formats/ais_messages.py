"""AIS messages as a reader gives them: arrays of one length, before times are given to those without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from samsyn.formats.decoded import Decoded


@dataclass
class Messages:
    """One row a message that says something of a craft.

    time_us: `nmea.NO_TIME` where the stream has said none. second: within the minute, 60 where the
    message has none. line: from 1, where it was whole. values: columns of the schema; floats are NaN,
    codes masked, texts None where a message says nothing.
    """

    time_us: npt.NDArray[np.int64]
    time_source: npt.NDArray[Any]
    line: npt.NDArray[np.int64]
    mmsi: npt.NDArray[np.int64]
    type: npt.NDArray[Any]
    second: npt.NDArray[Any]
    values: dict[str, Any]

    def __len__(self) -> int:
        return len(self.mmsi)


class Reader(Protocol):
    """Sentences of one stream to messages, piece by piece."""

    @property
    def said_time(self) -> bool:
        """Whether the last piece had a time in it."""
        ...

    def read(self, data: bytes, out: Decoded) -> Messages:
        """The messages that become whole in `data`; refusals are counted in `out`."""
        ...

    def forget_time(self) -> None:
        """The last time that the stream said is too old for what comes now."""
        ...

    def finish(self, out: Decoded) -> None:
        """The stream has ended: messages still open will never be whole."""
        ...
