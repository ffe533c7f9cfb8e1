"""MISP's JSON: objects, not observations."""

from __future__ import annotations

from samsyn.feeds.objects import Reader
from samsyn.formats.misp import MispReader


def reader(node: str) -> Reader:
    return MispReader()
