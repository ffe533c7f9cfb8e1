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
DISCLOSURE_BYTES: Final = 64 * KIB  # one slot with its salt and name
STATEMENT_JSON_DEPTH: Final = 16  # how deep a slot's value may nest
PLACE_CELLS: Final = 512  # cells on one rung of a place ladder
ATTACHMENTS: Final = 4  # photos, plots, documents that one statement names
ATTACHMENT_BYTES: Final = 10 * MIB  # one of them (statement.md)
GEOMETRY_POSITIONS: Final = 1_000  # positions of one geometry; bounds the work of checking a ladder

# exchange
BATCH_ENTRIES: Final = 1_000  # entries of one reply; more are asked for again
BATCH_BYTES: Final = 8 * MIB  # one reply, views and proof included
CHECKPOINT_BYTES: Final = 4 * KIB  # one signed note with its cosignatures
PROOF_HASHES: Final = 64  # a log of 2**63 entries needs no more
REQUEST_BODY_BYTES: Final = 64 * KIB  # the body of a partner's request
REQUEST_AGE_S: Final = 300  # signed requests older or newer than this are refused
REQUESTS_PER_MINUTE: Final = 600  # of one partner
ATTACHMENT_REQUESTS_PER_MINUTE: Final = 30  # of one partner; they count among its requests, too
PULL_BACKOFF_S_MIN: Final = 0.5  # first wait after a partner did not answer
PULL_BACKOFF_S_MAX: Final = 60.0  # longest wait between two tries
LIVE_WAIT_S: Final = 20.0  # how long a partner may hold a wake-up request open
SUCCESSION_BYTES: Final = 64 * KIB  # two cards and what is said of them
CARD_BYTES: Final = 16 * KIB  # one partner's card
LIVE_WAITS: Final = 4  # wake-up requests one partner may hold open at once
NONCES: Final = 8_192  # remembered per partner; more than REQUESTS_PER_MINUTE can make in both ages
REQUEST_READ_S: Final = 10.0  # within which head and body of a request must have come
BODY_UNREAD_BYTES: Final = 1 * MIB  # of a body that was answered unread; then the connection is cut
REPLY_PIECE_BYTES: Final = 64 * KIB  # replies are sent in pieces ...
REPLY_PIECE_S: Final = 30.0  # ... each of which the partner must take within this
REPLY_WAIT_S: Final = 120.0  # within which a whole reply of a partner must have come
CONNECT_WAIT_S: Final = 10.0  # for a partner's node to take the connection
CONNECTIONS: Final = 256  # open at once at one port; further ones are told to come back

# feeds
LINE_BYTES: Final = 4 * KIB  # one NMEA line, tag block included
JSON_DOCUMENT_BYTES: Final = 64 * MIB  # one document of states, as readsb and OpenSky give them
COT_BYTES: Final = 64 * KIB  # one Cursor on Target message
FEED_BATCH_ROWS: Final = 8_192  # rows of one batch of observations
FEED_READ_BYTES: Final = 1 * MIB  # read from a source at once
FEED_RECONNECT_S_MIN: Final = 1.0  # first wait after a source closed
FEED_RECONNECT_S_MAX: Final = 60.0  # longest wait between two tries
FEED_CALLERS: Final = 16  # connections to one feed's own port (tcp-listen) at once
FEED_CALLER_SILENT_S: Final = 60.0  # silent for longer, one gives way when another calls
FEED_DATAGRAM_BYTES: Final = 4 * MIB  # datagrams that wait; what is dropped is counted
FEED_PROBLEMS_KEPT: Final = 100  # problems remembered word for word; all are counted
FEED_QUEUE_BATCHES: Final = 64  # waiting between a feed and the watch; then the feed waits
FEEDS: Final = 100  # of one node
FEED_TRIAL_S: Final = 5.0  # how long a feed is tried from the picture ...
FEED_TRIAL_ROWS: Final = 10  # ... and how many of its rows are shown
IMPORT_BATCH_OBJECTS: Final = 4_000  # objects of other systems taken in one transaction
IMPORT_TOGETHER: Final = 40  # of them in one statement, if they fit into one slot

# tracks
TRACKS: Final = 1_000_000  # craft held in the live table
ASSOCIATED_TRACKS: Final = 20_000  # of sensors, followed until it is known which craft they are
ASSOCIATED_PAIRS: Final = 1_000_000  # of track and craft compared at once; of a crowd none is
FRAME_EVERY_S: Final = 10  # of clock time between two frames of live tracks to a partner
FRAME_REQUESTS_PER_MINUTE: Final = 60  # of one partner; they count among its requests, too
FRAME_STALE_S: Final = 120  # after which the last frame of a partner is not shown any more
FRAME_TRACKS: Final = 100_000  # tracks in one frame to or from a partner
FRAME_BYTES: Final = 48 * MIB  # one such frame
TRACK_TEXT_CHARACTERS: Final = 40  # a name or call sign in a frame
TRACK_DELAY_S: Final = 24 * 3600  # longest delay of a track rule; states of that long are kept in memory
TRACK_STATES: Final = 128  # past states of all tracks kept for one reader's delays; the oldest go first
PAST_TABLES: Final = 4  # past track tables in memory at once, for replays that go on from there
EXPORT_POSITIONS: Final = 5_000_000  # rows of one export of tracks
TRAIL_POINTS: Final = 5_000  # of one craft's trail; of more so many are taken evenly
TRAIL_SPAN_S: Final = 7 * 24 * 3600  # longest span of a trail

# watch
ZONES: Final = 1_000  # zones of one organisation
ZONES_FILE_BYTES: Final = 64 * MIB  # an organisation's zones.geojson
ZONES_BODY_BYTES: Final = 4 * MIB  # zones that an administrator sends at once from the picture
TALLIES: Final = 20_000  # places of one layer counted in one hour; H3 has 288,122 cells of resolution 4
LAYER_PLACES: Final = 5_000  # places of one layer sent to the picture; those with most craft go first
TALLY_DAYS: Final = 31  # how long the counts behind the picture's layers are kept
PAIRS_FOLLOWED: Final = 100_000  # pairs of ships side by side at once; further ones wait for room
SITUATIONS_FOLLOWED: Final = 2_000  # of one sort, with their evidence, findings or not yet
AIRCRAFT_TOGETHER: Final = 30  # near one at once; of one in a larger crowd no pair is followed
CRAFT_FOLLOWED: Final = 20_000  # of one detector at once, with their evidence; others wait for room
CLOSE_PAIRS: Final = 2_000_000  # neighbours looked at for who is close to whom; the rest is counted

# readers without a node
READER_REQUESTS_PER_MINUTE: Final = 600  # of one reader
READER_PAGE: Final = 1_000  # objects of one reply
READER_PAGE_DEFAULT: Final = 100  # where the reader does not say
READER_PAGE_ENTRIES: Final = 4_000  # entries looked through for one reply; then it goes on in the next
READER_KEPT_BYTES: Final = 256 * MIB  # finished pieces of pages kept in memory, of all readers together
READER_QUERY_CHARACTERS: Final = 4 * KIB  # of one request's path and filters
PUBLIC_ENTRIES: Final = 200  # in the feed and the calendar for everybody; the newest
TAK_CLIENTS: Final = 100  # at once, of all readers together
READERS: Final = 1_000  # readers without a node of one organisation

# home side
SESSION_AGE_S: Final = 12 * 3600  # then one signs in again
SIGN_INS_PER_MINUTE: Final = 10  # tries at one account
SIGN_INS_PENDING: Final = 1_000  # begun with an identity provider and not yet finished
FAILED_SIGN_INS_WRITTEN_PER_MINUTE: Final = 30  # into the diary; the rest is counted
ATTACHMENTS_WAITING: Final = 8  # of one person, for the report that is being written ...
ATTACHMENTS_WAITING_ALL: Final = 32  # ... and of all persons together ...
ATTACHMENT_WAITS_S: Final = 3600  # ... and for how long they are kept
SAVED_VIEWS: Final = 50  # views of the picture that one person keeps
SAVED_VIEW_NAME_CHARACTERS: Final = 60  # of such a view's name
SAVED_VIEW_CHARACTERS: Final = 2_000  # of its address
AUDIT_PAGE: Final = 100  # entries of the audit log in one reply
AUDIT_LOOKED: Final = 20_000  # entries looked through for one reply; then it goes on in the next
AUDIT_NAMED: Final = 20  # statements named in one entry; of more it is said that there are
AUDIT_EXPORT: Final = 20_000  # entries of one export
RELEASED_ENTRIES: Final = 20_000  # entries of one answer about a partner in the picture
PICTURE_FRAME_TRACKS: Final = 200_000  # tracks in one frame of the picture

# channels
LEAF_BYTES: Final = 512  # one entry of a channel
SOURCES: Final = 64  # statements that one was made of, counted through; beyond, it goes no further
ASIDE_STATEMENTS: Final = 1_000  # of one channel, kept until their originator's card is known ...
ASIDE_BYTES: Final = 16 * MIB  # ... and what they may take together; of more only the name is kept
TICK_STATEMENTS: Final = 10_000  # queued acts taken in one tick; the rest waits for the next
REFUSALS_KEPT: Final = 16  # refused batches of one partner kept as evidence; older ones go
CHANNEL_FILE_LINE_BYTES: Final = 128  # first line of a channel as a file; batches as in the exchange
RETENTION_SLICE: Final = 64  # bodies looked at in one tick for whether their time is over
REFUSAL_MATTERS: Final = 1_024  # partner and reason, of refusals counted for the diary at once
EVIDENCE_BYTES: Final = 64 * MIB  # a document of evidence
EVIDENCE_STEPS: Final = 8  # proofs that lead from one head to another in it

# policy
POLICY_BYTES: Final = 1 * MIB  # the text of one policy
