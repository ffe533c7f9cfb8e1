from collections.abc import Mapping
from typing import Any

FORM: int

def take_apart(
    presentation: bytes,
    disclosures_max: int,
    disclosure_bytes_max: int,
    depth_max: int,
    forms: Mapping[str, Mapping[str, bytes]] | None,
    /,
) -> tuple[bytes, bytes, bytes, bytes, dict[str, Any], dict[str, Any], tuple[str, ...] | None] | None:
    """Header as it is encoded, what is signed (header.payload), signature, the signed part whole,
    payload without `_sd` and `_sd_alg`, values by slot in the order of the disclosures, None. Where
    `forms` has the kind: only the values of slots that have no form there, then the names of all slots,
    in order. None: read it otherwise."""
