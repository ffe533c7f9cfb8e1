"""The node processes of a demo, and talking to them as their own users do."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import orjson

from samsyn.base.clock import SECOND_US, SystemClock
from samsyn.base.errors import SamsynError
from samsyn.demo.world import USER, Place

START_S = 120.0
STOP_S = 15.0


class Actor:
    """One node as a process of its own: started, killed, asked over its home API."""

    def __init__(self, place: Place, password: str, logs: Path) -> None:
        self.place = place
        self._password = password
        self._log = logs / f"{place.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._http: httpx.Client | None = None

    def start(self) -> None:
        """Start the process and wait until it says that it is ready. Raises `SamsynError`."""
        home = str(self.place.home.root)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and our own command
                [sys.executable, "-m", "samsyn.cli", "up", "--home", home, "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "POLARS_MAX_THREADS": "1"},  # three nodes share this machine
            )
        out = self._process.stdout
        assert out is not None
        ready, _, _ = select.select([out], [], [], START_S)
        line = out.readline() if ready else b""
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError:
            told = {}
        if told.get("ok") is not True:
            tail = self._log.read_text(errors="replace")[-2000:]
            raise SamsynError(f"node {self.place.name} did not start: {told or tail}")

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9, as a power cut would be."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._http = None

    def stop(self) -> None:
        if self._process and self.alive():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._http = None

    # its own user, signed in

    def _client(self) -> httpx.Client:
        if self._http is None:
            client = httpx.Client(base_url=self.place.url, headers={"x-samsyn": "1"}, timeout=20)
            said = client.post("/api/session", json={"user": USER, "password": self._password})
            if said.status_code != 200:
                raise SamsynError(f"{self.place.name}: cannot sign in ({said.status_code})")
            self._http = client
        return self._http

    def get(self, path: str) -> Any:
        return self._answer(self._client().get(path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self._client().post(path, json=body))

    def _answer(self, reply: httpx.Response) -> Any:
        if reply.status_code != 200:
            raise SamsynError(
                f"{self.place.name} {reply.url.path}: {reply.status_code} {reply.text[:300]}"
            )
        return reply.json()

    def statements(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/api/statements")["items"]
        return items

    def holding(self, jti: str) -> dict[str, Any] | None:
        return next((s for s in self.statements() if s["jti"] == jti), None)


def wait_for(what: Any, seconds: float, stop: threading.Event | None = None) -> Any:
    """The first true answer of `what()`, or None after `seconds`. Connection errors count as no."""
    clock = SystemClock()
    until_us = clock.now_us() + int(seconds * SECOND_US)
    pause = stop or threading.Event()
    while clock.now_us() < until_us:
        try:
            found = what()
        except (httpx.TransportError, SamsynError):
            found = None
        if found:
            return found
        if pause.wait(0.3):
            return None
    return None
