"""The organisation's own people: accounts in `accounts.toml`, with role and clearance.

Passwords are kept as argon2id hashes (RFC 9106) only.
"""

from __future__ import annotations

import functools
import secrets
import tomllib
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from samsyn.base.errors import ConfigError
from samsyn.base.settings import to_toml_value
from samsyn.desk.rights import CLEARANCE, Act, Forbidden, Role, cleared, may
from samsyn.statements.marking import MARKINGS

PASSWORD_LENGTH_MIN = 10

_hasher = PasswordHasher()


@functools.cache
def _nobody() -> str:
    """Checked for unknown users: same work, no hint. Dear to make, and few processes check anybody."""
    return _hasher.hash(secrets.token_urlsafe(16))


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the organisation's own people, as `accounts.toml` has them."""

    user: str
    name: str
    role: Role
    password: str  # argon2id hash; empty: signs in by the identity provider only
    clearance: str = CLEARANCE

    def may(self, act: Act) -> bool:
        return may(self.role, act)

    def require(self, act: Act) -> None:
        """Raises `Forbidden` where the role does not allow it."""
        if not self.may(act):
            raise Forbidden(
                f"the role {self.role} does not allow this", where=self.user, do="ask an administrator"
            )

    def sees(self, marking: str) -> bool:
        """Whether the clearance covers a marking; one that is not known is covered by none."""
        return marking in cleared(self.clearance)


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
    for account in found:
        if account.clearance not in MARKINGS:
            raise ConfigError(
                f"{account.clearance!r} is no clearance",
                where=f"{path}: {account.user}",
                do=f"use one of {', '.join(MARKINGS)}",
            )
    return found


def add_account(
    path: Path, user: str, name: str, role: Role, password: str | None, clearance: str = CLEARANCE
) -> None:
    """Append an account; password None: one for the identity provider only. Raises `ConfigError` where
    the user exists or the password is short."""
    if any(a.user == user for a in load_accounts(path)):
        raise ConfigError(f"there is an account {user!r} already", where=str(path))
    if password is not None and len(password) < PASSWORD_LENGTH_MIN:
        raise ConfigError(f"a password needs at least {PASSWORD_LENGTH_MIN} characters")
    fields = {
        "user": user,
        "name": name,
        "role": role,
        "clearance": clearance,
        "password": "" if password is None else _hasher.hash(password),
    }
    text = "[[account]]\n" + "".join(f"{k} = {to_toml_value(v)}\n" for k, v in fields.items())
    old = path.read_text() + "\n" if path.is_file() else ""
    path.touch(mode=0o600)
    path.write_text(old + text)


def identify(path: Path, user: str, password: str) -> Account | None:
    """The account whose password this is; None for a wrong user or password, in the same time."""
    account = next((a for a in load_accounts(path) if a.user == user), None)
    nobody = _nobody()  # whoever comes first waits for it, known or not
    try:
        _hasher.verify(account.password if account else nobody, password)
    except (VerificationError, InvalidHashError):
        return None
    return account
