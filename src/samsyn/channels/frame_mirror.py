"""What this node takes of a partner's live tracks: frame by frame, verified, in order, whole or not."""

from __future__ import annotations

from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from samsyn.base.errors import Refused
from samsyn.channels.frame import open_frame
from samsyn.channels.names import channel_origin
from samsyn.tracks.partners import PartnerTracks


class FrameMirror:
    """The frames that `partner` makes for `me`, in one realm. One thread calls `receive`."""

    def __init__(
        self,
        *,
        partner: str,
        log_key: Ed25519PublicKey,
        me: str,
        realm: Literal["actual", "exercise"],
        tracks: PartnerTracks,
    ) -> None:
        self._partner = partner
        self._log_key = log_key
        self._origin = channel_origin(partner, realm, me)
        self._tracks = tracks
        self._sequence = -1
        self._digest = b""

    @property
    def sequence(self) -> int:
        """Number of the last frame taken; -1 before the first."""
        return self._sequence

    def receive(self, frame: bytes) -> bool:
        """Verify a frame and show it; False where it is the one that is shown.

        Raises `Refused` (`channels.frame.open_frame`, or "replayed-frame") and keeps the last.
        """
        head, rows = open_frame(frame, self._origin, self._log_key)
        if (head.sequence, head.digest) == (self._sequence, self._digest):
            return False
        if head.sequence <= self._sequence:
            raise Refused(
                "replayed-frame",
                f"frame {head.sequence} comes after frame {self._sequence}",
                where=self._partner,
            )
        self._tracks.show(self._partner, rows, head.at_us)
        self._sequence, self._digest = head.sequence, head.digest
        return True
