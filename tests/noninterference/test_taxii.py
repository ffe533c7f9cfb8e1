"""Two histories that differ only in what a reader may not have look the same to it over TAXII, too.

In every profile, with the finished pages of all readers kept in one memory, and with the others reading
as well: what is kept for one must tell another nothing.
"""

from __future__ import annotations

from itertools import chain
from urllib.parse import quote

import pytest
from starlette.requests import Request

from samsyn.formats.stix_profiles import PROFILES
from samsyn.interfaces.kept import Kept
from samsyn.interfaces.port import No
from samsyn.interfaces.seen import Seens
from samsyn.interfaces.taxii import Taxii, collection_id
from tests.noninterference.acts import play
from tests.noninterference.histories import Pair, pair
from tests.noninterference.pool import pool
from tests.noninterference.rules import READERS
from tests.noninterference.world import REALM, World

AT_ONCE = 10
ROOM_BYTES = 40_000  # so that what is kept for one reader drives out another's


class Platforms:
    """What the readers of one history ask, and get."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept = Kept(ROOM_BYTES)
        seens = Seens(self.kept)
        self.taxii = {p: Taxii("dk", "Coast", REALM, seens, lambda _, p=p: p) for p in PROFILES}

    def ask(self, who: str, profile: str, target: str) -> tuple[str, int, object, bytes]:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"dk:1")],
            "scheme": "https",
            "server": ("dk", 1),
        }
        taxii, channel = self.taxii[profile], self.world.door.reader(who)
        assert channel is not None
        try:
            reply = taxii.answer(Request(scope), channel)
        except No as no:
            reply = taxii.error(no.status)
        return target, reply.status_code, reply.raw_headers, bytes(reply.body)

    def everything(self, who: str, profile: str) -> list[tuple[str, int, object, bytes]]:
        base = f"/api/collections/{collection_id('dk', REALM, who)}/"
        targets = ["/taxii2/", "/api/", "/api/collections/", base, f"{base}manifest/"]
        targets += [f"{base}objects/?limit={n}" for n in (1, 3, 1_000)]
        targets += [f"{base}objects/?next={n}.{k}&limit=2" for n in range(6) for k in (0, 2)]
        targets += [f"{base}objects/?match[type]={t}" for t in ("report", "location", "sighting", "x")]
        targets += [
            f"{base}objects/?added_after={at}" for at in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z")
        ]
        found = [self.ask(who, profile, quote(t, safe="/?=&[]:")) for t in targets]
        ids = {i for answer in found for i in _ids(answer[3])} | {f"report--{s.jti}" for s in pool()}
        more = chain.from_iterable(
            (f"{base}objects/{i}/", f"{base}objects/{i}/versions/") for i in sorted(ids)
        )
        return found + [self.ask(who, profile, t) for t in more]


def _ids(body: bytes) -> set[str]:
    return (
        {part.split(b'"')[0].decode() for part in body.split(b'"id":"')[1:]}
        if b"objects" in body
        else set()
    )


def seen(drawn: Pair, b: bool) -> list[tuple[str, int, object, bytes]]:
    found = []
    with World() as world:
        platforms = Platforms(world)
        for step in drawn.steps:
            world.clock.advance(step.wait_us)
            for doing in step.doings:
                if doing.in_b if b else doing.in_a:
                    play(world, doing.act)
            report = world.door.tick()
            if report.ended:
                platforms.kept.forget(report.ended)
            for who in sorted(READERS):
                if who != drawn.x:  # the others read first, and what they read is kept
                    platforms.ask(
                        who, "plain", f"/api/collections/{collection_id('dk', REALM, who)}/objects/"
                    )
            for profile in PROFILES:
                found += platforms.everything(drawn.x, profile)
    return found


@pytest.mark.parametrize("first", range(0, 60, AT_ONCE))
def test_what_a_reader_may_not_have_changes_no_byte_over_taxii(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        drawn = pair(seed)
        one, other = seen(drawn, False), seen(drawn, True)
        assert one == other, f"seed {seed}: " + next(
            f"{a}\n{b}" for a, b in zip(one, other, strict=False) if a != b
        )


def test_the_pairs_say_something() -> None:
    """Else the test above would hold of nothing."""
    objects = [sum(b"report--" in a[3] for a in seen(pair(seed), True)) for seed in range(20)]
    assert sum(n > 0 for n in objects) >= 8
