"""What somebody could try with a statement, by name. Each is refused with its reason."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.encoding import b64url
from samsyn.base.errors import Refused
from samsyn.statements.keys import thumbprint
from samsyn.statements.sign import parse, sign, verify, verify_many
from tests.statements import samples
from tests.statements.samples import DK, KEYS, SE, disclosure, forged, header, payload, seal


def refused(presentation: bytes) -> str:
    with pytest.raises(Refused) as caught:
        verify(presentation, KEYS)
    assert caught.value.what
    return caught.value.reason


@pytest.fixture
def honest() -> Any:
    return sign(samples.draft(), iss="dk", key=DK)


def test_forged_statements_are_taken_when_they_are_not_forged() -> None:
    """The forger's tools make good statements too, so what is refused below is refused for its flaw."""
    assert verify(forged([disclosure("salt", "title", "A")]), KEYS).slots == {"title": "A"}


# --- forged signature


def test_a_changed_bit_of_the_signature(honest: Any) -> None:
    head, body, signature = honest.jwt.split(b".")
    raw = bytearray(base64.urlsafe_b64decode(signature + b"=="))
    raw[7] ^= 1
    changed = b".".join([head, body, b64url(bytes(raw)).encode()])
    assert refused(honest.present().replace(honest.jwt, changed)) == "forged-signature"


def test_a_changed_claim(honest: Any) -> None:
    head, body, signature = honest.jwt.split(b".")
    said = base64.urlsafe_b64decode(body + b"==").replace(b"TLP:AMBER", b"TLP:CLEAR")
    changed = b".".join([head, b64url(said).encode(), signature])
    assert refused(changed + b"~") == "forged-signature"


def test_another_organisations_key_under_its_own_name_for_it() -> None:
    statement = sign(samples.draft(), iss="dk", key=SE)
    assert refused(statement.present()) == "forged-signature"


def test_another_organisations_key_that_claims_to_be_the_right_one() -> None:
    lie = {"kid": thumbprint(DK.public_key())}
    given = [disclosure("salt", "title", "A")]
    assert refused(seal(header(SE, **lie), payload(given), given, SE)) == "forged-signature"


def test_an_originator_that_nobody_knows() -> None:
    assert refused(sign(samples.draft(), iss="xx", key=DK).present()) == "unknown-originator"


def test_one_forged_among_many_spoils_the_batch(honest: Any) -> None:
    bad = sign(samples.draft(), iss="dk", key=SE).present()
    with pytest.raises(Refused, match="not dk's"):
        verify_many([honest.present()] * 70 + [bad], KEYS)
    head, body, _ = honest.jwt.split(b".")
    unsigned = b".".join([head, body, b64url(bytes(64)).encode()]) + b"~"
    with pytest.raises(Refused) as caught:
        verify_many([honest.present()] * 70 + [unsigned], KEYS)
    assert caught.value.reason == "forged-signature"


# --- algorithm confusion


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": "eddsa"},
        {"alg": "Ed25519"},
        {"alg": None},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"typ": "example+sd-jwt"},
        {"kid": None},
        {"kid": 7},
        {"crit": ["b64"], "b64": False},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A"}},
        {"jku": "https://example.org/keys"},
    ],
)
def test_algorithm_confusion(change: dict[str, Any]) -> None:
    given = [disclosure("salt", "title", "A")]
    assert refused(seal(header(**change), payload(given), given)) == "malformed"


@pytest.mark.parametrize("member", ["alg", "typ", "kid"])
def test_a_header_member_left_out(member: str) -> None:
    head = header()
    del head[member]
    assert refused(forged(head=head)) == "malformed"


def test_a_header_with_one_member_twice() -> None:
    kid = thumbprint(DK.public_key())
    head = b'{"alg":"none","alg":"EdDSA","kid":"%s","typ":"samsyn-statement+sd-jwt"}' % kid.encode()
    assert refused(forged(head=head)) == "malformed"


def test_an_unsigned_statement(honest: Any) -> None:
    head, body, _ = honest.jwt.split(b".")
    assert refused(head + b"." + body + b".~") == "malformed"
    assert refused(head + b"." + body + b"~") == "malformed"


# --- altered, swapped, doubled disclosures


def test_an_altered_disclosure(honest: Any) -> None:
    salt, slot, _ = json.loads(base64.urlsafe_b64decode(honest.disclosures["title"] + b"=="))
    other = disclosure(salt, slot, "Nothing to see")
    assert refused(honest.present().replace(honest.disclosures["title"], other)) == "altered-disclosure"


def test_a_disclosure_swapped_in_from_another_statement(honest: Any) -> None:
    other = sign(samples.draft(), iss="dk", key=DK)
    mixed = honest.present([]) + other.disclosures["title"] + b"~"
    assert refused(mixed) == "altered-disclosure"


def test_a_duplicate_disclosure(honest: Any) -> None:
    assert (
        refused(honest.present(["title"]) + honest.disclosures["title"] + b"~") == "altered-disclosure"
    )


def test_one_slot_signed_twice_with_different_values() -> None:
    given = [disclosure("one", "title", "A"), disclosure("two", "title", "B")]
    assert refused(forged(given)) == "altered-disclosure"
    assert verify(forged(given).replace(given[1] + b"~", b""), KEYS).slots == {"title": "A"}


@pytest.mark.parametrize("claim", ["iss", "kind", "marking", "exercise", "_sd", "_sd_alg", "ver"])
def test_a_disclosure_that_would_replace_a_claim(claim: str) -> None:
    assert refused(forged([disclosure("salt", claim, "x")])) == "malformed"


@pytest.mark.parametrize(
    "parts",
    [
        ("salt", "US"),  # an array element's
        ("salt", "title", "A", "B"),
        ("title", "A"),
        (1, "title", "A"),
        ("salt", 1, "A"),
        ("salt", "...", "A"),
        ("salt", "_sd", ["A"]),
        ("salt", "Title", "A"),
        ("salt", "body.", "A"),
        ("salt", "title\n", "A"),
    ],
)
def test_a_disclosure_of_another_shape(parts: tuple[Any, ...]) -> None:
    assert refused(forged([disclosure(*parts)])) == "malformed"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b'"abc"',
        b"null",
        b'{"a":1,"b":2,"c":3}',
        b'["salt","title",NaN]',
        b'["salt","title",Infinity]',
        b'["salt","title","\xff"]',
        b'["salt","title","\\ud800"]',
        b'["salt","title",{"a":1,"a":2}]',
        b'["salt","title",{"a":1,"\\u0061":2}]',
        b'["salt","title",[{"b":{"a":1, "a":1}}]]',
        b'["salt","title","A"] x',
        b'["salt","title",' + b"[" * 20 + b"]" * 20 + b"]",
        b'["salt","title",' + b"[" * 100_000 + b"]" * 100_000 + b"]",
    ],
)
def test_a_disclosure_that_two_readers_would_read_differently(raw: bytes) -> None:
    assert refused(forged([disclosure(raw=raw)])) in ("malformed", "oversized-statement")


# --- nested disclosures: hidden parts of a slot that a view would still carry


@pytest.mark.parametrize(
    "value",
    [
        {"_sd": ["A"]},
        {"a": {"_sd": ["A"]}},
        [{"...": "A"}],
        {"a": [[{"...": "A"}]]},
        {"a": "...", "_sd_alg": "x", "_sd": 1},
    ],
)
def test_a_nested_disclosure(value: Any) -> None:
    assert refused(forged([disclosure("salt", "body.x", value)])) == "malformed"
    raw = json.dumps(["salt", "body.x", value]).replace("_sd", "\\u005fsd").replace("...", "\\u002e..")
    assert refused(forged([disclosure(raw=raw.encode())])) == "malformed"
    with pytest.raises(Refused):
        sign(samples.draft({"body.x": value}), iss="dk", key=DK)


def test_words_that_only_look_like_a_nested_disclosure_are_fine() -> None:
    said = {"body.x": {"a": "_sd", "b": "...", "c": ["..."]}, "text": "wait ... _sd"}
    assert sign(samples.draft(said), iss="dk", key=DK).slots == said


def test_a_claim_in_clear_with_a_nested_disclosure() -> None:
    assert refused(forged(x={"_sd": ["A"]})) == "malformed"
    assert refused(forged(x=[{"...": "A"}])) == "malformed"
    assert refused(forged(**{"...": "A"})) == "malformed"


# --- the padded list


def digests() -> list[str]:
    found: list[str] = payload([])["_sd"]
    return found


@pytest.mark.parametrize(
    "made",
    [
        digests()[:-1],
        [*digests(), "z" * 42 + "A"],
        digests()[::-1],
        sorted([*digests()[:-1], digests()[0]]),
        [*digests()[:-1], "z" * 44],
        [*digests()[:-1], "z" * 42 + "~"],
        [*digests()[:-1], 7],
        [*digests()[:-1], None],
        "".join(digests()),
        {"0": digests()[0]},
        None,
        [],
    ],
)
def test_digests_that_are_not_thirty_two_sorted_and_different(made: Any) -> None:
    assert refused(forged(_sd=made)) == "malformed"


def test_a_decoy_that_collides_with_a_digest() -> None:
    given = [disclosure("salt", "title", "A")]
    with_twin = sorted([payload(given)["_sd"][0], *payload(given)["_sd"][:31]])
    assert refused(forged(given, _sd=with_twin)) == "malformed"


@pytest.mark.parametrize("algorithm", ["sha-512", "SHA-256", "md5", None, 1])
def test_another_digest_algorithm(algorithm: Any) -> None:
    assert refused(forged(_sd_alg=algorithm)) == "malformed"


def test_no_digest_algorithm() -> None:
    said = payload([])
    del said["_sd_alg"]
    assert refused(seal(header(), said, [])) == "malformed"


# --- claims


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "Dk"),
        ("iss", "../dk"),
        ("iss", None),
        ("jti", "3F2A8A39-6D0E-4B0C-9A55-0C1D2E3F4A5B"),
        ("jti", "{3f2a8a39-6d0e-4b0c-9a55-0c1d2e3f4a5b}"),
        ("jti", 7),
        ("ver", 0),
        ("ver", -1),
        ("ver", 1.5),
        ("ver", True),
        ("ver", "1"),
        ("ver", 2**31),
        ("kind", "Alert"),
        ("kind", "alert\n"),
        ("marking", "TLP:WHITE"),
        ("marking", "tlp:amber"),
        ("onward", "yes"),
        ("exercise", 1),
        ("exercise", None),
        ("exercise", "false"),
        ("purpose", None),
        ("purpose", ""),
        ("retain_until", "2027-02-30"),
        ("retain_until", "soon"),
        ("personal", "no"),
    ],
)
def test_a_claim_that_is_not_what_it_must_be(claim: str, value: Any) -> None:
    assert refused(forged(**{claim: value})) == "malformed"


@pytest.mark.parametrize("claim", ["iss", "jti", "ver", "kind", "marking", "onward", "exercise"])
def test_a_claim_left_out(claim: str) -> None:
    said = payload([])
    del said[claim]
    assert refused(seal(header(), said, [])) == "malformed"


@pytest.mark.parametrize("claim", ["iat", "exp", "nbf", "aud", "sub", "cnf", "status", "vct"])
def test_a_time_or_a_claim_of_other_uses_in_clear(claim: str) -> None:
    assert refused(forged(**{claim: 1_683_000_000})) == "malformed"


def test_a_claim_that_stands_twice() -> None:
    said = json.dumps(payload([]))[:-1].encode() + b',"exercise":false}'
    assert refused(seal(header(), said, [])) == "malformed"


def test_exercise_marked_as_actual_needs_the_originators_hand(honest: Any) -> None:
    head, body, signature = honest.jwt.split(b".")
    said = base64.urlsafe_b64decode(body + b"==").replace(b'"exercise":true', b'"exercise":false')
    assert refused(b".".join([head, b64url(said).encode(), signature]) + b"~") == "forged-signature"


# --- ladders


@pytest.mark.parametrize(
    ("fine", "coarse"),
    [
        ("place.exact", "place.spot"),
        ("place.exact", "place.area"),
        ("place.exact", "place.region"),
        ("place.spot", "place.area"),
        ("place.spot", "place.region"),
        ("place.area", "place.region"),
        ("time.exact", "time.hour"),
        ("time.exact", "time.day"),
        ("time.hour", "time.day"),
    ],
)
def test_a_finer_rung_outside_the_coarser_one(fine: str, coarse: str) -> None:
    here = samples.slots()
    far = {
        **samples.place_ladder({"type": "Point", "coordinates": [24.9, 60.1]}),
        **samples.time_ladder(samples.AT_US + 86_400_000_000),
    }
    given = [disclosure("a", fine, far[fine]), disclosure("b", coarse, here[coarse])]
    assert refused(forged(given)) == "finer-outside-coarser"
    with pytest.raises(Refused, match="does not lie inside"):
        sign(samples.draft({fine: far[fine], coarse: here[coarse]}), iss="dk", key=DK)


# --- oversized


def test_an_oversized_statement() -> None:
    given = [disclosure("salt", f"body.x{n}", "a" * 45_000) for n in range(5)]
    assert refused(forged(given)) == "oversized-statement"
    with pytest.raises(Refused) as caught:
        sign(samples.draft({f"body.x{n}": "a" * 45_000 for n in range(5)}), iss="dk", key=DK)
    assert caught.value.reason == "oversized-statement"


def test_an_oversized_disclosure() -> None:
    assert refused(forged([disclosure("salt", "text", "a" * 60_000)])) == "oversized-statement"
    with pytest.raises(Refused) as caught:
        sign(samples.draft({"text": "a" * 60_000}), iss="dk", key=DK)
    assert caught.value.reason == "oversized-statement"


def test_an_oversized_header() -> None:
    assert refused(forged(head=header(kid="k" * limits.KIB))) == "oversized-statement"


def test_more_disclosures_than_there_are_slots() -> None:
    given = [disclosure("salt", f"body.x{n}", 1) for n in range(33)]
    presentation = seal(header(), payload(given[:32]), given)
    assert refused(presentation) == "oversized-statement"
    with pytest.raises(Refused):
        sign(samples.draft({f"body.x{n}": 1 for n in range(33)}), iss="dk", key=DK)


# --- other spellings of the same bytes


@pytest.mark.parametrize("junk", [b"=", b"==", b"\n", b" ", b"+", b"/", b"\xc3\xa9", b"%"])
def test_base64_that_is_not_canonical(honest: Any, junk: bytes) -> None:
    head, body, signature = honest.jwt.split(b".")
    assert refused(b".".join([head + junk, body, signature]) + b"~") == "malformed"
    assert refused(b".".join([head, body + junk, signature]) + b"~") == "malformed"
    assert refused(b".".join([head, body, signature + junk]) + b"~") == "malformed"


def test_a_signature_with_spare_bits_set(honest: Any) -> None:
    twin = honest.jwt[:-1] + {b"A": b"B", b"Q": b"R", b"g": b"h", b"w": b"x"}[honest.jwt[-1:]]
    assert base64.urlsafe_b64decode(twin.split(b".")[2] + b"==") == base64.urlsafe_b64decode(
        honest.jwt.split(b".")[2] + b"=="
    )
    assert refused(twin + b"~") == "malformed"


@pytest.mark.parametrize("tail", [b"", b"~~", b"~x", b"~a.b.c"])
def test_an_end_that_is_not_a_tilde(honest: Any, tail: bytes) -> None:
    """Also a key-binding JWT (RFC 9901, 4.3), which we do not use."""
    assert refused(honest.jwt + tail) in ("malformed", "altered-disclosure")


@pytest.mark.parametrize("noise", [b"", b"~", b".", b"..~", b"\x00" * 100, b"~" * 50, b"{}", b"a.b.c~"])
def test_noise(noise: bytes) -> None:
    assert refused(noise) in ("malformed", "oversized-statement")
    with pytest.raises(Refused):
        parse(noise)


# --- whatever comes: a reason, never another error, and never a statement that was not signed

SAID = sign(samples.draft(), iss="dk", key=DK).present()
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
claims = st.dictionaries(
    st.sampled_from(["iss", "jti", "ver", "kind", "marking", "onward", "exercise", "_sd", "_sd_alg"])
    | st.sampled_from(["purpose", "retain_until", "personal", "caveat", "..."]),
    anything,
    max_size=3,
)
rungs = st.sampled_from([slot for slot in samples.slots() if slot.startswith(("place.", "time."))])


@given(st.integers(0, len(SAID) - 1), st.integers(1, 255))
def test_any_byte_changed(at: int, by: int) -> None:
    bent = bytearray(SAID)
    bent[at] ^= by
    refused(bytes(bent))


@given(st.integers(0, len(SAID) - 1), st.integers(1, 200))
def test_any_bytes_left_out(at: int, count: int) -> None:
    parts = SAID.split(b"~")
    bent = SAID[:at] + SAID[at + count :]
    if set(bent.split(b"~")) <= set(parts) and bent.startswith(parts[0] + b"~"):
        return  # whole disclosures left out: a view
    refused(bent)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_noise(noise: bytes) -> None:
    refused(noise)
    if noise:
        refused(SAID + noise)


@given(claims)
def test_any_claims(changes: dict[str, Any]) -> None:
    try:
        verify(forged(**changes), KEYS)
    except Refused as e:
        assert e.reason in ("malformed", "unknown-originator", "oversized-statement")


@given(st.dictionaries(rungs, anything | st.text(max_size=20), max_size=3))
def test_any_rungs(values: dict[str, Any]) -> None:
    given_ = [disclosure("salt", slot, value) for slot, value in values.items()]
    try:
        verify(forged(given_), KEYS)
    except Refused as e:
        assert e.reason in ("malformed", "finer-outside-coarser")
    with suppress(Refused):
        sign(samples.draft(values), iss="dk", key=DK)


@given(anything)
def test_any_disclosure(value: Any) -> None:
    try:
        verify(forged([disclosure(raw=json.dumps(value).encode())]), KEYS)
    except Refused as e:
        assert e.reason == "malformed"
