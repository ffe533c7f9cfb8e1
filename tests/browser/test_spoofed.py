"""Replay of a spoofed flight at a real node: before the jump, during it, when it was found."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from playwright.sync_api import Page, expect

from browser.chromium import Watched, shot, sign_in, until
from browser.test_sight import violations
from samsyn.base.clock import SECOND_US, iso, parse_iso
from samsyn.desk.accounts import add_account
from samsyn.tracks.frame import IMPLAUSIBLE
from tests.scenarios.network import Process, homes, wait

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
START = "2026-03-01T12:00:00Z"
START_US = parse_iso(START)
SPEED = 120.0
SPOOFED, HONEST = 0x4CA5F0, 0x4CA001
JUMP_S, BACK_S, END_S = 480, 780, 1200
EVERY_S = 5


def flight(number: int, lat: float, lon: float, *, spoofed: bool) -> Iterator[tuple[int, str]]:
    """An airliner to the north-east; the spoofed one tells of another place for five minutes."""
    for second in range(0, END_S, EVERY_S):
        north = lat + second * 450 / 3600 / 60 * math.cos(math.radians(40))
        east = lon + second * 450 / 3600 / 60 * math.sin(math.radians(40)) / math.cos(math.radians(lat))
        if spoofed and JUMP_S <= second < BACK_S:
            north, east = north - 1.9, east + 2.4
        time = iso(START_US + second * SECOND_US)
        yield (
            second,
            f"{time},icao:{number:06x},{north:.5f},{east:.5f},34000,450,40,SAMPLE{number % 10}\n",
        )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[dict[str, Any]]:
    lines = sorted([
        *flight(SPOOFED, 55.2, 15.0, spoofed=True),
        *flight(HONEST, 55.9, 13.4, spoofed=False),
    ])  # fmt: skip
    recording = tmp_path / "flight.csv"
    header = "time,craft,lat,lon,altitude_ft,speed_kn,course_deg,callsign\n"
    recording.write_text(header + "".join(line for _, line in lines))
    home = homes(
        tmp_path,
        {"dk": ""},
        realm="exercise",
        exercise=f'start = "{START}"\nspeed = {SPEED}\n',
        feeds=[
            f'[[feed]]\nname = "roof"\nkind = "columns"\nsource = "file:{recording}"\nbegin = "0s"\n'
        ],
    )["dk"]
    add_account(home.accounts, "otto", "Otto", "release", PASSWORD)
    running = Process(home)
    told = running.start()
    yield told
    running.stop()


def finding(client: httpx.Client) -> dict[str, Any] | None:
    """Of the spoofed flight, once the watch has seen it jump back, too."""
    for found in client.get("/api/findings").json()["items"]:
        if found["detector"] == "implausible" and found["updated_us"] > START_US + BACK_S * SECOND_US:
            return dict(found)
    return None


def rows_at(client: httpx.Client, second: float) -> dict[int, dict[str, Any]]:
    """The tracks as the node tells them of a time: by number."""
    at_us = START_US + int(second * SECOND_US)
    reply = client.get("/api/past/frame", params={"at_us": at_us, "box": "5,50,30,66"})
    assert reply.status_code == 200, reply.text
    return {row["number"]: row for row in pl.read_ipc_stream(reply.content).to_dicts()}


def jump(page: Page, second: int) -> None:
    page.fill("#time", iso(START_US + second * SECOND_US).replace("T", " "))
    page.keyboard.press("Enter")
    at_us = START_US + second * SECOND_US
    until(page, f"document.documentElement.dataset.at === '{at_us}'")


def test_a_spoofed_flight_is_replayed(node: dict[str, Any], watched: Watched) -> None:
    with httpx.Client(base_url=node["picture"], headers={"x-samsyn": "1"}, timeout=120) as client:
        client.post("/api/session", json={"user": "otto", "password": PASSWORD})
        found = wait(lambda: finding(client))
        before, after = rows_at(client, JUMP_S - 20), rows_at(client, JUMP_S + 120)
        back = rows_at(client, BACK_S + 120)
    # the jump is looked back at as it was: not drawn over the good position at once, and marked
    assert before[SPOOFED]["flags"] & IMPLAUSIBLE == 0
    assert before[HONEST]["lat"] < after[HONEST]["lat"] < back[HONEST]["lat"]
    assert after.keys() >= {SPOOFED, HONEST}

    page = watched.page
    sign_in(page, node["picture"], "otto", PASSWORD, tracks=False)
    jump(page, JUMP_S - 20)
    page.get_by_role("tab", name="Findings").click()
    expect(page.locator("aside.left ul li button")).to_have_count(0)  # nothing was found yet
    expect(page.locator(".layers")).to_contain_text("Air2")
    shot(page, "spoofed-before", after_ms=500)
    seconds = (found["found_us"] - START_US) / SECOND_US
    assert JUMP_S < seconds < BACK_S
    jump(page, int(seconds) + 30)
    row = page.locator("aside.left li", has_text=f"icao:{SPOOFED:06x}").first
    row.locator("button").click()
    panel = page.locator(".right")
    expect(panel.locator("h1")).to_contain_text("Implausible")
    expect(panel).to_contain_text("What was measured later than this is left out.")
    shot(page, "spoofed-found", after_ms=1500)
    assert violations(page) == []
    page.keyboard.press("b")
    expect(panel).to_contain_text("Measured against threshold")
