"""Translations are whole, keep what is filled in, and are used by the whole program."""

import importlib.util
import os
import string
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from messenger import assets
from messenger.text import catalogue
from messenger.text.catalogue import load, read_po

ROOT = Path(__file__).parents[2]
LANGUAGES = sorted(path.stem for path in (ROOT / "resources" / "translations").glob("*.po"))


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "packaging" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SENTENCES: dict[str, tuple[str, str]] = tool().extract()


def filled_in(text: str) -> list[tuple[str, str]]:
    """The names and formats that are put into a sentence."""
    return sorted((name, form or "") for _text, name, form, _way in string.Formatter().parse(text) if name)


def test_there_is_a_translation() -> None:
    assert "de" in LANGUAGES
    assert catalogue.languages()["de"] == "Deutsch"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_and_no_other(language: str) -> None:
    text = assets.read_text(f"translations/{language}.po")
    entries = {one: (many, forms) for one, many, forms in read_po(text)}
    del entries[""]
    assert set(entries) == set(SENTENCES)
    for one, (many, forms) in entries.items():
        assert many == SENTENCES[one][0]
        assert all(forms), one
        assert len(forms) == (2 if many else 1), one


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_stays(language: str) -> None:
    text = assets.read_text(f"translations/{language}.po")
    for one, _many, forms in read_po(text):
        for form in forms if one else []:
            assert filled_in(form) == filled_in(one), one
            assert form.endswith(" ") == one.endswith(" "), one


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_as_the_tool_writes_it(language: str) -> None:
    text = assets.read_text(f"translations/{language}.po")
    entries = {one: forms for one, _many, forms in read_po(text)}
    head = entries.pop("")[0]
    assert tool().render(head, entries, SENTENCES, 2) == text


def test_plural_forms_follow_the_rule() -> None:
    german = load("de_AT")
    assert german.language == "de"
    forms = [german.ngettext("{count} message", "{count} messages", count) for count in (0, 1, 2)]
    assert forms == ["{count} Nachrichten", "{count} Nachricht", "{count} Nachrichten"]


@pytest.mark.parametrize("language", ["", "C", "xx", "../de", "de/..", "DE", "\x00"])
def test_without_a_translation_it_is_english(language: str) -> None:
    english = load(language)
    assert (english.language, english.mirrored) == ("en", False)
    assert english.gettext("Settings") == "Settings"
    assert english.ngettext("{count} day", "{count} days", 2) == "{count} days"


def test_the_choice_is_kept_and_a_spoiled_one_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert catalogue.chosen() == ""
    catalogue.choose("de")
    assert catalogue.chosen() == "de"
    (tmp_path / "sotto" / "language").write_bytes(b"\xff" * 100_000)
    assert catalogue.chosen() == ""
    catalogue.choose("")
    assert not (tmp_path / "sotto" / "language").exists()


PSEUDO = """msgid ""
msgstr ""
"X-Language-Name: Mirror\\n"
"X-Direction: rtl\\n"

msgid "Settings"
msgstr "sgnitteS"
"""

WINDOW = """
import sys
from pathlib import Path
from messenger import assets
if len(sys.argv) > 2:
    assets._INSTALLED = Path(sys.argv[2])
from messenger.gui.app import make_application
app = make_application()
from messenger.gui.bridge import Bridge
from messenger.gui.theme import Theme
from messenger.gui.window import MainWindow
window = MainWindow(Theme(app), Bridge(), Path(sys.argv[1]))
window.show()
print(app.layoutDirection().name, window.layoutDirection().name, window.commands.tools()[1].accessibleName())
"""


def start(folder: Path, *more: str, **environment: str) -> str:
    """What a window says that starts in a process of its own."""
    surroundings = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(folder),
        **environment,
    }
    command = [sys.executable, "-c", WINDOW, str(folder), *more]
    done = subprocess.run(command, env=surroundings, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("how", ["system", "choice"])
def test_the_window_starts_in_german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "choice":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        catalogue.choose("de")
    system = "de_DE.UTF-8" if how == "system" else "en_GB.UTF-8"
    words = start(tmp_path, SOTTO_LANGUAGE="", LANGUAGE="", LC_ALL="", LC_MESSAGES="", LANG=system)
    assert words == "LeftToRight LeftToRight Einstellungen"


def test_a_language_from_right_to_left_mirrors_the_window(tmp_path: Path) -> None:
    resources = tmp_path / "resources"
    resources.mkdir()
    for path in (ROOT / "resources").iterdir():
        (resources / path.name).symlink_to(path)
    (resources / "translations").unlink()
    (resources / "translations").mkdir()
    (resources / "translations" / "xx.po").write_text(PSEUDO)
    words = start(tmp_path, str(resources), SOTTO_LANGUAGE="xx")
    assert words == "RightToLeft RightToLeft sgnitteS"
