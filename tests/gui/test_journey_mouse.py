"""The same whole life by mouse: every control is pressed where it lies; keys only write words into fields."""

import re
from pathlib import Path

from PySide6.QtWidgets import QCompleter, QDialogButtonBox, QFileDialog, QLineEdit, QListWidget, QWidget

from messenger.core.models import MessageState
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import TransferState
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.empty import Tile
from messenger.gui.send_sheet import SendSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import Sheet
from messenger.gui.unlock import UnlockPage
from messenger.gui.verify_sheet import VerifySheet
from messenger.gui.widgets import IconButton
from tests.gui.conftest import Desks
from tests.gui.test_files import card, file, newest, stands
from tests.gui.test_first_run import arrived, first_run
from tests.gui.test_journey import PASSPHRASE, stored
from tests.helpers.gui import Desk
from tests.helpers.mouse import Mouse


class Sitting:
    """One person who moves a mouse.

    Args:
        desk: Where.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.hands, self.mouse = desk, desk.hands, Mouse(desk.hands)

    def write(self, field: QWidget, words: str) -> None:
        """Put the cursor into a field and type."""
        self.mouse.click(field)
        self.hands.until(field.hasFocus)
        self.hands.type(words)

    def press(self, name: str, inside: QWidget | None = None) -> None:
        """Press the button that is told by this name."""
        place = inside or self.desk.window
        self.mouse.click(
            next(
                part
                for part in place.findChildren(IconButton)
                if part.isVisible() and re.match(rf"{name}($|[:( ])", part.accessibleName())
            )
        )

    def person(self, name: str) -> None:
        """Turn to somebody in the list."""
        self.hands.until(lambda: self.desk.contact(name) is not None)
        rows = self.desk.page.sidebar.order.rows()
        place = next(n for n, row in enumerate(rows) if row.conversation.contact.title == name)
        self.mouse.click_row(self.desk.page.sidebar.list, self.desk.page.sidebar.order.index(place, 0))
        self.hands.until(lambda: self.desk.chat.conversation is not None)

    def closed(self, kind: type[Sheet]) -> None:
        self.hands.until(lambda: self.desk.no_sheet(kind))


def begin(alice: Sitting) -> None:
    page = first_run(alice.desk)
    alice.write(page.name, "Alice")
    alice.mouse.click(page.next_button)
    alice.write(page.first, PASSPHRASE)
    alice.write(page.second, PASSPHRASE)
    alice.mouse.click(page.create_button)
    alice.hands.until(lambda: arrived(alice.desk))


def connect(alice: Sitting, bob: Sitting) -> None:
    """Alice presses what the empty window offers first; Bob lets her in."""
    alice.mouse.click(alice.desk.page.empty.findChildren(Tile)[0])
    sheet = alice.desk.sheet(ConnectSheet)
    alice.write(sheet.field, bob.desk.address())
    alice.mouse.click(sheet.go_button)
    alice.hands.until(lambda: sheet.stage() == "question")
    alice.mouse.click(sheet.go_button)
    alice.hands.until(lambda: alice.desk.chat.conversation is not None)
    alice.closed(ConnectSheet)
    bob.desk.front()
    bob.person("Alice")
    bob.mouse.click(bob.desk.chat.gate.accept_button)
    bob.hands.until(bob.desk.chat.composer.isVisible)


def talk(alice: Sitting, bob: Sitting) -> None:
    for one, other, words in ((alice, bob, "the boat is ready"), (bob, alice, "so am I")):
        composer = one.desk.front().chat.composer
        one.write(composer.box, words)
        one.press("Send$", composer)
        other.hands.until(lambda words=words, other=other: other.desk.texts()[-1:] == [words])  # type: ignore[misc]
    alice.desk.front()
    alice.hands.until(lambda: alice.desk.chat.model.row(0).message.state is MessageState.READ)


def send_file(alice: Sitting, bob: Sitting, path: Path) -> None:
    """Alice attaches a file in the dialog of the system; Bob accepts it at its card."""
    alice.desk.front()
    alice.press("Send files")
    alice.mouse.choose("Files…")
    dialog = alice.desk.sheet(QFileDialog)
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    buttons = dialog.findChild(QDialogButtonBox)
    assert isinstance(name, QLineEdit)
    assert isinstance(buttons, QDialogButtonBox)
    name.setCompleter(QCompleter())  # the list of the other one may lie on the button
    alice.write(name, str(path))
    alice.mouse.click(buttons.button(QDialogButtonBox.StandardButton.Open))
    alice.hands.until(lambda: not alice.desk.no_sheet(SendSheet))
    sheet = alice.desk.sheet(SendSheet)
    alice.mouse.click(sheet.send_button)
    bob.desk.front()
    bob.hands.until(lambda: stands(bob.desk, TransferState.OFFERED))
    view = bob.desk.chat.view
    view.executeDelayedItemsLayout()
    bubble, corner = card(bob.desk)
    rect = next(rect for deed, rect in bubble.buttons if deed is FileDeed.ACCEPT)
    bob.mouse.click(view.viewport(), (corner + rect.center()).toPoint())
    for one in (alice, bob):
        one.hands.until(lambda one=one: stands(one.desk, TransferState.DONE))  # type: ignore[misc]


def verify(alice: Sitting) -> None:
    alice.desk.front()
    alice.press("Not verified")
    sheet = alice.desk.sheet(VerifySheet)
    alice.hands.until(lambda: "·" not in sheet.number())
    alice.mouse.click(sheet.confirm_button)
    alice.hands.until(lambda: (found := alice.desk.contact("Bob")) is not None and found.verified)
    alice.mouse.click(sheet.close_button)
    alice.closed(VerifySheet)


def search(alice: Sitting) -> None:
    """Everywhere, then in the conversation."""
    sidebar = alice.desk.front().page.sidebar
    alice.write(sidebar.search, "boat")
    alice.hands.until(sidebar.found.isVisible)
    view = sidebar.found
    alice.mouse.click_row(view, view.model().index(0, 0))
    alice.hands.until(lambda: alice.desk.chat.view.currentIndex().isValid())
    alice.press("Search in this conversation")
    alice.write(alice.desk.chat.search.field, "ready")
    alice.hands.until(lambda: "1" in alice.desk.chat.search.words())
    alice.mouse.click(alice.desk.chat.search.close_button)
    assert not alice.desk.chat.search.isVisible()


def page_of(alice: Sitting, pages: QListWidget, name: str) -> None:
    row = next(row for row in range(pages.count()) if pages.item(row).text() == name)
    alice.mouse.click_row(pages, pages.model().index(row, 0))


def change_a_setting(alice: Sitting) -> None:
    alice.press("Settings")
    sheet = alice.desk.sheet(SettingsSheet)
    page_of(alice, sheet.pages, "Privacy")
    alice.mouse.click(sheet.rows["read_receipts"].control)
    alice.hands.until(lambda: not stored(alice.desk).read_receipts)
    alice.mouse.click(sheet.done_button)
    alice.closed(SettingsSheet)


def unlock(one: Sitting) -> None:
    page = one.desk.window.pages.currentWidget()
    assert isinstance(page, UnlockPage)
    one.write(page.field, PASSPHRASE)
    one.mouse.click(page.open_button)
    one.hands.until(lambda: arrived(one.desk))


def test_from_the_first_start_to_the_next_one_by_mouse(desks: Desks, tmp_path: Path) -> None:
    alice, bob = Sitting(desks(None)), Sitting(desks("bob"))
    bob.desk.call(bob.desk.bridge.engine.set_download_folder, tmp_path / "got")
    alice.desk.front()
    begin(alice)
    connect(alice, bob)
    talk(alice, bob)
    send_file(alice, bob, file(tmp_path / "plan.bin", 1000))
    assert (tmp_path / "got" / "plan.bin").stat().st_size == 1000
    verify(alice)
    search(alice)
    change_a_setting(alice)
    alice.desk.front()
    alice.press("Lock")
    alice.hands.until(lambda: isinstance(alice.desk.window.pages.currentWidget(), UnlockPage))
    unlock(alice)
    alice.person("Bob")
    alice.hands.until(lambda: alice.desk.texts()[:2] == ["the boat is ready", "so am I"])
    alice.desk.window.close()  # its button belongs to the window manager
    alice.desk.close()
    again = Sitting(Desk(alice.hands, alice.desk.window._theme, alice.desk.folder))
    try:
        again.desk.start().front()
        unlock(again)
        again.person("Bob")
        again.hands.until(lambda: again.desk.texts()[:2] == ["the boat is ready", "so am I"])
        contact = again.desk.contact("Bob")
        assert contact is not None
        assert contact.verified
        assert newest(again.desk) is not None
        assert not stored(again.desk).read_receipts
    finally:
        again.desk.close()
