"""Views of the picture that a person has kept by a name: part of the map, filters, layers, time."""

from __future__ import annotations

from typing import Final

from samsyn.base.database import Database
from samsyn.base.errors import InputError, LimitError
from samsyn.base.limits import SAVED_VIEW_CHARACTERS, SAVED_VIEW_NAME_CHARACTERS, SAVED_VIEWS

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS saved_views (
  user TEXT NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (user, name)
) WITHOUT ROWID;
"""


class SavedViews:
    """Each account has its own; nobody sees another's."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, user: str) -> list[dict[str, str]]:
        """name and address of each, by name."""
        rows = self._db.read().execute(
            "SELECT name, address FROM saved_views WHERE user = ? ORDER BY name", (user,)
        )
        return [{"name": name, "address": address} for name, address in rows]

    def keep(self, user: str, name: str, address: str) -> None:
        """Keep a view, in place of one by the same name.

        address: what stands in the page's address from `#` on, of printable ASCII. Raises `InputError`
        and `LimitError`.
        """
        name = name.strip()
        if not name or not name.isprintable() or len(name) > SAVED_VIEW_NAME_CHARACTERS:
            raise InputError("this is no name for a view", do="use a short one, in one line")
        plain = address.isascii() and address.isprintable() and " " not in address
        if not plain or not address.startswith("#") or len(address) > SAVED_VIEW_CHARACTERS:
            raise InputError("this is no address of a view", do="take what stands after the # there")
        with self._db.write() as db:
            db.execute("REPLACE INTO saved_views VALUES (?, ?, ?)", (user, name, address))
            (count,) = db.execute("SELECT count(*) FROM saved_views WHERE user = ?", (user,)).fetchone()
            if count > SAVED_VIEWS:
                raise LimitError(f"more than {SAVED_VIEWS} views", do="forget one first")

    def forget(self, user: str, name: str) -> None:
        """Nothing happens where there is none by that name."""
        with self._db.write() as db:
            db.execute("DELETE FROM saved_views WHERE user = ? AND name = ?", (user, name))
