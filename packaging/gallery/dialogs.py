"""Pictures of the dialogs: people, keys, relays, settings, and the way in."""

import asyncio
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QScrollArea

from gallery.people import PASSING
from gallery.profile import now
from gallery.studio import Stage, Studio, opened, settled, until
from messenger.control import relay_host
from messenger.gui.bridge import Bridge
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.engine_thread import EngineThread
from messenger.gui.first_run import FirstRunPage
from messenger.gui.new_key_sheet import NewKeySheet
from messenger.gui.relay_sheet import RelaySheet
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.safe_sheets import ExportSheet, ImportSheet, PassphraseSheet, Wish
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.timer_menu import TimerSheet
from messenger.gui.unlock import UnlockPage

PASSPHRASE = "ladder rope bridge heights"  # noqa: S105 -- of an invented profile
INVITE = "sotto://relay/AAAA"


async def about_people(studio: Studio, stage: Stage) -> None:
    """Dialogs about the person whose conversation is shown, and about finding others."""
    window = stage.window
    stage.page.show_conversation(stage.person("Bob"))
    await studio.sheets(stage, stage.chat.header.verify_asked.emit, "verify")
    for words, name in (
        ("Rename…", "rename"),
        ("Keep messages…", "keep"),
        ("Delete conversation…", "delete"),
        ("Block", "block"),
    ):
        await studio.sheets(stage, partial(stage.choose, words), name)
    await studio.sheets(stage, lambda: TimerSheet(window, studio.theme, 3600).open(), "timer")
    for action, name in (("host", "host"), ("connect", "connect"), ("show", "invite"), ("people", "people")):
        await studio.sheets(stage, partial(stage.act, action), name)


async def relays(studio: Studio, stage: Stage) -> None:
    """Relays that are used, and one that is hosted, with what it sees."""
    window, theme, bridge = stage.window, studio.theme, stage.bridge
    await studio.sheets(stage, lambda: RelaysSheet(window, theme, bridge).open(), "relays")
    await studio.sheets(stage, lambda: window.commands.open_connect(INVITE), "relay-use")
    await studio.sheets(stage, partial(stage.act, "relay"), "relay-off")
    stage.act("relay")
    sheet = window.findChildren(RelaySheet)[-1]
    await settled()
    sheet.start_button.click()
    await until(sheet.use_button.isVisible)
    sheet.model.add(tuple({"time": now() / 1000, **line} for line in PASSING * 3))
    await studio.take(sheet, "relay")
    await bridge.call(relay_host.stop, stage.folder)
    sheet.reject()
    await settled()


async def settings(studio: Studio, stage: Stage) -> None:
    """All pages of the settings from top to bottom, and the dialogs that they open."""
    window, theme, bridge = stage.window, studio.theme, stage.bridge
    stage.act("settings")
    sheet = window.findChildren(SettingsSheet)[-1]
    await settled()
    for row in range(sheet.pages.count()):
        sheet.pages.setCurrentRow(row)
        await studio.take(sheet, f"settings-{row}")
        bar = next(area for area in sheet.findChildren(QScrollArea) if area.isVisible()).verticalScrollBar()
        if bar.maximum():
            bar.setValue(bar.maximum())
            await studio.take(sheet, f"settings-{row}-below")
    sheet.reject()
    file = stage.folder / "profile.sotto"
    for name, ask in (
        ("new-key", lambda: NewKeySheet(window, theme, bridge).open()),
        ("passphrase", lambda: PassphraseSheet(window, theme, bridge, Wish.SET).open()),
        ("export", lambda: ExportSheet(window, theme, bridge, file).open()),
        ("import", lambda: ImportSheet(window, theme, bridge, file).open()),
    ):
        await studio.sheets(stage, ask, name)


async def calling(studio: Studio, stage: Stage, folder: Path) -> None:
    """A call that nobody answers, and one that somebody unknown answers.

    Args:
        studio: Takes the pictures.
        stage: Who calls.
        folder: The profile folder of who answers.
    """
    other = Bridge()
    thread = EngineThread(folder, other)
    await thread.begin()
    if (await other.call(other.engine.status)).value == "new":
        await other.call(other.engine.create, "Bob", None, keyring=False)
    else:
        await other.call(other.engine.open)
    there = await other.call(other.engine.listening)
    await _call(studio, stage, "127.0.0.1:1", "connect-failed")
    await _call(studio, stage, f"127.0.0.1:{there.port}" if there else "", "connect-question")
    await thread.end()


async def _call(studio: Studio, stage: Stage, target: str, name: str) -> None:
    stage.window.commands.open_connect(target)
    sheet = stage.window.findChildren(ConnectSheet)[-1]
    sheet.go_button.click()
    await until(lambda: sheet.stage() in {"failed", "question"})
    await studio.take(sheet, name)
    sheet.reject()
    await settled()


async def beginning(studio: Studio, folder: Path) -> None:
    """First run, the empty main window, unlocking.

    Args:
        studio: Takes the pictures.
        folder: Of a new profile.
    """
    async with opened(studio.theme, folder) as stage:
        studio.theme.choose(studio.choice)
        page = stage.window.pages.currentWidget()
        if not isinstance(page, FirstRunPage):
            raise TypeError("this is no new profile")
        await studio.take(stage.window, "first-name")
        page.name.setText("Alice")
        page.next_button.click()
        await studio.take(stage.window, "first-passphrase")
        page.first.setText(PASSPHRASE)
        page.second.setText(PASSPHRASE)
        await studio.take(stage.window, "first-strength")
        page.create_button.click()
        await asyncio.sleep(0.1)
        await studio.take(stage.window, "first-working")
        await until(lambda: stage.window.pages.currentWidget() is stage.window.conversations)
        await stage.bridge.call(stage.bridge.engine.change_settings, {"theme": studio.choice})
        await studio.take(stage.window, "empty")
        stage.act("lock")
        await until(lambda: isinstance(stage.window.pages.currentWidget(), UnlockPage))
        await studio.take(stage.window, "locked")
    async with opened(studio.theme, folder) as stage:
        unlock = stage.window.pages.currentWidget()
        if not isinstance(unlock, UnlockPage):
            raise TypeError("this profile is not locked")
        unlock.field.setText("ladder rope")
        unlock.open_button.click()
        await until(lambda: not unlock.error.isHidden())
        await studio.take(stage.window, "unlock-wrong")
