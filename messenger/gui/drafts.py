"""What was begun and not sent: in the window at once, on the disk a moment later."""

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from messenger.core import limits
from messenger.core.ids import ConversationId
from messenger.core.models import Draft
from messenger.gui.bridge import Bridge

_REST_MS: Final = 400
"""A draft is stored when nothing was typed for so long."""


class Drafts(QObject):
    """The drafts of all conversations.

    Args:
        bridge: The way to the engine.
    """

    changed = Signal(object, str)
    """A conversation, and the text of its draft; nothing if there is none any more."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._drafts: dict[ConversationId, Draft] = {}
        self._unsaved: set[ConversationId] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self.flush)

    def load(self, drafts: dict[ConversationId, Draft]) -> None:
        """Begin with what is on the disk."""
        self._drafts = dict(drafts)
        for conversation, draft in drafts.items():
            self.changed.emit(conversation, draft.text)

    def get(self, conversation: ConversationId) -> Draft:
        """The draft of a conversation; empty if there is none."""
        return self._drafts.get(conversation, Draft())

    def note(self, conversation: ConversationId, draft: Draft) -> None:
        """Keep a draft in place of the one before.

        Args:
            conversation: For whom.
            draft: As it stands in the text box; empty to forget it.
        """
        if draft == self.get(conversation):
            return
        self._drafts[conversation] = draft
        self._unsaved.add(conversation)
        self._timer.start()
        self.changed.emit(conversation, draft.text)

    def forget(self, conversation: ConversationId) -> None:
        """A conversation is gone."""
        self._drafts.pop(conversation, None)
        self._unsaved.discard(conversation)

    @Slot()
    def flush(self) -> None:
        """Store what is not on the disk yet, without waiting for it."""
        self._timer.stop()
        unsaved, self._unsaved = self._unsaved, set()
        for conversation in unsaved:
            draft = self.get(conversation)
            if len(draft.text.encode("utf-8", "replace")) <= limits.TEXT_MAX:  # a longer one cannot be sent
                self._bridge.post(self._bridge.engine.set_draft, conversation, draft)
