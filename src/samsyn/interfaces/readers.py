"""Readers that are no nodes: a map server, a threat platform, a script. Each has a token, and no key.

`readers.toml` in the home, readable by its owner only, is the truth; of a token it holds the SHA-256
only, which is enough: a token is 256 random bits, not a word that could be guessed. A reader may have
a certificate, too: instead of the token, or beside it, as was ordered. What the command line adds or
revokes is known to the running node at the next request.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from samsyn.base import limits
from samsyn.base.errors import ConfigError, LimitError
from samsyn.base.ids import is_node_name
from samsyn.base.settings import to_toml_value
from samsyn.formats.stix_profiles import Profile

_HEAD: Final = "# Written by `samsyn reader`. A token is shown once and kept here as its SHA-256 only.\n"


class Reader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reader. token: the hexadecimal SHA-256 of its token; empty once it is revoked. certificate:
    that of its certificate (DER), where it has one. both: neither of them is enough alone. profile: in
    which shapes it is given STIX."""

    name: str
    organisation: str
    added: str  # RFC 3339
    token: str = ""
    certificate: str = ""
    both: bool = False
    profile: Profile = "plain"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reader: tuple[Reader, ...] = ()


class Readers:
    """The readers in the file at `path`; nobody where there is no file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[object, tuple[Reader, ...]] = (None, ())

    def all(self) -> tuple[Reader, ...]:
        """Every reader, by name, revoked ones too. Raises `ConfigError` for a file that is wrong."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return ()
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._known
        if known[0] != stamp:
            known = self._known = (stamp, _read(self._path))
        return known[1]

    def get(self, name: str) -> Reader | None:
        """A reader, revoked or not."""
        return next((reader for reader in self.all() if reader.name == name), None)

    def profile(self, name: str) -> Profile:
        """A reader's; "plain" for one that is not there."""
        held = self.get(name)
        return held.profile if held else "plain"

    def revoked(self) -> frozenset[str]:
        """To whom nothing new is released; everybody who was known where the file has become wrong."""
        try:
            return frozenset(reader.name for reader in self.all() if not reader.token)
        except ConfigError:
            return frozenset(reader.name for reader in self._known[1])

    def who(self, token: str = "", certificate: bytes | None = None) -> str | None:
        """Who shows this: a token, a certificate (DER), or both; whatever is shown must be the same
        reader's. None where some of it is nobody's or was revoked, and where it is not enough."""
        if certificate is None:
            held = self._of_token(token)
            enough = held is not None and not held.both
        else:
            held = self.of_certificate(certificate)
            beside = bool(token) and held is not None and held.token == _hash(token)
            enough = held is not None and (beside if token else not held.both)
        return held.name if held is not None and enough else None

    def of_certificate(self, der: bytes) -> Reader | None:
        """Whose certificate this is, whether it is enough or not."""
        hashed = _hash_of(der)
        return next((r for r in self.all() if r.token and r.certificate == hashed), None)

    def _of_token(self, token: str) -> Reader | None:
        # the hash of what a stranger sends tells it nothing, whatever the comparison's time is
        hashed = _hash(token)
        return next((reader for reader in self.all() if reader.token == hashed), None)

    def set_certificate(self, name: str, der: bytes, *, both: bool = False) -> None:
        """From now on this certificate is the reader's, and no other. both: the token is wanted, too,
        and is not enough alone. Raises `ConfigError`."""
        self._change(name, certificate=_hash_of(der), both=both)

    def revoke_certificate(self, name: str) -> None:
        """From the next request on it is nobody's. Where both were wanted, the token alone is as little
        as before. Raises `ConfigError`."""
        if not self.active(name).certificate:
            raise ConfigError(f"{name} has no certificate", do="see: samsyn reader list")
        self._change(name, certificate="")

    def add(self, name: str, organisation: str, at: str, profile: Profile = "plain") -> str:
        """A new reader's token, or a new token of one that was revoked. `at`: RFC 3339.

        Raises `ConfigError` for a name that is none, that is in use, or that is another organisation's:
        it would read what was released to them. Raises `LimitError`.
        """
        if not is_node_name(name):
            raise ConfigError(
                f"{name!r} is no reader name", do="use lower-case letters, digits and -, at most 31"
            )
        held = self.get(name)
        if held is not None and held.token:
            raise ConfigError(f"there is a reader {name} already", do="revoke its token first")
        if held is not None and held.organisation != organisation:
            raise ConfigError(
                f"{name} was a reader of {held.organisation!r}, and its channel is kept",
                do="choose another name",
            )
        others = [reader for reader in self.all() if reader.name != name]
        if len(others) >= limits.READERS:
            raise LimitError(f"there are {len(others)} readers already")
        token = secrets.token_urlsafe(32)
        self._write([*others, Reader(name, organisation, at, _hash(token), profile=profile)])
        return token

    def revoke(self, name: str) -> None:
        """Token and certificate, from the next request on. The name stays, since rules name it. Raises
        `ConfigError`."""
        self._change(name, token="", certificate="", both=False)

    def active(self, name: str) -> Reader:
        """A reader that was not revoked. Raises `ConfigError`."""
        held = self.get(name)
        if held is None or not held.token:
            raise ConfigError(f"there is no reader {name!r} with a token", do="see: samsyn reader list")
        return held

    def _change(self, name: str, **fields: str | bool) -> None:
        held = self.active(name)
        kept = [reader for reader in self.all() if reader.name != name]
        self._write([*kept, msgspec.structs.replace(held, **fields)])

    def _write(self, readers: list[Reader]) -> None:
        text = _HEAD
        for reader in sorted(readers, key=lambda reader: reader.name):
            fields = msgspec.to_builtins(reader).items()
            text += "\n[[reader]]\n" + "".join(f"{k} = {to_toml_value(v)}\n" for k, v in fields)
        half = self._path.with_name(self._path.name + ".part")
        half.unlink(missing_ok=True)
        file = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        half.replace(self._path)


def _read(path: Path) -> tuple[Reader, ...]:
    try:
        found = msgspec.convert(tomllib.loads(path.read_text()), _File).reader
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
        raise ConfigError(str(e), where=str(path)) from e
    names = [reader.name for reader in found]
    if len(set(names)) != len(names) or not all(map(is_node_name, names)):
        raise ConfigError("a reader stands there twice, or has no name", where=str(path))
    return tuple(sorted(found, key=lambda reader: reader.name))


def _hash(token: str) -> str:
    return _hash_of(token.encode())


def _hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
