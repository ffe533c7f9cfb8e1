"""Every limit on what comes from outside, in one place.

A limit is a promise to the rest of the node (memory, time) and to partners (what will be taken).
`docs/limits.md` is written from this file by `make docs`.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# statements
STATEMENT_BYTES: Final = 256 * KIB  # signed part and all disclosures (statement.md)
STATEMENT_SLOTS: Final = 32  # digests in every statement, decoys included
DISCLOSURE_BYTES: Final = 64 * KIB
STATEMENT_JSON_DEPTH: Final = 16
PLACE_CELLS: Final = 512  # cells on one rung of a place ladder

# exchange
BATCH_ENTRIES: Final = 1_000  # entries of one reply; more are asked for again
BATCH_BYTES: Final = 8 * MIB
CHECKPOINT_BYTES: Final = 4 * KIB
PROOF_HASHES: Final = 64  # a log of 2**63 entries needs no more
REQUEST_BODY_BYTES: Final = 64 * KIB
REQUEST_AGE_S: Final = 300  # signed requests older or newer than this are refused
REQUESTS_PER_MINUTE: Final = 600  # of one partner
PULL_BACKOFF_S_MIN: Final = 0.5
PULL_BACKOFF_S_MAX: Final = 60.0
LIVE_WAIT_S: Final = 20.0  # how long a partner may hold a wake-up request open
CARD_BYTES: Final = 16 * KIB

# feeds
LINE_BYTES: Final = 4 * KIB  # one NMEA line, tag block included
JSON_DOCUMENT_BYTES: Final = 64 * MIB
FEED_BATCH_ROWS: Final = 8_192
FEED_READ_BYTES: Final = 1 * MIB
FEED_RECONNECT_S_MIN: Final = 1.0
FEED_RECONNECT_S_MAX: Final = 60.0
FEED_PROBLEMS_KEPT: Final = 100  # problems remembered word for word; all are counted
FEED_QUEUE_BATCHES: Final = 64

# tracks
TRACKS: Final = 1_000_000

# home side
SESSION_AGE_S: Final = 12 * 3600
SIGN_INS_PER_MINUTE: Final = 10
PICTURE_FRAME_TRACKS: Final = 200_000
