"""An invite to be shown: as a code for a camera, and as a link."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from messenger.gui.bridge import Bridge
from messenger.gui.qr import QrCode
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import button, label
from messenger.text import _


class InviteSheet(Sheet):
    """Makes a new invite and shows it.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(parent, theme, _("My invite"))
        self._bridge = bridge
        self.body.addWidget(label(_("Let one person in"), "title"))
        words = _("Show the code to somebody's camera, or send the link. It works once, within seven days.")
        self.body.addWidget(label(words, "muted", wrap=True))
        self.code = QrCode(_("Invite as a QR code"), 280)
        self.body.addWidget(self.code, 0, Qt.AlignmentFlag.AlignHCenter)
        self.link = QLineEdit()
        self.link.setReadOnly(True)
        self.link.setAccessibleName(_("Invite link"))
        self.body.addWidget(self.link)
        ask = _("A link that lasts lets everybody ask to write to you, also while you are away.")
        self.lasting = label(ask, "muted", wrap=True)
        self.lasting.hide()
        self.body.addWidget(self.lasting)
        self.lasting_button = button(_("Copy the link that lasts"))
        self.lasting_button.hide()
        self.lasting_button.clicked.connect(self._on_copy_lasting)
        self.body.addWidget(self.lasting_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._lasting = ""
        self.add_button(_("Close")).clicked.connect(self.accept)
        self.copy_button = self.add_button(_("Copy the link"), "primary")
        self.copy_button.setEnabled(False)
        self.copy_button.clicked.connect(self._on_copy)
        self.setMinimumWidth(420)
        self.run(self._load(), "make an invite")

    async def _load(self) -> None:
        link = await self._bridge.call(self._bridge.engine.make_invite)
        self.code.show_text(link)
        self.link.setText(link)
        self.link.setCursorPosition(0)
        self.copy_button.setEnabled(True)
        self._lasting = await self._bridge.call(self._bridge.engine.lasting_link)
        for part in (self.lasting, self.lasting_button):
            part.setVisible(bool(self._lasting))
        self.fit()

    @Slot()
    def _on_copy_lasting(self) -> None:
        QGuiApplication.clipboard().setText(self._lasting)
        self.notice.say(_("Copied."))

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.link.text())
        self.notice.say(_("Copied."))
