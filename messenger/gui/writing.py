"""Who is writing to us right now, and telling others that we write."""

import time

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from messenger.core import deed_limits
from messenger.core.ids import ConversationId
from messenger.gui.bridge import Bridge


class Typing(QObject):
    """Both directions; what is not said again ends by itself.

    Args:
        bridge: The way to the engine.
    """

    changed = Signal(object, bool)
    """A conversation, and whether they are writing."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._until: dict[ConversationId, int] = {}
        self._told: ConversationId | None = None
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)

    def writes(self, conversation: ConversationId) -> bool:
        """Whether somebody is writing to us."""
        return conversation in self._until

    def heard(self, conversation: ConversationId, until_ms: int) -> None:
        """Somebody is writing.

        Args:
            conversation: Who.
            until_ms: When that is over unless it is told again, Unix milliseconds.
        """
        new = conversation not in self._until
        self._until[conversation] = until_ms
        if new:
            self.changed.emit(conversation, True)  # noqa: FBT003 -- Qt's signature
        self._look()

    def ended(self, conversation: ConversationId) -> None:
        """Their message is there, or they are gone."""
        if self._until.pop(conversation, None) is not None:
            self.changed.emit(conversation, False)  # noqa: FBT003 -- as above

    def tell(self, conversation: ConversationId) -> None:
        """We are writing to somebody; to be called with every change."""
        if conversation == self._told and self._since.elapsed() < deed_limits.TYPING_EVERY * 1000:
            return
        self._told = conversation
        self._since.start()
        self._bridge.post(self._bridge.engine.set_typing, conversation)

    def told(self) -> None:
        """The message was sent: whoever goes on writing says so at once."""
        self._told = None

    @Slot()
    def _look(self) -> None:
        now = time.time_ns() // 1_000_000
        for conversation in [one for one, until in self._until.items() if until <= now]:
            self.ended(conversation)
        if self._until:
            self._timer.start(max(1, min(self._until.values()) - now))
