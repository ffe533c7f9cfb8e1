"""Ships and aircraft on the usual routes of the Baltic, as the node's own track frames."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl

from samsyn.formats import symbols

START_US = 1_412_267_400_000_000  # 2014-10-02 16:30 UTC: the exercise's own time

# Where ships go (lat, lon), and where aircraft fly: enough to look like the Baltic at night.
SEA_ROUTES = [
    [
        (57.8, 10.7),
        (57.3, 11.4),
        (56.6, 11.9),
        (56.15, 12.3),
        (55.85, 12.68),
        (55.35, 12.6),
        (54.9, 12.9),
    ],
    [(57.8, 10.7), (56.9, 11.2), (56.2, 11.1), (55.6, 10.9), (55.1, 11.05), (54.6, 11.0), (54.5, 11.9)],
    [(54.45, 12.0), (54.75, 13.2), (55.2, 14.2), (55.4, 15.3), (55.7, 16.7), (56.2, 17.7), (57.0, 19.4)],
    [(57.0, 19.4), (58.2, 20.4), (59.0, 21.3), (59.4, 22.6), (59.7, 24.3), (59.95, 26.2), (60.0, 27.8)],
    [(57.0, 19.4), (57.3, 20.6), (57.7, 21.9), (57.8, 22.9), (57.3, 23.7)],
    [(55.4, 15.3), (55.0, 16.6), (54.8, 18.2), (54.6, 19.0)],
    [(58.2, 20.4), (59.3, 20.3), (60.0, 19.2), (60.9, 18.4), (62.1, 18.7), (63.3, 20.1), (64.6, 22.3)],
    [(58.9, 18.7), (59.5, 20.1), (59.8, 21.6), (59.75, 23.3), (59.95, 24.9)],
    [(59.2, 19.2), (59.55, 21.4), (59.4, 23.4), (59.52, 24.7)],
]
AIR_ROUTES = [
    [(55.6, 12.6), (57.5, 15.5), (59.6, 17.9)],
    [(59.6, 17.9), (60.0, 21.5), (60.3, 25.0)],
    [(55.6, 12.6), (56.3, 18.0), (56.9, 23.9), (57.8, 28.0)],
    [(52.3, 13.5), (55.5, 14.5), (59.6, 17.9), (63.8, 20.2), (65.5, 22.1)],
    [(52.2, 21.0), (56.9, 23.9), (60.3, 25.0), (65.0, 25.5)],
    [(54.4, 18.5), (57.6, 17.0), (60.2, 11.1)],
]


def _along(
    route: list[tuple[float, float]], share: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place and course at a share (0 to 1) of a route."""
    lat, lon = np.array(route).T
    steps = np.hypot(np.diff(lat), np.diff(lon) * np.cos(np.radians(lat[:-1])))
    far = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
    at = np.clip(np.searchsorted(far, share) - 1, 0, len(steps) - 1)
    part = (share - far[at]) / (far[at + 1] - far[at])
    dlat, dlon = lat[at + 1] - lat[at], lon[at + 1] - lon[at]
    course = np.degrees(np.arctan2(dlon * np.cos(np.radians(lat[at])), dlat)) % 360
    return lat[at] + part * dlat, lon[at] + part * dlon, course


class Traffic:
    """Craft on the routes, at the exercise's time."""

    def __init__(self, sea: int, air: int, seed: int = 7) -> None:
        draw = np.random.default_rng(seed)
        self._parts = []
        for domain, total, routes, low, high in (
            (1, sea, SEA_ROUTES, 6, 19),
            (2, air, AIR_ROUTES, 280, 470),
        ):
            for i, route in enumerate(routes):
                n = total // len(routes) + (i < total % len(routes))
                first = 210_000_000 if domain == 1 else 0x460000
                self._parts.append({
                    "domain": domain,
                    "route": route,
                    "number": (first + i * 100_000 + np.arange(n) * 7).astype(np.uint32),
                    "share": draw.random(n),
                    "speed": draw.uniform(low, high, n),
                    "side": draw.normal(0, 0.05 if domain == 1 else 0.22, (n, 2)),
                    "back": draw.random(n) < 0.5,
                    "still": (draw.random(n) < 0.12) & (domain == 1),
                    "age": draw.exponential(60 if domain == 1 else 4, n),
                })  # fmt: skip

    def frame(self, now_us: int) -> bytes:
        gone_h = (now_us - START_US) / 3.6e9
        rows = [self._rows(part, gone_h) for part in self._parts]
        columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        columns["flags"][:1] = 2  # one craft in distress
        out = io.BytesIO()
        pl.DataFrame(columns).write_ipc_stream(out, compression="uncompressed")
        return out.getvalue()

    @staticmethod
    def _rows(part: dict[str, Any], gone_h: float) -> dict[str, np.ndarray]:
        speed = np.where(part["still"], 0.1, part["speed"])
        share = (part["share"] + speed * gone_h / 600) % 1
        share = np.where(part["back"], 1 - share, share)
        lat, lon, course = _along(part["route"], share)
        n = len(lat)
        course = np.where(part["back"], (course + 180) % 360, course)
        return {
            "domain": np.full(n, part["domain"], np.uint8),
            "number": part["number"],
            "lat": (lat + part["side"][:, 0]).astype(np.float32),
            "lon": (lon + part["side"][:, 1]).astype(np.float32),
            "course_deg": np.where(part["still"], np.nan, course).astype(np.float32),
            "speed_kn": speed.astype(np.float32),
            "altitude_ft": np.full(n, 34_000 if part["domain"] == 2 else np.nan, np.float32),
            "age_s": part["age"].astype(np.float32),
            # in the exercise; a few not plausible, a fifth of them a partner's
            "flags": (8 + 4 * (np.arange(n) % 97 == 5) + 16 * (np.arange(n) % 5 == 2)).astype(np.uint8),
            "symbol": _symbols(part["domain"], part["number"]),
        }


def _symbols(domain: int, number: np.ndarray) -> np.ndarray:
    """Of ships of all sorts, and of aircraft."""
    kinds = np.array([70, 80, 60, 30, 255, 52, 36, 55, 35, 90], dtype=np.uint8)
    keys = (np.int64(domain) << 32) + number.astype(np.int64)
    return symbols.index(keys, kinds[np.arange(len(number)) % len(kinds)])
