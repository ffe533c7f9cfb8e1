"""What an administrator sets in the picture."""

from __future__ import annotations

from typing import Any

from samsyn.desk.accounts import Account
from samsyn.desk.desk import Desk
from samsyn.desk.feed_book import FeedForm, FeedStep, shown_source
from samsyn.desk.rights import cleared
from samsyn.desk.zone_book import ZonesForm


class Administering:
    """Made by a seat, for a role that may."""

    def __init__(self, desk: Desk, account: Account) -> None:
        account.require("administer")
        self._desk = desk
        self._account = account
        self._markings = cleared(account.clearance)

    def zones(self) -> dict[str, Any]:
        """`ZoneBook.told`. Raises `ConfigError`."""
        return self._desk.zone_book.told()

    def change_zones(self, form: ZonesForm) -> dict[str, Any]:
        """`ZoneBook.change`."""
        return self._desk.zone_book.change(form, self._account.user)

    def feeds(self) -> dict[str, Any]:
        """`FeedBook.told`, of the feeds that this person may know of."""
        return self._desk.feed_book.told(self._markings)

    def put_feed(self, form: FeedForm) -> dict[str, Any]:
        """`FeedBook.put`; wrong: what is wrong, by field."""
        return {"wrong": self._desk.feed_book.put(form, self._account.user, self._markings)}

    def step_feed(self, step: FeedStep) -> dict[str, Any]:
        """`FeedBook.step`."""
        self._desk.feed_book.step(step, self._account.user, self._markings)
        return self.feeds()

    def try_feed(self, form: FeedForm) -> dict[str, Any]:
        """What comes by a feed in some seconds; nothing of it is kept. It is an entry in the diary: the
        node called somebody."""
        book = self._desk.feed_book
        wrong = book.wrong(form, self._markings)
        if wrong:
            return {"wrong": wrong, "trial": None}
        source = shown_source(form.source)
        self._desk.diary.write(
            self._account.user, "feed-tried", feed=form.name, source=source, marking=form.marking
        )
        return {"wrong": {}, "trial": self._desk.try_feed(book.settings_of(form))}
