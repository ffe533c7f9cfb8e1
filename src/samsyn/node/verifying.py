"""Checking a realm's proofs while the node runs: in a process of its own, which may take its time."""

from __future__ import annotations

import os
import threading
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from samsyn.base.errors import SamsynError
from samsyn.base.settings import Home, Realm
from samsyn.desk.verified import CheckedPart
from samsyn.node.audit import audit_realm
from samsyn.node.stores import Stores

NICE = 10  # whoever watches goes first


class Verifying:
    """One check at a time. The process has its own connection and one moment's state of everything;
    it ends with this one."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        self._waiting: threading.Thread | None = None

    def running(self) -> bool:
        return self._process is not None

    def start(self, by: str) -> bool:
        """Begin a check; False where one runs already. Its outcome goes where `Verified` keeps it."""
        with self._lock:
            if self._process is not None:
                return False
            context = get_context("spawn")
            ours, theirs = context.Pipe()
            asked = (self._stores.home.root, self._stores.realm, theirs)
            self._process = context.Process(target=_check, args=asked, daemon=True)
            self._process.start()
            theirs.close()
            self._waiting = threading.Thread(
                target=self._wait, args=(ours, by), name="verifying", daemon=True
            )
            self._waiting.start()
        return True

    def stop(self) -> None:
        """What is being checked stays unchecked."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()
        if self._waiting is not None:
            self._waiting.join()

    def _wait(self, pipe: Any, by: str) -> None:
        try:
            size, root, parts, problem = pipe.recv()
        except (EOFError, OSError):  # it was ended, by us or by somebody else: nothing was found out
            pass
        else:
            self._stores.verified.put(by, size, root, parts, problem)
        finally:
            pipe.close()
            with self._lock:
                if self._process is not None:
                    self._process.join()
                self._process = None


def _check(root: Path, realm: Realm, pipe: Any) -> None:
    os.nice(NICE)
    try:
        with Stores(Home(root), realm) as stores, stores.db.snapshot():
            size, head = stores.diary.head()
            found = audit_realm(stores)
    except SamsynError as e:
        pipe.send((0, "", (), str(e)))
        return
    parts = tuple(CheckedPart(part.what, part.checked, part.problems) for part in found)
    pipe.send((size, head, parts, ""))
