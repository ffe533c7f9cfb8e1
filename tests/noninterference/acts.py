"""What can happen at a node, each act one function on a `World`, and who may notice it.

An act is a tuple: the function's name and its arguments, so that a failing history can be read and
played again. `COMMON` acts are those that reader X may notice: they stand in both histories of a pair.
`SECRET` acts are those that it may not: they stand in one of them. To add an operation, write a
function here and one line in `COMMON` or `SECRET`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random
from typing import Any

from samsyn.base import geo
from samsyn.channels.given import Account
from samsyn.exchange.roster import Standing
from samsyn.log.checkpoint import sign_checkpoint
from samsyn.observations.craft import DOMAIN_AIR, DOMAIN_SEA, craft_key
from samsyn.watch.finding import Finding
from tests.noninterference.pool import KEYS, VERSIONS, foreign, pool, told, untold
from tests.noninterference.rules import LEVELS, READERS, SPELLINGS
from tests.noninterference.world import REALM, REQUESTS_PER_MINUTE, World

Act = tuple[Any, ...]


# --- the node's own people and machines


def say(world: World, n: int, ver: int) -> None:
    """Sign a version and queue it; said before, it is asked to be released again."""
    world.say(n, ver)


def say_some(world: World, *numbers: int) -> None:
    """Several things within one tick."""
    for n in numbers:
        world.say(n, 1)


def withdraw(world: World, n: int, purge: bool) -> None:
    world.outbox.put("withdraw", pool()[n].jti, 1, purge=purge)


def release_to(world: World, n: int, ver: int, reader: str) -> None:
    """Asked for again, for one reader: the others are not decided anew."""
    world.outbox.put("release", pool()[n].jti, ver, reader=reader)


def withdraw_from(world: World, n: int, purge: bool, reader: str) -> None:
    """One reader may have it no more; with all others it stands."""
    world.outbox.put("withdraw", pool()[n].jti, 1, purge=purge, reader=reader)


def say_and_withdraw(world: World, n: int, purge: bool) -> None:
    """Within one tick: nobody ever hears of it."""
    world.say(n, 1)
    withdraw(world, n, purge)


def queue_nonsense(world: World, op: str) -> None:
    """An act that fails: on a statement that nobody has."""
    world.outbox.put(op, "9e3f9f6e-8d0c-4a57-8d0a-0e0f5a3c1b11", 1)  # type: ignore[arg-type]


def queue_foreign(world: World, op: str) -> None:
    """A partner's statement arrives and goes on to se, or somebody takes it for an own one."""
    with world.db.write():
        world.statements.put(foreign(), "lv", world.clock.now_us())
        world.outbox.put(op, foreign().jti, 1, purge=op == "withdraw")  # type: ignore[arg-type]


def hear(world: World, feed: str, craft: int, where: tuple[float, float]) -> None:
    """Live: a feed hears of a ship or an aircraft."""
    world.hear(feed, craft, where)


def sign_in(world: World, user: str) -> None:
    world.diary.write(user, "sign-in")


def find(world: World, number: int) -> None:
    """The watch finds something; nobody signs it."""
    now_us = world.clock.now_us()
    world.findings.put(
        Finding(
            key=f"drift:{number}",
            detector="drift",
            craft="mmsi:212123000",
            state="open",
            start_us=now_us,
            updated_us=now_us,
            end_us=None,
            lat=55.0,
            lon=15.0,
            measured={},
            thresholds={},
            zone=None,
            evidence=[],
            feed="roof",
            exercise=True,
            known_errors=(),
            revision=number,
            closed_because=None,
        )
    )


def ask_the_desk(world: World, n: int, reader: str) -> None:
    """The home side looks: explanations, deliveries, what was applied."""
    world.door.applied(reader)
    if world.statements.get(pool()[n].jti) is not None:
        world.door.explain(pool()[n].jti, reader)
        world.door.delivered(pool()[n].jti)


def change_policy(world: World, reader: str, level: int, spelling: int) -> None:
    """Another block for one reader, the others' as they were."""
    blocks = {name: (name, lev, spell) for name, lev, spell in world.choice}
    if reader in blocks:
        blocks[reader] = (reader, level, spelling)
    world.decide_by(tuple(blocks.values()))


def respell_policy(world: World, reader: str, spelling: int) -> None:
    """The same rights in other words: names, reasons, circles."""
    level = {name: lev for name, lev, _ in world.choice}.get(reader, 0)
    works = world.policy_works
    change_policy(world, reader, level, spelling)
    world.decide_by(world.choice, works=works)


def change_anothers_policy(world: World, reader: str, level: int, spelling: int) -> None:
    works = world.policy_works
    change_policy(world, reader, level, spelling)
    world.decide_by(world.choice, works=works)


def break_policy(world: World) -> None:
    """The file cannot be read: nothing is released until a next change."""
    world.decide_by(world.choice, works=False)


def restart(world: World) -> None:
    """Anybody can notice that a connection ends; so this is no secret."""
    world.restart()


def suspend(world: World, who: str) -> None:
    """It is answered as a stranger; what is for it waits."""
    world.partners.standings[who] = Standing("suspended", "", "", "")


def resume(world: World, who: str) -> None:
    """With what waited decided anew."""
    if world.partners.standings.pop(who, None):
        Account(world.db).end_hold(who, decide=True)


# --- partners


def confirm(world: World, who: str) -> None:
    """What a partner's node does in every round: read it all, cosign."""
    world.ask(who, "/exchange/entries?after=0&limit=1000")
    world.ask(who, "/exchange/cosign", "POST", world.cosigned(who))


def confirm_and_look(world: World, who: str) -> None:
    """The same by X, which sees the answers."""
    world.look(who, "/exchange/entries?after=0&limit=1000")
    world.look(who, "/exchange/cosign", "POST", world.cosigned(who))


def bad_cosignature(world: World, who: str, size: int) -> bytes:
    """A head that never was: of another size and another root, cosigned."""
    origin = f"samsyn.dk/{REALM}/{who}"
    note = sign_checkpoint(origin, size + 1, b"\7" * 32, KEYS["xx"].log)
    return note + world.cosigned(who).splitlines(keepends=True)[-1]


def confirm_wrongly(world: World, who: str, size: int) -> None:
    world.ask(who, "/exchange/cosign", "POST", bad_cosignature(world, who, size))


def confirm_wrongly_and_look(world: World, who: str, size: int) -> None:
    world.look(who, "/exchange/cosign", "POST", bad_cosignature(world, who, size))
    world.look(who, "/exchange/cosign", "POST", world.cosigned(who, "xx"))
    world.look(who, "/exchange/cosign", "POST", base64.b64encode(b"x" * size))


def pry(world: World, who: str, n: int) -> None:
    """X asks for what there is not, or what is not its own, with all that it could have learnt."""
    jti = pool()[n].jti
    world.look(who, f"/exchange/entries?after=0&limit=1&reader=se&id={jti}")
    world.look(who, "/exchange/entries?after=999999999999999999&limit=1")
    world.look(who, "/exchange/entries?after=-1&limit=1")
    world.look(who, "/exchange/checkpoint", "POST")
    world.seen.append(world.ask(who, "/exchange/checkpoint", signed=False))


def ask_too_much(world: World, who: str) -> None:
    """X uses up what it may ask."""
    for _ in range(REQUESTS_PER_MINUTE):
        world.look(who, "/exchange/checkpoint")


def flood(world: World, who: str) -> None:
    """Another reader does."""
    for _ in range(REQUESTS_PER_MINUTE + 1):
        world.ask(who, "/exchange/checkpoint")


def knock(world: World, who: str) -> None:
    """A stranger, a partner that was taken off the roster, and somebody who signs nothing."""
    world.ask(who, "/exchange/checkpoint")
    world.ask(who, "/exchange/entries?after=0&limit=1000", signed=False)


def play(world: World, act: Act) -> None:
    name, *given = act
    ACTS[name](world, *given)


ACTS: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        say,
        say_some,
        withdraw,
        release_to,
        withdraw_from,
        say_and_withdraw,
        queue_nonsense,
        queue_foreign,
        hear,
        suspend,
        resume,
        sign_in,
        find,
        ask_the_desk,
        change_policy,
        respell_policy,
        change_anothers_policy,
        break_policy,
        restart,
        confirm,
        confirm_and_look,
        confirm_wrongly,
        confirm_wrongly_and_look,
        pry,
        ask_too_much,
        flood,
        knock,
    )
}


HERE = [geo.cell_centre(geo.cell(55.0 + n / 30, 15.0, 7)) for n in range(4)]
FAR = [(50.0, -20.0), (51.0, -21.0)]
SHIPS = [craft_key(DOMAIN_SEA, 212_000_000 + n) for n in range(3)]
FAR_SHIPS = [craft_key(DOMAIN_SEA, 219_000_000 + n) for n in range(3)]
PLANES = [craft_key(DOMAIN_AIR, 0x4CA000 + n) for n in range(3)]

Choices = list[tuple[int, Callable[[Random], Act]]]
"""Weight, and what makes an act by chance."""


HEARD: dict[str, list[Callable[[Random], Act]]] = {
    "fi": [lambda r: ("hear", "roof", r.choice(SHIPS), r.choice(HERE))],
    "ee": [lambda r: ("hear", "roof", r.choice(PLANES), r.choice(HERE))],
}
"""By reader, the live tracks that it may have: of the sea and here, of the air."""


def common(x: str, levels: int = LEVELS) -> Choices:
    """What X may notice. `levels`: of its own block that occur."""
    made: Choices = [
        (2, lambda r: ("change_policy", x, r.randrange(levels), r.randrange(SPELLINGS))),
        (1, lambda r: ("break_policy",)),
        (1, lambda r: ("restart",)),
        (2, lambda r: ("confirm_and_look", x)),
        (1, lambda r: ("suspend", x)),
        (2, lambda r: ("resume", x)),
        (1, lambda r: ("confirm_wrongly_and_look", x, r.randrange(40))),
        (1, lambda r: ("ask_too_much", x)),
        (1, lambda r: ("pry", x, r.randrange(len(pool())))),
    ]
    made += [(4, heard) for heard in HEARD.get(x, ())]
    if mine := told(x):
        made += [
            (8, lambda r: ("say_some", *r.sample(mine, 4))),
            (16, lambda r: ("say", r.choice(mine), 1 + r.randrange(VERSIONS))),
            (5, lambda r: ("withdraw", r.choice(mine), r.random() < 0.6)),
            (1, lambda r: ("say_and_withdraw", r.choice(mine), r.random() < 0.5)),
            (1, lambda r: ("release_to", r.choice(mine), 1 + r.randrange(VERSIONS), x)),
            (1, lambda r: ("withdraw_from", r.choice(mine), r.random() < 0.6, x)),
        ]
    return made


def secret(x: str) -> Choices:
    """What X may not notice. The same acts on what it may have are no secret: see `common`."""
    theirs = untold(x)
    others = [name for name in READERS if name != x]
    blocks = [name for name in ("ee", "fi", "se") if name != x]
    ops = ("release", "withdraw")

    def number(r: Random) -> int:
        """Of anything: also of what X has."""
        return r.randrange(len(pool()))

    return [
        (3, lambda r: ("say_some", *r.sample(theirs, 3))),
        (8, lambda r: ("say", r.choice(theirs), 1 + r.randrange(VERSIONS))),
        (5, lambda r: ("withdraw", r.choice(theirs), r.random() < 0.6)),
        (1, lambda r: ("say_and_withdraw", r.choice(theirs), r.random() < 0.5)),
        (2, lambda r: ("release_to", number(r), 1 + r.randrange(VERSIONS), r.choice(others))),
        (3, lambda r: ("withdraw_from", number(r), r.random() < 0.6, r.choice(others))),
        (1, lambda r: ("queue_nonsense", r.choice(ops))),
        (2, lambda r: ("queue_foreign", r.choice(ops))),
        *((3, heard) for name in HEARD if name != x for heard in HEARD[name]),
        (2, lambda r: ("hear", "radar", r.choice(SHIPS), r.choice(HERE))),
        (1, lambda r: ("hear", "a-new-feed", r.choice(SHIPS), r.choice(HERE))),
        (2, lambda r: ("hear", "roof", r.choice(FAR_SHIPS), r.choice(FAR))),
        (2, lambda r: ("suspend", r.choice(others))),
        (2, lambda r: ("resume", r.choice(others))),
        (1, lambda r: ("sign_in", r.choice(["a", "an-officer"]))),
        (1, lambda r: ("find", r.randrange(9))),
        (1, lambda r: ("ask_the_desk", number(r), r.choice(READERS))),
        (5, lambda r: ("respell_policy", x, r.randrange(SPELLINGS))),
        (
            4,
            lambda r: (
                "change_anothers_policy",
                r.choice(blocks),
                r.randrange(LEVELS),
                r.randrange(SPELLINGS),
            ),
        ),
        (3, lambda r: ("confirm", r.choice(others))),
        (1, lambda r: ("confirm_wrongly", r.choice(others), r.randrange(40))),
        (2, lambda r: ("flood", r.choice(others))),
        (1, lambda r: ("knock", r.choice(["xx", *others]))),
    ]


def choose(choices: Choices, r: Random) -> Act:
    (made,) = r.choices([make for _, make in choices], [weight for weight, _ in choices])
    return made(r)
