"""Makes `spec/vectors/frames.json`: a frame that any other implementation can read, and some to refuse.

    python -m tests.channels.frame_vectors

Another writer of Arrow streams gives other bytes for the same table, so a test reads the file and
does not compare it with one made anew.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samsyn.base.clock import MINUTE_US
from samsyn.channels.frame import open_frame
from samsyn.log.note import ED25519, verifier_key
from samsyn.observations.craft import DOMAIN_SEA, craft_key
from tests.channels.test_frames import KEY, Sender
from tests.policy.tracks import PLANE, SHIP, row

FILE = Path(__file__).parents[2] / "spec" / "vectors" / "frames.json"
ORIGIN = "samsyn.dk/exercise/fi"
POLICY = """
[[rule]]
id = "coarse-without-names"
why = "test"
to = ["fi"]
kinds = ["track"]
when = { area = "south" }
place = "spot"
hide = ["craft", "name"]

[[rule]]
id = "exact-in-the-north"
why = "test"
to = ["fi"]
kinds = ["track"]
when = { area = "north" }
place = "exact"

[areas]
south = { bbox = [9.0, 53.0, 31.0, 56.0] }
north = { bbox = [9.0, 56.0, 31.0, 66.0] }
"""


def made() -> dict[str, Any]:
    dk = Sender(POLICY)
    at_us = dk.clock.now_us() + 5 * MINUTE_US - 13_000_000
    dk.hear(row(SHIP, time_us=at_us), row(PLANE, time_us=at_us))
    dk.hear(row(craft_key(DOMAIN_SEA, 212_123_001), 57.70012, 18.31007, time_us=at_us))
    frames = dk.step(5 * MINUTE_US)
    frame, empty = frames["fi"], frames["no"]
    stranger = Sender(POLICY)
    stranger.frames._key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = stranger.step(5 * MINUTE_US)["fi"]
    name = verifier_key(ORIGIN, ED25519, KEY.public_key().public_bytes_raw())
    return {
        "origin": ORIGIN,
        "key": name,
        "frame": text(frame),
        "rows": read(frame),
        "refused": {
            "another-readers-frame": text(empty),
            "forged-frame": text(forged),
            "malformed-frame": text(frame[:40]),
        },
    }


def text(frame: bytes) -> str:
    return base64.b64encode(frame).decode()


def read(frame: bytes) -> list[dict[str, Any]]:
    """The rows, null where a figure is not a number."""
    _, rows = open_frame(frame, ORIGIN, KEY.public_key())
    return [{k: None if v != v else v for k, v in said.items()} for said in rows.to_dicts()]


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1) + "\n")
