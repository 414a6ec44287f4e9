"""Pictures of the main window: conversations, what is done in them, files, searching."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from gallery.people import CROWD, HOUR, LONG_NAME, ODD_LINK, STANDS, TALK
from gallery.profile import now
from gallery.studio import Stage, Studio, settled
from messenger.core.models import Connecting, Online, Route
from messenger.engine.events import PeerTyping, TransferChanged
from messenger.gui.emoji_picker import EmojiPicker
from messenger.gui.message_menu import Deed

HERE = Path(__file__).resolve().parent


async def conversations(studio: Studio, stage: Stage) -> None:
    """Every conversation of the profile, and the window without one."""
    await studio.take(stage.window, "choose")
    stage.pretend("Bob", Online(since_ms=now() - HOUR, route=Route.LOCAL))
    stage.pretend("Dave", Online(since_ms=now() - HOUR, route=Route.RELAY))
    stage.pretend("Carol", Connecting())
    for name in (*TALK, CROWD):
        stage.page.show_conversation(stage.person(name))
        if name == "Bob":
            stage.bridge.publish(PeerTyping(stage.person("Bob"), now() + HOUR))
        await studio.take(stage.window, "chat-long" if name == LONG_NAME else f"chat-{name.lower()}")
    stage.page.show_conversation(stage.person("Bob"))
    stage.chat.composer.box.setPlainText("Shall I bring the old survey as well?\nIt has the heights.")
    stage.chat.notice.say("The connection was cut. Sotto tries again by itself; nothing is lost.", "error")
    await studio.take(stage.window, "chat-writing")
    stage.chat.notice.clear()
    stage.page.windows.take_shown()
    await studio.take(stage.page.windows.panes()[-1].window(), "apart")
    await studio.take(stage.window, "apart-main")
    stage.page.windows.bring_here()


async def deeds(studio: Studio, stage: Stage) -> None:
    """What is done with messages, and with the conversation as a whole."""
    chat = stage.chat
    chat.composer.load("")
    rows = [chat.model.row(place).message for place in range(chat.model.rowCount())]
    chat.composer.begin_reply(rows[-4], "Bob")
    await studio.take(stage.window, "chat-reply")
    chat.composer.leave_bar()
    for name, message in (("menu-theirs", rows[-4]), ("menu-own", rows[-1])):
        await studio.menu(chat.view.menu_for(message), chat, name)
    await studio.menu(chat.header.menu(), chat, "menu")
    picker = EmojiPicker(stage.window, studio.theme)
    picker.show()
    await studio.take(picker, "emoji")
    picker.close()
    for deed in (Deed.INFO, Deed.DELETE):
        ask = partial(chat.view.deed_asked.emit, deed, rows[-1], "")
        await studio.sheets(stage, ask, f"message-{deed.value}")
    await studio.sheets(stage, partial(chat.view.link_clicked.emit, ODD_LINK), "link")
    stage.page.toggle_panel()
    await studio.take(stage.window, "panel")
    area = stage.page.panel.area
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    await studio.take(stage.window, "panel-below")
    stage.page.toggle_panel()


async def searching(studio: Studio, stage: Stage) -> None:
    """Looking for words, people and days."""
    stage.chat.search.begin("nine")
    await asyncio.sleep(0.3)
    await studio.take(stage.window, "search-here")
    stage.chat.search.end()
    stage.page.sidebar.search.setText("the")
    await asyncio.sleep(0.4)
    await studio.take(stage.window, "search-everywhere")
    stage.page.sidebar.search.setText("zzz")
    await asyncio.sleep(0.4)
    await studio.take(stage.window, "search-nothing")
    stage.page.sidebar.search.clear()
    for action in ("switch", "keys", "date"):
        await studio.sheets(stage, partial(stage.act, action), action)


async def files(studio: Studio, stage: Stage) -> None:
    """Cards in all the ways they stand, all transfers, what is about to be sent, and dragged."""
    frank = stage.person("Frank")
    stage.page.show_conversation(frank)
    await asyncio.sleep(1.5)  # a process reads the small picture
    for count, transfer in enumerate(reversed(stage.chat.files.book.all(frank))):
        stage.bridge.publish(TransferChanged(msgspec.structs.replace(transfer, **STANDS[count])))
    await settled()
    await asyncio.sleep(0.2)
    await studio.take(stage.window, "files")
    await studio.sheets(stage, partial(stage.act, "transfers"), "transfers")
    stage.page.toggle_panel()
    await studio.take(stage.window, "files-panel")
    stage.page.toggle_panel()
    chat = stage.chat
    send = partial(chat.files.ask_to_send, [HERE, HERE / "none"])
    await studio.sheets(stage, send, "send")
    chat.files.overlay.rise()
    await studio.take(stage.window, "drop")
    chat.files.overlay.hide()
    chat.view.verticalScrollBar().setValue(0)
    await studio.take(stage.window, "files-above")


async def narrow(studio: Studio, stage: Stage) -> None:
    """The window as small as it gets."""
    stage.window.resize(stage.window.minimumSize())
    await studio.take(stage.window, "narrow-chat")
    await studio.sheets(stage, stage.page.toggle_panel, "narrow-panel")
    stage.page.show_list()
    await studio.take(stage.window, "narrow-list")


async def front(stage: Stage) -> QImage:
    """The picture in the README."""
    stage.pretend("Bob", Online(since_ms=now() - HOUR, route=Route.LOCAL))
    stage.window.resize(QSize(1000, 776))
    stage.page.show_conversation(stage.person("Bob"))
    await settled()
    return stage.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
