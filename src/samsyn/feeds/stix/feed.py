"""STIX 2.1 bundles: objects, not observations."""

from __future__ import annotations

from samsyn.feeds.objects import Reader
from samsyn.formats.stix_in import StixReader


def reader(node: str) -> Reader:
    return StixReader(node)
