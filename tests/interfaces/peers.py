"""What importers of other projects keep of a bundle: run in their own environment, not imported by ours.

python peers.py misp|opencti BUNDLE      JSON of what is left of it
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def misp(text: str) -> Any:
    import stix2  # only there
    from misp_stix_converter import ExternalSTIX2toMISPParser

    parser = ExternalSTIX2toMISPParser()
    parser.load_stix_bundle(stix2.parse(text, allow_custom=True, interoperability=True))
    parser.parse_stix_bundle()
    made = parser.misp_events if hasattr(parser, "misp_events") else parser.misp_event
    found = made if isinstance(made, list) else [made]
    return {
        "kept": [json.loads(one.to_json()) for one in found],
        "problems": sorted({words for many in parser.errors.values() for words in many}),
    }


def opencti(text: str) -> Any:
    from pycti import OpenCTIStix2Splitter

    bundles = OpenCTIStix2Splitter().split_bundle_with_expectations(text)[2]
    parts = [json.loads(one) if isinstance(one, str) else one for one in bundles]
    return {"kept": [made for part in parts for made in part["objects"]]}


if __name__ == "__main__":
    print(json.dumps({"misp": misp, "opencti": opencti}[sys.argv[1]](Path(sys.argv[2]).read_text())))
