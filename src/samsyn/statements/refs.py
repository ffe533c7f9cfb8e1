"""References from one statement to those it was made of: the slot `refs`.

"se/0b9f3c52-5d1e-4f6a-8c7b-2e4d6f8a0c1e/2"        originator / id / version
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from samsyn.base.ids import is_id, is_node_name


class Ref(NamedTuple):
    """One version of a statement, and who said it."""

    originator: str
    jti: str
    ver: int

    def __str__(self) -> str:
        return f"{self.originator}/{self.jti}/{self.ver}"


def read_ref(text: str) -> Ref | None:
    """None for what is not spelt as a reference is."""
    originator, _, rest = text.partition("/")
    jti, _, ver = rest.partition("/")
    if not (is_node_name(originator) and is_id(jti) and ver.isascii() and ver.isdigit()):
        return None
    found = Ref(originator, jti, int(ver[:10]))
    return found if str(found) == text and found.ver else None


def refs_of(slots: Mapping[str, Any]) -> list[Ref]:
    """Those of a statement's references that can be read; what another node wrote may be anything."""
    found = (read_ref(text) for text in slots.get("refs", ()) if isinstance(text, str))
    return [ref for ref in found if ref is not None]
