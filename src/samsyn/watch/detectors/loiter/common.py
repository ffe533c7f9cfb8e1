"""What the parts of this detector share."""

from __future__ import annotations

from statistics import median

from samsyn.watch.situation import Situation


def median_speed_kn(followed: Situation) -> float:
    """Of a situation's own evidence; 0 where it says none."""
    rows = followed.evidence.rows()
    speeds = [r["speed_kn"] for r in rows if "speed_kn" in r and r["time_us"] >= followed.start_us]
    return float(median(speeds)) if speeds else 0.0
