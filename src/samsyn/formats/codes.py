"""Small closed lists of numbers that formats write into columns and everybody above reads."""

from __future__ import annotations

from enum import IntEnum


class Emergency(IntEnum):
    """Why a craft calls for help, or that it does not. Absent (null): the source does not say.

    1-6 are the emergency/priority states of ADS-B (ICAO Doc 9871, register 0x61); the AIS ones are
    the three devices of ITU-R M.1371 and M.585 (MMSI beginning 970, 972, 974).
    """

    NONE = 0
    GENERAL = 1  # squawk 7700
    MEDICAL = 2
    MINIMUM_FUEL = 3
    NO_COMMUNICATIONS = 4  # squawk 7600
    UNLAWFUL_INTERFERENCE = 5  # squawk 7500
    DOWNED = 6
    AIS_SART = 10  # search and rescue transmitter
    AIS_MOB = 11  # man overboard
    AIS_EPIRB = 12  # position-indicating radio beacon


class TimeSource(IntEnum):
    """Where the time of a row comes from; the sender's own clock is never among them for AIS."""

    TAG_BLOCK = 0  # NMEA 4 tag block, parameter c
    PGHP = 1  # $PGHP line before the sentence
    GIVEN_DATE = 2  # the feed's settings name the day; only seconds come from the message
    RECORDED = 3  # written beside the row by who recorded it
    RECEIVED = 4  # our own clock when the bytes came in


SQUAWK_EMERGENCY = {
    7500: Emergency.UNLAWFUL_INTERFERENCE,
    7600: Emergency.NO_COMMUNICATIONS,
    7700: Emergency.GENERAL,
}
