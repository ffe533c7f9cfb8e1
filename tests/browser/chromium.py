"""Debian's Chromium, driven by Playwright: one page at a time, watched for errors and stray requests."""

from __future__ import annotations

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",  # WebGL without a graphics card
)
LESS_DRAWING = "--disable-gpu-compositing"  # the map alone goes through WebGL, not all of the page too
THRIFT = (
    LESS_DRAWING,
    "--js-flags=--no-opt",  # no page lives long enough to repay it
)
SIZE = {"width": 1440, "height": 900}
WHOLE = bool(os.environ.get("SAMSYN_SHOTS"))
"""Whether every page is drawn as people see it. Else those that no test looks at have fewer dots and
no land: without a graphics card both cost processor time."""
NO_LAND = {"unit": 1, "land": [], "borders": []}
PATIENCE_S = 120.0  # of machines that do much else; what comes, comes sooner


def missing() -> str:
    """Why no browser can be driven here, or nothing."""
    return "" if shutil.which("chromium") else "Debian's chromium is not installed"


expect.set_options(timeout=PATIENCE_S * 1000)


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Debian's Chromium, with `more` flags, until the end."""
    path = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=[*FLAGS, *more])
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, what it asked for, and what went wrong in it."""

    def __init__(self, browser: Browser, language: str = "en-GB", *, whole: bool = WHOLE) -> None:
        self._context = browser.new_context(
            viewport=SIZE,
            device_scale_factor=1.0 if whole else 0.5,
            locale=language,
            timezone_id="Europe/Stockholm",
        )
        if not whole:
            self._context.route("**/assets/basemap-*.json", lambda route: route.fulfill(json=NO_LAND))
        self._context.set_default_timeout(PATIENCE_S * 1000)
        self.page: Page = self._context.new_page()
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._context.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda line: self._asked(line.url))

    def _console(self, message: object) -> None:
        if getattr(message, "type", "") == "error":
            self.errors.append(str(getattr(message, "text", message)))

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme not in ("blob", "data"):
            self.hosts.add(urlsplit(url).hostname or url)

    def close(self) -> None:
        # a reply still being handled when its page goes is nobody's error, least of all the next test's
        if not self.page.is_closed():  # a test may have closed it
            self.page.unroute_all(behavior="ignoreErrors")
        self._context.close()


def wait_for(page: Page, holds: Callable[[], object], what: str = "it") -> None:
    """Until it holds; not for ever."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"never became true: {what}"
        page.wait_for_timeout(50)


def until(page: Page, javascript: str) -> None:
    """Ask until the expression is true; Playwright's own `wait_for_function` our policy forbids."""
    wait_for(page, lambda: page.evaluate(javascript), javascript)


def until_pixels(page: Page, selector: str, colour: tuple[int, int, int], within: range) -> None:
    """Until so many pixels of a part of the page have this colour: a map is drawn in its own time."""
    where = page.locator(selector)
    wait_for(page, lambda: pixels_like(page, where.screenshot(), colour) in within, f"{colour} {within}")


def sign_in(page: Page, url: str, user: str, password: str, *, tracks: bool = True) -> None:
    """Open the page, sign in, wait until the map stands and, if asked, the first tracks are there."""
    page.goto(url)
    page.fill("input[name=user]", user)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    until(page, "document.documentElement.dataset.ready === 'map'")
    if tracks:
        until(page, "Number(document.documentElement.dataset.tracks) > 0")


def shot(page: Page, name: str, fallback: Path | None = None, *, after_ms: int = 0) -> None:
    """A screenshot of a page that has come to rest, into the folder named by SAMSYN_SHOTS or `fallback`.

    Where neither is, none is taken and nothing is waited for: without a graphics card it is dear.
    """
    if folder := os.environ.get("SAMSYN_SHOTS") or fallback:
        page.wait_for_timeout(after_ms)
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def pixels_like(page: Page, picture: bytes, colour: tuple[int, int, int], within: int = 24) -> int:
    """How many pixels of a screenshot have about this colour (each channel); the page itself counts."""
    counting = """async ([data, colour, within]) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const drawing = canvas.getContext('2d');
        drawing.drawImage(bitmap, 0, 0);
        const { data: found } = drawing.getImageData(0, 0, bitmap.width, bitmap.height);
        let count = 0;
        for (let i = 0; i < found.length; i += 4)
            if (colour.every((c, k) => Math.abs(found[i + k] - c) <= within)) count++;
        return count;
    }"""
    data = base64.b64encode(picture).decode()
    return int(page.evaluate(counting, [data, list(colour), within]))
