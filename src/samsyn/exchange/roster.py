"""The partners: one card file each, and nobody else.

The folder is the truth: a card that the CLI adds is known to the running node at the next request,
a file that is taken away is a partner no longer. Nothing ever comes in by itself.
"""

from __future__ import annotations

from pathlib import Path

from samsyn.base import limits
from samsyn.base.errors import ConfigError, Refused
from samsyn.base.ids import is_node_name
from samsyn.exchange.card import SUFFIX, Card, read_card


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
        for other in self.all():
            if other.name == card.name:
                if other.fingerprint != card.fingerprint:
                    raise Refused(
                        "changed-keys",
                        f"{card.name} is known with other keys: {other.fingerprint}",
                        do="compare the words with the partner, then remove the old card first",
                    )
            elif _secrets(other) & _secrets(card):
                raise Refused(
                    "shared-key", f"{card.name} shows a key of {other.name}", do="do not add it"
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        card.write(self._path(card.name))

    def remove(self, name: str) -> None:
        """Forget a partner: from the next request on it is a stranger. Raises `ConfigError`."""
        if not is_node_name(name) or not self._path(name).exists():
            raise ConfigError(f"there is no partner {name!r}", where=str(self.folder))
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


def _secrets(card: Card) -> set[str]:
    return {card.statement_key, card.log_key, card.request_key, card.certificate}
