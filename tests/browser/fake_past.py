"""What the fake node answers about earlier times, from what it holds now."""

from __future__ import annotations

from typing import Any

import h3

from browser.fake_traffic import START_US

HOUR_US = 3_600_000_000


def known(items: list[dict[str, Any]], at_us: int) -> dict[str, Any]:
    """What had come by then; later releases and handling are not there yet."""
    times = sorted(i["received_at_us"] for i in items)
    held = [
        item
        | {
            "released": [r for r in item["released"] if r["at_us"] <= at_us],
            "handling": dict.fromkeys(item["handling"]),
        }
        for item in items
        if item["received_at_us"] <= at_us
    ]
    return {
        "at_us": at_us,
        "first_us": times[0],
        "tracks_from_us": START_US,
        "until_us": _next(times, at_us),
        "items": held,
    }


def given(items: list[dict[str, Any]], reader: str, at_us: int) -> dict[str, Any]:
    """What `reader` had been given of dk's by then."""
    held, not_released, times = [], [], []
    for item in (i for i in items if i["own"] and i["slots"]):
        releases = [r for r in item["released"] if r["reader"] == reader]
        times += [r["at_us"] for r in releases]
        given = [r for r in releases if r["at_us"] <= at_us]
        if given:
            held.append(_held(item, given[-1]))
        elif item["received_at_us"] <= at_us:
            en, sv = f"It was given to {reader} later.", f"Det lämnades till {reader} senare."
            title = item["slots"]["title"]
            name = {k: item[k] for k in ("jti", "ver", "iss", "kind")}
            not_released.append({**name, "title": title, "rule": None, "en": en, "sv": sv})
    return {
        "reader": reader, "organisation": f"{reader.upper()} Exercise Centre", "at_us": at_us,
        "until_us": _next(times, at_us), "held": held, "withdrawn": [], "purged_since": [],
        "not_released": not_released,
    }  # fmt: skip


def _held(item: dict[str, Any], release: dict[str, Any]) -> dict[str, Any]:
    slots = {k: v for k, v in item["slots"].items() if k not in release["hidden"]}
    exact = "place.exact" in slots
    kept = ("jti", "ver", "iss", "kind", "marking", "onward", "exercise")
    return {k: item[k] for k in kept} | {
        "slots": slots, "footprint": item["footprint"] if exact else None,
        "place": release["place"], "time": release["time"], "given_us": release["at_us"],
        "applied": release["applied"], "rules": [{"rule": release["rule"], "why": release["why"]}],
        "left_out": [
            {"slot": slot, "rules": [release["rule"]], "hidden_by": [release["rule"]]}
            for slot in release["hidden"]
        ],
        "latest_ver": item["ver"],
    }  # fmt: skip


def _next(times: list[int], at_us: int) -> int | None:
    return min((us for us in times if us > at_us), default=None)


def trail(craft: str, from_us: int, to_us: int) -> dict[str, Any]:
    """A ship from Rostock past Bornholm, at two knots less each hour; silent for an hour in between."""
    silent_us = (to_us - 3 * HOUR_US, to_us - 2 * HOUR_US)
    times = [us for us in range(to_us - 6 * HOUR_US, to_us, 180_000_000) if us >= from_us]
    times = [us for us in times if not silent_us[0] < us < silent_us[1]]
    gone = [(us - to_us + 6 * HOUR_US) / HOUR_US for us in times]
    points = {
        "time_us": times,
        "lat": [54.4 + 0.13 * h + 0.02 * (h % 1) for h in gone],
        "lon": [12.3 + 0.38 * h for h in gone],
        "speed_kn": [14.0 - 2 * int(h) for h in gone],
        "course_deg": [58.0 + 4 * int(h) for h in gone],
        "heading_deg": [60.0 + 4 * int(h) for h in gone],
        "altitude_ft": [None] * len(times),
    }
    gaps = [i for i in range(1, len(times)) if times[i] - times[i - 1] > 30 * 60_000_000]
    return {
        "craft": craft, "from_us": from_us, "to_us": to_us, "exercise": True, "points": points,
        "breaks": gaps, "rows": len(times), "doubted": 2,
    }  # fmt: skip


def interference(at_us: int) -> dict[str, Any]:
    """Cells about the Bay of Gdansk: the nearer, the worse. None before the story begins."""
    hour_us = at_us // HOUR_US * HOUR_US
    cells = []
    for n, cell in enumerate(h3.grid_disk(h3.latlng_to_cell(55.0, 19.0, 4), 3)):
        ring = [[lon, lat] for lat, lon in h3.cell_to_boundary(cell)]
        counts = {
            "craft": 12 + n % 5,
            "poor": 1,
            "degraded": max(0, 5 - n // 4),
            "lost": max(0, 4 - n // 3),
        }
        cells.append(
            {"cell": cell, "domain": "air", "feed": "adsb-south", "ring": [*ring, ring[0]], **counts}
        )
    told = hour_us >= START_US - HOUR_US
    return {
        "hour_us": hour_us, "hours": [hour_us], "low": 0.02, "high": 0.1, "cells": cells if told else [],
    }  # fmt: skip


def activity(at_us: int) -> dict[str, Any]:
    """Two zones: unusually many merchant ships in one, the usual in the other."""
    rows = [
        ("cable-b", "merchant", "sea", 31, 14.2, 22.5, 1),
        ("cable-b", "fishing", "sea", 2, 2.6, 6.1, 0),
        ("nord-cable", "aircraft", "air", 9, 8.4, 15.0, 0),
    ]
    names = ("zone", "group", "domain", "craft", "expected", "high", "unusual")
    hour_us = at_us // HOUR_US * HOUR_US
    return {
        "hour_us": hour_us, "hours": [hour_us],
        "zones": [dict(zip(names, row, strict=True)) for row in rows],
    }  # fmt: skip
