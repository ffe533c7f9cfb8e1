"""The command line in English and in Swedish: nothing is missing, nothing is left over."""

from __future__ import annotations

import re
import tomllib

import pytest

from samsyn.cli import COMMANDS, main
from samsyn.cli.language import CATALOGUE, Group, catalogue, choose, help_keys, language, t, told
from tests.cli import words
from tests.cli.conftest import run

HOLES = re.compile(r"\{\w*(?:!r)?\}")


def test_all_help_is_in_swedish() -> None:
    assert words.help_words() - catalogue().keys() == set()


def test_every_command_and_option_says_what_it_is() -> None:
    assert words.undocumented() == []


def test_the_list_of_commands_says_of_each_what_its_help_begins_with() -> None:
    assert isinstance(main, Group)
    begin = {name: help_keys((main.written(name) or main).help or "")[0] for name in COMMANDS}
    assert {name: one.about for name, one in COMMANDS.items()} == begin


def test_every_sentence_of_the_command_line_is_in_swedish() -> None:
    assert words.said_by_the_command_line() - catalogue().keys() == set()


def test_every_error_is_in_swedish() -> None:
    known = {words.shape(key) for key in catalogue()}
    missing = {text: where for text, where in words.said_by_errors().items() if text not in known}
    assert missing == {}, "add the English and the Swedish to src/samsyn/cli/sv.toml"


def test_nothing_in_the_catalogue_is_left_over() -> None:
    used = words.help_words() | words.said_by_the_command_line() | words.of_click()
    shapes = {words.shape(text) for text in used} | words.literals(words.SRC)
    left = [key for key in catalogue() if words.shape(key) not in shapes]
    assert left == [], "nobody says these any more: take them out of src/samsyn/cli/sv.toml"


def test_the_swedish_has_the_same_holes() -> None:
    wrong = [k for k, v in catalogue().items() if sorted(HOLES.findall(k)) != sorted(HOLES.findall(v))]
    assert wrong == []
    assert all(catalogue().values())


def test_a_toml_reader_finds_each_key_once() -> None:
    text = CATALOGUE.read_text("utf-8")
    assert len(tomllib.loads(text)) == sum(" = " in line for line in text.split("\n"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "sv_SE.UTF-8"}, "sv"),
        ({"LANG": "sv_SE.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8", "LC_MESSAGES": "sv_FI.UTF-8"}, "sv"),
        ({"LANG": "C.UTF-8", "LC_MESSAGES": ""}, "en"),
        ({"LC_ALL": "sv_SE.UTF-8", "SAMSYN_LANG": "en"}, "en"),
        ({"LC_ALL": "en_GB.UTF-8", "SAMSYN_LANG": "sv"}, "sv"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_environment_chooses(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_help_in_both_languages() -> None:
    swedish, english = run("--lang", "sv", "--help"), run("--help")
    assert "Användning: samsyn [VAL] KOMMANDO" in swedish.output
    assert "Visa detta meddelande och avsluta." in swedish.output
    assert "Signera en rapport för hand." in swedish.output
    assert "vad finns i den här filen?" in swedish.output
    assert "Usage: samsyn [OPTIONS] COMMAND" in english.output
    assert "Show this message and exit." in english.output  # what was said in Swedish did not stick
    assert run("--help", env={"SAMSYN_LANG": "sv"}).output == swedish.output
    assert run("--lang", "en", "--help", env={"LC_ALL": "sv_SE.UTF-8"}).output == english.output


@pytest.mark.parametrize(
    "path", [["feed"], ["feed", "try"], ["partner", "add"], ["user", "add"], ["up"]]
)
def test_help_of_commands(path: list[str]) -> None:
    text = run("--lang", "sv", *path, "--help").output
    assert "Användning: samsyn " in text
    for english in ("Usage", "Options", "Show this", "Commands", "default:", "Answer in JSON"):
        assert english not in text
    assert "Show this message and exit." in run(*path, "--help").output


def test_a_table_in_both_languages() -> None:
    swedish, english = run("--lang", "sv", "feed", "list").output, run("feed", "list").output
    assert "Slag av källflöden" in swedish
    assert "Simulerad trafik" in swedish and "Simulated traffic" not in swedish
    assert "Kinds of feed" in english and "Simulated traffic" in english


def test_programs_are_told_the_same_in_any_language() -> None:
    swedish = run("--lang", "sv", "feed", "list", "--json")
    assert swedish.output == run("feed", "list", "--json").output
    assert '"kind"' in swedish.output
    failed = [run("--lang", lang, "statements", "--home", "none", "--json") for lang in ("en", "sv")]
    assert failed[0].output == failed[1].output
    assert "this folder is no Samsyn home" in failed[0].output


def test_errors_of_ours_in_swedish() -> None:
    failed = run("--lang", "sv", "statements", "--home", "none")
    assert failed.exit_code == 2
    assert "denna mapp är ingen hemmapp för Samsyn" in failed.output
    assert "var: none" in failed.output
    assert "gör: skapa en med: samsyn init" in failed.output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["say"], "Fel: Ett val saknas: '--title'."),
        (["feed", "try"], "Fel: Ett argument saknas: 'KÄLLA'."),
        (["nothing"], "Fel: Det finns inget kommando 'nothing'."),
        (["feed", "try", "x", "--kidn", "y"], "Menade du '--kind'?"),
        (["say", "--title", "x", "--lat", "north"], "'north' är inget giltigt tal."),
        (["partner", "add", "gone.card.json"], "Fil 'gone.card.json' finns inte."),
    ],
)
def test_errors_of_click_in_swedish(args: list[str], said: str) -> None:
    failed = run("--lang", "sv", *args)
    assert failed.exit_code == 2
    assert said in failed.output


def test_told_finds_sentences_by_their_shape() -> None:
    choose("sv")
    assert told("'Öst' is no node name") == "'Öst' kan inte vara en nods namn"
    assert told("this is not TOML: line 3\nsee {above}") == "detta är inte TOML: line 3\nsee {above}"
    assert told("something that nobody translated") == "something that nobody translated"
    assert t("nothing of ours {x}", x=1) == "nothing of ours 1"


def test_swedish_is_written_in_utf_8() -> None:
    assert "Användning" in run("--lang", "sv", "--help").stdout_bytes.decode("utf-8")
