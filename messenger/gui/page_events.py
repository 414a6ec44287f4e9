"""What the engine tells, handed to the parts of the page that show it."""

from PySide6.QtCore import QObject, Signal, Slot

from messenger.core.models import Message
from messenger.engine.events import (
    ChainChanged,
    ContactChanged,
    ConversationRemoved,
    EngineFault,
    Event,
    IdentityElsewhere,
    MeChanged,
    MessageAdded,
    MessageChanged,
    MessagesRemoved,
    MessagesVanished,
    PeerTyping,
    PresenceChanged,
    SettingsChanged,
    SpellingChanged,
    TransferChanged,
)
from messenger.gui.bridge import Bridge
from messenger.gui.chat_window import ChatWindows
from messenger.gui.conversation_model import ConversationModel
from messenger.gui.notice import Notice
from messenger.storage.reader import Reader
from messenger.text import keys, unexpected


class PageEvents(QObject):
    """Listens from now until `stop`.

    Args:
        bridge: Where events come from.
        reader: Where conversations are read.
        model: The list.
        windows: All chats that are shown.
        notice: Says what concerns no conversation.
    """

    changed = Signal(object)
    """Something about this conversation, other than its messages."""
    removed = Signal(object)
    """This conversation is gone."""
    people_changed = Signal()
    me_changed = Signal(object)
    settings_changed = Signal(object)

    def __init__(
        self, bridge: Bridge, reader: Reader, model: ConversationModel, windows: ChatWindows, notice: Notice
    ) -> None:
        super().__init__(windows)
        self._bridge, self._reader, self._model = bridge, reader, model
        self._windows, self._notice = windows, notice
        bridge.events.connect(self._on_events)

    def stop(self) -> None:
        """Listen no more."""
        self._bridge.events.disconnect(self._on_events)

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        added: list[Message] = []
        for event in events:
            if isinstance(event, MessageAdded):
                added.append(event.message)
                self._model.message_added(event.message, event.unread)
                continue
            if added:
                self._arrived(added)
                added = []
            self._handle(event)
        if added:
            self._arrived(added)

    def _arrived(self, messages: list[Message]) -> None:
        for pane in self._windows.panes():
            pane.arrived(messages)
        for conversation in {message.conversation for message in messages}:
            if self._windows.window(conversation) is not None:
                self.changed.emit(conversation)

    def _handle(self, event: Event) -> None:
        match event:
            case MessageChanged(message=message):
                self._model.message_changed(message)
                self._tell_panes(event)
            case MessagesVanished(conversation=conversation) | MessagesRemoved(conversation=conversation):
                self._tell_panes(event)
                self._model.reread(self._reader.conversation(conversation))
                self.changed.emit(conversation)
            case TransferChanged():
                self._tell_panes(event)
            case ContactChanged(contact=contact, unread=unread):
                self._model.contact_changed(contact, unread)
                self.changed.emit(contact.id)
                self.people_changed.emit()
            case ChainChanged(conversation=conversation, missing=missing, forked=forked):
                self._model.chain_changed(conversation, missing, forked=forked)
                self.changed.emit(conversation)
            case PeerTyping(conversation=conversation, until_ms=until_ms):
                self._windows.main.deeds.typing.heard(conversation, until_ms)
            case PresenceChanged(conversation=conversation, presence=presence):
                self._model.presence_changed(conversation, presence)
                self.changed.emit(conversation)
            case ConversationRemoved(conversation=conversation):
                self.removed.emit(conversation)
            case _:
                self._handle_own(event)

    def _handle_own(self, event: Event) -> None:
        match event:
            case MeChanged(me=me):
                self.me_changed.emit(me)
            case SettingsChanged(settings=settings):
                self.settings_changed.emit(settings)
            case SpellingChanged():
                self._windows.main.words.changed()
            case IdentityElsewhere():
                self._notice.say(keys.ELSEWHERE, "warning")
            case EngineFault(error=error):
                self._notice.say(unexpected(error), "error")
            case _:
                pass  # steps of dialogs, which listen for themselves

    def _tell_panes(
        self, event: MessageChanged | MessagesVanished | MessagesRemoved | TransferChanged
    ) -> None:
        for pane in self._windows.panes():
            match event:
                case MessageChanged(message=message):
                    pane.changed(message)
                case MessagesVanished(conversation=conversation, ids=ids):
                    pane.vanished(conversation, ids)
                case MessagesRemoved(conversation=conversation):
                    pane.removed(conversation)
                case TransferChanged(transfer=transfer):
                    pane.files.book.heard(transfer)
