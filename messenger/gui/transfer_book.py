"""All transfers as the window knows them: read once, kept up to date by events, told ten times a second."""

from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from messenger.core.errors import InputError
from messenger.core.ids import ConversationId
from messenger.core.transfers import ENDS, Transfer, TransferId, TransferState
from messenger.gui.bridge import Bridge
from messenger.storage.reader import Reader

_EVERY_MS: Final = 100
"""Between two updates of what is shown."""

RUNNING: Final = frozenset({TransferState.RUNNING, TransferState.FINISHING})
"""The states in which bytes move."""


class TransferBook(QObject):
    """Transfers by their number, the newest last.

    Args:
        bridge: The way to the engine.
        reader: Where those are read that are older than what the engine lists.
        parent: Owner.
    """

    changed = Signal(object)
    """A frozenset of the numbers of those that stand differently, or have progressed, or are gone."""

    def __init__(self, bridge: Bridge, reader: Reader, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._reader = bridge, reader
        self._known: dict[TransferId, Transfer] = {}
        self._thumbnails: dict[TransferId, bytes] = {}
        self._coming: dict[TransferId, Transfer] = {}
        """What was heard and not told: nobody sees it before, so that what is shown has the room it needs."""
        self._news: set[TransferId] = set()
        self._cleared: set[TransferId] = set()
        self.cleared_to = 0
        """Finished ones up to this number are not listed when the window is opened again."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._tell)

    async def load(self) -> None:
        """Ask the engine for the newest ones, with their progress."""
        for transfer in await self._bridge.call(self._bridge.engine.transfers):
            self._known.setdefault(transfer.id, transfer)
            self._news.add(transfer.id)
        self._tell()

    def heard(self, transfer: Transfer) -> None:
        """An event told how a transfer stands; listeners hear of it with the others of this moment."""
        self._coming[transfer.id] = transfer
        if not self._timer.isActive():
            self._tell()

    def get(self, id_: TransferId) -> Transfer | None:
        """One transfer; None if it is gone."""
        if id_ not in self._known:
            try:
                self._known[id_], self._thumbnails[id_] = self._reader.transfer(id_)
            except InputError:
                return None
        return self._known[id_]

    def thumbnail(self, id_: TransferId) -> bytes:
        """The small picture of its offer, to be decoded by `messenger.gui.pictures` only; empty for none."""
        if id_ not in self._thumbnails:
            try:
                self._thumbnails[id_] = self._reader.transfer(id_)[1]
            except InputError:
                return b""
        return self._thumbnails[id_]

    def all(self, conversation: ConversationId | None = None) -> list[Transfer]:
        """Those that are known, of one conversation or of all, the newest first."""
        found = sorted(self._known.values(), key=lambda transfer: transfer.id, reverse=True)
        return [t for t in found if conversation is None or t.conversation == conversation]

    def listed(self) -> list[Transfer]:
        """Those of all conversations that were not cleared away, the newest first."""
        return [transfer for transfer in self.all() if transfer.id not in self._cleared]

    def has_finished(self) -> bool:
        """Whether anything that has ended is listed."""
        return any(transfer.state in ENDS for transfer in self.listed())

    @Slot()
    def clear_finished(self) -> None:
        """List none any more of those that have ended; their messages stay."""
        ended = [transfer.id for transfer in self.listed() if transfer.state in ENDS]
        self.cleared_to = max([self.cleared_to, *ended])
        self._clear(ended)

    def hide_to(self, last: int) -> None:
        """List none of those up to a number that have ended: they were cleared away before."""
        self.cleared_to = last
        self._clear([t.id for t in self._known.values() if t.id <= last and t.state in ENDS])

    def _clear(self, ids: list[TransferId]) -> None:
        self._cleared.update(ids)
        self._news.update(ids)
        self._tell()

    def going_on(self) -> list[Transfer]:
        """Those that have been accepted and have not ended."""
        quiet = ENDS | {TransferState.OFFERED}
        return [transfer for transfer in self._known.values() if transfer.state not in quiet]

    def forget(self, conversation: ConversationId) -> None:
        """A conversation, or messages of it, may be gone: drop what is not there any more."""
        heard = [transfer for transfer in self._coming.values() if transfer.conversation == conversation]
        left = self._reader.transfers(conversation)
        for id_ in {transfer.id for transfer in self.all(conversation) + heard} - left:
            self._known.pop(id_, None)
            self._coming.pop(id_, None)
            self._thumbnails.pop(id_, None)
            self._news.add(id_)
        if not self._timer.isActive():
            self._tell()

    def stop(self) -> None:
        """Tell nothing more, because the window closes."""
        self._timer.stop()

    @Slot()
    def _tell(self) -> None:
        self._known |= self._coming
        self._news |= self._coming.keys()
        self._coming.clear()
        if self._news:
            news, self._news = frozenset(self._news), set()
            self._timer.start()
            self.changed.emit(news)
