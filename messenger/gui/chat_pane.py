"""One conversation: header, messages, and the composer or what stands in its place."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Message, Standing
from messenger.core.words import phrases_of
from messenger.gui.bridge import Bridge
from messenger.gui.chain_line import ChainLine
from messenger.gui.chat_deeds import ChatDeeds
from messenger.gui.chat_files import ChatFiles
from messenger.gui.chat_header import ChatHeader
from messenger.gui.chat_search import ChatSearch
from messenger.gui.composer import Composer
from messenger.gui.contact_panel import PanelSheet
from messenger.gui.conversation_model import Row
from messenger.gui.drafts import Drafts
from messenger.gui.entries import Entry, Item
from messenger.gui.gate import Gate
from messenger.gui.key_banner import KeyBanner
from messenger.gui.notice import Notice
from messenger.gui.orders import Orders
from messenger.gui.own_words import OwnWords
from messenger.gui.relay_banner import RelayBanner
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.timeline_view import TimelineView
from messenger.gui.writing import Typing
from messenger.storage.reader import Reader
from messenger.text import _


class ChatPane(QWidget):
    """Shows one conversation at a time; what was begun in the others is kept.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        reader: Where messages are read.
        drafts: What was begun, if another pane has it; else of its own.
        typing: Who writes, likewise.
        words: How they are spelt, likewise.
    """

    info_asked = Signal()
    """The person wants to see more about the contact."""

    window_asked = Signal()
    """The person wants to have this conversation in a window of its own."""

    def __init__(
        self,
        theme: Theme,
        bridge: Bridge,
        reader: Reader,
        drafts: Drafts | None = None,
        typing: Typing | None = None,
        words: OwnWords | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme, self._bridge, self._reader = theme, bridge, reader
        self._row: Row | None = None
        self.apart = False
        """It stands in a window of its own."""
        self.header = ChatHeader(theme)
        self.notice = Notice(theme, around=True)
        self.keys = KeyBanner(theme)
        self._tasks = Tasks(self.notice.error)
        self.relays = RelayBanner(theme, bridge, self._tasks)
        self.orders = Orders(self, theme, bridge, self._tasks)
        self.chain = ChainLine(theme)
        self.search = ChatSearch(theme, bridge, self._tasks)
        self.model = TimelineModel(reader, self)
        self.view = TimelineView(theme, self.model)
        self.words = words or OwnWords(self, bridge, self._tasks)
        self._has_words = words is None
        self.composer = Composer(theme, self.words.speller)
        self.gate = Gate(theme)
        begun = drafts or Drafts(bridge), typing or Typing(bridge)
        self.deeds = ChatDeeds(
            self, theme, bridge, reader, self._tasks, self.notice, self.composer, self.view, *begun
        )
        self.files = ChatFiles(
            self, theme, bridge, reader, self._tasks, self.notice, self.composer, self.view
        )
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
        for part in (self.header, self.search, self.notice, self.keys, self.relays, self.chain):
            column.addWidget(part)
        column.addWidget(self.view, 1)
        column.addWidget(footer)
        self._wire()

    def _wire(self) -> None:
        self.view.seen.connect(self._on_seen)
        self.view.quote_clicked.connect(self._on_quote)
        self.view.typed.connect(self._on_typed)
        self.search.hit.connect(self._on_hit)
        self.search.sought.connect(self._on_sought)
        self.deeds.typing.changed.connect(self._on_typing)
        self.orders.done.connect(self.notice.say)
        orders, gate, header = self.orders, self.gate, self.header
        gate.accepted.connect(lambda: self._with(orders.accept))
        gate.blocked.connect(lambda: self._with(orders.block))
        gate.unblocked.connect(lambda: self._with(orders.unblock))
        gate.deleted.connect(lambda: self._with(orders.delete))
        self.keys.compare_asked.connect(lambda: self._with(orders.verify))
        self.keys.trusted.connect(lambda: self._with(orders.trust))
        self.relays.known.connect(header.show_relays)
        header.verify_asked.connect(lambda: self._with(orders.verify))
        header.search_asked.connect(self.search.begin)
        header.info_asked.connect(self.info_asked)
        header.entries = self.entries

    @property
    def conversation(self) -> ConversationId | None:
        """The conversation that is shown."""
        return None if self._row is None else self._row.conversation.id

    def entries(self) -> list[Item | None]:
        """The menu of the conversation that is shown."""
        if self._row is None:
            return []
        here: list[Item | None] = [
            Entry("info", _("Contact info"), self.info_asked.emit),
            Entry("search", _("Search…"), self.search.begin),
            Entry("calendar", _("Jump to a date…"), self.ask_date),
            Entry("down", _("Jump to the first unread message"), self.to_unread),
        ]
        if not self.apart:
            here.append(Entry("apart", _("Open in a window of its own"), self.window_asked.emit))
        here.append(None)
        return here + self.orders.entries(self._row)

    def open(self, row: Row | None, *, namesake: bool = False) -> None:
        """Show a conversation.

        Args:
            row: Which, as the list knows it; None for none.
            namesake: Another contact has the same name.
        """
        self._row = row
        self.notice.clear()
        conversation = None if row is None else row.conversation.id
        title = "" if row is None else row.conversation.contact.title
        self.search.turn_to(conversation)
        self.relays.show_contact(None)
        self.deeds.turn_to(conversation, title)
        self.files.turn_to(conversation, title)
        if row is not None:
            self.refresh(row, namesake=namesake)
        self.model.open(conversation, title)
        self.view.show_unread(0 if row is None else row.conversation.unread)

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
        self.relays.show_contact(contact)
        self.header.show_typing(self.deeds.typing.writes(contact.id))
        self.chain.show_conversation(row.conversation)
        self.view.show_unread(row.conversation.unread)
        for sheet in self.window().findChildren(PanelSheet):
            sheet.refresh(row)
        self.model.set_title(contact.title)
        self.deeds.rename(contact.title)
        self.files.rename(contact.title, able=contact.standing is Standing.ACCEPTED and not contact.held)
        open_gate = contact.standing is Standing.ACCEPTED
        self.view.answerable = open_gate
        if open_gate:
            waits = _("{name} has not accepted you yet. They see what you write as a message request.")
            self.composer.hint(waits.format(name=contact.title) if contact.awaiting else "")
        else:
            self.gate.show_contact(contact)
        gone = self.gate if open_gate else self.composer
        cursor = QApplication.focusWidget()
        held = cursor is not None and gone.isAncestorOf(cursor)
        self.composer.setVisible(open_gate)
        self.composer.setEnabled(not contact.held)
        self.gate.setVisible(not open_gate)
        if held:
            self.take_cursor()

    def take_cursor(self) -> None:
        """Put the cursor where the person goes on: where one writes, or before the messages of a stranger."""
        (self.view if self.composer.isHidden() else self.composer).setFocus()

    @Slot(str)
    def _on_typed(self, text: str) -> None:
        """Who types while the cursor is in the messages wants to write."""
        if self.composer.isVisible() and self.composer.isEnabled():
            self.composer.write(text)

    def leave_step(self) -> bool:
        """End the nearest thing that was begun here, a search or an answer; whether there was one."""
        if self.search.end():
            self.take_cursor()
            return True
        if self.composer.leave_bar():
            return True
        if self.notice.text():
            self.notice.clear()
            return True
        return False

    def arrived(self, messages: list[Message]) -> None:
        """Messages of any conversations were stored."""
        for message in messages:
            if not message.outgoing:
                self.deeds.typing.ended(message.conversation)
        mine = [message for message in messages if message.conversation == self.conversation]
        if mine:
            self.view.arrived(mine)

    def changed(self, message: Message) -> None:
        """The state of a message changed, or what was done to it."""
        if message.conversation == self.conversation:
            self.model.change(message)
            self.deeds.changed(message)

    def removed(self, conversation: ConversationId) -> None:
        """Messages of a conversation are gone from the database."""
        if conversation == self.conversation:
            self.view.reread()
            self.deeds.removed()
        self.files.book.forget(conversation)

    def show_message(self, message: Message) -> None:
        """Show a message of this conversation with what stands around it."""
        if not self.view.show_position(message.position):
            self.notice.say(_("This message is not here any more."), "info")

    @Slot()
    def to_unread(self) -> None:
        """Show the first unread message, or the first that was when the conversation was opened."""
        if self.conversation is None:
            return
        place = self.model.unread_place()
        position = self._reader.first_unread(self.conversation)
        if position is None and place is not None:
            position = self.model.row(place).message.position
        if position is None:
            self.view.to_end()
        else:
            self.view.show_position(position)

    @Slot()
    def ask_date(self) -> None:
        """Ask for a day, and show the first message of it or after it."""
        if self.conversation is None:
            return
        first = self._reader.messages(self.conversation, after=0, count=1)
        if first:
            from messenger.gui.message_sheets import DateSheet

            sheet = DateSheet(self.window(), self._theme, first[0].stored_ms)
            sheet.chosen.connect(self.to_date)
            sheet.open()

    @Slot(object)
    def to_date(self, at_ms: int) -> None:
        """Show the first message of a time (Unix milliseconds) or after it; the last if there is none."""
        if self.conversation is None:
            return
        position = self._reader.position_at(self.conversation, at_ms)
        if position is None:
            self.view.to_end()
        else:
            self.view.show_position(position)

    def vanished(self, conversation: ConversationId, ids: tuple[MessageId, ...]) -> None:
        """Messages have disappeared."""
        self.files.book.forget(conversation)
        if conversation != self.conversation:
            return
        self.view.vanished(ids)
        self.deeds.vanished(ids)

    def stop(self) -> None:
        """End what is still running, because the window closes."""
        self.files.stop()
        self.relays.stop()
        self._tasks.close()
        if self._has_words:
            self.words.forget()

    @Slot(object)
    def _on_seen(self, position: int) -> None:
        if self.conversation is not None:
            work = self._bridge.call(self._bridge.engine.mark_read, self.conversation, position)
            self._tasks.start(work, name="order to the engine")

    @Slot(object)
    def _on_quote(self, message: Message) -> None:
        if message.reply_to is not None:
            answered = self._reader.message(message.conversation, message.reply_to)
            if answered is not None:
                self.show_message(answered)

    @Slot(object)
    def _on_hit(self, message: Message) -> None:
        if message.conversation == self.conversation:
            self.show_message(message)

    @Slot(str)
    def _on_sought(self, text: str) -> None:
        self.view.mark_words(tuple(phrases_of(text)))

    @Slot(object, bool)
    def _on_typing(self, conversation: ConversationId, typing: bool) -> None:
        if conversation == self.conversation:
            self.header.show_typing(typing)

    def _with(self, act: Callable[[Contact], object]) -> None:
        if self._row is not None:
            act(self._row.conversation.contact)
