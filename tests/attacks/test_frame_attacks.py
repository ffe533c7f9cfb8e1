"""A compromised partner and its live tracks: by name."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from samsyn.base import limits
from samsyn.base.clock import MINUTE_US, SECOND_US, ManualClock
from samsyn.base.errors import InputError, LimitError, Refused
from samsyn.channels.frame import STEP_US, body, seal
from samsyn.channels.frame_mirror import FrameMirror
from samsyn.formats.arrow import read_stream
from samsyn.log.checkpoint import open_checkpoint, sign_checkpoint
from samsyn.tracks.partners import PartnerTracks
from samsyn.tracks.released import COLUMNS, nothing
from tests.policy.tracks import NOW_US, SHIP

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "samsyn.dk/exercise/fi"
SEQUENCE = NOW_US // STEP_US


class Receiver:
    """`fi`, which takes frames of `dk` in its exercise."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW_US)
        self.tracks = PartnerTracks(self.clock, self.clock, exercise=True)
        self.mirror = FrameMirror(
            partner="dk", log_key=KEY.public_key(), me="fi", realm="exercise", tracks=self.tracks
        )

    def refuses(self, frame: bytes) -> str:
        """Why; what is shown stays as it was."""
        before = self.tracks.rows()
        with pytest.raises(Refused) as told:
            self.mirror.receive(frame)
        assert self.tracks.rows().equals(before)
        return told.value.reason


def rows(count: int = 1, **more: Any) -> pl.DataFrame:
    said = {name: column.absent for name, column in COLUMNS.items()}
    said |= {"domain": 1, "place": 4, "lat": 55.1, "lon": 15.6, "heard_s": NOW_US // SECOND_US, **more}
    made = pl.DataFrame({n: [v] * count for n, v in said.items()}, schema=nothing().schema)
    craft = pl.Series("craft", range(SHIP, SHIP + count), pl.Int64)
    return made if "craft" in more else made.with_columns(craft)


def frame(
    made: pl.DataFrame | None = None,
    *,
    sequence: int = SEQUENCE,
    origin: str = ORIGIN,
    packed: bytes | None = None,
    count: int | None = None,
    key: Ed25519PrivateKey = KEY,
) -> bytes:
    made = rows() if made is None else made
    return seal(origin, sequence, made.height if count is None else count, packed or body(made), key)


def stream(made: pl.DataFrame, **options: Any) -> bytes:
    out = io.BytesIO()
    made.write_ipc_stream(out, **{"compat_level": pl.CompatLevel.oldest(), **options})
    return out.getvalue()


def test_a_good_frame_is_shown_and_the_same_again_changes_nothing() -> None:
    fi = Receiver()
    assert fi.mirror.receive(frame(rows(3))) and not fi.mirror.receive(frame(rows(3)))
    assert fi.tracks.rows().height == 3 and fi.mirror.sequence == SEQUENCE


def test_a_replayed_frame_is_refused() -> None:
    fi = Receiver()
    fi.mirror.receive(frame(rows(3)))
    assert fi.refuses(frame(rows(2), sequence=SEQUENCE - 1)) == "replayed-frame"
    assert fi.refuses(frame(rows(2))) == "replayed-frame"  # two frames of one number


def test_another_readers_frame_is_refused() -> None:
    assert Receiver().refuses(frame(origin="samsyn.dk/exercise/se")) == "another-readers-frame"
    assert Receiver().refuses(frame(origin="samsyn.no/exercise/fi")) == "another-readers-frame"


def test_exercise_marked_as_actual_is_refused() -> None:
    assert Receiver().refuses(frame(origin="samsyn.dk/actual/fi")) == "exercise-marked-as-actual"


def test_a_frame_by_another_key_is_refused() -> None:
    assert Receiver().refuses(frame(key=Ed25519PrivateKey.generate())) == "forged-frame"


def test_an_altered_body_is_refused() -> None:
    good = frame(rows(3))
    assert Receiver().refuses(good[:-1] + bytes([good[-1] ^ 1])) == "forged-frame"
    assert Receiver().refuses(good[:-8]) == "forged-frame"


def test_a_head_that_says_another_time_or_number_is_refused() -> None:
    good = frame()
    assert Receiver().refuses(good.replace(b"T20:15:00Z", b"T20:15:10Z")) == "malformed-frame"
    later = str(SEQUENCE + 1).encode()
    assert Receiver().refuses(good.replace(str(SEQUENCE).encode(), later)) == "malformed-frame"
    assert Receiver().refuses(b"") == Receiver().refuses(b"\xff" * 99) == "malformed-frame"


def test_a_checkpoint_is_no_frame_and_a_frame_no_checkpoint() -> None:
    note = sign_checkpoint(ORIGIN, 1, bytes(32), KEY)
    assert Receiver().refuses(len(note).to_bytes(4) + note) == "malformed-frame"
    with pytest.raises(Refused):
        open_checkpoint(frame()[4 : 4 + int.from_bytes(frame()[:4])], ORIGIN, KEY.public_key())


def test_a_frame_beyond_the_limits_is_refused() -> None:
    assert Receiver().refuses(bytes(limits.FRAME_BYTES + 1)) == "oversized-frame"
    assert Receiver().refuses(frame(count=10_000_000)) == "oversized-frame"
    many = rows(limits.FRAME_TRACKS + 1)
    assert Receiver().refuses(frame(many)) == "oversized-frame"
    assert Receiver().refuses(frame(many, count=5)) == "oversized-frame"


def test_a_frame_that_claims_ten_million_rows_costs_no_memory() -> None:
    """The count in the Arrow batch is the partner's word, and nothing is made room for by it."""
    packed = body(rows(3)).replace(struct.pack("<q", 3), struct.pack("<q", 10_000_000))
    assert Receiver().refuses(frame(packed=packed, count=3)) in ("oversized-frame", "malformed-frame")


def test_another_number_of_rows_than_signed_is_refused() -> None:
    assert Receiver().refuses(frame(rows(3), count=2)) == "malformed-frame"


WRONG: dict[str, Callable[[], pl.DataFrame]] = {
    "a column more": lambda: rows().with_columns(pl.lit(1).alias("feed")),
    "a column less": lambda: rows().drop("name"),
    "another order": lambda: rows().select(*reversed(rows().columns)),
    "another type": lambda: rows().with_columns(pl.col("lat").cast(pl.Float32)),
    "another name": lambda: rows().rename({"lat": "latitude"}),
    "a null": lambda: rows().with_columns(pl.lit(None, pl.String).alias("name")),
    "no table of ours": lambda: pl.DataFrame({"a": [1]}),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_schema_is_refused(what: str) -> None:
    assert Receiver().refuses(frame(packed=stream(WRONG[what]()), count=1)) == "malformed-frame"


@pytest.mark.parametrize(
    "options",
    [{"compression": "zstd"}, {"compression": "lz4"}, {"compat_level": pl.CompatLevel.newest()}],
)
def test_what_would_swell_or_is_of_another_form_is_refused(options: dict[str, Any]) -> None:
    packed = stream(rows(50), **options)
    assert Receiver().refuses(frame(rows(50), packed=packed)) == "malformed-frame"


IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "beyond the pole": {"lat": 91.0},
    "beyond the date line": {"lon": -180.5},
    "nowhere": {"lat": float("nan")},
    "at infinity": {"lon": float("inf")},
    "a place where it says none": {"place": 0},
    "a rung that is none": {"place": 5},
    "neither sea nor air": {"domain": 3},
    "a craft that is none": {"craft": -7},
    "a ship in the air": {"domain": 2},
    "before 1970": {"heard_s": -1},
    "faster than anything": {"speed_kn": 1e9},
    "a squawk that is none": {"squawk": 9999},
    "a long name": {"name": "x" * (limits.TRACK_TEXT_CHARACTERS + 1)},
    "a name over two lines": {"name": "a\nb"},
    "a name that turns the text round": {"callsign": "a\u202eb"},
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_a_value_that_cannot_be_is_refused(what: str) -> None:
    assert Receiver().refuses(frame(rows(**IMPOSSIBLE[what]))) == "malformed-frame"


def test_a_craft_twice_is_refused() -> None:
    assert Receiver().refuses(frame(rows(2, craft=SHIP))) == "malformed-frame"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_bytes_of_an_arrow_stream_changed_anywhere_are_read_or_refused(data: st.DataObject) -> None:
    """By a partner that signs what it likes: never another error, never more rows than the limit."""
    packed = bytearray(body(rows(3, name="SALLY")))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at] = data.draw(st.sampled_from([0, 1, 2, 8, 127, 128, 255]))
    cut = data.draw(st.integers(0, len(packed)))
    types = {n: "text" if c.dtype == pl.String else str(c.dtype).lower() for n, c in COLUMNS.items()}
    for said in (bytes(packed), bytes(packed[:cut])):
        try:
            found = read_stream(said, types, 10)
        except (InputError, LimitError):
            continue
        assert {len(column) for column in found.values()} <= set(range(11))


def test_what_came_is_not_shown_when_it_is_stale() -> None:
    fi = Receiver()
    fi.mirror.receive(frame(rows(2)))
    fi.clock.advance(limits.FRAME_STALE_S * SECOND_US)
    assert fi.tracks.rows().height == 2
    fi.clock.advance(1)
    assert fi.tracks.rows().height == 0 and fi.tracks.one(SHIP) is None


def test_a_partner_whose_clock_is_wrong_is_shown_no_older_than_it_is() -> None:
    fi = Receiver()
    fi.clock.advance(-300 * MINUTE_US)
    fi.mirror.receive(frame(rows(heard_s=NOW_US // SECOND_US - 7)))
    found = fi.tracks.one(SHIP)
    assert found and fi.clock.now_us() - found["position_us"] == 7 * SECOND_US


def test_of_two_partners_the_finer_place_is_shown() -> None:
    fi = Receiver()
    fi.tracks.show("no", rows(place=2, lat=55.9), NOW_US)
    fi.mirror.receive(frame())
    found = fi.tracks.one(SHIP)
    assert found and (found["partner"], found["lat"]) == ("dk", 55.1)
    assert fi.tracks.rows().height == 1
