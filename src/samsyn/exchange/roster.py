"""The partners: one card file each, and nobody else.

The folder is the truth: a card that the CLI adds is known to the running node at the next request,
a file that is taken away is a partner no longer. Nothing ever comes in by itself.

    fi.card.json            a partner
    fi.state.json           beside it: suspended, or about to leave
    former/se.card.json     who was a partner; its old signatures can still be checked
    retired/fi.1.json       a succession that was taken: keys that fi had before
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from samsyn.base import limits
from samsyn.base.errors import ConfigError, Refused
from samsyn.base.ids import is_node_name
from samsyn.exchange.card import SUFFIX, Card, read_card, write_whole
from samsyn.exchange.succession import Succession, read_held, secrets_of

STATE_SUFFIX: Final = ".state.json"


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a partner is not served as usual.

    suspended: it gets the refusal that strangers get, and is not asked for anything. leaving: it can
    still fetch what was withdrawn, and nothing else comes or goes. `at`: RFC 3339.
    """

    state: Literal["suspended", "leaving"]
    at: str
    by: str
    why: str


class Roster:
    """The cards in `folder`. `me`, if given, is a name no partner may have."""

    def __init__(self, folder: Path, me: str = "") -> None:
        self.folder = folder
        self._me = me
        self._known: dict[str, tuple[tuple[int, int, int], Card]] = {}

    def add(self, card: Card) -> None:
        """Take a card whose words a person has compared.

        Raises `Refused`: "own-name", "changed-keys" (another card of that name is held; a new address
        or organisation under the same keys is taken), "shared-key" (a key or the certificate is
        another partner's: then one could pass for the other).
        """
        read_card(card.to_bytes(), card.name)
        if card.name == self._me:
            raise Refused(
                "own-name", f"{card.name} is this node's own name", do="ask the partner to rename"
            )
        former = self._former(card.name)
        if (
            former.exists()
            and read_card(former.read_bytes(), str(former)).fingerprint != card.fingerprint
        ):
            raise Refused(
                "former-name",
                f"{card.name} was a partner with other keys, and its channels are kept",
                do="ask for a card with the old keys, or with another name",
            )
        for other in self.all():
            if other.name == card.name:
                if other.fingerprint != card.fingerprint:
                    raise Refused(
                        "changed-keys",
                        f"{card.name} is known with other keys: {other.fingerprint}",
                        do="compare the words with the partner, then remove the old card first",
                    )
            elif secrets_of(other) & secrets_of(card):
                raise Refused(
                    "shared-key", f"{card.name} shows a key of {other.name}", do="do not add it"
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        card.write(self._path(card.name))
        former.unlink(missing_ok=True)

    def leave(self, name: str) -> None:
        """Move a partner to the former ones: from the next request on it is a stranger.

        Raises `ConfigError`.
        """
        self._check(name)
        self._former(name).parent.mkdir(exist_ok=True)
        self._path(name).replace(self._former(name))
        self._state(name).unlink(missing_ok=True)

    def former(self) -> list[Card]:
        """The cards of former partners, by name. Raises `SamsynError` where one cannot be used."""
        paths = sorted((self.folder / "former").glob(f"*{SUFFIX}"))
        return [_read(path) for path in paths]

    def succeed(self, succession: Succession) -> None:
        """Take a partner's new card, which was checked (`read_succession`) and agreed to.

        Raises `Refused` ("shared-key") where the new card shows a key of another partner.
        """
        new = succession.new
        self._check(new.name)
        for other in self.all():
            if other.name != new.name and secrets_of(other) & secrets_of(new):
                raise Refused(
                    "shared-key", f"{new.name} shows a key of {other.name}", do="do not take it"
                )
        taken = [one for one in self.retired(new.name) if one.new.fingerprint != new.fingerprint]
        path = self.folder / "retired" / f"{new.name}.{len(taken) + 1}.json"
        path.parent.mkdir(exist_ok=True)
        write_whole(path, succession.to_bytes())  # before the card: after a crash it is taken again
        new.write(self._path(new.name))

    def retired(self, name: str) -> list[Succession]:
        """The successions of a partner, present or former, that were taken here, oldest first."""
        folder = self.folder / "retired"
        paths = sorted(folder.glob(f"{name}.*.json"), key=lambda path: int(path.suffixes[-2][1:]))
        return [read_held(path.read_bytes()) for path in paths]

    def standing(self, name: str) -> Standing | None:
        """None for a partner that is served as usual. A file that cannot be read suspends."""
        try:
            return msgspec.json.decode(self._state(name).read_bytes(), type=Standing)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as e:
            return Standing("suspended", "", "", f"{self._state(name)} cannot be read: {e}")

    def suspended(self, name: str) -> bool:
        """Whether this partner is to be answered as a stranger."""
        found = self.standing(name)
        return found is not None and found.state == "suspended"

    def waiting(self) -> frozenset[str]:
        """Who is suspended or about to leave: nothing new is decided for them or fetched from them."""
        paths = self.folder.glob(f"*{STATE_SUFFIX}")
        return frozenset(path.name.removesuffix(STATE_SUFFIX) for path in paths)

    def set_standing(self, name: str, standing: Standing | None) -> None:
        """Durably; None: as usual again. Raises `ConfigError` where there is no such partner."""
        self._check(name)
        path = self._state(name)
        if standing is None:
            path.unlink(missing_ok=True)
            return
        write_whole(path, msgspec.json.format(msgspec.json.encode(standing), indent=2) + b"\n")

    def _check(self, name: str) -> None:
        if not is_node_name(name) or not self._path(name).exists():
            raise ConfigError(f"there is no partner {name!r}", where=str(self.folder))

    def remove(self, name: str) -> None:
        """Forget a partner: from the next request on it is a stranger. Raises `ConfigError`."""
        self._check(name)
        self._path(name).unlink()

    def get(self, name: str) -> Card | None:
        """The card of a partner, or None. Raises `SamsynError` where its file cannot be used."""
        if not is_node_name(name):
            return None
        path = self._path(name)
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._known.get(name)
            if known is not None and known[0] == stamp:
                return known[1]
            with path.open("rb") as f:
                data = f.read(limits.CARD_BYTES + 1)
        except FileNotFoundError:
            self._known.pop(name, None)
            return None
        card = read_card(data, str(path))
        if card.name != name:
            raise ConfigError(
                f"this is the card of {card.name!r}", where=str(path), do="rename the file"
            )
        self._known[name] = (stamp, card)
        return card

    def all(self) -> list[Card]:
        """Every partner's card, by name. Raises `SamsynError` where a file cannot be used."""
        names = sorted(p.name.removesuffix(SUFFIX) for p in self.folder.glob(f"*{SUFFIX}"))
        return [card for name in names if (card := self.get(name)) is not None]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def _state(self, name: str) -> Path:
        return self.folder / f"{name}{STATE_SUFFIX}"

    def _former(self, name: str) -> Path:
        return self.folder / "former" / f"{name}{SUFFIX}"


def _read(path: Path) -> Card:
    return read_card(path.read_bytes(), str(path))
