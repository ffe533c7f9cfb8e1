"""Values of statements nested so deeply that they can be read and not written again."""

from __future__ import annotations

import json

import pytest

from samsyn.base import limits
from samsyn.base.errors import Refused
from samsyn.statements.sign import verify
from tests.statements.samples import KEYS, disclosure, forged


def refused(presentation: bytes) -> str:
    with pytest.raises(Refused) as caught:
        verify(presentation, KEYS)
    return caught.value.reason


@pytest.mark.parametrize("depth", [limits.STATEMENT_JSON_DEPTH, 254, 300, 900, 1_020, 10_000])
def test_a_value_nested_deeper_than_can_be_written_again(depth: int) -> None:
    """Between what a JSON reader takes and what a writer takes there is room for a value."""
    deep = b"[" * depth + b"]" * depth
    assert refused(forged([disclosure(raw=b'["salt", "body.x", {"a": %s}]' % deep)])) == "malformed"
    if depth <= 900:  # what the forger's own writer can write
        assert refused(forged(x={"a": json.loads(deep)})) == "malformed"
