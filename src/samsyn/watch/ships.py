"""What ships say of themselves: navigational status and type (ITU-R M.1371, tables 45 and 53).

Tables of truth over all 256 codes, to look a whole array up in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from samsyn.tracks.arrays import Array

AT_ANCHOR: Final = 1
NOT_UNDER_COMMAND: Final = 2
RESTRICTED: Final = 3
MOORED: Final = 5
AGROUND: Final = 6
FISHING: Final = 7
HELD: Final = (AT_ANCHOR, MOORED, AGROUND)
NO_STATUS: Final = 255

FISHING_TYPE: Final = 30
# types that move sideways in their work: fishing, towing, dredging, diving, pilot, SAR, tug, port
# tender, anti-pollution
WORKING_TYPES: Final = (FISHING_TYPE, 31, 32, 33, 34, 50, 51, 52, 53, 54)
# types that stop within their own length or two, and do so all day: those above, wing-in-ground,
# law enforcement, medical, military, sailing, pleasure, high-speed craft
# types that go alongside others in their work: towing, dredging, diving, military, pilot, SAR, tug,
# tender, anti-pollution, law enforcement, medical and those without a name of their own beside them
SERVING_TYPES: Final = (31, 32, 33, 34, 35, *range(50, 60))
LEISURE_TYPES: Final = (36, 37)
NIMBLE_TYPES: Final = (*WORKING_TYPES, *range(20, 30), 35, 36, 37, *range(40, 50), 55, 56, 57, 58, 59)
NO_TYPE: Final = (0, 255)


def one_of(codes: Iterable[int]) -> Array:
    """A table of 256: whether a code is one of these."""
    return np.isin(np.arange(256), list(codes))
