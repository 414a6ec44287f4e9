"""Renders the windows of Sotto into PNG files, from a throw-away profile with an invented conversation.

    python packaging/screenshots.py OUT_DIR      every window, light and dark, at 100 % and 200 %
    python packaging/screenshots.py --readme     packaging/screenshot.png for the README, under 300 KB

Nothing is shown on a screen: Qt draws into memory (platform ``offscreen``).
"""

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

import msgspec  # noqa: E402
import PySide6  # noqa: E402, F401 -- before qasync
import qasync  # noqa: E402
from PySide6.QtCore import QBuffer, QIODevice, QSize  # noqa: E402
from PySide6.QtGui import QImage  # noqa: E402
from PySide6.QtWidgets import QWidget  # noqa: E402

from messenger.core import offering as offers  # noqa: E402
from messenger.core.chained import Chained, ChainKind  # noqa: E402
from messenger.core.ids import ConversationId, Fingerprint, MessageId  # noqa: E402
from messenger.core.models import Draft, MessageState, Online, Presence, Route, Standing  # noqa: E402
from messenger.core.offering import MEDIA, Offering  # noqa: E402
from messenger.core.settings import Theme as Choice  # noqa: E402
from messenger.core.settings import changed  # noqa: E402
from messenger.core.transfers import TransferState, Trouble, Wish  # noqa: E402
from messenger.engine.context import Context  # noqa: E402
from messenger.engine.events import PresenceChanged, TransferChanged  # noqa: E402
from messenger.engine.profile import Profile  # noqa: E402
from messenger.gui.app import make_application  # noqa: E402
from messenger.gui.bridge import Bridge  # noqa: E402
from messenger.gui.chat_pane import ChatPane  # noqa: E402
from messenger.gui.connect_sheet import ConnectSheet  # noqa: E402
from messenger.gui.conversations_page import ConversationsPage  # noqa: E402
from messenger.gui.emoji_picker import EmojiPicker  # noqa: E402
from messenger.gui.engine_thread import EngineThread  # noqa: E402
from messenger.gui.entries import Entry  # noqa: E402
from messenger.gui.first_run import FirstRunPage  # noqa: E402
from messenger.gui.message_menu import Deed  # noqa: E402
from messenger.gui.sheet import Sheet  # noqa: E402
from messenger.gui.theme import Theme  # noqa: E402
from messenger.gui.unlock import UnlockPage  # noqa: E402
from messenger.gui.window import MainWindow  # noqa: E402
from messenger.storage.chain import chain_hash  # noqa: E402
from messenger.text import _  # noqa: E402

README_PICTURE: Final = ROOT / "packaging" / "screenshot.png"
README_LIMIT: Final = 300_000
"""Most bytes of the picture in the README."""

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

STANDS: Final[tuple[dict[str, object], ...]] = (
    {"state": TransferState.OFFERED},
    {
        "state": TransferState.DONE,
        "theirs": Wish.GO,
        "mine": Wish.DONE,
        "placed": ("/home/alice/bridge.jpg",),
    },
    {"state": TransferState.OFFERED},
    {"state": TransferState.RUNNING, "done": 365_000_000, "speed": 41_000_000, "seconds_left": 14},
    {"state": TransferState.PAUSED, "theirs": Wish.PAUSED, "done": 12_000_000},
    {"state": TransferState.FAILED, "mine": Wish.FAILED, "trouble": Trouble.SOURCE_CHANGED},
)
"""How the invented files stand."""

ODD_LINK: Final = "https://bank.example@xn--e1awd7f.example/login"
"""A link that is made to deceive."""

LONG: Final = (
    "Here is the plan for Saturday, all of it, so that nobody has to ask twice. "
    "We meet at the old boat house at nine, not at the station, because the 9:12 does not run on weekends. "
)

TALK: Final[dict[str, list[tuple[int, bool, str]]]] = {
    "Bob": [
        (-(DAY + 3 * HOUR), False, "Did you get the drawings for the bridge?"),
        (-(DAY + 3 * HOUR) + MINUTE, True, "Yes! Printing them now. They look great."),
        (-(DAY + 2 * HOUR), True, "One question: is the left pier 40 cm or 45?"),
        (-55 * MINUTE, False, "45. I measured it again this morning, the old plan was wrong."),
        (
            -54 * MINUTE,
            False,
            "The whole survey is at https://example.org/survey/2026 if you like to check",
        ),
        (-50 * MINUTE, True, "I trust you. But I checked anyway: you are right."),
        (
            -49 * MINUTE,
            True,
            "Shall we meet tomorrow? I could be there at nine, or later if you prefer.",
        ),
        (
            -48 * MINUTE,
            True,
            "Run `survey.py`:\n```\nfor pier in piers:\n    print(pier)\n```",
        ),
        (-31 * MINUTE, False, "Nine is fine"),
        (-30 * MINUTE, False, "👍"),
        (-12 * MINUTE, False, "אני אביא את הקפה ☕"),
        (-9 * MINUTE, True, "Perfect, see you there."),
    ],
    "Carol": [
        (-2 * DAY, True, LONG * 3),
        (-3 * HOUR, False, "Thank you for the list, that helps a lot."),
        (-2 * HOUR, False, "Could you bring the long ladder?"),
        (-2 * HOUR + MINUTE, False, "And the blue rope, if you find it"),
    ],
    "Dave": [(-26 * HOUR, False, "The parcel came, everything in one piece.")],
    "Erin": [(-4 * DAY, True, "Good luck on Monday!")],
    "Mallory": [(-20 * MINUTE, False, "Hi, we met at the fair. Is this you?")],
}


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


FILES: Final = (
    ("survey 2026.pdf", False, "file", 3_400_000),
    ("bridge.jpg", False, "picture", 1_900_000),
    ("Rechnung_final.pdf.exe", False, "file", 640_000),
    ("film of the crane.mkv", True, "film", 912_000_000),
    ("drawings", True, "folder", 48_000_000),
    ("notes.txt", True, "file", 12_000),
)
"""Names of invented files that Frank and Alice offer each other, who offers, kind and size."""


def small_picture() -> bytes:
    """An invented photograph, as small as in an offer."""
    image = QImage(320, 200, QImage.Format.Format_RGB888)
    for line in range(200):
        for column in range(320):
            hill = line > 120 + 30 * ((column % 160) - 80) ** 2 // 6400
            image.setPixel(column, line, 0x3F6F4F if hill else 0x9CC4E0)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG", 80)  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def offering(name: str, kind: str, size: int) -> Offering:
    """What an offer says of an invented file."""
    folder = kind == "folder"
    return Offering(
        names=(name,),
        tops=1,
        files=14 if folder else 1,
        folders=3 if folder else 0,
        size=size,
        root=bytes(32),
        manifest=100,
        media=MEDIA.index(kind),
        thumbnail=small_picture() if kind == "picture" else b"",
    )


def share(context: Context) -> None:
    """Write the invented files into a conversation of their own."""
    contact = context.store.contacts.add(
        fingerprint("Frank"), name="Frank", standing=Standing.ACCEPTED, now_ms=now() - 9 * DAY
    )
    heard, before = 0, bytes(32)
    for count, (name, outgoing, kind, size) in enumerate(FILES):
        at = now() - 6 * DAY + count * MINUTE
        id_ = MessageId(hashlib.md5(name.encode(), usedforsecurity=False).digest())
        body = offers.encode(offering(name, kind, size))
        if outgoing:
            context.store.messages.add_offer(
                contact.id, id_, body, at, paths=[f"/home/alice/{name}"], manifest=b"", sources=b""
            )
            context.store.messages.advance(contact.id, [id_], MessageState.DELIVERED)
        else:
            heard += 1
            chained = Chained(
                kind=ChainKind.OFFER, id=id_, seq=heard, prev=before, sent_ms=at, order=0, body=body
            )
            before = chain_hash(chained)
            stored = context.store.messages.take(contact.id, chained, at).added
            if stored is not None:
                context.store.messages.mark_seen(contact.id, stored.position)


def fingerprint(name: str) -> Fingerprint:
    """An invented key."""
    return Fingerprint(hashlib.sha256(f"{name}/screenshot".encode()).digest())


def talk(context: Context) -> None:
    """Write the invented contacts and messages."""
    for number, (name, lines) in enumerate(TALK.items()):
        contact = context.store.contacts.add(
            fingerprint(name),
            name=name,
            standing=Standing.REQUEST if name == "Mallory" else Standing.ACCEPTED,
            awaiting=name == "Erin",
            addresses=(f"192.168.1.{20 + number}:42000",),
            now_ms=now() - 5 * DAY,
        )
        if name == "Bob":
            context.store.contacts.update(contact.id, verified=True, pinned=True, note="Bridges, coffee")
        if name == "Dave":
            context.store.contacts.update(contact.id, muted=True)
        if name == "Erin":
            context.store.drafts.set(contact.id, Draft("And do not forget to"))
        heard, before = 0, bytes(32)
        for count, (ago, outgoing, text) in enumerate(lines, 1):
            at = now() + ago
            id_ = MessageId(hashlib.md5(f"{name}{count}".encode(), usedforsecurity=False).digest())
            if outgoing:
                context.store.messages.add_outgoing(contact.id, id_, text, at, at)
                state = MessageState.READ if ago < -10 * MINUTE else MessageState.DELIVERED
                context.store.messages.advance(contact.id, [id_], state)
            else:
                heard += 1
                chained = Chained(
                    kind=ChainKind.TEXT, id=id_, seq=heard, prev=before, sent_ms=at, order=0, content=text
                )
                before = chain_hash(chained)
                stored = context.store.messages.take(contact.id, chained, at).added
                if stored is not None and name in {"Bob", "Dave"}:
                    context.store.messages.mark_seen(contact.id, stored.position)


async def seed(folder: Path, choice: Choice) -> None:
    """Make a profile of Alice with everybody she talks to; on an ordinary loop, before Qt runs."""
    profile = Profile(folder, lambda _event: None)
    context = await profile.create("Alice", None, keyring=False)
    await context.stored(talk, context)
    await context.stored(share, context)
    await context.stored(context.store.meta.save_settings, changed(context.settings, {"theme": choice}))
    await profile.close()


@asynccontextmanager
async def opened(theme: Theme, folder: Path) -> AsyncIterator[tuple[MainWindow, Bridge]]:
    """A window on a profile, with its engine."""
    bridge = Bridge()
    window = MainWindow(theme, bridge, folder)
    thread = EngineThread(folder, bridge)
    window.show()
    await thread.begin()
    await window.start()
    yield window, bridge
    window.close()
    await thread.end()


class Studio:
    """Takes the pictures.

    Args:
        out: Where they go.
        theme: Colours and fonts.
        choice: Light or dark.
    """

    def __init__(self, out: Path, theme: Theme, choice: Choice) -> None:
        self._out, self._theme, self.choice = out, theme, choice

    async def take(self, widget: QWidget, name: str) -> QImage:
        """Take one picture once everything has settled."""
        await settled()
        scheme = "dark" if self._theme.dark else "light"
        image = widget.grab().toImage()
        scale = round(widget.devicePixelRatioF() * 100)
        image.save(str(self._out / f"{name}-{scheme}-{scale}.png"))
        return image

    async def conversations(self, folder: Path) -> None:
        """The main window and every dialog that it opens."""
        async with opened(self._theme, folder) as (window, bridge):
            page = window.conversations
            if page is None:
                raise RuntimeError("the profile does not open")
            people = {row.conversation.contact.name: row.conversation.id for row in page.sidebar.order.rows()}
            await self.take(window, "choose")
            pretend(bridge, people["Bob"], Online(since_ms=now() - HOUR, route=Route.LOCAL))
            pretend(bridge, people["Dave"], Online(since_ms=now() - HOUR, route=Route.DIRECT))
            for name in TALK:
                page.show_conversation(people[name])
                await self.take(window, f"chat-{name.lower()}")
            page.show_conversation(people["Bob"])
            page.chat.composer.box.setPlainText("Shall I bring the old survey as well?\nIt has the heights.")
            page.chat.notice.say(
                "The connection was cut. Sotto tries again by itself; nothing is lost.", "error"
            )
            await self.take(window, "chat-writing")
            page.chat.notice.clear()
            await self._dialogs(window, page.chat.header.verify_asked.emit, "verify")
            await self._dialogs(window, partial(choose, page.chat, "Rename…"), "rename")
            await self._dialogs(window, partial(choose, page.chat, "Delete conversation…"), "delete")
            await self._dialogs(window, window.commands.actions["host"].trigger, "host")
            await self._dialogs(window, window.commands.actions["connect"].trigger, "connect")
            await self._dialogs(window, window.commands.actions["show"].trigger, "invite")
            await self._apart(window, page)
            await self._deeds(window, page)
            await self._searching(window, page)
            await self._files(window, bridge, page, people["Frank"])
            await self._settings(window)
            await self._connecting(window, folder.parent / "bob")
            menu = page.chat.header.menu()
            menu.show()
            await self.take(menu, "menu")
            menu.close()
            window.resize(window.minimumSize())
            await self.take(window, "smallest")

    async def _deeds(self, window: MainWindow, page: ConversationsPage) -> None:
        """What is done with messages, and with the conversation as a whole."""
        chat = page.chat
        chat.composer.load("")
        rows = [chat.model.row(place).message for place in range(chat.model.rowCount())]
        chat.composer.begin_reply(rows[-4], "Bob")
        await self.take(window, "chat-reply")
        chat.composer.leave_bar()
        for name, message in (("menu-theirs", rows[-4]), ("menu-own", rows[-1])):
            menu = chat.view.menu_for(message)
            menu.show()
            await self.take(menu, name)
            menu.close()
        picker = EmojiPicker(window, self._theme)
        picker.show()
        await self.take(picker, "emoji")
        picker.close()
        for deed in (Deed.INFO, Deed.DELETE):
            ask = partial(chat.view.deed_asked.emit, deed, rows[-1], "")
            await self._dialogs(window, ask, f"message-{deed.value}")
        await self._dialogs(window, partial(chat.view.link_clicked.emit, ODD_LINK), "link")
        await self._dialogs(window, partial(choose, chat, "Keep messages…"), "keep")
        page.toggle_panel()
        await self.take(window, "panel")
        page.toggle_panel()

    async def _apart(self, window: MainWindow, page: ConversationsPage) -> None:
        """The conversation in a window of its own, and what stands in its place."""
        page.windows.take_shown()
        await self.take(page.windows.panes()[-1].window(), "apart")
        await self.take(window, "apart-main")
        page.windows.bring_here()

    async def _searching(self, window: MainWindow, page: ConversationsPage) -> None:
        """Looking for words, people and days."""
        page.chat.search.begin("nine")
        await asyncio.sleep(0.3)
        await self.take(window, "search-here")
        page.chat.search.end()
        page.sidebar.search.setText("the")
        await asyncio.sleep(0.4)
        await self.take(window, "search-everywhere")
        page.sidebar.search.clear()
        for action in ("switch", "keys", "date"):
            await self._dialogs(window, window.commands.actions[action].trigger, action)

    async def _files(
        self, window: MainWindow, bridge: Bridge, page: ConversationsPage, frank: ConversationId
    ) -> None:
        """Cards in all the ways they stand, all transfers, what is about to be sent, and dragged."""
        page.show_conversation(frank)
        await asyncio.sleep(1.5)  # a process reads the small picture
        for count, transfer in enumerate(reversed(page.chat.files.book.all(frank))):
            bridge.publish(TransferChanged(msgspec.structs.replace(transfer, **STANDS[count])))
        await settled()
        await asyncio.sleep(0.2)
        await self.take(window, "files")
        await self._dialogs(window, window.commands.actions["transfers"].trigger, "transfers")
        page.toggle_panel()
        await self.take(window, "files-panel")
        page.toggle_panel()
        chat = page.chat
        await self._dialogs(
            window, partial(chat.files.ask_to_send, [ROOT / "packaging", ROOT / "none"]), "send"
        )
        chat.files.overlay.rise()
        await self.take(window, "drop")
        chat.files.overlay.hide()
        bar = chat.view.verticalScrollBar()
        bar.setValue(0)
        await self.take(window, "files-above")

    async def _dialogs(self, window: MainWindow, ask: Callable[[], None], name: str) -> None:
        ask()
        for sheet in window.findChildren(Sheet):
            await self.take(sheet, name)
            sheet.reject()
        await settled()

    async def _settings(self, window: MainWindow) -> None:
        from messenger.gui.settings_sheet import SettingsSheet

        window.commands.actions["settings"].trigger()
        for sheet in window.findChildren(SettingsSheet):
            for row in range(sheet.pages.count()):
                sheet.pages.setCurrentRow(row)
                await self.take(sheet, f"settings-{row}")
            sheet.reject()
        await settled()

    async def _connecting(self, window: MainWindow, folder: Path) -> None:
        """A call that nobody answers, and one that somebody unknown answers."""
        other = Bridge()
        thread = EngineThread(folder, other)
        await thread.begin()
        if (await other.call(other.engine.status)).value == "new":
            await other.call(other.engine.create, "Bob", None, keyring=False)
        else:
            await other.call(other.engine.open)
        there = await other.call(other.engine.listening)
        await self._call(window, "127.0.0.1:1", "connect-failed")
        await self._call(window, f"127.0.0.1:{there.port}" if there else "", "connect-question")
        await thread.end()

    async def _call(self, window: MainWindow, target: str, name: str) -> None:
        """The Connect dialog when it has come to a halt."""
        window.commands.open_connect(target)
        sheet = window.findChildren(ConnectSheet)[-1]
        sheet.go_button.click()
        await until(lambda: sheet.stage() in {"failed", "question"})
        await self.take(sheet, name)
        sheet.reject()
        await settled()

    async def beginning(self, folder: Path) -> None:
        """First run, the empty main window, unlocking."""
        async with opened(self._theme, folder) as (window, bridge):
            self._theme.choose(self.choice)
            page = window.pages.currentWidget()
            if not isinstance(page, FirstRunPage):
                raise TypeError("this is no new profile")
            await self.take(window, "first-name")
            page.name.setText("Alice")
            page.next_button.click()
            await self.take(window, "first-passphrase")
            page.first.setText("ladder rope bridge heights")
            page.second.setText("ladder rope bridge heights")
            await self.take(window, "first-strength")
            page.create_button.click()
            await asyncio.sleep(0.1)
            await self.take(window, "first-working")
            await until(lambda: window.pages.currentWidget() is window.conversations)
            await bridge.call(bridge.engine.change_settings, {"theme": self.choice})
            await self.take(window, "empty")
        async with opened(self._theme, folder) as (window, _bridge):
            unlock = window.pages.currentWidget()
            if not isinstance(unlock, UnlockPage):
                raise TypeError("this profile is not locked")
            await self.take(window, "unlock")
            unlock.field.setText("ladder rope")
            unlock.open_button.click()
            await until(lambda: not unlock.error.isHidden())
            await self.take(window, "unlock-wrong")


def choose(chat: ChatPane, words: str) -> None:
    """Choose an entry of the menu of the conversation."""
    next(entry for entry in chat.entries() if isinstance(entry, Entry) and entry.words == _(words)).act()


def pretend(bridge: Bridge, conversation: ConversationId, presence: Presence) -> None:
    """Show somebody as if they could be reached."""
    bridge.publish(PresenceChanged(conversation, presence))


async def until(true: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    while not true():  # noqa: ASYNC110 -- widgets have no events to wait for
        await asyncio.sleep(0.02)


async def settled() -> None:
    """Let everything that waits be laid out and painted."""
    for _turn in range(12):
        await asyncio.sleep(0.02)


async def gallery(out: Path, theme: Theme, place: Path) -> None:
    """All pictures in one scale, light and dark."""
    for choice in (Choice.LIGHT, Choice.DARK):
        studio = Studio(out, theme, choice)
        await studio.conversations(place / choice.value)
        await studio.beginning(place / f"new-{choice.value}")


async def readme(theme: Theme, place: Path) -> None:
    """The picture in the README."""
    async with opened(theme, place / Choice.LIGHT.value) as (window, bridge):
        page = window.conversations
        if page is None:
            raise RuntimeError("the profile does not open")
        ids = {row.conversation.contact.name: row.conversation.id for row in page.sidebar.order.rows()}
        pretend(bridge, ids["Bob"], Online(since_ms=now() - HOUR, route=Route.LOCAL))
        window.resize(QSize(1000, 776))
        page.show_conversation(ids["Bob"])
        await settled()
        image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        image.save(str(README_PICTURE))
    size = README_PICTURE.stat().st_size
    if size > README_LIMIT:
        raise SystemExit(f"{README_PICTURE} has {size} bytes, more than {README_LIMIT}")
    print(f"{README_PICTURE}: {image.width()} x {image.height()}, {size} bytes")


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="?", type=Path, help="folder for the pictures")
    parser.add_argument("--readme", action="store_true", help="write packaging/screenshot.png")
    parser.add_argument("--once", action="store_true", help="only the scale of this process")
    options = parser.parse_args()
    if not options.readme and options.out is None:
        parser.error("name a folder, or --readme")
    if options.out is not None and not options.once:
        options.out.mkdir(parents=True, exist_ok=True)
        for scale in ("1", "2"):
            command = [sys.executable, __file__, "--once", str(options.out)]
            subprocess.run(command, check=True, env={**os.environ, "QT_SCALE_FACTOR": scale})
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for choice in (Choice.LIGHT, Choice.DARK):
            asyncio.run(seed(place / choice.value, choice))
        app = make_application()
        theme = Theme(app, Choice.LIGHT)
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        work = readme(theme, place) if options.readme else gallery(options.out, theme, place)
        loop.run_until_complete(work)
        loop.close()


if __name__ == "__main__":
    main()
