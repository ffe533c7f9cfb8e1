"""A policy that cannot be right is an error at load, with file, line and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from samsyn.base.clock import MINUTE_US, parse_iso
from samsyn.base.errors import ConfigError
from samsyn.policy import Policy, load

PARTNERS = {"se", "fi", "no"}
KINDS = {"alert", "report"}

GOOD = """
# a comment with [[rule]] in it
[circles]
nordic = ["fi", "no"]
empty = []

[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }
sound = { cells = ["831f05fffffffff"] }

[[rule]]
id     = "sea-alerts-nordic"
why    = "Sea surveillance agreement, art. 3"
to     = ["circle:nordic", "se"]
kinds  = ["alert", "report"]
when = {subject="sea", area = "baltic", marking_max="TLP:AMBER", confidence_min="medium", age_max = "2h"}
place  = "area"
time   = "hour"
delay  = "10m"
hide   = ["author", "sources", "body.measured", "evidence"]
onward = "ask"
until  = 2027-12-31

[[deny]]
id  = "no-air"
why = "Air surveillance is not part of it"
to  = ["fi"]
when = { subject = "air" }
"""


def read(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    return load(file, partners=PARTNERS, kinds=KINDS)


def test_every_part_of_a_rule_is_read(tmp_path: Path) -> None:
    rule, deny = read(tmp_path, GOOD).rules
    assert rule.readers == {"fi", "no", "se"} and rule.named == {"se"} and rule.circled == {"fi", "no"}
    assert rule.delay_us == 10 * MINUTE_US and rule.when.age_max_us == 120 * MINUTE_US
    assert rule.until_us == parse_iso("2028-01-01T00:00:00Z")
    assert rule.when.area and rule.when.area[0].name == "baltic"
    assert rule.line == 11
    assert deny.deny and deny.kinds == KINDS | {"track"} and deny.readers == {"fi"}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"circle:nordic", "se"', '"circle:nordic", "dk"', 14, "unknown partner 'dk'"),
        ("circle:nordic", "circle:baltic", 14, "unknown circle 'baltic'"),
        ('kinds  = ["alert", "report"]', 'kinds = ["alert", "rumour"]', 15, "unknown kind 'rumour'"),
        ('kinds  = ["alert", "report"]', "kinds = []", 15, "never matches"),
        ('area = "baltic"', 'area = "arctic"', 16, "unknown area 'arctic'"),
        ('subject="sea"', 'subject = "seas"', 16, "unknown subject 'seas'"),
        ("TLP:AMBER", "TLP:ORANGE", 16, "'TLP:ORANGE' is no marking_max"),
        ('"medium"', '"certain"', 16, "'certain' is no confidence_min"),
        ('age_max = "2h"', 'age_max = "2 hours"', 16, "no span of time"),
        ("age_max", "age_most", 16, "unknown condition 'age_most'"),
        ('place  = "area"', 'place = "town"', 17, "'town' is no place"),
        ('time   = "hour"', 'time = "week"', 18, "'week' is no time"),
        ('delay  = "10m"', 'delay = "soon"', 19, "no span of time"),
        ('"author"', '"autor"', 20, "no slot of these kinds is called 'autor'"),
        ('onward = "ask"', 'onward = "maybe"', 21, "'maybe' is no onward"),
        ("until  = 2027-12-31", 'until = "next year"', 22, "until is no date"),
        ("until  = 2027-12-31", "until = 2027-12-31T12:00:00", 22, "until is no date"),
        ('id     = "sea-alerts-nordic"\n', "", 11, "id is missing"),
        ('why    = "Sea surveillance agreement, art. 3"', 'why = " "', 13, "why is missing"),
        ('to     = ["circle:nordic", "se"]\n', "", 11, "to is missing"),
        ("delay", "dealy", 19, "unknown key 'dealy'"),
        ('"no-air"', '"sea-alerts-nordic"', 25, "another rule has this id"),
        ('when = { subject = "air" }', 'place = "area"', 28, "unknown key 'place'"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert error.value.where.startswith(f"policy.toml:{line} "), error.value
    assert words in str(error.value)
    assert "rule" in error.value.where or "deny" in error.value.where


TRACKS = """
[areas]
baltic = { bbox = [9.0, 53.0, 31.0, 66.0] }

[[rule]]
id    = "ships-live"
why   = "Exchange of the surface picture"
to    = ["se"]
kinds = ["track"]
when  = { subject = "sea", area = "baltic", feed = ["ais-west"], marking_max = "TLP:GREEN" }
place = "spot"
delay = "10m"
every = "60s"
hide  = ["callsign", "name"]

[[deny]]
id   = "no-air"
why  = "Air surveillance is not part of it"
when = { subject = "air" }

[[deny]]
id   = "no-drifters"
why  = "Not yet agreed"
when = { detector = "drift" }
"""


def test_a_rule_on_tracks_is_read(tmp_path: Path) -> None:
    policy = read(tmp_path, TRACKS)
    ships, no_air = policy.track_rules
    assert ships.every_us == MINUTE_US and ships.when.feed == {"ais-west"}
    assert ships.hide == ("callsign", "name") and ships.place == "spot"
    assert no_air.id == "no-air" and no_air.kinds == KINDS | {"track"}
    assert [r.id for r in policy.rules] == ["no-air", "no-drifters"]  # a track has no detector


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('["track"]', '["track", "alert"]', 9, "of tracks or of statements"),
        ('place = "spot"', 'time = "hour"', 11, "unknown key 'time'"),
        ('place = "spot"', 'onward = "no"', 11, "unknown key 'onward'"),
        ('subject = "sea"', 'detector = "drift"', 10, "unknown condition 'detector'"),
        ('subject = "sea"', 'confidence_min = "low"', 10, "unknown condition 'confidence_min'"),
        ('subject = "sea"', 'tags = "a"', 10, "unknown condition 'tags'"),
        ('subject = "sea"', 'subject = "cyber"', 10, "never matches"),
        ('every = "60s"', 'every = "often"', 13, "no span of time"),
        ('"callsign"', '"place"', 14, "no slot of these kinds is called 'place'"),
        ('"callsign"', '"place.exact"', 14, "no slot of these kinds is called 'place.exact'"),
        ('delay = "10m"', 'delay = "25h"', 12, "tracks can be delayed by 24 h at most"),
        ('"callsign"', '"author"', 14, "no slot of these kinds is called 'author'"),
        ('["track"]', '["report"]', 13, "unknown key 'every'"),
        ('"ships-live"', '"addressed"', 6, "belongs to the built-in rule"),
    ],
)
def test_a_mistake_in_a_rule_on_tracks_is_named(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in TRACKS
    with pytest.raises(ConfigError) as error:
        read(tmp_path, TRACKS.replace(old, new, 1))
    assert error.value.where.startswith(f"policy.toml:{line} "), error.value
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("[[rule]\n", "policy.toml:1", "not TOML"),
        ("[[rules]]\nid = 'a'\n", "policy.toml:1", "unknown key 'rules'"),
        ("[circles]\na = ['dk']\n", "policy.toml:2 circle a", "unknown partner 'dk'"),
        ("[circles]\na = 'fi'\n", "policy.toml:2 circle a", "list of partner names"),
        ("[areas]\n\na = { bbox = [1, 2, 3] }\n", "policy.toml:3 area a", "no box"),
        ("[areas]\na = { bbox = [5, 2, 3, 4] }\n", "policy.toml:2 area a", "no box"),
        ("[areas]\na = { cells = ['x'] }\n", "policy.toml:2 area a", "list of H3 cells"),
        ("[areas]\na = { circle = 3 }\n", "policy.toml:2 area a", "bbox or by cells"),
        ("[rule]\nid = 'a'\n", "policy.toml", "no list of rules"),
    ],
)
def test_a_mistake_outside_rules_is_named_too(tmp_path: Path, text: str, where: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert error.value.where == where
    assert words in str(error.value)


def test_a_missing_file_is_an_error_and_an_empty_one_denies_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the policy"):
        load(tmp_path / "none.toml", partners=PARTNERS, kinds=KINDS)
    assert read(tmp_path, "").rules == ()


def test_headers_inside_long_strings_do_not_move_the_lines(tmp_path: Path) -> None:
    text = GOOD.replace(
        '"Sea surveillance agreement, art. 3"', '"""Sea\n[[rule]]\nagreement"""'
    ).replace('"no-air"', '""')
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert error.value.where.startswith("policy.toml:27 ")


def test_the_example_of_the_manual_loads(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    policy = read(tmp_path, page.split("```toml\n")[1].split("```")[0])
    assert [r.id for r in policy.rules] == ["sea-alerts-nordic", "nothing-from-the-air"]


@pytest.mark.parametrize("to", ['["public"]', '["circle:all"]'])
@pytest.mark.parametrize("when", ["", 'when = { marking_max = "TLP:GREEN" }'])
def test_everybody_is_given_only_what_is_clear(tmp_path: Path, to: str, when: str) -> None:
    text = f"""
[circles]
all = ["se", "public"]

[[rule]]
id = "told"
why = "Public warnings, order 3"
to = {to}
kinds = ["alert"]
{when}
"""
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="is everybody, who may have TLP:CLEAR only") as error:
        load(file, partners=PARTNERS | {"public"}, kinds=KINDS)
    assert "rule told" in error.value.where
    clear = (
        text.replace("TLP:GREEN", "TLP:CLEAR") if when else text + 'when = { marking_max = "TLP:CLEAR" }'
    )
    file.write_text(clear)
    assert (
        load(file, partners=PARTNERS | {"public"}, kinds=KINDS).rules[0].when.marking_max == "TLP:CLEAR"
    )
