"""A second process for bulk work, so that a small machine's other core signs and verifies as well.

Python runs one thread at a time, so a thread more would only take turns. The process is started at
the first work that is large enough and ends with its parent, however that ends: its pipe closes.
It holds no file, no socket and no store; a key is handed to it over the pipe with each piece of work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from samsyn.base.errors import SamsynError
from samsyn.statements.keys import holds
from samsyn.statements.sign import Check, read_many, sign_many, verify_many
from samsyn.statements.statement import Draft, Statement

PIECE: Final = 128  # statements that travel together: some 10 ms of work
WORTH_IT: Final = 2 * PIECE  # for fewer, the pipe costs more than it saves

T = TypeVar("T")
_Made = tuple[str, bytes, list[tuple[str, bytes]]]  # id, signed part, disclosures by slot


class Second:
    """One process more. Threads may share it; one of them uses it at a time.

    Where it fails (it was killed), the work is done here, and the next starts another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        self._pipe: Any = None

    def sign_many(self, drafts: Sequence[Draft], *, iss: str, key: Ed25519PrivateKey) -> list[Statement]:
        """As `sign.sign_many`. While the other process works, this thread waits and others run."""
        if len(drafts) >= WORTH_IT:
            with self._lock:
                try:
                    return self._sign(drafts, iss, key)
                except (OSError, EOFError):
                    self._end()
        return sign_many(drafts, iss=iss, key=key)

    def verify_many(
        self, presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]
    ) -> list[Statement]:
        """As `sign.verify_many`, refusals and their order too: this process reads while the other
        checks the signatures of what has been read."""
        if len(presentations) >= WORTH_IT:
            with self._lock:
                try:
                    if found := self._verify(presentations, keys):
                        return found
                except (OSError, EOFError):
                    self._end()
        # which of several faults is told must not hang on how the work was shared
        return verify_many(presentations, keys)

    def _sign(self, drafts: Sequence[Draft], iss: str, key: Ed25519PrivateKey) -> list[Statement]:
        pipe = self._started()
        signed: list[Statement] = []
        for piece in _pieces(drafts):
            pipe.send((_sign, (piece, iss, key.private_bytes_raw())))
            made: list[_Made] | None = pipe.recv()
            if made is None:  # a draft that cannot be signed: here it is said which and why
                signed += sign_many(piece, iss=iss, key=key)
            else:
                signed += [_whole(iss, *both) for both in zip(piece, made, strict=True)]
        return signed

    def _verify(
        self, presentations: Sequence[bytes], keys: Mapping[str, Ed25519PublicKey]
    ) -> list[Statement] | None:
        """None where anything is wrong with any of them."""
        pipe = self._started()
        statements: list[Statement] = []
        asked, readable = 0, True
        for piece in _pieces(presentations):
            try:
                read, checks = read_many(piece, keys)
            except SamsynError:
                readable = False
                break
            statements += read
            pipe.send((_genuine, (checks,)))
            asked += 1
        answers = [pipe.recv() for _ in range(asked)]  # every one, or the pipe would keep it
        return statements if readable and all(answers) else None

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._pipe.close()
            self._process.join(5)
            self._process = None

    def _started(self) -> Any:
        if self._process is None or not self._process.is_alive():
            self._end()
            context = get_context("spawn")  # a fork would inherit locks that other threads hold
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True, name="second")
            self._process.start()
            theirs.close()
        return self._pipe


def _pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(items), PIECE):
        yield items[begin : begin + PIECE]


def _serve(pipe: Any) -> None:
    while True:
        try:
            work, given = pipe.recv()
        except EOFError:
            return
        pipe.send(work(*given))


def _sign(drafts: Sequence[Draft], iss: str, key: bytes) -> list[_Made] | None:
    try:
        signed = sign_many(drafts, iss=iss, key=Ed25519PrivateKey.from_private_bytes(key))
    except (SamsynError, ValueError, TypeError):
        return None
    # the values stay behind: the asker has them in its drafts
    return [(s.jti, s.jwt, list(s.disclosures.items())) for s in signed]


def _whole(iss: str, draft: Draft, made: _Made) -> Statement:
    jti, jwt, disclosures = made
    return Statement(
        iss=iss,
        jti=jti,
        ver=1,
        kind=draft.kind,
        marking=draft.marking,
        onward=draft.onward,
        exercise=draft.exercise,
        purpose=draft.purpose,
        retain_until=draft.retain_until,
        personal=draft.personal,
        jwt=jwt,
        disclosures=dict(disclosures),
        slots={name: draft.slots[name] for name, _ in disclosures},
    )


def _genuine(checks: Sequence[Check]) -> bool:
    return all(holds(*check) for check in checks)
