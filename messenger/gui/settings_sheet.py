"""The settings, built from their declarations: a change applies at once, an error stands beside its cause."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from messenger.core import limits
from messenger.core.errors import SottoError
from messenger.core.models import Me
from messenger.core.settings import Declared, Page, Settings, declared
from messenger.engine.events import Event, MeChanged, SettingsChanged
from messenger.gui.bridge import Bridge
from messenger.gui.new_key_sheet import NewKeySheet
from messenger.gui.portrait_part import PortraitPart
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.settings_files import FilesPart
from messenger.gui.settings_more import AboutPart, AdvancedPart, LanguagePart
from messenger.gui.settings_safe import ProtectionPart, StoragePart
from messenger.gui.settings_spelling import SpellingPart
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Segments, Switch
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import NumberField, button, fingerprint_text, label, menu_icon
from messenger.text import CHOICES, PAGES, PROTECTION, SETTINGS, _, explain, keys, relaying

_SIZE: Final = (760, 540)
_PAGES_WIDTH: Final = 176
"""Least width of the list of pages; the longest name may want more."""
_ICONS: Final = ("person", "globe", "lock", "bell", "eye", "folder", "archive", "settings", "info")
"""The pictures of the pages, in their order."""


class SettingRow(QWidget):
    """One setting: label, help, control, and the reason when a value was not taken.

    Args:
        theme: Colours and fonts.
        item: Its declaration.
        change: Called with its name and the value that the person chose.
    """

    def __init__(self, theme: Theme, item: Declared, change: Callable[[str, object], None]) -> None:
        super().__init__()
        self._item, self._change = item, change
        title, words = SETTINGS[item.name]
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.control = self._make(theme, title)
        self.control.setAccessibleDescription(words)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(title, "strong", wrap=True))
        texts.addWidget(label(words, "small", wrap=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        if isinstance(self.control, Segments):
            column.addLayout(texts)
            column.addWidget(self.control)
        else:
            row = QHBoxLayout()
            row.setSpacing(SPACE["l"])
            row.addLayout(texts, 1)
            row.addWidget(self.control, 0, Qt.AlignmentFlag.AlignTop)
            column.addLayout(row)
        column.addWidget(self.error)

    def show_value(self, settings: Settings) -> None:
        """Show what holds."""
        value = getattr(settings, self._item.name)
        if isinstance(self.control, Switch):
            self.control.setChecked(value)
        elif isinstance(self.control, Segments):
            self.control.show_choice(value)
        elif isinstance(self.control, NumberField):
            self.control.show_value(value)

    def show_error(self, error: SottoError | None) -> None:
        """Say why the value was not taken; None for nothing to say."""
        self.error.setText("" if error is None else explain(error))
        self.error.setVisible(error is not None)

    def _make(self, theme: Theme, title: str) -> QWidget:
        kind = self._item.kind
        if kind is bool:
            switch = Switch(theme, title)
            switch.clicked.connect(lambda checked: self._change(self._item.name, checked))
            return switch
        if issubclass(kind, StrEnum):
            segments = Segments(title, {choice: CHOICES[choice] for choice in kind})
            segments.chosen.connect(lambda choice: self._change(self._item.name, choice))
            return segments
        number = NumberField(title, self._item.least or 0, self._item.most or 2**31 - 1)
        number.changed.connect(lambda value: self._change(self._item.name, value))
        return number


class SettingsSheet(Sheet):
    """Profile, then one page for each page of the declarations.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    restore_asked = Signal(str, str)
    """The name of a backup to go back to, and the passphrase."""

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(parent, theme, _("Settings"), fills=True)
        self._theme, self._bridge = theme, bridge
        self.protection = ProtectionPart(theme, bridge, self.run)
        self.files = FilesPart(bridge, self.run)
        self.storage = StoragePart(theme, bridge, self.run)
        self.storage.said.connect(self.notice.say)
        self.storage.restore_asked.connect(self._on_restore)
        self._settings = Settings()
        self.rows = {item.name: SettingRow(theme, item, self._on_change) for item in declared()}
        self.pages = QListWidget()
        self.pages.setObjectName("pages")
        self.pages.setAccessibleName(_("Pages of the settings"))
        self.pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._stack = QStackedWidget()
        self._add_page(_("Profile"), self._profile_page())
        self.language = LanguagePart(self.run)
        self.language.said.connect(self.notice.say)
        self.spelling = SpellingPart(bridge, self.run)
        self.finished.connect(self.spelling.stop)
        self.advanced = AdvancedPart(bridge.engine.folder)
        self.advanced.said.connect(self.notice.say)
        parts: dict[Page, QWidget] = {
            Page.NETWORK: self._relays_part(),
            Page.PRIVACY: self.protection,
            Page.FILES: self.files,
            Page.STORAGE: self.storage,
            Page.APPEARANCE: _together(self.spelling, self.language),
            Page.ADVANCED: self.advanced,
        }
        for page in Page:
            part = parts.get(page)
            names = [item.name for item in declared() if item.page is page]
            self._add_page(PAGES[page], self._page(names, part))
        self.made_of = AboutPart(self.run)
        self._add_page(_("About"), self._page([], self.made_of))
        theme.changed.connect(self._dress)
        self._dress()
        self.pages.currentRowChanged.connect(self._stack.setCurrentIndex)
        self.pages.setCurrentRow(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.pages)
        row.addWidget(self._stack, 1)
        self.body.addLayout(row)
        self.done_button = self.add_button(_("Done"), "primary", enter=False)
        self.done_button.clicked.connect(self.accept)
        self.pages.ensurePolished()
        around = 2 * (SPACE["s"] + self.pages.frameWidth())  # as in the style sheet
        self.pages.setFixedWidth(max(_PAGES_WIDTH, self.pages.sizeHintForColumn(0) + around + SPACE["s"]))
        self.resize(*_SIZE)
        bridge.events.connect(self._on_events)
        self.hold(*self._of_settings(), *self._of_me(), self.files, self.storage)
        self.run(self._load(), "load the settings")

    def _of_settings(self) -> list[QWidget]:
        """What shows settings."""
        return [row.control for row in self.rows.values()]

    def _of_me(self) -> list[QWidget]:
        """What shows the person."""
        return [self.name, self.save_button, self.portrait, self.new_key_button, self.protection]

    def _add_page(self, title: str, page: QWidget) -> None:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        area.setAccessibleName(title)
        self._stack.addWidget(area)
        self.pages.addItem(title)

    @Slot()
    def _dress(self) -> None:
        for place, name in enumerate(_ICONS):
            self.pages.item(place).setIcon(menu_icon(self._theme, name))

    def _page(self, names: list[str], part: QWidget | None) -> QWidget:
        page, column = _column()
        for name in names:
            column.addWidget(self.rows[name])
        if part is not None:
            column.addWidget(part)
        column.addStretch(1)
        return page

    def _relays_part(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        _section(column, relaying.TITLE, relaying.ABOUT)
        self.relays_button = button(relaying.OPEN)
        self.relays_button.clicked.connect(self._on_relays)
        column.addWidget(self.relays_button, 0, Qt.AlignmentFlag.AlignLeading)
        return part

    def _profile_page(self) -> QWidget:
        page, column = _column()
        self.name = QLineEdit()
        self.name.setAccessibleName(_("Your name"))
        self.name.setMaxLength(limits.NAME_MAX)
        self.name.returnPressed.connect(self._on_name)
        self.save_button = button(_("Save"))
        self.save_button.clicked.connect(self._on_name)
        self.name.textChanged.connect(self._on_name_typed)
        self.name_error = label("", "error", wrap=True)
        self.name_error.hide()
        self._fingerprint = label("", "mono", select=True, title=_("Your fingerprint"))
        self._protection = label("", "body", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.name, 1)
        row.addWidget(self.save_button)
        _section(column, _("Your name"), _("Everybody you talk to sees it."))
        column.addLayout(row)
        column.addWidget(self.name_error)
        self.portrait = PortraitPart(self._theme, self._bridge, self.run)
        self.portrait.said.connect(self.notice.say)
        self.finished.connect(self.portrait.stop)
        column.addWidget(self.portrait)
        _section(column, _("Your fingerprint"), _("This is you, whatever your name is."))
        column.addWidget(self._fingerprint)
        self.new_key_button = button(keys.NEW_KEY)
        self.new_key_button.clicked.connect(self._on_new_key)
        column.addWidget(self.new_key_button, 0, Qt.AlignmentFlag.AlignLeading)
        _section(column, _("Protection"), "")
        column.addWidget(self._protection)
        column.addStretch(1)
        return page

    async def _load(self) -> None:
        engine, call = self._bridge.engine, self._bridge.call
        me, settings = await call(engine.me), await call(engine.settings)
        self._show_settings(settings)
        self._show_me(me)
        await self.files.load()
        self.free(self.files)
        await self.storage.load()
        self.free(self.storage)
        await self.spelling.load()

    def _show_me(self, me: Me) -> None:
        self._me = me
        self.name.setText(me.name)
        self._fingerprint.setText(fingerprint_text(me.fingerprint))
        self._protection.setText(PROTECTION[me.protection])
        self.protection.show_me(me)
        self.portrait.show_me(me)
        self.free(*self._of_me())

    def _show_settings(self, settings: Settings) -> None:
        self._settings = settings
        for row in self.rows.values():
            row.show_value(settings)
        self.free(*self._of_settings())

    def _on_change(self, name: str, value: object) -> None:
        if value != getattr(self._settings, name):
            self.run(self._change(name, value), f"change {name}")

    async def _change(self, name: str, value: object) -> None:
        row = self.rows[name]
        row.show_error(None)
        try:
            settings = await self._bridge.call(self._bridge.engine.change_settings, {name: value})
        except SottoError as e:
            row.show_error(e)
            settings = await self._bridge.call(self._bridge.engine.settings)
        self._show_settings(settings)

    @Slot(str, str)
    def _on_restore(self, name: str, passphrase: str) -> None:
        self.accept()
        self.restore_asked.emit(name, passphrase)

    @Slot()
    def _on_relays(self) -> None:
        RelaysSheet(self, self._theme, self._bridge).open()

    @Slot()
    def _on_new_key(self) -> None:
        NewKeySheet(self, self._theme, self._bridge).open()

    @Slot()
    def _on_name_typed(self) -> None:
        self.name_error.hide()

    @Slot()
    def _on_name(self) -> None:
        self.run(self._rename(self.name.text()), "change the name")

    async def _rename(self, name: str) -> None:
        try:
            await self._bridge.call(self._bridge.engine.set_name, name)
        except SottoError as e:
            self.name_error.setText(explain(e))
            self.name_error.show()
            self.name.setFocus()
            return
        self.notice.say(_("Your name is changed."))

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case SettingsChanged(settings=settings):
                    self._show_settings(settings)
                case MeChanged(me=me):
                    self._show_me(me)
                case _:
                    pass


def _column() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    page.setObjectName("scrolled")
    column = QVBoxLayout(page)
    column.setContentsMargins(SPACE["xl"], SPACE["xs"], SPACE["m"], SPACE["m"])
    column.setSpacing(SPACE["l"])
    return page, column


def _together(*parts: QWidget) -> QWidget:
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACE["l"])
    for part in parts:
        column.addWidget(part)
    return whole


def _section(column: QVBoxLayout, title: str, words: str) -> None:
    texts = QVBoxLayout()
    texts.setSpacing(2)
    parts: list[QLabel] = [label(title, "strong")]
    if words:
        parts.append(label(words, "small", wrap=True))
    for part in parts:
        texts.addWidget(part)
    column.addLayout(texts)
