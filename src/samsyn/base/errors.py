"""Errors that a user can act on: what happened, where, and what to do about it."""

from __future__ import annotations


class SamsynError(Exception):
    """Base of every error that we raise on purpose.

    what:  one sentence, in the user's words.
    where: file and line, field, partner: whatever finds the place.
    do:    the next step for the person who reads it.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.do})" if self.do else text


class ConfigError(SamsynError):
    """A file that the organisation itself wrote cannot be used as it stands."""


class InputError(SamsynError):
    """Bytes from a feed or a file that cannot be read as what they claim to be."""


class LimitError(SamsynError):
    """Something from outside is larger, deeper or more than `base.limits` allows."""


class NotYetError(SamsynError):
    """Nothing is wrong: what was asked for is under way, and the same question is answered soon."""


class Refused(SamsynError):
    """A statement, batch or request of a partner is not accepted.

    `reason` is a short fixed word ("forged-signature", "forked-log", ...): tests, logs and the
    picture go by it; `what` is for people. `evidence` keeps what proves it, as bytes by name.
    """

    def __init__(
        self,
        reason: str,
        what: str,
        *,
        where: str = "",
        do: str = "",
        evidence: dict[str, bytes] | None = None,
    ) -> None:
        super().__init__(what, where=where, do=do)
        self.reason = reason
        self.evidence = evidence or {}
