"""A photo goes with a report: attached at one node, fetched and looked at at the other."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from browser.chromium import shot
from browser.test_sight import violations
from browser.test_walks import PASSWORD, Person
from samsyn.desk.accounts import add_account
from tests.scenarios.network import Process, homes

pytestmark = pytest.mark.browser

DK = """
[[rule]]
id = "reports-to-se"
why = "Sea surveillance agreement, annex A"
to = ["se"]
kinds = ["report"]
place = "exact"
time = "exact"
"""
NAME = "hull damage at dusk.png"


def picture(width: int = 320, height: int = 180) -> bytes:
    """A PNG of a dark sea below a lighter sky."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (bytes([0]) + bytes([30 + y // 3, 60 + y // 3, 110 - y // 3] * width) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[dict[str, Any]]:
    made = homes(tmp_path, {"dk": DK, "se": ""})
    nodes = {name: Process(home) for name, home in made.items()}
    for home in made.values():
        add_account(home.accounts, "dora", "Dora Duty", "duty", PASSWORD)
    try:
        yield {name: node.start()["picture"] for name, node in nodes.items()}
    finally:
        for node in nodes.values():
            node.stop()


def test_a_photo_is_attached_here_and_looked_at_there(
    browser: Browser, urls: dict[str, Any], tmp_path: Path
) -> None:
    photo = tmp_path / NAME
    photo.write_bytes(picture())
    dora = Person(browser, urls["dk"], "dora")
    dora.page.keyboard.press("n")
    form = dora.panel.locator("form")
    form.locator("input[name=title]").fill("Tanker with a damaged hull")
    form.locator("input[name=lat]").fill("55.1")
    form.locator("input[name=lon]").fill("15.9")
    (tmp_path / "empty.txt").touch()
    form.locator("input[name=attach]").set_input_files([photo, tmp_path / "empty.txt"])
    expect(form.get_by_role("alert")).to_contain_text("empty.txt is empty")
    expect(form.locator("li", has_text=NAME)).to_be_visible()
    assert violations(dora.page) == []
    form.get_by_role("button", name="Sign the report").click()
    files = dora.panel.locator("section", has=dora.page.get_by_role("heading", name="Attachments"))
    with dora.page.expect_download() as saved:
        files.get_by_role("link", name="Save").click()
    assert saved.value.suggested_filename == NAME
    assert Path(saved.value.path()).read_bytes() == picture()
    dora.leave()

    doris = Person(browser, urls["se"], "dora", "sv-SE")
    doris.open("Tanker with a damaged hull")
    files = doris.panel.locator("section", has=doris.page.get_by_role("heading", name="Bilagor"))
    files.get_by_role("button", name="Hämta").click()
    files.get_by_role("button", name="Visa").click()
    drawn = files.get_by_role("img", name=NAME)
    expect(drawn).to_be_visible()
    expect(drawn).to_have_js_property("naturalWidth", 320)
    assert violations(doris.page) == []
    files.scroll_into_view_if_needed()
    shot(doris.page, "attachment-swedish")
    doris.leave()
