"""Files in the conversation that is shown: choosing, dropping and pasting them, and the buttons of cards."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QObject, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from messenger.core.ids import ConversationId
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer, TransferId
from messenger.gui.bridge import Bridge
from messenger.gui.composer import Composer
from messenger.gui.drop import DropOverlay
from messenger.gui.file_deeds import FileDeeds
from messenger.gui.files import choose_files, choose_folder
from messenger.gui.notice import Notice
from messenger.gui.pictures import Pictures
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.timeline_view import TimelineView
from messenger.gui.transfer_book import TransferBook
from messenger.storage.reader import Reader
from messenger.text import _

if TYPE_CHECKING:
    from messenger.gui.send_sheet import SendSheet


class ChatFiles(QObject):
    """Binds files in composer and messages to the engine.

    Args:
        home: The pane; files can be dropped anywhere on it.
        theme: Colours and fonts.
        bridge: The way to the engine.
        reader: Where transfers are read.
        tasks: Runs what is begun, and reports errors.
        notice: Says what went wrong.
        composer: Where files are chosen and pasted.
        view: Where they are shown.
    """

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
    ) -> None:
        super().__init__(home)
        self._home, self._theme, self._bridge, self._tasks = home, theme, bridge, tasks
        self._conversation: ConversationId | None = None
        self._title, self._able = "", False
        self.book = TransferBook(bridge, reader, self)
        self.pictures = Pictures(self)
        self.pictures.thumbnail = lambda transfer: self.book.thumbnail(transfer.id)
        self._limits: dict[TransferId, int] = {}
        self.deeds = FileDeeds(home, theme, bridge, tasks, notice.say)
        self.overlay = DropOverlay(home, theme)
        self.overlay.words = self._drop_words
        self._view, self._reader = view, reader
        view.show_files(self.book.get, self.pictures.get, lambda: self._title)
        view.file_asked.connect(self._on_deed)
        view.limits = self._limits
        view.limit_asked.connect(self._on_limit)
        self.book.changed.connect(view.transfers_changed)
        self.pictures.ready.connect(lambda transfer: view.transfers_changed({transfer.id}))
        self.overlay.dropped.connect(self.ask_to_send)
        composer.files_asked.connect(self._on_files)
        composer.folder_asked.connect(self._on_folder)
        composer.box.files_pasted.connect(self.ask_to_send)
        composer.box.picture_pasted.connect(self._on_picture)

    def turn_to(self, conversation: ConversationId | None, title: str) -> None:
        """Another conversation is shown from now on.

        Args:
            conversation: Which, or None.
            title: The name of the other person.
        """
        self._conversation, self._title = conversation, title
        self._able = False

    def rename(self, title: str, *, able: bool) -> None:
        """The other person is called so from now on, and can be sent files or not."""
        self._title, self._able = title, able

    @Slot(object)
    def ask_to_send(self, paths: list[Path]) -> None:
        """Show what would be sent, and ask."""
        self._ask(paths)

    def _ask(self, paths: Sequence[Path]) -> "SendSheet | None":
        if self._conversation is None or not self._able or not paths:
            return None
        from messenger.gui.send_sheet import SendSheet

        sheet = SendSheet(
            self._home.window(),
            self._theme,
            self._bridge,
            self.pictures,
            self._conversation,
            self._title,
            paths,
        )
        sheet.open()
        return sheet

    def show(self, transfer: Transfer) -> None:
        """Show the message that offers a transfer, if its conversation is shown."""
        message = self._reader.message(transfer.conversation, transfer.message)
        if message is not None and transfer.conversation == self._conversation:
            self._view.show_position(message.position)

    def stop(self) -> None:
        """End what is still running, because the window closes."""
        self.book.stop()
        self.pictures.stop()

    def _drop_words(self) -> str:
        if self._conversation is None or not self._able:
            return ""
        return _("Let go to send to {name}. You are asked before anything is sent.").format(name=self._title)

    @Slot()
    def _on_files(self) -> None:
        choose_files(self._home.window(), _("Choose files to send"), self.ask_to_send)

    @Slot()
    def _on_folder(self) -> None:
        title = _("Choose a folder to send")
        choose_folder(self._home.window(), title, lambda folder: self.ask_to_send([folder]))

    @Slot(object)
    def _on_picture(self, image: QImage) -> None:
        if self._able:
            self._tasks.start(self._keep(QImage(image)), name="keep a pasted picture")

    async def _keep(self, image: QImage) -> None:
        """Have a thread of the engine write the picture as PNG, then ask as for any file."""
        path = await self._bridge.call(self._bridge.engine.keep_pasted, lambda: _png(image))
        sheet = self._ask([path])
        if sheet is None:
            await self._drop(path)
        else:
            sheet.rejected.connect(lambda: self._tasks.start(self._drop(path), name="drop a pasted picture"))

    async def _drop(self, path: Path) -> None:
        await self._bridge.call(self._bridge.engine.drop_pasted, path)

    @Slot(object, object)
    def _on_deed(self, deed: FileDeed, transfer: Transfer) -> None:
        self.deeds.do(deed, transfer)

    @Slot(object, int)
    def _on_limit(self, transfer: Transfer | None, rate: int) -> None:
        if transfer is not None:
            self._limits[transfer.id] = rate
            limit = self._bridge.engine.limit_transfer
            self._tasks.start(self._bridge.call(limit, transfer.id, rate), name="bound the speed of files")


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())
