"""How does the page bear 100,000 moving tracks: its main thread, its memory, its first picture?

A real node serves the real page to Debian's Chromium; only the craft are made up. Every tenth of them
reports each second, and each second the page gets a frame of all.

What the main thread does is read from Chromium's own trace: a task is what it does without looking up.
What a task spends in animation frames, style, layout, paint and commit is drawing (WebGL is done in
software here); the rest is ours: decoding, filling arrays, lists. Time is the thread's processor
time where the trace has it, so that what else the machine does counts little; on the wall beside it.

SAMSYN_MINUTES=30 measures memory for half an hour instead of a minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Request

from bench.measure import ROOT, NoCorpus, Row
from samsyn.demo.world import free_ports

CRAFT = 100_000
MINUTES = float(os.environ.get("SAMSYN_MINUTES", "1"))
TRACED_S = 20
DRAWING = frozenset({
    "FireAnimationFrame", "PageAnimator::serviceScriptedAnimations", "UpdateLayoutTree", "Layout",
    "Paint", "PrePaint", "Commit", "Layerize", "CompositeLayers", "UpdateLayer", "ParseHTML", "HitTest",
})  # fmt: skip
# Looks every 5 ms whether there is something to look at: tracks drawn over the map (they are not before
# land and sea are), and rows in the inbox. Two frames later it is on the screen.
WATCH = """
const look = setInterval(() => {
    const drawn = performance.getEntriesByName('tracks drawn').length;
    if (drawn && document.querySelector('button[data-jti]')) {
        clearInterval(look);
        requestAnimationFrame(() => requestAnimationFrame(() => (window.usefulMs = performance.now())));
    }
}, 5);
"""


# Durations in a trace are microseconds.
TASKS = ("RunTask", "ThreadControllerImpl::RunTask")


def rows() -> Iterator[Row]:
    """Bytes, seconds to the first picture, milliseconds a task, megabytes over time."""
    sys.path[:0] = [str(ROOT / "tests")]
    from browser.chromium import LESS_DRAWING, Watched, chromium, missing, sign_in, until

    if why := missing():
        raise NoCorpus(why)
    corpus = f"{CRAFT:,} moving craft"
    with node() as told, chromium(LESS_DRAWING) as browser:
        page = Watched(browser, whole=True).page
        loaded: list[Request] = []
        page.on("requestfinished", lambda request: loaded.append(request))
        page.add_init_script(WATCH)
        sign_in(page, told["url"], told["user"], told["password"])
        carried = sum(r.sizes()["responseBodySize"] for r in loaded)
        yield Row("page and lists at first view, as carried", carried, "bytes", "an inbox of 60")
        useful: list[float] = []
        for _ in range(3):
            page.reload()
            until(page, "window.usefulMs > 0")
            useful.append(page.evaluate("window.usefulMs") / 1000)
        yield Row("first useful picture after a reload", min(useful), "s", corpus)
        yield from busy(browser, page, corpus)
        page.keyboard.press("t")
        page.keyboard.press("4")
        page.locator("button[data-jti]").first.click()
        yield from busy(browser, page, f"{corpus}; table, short trails and a statement open")
        page.keyboard.press("t")
        page.keyboard.press("4")
        yield from memory(browser, page, told["pid"], corpus)


@contextmanager
def node() -> Iterator[dict[str, Any]]:
    """A node with the craft, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (port,) = free_ports(1, 24_000)
        command = [sys.executable, "-m", "bench.page_node", f"{folder}/dk", str(CRAFT), str(port)]
        running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            assert running.stdout is not None
            yield {**json.loads(running.stdout.readline()), "pid": running.pid}
        finally:
            running.kill()
            running.wait()


def busy(browser: Browser, page: Page, corpus: str) -> Iterator[Row]:
    """The longest tasks of the page's main thread in a trace, drawing and the rest apart."""
    tasks = traced(browser, page)
    frames = sum(task["frames"] for task in tasks)
    for name, unit, value in (
        ("longest task apart from drawing, processor time", "ms", max(t["ours"] for t in tasks)),
        ("longest task apart from drawing, on the wall", "ms", max(t["ours_wall"] for t in tasks)),
        ("longest drawing, WebGL in software, processor time", "ms", max(t["drawing"] for t in tasks)),
        ("frames of tracks taken in", f"in {TRACED_S} s", frames),
        ("main thread busy apart from drawing", "%", sum(t["ours"] for t in tasks) / TRACED_S / 10),
    ):
        yield Row(name, round(value, 1), unit, corpus)


def traced(browser: Browser, page: Page) -> list[dict[str, float]]:
    """Tasks of the page's main thread over `TRACED_S`, split into drawing and ours; milliseconds."""
    session = browser.new_browser_cdp_session()
    told: list[dict[str, Any]] = []
    over: list[bool] = []
    session.on("Tracing.dataCollected", lambda piece: told.extend(piece["value"]))
    session.on("Tracing.tracingComplete", lambda _: over.append(True))
    kinds = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "blink"]
    session.send("Tracing.start", {"traceConfig": {"includedCategories": kinds}})
    page.wait_for_timeout(TRACED_S * 1000)
    session.send("Tracing.end")
    while not over:
        page.wait_for_timeout(100)
    return split_tasks(told)


def split_tasks(told: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Of the renderer's main thread that took WebSocket messages in: its tasks."""
    heard = [e for e in told if e["name"] == "WebSocketReceive"]
    mains = {
        (e["pid"], e["tid"])
        for e in told
        if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    of = max(mains, key=lambda main: sum((e["pid"], e["tid"]) == main for e in heard))
    mine = [e for e in told if (e["pid"], e["tid"]) == of and e.get("ph") == "X"]
    mine.sort(key=lambda e: (e["ts"], -e["dur"]))
    tasks: list[dict[str, float]] = []
    end_task = end_drawing = 0.0
    for e in mine:
        if e["name"] in TASKS and e["ts"] >= end_task:
            end_task = e["ts"] + e["dur"]
            ours, wall = e.get("tdur", e["dur"]) / 1000, e["dur"] / 1000
            tasks.append({"ours": ours, "ours_wall": wall, "drawing": 0.0, "frames": 0.0})
        elif e["name"] in DRAWING and end_drawing <= e["ts"] < end_task:
            end_drawing = e["ts"] + e["dur"]
            drawing = e.get("tdur", e["dur"]) / 1000
            tasks[-1]["drawing"] += drawing
            tasks[-1]["ours"] -= drawing
            tasks[-1]["ours_wall"] -= e["dur"] / 1000
    at = [(e["pid"], e["tid"]) for e in heard]
    tasks[-1]["frames"] = at.count(of) / 2  # a frame, and the note after it
    return tasks


def memory(browser: Browser, page: Page, pid: int, corpus: str) -> Iterator[Row]:
    """Once a minute, after the browser has collected its garbage: is it flat?"""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    taken = [sample(session, browser, pid)]
    every_s = min(60.0, MINUTES * 60 / 6)
    while (len(taken) - 1) * every_s < MINUTES * 60:
        page.wait_for_timeout(every_s * 1000)
        taken.append(sample(session, browser, pid))
        print(
            json.dumps({"after_s": (len(taken) - 1) * every_s, **taken[-1]}), file=sys.stderr, flush=True
        )
    third = max(len(taken) // 3, 1)
    over = f"{corpus}, {MINUTES:g} min"
    for name, unit in (("heap_mb", "MB"), ("nodes", "nodes"), ("page_mb", "MB"), ("node_mb", "MB")):
        words = {
            "heap_mb": "the page's JavaScript heap after a collection",
            "nodes": "nodes of the document",
            "page_mb": "memory of the page's process",
            "node_mb": "memory of the node",
        }[name]
        first = sum(t[name] for t in taken[1 : third + 1]) / third
        last = sum(t[name] for t in taken[-third:]) / third
        yield Row(f"{words}, mean of the last third", round(last, 1), unit, over)
        yield Row(f"{words}, last third over first third", round(last / first, 3), "times", over)


def sample(session: CDPSession, browser: Browser, pid: int) -> dict[str, float]:
    """Megabytes and nodes now."""
    session.send("HeapProfiler.collectGarbage")
    told = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [resident_mb(p["id"]) for p in processes if p["type"] == "renderer"]
    return {
        "heap_mb": told["JSHeapUsedSize"] / 1e6,
        "nodes": told["Nodes"],
        "page_mb": max(renderers, default=0.0),
        "node_mb": resident_mb(pid),
    }


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
