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
) -> (
    tuple[bytes, bytes, bytes, dict[str, Any], dict[str, Any], None, None]
    | tuple[
        *tuple[bytes, bytes, bytes, tuple[Any, ...], dict[str, Any], tuple[str, ...]],
        tuple[float, float, int, int] | None,
    ]
    | None
):
    """Header as it is encoded, signature and what it is over (header.payload), the signed part whole,
    payload without `_sd` and `_sd_alg`, values by slot in the order of the disclosures, None.

    With `forms`: iss, jti, ver, kind, marking, onward and exercise in place of the payload, checked;
    only the values of slots that have no form, nor those of a ladder that is as we make it; the names of
    all slots, in order; latitude, longitude, resolution and number of the cell that is still to be found
    over a point, or None. None: read it
    otherwise."""
