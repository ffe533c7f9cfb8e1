"""Text that XML can hold."""

from __future__ import annotations

import re
from typing import Final

# XML 1.0, production 2 (Char): one character outside it makes the whole document unreadable
_UNHOLDABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legible(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _UNHOLDABLE.sub("", text)
