"""Texts that partners, feeds and files can fill: none of them becomes markup, and none of them runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from browser.chromium import Watched, sign_in
from browser.fake_node import PASSWORD, USER, Serving

pytestmark = pytest.mark.browser

RUNS = "<script>window.ran=1</script>"
EVIL = f'"\'><img src=x onerror="window.ran=1"><svg onload="window.ran=1">{RUNS}'
LINK = "javascript:window.ran=1"
# What a page is told by others in its own words: names, titles, reasons, files, rules.
TOLD = frozenset({
    "title", "summary", "text", "author", "name", "organisation", "why", "en", "sv", "note", "observer",
    "source", "sources", "tags", "problem", "by", "words", "callsign", "zone", "rule", "known_errors",
    "file", "reason", "explanation", "closed_because", "body.zone", "body.observer", "feed",
})  # fmt: skip
MARKUP = """document.querySelectorAll(
    'img, script:not([src]), [onerror], [onload], a[href^=javascript]').length"""


class Poisoned:
    """Every reply of the node with these texts in it."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.route("**/api/**", self._answer)

    def _answer(self, route: Route) -> None:
        reply = route.fetch()
        if "json" not in reply.headers.get("content-type", ""):
            route.fulfill(response=reply)
            return
        route.fulfill(response=reply, body=json.dumps(self._in(reply.json(), "")))

    def _in(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: self._in(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._in(inner, key) for inner in value]
        if isinstance(value, str) and (key in TOLD or " " in value):
            self.count += 1
            return f"{value}{EVIL}{LINK}"
        return value


def unharmed(page: Page) -> None:
    assert page.evaluate("window.ran") is None
    assert page.evaluate(MARKUP) == 0


def test_nothing_that_others_fill_becomes_markup(serving: Serving, watched: Watched) -> None:
    page = watched.page
    poisoned = Poisoned(page)
    sign_in(page, serving.url, USER, PASSWORD)
    unharmed(page)
    tabs, shown = page.locator("[role=tab]"), 0
    for n in range(tabs.count()):
        tabs.nth(n).click()
        unharmed(page)
        buttons = page.locator(".left li button:not(.as)")
        for k in range(min(buttons.count(), 12)):
            buttons.nth(k).click()
            expect(page.locator(".right")).to_be_visible()
            for folded in page.locator(".right details:not([open]) > summary").all():
                folded.click()
            unharmed(page)
            shown += page.locator("body").inner_text().count(RUNS)
    page.get_by_role("tab", name="Partners").click()
    page.locator(".left button.as").first.click()  # as a partner sees it
    expect(page.locator("body")).to_contain_text(RUNS)
    unharmed(page)
    assert poisoned.count > 50 and shown > 20  # they were there, as text
