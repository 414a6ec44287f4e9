"""The size of everything: by keys and setting, at once, sharp, remembered."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from messenger.core.window_limits import ZOOM_MAX, ZOOM_MIN
from messenger.gui.remembered import Remembered
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import NumberField
from messenger.gui.zoom import STEPS, bounded, step
from tests.gui.conftest import Desks
from tests.gui.test_settings import settings, turn_to
from tests.helpers.gui import Hands

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def normal_again(hands: Hands, theme: Theme) -> Iterator[None]:
    yield
    theme.zoom.choose(100)
    hands.until(lambda: theme.zoom.percent == 100)


@pytest.mark.parametrize("key", [Qt.Key.Key_Plus, Qt.Key.Key_Equal])
def test_the_keys_change_it_at_once(desks: Desks, theme: Theme, key: Qt.Key) -> None:
    alice = desks("alice").front()
    search = alice.page.sidebar.search
    search.setFocus()
    alice.hands.type("al", search)
    width = search.grab().width() / search.width()
    alice.hands.press(key, CONTROL, alice.window)
    alice.hands.until(lambda: theme.zoom.percent == 110)
    assert alice.window.isVisible()
    assert search.grab().width() / search.width() == pytest.approx(width * 1.1, abs=0.01)
    assert search.text() == "al"
    alice.hands.until(search.hasFocus)
    alice.hands.press(Qt.Key.Key_Minus, CONTROL, alice.window)
    alice.hands.until(lambda: theme.zoom.percent == 100)
    alice.hands.press(Qt.Key.Key_Minus, CONTROL, alice.window)
    alice.hands.until(lambda: theme.zoom.percent == 90)
    alice.hands.press(Qt.Key.Key_0, CONTROL, alice.window)
    alice.hands.until(lambda: theme.zoom.percent == 100)
    assert alice.call(alice.bridge.engine.settings).zoom == 100


def test_the_setting_changes_it_with_its_own_dialog_open(desks: Desks, theme: Theme) -> None:
    alice = desks("alice")
    sheet = settings(alice)
    turn_to(alice, sheet, "zoom")
    field = sheet.rows["zoom"].control
    assert isinstance(field, NumberField)
    field.selectAll()
    alice.hands.type("200", field)
    alice.hands.press(Qt.Key.Key_Return, widget=field)
    alice.hands.until(lambda: theme.zoom.percent == 200)
    assert alice.sheet(SettingsSheet) is sheet
    screen = sheet.screen().availableGeometry()
    assert sheet.width() <= screen.width()
    assert alice.window.devicePixelRatio() == pytest.approx(2.0)
    alice.hands.until(lambda: Remembered(alice.folder).text("zoom") in {"", "200"})
    alice.close()
    assert Remembered(alice.folder).text("zoom") == "200"


def test_steps_lead_to_both_ends_and_stay_there() -> None:
    assert (STEPS[0], STEPS[-1]) == (ZOOM_MIN, ZOOM_MAX)
    assert step(100, +1) == 110
    assert step(105, -1) == 100
    assert step(ZOOM_MAX, +1) == ZOOM_MAX
    assert step(ZOOM_MIN, -1) == ZOOM_MIN


@pytest.mark.parametrize("text", ["", "0", "79", "201", "9999", "-100", "1e2", "²"])
def test_a_size_that_makes_no_sense_is_the_normal_one(text: str) -> None:
    assert bounded(text) == 100


@pytest.mark.parametrize(("own", "ratio"), [("", 1.5), ("2", 3.0), ("nonsense", 1.5)])
def test_it_holds_from_the_start(own: str, ratio: float) -> None:
    program = (
        "from messenger.gui.app import make_application; from PySide6.QtWidgets import QWidget;"
        "app = make_application(150); window = QWidget(); window.show(); print(window.devicePixelRatio())"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": own}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == ratio
