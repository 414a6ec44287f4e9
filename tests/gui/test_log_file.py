"""The log: as much as was chosen, at once, in one place, and nothing that is anybody's business."""

import ast
import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl

from messenger.core import window_limits
from messenger.core.settings import LogLevel, Settings
from messenger.core.transfers import TransferState
from messenger.engine.events import EngineFault
from messenger.gui import log_file
from messenger.gui.log_file import NAME, OLD, LogFile
from messenger.gui.remembered import Remembered
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.shortcuts_sheet import ShortcutsSheet
from messenger.gui.switches import Segments
from tests.conftest import LogGuard
from tests.gui.conftest import Desks
from tests.gui.test_app import program
from tests.gui.test_chat import meet, write
from tests.gui.test_files import file, offered, stands
from tests.gui.test_journey import tab_to
from tests.gui.test_settings import settings, stored, turn_to
from tests.gui.test_window import unlock
from tests.helpers.engines import prepare
from tests.helpers.gui import PATIENCE_MS, Desk, Hands
from tests.helpers.mouse import Mouse

OURS = logging.getLogger("messenger.test")
HOUSE = Path(log_file.__file__).parents[1]
SECRET = "the boat leaves at nine"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    made = LogFile(tmp_path)
    yield made
    made.close()


def written(folder: Path) -> str:
    """The whole log; after `LogFile.close`."""
    return "".join((folder / name).read_text() for name in (OLD, NAME) if (folder / name).exists())


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (LogLevel.OFF, []),
        (LogLevel.FAULTS, ["fault"]),
        (LogLevel.STEPS, ["step", "fault"]),
        (LogLevel.EVERYTHING, ["trifle", "step", "fault"]),
    ],
)
def test_as_much_as_was_chosen_from_that_moment_on(
    log: LogFile, tmp_path: Path, logs: LogGuard, level: LogLevel, expected: list[str]
) -> None:
    logs.expect("fault")
    log.choose(LogLevel.OFF)
    OURS.error("fault before")
    log.use(Settings(log=level))
    OURS.debug("trifle")
    OURS.info("step")
    OURS.warning("fault")
    log.choose(LogLevel.OFF)
    OURS.error("fault after")
    log.close()
    lines = written(tmp_path).splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == expected
    assert all(" messenger.test: " in line for line in lines)


def test_faults_are_written_unless_somebody_chose_otherwise(tmp_path: Path, logs: LogGuard) -> None:
    logs.expect("fault")
    for level in ("", "nonsense"):
        log = LogFile(tmp_path, level)
        OURS.info("step")
        OURS.error("fault")
        log.close()
    assert written(tmp_path).count("fault") == 2
    assert "step" not in written(tmp_path)


def test_an_error_is_told_by_its_kind_and_its_places(log: LogFile, tmp_path: Path, logs: LogGuard) -> None:
    logs.expect("it failed")
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as e:
            raise OSError(2, "no such file", f"/home/{SECRET}") from e
    except OSError:
        OURS.exception("it failed")
    log.close()
    text = written(tmp_path)
    assert "FileNotFoundError" in text
    assert "ValueError" in text
    assert "test_log_file.py:" in text
    assert SECRET not in text
    assert str(Path(__file__).parent) not in text


def test_what_other_libraries_say_is_not_written(log: LogFile, tmp_path: Path, logs: LogGuard) -> None:
    logs.expect(SECRET)
    logging.getLogger("zeroconf").warning("%s", SECRET)
    logging.getLogger("messengers").error(SECRET)
    log.close()
    text = written(tmp_path)
    assert "WARNING zeroconf: a message from test_log_file.py:" in text
    assert SECRET not in text


def test_one_record_is_one_line(log: LogFile, tmp_path: Path, logs: LogGuard) -> None:
    logs.expect("first")
    OURS.error("first\n2026-01-01 ERROR second\x1b[2J\u202e")
    log.close()
    assert len(written(tmp_path).splitlines()) == 1
    assert written(tmp_path).rstrip("\n").isprintable()


def test_it_does_not_grow_for_ever(
    log: LogFile, tmp_path: Path, logs: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.expect("fault")
    monkeypatch.setattr(window_limits, "LOG_MAX", 1000)
    for number in range(100):
        OURS.error("fault %d", number)
    log.close()
    sizes = [(tmp_path / name).stat().st_size for name in (NAME, OLD)]
    assert max(sizes) <= 1100
    assert "fault 99\n" in written(tmp_path)
    assert "fault 0\n" not in written(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME, OLD]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_nobody_else_may_read_it(log: LogFile, tmp_path: Path, logs: LogGuard) -> None:
    logs.expect("fault")
    before = os.umask(0)
    try:
        OURS.error("fault")
        log.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, logs: LogGuard) -> None:
    logs.expect("fault")
    log = LogFile(tmp_path / "nowhere")
    OURS.error("fault")
    log.close()
    assert not (tmp_path / "nowhere").exists()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    root, house = logging.getLogger(), logging.getLogger("messenger")
    before = list(root.handlers), house.level
    log = LogFile(tmp_path, LogLevel.EVERYTHING)
    log.close()
    assert (list(root.handlers), house.level) == before
    assert not (tmp_path / NAME).exists(), "nothing was written"


def test_a_whole_conversation_leaves_nothing_of_it_in_the_log(
    desks: Desks, tmp_path: Path, logs: LogGuard
) -> None:
    logs.expect("EngineFault: test, KeyError")
    alice, bob = desks("alice", passphrase="ladder rope"), desks("bob")
    unlock(alice, "ladder rope")
    log = LogFile(tmp_path, LogLevel.EVERYTHING)
    try:
        for desk in (alice, bob):
            desk.bridge.events.connect(log.take)
        meet(alice, bob)
        bob.call(bob.bridge.engine.set_download_folder, tmp_path / "got")
        write(alice.front(), SECRET)
        bob.hands.until(lambda: bob.texts() == [SECRET])
        offered(alice, bob, file(tmp_path / "passenger list.pdf", 100))
        transfer = bob.chat.model.transfer(bob.chat.model.row(1).message)
        assert transfer is not None
        bob.call(bob.bridge.engine.accept_files, transfer.id)
        alice.hands.until(lambda: stands(alice, TransferState.DONE))
        invite = alice.call(alice.bridge.engine.make_invite)
        alice.bridge.publish(EngineFault(where="test", error="KeyError"))
        alice.hands.until(lambda: "KeyError" in alice.page.notice.text())
        addresses = [bob.address(), str(alice.call(alice.bridge.engine.me).fingerprint)]
    finally:
        log.close()
    text = written(tmp_path)
    for told in ("online, ", "MessageAdded", "TransferChanged: done", "EngineFault: test, KeyError"):
        assert told in text, "so it is of use"
    private = [
        SECRET, "boat", "Alice", "Bob", "alice", "bob", "passenger", "pdf", "ladder", "127.0.0.1", invite,
        *addresses, addresses[0].rpartition(":")[2] + " ", str(tmp_path), Path.home().as_posix() + "/",
    ]  # fmt: skip
    assert [word for word in private if word in text] == []


def test_what_the_source_logs_are_sentences_and_kinds() -> None:
    """No value of a variable: only names of types and of tasks, reasons of the system, and files of ours."""
    harmless = {"__name__", "strerror", "get_name", "name", "value", "_where"}
    methods = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    wrong, seen = [], 0
    for path in sorted(HOUSE.rglob("*.py")):
        if path.parent.name == "relay" or path == Path(log_file.__file__):  # a program with a log of its own
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if not isinstance(node.func.value, ast.Name) or node.func.attr not in methods:
                continue
            if node.func.value.id not in {"_log", "log", "logging"}:
                continue
            seen += 1
            sentence, *values = node.args
            parts = [value.func if isinstance(value, ast.Call) else value for value in values]
            told = {part.attr if isinstance(part, ast.Attribute) else ast.unparse(part) for part in parts}
            if not isinstance(sentence, ast.Constant) or not told <= harmless:
                wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} {ast.unparse(node)}")
    assert wrong == []
    assert seen > 20


# --- in the settings ---


def advanced(desk: Desk) -> SettingsSheet:
    sheet = settings(desk)
    turn_to(desk, sheet, "log")
    return sheet


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_the_level_is_chosen_and_holds_at_once(desks: Desks, way: str, tmp_path: Path) -> None:
    alice = desks("alice").front()
    log = LogFile(tmp_path)
    alice.window.settled.connect(log.use)
    sheet = advanced(alice)
    control = sheet.rows["log"].control
    assert isinstance(control, Segments)
    assert control._buttons[LogLevel.FAULTS].isChecked()
    if way == "mouse":
        Mouse(alice.hands).click(control._buttons[LogLevel.STEPS])
    else:
        tab_to(alice, "What the log tells: Faults")
        alice.hands.press(Qt.Key.Key_Right)
    alice.hands.until(lambda: OURS.isEnabledFor(logging.INFO))
    OURS.info("step")
    assert stored(alice).log is LogLevel.STEPS
    log.close()
    assert "messenger.test: step" in written(tmp_path)
    alice.close()
    assert Remembered(alice.folder).text("log") == "steps", "for the time before the profile is open"


def test_it_says_where_the_log_is_and_what_is_never_in_it(desks: Desks) -> None:
    alice = desks("alice")
    sheet = advanced(alice)
    part, opened = sheet.advanced, []
    assert part.folder.text() == str(alice.folder)
    words = sheet.rows["log"].control.accessibleDescription()
    for never in ("messages", "names", "addresses", "file names", "keys", "passphrases", "not encrypted"):
        assert never in words

    def opens(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return len(opened) == 1

    part.opens = opens
    Mouse(alice.hands).click(part.open_button)
    assert opened == [str(alice.folder)]
    assert not sheet.notice.text()
    part.open_button.setFocus()
    alice.hands.press(Qt.Key.Key_Return)
    assert len(opened) == 2
    assert str(alice.folder) in sheet.notice.text(), "no program opens folders here"


def test_keys_can_be_looked_up_by_mouse(desks: Desks) -> None:
    alice = desks("alice")
    sheet = advanced(alice)
    Mouse(alice.hands).click(sheet.advanced.keys_button)
    keys = alice.sheet(ShortcutsSheet)
    assert alice.no_sheet(SettingsSheet)
    Mouse(alice.hands).click(keys.close_button)
    alice.hands.until(lambda: alice.no_sheet(ShortcutsSheet))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_the_program_writes_it_from_its_start_on(hands: Hands, tmp_path: Path) -> None:
    folder = prepare(tmp_path / "alice", "alice", log=LogLevel.STEPS)
    remembered = Remembered(folder)
    remembered.remember("log", "steps")
    remembered.save()
    with program(folder) as running:
        hands.bot.waitUntil(lambda: "ListeningChanged: yes" in written(folder), timeout=PATIENCE_MS)
        running.terminate()
        assert running.wait(PATIENCE_MS / 1000) == 0
    assert "alice" not in written(folder).lower()
    assert Remembered(folder).text("log") == "steps"
