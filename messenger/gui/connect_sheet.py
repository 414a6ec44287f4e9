"""Opening a conversation: where to, step by step, and who answers."""

import secrets
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from messenger.core.errors import SottoError
from messenger.core.ids import AttemptId, Fingerprint
from messenger.core.limits import INVITE_TEXT_MAX
from messenger.core.models import Contact
from messenger.engine.events import ConfirmPeer, ConnectProgress, ConnectStep, Event
from messenger.gui.add_relay_sheet import is_relay_link
from messenger.gui.bridge import Bridge
from messenger.gui.progress import StepList
from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import FittingStack, IconLabel, fingerprint_text, label
from messenger.text import CONNECT_STEPS, _, explain, relaying

_HISTORY: Final = 6
_WIDTH: Final = 500
_HEIGHT: Final = 420
_ADDRESS: Final = Qt.ItemDataRole.UserRole


class ConnectSheet(Sheet):
    """Three pages: where to, what is happening, and whether that is the right person.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        history: Addresses that were used before with the names of those who were there, newest first.
        target: An address or invite link to begin with, or nothing.
    """

    connected = Signal(object)
    """The `Contact` whose conversation is open now."""
    relay_given = Signal(str)
    """What was typed is the link of a relay."""
    left = Signal(str)
    """Nobody answers: a sentence that says where what is written waits."""

    def __init__(
        self, parent: QWidget, theme: Theme, bridge: Bridge, history: list[tuple[str, str]], target: str = ""
    ) -> None:
        super().__init__(parent, theme, _("Connect"))
        self._bridge = bridge
        self._attempt: AttemptId | None = None
        self._pages = FittingStack()
        self._entry = self._entry_page(history, target)
        self._progress = self._progress_page()
        self._question = self._question_page()
        for page in (self._entry, self._progress, self._question):
            self._pages.addWidget(page)
        self.body.addWidget(self._pages)
        self.cancel_button = self.add_button(_("Cancel"))
        self.back_button = self.add_button(_("Change the address"))
        self.go_button = self.add_button(_("Connect"), "primary")
        self.cancel_button.clicked.connect(self._on_cancel)
        self.back_button.clicked.connect(self._to_entry)
        self.go_button.clicked.connect(self._on_go)
        self.setMinimumSize(_WIDTH, _HEIGHT)
        bridge.events.connect(self._on_events)
        self._to_entry()

    def stage(self) -> str:
        """Where it stands: ``entry``, ``running``, ``failed`` or ``question``."""
        if self._pages.currentWidget() is self._entry:
            return "entry"
        if self._pages.currentWidget() is self._question:
            return "question"
        return "running" if self._attempt is not None else "failed"

    def _entry_page(self, history: list[tuple[str, str]], target: str) -> QWidget:
        page, column = _page()
        self.field = QLineEdit(target)
        self.field.setPlaceholderText("192.168.1.5:42000")
        self.field.setAccessibleName(_("Address or invite link"))
        self.field.setMaxLength(INVITE_TEXT_MAX)
        self.field.textChanged.connect(self._on_typed)
        words = _(
            "Type the address that the other person sees under Host, or paste the invite link they sent you."
        )
        column.addWidget(label(_("Connect to somebody"), "title"))
        column.addWidget(label(words, "muted", wrap=True))
        column.addWidget(self.field)
        self.history = QListWidget()
        self.history.setAccessibleName(_("Addresses used before"))
        for address, name in history[:_HISTORY]:
            item = QListWidgetItem(f"{name} · {address}")
            item.setData(_ADDRESS, address)
            self.history.addItem(item)
        self.history.itemActivated.connect(self._on_chosen)
        self.history.itemClicked.connect(self._on_chosen)
        if history:
            column.addWidget(label(_("Used before"), "small"))
            column.addWidget(self.history, 1)
        else:
            self.history.setParent(page)
            self.history.hide()
            column.addStretch(1)
        return page

    def _progress_page(self) -> QWidget:
        page, column = _page()
        self._target = label("", "title", wrap=True)
        self._left = ""
        """The address of the relay at which what is written waits, if nobody answers."""
        steps = {name: step for name, step in CONNECT_STEPS.items() if name != ConnectStep.LEAVING.value}
        self.steps = StepList(self.theme, steps)
        column.addWidget(self._target)
        column.addSpacing(SPACE["s"])
        column.addWidget(self.steps)
        column.addStretch(1)
        return page

    def _question_page(self) -> QWidget:
        page, column = _page()
        self._asked = label("", "title", wrap=True)
        self.fingerprint = label("", "mono", select=True, title=_("Their fingerprint"))
        self.fingerprint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        card = QWidget()
        card.setObjectName("card")
        card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(SPACE["l"], SPACE["l"], SPACE["l"], SPACE["l"])
        inside.addWidget(self.fingerprint)
        words = _(
            "Nobody here has seen this key before. Ask the person, by phone or face to face, to read you the"
            " fingerprint in their Host window. If it is the same, it is really them. Sotto remembers the key"
            " and will notice if anybody else ever answers in their place."
        )
        column.addWidget(IconLabel(self.theme, "key", "accent_text", 32))
        column.addWidget(self._asked)
        column.addWidget(label(words, "muted", wrap=True))
        column.addWidget(card)
        column.addStretch(1)
        return page

    # --- what the person does ---

    @Slot()
    def _on_typed(self) -> None:
        self.notice.clear()
        self.go_button.setEnabled(bool(self.field.text().strip()))

    @Slot(QListWidgetItem)
    def _on_chosen(self, item: QListWidgetItem) -> None:
        self.field.setText(item.data(_ADDRESS))
        self.field.setFocus()

    @Slot()
    def _on_go(self) -> None:
        if self._pages.currentWidget() is self._question:
            self._answer(accepted=True)
        elif self._attempt is None and is_relay_link(self.field.text()):
            self.relay_given.emit(self.field.text().strip())
            self.accept()
        elif self._attempt is None and self.field.text().strip():
            self._attempt = AttemptId(secrets.randbits(48))
            self.run(self._connect(self.field.text().strip(), self._attempt), "connect")

    @Slot()
    def _on_cancel(self) -> None:
        """Give up: the question, the attempt, or the dialog."""
        if self._pages.currentWidget() is self._question:
            self._answer(accepted=False)
        elif self._attempt is not None:
            self.tasks.cancel()
            self._to_entry()
        else:
            self.reject()

    @Slot()
    def _to_entry(self) -> None:
        self._attempt = None
        self.notice.clear()
        self._pages.setCurrentWidget(self._entry)
        self._show_buttons(go=_("Connect"), cancel=_("Cancel"))
        self.go_button.setEnabled(bool(self.field.text().strip()))
        self.field.setFocus()
        self.field.selectAll()

    # --- what the engine does ---

    async def _connect(self, target: str, attempt: AttemptId) -> None:
        invite = target.lower().startswith("sotto:")
        words = _("Connecting by invite") if invite else _("Connecting to {target}").format(target=target)
        self._target.setText(words)
        self.steps.reset()
        self._left = ""
        self._pages.setCurrentWidget(self._progress)
        self._show_buttons(go="", cancel=_("Cancel"))
        try:
            contact: Contact = await self._bridge.call(self._bridge.engine.connect, target, attempt)
        except SottoError as e:
            self._failed(e)
            return
        if not self._left:
            self.steps.finish()
        self.connected.emit(contact)
        if self._left:
            self.left.emit(relaying.left_at(contact.title, self._left))
        self.accept()

    def _failed(self, error: SottoError) -> None:
        self._attempt = None
        self.steps.fail()
        self._pages.setCurrentWidget(self._progress)
        self.notice.say(explain(error), "error")
        self._show_buttons(go=_("Try again"), cancel=_("Close"), back=True)
        self.go_button.setFocus()

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case ConnectProgress(attempt=attempt, step=step, detail=detail) if attempt == self._attempt:
                    self._pages.setCurrentWidget(self._progress)
                    # nobody answers; the conversation opens all the same
                    self._left = detail if step is ConnectStep.LEAVING else ""
                    if not self._left:
                        self.steps.begin(step.value, detail)
                case ConfirmPeer(attempt=attempt, fingerprint=key, address=address) if (
                    attempt == self._attempt
                ):
                    self._ask(key, address)
                case _:
                    pass

    def _ask(self, key: Fingerprint, address: str) -> None:
        self._asked.setText(_("Is this the person you expect at {address}?").format(address=address))
        self.fingerprint.setText(fingerprint_text(key))
        self._pages.setCurrentWidget(self._question)
        self._show_buttons(go=_("It is them, go on"), cancel=_("Not them"))
        self.cancel_button.setFocus()

    def _answer(self, *, accepted: bool) -> None:
        if self._attempt is not None:
            self._pages.setCurrentWidget(self._progress)
            self._show_buttons(go="", cancel=_("Cancel"))
            work = self._bridge.call(self._bridge.engine.confirm_peer, self._attempt, accepted)
            self.tasks.start(work, name="answer about a fingerprint")

    def _show_buttons(self, *, go: str, cancel: str, back: bool = False) -> None:
        self.go_button.setText(go)
        self.go_button.setVisible(bool(go))
        self.go_button.setEnabled(True)
        self.go_button.setDefault(bool(go))
        self.cancel_button.setText(cancel)
        self.back_button.setVisible(back)
        self.fit()


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE["m"])
    return page, column
