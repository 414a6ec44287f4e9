"""The process that looks words up, as the window starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from messenger.gui.spell_process import distance
from tests.helpers.terminal import environment


class Process:
    """The process as the window starts it, and a home that it may write to."""

    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        surroundings = {
            **environment(),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            **variables,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "messenger.gui.spell_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings,
            text=True,
        )

    def line(self) -> dict[str, object]:
        assert self._process.stdout is not None
        said: dict[str, object] = json.loads(self._process.stdout.readline())
        return said

    def ask(self, **question: object) -> dict[str, object]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.line()

    def limits(self) -> str:
        return Path(f"/proc/{self._process.pid}/limits").read_text(encoding="utf-8")

    def end(self) -> tuple[int, str]:
        _output, errors = self._process.communicate(timeout=60)
        return self._process.returncode, errors


def test_nothing_is_left_in_the_home_of_the_person(tmp_path: Path) -> None:
    """Enchant by itself makes ~/.config/enchant with a list of words for each language."""
    process = Process(tmp_path, "en_US,de_DE", "")
    assert process.line()["used"] == ["en_US", "de_DE"]
    assert process.ask(type="Check", words=["wrold", "world", "Fehler", ""]) == {
        "right": [False, True, True, True]
    }
    assert "world" in str(process.ask(type="Suggest", word="wrold")["words"])
    assert process.ask(type="Suggest", word="x" * 1000) == {"words": []}
    assert process.end() == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_the_process_can_open_and_write_nothing(tmp_path: Path) -> None:
    process = Process(tmp_path, "en_US", "")
    process.line()
    bounds = {line[:25].strip(): line[26:].split()[:2] for line in process.limits().splitlines()}
    for name in ("Max open files", "Max file size", "Max processes", "Max core file size"):
        assert bounds[name] == ["0", "0"], name
    process.end()


@pytest.mark.parametrize(
    ("one", "other", "changes"),
    [
        ("", "", 0),
        ("the", "the", 0),
        ("Teh", "the", 1),
        ("redy", "ready", 2),
        ("a", "", 2),
        ("", "ab", 4),
        ("ab", "ba", 1),
    ],
)
def test_two_letters_that_change_places_are_one_slip(one: str, other: str, changes: int) -> None:
    assert distance(one, other) == distance(other, one) == changes


def test_what_is_written_most_alike_is_suggested_first(tmp_path: Path) -> None:
    process = Process(tmp_path, "de_DE,en_US", "")
    process.line()
    process.ask(type="Check", words=["this", "bridge", "tomorrow", "ready"])
    for word, better in (("Teh", "The"), ("teh", "the"), ("wrold", "world"), ("Brükce", "Brücke")):
        assert process.ask(type="Suggest", word=word)["words"][0] == better  # type: ignore[index]
    assert "ready" in str(process.ask(type="Suggest", word="redy")["words"]), "the language that is used most"
    process.end()


def test_without_the_library_it_says_so(tmp_path: Path) -> None:
    process = Process(tmp_path, "", "en_US", PYENCHANT_LIBRARY_PATH=str(tmp_path / "none.so"))
    assert process.line() == {"installed": False, "available": [], "used": []}
    assert process.end() == (0, "")


def test_without_a_dictionary_it_says_which_there_are(tmp_path: Path) -> None:
    process = Process(tmp_path, "", "ja_JP,ja")
    hello = process.line()
    assert hello["installed"]
    assert hello["used"] == []
    assert all(tag in str(hello["available"]) for tag in ("en_US", "de_DE"))
    process.end()


def test_a_command_line_that_is_none_is_refused(tmp_path: Path) -> None:
    assert Process(tmp_path, "en_US").end()[0] == 64
