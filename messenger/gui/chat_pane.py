"""One conversation: header, messages, and the composer or what stands in its place."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from messenger.core.errors import SottoError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Message, Standing
from messenger.gui.bridge import Bridge
from messenger.gui.chat_header import ChatHeader
from messenger.gui.composer import Composer
from messenger.gui.conversation_model import Row
from messenger.gui.gate import Gate
from messenger.gui.key_banner import KeyBanner
from messenger.gui.notice import Notice
from messenger.gui.sheet import ConfirmSheet, RenameSheet, TextSheet
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.timeline_view import TimelineView
from messenger.gui.timer_menu import TimerSheet
from messenger.gui.verify_sheet import VerifySheet
from messenger.storage.reader import Reader
from messenger.text import _

if TYPE_CHECKING:
    from messenger.engine.engine import Engine

Command = Callable[..., Coroutine[Any, Any, object]]


class ChatPane(QWidget):
    """Shows one conversation at a time; what was begun in the others is kept.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        reader: Where messages are read.
    """

    def __init__(self, theme: Theme, bridge: Bridge, reader: Reader) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme, self._bridge = theme, bridge
        self._row: Row | None = None
        self._drafts: dict[ConversationId, str] = {}
        self.header = ChatHeader(theme)
        self.notice = Notice(theme, around=True)
        self.keys = KeyBanner(theme)
        self._tasks = Tasks(self.notice.error)
        self.model = TimelineModel(reader, self)
        self.view = TimelineView(theme, self.model)
        self.composer = Composer(theme)
        self.gate = Gate(theme)
        footer = QWidget()
        footer.setObjectName("chatFooter")
        footer.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        parts = QVBoxLayout(footer)
        parts.setContentsMargins(0, 0, 0, 0)
        parts.addWidget(self.composer)
        parts.addWidget(self.gate)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.notice)
        column.addWidget(self.keys)
        column.addWidget(self.view, 1)
        column.addWidget(footer)
        self._wire()

    def _wire(self) -> None:
        self.composer.submitted.connect(self._on_submitted)
        self.view.seen.connect(self._on_seen)
        self.view.link_clicked.connect(self._on_link)
        self.view.full_text_asked.connect(self._on_full_text)
        self.view.retry_asked.connect(self._on_retry)
        self.gate.accepted.connect(lambda: self._order(lambda engine: engine.accept))
        self.gate.blocked.connect(self._on_block)
        self.gate.unblocked.connect(lambda: self._order(lambda engine: engine.unblock))
        self.gate.deleted.connect(self._on_delete)
        self.keys.compare_asked.connect(self._on_verify)
        self.keys.trusted.connect(lambda: self._order(lambda engine: engine.trust_key))
        header = self.header
        header.verify_asked.connect(self._on_verify)
        header.rename_asked.connect(self._on_rename)
        header.block_asked.connect(self._on_block)
        header.unblock_asked.connect(self.gate.unblocked)
        header.disconnect_asked.connect(lambda: self._order(lambda engine: engine.disconnect))
        header.reconnect_asked.connect(lambda: self._order(lambda engine: engine.reconnect))
        header.delete_asked.connect(self._on_delete)
        header.timer_chosen.connect(lambda seconds: self._order(lambda engine: engine.set_timer, seconds))
        header.timer_asked.connect(self._on_timer_asked)

    @property
    def conversation(self) -> ConversationId | None:
        """The conversation that is shown."""
        return None if self._row is None else self._row.conversation.id

    def open(self, row: Row | None, *, namesake: bool = False) -> None:
        """Show a conversation.

        Args:
            row: Which, as the list knows it; None for none.
            namesake: Another contact has the same name.
        """
        if self._row is not None:
            self._drafts[self._row.conversation.id] = self.composer.text()
        self._row = row
        self.notice.clear()
        if row is None:
            self.model.open(None)
            return
        self.refresh(row, namesake=namesake)
        self.composer.load(self._drafts.get(row.conversation.id, ""))
        self.model.open(row.conversation.id, row.conversation.contact.title)

    def refresh(self, row: Row, *, namesake: bool = False) -> None:
        """Something about the conversation that is shown changed, other than its messages.

        Args:
            row: As it is now.
            namesake: Another contact has the same name.
        """
        self._row = row
        contact = row.conversation.contact
        self.header.show_contact(contact, row.presence)
        self.keys.show_contact(contact, namesake=namesake)
        self.model.set_title(contact.title)
        open_gate = contact.standing is Standing.ACCEPTED
        if open_gate:
            waits = _("{name} has not accepted you yet. They see what you write as a message request.")
            self.composer.hint(waits.format(name=contact.title) if contact.awaiting else "")
        else:
            self.gate.show_contact(contact)
        self.composer.setVisible(open_gate)
        self.composer.setEnabled(not contact.held)
        self.gate.setVisible(not open_gate)

    def take_cursor(self) -> None:
        """Put the cursor where the person goes on: where one writes, or before the messages of a stranger."""
        (self.view if self.composer.isHidden() else self.composer).setFocus()

    def arrived(self, messages: list[Message]) -> None:
        """Messages of any conversations were stored."""
        mine = [message for message in messages if message.conversation == self.conversation]
        if mine:
            self.view.arrived(mine)

    def changed(self, message: Message) -> None:
        """The state of a message changed."""
        if message.conversation == self.conversation:
            self.model.change(message)

    def vanished(self, conversation: ConversationId, ids: tuple[MessageId, ...]) -> None:
        """Messages have disappeared."""
        if conversation != self.conversation:
            return
        self.view.vanished(ids)
        for sheet in self.window().findChildren(TextSheet):
            if sheet.about in ids:
                sheet.reject()

    def stop(self) -> None:
        """End what is still running, because the window closes."""
        self._tasks.cancel()

    @Slot(str)
    def _on_submitted(self, text: str) -> None:
        if self._row is not None:
            self._tasks.start(self._send(self._row.conversation.id, text), name="send a message")

    async def _send(self, conversation: ConversationId, text: str) -> None:
        try:
            await self._bridge.call(self._bridge.engine.send_text, conversation, text)
        except SottoError as e:
            if conversation == self.conversation:
                self.composer.refused(e)
                return
            raise
        if conversation == self.conversation:
            self.composer.sent()
        else:
            self._drafts[conversation] = self._drafts.get(conversation, "").removeprefix(text)

    @Slot(object)
    def _on_seen(self, position: int) -> None:
        self._order(lambda engine: engine.mark_read, position)

    @Slot(object)
    def _on_retry(self, message: Message) -> None:
        self._order(lambda engine: engine.retry, message.id)

    @Slot()
    def _on_block(self) -> None:
        if (contact := self._contact()) is None:
            return
        title = _("Block {name}?").format(name=contact.title)
        words = _("They can no longer reach you, and messages that still wait for them are not sent.")
        sheet = ConfirmSheet(self.window(), self._theme, title, words, _("Block"))
        sheet.accepted.connect(lambda: self._order(lambda engine: engine.block))
        sheet.open()

    @Slot()
    def _on_delete(self) -> None:
        if (contact := self._contact()) is None:
            return
        title = _("Delete the conversation with {name}?").format(name=contact.title)
        words = _("All messages and the contact are removed from this computer. Nobody can bring them back.")
        sheet = ConfirmSheet(self.window(), self._theme, title, words, _("Delete"))
        sheet.accepted.connect(lambda: self._order(lambda engine: engine.delete_conversation))
        sheet.open()

    @Slot()
    def _on_rename(self) -> None:
        if (contact := self._contact()) is not None:
            sheet = RenameSheet(self.window(), self._theme, contact.name, contact.alias)
            sheet.renamed.connect(lambda alias: self._order(lambda engine: engine.rename, alias))
            sheet.open()

    @Slot()
    def _on_verify(self) -> None:
        if (contact := self._contact()) is not None:
            VerifySheet(self.window(), self._theme, self._bridge, contact).open()

    @Slot(object)
    def _on_full_text(self, message: Message) -> None:
        sheet = TextSheet(self.window(), self._theme, self.model.author(message), message.text)
        sheet.about = message.id
        sheet.open()

    @Slot()
    def _on_timer_asked(self) -> None:
        if (contact := self._contact()) is not None:
            sheet = TimerSheet(self.window(), self._theme, contact.timer)
            sheet.chosen.connect(self.header.timer_chosen)
            sheet.open()

    @Slot(str)
    def _on_link(self, link: str) -> None:
        if not QDesktopServices.openUrl(QUrl(link)):
            self.notice.say(
                _("No program here opens web links. Copy it from the menu of the message."), "warning"
            )

    def _order(self, pick: Callable[["Engine"], Command], *args: object) -> None:
        """Have the engine do something with the conversation that is shown.

        Args:
            pick: Chooses the method.
            args: Its arguments after the conversation.
        """
        if self._row is not None:
            self._tasks.start(self._obey(pick, self._row.conversation.id, *args), name="order to the engine")

    async def _obey(self, pick: Callable[["Engine"], Command], *args: object) -> None:
        await self._bridge.call(pick(self._bridge.engine), *args)

    def _contact(self) -> Contact | None:
        return None if self._row is None else self._row.conversation.contact
