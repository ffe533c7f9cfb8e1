from typing import Any

FORM: int

def take_apart(
    presentation: bytes, disclosures_max: int, disclosure_bytes_max: int, depth_max: int, /
) -> tuple[bytes, bytes, bytes, bytes, dict[str, Any], dict[str, Any]] | None:
    """Header as it is encoded, what is signed (header.payload), signature, the signed part whole,
    payload without `_sd` and `_sd_alg`, values by slot in the order of the disclosures. None: read it
    otherwise."""
