"""Words about spelling."""

import sys
from typing import Final

from messenger.text.catalogue import _, ngettext

ADD: Final = _("Add to dictionary")
REMOVE: Final = _("Remove from dictionary")
NONE: Final = _("No suggestions")
MENU: Final = _("Suggestions for “{word}”")

USUAL: Final[dict[str, str]] = {
    "edit-undo": _("Undo"),
    "edit-redo": _("Redo"),
    "edit-cut": _("Cut"),
    "edit-copy": _("Copy"),
    "edit-paste": _("Paste"),
    "edit-delete": _("Delete"),
    "select-all": _("Select all"),
}
"""What every text box can do, by the names that Qt gives."""

TITLE: Final = _("Languages you write in")
ABOUT: Final = _("A word is right if one of them has it. Choose up to {most}.")
OWN: Final = _(
    "Words that you add yourself are kept with this profile, encrypted; to take one out, write it and open"
    " its menu."
)
FOLLOW: Final = _("As Sotto and the system: {languages}")
NO_LANGUAGE: Final = _("no dictionary here")

_LIBRARY: Final = "libenchant-2-2"
_DICTIONARIES: Final = "hunspell-en-us, hunspell-de-de"


def not_installed() -> str:
    """What to do where nothing can check spelling."""
    if sys.platform == "darwin":
        return _("Nothing here can check spelling: install enchant with Homebrew, then start Sotto again.")
    if sys.platform == "win32":
        return _("Nothing here can check spelling: the package pyenchant is missing.")
    return _(
        "Nothing here can check spelling. Install the package {library} and a dictionary ({dictionaries} and"
        " the like on Debian and Ubuntu), then open this page again."
    ).format(library=_LIBRARY, dictionaries=_DICTIONARIES)


def no_dictionary() -> str:
    """What to do where there is no dictionary for the languages of the person."""
    return _(
        "There is no dictionary for these languages here. Install one ({dictionaries} and the like on Debian"
        " and Ubuntu), then open this page again."
    ).format(dictionaries=_DICTIONARIES)


def count(words: int) -> str:
    """What a screen reader says of words that are marked; nothing if there are none."""
    if not words:
        return ""
    some = ngettext(
        "{count} word may be misspelt. F7 goes there.", "{count} words may be misspelt. F7 goes there.", words
    )
    return some.format(count=words)
