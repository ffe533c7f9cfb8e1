"""Aircraft whose truth is known, as ADS-B and as a radar that names some of them not: for associations.

python -m tests.tracks.skies      how many tracks are joined, rightly and wrongly, and after how long
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from samsyn.base.clock import SECOND_US, parse_iso
from samsyn.base.geo import EARTH_RADIUS_M, KNOT_M_S
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_AIR_TRACK, craft_key
from samsyn.observations.schema import make_batch

START_US = parse_iso("2026-05-04T12:00:00Z")
DEGREE_M = EARTH_RADIUS_M * np.pi / 180
RADAR = (57.0, 16.0)
TURN_S = 4.8  # of the radar


@dataclass
class Sky:
    """rows: in order of arrival. truth: of a radar's track the aircraft, by key, 0 where it says nothing
    itself."""

    rows: pl.DataFrame
    truth: dict[int, int] = field(default_factory=dict)


def sky(
    count: int, seed: int, *, seconds: int = 900, reach_km: float = 200.0, silent: float = 0.25,
    coded: float = 0.85, pairs: int = 0,
) -> Sky:  # fmt: skip
    """silent: share without ADS-B. coded: with Mode A. pairs: aircraft that fly in twos, 500 m apart."""
    rng = np.random.default_rng(seed)
    names = craft_key(DOMAIN_AIR, 0x4C0000) + rng.permutation(60_000)[:count]
    tracks = craft_key(DOMAIN_AIR_TRACK, 25 << 24 | 13 << 16) + rng.permutation(4_000)[:count]
    x, y = rng.uniform(-reach_km, reach_km, (2, count)) * 1_000
    way, speed = rng.uniform(0, 360, count), rng.uniform(60, 260, count)
    level, climb = rng.uniform(20, 400, count) * 100, rng.choice([0, 0, 0, 1_500, -1_500], count) / 60.0
    level = np.round(level / 1_000) * 1_000  # as cleared
    turns = np.where(rng.random(count) < 0.3, rng.choice([-1.5, 1.5], count), 0.0)
    for k in range(0, 2 * pairs, 2):
        x[k + 1], y[k + 1] = x[k] + 500, y[k]
        for column in (way, speed, level, climb, turns):
            column[k + 1] = column[k]
    speaks = rng.random(count) >= silent
    code = np.where(rng.random(count) < coded, rng.integers(1_000, 7_000, count) // 10 * 10, 65_535)
    phase_s, last = rng.uniform(0, 5, count), rng.uniform(0, TURN_S, count)
    parts: list[dict[str, Any]] = []
    for t in range(seconds):
        on = np.sin(t / 90 + phase_s) > 0  # turns for a minute and a half, and flies straight as long
        way = way + turns * on
        x += speed * np.sin(np.radians(way))
        y += speed * np.cos(np.radians(way))
        level = np.clip(level + climb, 1_000, 41_000)
        state = (x, y, speed, way % 360, level)
        heard = speaks & ((t + phase_s) % 5 < 1) & (rng.random(count) < 0.9)
        parts.append(_said(names, heard, t, state, 40.0, rng, code))
        seen = ((t + last) % TURN_S < 1) & (rng.random(count) < 0.95)
        parts.append(_seen(tracks, seen, t, state, rng, code))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole["squawk"] = np.ma.MaskedArray(whole["squawk"], whole["squawk"] == 65_535)
    whole["time_source"] = np.full(len(whole["craft"]), 3, np.uint8)
    rows = make_batch(whole, feed="sky", originator="dk", exercise=False)
    order = np.lexsort(
        (rng.random(rows.height), whole["time_us"] + rng.integers(0, 2_000_000, rows.height))
    )
    truth = np.where(speaks, names, 0)
    return Sky(rows[order], dict(zip(tracks.tolist(), truth.tolist(), strict=True)))


def _said(keys, at, t, state, sd_m, rng, code) -> dict[str, Any]:
    x, y, speed, way, level = (value[at] for value in state)
    n = int(at.sum())
    at_x, at_y = x + rng.normal(0, sd_m, n), y + rng.normal(0, sd_m, n)
    told = np.where(rng.random(n) < 0.3, code[at], 65_535)
    return _rows(
        keys[at], t + rng.uniform(0, 1, n), at_x, at_y, speed, way, np.round(level / 25) * 25, told
    )


def _seen(keys, at, t, state, rng, code) -> dict[str, Any]:
    x, y, speed, way, level = (value[at] for value in state)
    n = int(at.sum())
    away, azimuth = np.hypot(x, y) + rng.normal(0, 60, n), np.arctan2(x, y) + rng.normal(0, 0.0014, n)
    level = np.where(code[at] == 65_535, np.nan, np.round(level / 100) * 100)
    at_x, at_y = away * np.sin(azimuth), away * np.cos(azimuth)
    speed, way = speed + rng.normal(0, 4, n), (way + rng.normal(0, 3, n)) % 360
    return _rows(keys[at], np.full(n, float(t)), at_x, at_y, speed, way, level, code[at])


def _rows(craft, t, x, y, speed_m_s, way, level, code) -> dict[str, Any]:
    lat = RADAR[0] + y / DEGREE_M
    return {
        "craft": craft, "time_us": START_US + (t * SECOND_US).astype(np.int64), "lat": lat,
        "lon": RADAR[1] + x / (DEGREE_M * np.cos(np.radians(lat))), "speed_kn": speed_m_s / KNOT_M_S,
        "course_deg": way, "altitude_ft": level, "squawk": code.astype(np.uint16),
    }  # fmt: skip


def judged(made: Sky, joined: dict[int, int]) -> dict[str, float]:
    """right: of tracks whose aircraft speaks. wrong: of all tracks, joined to another."""
    speaking = {k: v for k, v in made.truth.items() if v}
    right = sum(joined.get(track) == craft for track, craft in speaking.items())
    wrong = sum(made.truth[track] != craft for track, craft in joined.items())
    return {
        "tracks": len(made.truth),
        "right": right / max(len(speaking), 1),
        "wrong": wrong / len(made.truth),
    }


if __name__ == "__main__":
    from samsyn.observations.plain import plain
    from samsyn.tracks.associate import COLUMNS, Associations

    for what, settings in {
        "30 aircraft": {"count": 30},
        "300 aircraft": {"count": 300},
        "300 aircraft, no codes": {"count": 300, "coded": 0.0},
        "300 aircraft in 100 km by 100 km": {"count": 300, "reach_km": 50.0},
        "300 aircraft, 100 of them in pairs": {"count": 300, "pairs": 50},
    }.items():
        told = []
        for seed in range(5):
            made, links = sky(seed=seed, **settings), Associations()
            worst = 0.0
            for part in made.rows.iter_slices(2_000):
                links.take(plain(part, COLUMNS))
                worst = max(worst, judged(made, links.joined())["wrong"])
            told.append({**judged(made, links.joined()), "ever": worst})
        mean = {n: sum(one[n] for one in told) / len(told) for n in told[0]}
        sys.stdout.write(f"{what}: {mean}\n")
