"""What an administrator sets in the picture."""

from __future__ import annotations

from typing import Any

from samsyn.desk.accounts import Account
from samsyn.desk.desk import Desk
from samsyn.desk.zone_book import ZonesForm


class Administering:
    """Made by a seat, for a role that may."""

    def __init__(self, desk: Desk, account: Account) -> None:
        account.require("administer")
        self._desk = desk
        self._account = account

    def zones(self) -> dict[str, Any]:
        """`ZoneBook.told`. Raises `ConfigError`."""
        return self._desk.zone_book.told()

    def change_zones(self, form: ZonesForm) -> dict[str, Any]:
        """`ZoneBook.change`."""
        return self._desk.zone_book.change(form, self._account.user)
