"""What Qt says by itself is in the language of the program, as all else is."""

import json
import os
import subprocess
import sys
from typing import Any, Final

import pytest

SCRIPT: Final = """
import json, time
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QTableView, QWidget
from messenger.core.settings import Theme as Choice
from messenger.gui.app import make_application
from messenger.gui.message_sheets import DateSheet
from messenger.gui.shortcuts_sheet import ShortcutsSheet
from messenger.gui.theme import Theme

app = make_application()
theme = Theme(app)
parent = QWidget()
sheet = DateSheet(parent, theme, 0)
days = sheet.calendar.findChild(QTableView).model()
line = QLineEdit(parent)
print(json.dumps({
    "days": [days.data(days.index(0, column)) for column in range(7)],
    "menu": [action.text().partition(chr(9)) for action in line.createStandardContextMenu().actions()],
    "keys": ShortcutsSheet(parent, theme, []).lines,
    "right to left": app.layoutDirection() == Qt.LayoutDirection.RightToLeft,
}))
"""


def said(**environment: str) -> dict[str, Any]:
    """What Qt says in a process of its own, where the system has a language and the program has one."""
    own = {"QT_QPA_PLATFORM": "offscreen", "LC_ALL": "", "LC_TIME": "", "LANGUAGE": "", **environment}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_in_german_all_of_it_is() -> None:
    """Also on a system that speaks English."""
    words = said(SOTTO_LANGUAGE="de", LANG="en_US.UTF-8")
    assert words["days"] == ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."]
    names = [text.replace("&", "") for text, _tab, _keys in words["menu"] if text]
    assert names[0] == "Rückgängig"
    assert "Alles auswählen" in names
    keys = " ".join([*words["keys"], *(keys for _text, _tab, keys in words["menu"])])
    assert "Strg+" in keys
    assert "Ctrl" not in keys
    assert not words["right to left"]


@pytest.mark.parametrize("system", ["de_DE.UTF-8", "C.UTF-8"])
def test_in_english_too_where_the_system_speaks_another(system: str) -> None:
    """The names of days as well."""
    words = said(SOTTO_LANGUAGE="en", LANG=system)
    assert words["days"] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert words["menu"][0][0] == "&Undo"
    assert any("Ctrl+" in line for line in words["keys"])
