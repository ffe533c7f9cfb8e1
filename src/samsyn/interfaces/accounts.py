"""Who is signed in to the picture."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import deque
from pathlib import Path

from samsyn.base.clock import MINUTE_US, SECOND_US, Clock
from samsyn.base.errors import LimitError, SamsynError
from samsyn.base.limits import SESSION_AGE_S, SIGN_INS_PER_MINUTE
from samsyn.desk.accounts import Account, identify, load_accounts
from samsyn.desk.signed_in import Session, SignedIn

__all__ = ["Account", "Sessions"]


class Sessions:
    """Who is signed in. kept: where sessions outlive a restart of the node; without it none does.

    What an account may do is looked up at each request: one that is taken away, or has another
    password, is signed out; another role or clearance holds from the next request on.
    """

    def __init__(self, path: Path, clock: Clock, kept: SignedIn | None = None) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = kept
        self._open: dict[bytes, Session] = kept.all() if kept else {}
        self._tries: dict[str, deque[int]] = {}
        self._known: tuple[object, dict[str, Account]] = (None, {})

    def sign_in(self, user: str, password: str) -> tuple[str, Account] | None:
        """A new session's token, or None for a wrong user or password.

        Raises `LimitError` after too many tries for one user within a minute.
        """
        now_us = self._clock.now_us()
        with self._lock:
            tries = self._tries.setdefault(user[:64], deque())
            while tries and tries[0] < now_us - MINUTE_US:
                tries.popleft()
            if len(tries) >= SIGN_INS_PER_MINUTE:
                raise LimitError("too many tries", do="wait a minute")
            tries.append(now_us)
            if len(self._tries) > 10_000:  # names from outside must not fill the memory
                self._tries = {user[:64]: tries}
        account = identify(self._path, user, password)
        if account is None:
            return None
        with self._lock:
            self._tries.pop(user[:64], None)
        return self._begin(account), account

    def begin(self, user: str) -> tuple[str, Account] | None:
        """A session of somebody who is known by other means; None where there is no such account."""
        account = self._accounts().get(user)
        return (self._begin(account), account) if account is not None else None

    def _begin(self, account: Account) -> str:
        now_us = self._clock.now_us()
        token = secrets.token_urlsafe(32)
        session = Session(account.user, _proof(account), now_us + SESSION_AGE_S * SECOND_US)
        if self._kept:
            self._kept.add(_digest(token), session, now_us)
        with self._lock:
            self._open = {k: v for k, v in self._open.items() if v.until_us > now_us}
            self._open[_digest(token)] = session
        return token

    def account(self, token: str) -> Account | None:
        """The account of a session as it stands now; None where there is no such session any more."""
        with self._lock:
            found = self._open.get(_digest(token))
        if found is None or found.until_us <= self._clock.now_us():
            return None
        now = self._accounts().get(found.user)
        return now if now is not None and _proof(now) == found.proof else None

    def sign_out(self, token: str) -> None:
        with self._lock:
            self._open.pop(_digest(token), None)
        if self._kept:
            self._kept.forget(_digest(token))

    def known(self, user: str) -> str:
        """The user's name where it is an account's, else "": not whatever was typed there."""
        return user if user in self._accounts() else ""

    def now_us(self) -> int:
        return self._clock.now_us()

    def _accounts(self) -> dict[str, Account]:
        """All accounts by user, read again where the file has changed; nobody where it is unusable."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if self._known[0] != stamp:
                self._known = (stamp, {a.user: a for a in load_accounts(self._path)})
        except (OSError, SamsynError):
            return {}
        return self._known[1]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _proof(account: Account) -> bytes:
    """Changes with the password: a session begun with another one has ended."""
    return hashlib.sha256(account.password.encode()).digest()
