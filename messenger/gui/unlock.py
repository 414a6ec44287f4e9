"""Opening a profile that is locked with a passphrase."""

from PySide6.QtCore import Qt, Signal, Slot

from messenger.core.errors import SottoError
from messenger.gui.bridge import Bridge
from messenger.gui.card_page import CardPage
from messenger.gui.notice import Notice
from messenger.gui.passphrase import PassphraseField
from messenger.gui.progress import Spinner
from messenger.gui.tasks import Tasks
from messenger.gui.theme import Theme
from messenger.gui.widgets import button, label
from messenger.text import _, explain


class UnlockPage(CardPage):
    """Asks for the passphrase, as often as it takes.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    opened = Signal()
    """The profile is open."""

    def __init__(self, theme: Theme, bridge: Bridge) -> None:
        super().__init__(theme)
        self._bridge = bridge
        self.notice = Notice(theme)
        self._tasks = Tasks(self.notice.error)
        self.add_head(_("Welcome back"), _("Your passphrase opens your keys and messages on this computer."))
        self.field = PassphraseField(theme, _("Passphrase"))
        self.field.returnPressed.connect(self._on_open)
        self.field.textChanged.connect(self._on_typed)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.open_button = button(_("Open"), "primary")
        self.open_button.clicked.connect(self._on_open)
        self._spinner = Spinner(theme, 24)
        self._spinner.hide()
        for part in (self.field, self.error, self.open_button, self.notice):
            self.column.addWidget(part)
        self.column.addWidget(self._spinner, 0, Qt.AlignmentFlag.AlignHCenter)
        self.add_profiles_button()
        self._on_typed()

    def stop(self) -> None:
        """End what is still running, because the window closes."""
        self._tasks.close()

    @Slot()
    def _on_typed(self) -> None:
        self.error.hide()
        self.open_button.setEnabled(bool(self.field.text()))

    @Slot()
    def _on_open(self) -> None:
        if self.field.text() and self.field.isEnabled():
            self.notice.clear()
            self._tasks.start(self._open(self.field.text()), name="open the profile")

    async def _open(self, passphrase: str) -> None:
        self._busy(on=True)
        try:
            await self._bridge.call(self._bridge.engine.open, passphrase)
        except SottoError as e:
            self.error.setText(explain(e))
            self.error.show()
        else:
            self.field.clear()
            self.opened.emit()
        finally:
            self._busy(on=False)
            self.field.setFocus()
            self.field.selectAll()

    def _busy(self, *, on: bool) -> None:
        self.field.setEnabled(not on)
        self.open_button.setEnabled(not on)
        self._spinner.setVisible(on)
