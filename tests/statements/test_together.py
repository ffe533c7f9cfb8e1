"""Disclosures are read together for speed: never otherwise than each would be read alone."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.encoding import b64url_bytes
from samsyn.base.errors import Refused
from samsyn.statements.read import _read_disclosure, _read_together

DEEP = [b'["s","c",' + b"[" * n + b"]" * n + b"]" for n in (13, 14, 15, 300)]
WHOLE = [
    b'["s","title","x"]',
    b'["s","body.a",{"speed_kn":0.5,"rows":[{"lat":55.0},{"lat":null}]}]',
    b'["s","text","two\\nlines and \\"_sd\\":"]',
    b'["s","c",[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]]',
]
ODD = [
    *DEEP,
    *[b'["s"', b',"x",1]', b'"x",1]', b"1],[", b'],["s","a",1', b"", b"null", b'"abc"', b"[1,2,3]"],
    *[b'["s","f"]', b'["s","f",1,2]', b'["s",1,2]', b'["s","A",2]', b'{"a":1,"b":2,"c":3}'],
    *[b'["s","b",{"k":1,"k":2}]', b'["s","b",{"_sd":1}]', b'["s","b",[{"...":1}]]'],
    *[b'["s","b",{"\\u005fsd":1}]', b'["s","c", 1]', b'\t["s","c",1]\n', b'["s","c",1e2]'],
    *[b'["s","c",123456789012345678901]', b'["s","c",NaN]', b'["s","c","\xff"]', b'["s","c","\\ud800"]'],
]
TAILS = st.sampled_from([b"", b"", b"", b"A", b"B", b"J", b"Q", b"_", b"=", b"AA", b"kJ"])
ONE = st.tuples(st.sampled_from(WHOLE * 6 + ODD), TAILS).map(lambda d: b64url_bytes(d[0]) + d[1])


def alone(disclosed: list[bytes]) -> object:
    try:
        return [_read_disclosure(disclosure) for disclosure in disclosed]
    except Refused:
        return "refused"


@settings(max_examples=400)
@given(st.lists(ONE, max_size=4))
@example([b64url_bytes(part) for part in (b'["s"', b',"x",1]', b'["s","a",1],["s","b",1]')])
@example([b64url_bytes(WHOLE[0])[:-1] + b"1", b64url_bytes(WHOLE[0])])
@example([b64url_bytes(WHOLE[1]), b64url_bytes(b'["s","b","' + b"a" * limits.DISCLOSURE_BYTES + b'"]')])
def test_what_is_read_together_is_what_is_read_alone(disclosed: list[bytes]) -> None:
    assert _read_together(disclosed) in (None, alone(disclosed))


def test_what_is_spelt_as_we_spell_it_is_read_together() -> None:
    disclosed = [b64url_bytes(part) for part in WHOLE]
    assert _read_together(disclosed) == alone(disclosed)


def test_each_odd_one_is_left_to_be_read_alone_or_is_plain() -> None:
    for part in ODD:
        among = [b64url_bytes(WHOLE[0]), b64url_bytes(part), b64url_bytes(WHOLE[2])]
        assert _read_together(among) in (None, alone(among))
