"""What is done with single messages of the conversation that is shown: write, answer, change, delete."""

from collections.abc import Collection

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from messenger.core import limits
from messenger.core.errors import SottoError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Draft, Message
from messenger.gui import content
from messenger.gui.bridge import Bridge
from messenger.gui.composer import Composer
from messenger.gui.drafts import Drafts
from messenger.gui.message_menu import Deed, editable
from messenger.gui.notice import Notice
from messenger.gui.sheet import Sheet, TextSheet
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.timeline_view import TimelineView
from messenger.gui.writing import Typing
from messenger.storage.reader import Reader
from messenger.text import _


class ChatDeeds(QObject):
    """Binds composer and messages to the engine.

    Args:
        home: The pane; dialogs belong to its window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        reader: Where messages are read.
        tasks: Runs what is begun, and reports errors.
        notice: Says what went wrong.
        composer: Where messages are written.
        view: Where they are shown.
        drafts: What was begun.
        typing: Who writes.
    """

    invite_clicked = Signal(str)
    """A link to somebody was clicked, and shall be followed."""

    def __init__(
        self,
        home: QWidget,
        theme: Theme,
        bridge: Bridge,
        reader: Reader,
        tasks: Tasks,
        notice: Notice,
        composer: Composer,
        view: TimelineView,
        drafts: Drafts,
        typing: Typing,
    ) -> None:
        super().__init__(home)
        self._home, self._theme, self._bridge, self._reader = home, theme, bridge, reader
        self._tasks, self._notice, self._composer, self._view = tasks, notice, composer, view
        self._conversation: ConversationId | None = None
        self._title = ""
        self.drafts, self.typing = drafts, typing
        composer.submitted.connect(self._on_submitted)
        composer.typed.connect(self._on_typed)
        composer.last_asked.connect(self._on_last)
        view.deed_asked.connect(self._on_deed)
        view.full_text_asked.connect(self._on_full_text)
        view.retry_asked.connect(self._on_retry)
        view.link_clicked.connect(self._on_link)

    def turn_to(self, conversation: ConversationId | None, title: str) -> None:
        """Another conversation is shown from now on; what was begun in it is put into the composer.

        Args:
            conversation: Which, or None.
            title: The name of the other person.
        """
        self.drafts.flush()
        self._conversation, self._title = conversation, title
        if conversation is None:
            self._composer.load("")
            return
        draft = self.drafts.get(conversation)
        self._composer.load(draft.text)
        if draft.reply_to is not None:
            answered = self._reader.message(conversation, draft.reply_to)
            if answered is not None and not answered.deleted:
                self._composer.bar.show_reply(answered, self._author(answered))

    def rename(self, title: str) -> None:
        """The other person is called differently from now on."""
        self._title = title

    def changed(self, message: Message) -> None:
        """A message is another one: nobody goes on to answer or change one that was deleted."""
        bar = self._composer.bar
        if message.deleted and message.id in {part.id for part in (bar.reply, bar.editing) if part}:
            self._composer.leave_bar()

    def removed(self) -> None:
        """Messages are gone from here: none of them is answered or changed any more."""
        for part in (self._composer.bar.reply, self._composer.bar.editing):
            if part is not None and self._reader.message(part.conversation, part.id) is None:
                self._composer.leave_bar()

    def vanished(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared: dialogs about them close."""
        for sheet in self._home.window().findChildren(Sheet):
            if sheet.about in ids:
                sheet.reject()
        self.removed()

    def _show(self, sheet: Sheet, message: Message) -> None:
        sheet.about = message.id
        sheet.open()

    @Slot(str)
    def _on_submitted(self, text: str) -> None:
        if self._conversation is None:
            return
        bar = self._composer.bar
        if bar.editing is not None:
            work = self._edit(self._conversation, bar.editing.id, text)
        else:
            work = self._send(self._conversation, text, bar.reply.id if bar.reply is not None else None)
        self._tasks.start(work, name="send a message")

    async def _send(self, conversation: ConversationId, text: str, reply_to: MessageId | None) -> None:
        try:
            await self._bridge.call(self._bridge.engine.send_text, conversation, text, reply_to)
        except SottoError as e:
            if conversation == self._conversation:
                self._composer.refused(e)
                return
            raise
        self.typing.told()
        if conversation == self._conversation:
            self._composer.sent()
            self._note()
        else:
            left = self.drafts.get(conversation).text.removeprefix(text)
            self.drafts.note(conversation, Draft(left))

    async def _edit(self, conversation: ConversationId, message: MessageId, text: str) -> None:
        try:
            await self._bridge.call(self._bridge.engine.edit, conversation, message, text)
        except SottoError as e:
            if conversation == self._conversation:
                self._composer.refused(e)
                return
            raise
        editing = self._composer.bar.editing
        if editing is not None and editing.id == message:
            self._composer.edited()

    @Slot()
    def _on_typed(self) -> None:
        if self._conversation is None or self._composer.bar.editing is not None:
            return
        self._note()
        if self._composer.text():
            self.typing.tell(self._conversation)

    def _note(self) -> None:
        """Keep as a draft what stands in the composer."""
        if self._conversation is not None:
            reply = self._composer.bar.reply
            draft = Draft(self._composer.text(), reply.id if reply is not None else None)
            self.drafts.note(self._conversation, draft)

    @Slot()
    def _on_last(self) -> None:
        """Change the last message of ours, if it is one of the latest."""
        if self._conversation is None:
            return
        for message in reversed(self._reader.messages(self._conversation, count=limits.PAGE)):
            if editable(message):
                self._composer.begin_edit(message)
                return

    @Slot(object, object, str)
    def _on_deed(self, deed: Deed, message: Message, emoji: str) -> None:
        if message.notice:
            return
        answerable = self._view.answerable and not message.deleted
        match deed:
            case Deed.REPLY if answerable:
                self._composer.begin_reply(message, self._author(message))
            case Deed.EDIT if answerable and editable(message):
                self._composer.begin_edit(message)
            case Deed.REACT if answerable:
                self._react(message, emoji)
            case Deed.PICK if answerable:
                from messenger.gui.emoji_picker import EmojiPicker

                picker = EmojiPicker(self._home, self._theme)
                picker.picked.connect(lambda picked: self._react(message, picked))
                picker.open_at(self._view.bubble_on_screen(message))
            case Deed.DELETE:
                self._ask_delete(message)
            case Deed.INFO:
                from messenger.gui.message_sheets import InfoSheet

                moments = self._reader.moments(message.conversation, message.id)
                author = self._author(message)
                self._show(InfoSheet(self._home.window(), self._theme, message, author, moments), message)
            case _:
                pass  # what cannot be done with this message; keys ask for it all the same

    def _react(self, message: Message, emoji: str) -> None:
        work = self._bridge.call(self._bridge.engine.react, message.conversation, message.id, emoji)
        self._tasks.start(work, name="react to a message")

    def _ask_delete(self, message: Message) -> None:
        from messenger.gui.message_sheets import DeleteSheet

        both = self._view.answerable
        sheet = DeleteSheet(self._home.window(), self._theme, message, self._title, both=both)
        sheet.chosen.connect(lambda for_both: self._delete(message, for_both))
        self._show(sheet, message)

    def _delete(self, message: Message, for_both: bool) -> None:
        delete = self._bridge.engine.delete_message
        work = self._bridge.call(delete, message.conversation, message.id, for_both=for_both)
        self._tasks.start(work, name="delete a message")

    @Slot(object)
    def _on_retry(self, message: Message) -> None:
        work = self._bridge.call(self._bridge.engine.retry, message.conversation, message.id)
        self._tasks.start(work, name="send a message again")

    @Slot(object)
    def _on_full_text(self, message: Message) -> None:
        author = self._author(message)
        self._show(TextSheet(self._home.window(), self._theme, author, message.text), message)

    @Slot(str)
    def _on_link(self, link: str) -> None:
        if not content.may_open(link):
            return
        from messenger.gui.message_sheets import LinkSheet

        sheet = LinkSheet(self._home.window(), self._theme, link)
        sheet.accepted.connect(lambda: self._open(link))
        sheet.open()

    def _open(self, link: str) -> None:
        if link.lower().startswith("sotto:"):
            self.invite_clicked.emit(link)
        elif not QDesktopServices.openUrl(content.address(link)):
            self._notice.say(
                _("No program here opens such links. Copy it from the menu of the message."), "warning"
            )

    def _author(self, message: Message) -> str:
        return _("You") if message.outgoing else self._title
