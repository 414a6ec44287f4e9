"""The dialogs about relays that a person opens from the window, and what is said when they lead somewhere."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from messenger.gui.bridge import Bridge
from messenger.gui.conversations_page import ConversationsPage
from messenger.gui.theme import Theme


class RelayDialogs(QObject):
    """Opens them over one window.

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

    @Slot(str)
    def add(self, link: str) -> None:
        """Offer to use the relay of a link."""
        from messenger.gui.add_relay_sheet import AddRelaySheet

        AddRelaySheet(self._window, self._theme, self._bridge, link.strip()).open()

    @Slot()
    def find_people(self) -> None:
        """Show the directory of a relay."""
        from messenger.gui.directory_sheet import DirectorySheet

        sheet = DirectorySheet(self._window, self._theme, self._bridge)
        if self.page is not None:
            sheet.chosen.connect(self.page.show_conversation)
        sheet.open()

    @Slot(str)
    def say_left(self, words: str) -> None:
        """Say in the conversation that is shown where what is written waits."""
        if self.page is not None:
            self.page.chat.notice.say(words)
