"""What a person can do with the conversations while they are shown; `messenger.gui.commands` has the keys."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from messenger.core.ids import ConversationId
from messenger.core.transfers import Transfer
from messenger.gui.bridge import Bridge
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.theme import Theme


class PageCommands(QObject):
    """Each does nothing while there is no page.

    Args:
        window: The window that the dialogs belong to.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    def __init__(self, window: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(window)
        self._window, self._theme, self._bridge = window, theme, bridge
        self.page: ConversationsPage | None = None
        """The conversations, while they can be seen."""

    @Slot()
    def search(self) -> None:
        """Put the cursor where people and messages are sought."""
        if self.page is not None:
            self.page.show_list()
            self.page.sidebar.search.setFocus()
            self.page.sidebar.search.selectAll()

    @Slot()
    def find(self) -> None:
        """Search in the conversation that is shown."""
        if self.page is not None and self.page.chat.conversation is not None:
            self.page.chat.search.begin()

    @Slot()
    def switch(self) -> None:
        """Ask for a conversation by a few letters."""
        if self.page is not None:
            rows = self.page.model.latest_first()
            from messenger.gui.switcher import Switcher

            sheet = Switcher(self._window, self._theme, rows)
            sheet.chosen.connect(self.page.show_conversation)
            sheet.open()

    @Slot()
    def ask_date(self) -> None:
        """Ask for a day."""
        if self.page is not None:
            self.page.chat.ask_date()

    @Slot()
    def to_unread(self) -> None:
        """Jump to the first unread message."""
        if self.page is not None:
            self.page.chat.to_unread()

    @Slot()
    def show_info(self) -> None:
        """Show more about the contact, or hide it."""
        if self.page is not None:
            self.page.toggle_panel()

    @Slot()
    def take_apart(self) -> None:
        """Give the conversation a window of its own."""
        if self.page is not None:
            self.page.windows.take_shown()

    @Slot()
    def show_transfers(self) -> None:
        """List the transfers of all conversations."""
        if self.page is not None:
            from messenger.gui.transfers_sheet import TransfersSheet

            page, files = self.page, self.page.chat.files

            def name_of(conversation: ConversationId) -> str:
                row = page.model.row(conversation)
                return "" if row is None else row.conversation.contact.title

            sheet = TransfersSheet(
                self._window, self._theme, self._bridge, files.book, files.pictures, name_of
            )
            sheet.message_asked.connect(self._on_transfer)
            sheet.open()

    @Slot(object)
    def _on_transfer(self, transfer: Transfer) -> None:
        """Show the message that offers files."""
        if self.page is not None:
            self.page.show_conversation(transfer.conversation)
            self.page.chat.files.show(transfer)

    def step(self, by: int) -> None:
        """Choose another conversation of the list.

        Args:
            by: How many rows further down.
        """
        if self.page is not None:
            self.page.sidebar.step(by)

    @Slot()
    def leave(self) -> None:
        """Esc ends the nearest thing: a search, an answer, a message in the bar, the conversation."""
        if self.page is None or self.page.chat.leave_step():
            return
        if self.page.sidebar.search.text():
            self.page.sidebar.search.clear()
        elif self.page.notice.text():
            self.page.notice.clear()
        else:
            self.page.leave_conversation()
