"""Local accounts and their sessions. Passwords are kept as argon2id hashes (RFC 9106) only."""

from __future__ import annotations

import hashlib
import secrets
import threading
import tomllib
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from samsyn.base.clock import MINUTE_US, SECOND_US, Clock
from samsyn.base.errors import ConfigError, LimitError
from samsyn.base.limits import SESSION_AGE_S, SIGN_INS_PER_MINUTE
from samsyn.base.settings import to_toml_value

Role = Literal["viewer", "duty", "release", "administrator"]
PASSWORD_LENGTH_MIN = 10

_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))  # checked for unknown users: same work, no hint


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: str
    name: str
    role: Role
    password: str  # argon2id hash

    def may_write(self) -> bool:
        return self.role != "viewer"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: tuple[Account, ...] = ()


def load_accounts(path: Path) -> tuple[Account, ...]:
    """Every account of `accounts.toml`; none where there is no file. Raises `ConfigError`."""
    if not path.is_file():
        return ()
    try:
        found = msgspec.convert(tomllib.loads(path.read_text()), _File).account
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
        raise ConfigError(str(e), where=str(path)) from e
    names = [a.user for a in found]
    if len(set(names)) != len(names):
        raise ConfigError("the same user stands there twice", where=str(path))
    return found


def add_account(path: Path, user: str, name: str, role: Role, password: str) -> None:
    """Append an account. Raises `ConfigError` where the user exists or the password is short."""
    if any(a.user == user for a in load_accounts(path)):
        raise ConfigError(f"there is an account {user!r} already", where=str(path))
    if len(password) < PASSWORD_LENGTH_MIN:
        raise ConfigError(f"a password needs at least {PASSWORD_LENGTH_MIN} characters")
    fields = {"user": user, "name": name, "role": role, "password": _hasher.hash(password)}
    text = "[[account]]\n" + "".join(f"{k} = {to_toml_value(v)}\n" for k, v in fields.items())
    old = path.read_text() + "\n" if path.is_file() else ""
    path.touch(mode=0o600)
    path.write_text(old + text)


class Sessions:
    """Who is signed in. Held in memory: a restart signs everybody out."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[bytes, tuple[Account, int]] = {}
        self._tries: dict[str, deque[int]] = {}

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
        account = next((a for a in load_accounts(self._path) if a.user == user), None)
        try:
            _hasher.verify(account.password if account else _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return None
        if account is None:
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._open = {k: v for k, v in self._open.items() if v[1] > now_us}
            self._open[_digest(token)] = (account, now_us + SESSION_AGE_S * SECOND_US)
            self._tries.pop(user[:64], None)
        return token, account

    def account(self, token: str) -> Account | None:
        with self._lock:
            found = self._open.get(_digest(token))
        return found[0] if found and found[1] > self._clock.now_us() else None

    def sign_out(self, token: str) -> None:
        with self._lock:
            self._open.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
