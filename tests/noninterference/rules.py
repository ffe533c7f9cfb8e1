"""Policies made of one block a reader, so that one reader's can change while another's stays.

A block has several *levels* (what the reader may have) and, at the same level, several *spellings*:
other names, reasons, circles, one rule or two. A reader may notice its level; never a spelling, and
never another reader's block.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from samsyn.policy import Policy, load
from samsyn.subjects import KINDS

READERS = ("ee", "fi", "lv", "no", "se")
LEVELS = 3
SPELLINGS = 3

Choice = tuple[tuple[str, int, int], ...]
"""(reader, level, spelling) of each block."""

HEAD = """
[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }
base = { bbox = [18.5, 57.7, 18.9, 58.1] }

[circles]
"""


SEA = ['kinds = ["track"]', 'when = { subject = "sea", area = "baltic" }']


def rule(id_: str, why: str, to: str, *lines: str) -> str:
    return "\n".join(["[[rule]]", f'id = "{id_}"', f'why = "{why}"', f'to = ["{to}"]', *lines, ""])


def _fi(level: int, spelling: int) -> str:
    """By name: a kind, an area and a marking; later more; never what is national or at the base."""
    when = 'when = { area = "baltic", marking_max = "TLP:AMBER" }'
    hide = 'hide = ["author", "sources", "text"]'
    name = ("area-to-fi", "x", "a-rule-with-another-and-longer-name")[spelling]
    both = ['kinds = ["alert", "report"]', when, 'onward = "ask"']
    to = '["fi"]' if spelling else '["fi", "no"]'
    made = "".join(
        f'[[deny]]\nid = "{name}-{word}"\nwhy = "w"\nto = {to}\nwhen = {{ {what} }}\n'
        for word, what in (("tag", 'tags = ["national"]'), ("base", 'area = "base"'))
    )
    if level == 0:
        coarse = ['place = "area"', 'time = "hour"', hide]
        if spelling == 1:  # the same in two rules
            for kind in ("alert", "report"):
                made += rule(f"{name}-{kind}", "w", "fi", f'kinds = ["{kind}"]', *both[1:], *coarse)
        else:
            made += rule(name, "w" * (1 + spelling), "fi", *both, *coarse)
        made += rule(f"{name}-now", "w", "fi", *SEA, 'place = "spot"', 'hide = ["name", "craft"]')
        finer = ['place = "spot"', 'time = "hour"', hide, 'delay = "10m"']
        return made + rule(f"{name}-late", "w", "fi", 'kinds = ["report"]', *both[1:], *finer)
    if level == 1:
        made += rule(f"{name}-now", "w", "fi", *SEA, 'place = "area"', 'hide = ["name", "craft"]')
        return made + rule(
            name, "w", "fi", *both, 'place = "region"', 'time = "day"', hide, 'delay = "5m"'
        )
    made += rule(f"{name}-now", "w", "fi", *SEA, 'place = "exact"', 'delay = "80s"')
    return made + rule(name, "w", "fi", *both, 'place = "exact"', 'time = "exact"')


def _ee(level: int, spelling: int) -> str:
    """Only ever through a circle, with se and lv in it or not."""
    if level == 1:
        return ""
    name = ("close", "near", "c")[spelling]
    when = 'when = { subject = "sea", confidence_min = "high", age_max = "1h" }'
    lines = ['kinds = ["report"]', when, 'place = "region"', 'hide = ["author", "sources", "text"]']
    made = rule(f"to-{name}", "w", f"circle:{name}", *lines)
    air = ['kinds = ["track"]', 'when = { subject = "air" }', 'place = "region"', 'hide = ["craft"]']
    made += rule(f"air-to-{name}", "w", f"circle:{name}", *air)
    if level == 2:
        made += rule(f"to-{name}-more", "w", f"circle:{name}", *lines[:3], 'delay = "2m"')
    return made


def _se(level: int, spelling: int) -> str:
    """Everything, nothing, or everything later."""
    when = 'when = { marking_max = "TLP:RED" }'
    lines = ['kinds = ["alert", "report"]', when, 'place = "exact"', 'time = "exact"']
    late = ['delay = "3m"'] if level == 2 else []
    live = rule(f"live-{spelling}", "w", "se", 'kinds = ["track"]', when, 'place = "exact"')
    onward = 'when = { originator = ["lv"] }'
    live += rule(f"onward-{spelling}", "w", "se", 'kinds = ["report"]', onward, 'place = "spot"')
    return "" if level == 1 else live + rule(f"all-{spelling}", "w", "se", *lines, *late)


def text_of(choice: Choice) -> str:
    made = {name: (level, spelling) for name, level, spelling in choice}
    circles = {
        0: 'close = ["ee"]\nhidden-cell = []\n',
        1: 'near = ["ee", "se"]\nhidden-cell = ["lv"]\n',
        2: 'c = ["ee"]\n',
    }
    head = HEAD + circles[made["ee"][1]]
    return head + _fi(*made["fi"]) + _ee(*made["ee"]) + _se(*made["se"])


@cache
def policy(choice: Choice) -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "policy.toml")
        file.write_text(text_of(choice))
        return load(file, partners=READERS, kinds=KINDS)


USUAL: Choice = (("ee", 0, 0), ("fi", 0, 0), ("se", 0, 0))
