"""The catalogue of the person's language; without a translation the English of the source is shown.

Translations are text, ``resources/translations/LANGUAGE.po``, and read as they are: nothing compiled has to
be made or kept in step, and English, which needs none, reads no file. The language is the one that the person
chose (`choose`), else that of the system.
"""

import gettext
import json
import locale
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from messenger import assets

VARIABLE: Final = "SOTTO_LANGUAGE"
"""Environment variable that decides before anything else."""
ENGLISH: Final = "en"
_FILE: Final = "language"
_CODE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?", re.ASCII)
_CODE_MAX: Final = 6
_PLURAL: Final = re.compile(r"plural=(.*?);")


class Catalogue:
    """Sentences in one language.

    Args:
        language: Its code, as ``de``.
        entries: Translations of a sentence, one for each plural form.
        plural: Which form a number takes.
        mirrored: Whether it is written from right to left.
    """

    def __init__(
        self,
        language: str,
        entries: dict[str, list[str]],
        plural: Callable[[int], int],
        *,
        mirrored: bool = False,
    ) -> None:
        self.language, self.mirrored = language, mirrored
        self._entries, self._plural = entries, plural

    def gettext(self, message: str) -> str:
        """Translate one sentence."""
        forms = self._entries.get(message)
        return forms[0] if forms else message

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Translate a sentence that counts something."""
        forms = self._entries.get(one)
        if forms:
            return forms[min(self._plural(count), len(forms) - 1)]
        return one if count == 1 else many


def read_po(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """The entries of a translation: sentence, its plural or nothing, and the translations.

    Args:
        text: A .po file in UTF-8.

    Raises:
        ValueError: It cannot be read.
    """
    fields: dict[str, list[str]] = {}
    place = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if "msgid" in fields:
                forms = [name for name in fields if name.startswith("msgstr")]
                yield (
                    "".join(fields["msgid"]),
                    "".join(fields.get("msgid_plural", [])),
                    ["".join(fields[name]) for name in forms],
                )
            fields = {}
            continue
        if not line.startswith('"'):
            place, line = line.split(" ", 1)  # noqa: PLW2901 -- the rest of the line
            fields[place] = []
        word = json.loads(line)
        if not isinstance(word, str):
            raise ValueError("not a string")
        fields[place].append(word)


def load(language: str) -> Catalogue:
    """The catalogue of a language; English if there is none for it.

    Args:
        language: Its code.
    """
    for code in (language, language.partition("_")[0]):
        if _CODE.fullmatch(code) and (path := assets.path(f"translations/{code}.po")).is_file():
            entries = {one: forms for one, _many, forms in read_po(path.read_text(encoding="utf-8"))}
            head = entries.pop("", [""])[0]
            rule = _PLURAL.search(head)
            plural = gettext.c2py(rule[1]) if rule else int
            kept = {one: forms for one, forms in entries.items() if all(forms)}
            return Catalogue(code, kept, plural, mirrored="X-Direction: rtl" in head)
    return Catalogue(ENGLISH, {}, int)


def languages() -> dict[str, str]:
    """All languages there are: code, and name in the language itself."""
    result = {ENGLISH: "English"}
    folder = assets.path("translations")
    for path in sorted(folder.glob("*.po")) if folder.is_dir() else []:
        for _one, _many, forms in read_po(path.read_text(encoding="utf-8")):
            name = re.search(r"^X-Language-Name: (.*)$", forms[0], re.MULTILINE)
            result[path.stem] = name[1] if name else path.stem
            break
    return result


def chosen() -> str:
    """The language that the person chose; nothing for that of the system."""
    try:
        with _place().open("rb") as file:
            code = file.read(_CODE_MAX + 1).decode("ascii", "replace").strip()
    except OSError:
        return ""
    return code if _CODE.fullmatch(code) else ""


def choose(language: str) -> None:
    """Use a language from the next start on. Blocking: run it in a thread.

    Args:
        language: Its code; nothing for that of the system.

    Raises:
        OSError: The system refused.
    """
    place = _place()
    if not language:
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(language, encoding="ascii")


def _place() -> Path:
    import platformdirs

    return platformdirs.user_config_path("sotto", appauthor=False) / _FILE


def _of_system() -> str:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name, ""):
            return value.split(":")[0].partition(".")[0]
    return (locale.getlocale()[0] or "").partition(".")[0]  # Windows and macOS have no such variables


_catalogue: Final = load(os.environ.get(VARIABLE) or chosen() or _of_system())

LANGUAGE: Final = _catalogue.language
"""The code of the language in use."""
MIRRORED: Final = _catalogue.mirrored
"""Whether it is written from right to left."""

_ = _catalogue.gettext
"""Translate one sentence; the name by which extraction finds it."""

ngettext = _catalogue.ngettext
"""Translate a sentence that counts something."""
