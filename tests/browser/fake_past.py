"""What the fake node answers about earlier times, from what it holds now."""

from __future__ import annotations

from typing import Any

from browser.fake_traffic import START_US


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
