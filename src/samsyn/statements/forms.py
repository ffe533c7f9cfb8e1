"""What the slots of each kind can hold, spelt so that the compiled reader can tell as it reads.

A form is a letter and what it takes, numbers as four bytes, least first:

    s MIN MAX                        a text of so many characters
    c SIZE text SIZE text ...        one of these texts, each with its size in one byte
    o KINDS                          one of some kinds of scalar: 1 null, 2 true or false, 4 an integer,
                                     8 any number, 16 a text
    l MIN MAX form                   a list of so many, each of the form
    d MIN MAX KEY_MIN KEY_MAX form   an object of so many members, keys of such lengths

They are made from the types by which `subjects` checks the same slots, which stay what is true: what
does not fit is read and checked by those. A type without a form (a pattern, say) has its slots made
and checked as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import inspect

from samsyn.statements.ladder import PLACE_RUNGS, TIME_RUNGS

FORMS: Final[dict[str, dict[str, bytes]]] = {}
"""By kind and slot."""

_NO_MOST: Final = 2**32 - 1
_LADDERS: Final = {f"place.{rung}" for rung in PLACE_RUNGS} | {f"time.{rung}" for rung in TIME_RUNGS}
_SCALARS: Final[Mapping[type, int]] = {
    inspect.NoneType: 1,
    inspect.BoolType: 2,
    inspect.IntType: 4,
    inspect.FloatType: 8,
    inspect.StrType: 16,
}


def learn(kind: str, types: Mapping[str, Any]) -> None:
    """Let the slots of `kind` be checked as they are read: `types` by slot, as msgspec takes them.

    Not those of the ladders, whose values are needed to check one rung against the other.
    """
    forms = {slot: form_of(inspect.type_info(type_)) for slot, type_ in types.items()}
    FORMS[kind] = {slot: form for slot, form in forms.items() if form and slot not in _LADDERS}


def form_of(info: inspect.Type) -> bytes:
    """The form of a type; empty where it has none."""
    match info:
        case inspect.StrType(pattern=None, min_length=least, max_length=most):
            return b"s" + _bounds(least, most)
        case inspect.LiteralType(values=values) if all(isinstance(v, str) for v in values):
            texts = [str(v).encode() for v in values]
            return b"c" + b"".join(bytes([len(text)]) + text for text in texts)
        case inspect.UnionType(types=types) if all(map(_is_plain, types)):
            return bytes([*b"o", sum(_SCALARS[type(part)] for part in types)])
        case inspect.ListType(item_type=item, min_length=least, max_length=most):
            form = form_of(item)
            return b"l" + _bounds(least, most) + form if form else b""
        case inspect.DictType(key_type=key, value_type=value, min_length=least, max_length=most):
            keys, form = form_of(key), form_of(value)
            return b"d" + _bounds(least, most) + keys[1:] + form if keys[:1] == b"s" and form else b""
        case _ if _is_plain(info):
            return bytes([*b"o", _SCALARS[type(info)]])
    return b""


def _is_plain(info: inspect.Type) -> bool:
    """Whether it is a scalar of which any will do."""
    return type(info) in _SCALARS and info == type(info)()


def _bounds(least: int | None, most: int | None) -> bytes:
    return (least or 0).to_bytes(4, "little") + (_NO_MOST if most is None else most).to_bytes(
        4, "little"
    )
