"""The first start: a name, perhaps a passphrase, and the keys are made."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from messenger.core import limits
from messenger.core.errors import SottoError
from messenger.core.models import ProfileStatus
from messenger.core.names import own_name
from messenger.engine.events import Event, SetupProgress
from messenger.gui.bridge import Bridge
from messenger.gui.card_page import CardPage
from messenger.gui.files import choose_file
from messenger.gui.notice import Notice
from messenger.gui.passphrase import PassphraseField, StrengthMeter
from messenger.gui.progress import StepList
from messenger.gui.safe_sheets import ImportSheet
from messenger.gui.tasks import Tasks
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import button, label
from messenger.text import SETUP_STEPS, _, explain

_WIDTH: Final = 420
_LOGO: Final = 64


class FirstRunPage(QWidget):
    """Name, passphrase, progress.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    created = Signal()
    """The profile is there and open."""
    profiles_asked = Signal()
    """The person wants to see the other profiles."""
    stranded = Signal(object, str)
    """The keys are there, but the profile could not be opened: the error, and the name that was chosen."""

    def __init__(self, theme: Theme, bridge: Bridge) -> None:
        super().__init__()
        self._theme, self._bridge = theme, bridge
        self.notice = Notice(theme)
        self._tasks = Tasks(self._on_error)
        self._stack = QStackedWidget()
        self._name_page = self._make_name_page(theme)
        self._lock_page = self._make_lock_page(theme)
        self._work_page = self._make_work_page(theme)
        for page in (self._name_page, self._lock_page, self._work_page):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["m"], SPACE["m"], SPACE["m"], SPACE["m"])
        column.addWidget(self.notice)
        column.addWidget(self._stack, 1)
        bridge.events.connect(self._on_events)
        self.name.setFocus()

    def stage(self) -> str:
        """Where it stands: ``name``, ``passphrase`` or ``working``."""
        return ("name", "passphrase", "working")[self._stack.currentIndex()]

    def stop(self) -> None:
        """End what is still running, because the window closes."""
        self._tasks.close()

    def _make_name_page(self, theme: Theme) -> CardPage:
        page = CardPage(theme)
        page.add_head(
            _("Welcome to Sotto"),
            _("Messages straight from computer to computer. No account, no phone number, nobody in between."),
        )
        self.name = QLineEdit()
        self.name.setPlaceholderText(_("Your name"))
        self.name.setAccessibleName(_("Your name, as others see it"))
        self.name.setMaxLength(limits.NAME_MAX)
        self.name_error = label("", "error", wrap=True)
        self.name_error.hide()
        self.next_button = button(_("Continue"), "primary")
        self.name.textChanged.connect(self._on_name_typed)
        self.name.returnPressed.connect(self._on_name)
        self.next_button.clicked.connect(self._on_name)
        self.next_button.setEnabled(False)
        page.column.addWidget(label(_("What shall others call you?"), "strong"))
        for part in (self.name, self.name_error, self.next_button):
            page.column.addWidget(part)
        hint = label(_("You can change it at any time."), "small")
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        page.column.addWidget(hint)
        self.import_button = button(_("I have an exported profile…"), "quiet")
        self.import_button.clicked.connect(self._on_import)
        page.column.addWidget(self.import_button)
        self._offer_profiles(page)
        return page

    def _offer_profiles(self, page: CardPage) -> None:
        page.add_profiles_button()
        page.profiles_asked.connect(self.profiles_asked)

    def _make_lock_page(self, theme: Theme) -> CardPage:
        page = CardPage(theme)
        page.add_head(
            _("Protect your keys?"),
            _(
                "A passphrase locks your keys and messages on this computer. Nobody can reset it: forget"
                " it, and they are lost. Without one, anybody at your user account can read them."
            ),
        )
        self.first = PassphraseField(theme, _("Passphrase, or leave empty"))
        self.second = PassphraseField(theme, _("The same passphrase again"))
        self.meter = StrengthMeter()
        self.pass_error = label("", "error", wrap=True)
        self.pass_error.hide()
        self.create_button = button(_("Start without a passphrase"), "primary")
        self.back_button = button(_("Back"), "quiet")
        self.first.textChanged.connect(self._on_passphrase_typed)
        self.second.textChanged.connect(self._on_passphrase_typed)
        self.first.returnPressed.connect(self._on_first_done)
        self.second.returnPressed.connect(self._on_create)
        self.create_button.clicked.connect(self._on_create)
        self.back_button.clicked.connect(self._to_name)
        for part in (
            self.first, self.meter, self.second, self.pass_error, self.create_button, self.back_button,
        ):  # fmt: skip
            page.column.addWidget(part)
        self.second.hide()
        self._offer_profiles(page)
        return page

    def _make_work_page(self, theme: Theme) -> CardPage:
        page = CardPage(theme)
        page.add_head(_("Making your keys"), _("They are made here and never leave this computer."))
        self.steps = StepList(theme, SETUP_STEPS)
        page.column.addWidget(self.steps)
        return page

    @Slot()
    def _on_name_typed(self) -> None:
        self.name_error.hide()
        self.next_button.setEnabled(bool(self.name.text().strip()))

    @Slot()
    def _on_name(self) -> None:
        try:
            own_name(self.name.text())
        except SottoError as e:
            self.name_error.setText(explain(e))
            self.name_error.show()
            return
        self._stack.setCurrentWidget(self._lock_page)
        self.first.setFocus()

    @Slot()
    def _on_import(self) -> None:
        kinds = [_("Export of a Sotto profile (*.sotto-profile)"), _("All files (*)")]
        choose_file(self.window(), _("Choose the export"), kinds, self.import_from)

    def import_from(self, path: Path) -> None:
        """Ask for the passphrases, then make the profile of an export."""
        sheet = ImportSheet(self.window(), self._theme, self._bridge, path)
        sheet.accepted.connect(self.created)
        sheet.open()

    @Slot()
    def _to_name(self) -> None:
        self._stack.setCurrentWidget(self._name_page)
        self.name.setFocus()

    @Slot()
    def _on_passphrase_typed(self) -> None:
        wanted = bool(self.first.text())
        self.meter.rate(self.first.text())
        self.second.setVisible(wanted)
        self.pass_error.hide()
        self.create_button.setText(_("Start") if wanted else _("Start without a passphrase"))

    @Slot()
    def _on_first_done(self) -> None:
        if self.first.text():
            self.second.setFocus()
        else:
            self._on_create()

    @Slot()
    def _on_create(self) -> None:
        if self.first.text() != self.second.text() and self.first.text():
            self.pass_error.setText(_("The two passphrases are different. Type the same one twice."))
            self.pass_error.show()
            self.second.setFocus()
            self.second.selectAll()
            return
        self.notice.clear()
        self.steps.reset()
        self._stack.setCurrentWidget(self._work_page)
        self._tasks.start(self._create(self.name.text(), self.first.text() or None), name="create a profile")

    async def _create(self, name: str, passphrase: str | None) -> None:
        engine = self._bridge.engine
        try:
            await self._bridge.call(engine.create, name, passphrase)
        except SottoError as e:
            if await self._bridge.call(engine.status) is not ProfileStatus.NEW:
                self.stranded.emit(e, name)
                return
            raise
        self.first.clear()
        self.second.clear()
        self.steps.finish()
        self.created.emit()

    def _on_error(self, error: BaseException) -> None:
        self.steps.fail()
        self._stack.setCurrentWidget(self._lock_page)
        self.notice.error(error)

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, SetupProgress):
                self.steps.begin(event.step.value)
