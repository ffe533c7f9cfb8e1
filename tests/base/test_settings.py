"""A config that cannot be used says which file and which field."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samsyn.base.errors import ConfigError
from samsyn.base.settings import Home, split_address, to_toml_value

SMALL = '[node]\nname = "dk"\norganisation = "A"\n'


def home(folder: Path, text: str) -> Home:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return Home(folder)


def test_a_small_config_is_enough(tmp_path: Path) -> None:
    found = home(tmp_path, SMALL).settings()
    assert (found.node.name, found.node.realm, found.feed) == ("dk", "actual", ())
    assert found.watch.warm_us() == 24 * 3600 * 1_000_000
    assert found.exercise.start_us() is None


def test_a_full_config(tmp_path: Path) -> None:
    text = (
        SMALL
        + 'realm = "exercise"\n[exercise]\nstart = "2026-11-21T20:00:00Z"\nspeed = 60\n'
        + '[[feed]]\nname = "ais"\nkind = "ais_nmea"\nsource = "tcp:127.0.0.1:5631"\n'
        + '[[standing_order]]\nid = "so-1"\nwhy = "order 4"\ndetectors = ["drift"]\n'
        + '[watch]\nwarm = "2h"\n[store]\nkeep_observations = "7d"\n'
    )
    found = home(tmp_path, text).settings()
    assert found.feed[0].source == "tcp:127.0.0.1:5631"
    assert found.standing_order[0].detectors == ("drift",)
    assert found.exercise.start_us() == 1_795_291_200_000_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[node", "config.toml"),
        ("", "node"),
        (SMALL + "colour = 1\n", "colour"),
        (SMALL + 'realm = "practice"\n', "realm"),
        (SMALL + "[exercise]\nspeed = 'fast'\n", "speed"),
        (SMALL + "[exercise]\nstart = 'tomorrow'\n", "tomorrow"),
        (SMALL + "[watch]\nwarm = 'long'\n", "long"),
        (SMALL + "[store]\nkeep_observations = 'for ever'\n", "for ever"),
        (SMALL + "[[feed]]\nname = 'a'\n", "feed"),
        (
            SMALL + "[[standing_order]]\nid='a'\nwhy='b'\ndetectors=['drift']\nonward='all'\n",
            "standing_order",
        ),
        (SMALL.replace("dk", "D K"), "node.name"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as found:
        home(tmp_path, text).settings()
    assert told in str(found.value)
    assert "config.toml" in str(found.value)


def test_a_config_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="config"):
        Home(tmp_path).settings()


def test_a_folder_that_is_no_home_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="samsyn init"):
        Home(tmp_path).settings()


def test_the_realms_have_separate_stores(tmp_path: Path) -> None:
    here = Home(tmp_path)
    assert here.ledger("actual").parent != here.ledger("exercise").parent
    assert here.observations("actual").parent != here.observations("exercise").parent


def test_addresses() -> None:
    assert split_address("127.0.0.1:8440", "") == ("127.0.0.1", 8440)
    for text in ("", "8440", ":8440", "a:", "a:b", "a:99999", "a:-1"):
        with pytest.raises(ConfigError, match="home_listen"):
            split_address(text, "node.home_listen")


VALUES = st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))


@given(VALUES | st.lists(VALUES, max_size=4))
def test_what_we_write_as_toml_is_read_as_the_same(value: object) -> None:
    assert tomllib.loads(f"x = {to_toml_value(value)}")["x"] == value
