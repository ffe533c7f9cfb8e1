"""An administrator without a shell, at a real node: zones drawn on the map, typed in, imported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.chromium import shot
from browser.test_release_pages import PASSWORD, Desk
from browser.test_sight import violations
from samsyn.base.settings import Home
from samsyn.desk.accounts import add_account
from samsyn.watch.zones import load_zones
from tests.scenarios.network import Process, homes, wait
from tests.scenarios.receiver import ais_receiver

pytestmark = pytest.mark.browser

HOSTILE = "<b onmouseover=alert(1)>Sound</b>"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    dk = homes(tmp_path, {"dk": ""})["dk"]
    for user, role in (("rita", "administrator"), ("otto", "release")):
        add_account(dk.accounts, user, user.title(), role, PASSWORD)  # type: ignore[arg-type]
    return dk


@pytest.fixture
def dk(home: Home) -> Iterator[dict[str, Any]]:
    node = Process(home)
    told = node.start()
    yield told
    node.stop()


def test_zones_are_drawn_typed_in_imported_and_removed(
    browser: Browser, dk: dict[str, Any], home: Home, tmp_path: Path
) -> None:
    rita = Desk(browser, dk["picture"], "rita")
    page, path = rita.page, home.root / "zones.geojson"
    page.get_by_role("button", name="Settings", exact=True).click()
    settings = page.get_by_role("region", name="Zones", exact=True)
    expect(settings).to_contain_text("There are no zones yet.")
    settings.get_by_role("button", name="New zone").click()

    form = page.locator("aside.right form")
    canvas = page.locator("canvas.maplibregl-canvas")
    for x, y in ((300, 250), (420, 260), (400, 380)):
        canvas.click(position={"x": x, "y": y})
    corners = form.get_by_label("Corners, one on each line")
    assert len(corners.input_value().splitlines()) == 3
    form.get_by_role("button", name="Remove the last corner").click()
    assert len(corners.input_value().splitlines()) == 2
    corners.fill(f"{corners.input_value()}\nnowhere")
    expect(form.get_by_role("alert")).to_have_text("No place in line 3.")
    expect(form.get_by_role("button", name="Save the zone")).to_be_disabled()
    corners.fill("55°30.000′N 012°30.000′E\n55°45′00.0″N 013°15′06.5″E\n56.0, 12.5\n33U UB 20000 60000")
    form.get_by_label("Name", exact=True).fill("Sound")
    form.get_by_label("Title in English").fill(HOSTILE)
    form.get_by_label("Ceiling").fill("100")
    form.get_by_label("Unit").select_option("fl")
    form.get_by_role("button", name="Save the zone").click()
    expect(form.get_by_role("alert")).to_contain_text("Name: lower-case letters")
    form.get_by_label("Name", exact=True).fill("sound")
    page.wait_for_timeout(800)
    shot(page, "zone-draw", tmp_path)
    assert violations(page) == []
    form.get_by_role("button", name="Save the zone").click()
    row = settings.locator("tbody tr")
    expect(row).to_have_count(1, timeout=20_000)
    expect(row).to_contain_text(HOSTILE)
    expect(row).to_contain_text("FL 100")
    (zone,) = load_zones(path)
    assert zone.ceiling_ft == 10_000 and zone.geometry.contains(zone.geometry.centroid)
    assert abs(zone.geometry.bounds[0] - 12.15) < 0.1  # the corner that was given in the grid

    # in force on the map of everybody, without a reload
    told = page.evaluate("fetch('/api/zones').then((r) => r.json())")
    assert [f["properties"]["name"] for f in told["features"]] == ["sound"]

    take_files_and_change_them(page, path, tmp_path)
    rita.watched.close()
    assert rita.watched.errors == [] and rita.watched.hosts <= {"127.0.0.1"}


def take_files_and_change_them(page: Page, path: Path, tmp_path: Path) -> None:
    """Import what is wrong and what is right, export, edit, remove: in Swedish at the end."""
    settings, form = (
        page.get_by_role("region", name="Zones", exact=True),
        page.locator("aside.right form"),
    )
    row = settings.locator("tbody tr")
    line = {"type": "LineString", "coordinates": [[14, 55], [15, 55.5]]}
    cable = {"name": "wire-1", "sort": "cable", "title": "Wire", "reach_m": 900}
    bad = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {**cable, "reach_m": 0}, "geometry": line}]}  # fmt: skip
    good = {**bad, "features": [{"type": "Feature", "properties": cable, "geometry": line}]}
    for name, collection, said in (("bad", bad, None), ("good", good, "1 zones imported.")):
        (tmp_path / f"{name}.geojson").write_text(json.dumps(collection))
        settings.locator("input[type=file]").set_input_files(tmp_path / f"{name}.geojson")
        if said is None:
            expect(settings.get_by_role("alert")).to_contain_text("Feature 1: Reach: more than 0")
        else:
            expect(settings.get_by_role("status")).to_have_text(said)
    expect(row).to_have_count(2)
    with page.expect_download() as saved:
        settings.get_by_role("button", name="Export GeoJSON").click()
    text = json.loads(saved.value.path().read_text())
    assert text["marking"] == "TLP:AMBER" and len(text["features"]) == 2

    settings.get_by_role("button", name="Edit wire-1").click()
    form.get_by_label("Reach to each side, metres").fill("1200")
    form.get_by_role("button", name="Save the zone").click()
    expect(row.filter(has_text="wire-1")).to_contain_text("± 1 200 m")
    assert [z.drawn and list(z.drawn.coords) for z in load_zones(path)][1] == [(14, 55), (15, 55.5)]
    settings.get_by_role("button", name="Remove sound").click()
    page.keyboard.press("l")
    page.locator("header .name").click()
    shot(page, "settings-zones-sv", tmp_path)
    assert violations(page) == []
    page.get_by_role("button", name="Ja, ta bort sound").click()
    expect(page.get_by_role("region", name="Zoner", exact=True).get_by_role("status")).to_have_text(
        "Zonen sound är borttagen."
    )
    wait(lambda: [z.name for z in load_zones(path)] == ["wire-1"])


def test_every_button_is_within_reach_on_a_small_screen(browser: Browser, dk: dict[str, Any]) -> None:
    """An administrator has the most of them, and Swedish the longest words."""
    rita = Desk(browser, dk["picture"], "rita")
    rita.page.keyboard.press("l")
    for width in (1440, 1280):
        rita.page.set_viewport_size({"width": width, "height": 720})
        for name in ("Inställningar", "Logga ut"):
            button = rita.page.get_by_role("button", name=name, exact=True)
            expect(button).to_be_in_viewport(ratio=1)
    rita.watched.close()
    assert rita.watched.errors == []


@pytest.fixture
def receiver() -> Iterator[int]:
    with ais_receiver() as port:
        yield port


def test_a_feed_is_tried_saved_suspended_and_removed(
    browser: Browser, dk: dict[str, Any], home: Home, receiver: int, tmp_path: Path
) -> None:
    rita = Desk(browser, dk["picture"], "rita")
    page = rita.page
    page.get_by_role("button", name="Settings", exact=True).click()
    feeds = page.get_by_role("region", name="Feeds", exact=True)
    expect(feeds).to_contain_text("This node has no feeds.")
    feeds.get_by_role("button", name="New feed").click()
    form = feeds.get_by_role("form", name="New feed")
    form.get_by_label("Name", exact=True).fill("mast")
    form.get_by_label("Kind").select_option("ais_nmea")
    form.get_by_label("Source").fill("file:../keys/log.key")
    form.get_by_role("button", name="Save the feed").click()
    expect(form.get_by_role("alert")).to_contain_text("The source cannot be used.")
    form.get_by_label("Source").fill(f"tcp:127.0.0.1:{receiver}")
    form.get_by_role("button", name="Try it for 5 seconds").click()
    expect(form.get_by_role("status")).to_contain_text("rows came", timeout=30_000)
    expect(form.get_by_role("status").locator("tbody tr").first).to_contain_text("mmsi:")
    shot(page, "feed-try", tmp_path)
    assert violations(page) == []
    assert not home.feeds_file.exists()
    form.get_by_role("button", name="Save the feed").click()
    row = feeds.locator("tbody tr")
    expect(row).to_contain_text("mast")
    expect(row).to_contain_text("live", timeout=30_000)
    feeds.get_by_role("button", name="Suspend mast").click()
    expect(row).to_contain_text("suspended")
    feeds.get_by_role("button", name="Take up mast").click()
    expect(row).to_contain_text("live", timeout=30_000)
    feeds.get_by_role("button", name="Remove mast").click()
    feeds.get_by_role("button", name="Yes, remove mast").click()
    expect(feeds).to_contain_text("This node has no feeds.")
    assert home.settings().feed == ()
    rita.watched.close()
    assert rita.watched.errors == [] and rita.watched.hosts <= {"127.0.0.1"}


def test_who_is_no_administrator_has_no_settings(browser: Browser, dk: dict[str, Any]) -> None:
    otto = Desk(browser, dk["picture"], "otto")
    expect(otto.page.get_by_role("button", name="Settings", exact=True)).to_have_count(0)
    otto.page.goto(f"{dk['picture']}/#page=settings")
    expect(otto.page.locator("[role=tab]").first).to_be_visible()
    expect(otto.page.get_by_label("Settings", exact=True)).to_have_count(0)
    otto.watched.close()
