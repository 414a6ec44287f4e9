"""Windows in memory, or on the display that is there; one loop that Qt turns; one theme."""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import PySide6  # noqa: F401 -- before qasync
import qasync
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from messenger.core import limits
from messenger.core.settings import Theme as Choice
from messenger.core.spelling import Spelling
from messenger.gui import engine_thread, notice, timeline_scroll
from messenger.gui.app import make_loop
from messenger.gui.collector import Collector
from messenger.gui.composer import Composer
from messenger.gui.speller import Speller
from messenger.gui.theme import Theme
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.timeline_view import TimelineView
from tests.helpers.engines import prepare
from tests.helpers.gui import PATIENCE_MS, Desk, Hands
from tests.helpers.history import History
from tests.helpers.patience import LIMITS, PATIENCE

_IGNORED = r"This plugin does not support|systemTrayWindowChanged"
"""What Qt says when it draws into memory: no window manager takes hints, no grabbed keyboard, no tray."""

Desks = Callable[..., Desk]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.qt_log_ignore(_IGNORED, extend=True))


@pytest.fixture(scope="session")
def turned_loop(qapp: QApplication) -> Iterator[qasync.QEventLoop]:
    Collector(qapp)
    qapp.setQuitOnLastWindowClosed(False)
    loop = make_loop(qapp)
    loop.run_until_complete(asyncio.to_thread(int))  # its thread is there before a test looks for new ones
    yield loop
    QApplication.clipboard().clear()  # in memory it would let go of it when there is no Python any more
    loop.close()


@pytest.fixture(autouse=True)
def nothing_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes away by itself stays until it was looked at; who greets or ends may take their time."""
    monkeypatch.setattr(notice, "_INFO_MS", PATIENCE_MS)
    monkeypatch.setattr(timeline_scroll, "_FLASH_MS", PATIENCE_MS)
    monkeypatch.setattr(engine_thread, "_GRACE", PATIENCE)
    for name in LIMITS:
        monkeypatch.setattr(limits, name, PATIENCE)


@pytest.fixture
def hands(qtbot: QtBot, turned_loop: qasync.QEventLoop) -> Iterator[Hands]:
    asyncio._set_running_loop(turned_loop)
    yield Hands(qtbot, turned_loop)
    left = [task for task in asyncio.all_tasks(turned_loop) if not task.done()]
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    asyncio._set_running_loop(None)
    assert not left, f"tasks left running: {left}"
    assert not gc.isenabled(), "from now on any thread would take widgets away"


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, Choice.LIGHT)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path)
    yield made
    made.close()


@pytest.fixture
def view(qtbot: QtBot, hands: Hands, theme: Theme, history: History) -> Iterator[TimelineView]:
    """A conversation that is shown by itself, of a database without an engine."""
    made = TimelineView(theme, TimelineModel(history.reader))
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    made.activateWindow()
    hands.until(made.isActiveWindow)
    yield made
    made._model.open(None)


@pytest.fixture
def desks(hands: Hands, theme: Theme, tmp_path: Path) -> Iterator[Desks]:
    """Makes windows: ``desks("alice")`` on a finished profile, ``desks(None)`` on a new one."""
    made: list[Desk] = []

    def make(
        who: str | None, passphrase: str | None = None, *, start: bool = True, **settings: object
    ) -> Desk:
        folder = tmp_path / f"{who or 'new'}{len(made)}"
        if who is None:
            folder.mkdir()
        else:
            prepare(folder, who, passphrase, **settings)
        desk = Desk(hands, theme, folder)
        made.append(desk)
        return desk.start() if start else desk

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def speller(hands: Hands) -> Iterator[Speller]:
    made = Speller()
    made.wanted.connect(lambda: made.use(Spelling(("en_US",))))
    yield made
    made.forget()
    hands.until(lambda: not made.busy)


@pytest.fixture
def composer(qtbot: QtBot, hands: Hands, theme: Theme, speller: Speller) -> Composer:
    made = Composer(theme, lambda: speller)
    made.spelling._late.setInterval(PATIENCE_MS)  # a busy machine is not what these tests are about
    qtbot.addWidget(made)
    made.resize(600, made.sizeHint().height())
    made.show()
    made.activateWindow()
    hands.until(made.isActiveWindow)
    made.setFocus()
    return made
