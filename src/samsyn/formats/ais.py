"""AIS sentences to columns.

What is read of which message stands in `ais_layouts`. It is read by compiled code (`ais_compiled`)
where that was built, else in numpy (`ais_numpy`), with the same outcome.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from samsyn.base.clock import SECOND_US
from samsyn.formats import ais_compiled
from samsyn.formats.ais_messages import Messages, Reader
from samsyn.formats.ais_numpy import NumpyReader
from samsyn.formats.codes import Emergency, TimeSource
from samsyn.formats.decoded import Decoded
from samsyn.formats.nmea import NO_TIME

SEA_DOMAIN: Final = 1 << 32  # observations.craft: the key of a ship is this plus its MMSI
CARRY_US: Final = 5 * SECOND_US
_SART_ACTIVE: Final = 14  # navigational status
_DEVICES: Final = {970: Emergency.AIS_SART, 972: Emergency.AIS_MOB, 974: Emergency.AIS_EPIRB}


class AisDecoder:
    """One stream of AIS sentences to columns, piece by piece.

    `day_us` is the start of the day that the settings give for a recording whose lines carry no
    time: then only the second within the minute is known, from the message itself. A `live` stream
    that says a time now and then lends it to lines of the next `CARRY_US` only; in a recording it
    holds until the next.
    """

    def __init__(self, day_us: int | None = None, *, live: bool = False) -> None:
        self._reader: Reader = ais_compiled.CompiledReader() if ais_compiled.built else NumpyReader()
        self._day_us = day_us
        self._live = live
        self._time_said_us = 0
        self._told_no_time = False

    def decode(self, data: bytes, received_us: int) -> Decoded:
        """Columns of the messages that become whole in `data`, which must end with a newline.

        `received_us` is the time of rows whose stream says none.
        """
        out = Decoded()
        if self._live and received_us - self._time_said_us > CARRY_US:
            self._reader.forget_time()
        messages = self._reader.read(data, out)
        if self._reader.said_time:
            self._time_said_us = received_us
        if len(messages):
            self._set_times(messages, received_us, out)
            out.columns = _columns(messages)
            out.rows = len(messages)
        return out

    def finish(self) -> Decoded:
        """The stream has ended. Counts the messages that never became whole."""
        out = Decoded()
        self._reader.finish(out)
        return out

    def _set_times(self, messages: Messages, received_us: int, out: Decoded) -> None:
        untimed = messages.time_us == NO_TIME
        if not untimed.any():
            return
        if not self._told_no_time:
            self._told_no_time = True
            out.refuse("time-unknown", line=int(messages.line[np.argmax(untimed)]), count=0)
        if self._day_us is None:
            messages.time_us = np.where(untimed, received_us, messages.time_us)
            messages.time_source = np.where(untimed, TimeSource.RECEIVED, messages.time_source)
        else:
            second = messages.second.astype(np.int64)
            second_us = np.where(second < 60, second, 0) * SECOND_US
            messages.time_us = np.where(untimed, self._day_us + second_us, messages.time_us)
            messages.time_source = np.where(untimed, TimeSource.GIVEN_DATE, messages.time_source)


def _columns(messages: Messages) -> dict[str, Any]:
    made = dict(messages.values)
    made["time_us"] = messages.time_us
    made["time_source"] = messages.time_source.astype(np.uint8)
    made["craft"] = messages.mmsi + SEA_DOMAIN
    made["message_type"] = messages.type.astype(np.uint8)
    emergency = _emergency(messages)
    if emergency is not None:
        made["emergency"] = emergency
    return made


def _emergency(messages: Messages) -> Any:
    """Set for distress devices only: which one it is, or none while it is tested.

    In use they say status 14, and "SART ACTIVE" or the like in a text; under test neither.
    """
    if messages.mmsi.max() < min(_DEVICES) * 1_000_000:
        return None
    device = messages.mmsi // 1_000_000
    is_device = np.isin(device, list(_DEVICES))
    if not is_device.any():
        return None
    active = np.zeros(len(device), dtype=bool)
    nav_status, text = messages.values.get("nav_status"), messages.values.get("text")
    if nav_status is not None:
        active = np.ma.filled(nav_status == _SART_ACTIVE, False)
    if text is not None:
        for row in np.flatnonzero(is_device).tolist():
            active[row] |= text[row] is not None and "ACTIVE" in text[row]
    value = np.zeros(len(device), dtype=np.uint8)
    for number, emergency in _DEVICES.items():
        value[(device == number) & active] = emergency
    return np.ma.MaskedArray(value, ~is_device)
