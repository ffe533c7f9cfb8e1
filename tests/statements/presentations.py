"""Presentations to read, ordinary to hostile. Their signatures do not matter: reading checks none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from samsyn.base.encoding import b64url_bytes
from samsyn.statements.sign import sign
from tests.statements.samples import DK, disclosure, draft, header, payload, seal

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# JSON as others may write it: each is a value of a slot, or was meant as one
VALUES = [
    *[
        b'"a"',
        b'""',
        b'"\xc3\xa5\xe2\x82\xac\xf0\x9f\x9a\xa2"',
        b'"a\\nb\\t\\"\\\\\\/\\b\\f\\r"',
        b'"\\u00e5"',
    ],
    *[b'"\\ud800"', b'"\\ud83d\\udea2"', b'"\\x"', b'"\\', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"'],
    *[b'"a\x1fb"', b'"a\x00b"', b'"\x7f"', b'"\\u0000"', b'"\\u005fsd"', b'"a', b'a"', b'"a"b"'],
    *[
        b"0",
        b"-0",
        b"1",
        b"-1",
        b"01",
        b"-",
        b"+1",
        b"1.",
        b".5",
        b"-.5",
        b"0.5",
        b"-0.0",
        b"1e5",
        b"1E5",
    ],
    *[
        b"1e+5",
        b"1e-5",
        b"1e",
        b"1e+",
        b"1.5e3",
        b"0e0",
        b"-0e0",
        b"00.5",
        b"1e400",
        b"-1e400",
        b"1e-400",
    ],
    *[b"123456789012345678", b"1234567890123456789", b"9007199254740993", b"18446744073709551615"],
    *[b"18446744073709551616", b"123456789012345678901234567890", b"-9223372036854775808"],
    *[
        b"0.1",
        b"0.30000000000000004",
        b"1.7976931348623157e308",
        b"4.9e-324",
        b"2.2250738585072011e-308",
    ],
    *[
        b"9007199254740993.0",
        b"999999999999999.9",
        b"9.007199254740993",
        b"123456789012345.6",
        b"12345678901234.56",
        b"0.000000000000001",
    ],
    *[b"1." + b"0" * 30 + b"1", b"1" * 17 + b".5"],
    *[b"8.5e" + b"0" * 60 + b"1", b"5" + b"0" * 70 + b".0"],
    *[b"true", b"false", b"null", b"True", b"nul", b"truefalse", b"NaN", b"Infinity", b"-Infinity"],
    *[
        b"[]",
        b"{}",
        b"[1]",
        b"[1,]",
        b"[,1]",
        b"[1 ,2]",
        b" 1",
        b"1 ",
        b"\n[1]\n",
        b"[[[]]]",
        b"[}",
        b"{]",
    ],
    *[b'{"a":1}', b'{"a":1,"a":2}', b'{"a":1,"b":{"a":1}}'],
    *[b'{"_sd":[]}', b'{"...":1}', b'[{"_sd":1}]'],
    *[
        b'{"a":{"_sd":1}}',
        b'{"\\u005fsd":1}',
        b'{"_sd_alg":1}',
        b'{"":1}',
        b'{"a\\n":1}',
        b'{"a":1,}',
        b"{a:1}",
    ],
    *[b'{"a" :1}', b'{"a":}', b'{"\xc3\xa5":1}'],
    *[b'{"\xff":1}', b'{"a":1]', b'{"' + b"k" * 40 + b'":1}'],
    *[b"[" * n + b"]" * n for n in (13, 14, 15, 16, 17, 40, 2000)],
    *[b'{"a":' * n + b"1" + b"}" * n for n in (13, 14, 15, 16, 17)],
    *[b'{"a":"b"}', b'{"a":0.5,"b":[1]}', b'{"a":1,"b":2,"a":3}', b'["a","b"]', b'["a",""]', b'["a",1]'],
    *[b'[{"a":1,"b":null},{"a":"x","b":true}]', b'[{"a":1,"a":1}]', b'[{"":1}]', b'[{"a":1e400}]'],
    *[b'"open"', b'"low"', b'"op\\u0065n"', b'"a\\u0062"', b'["\xc3\xa5"]', b'["\xff"]', b'["\\n"]'],
    *[b"", b",", b'1,"b"', b'1],["s","title","two"', b'"a"]', b"1]]", b"[" + b"1," * 3000 + b"1]"],
]
SLOTS = [
    b"title",
    b"body.a",
    b"body.b",
    b"body.c",
    b"text",
    b"x",
    b"x.y",
    b"a" * 31,
    b"a" * 32,
    b"body.A",
]
SLOTS += [
    b"place.exact",
    b"time.day",
    b"time.hour",
    b"body." + b"a" * 41,
    b"body." + b"a" * 42,
    b"a.",
    b".a",
]
SLOTS += [
    b"iss",
    b"kind",
    b"_sd",
    b"...",
    b"",
    b"body.a.b",
    b"body.evidence",
    b"body.known_errors",
    b"body.measured",
    b"body.state",
    b"body.craft",
    b"confidence",
    b"9a",
    b"a9_",
    b"body._",
    b"t\xc3\xa5",
    b"extra",
]
SALTS = [
    b"0123456789abcdefghijklmn",
    b"",
    b"a",
    b"\xc3\xa5",
    b"a\\n",
    b"\xff",
    b'"',
    b"\\u0041",
    b"\x01",
]
CLAIMS: list[dict[str, Any]] = [
    *[{"extra": v} for v in ("x", None, [1], {"a": {"b": [0.5]}}, {"_sd": []}, {"...": 1})],
    *[{"iat": 1}, {"...": 1}, {"_sd_alg": "sha-512"}, {"_sd_alg": None}, {"_sd": []}, {"_sd": "x"}],
    *[
        {"iss": "DK"},
        {"iss": "å"},
        {"ver": 0},
        {"ver": 1.0},
        {"ver": 2**31},
        {"ver": 10**20},
        {"jti": "x"},
    ],
    *[
        {"exercise": 1},
        {"personal": True},
        {"personal": None},
        {"purpose": "p\n"},
        {"retain_until": "2027-02-30"},
    ],
    *[{"kind": "Alert"}, {"title": "t"}, {"marking": "TLP:BLUE"}, {"onward": None}, {"x" * 50: 1}],
]


def ordinary() -> list[bytes]:
    """Statements as we make them: whole, cut, with and without what needs an escape."""
    said = [
        sign(draft(), iss="dk", key=DK),
        sign(draft({"title": 'two\nlines, "quoted"', "text": "på svenska €"}), iss="dk", key=DK),
        sign(draft(purpose="search and rescue", personal=True), iss="dk", key=DK),
        sign(draft({}, kind="x", marking="TLP:RED", onward="no", exercise=False), iss="dk", key=DK),
    ]
    cuts = [sorted(said[0].slots)[::2], ["title"], ["place.region", "time.day"]]
    return [s.present() for s in said] + [said[0].present(cut) for cut in cuts]


def spelt(*disclosed: bytes, without: str = "", **claims: Any) -> bytes:
    """A presentation of disclosures that are JSON texts, their payload spelt as we spell it; one of its
    claims may be left out."""
    parts = [disclosure(raw=one) for one in disclosed]
    said = {name: value for name, value in payload(parts, **claims).items() if name != without}
    return seal(header(), json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode(), parts)


def cases(count: int, seed: int) -> Iterator[bytes]:
    """`count` presentations: half are ordinary ones with some bytes changed, half made of odd parts."""
    random = Random(seed)
    known = ordinary()
    for _ in range(count // 2):
        yield _mutated(random, random.choice(known))
        yield _odd(random)


def _odd(random: Random) -> bytes:
    """Correctly digested, so that what is odd is met and not stopped at its hash."""
    named = [_disclosure(random) for _ in range(random.choice([0, 1, 1, 2, 3, 32, 33]))]
    if random.random() < 0.8:  # as we do, by name
        named.sort()
    parts = [made for _, made in named]
    changes = random.choice(CLAIMS) if random.random() < 0.3 else {}
    said: dict[str, Any] | bytes = payload(parts[:32], **changes)
    if random.random() < 0.2:
        said = _rewritten(random, json.dumps(said, separators=(",", ":")).encode())
    elif random.random() < 0.8:
        said = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    shown = random.sample(parts, random.randint(0, len(parts))) if random.random() < 0.3 else parts
    made = seal(header(), said, shown)
    return _mutated(random, made) if random.random() < 0.1 else made


def _disclosure(random: Random) -> tuple[bytes, bytes]:
    slot = random.choice(SLOTS) if random.random() < 0.3 else b"body.s%d" % random.randrange(10**6)
    salt = random.choice(SALTS) if random.random() < 0.05 else SALTS[0]
    values = [random.choice(VALUES) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    value = (
        random.choice([b"[%b]", b'{"k":%b}', b"%b"]) % b",".join(values)
        if len(values) > 1
        else values[0]
    )
    made = b'["%b","%b",%b]' % (salt, slot, value)
    if random.random() < 0.05:
        made = _rewritten(random, made)
    return slot, disclosure(raw=made) if random.random() < 0.97 else b64url_bytes(made)[:-1] + b"_"


def _rewritten(random: Random, text: bytes) -> bytes:
    """A JSON text with something put in, taken out or put twice."""
    at, to = sorted(random.randrange(len(text) + 1) for _ in range(2))
    to = min(to, at + 60)
    some = [
        b" ",
        b"\n",
        b"\t",
        b'"',
        b"\\",
        b",",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\x00",
        b"\xff",
        b"0",
        b":",
        b"null",
    ]
    return random.choice(
        [
            text[:at] + random.choice(some) + text[at:],
            text[:at] + text[to:],
            text[:at] + text[at:to] * 2 + text[to:],
            text.replace(b'"_sd":', b'"_sd":[],"_sd":', 1),
            text.replace(b'"ver":', b'"ver":1,"ver":', 1),
            text.replace(b'",', b'", ', 1),
            text.replace(b'"sha-256"', b'"sha-256","_sd_alg":"sha-256"', 1),
        ]
    )


def _mutated(random: Random, presentation: bytes) -> bytes:
    data = bytearray(presentation)
    for _ in range(random.choice([1, 1, 2, 5])):
        at = random.randrange(len(data))
        what = random.randrange(6)
        if what == 0:
            data[at] = random.randrange(256)
        elif what == 1:
            data[at] = random.choice(ALPHABET)
        elif what == 2:
            del data[at : at + random.choice([1, 4, 100])]
        elif what == 3:
            data[at:at] = data[at : at + random.choice([1, 4, 100])]
        elif what == 4:
            data[at] = random.choice(b"~.=")
        else:
            parts = bytes(data).split(b"~")
            random.shuffle(parts)
            data = bytearray(b"~".join(parts))
        if not data:
            return bytes(data)
    return bytes(data)
