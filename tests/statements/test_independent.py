"""Our statements in an SD-JWT implementation that is not ours, and the RFC's examples in ours.

The other implementation is the reference one (`sd-jwt`, on `jwcrypto`). RFC 9901 signs its examples
with ES256, which a statement never uses: their disclosures and digests are checked, and that we refuse
the rest.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from samsyn.base.encoding import b64url, sha256, unb64url
from samsyn.base.errors import Refused
from samsyn.statements.keys import public_text, thumbprint
from samsyn.statements.sign import TYP, sign, verify
from tests.statements.samples import DK, KEYS, SE, draft

VECTORS = Path(__file__).parents[2] / "spec" / "vectors"
RFC = json.loads((VECTORS / "rfc9901.json").read_text(encoding="utf-8"))


def read_by_the_reference(presentation: bytes, public: Ed25519PublicKey) -> dict[str, Any]:
    jwk = JWK(kty="OKP", crv="Ed25519", x=public_text(public))
    found = SDJWTVerifier(presentation.decode(), lambda iss, header: jwk).get_verified_payload()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("shown", [None, [], ["title"], ["place.area", "time.hour", "body.measured"]])
def test_the_reference_implementation_verifies_the_same_bytes(shown: list[str] | None) -> None:
    said = sign(draft(purpose="search and rescue"), iss="dk", key=DK)
    view = said.present(shown)
    read = read_by_the_reference(view, DK.public_key())
    ours = verify(view, KEYS)
    in_clear = {"iss", "jti", "ver", "kind", "marking", "onward", "exercise", "purpose"}
    assert {k: v for k, v in read.items() if k not in in_clear} == ours.slots
    assert {k: read[k] for k in in_clear} == {k: getattr(ours, k) for k in in_clear}


def test_the_reference_implementation_refuses_what_we_refuse() -> None:
    said = sign(draft(), iss="dk", key=DK)
    with pytest.raises(Exception, match=r"[Vv]erif"):
        read_by_the_reference(said.present(), SE.public_key())


def test_the_name_of_a_key_is_its_jwk_thumbprint() -> None:
    """RFC 8037, appendix A.3."""
    public = Ed25519PublicKey.from_public_bytes(unb64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
    assert thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    jwk = JWK(kty="OKP", crv="Ed25519", x=public_text(DK.public_key()))
    assert thumbprint(DK.public_key()) == jwk.thumbprint()


@pytest.mark.parametrize("example", RFC["disclosures"], ids=lambda e: str(e["claim"]))
def test_disclosures_and_digests_of_rfc_9901(example: dict[str, Any]) -> None:
    disclosure = example["disclosure"].encode()
    assert b64url(sha256(disclosure)) == example["digest"]
    assert json.loads(unb64url(disclosure)) == example["contents"]
    payload = json.loads(urlsafe_b64decode(RFC["sd_jwt"].split(".")[1] + "=="))
    signed = [*payload["_sd"], *(n["..."] for n in payload["nationalities"])]
    assert (example["digest"] in signed) == (disclosure.decode() in RFC["sd_jwt"])


def test_the_signature_of_rfc_9901_holds_over_its_bytes() -> None:
    """So the example was copied right; ES256 by hand, as nothing of ours does it."""
    header, payload, signature = RFC["sd_jwt"].split("~")[0].split(".")
    raw = unb64url(signature)
    x, y = (int.from_bytes(unb64url(RFC["issuer_key"][c]), "big") for c in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(SHA256()))


def test_the_example_of_rfc_9901_is_no_statement() -> None:
    with pytest.raises(Refused, match=r"header|algorithm"):
        verify(RFC["sd_jwt"].encode(), KEYS)


def test_what_we_sign_is_declared_as_what_it_is() -> None:
    header = json.loads(unb64url(sign(draft(), iss="dk", key=DK).jwt.split(b".")[0]))
    assert header == {"alg": "EdDSA", "kid": thumbprint(DK.public_key()), "typ": TYP}
