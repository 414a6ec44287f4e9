"""The demonstration in two real windows side by side: one process, two engines, two throw-away profiles."""

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QRect, Slot
from PySide6.QtWidgets import QApplication

from messenger.core.errors import ConnectError, Reason, SottoError
from messenger.core.ids import ConversationId
from messenger.core.models import Contact
from messenger.demo.relay_process import RelayProcess
from messenger.demo.relayed import Apart
from messenger.demo.scenario import Memory, Person, Scenario, Step, make_keys
from messenger.engine.events import ContactChanged, Event
from messenger.gui.app import end_process, make_application, make_loop, run_to_end
from messenger.gui.bridge import Bridge
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.demo_relay import RelayWindow
from messenger.gui.engine_thread import EngineThread
from messenger.gui.signal_watch import SignalWatch
from messenger.gui.theme import Theme
from messenger.gui.window import MainWindow
from messenger.text import demo as words

PACE: Final = 1.2
"""Seconds between two things that happen, so that a person can follow."""

_RELAY_PART: Final = 4
"""The window of the relay has this part of the screen's height, below the two others."""

_FAILED: Final = 1


def run_demo() -> int:
    """Run the demonstration until both windows are closed, and remove the profiles.

    Returns:
        The exit code: 1 if a step failed or a check did not pass.
    """
    app = make_application()
    loop = make_loop(app)
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory(prefix="sotto-demo-") as folder:
        demonstration = Demonstration(app, Path(folder), PACE)
        ended, seen = run_to_end(loop, demonstration.run(), demonstration.leave)
    loop.close()
    return end_process(clean=ended, seen=seen) or (0 if demonstration.passed else _FAILED)


class Demonstration:
    """Two windows and what happens in them; a signal to end closes both.

    Args:
        app: The application.
        folder: An empty folder for both profiles.
        pace: Seconds between two things that happen.
    """

    def __init__(self, app: QApplication, folder: Path, pace: float) -> None:
        self._theme = theme = Theme(app)
        self._pace, self._folder = pace, folder
        self._stack = contextlib.AsyncExitStack()
        self.passed = True
        """Whether every check that was made has passed."""
        self.played: asyncio.Event = asyncio.Event()
        """Set when nothing more happens by itself."""
        self.alice = Seat(theme, folder / "alice", words.ALICE)
        self.bob = Seat(theme, folder / "bob", words.BOB)
        screen = app.primaryScreen().availableGeometry()
        half, low = screen.width() // 2, screen.height() // _RELAY_PART
        high = screen.height() - low
        self.alice.window.setGeometry(QRect(screen.left(), screen.top(), half, high))
        self.bob.window.setGeometry(QRect(screen.left() + half, screen.top(), half, high))
        self.relay = RelayWindow(theme)
        self.relay.setGeometry(QRect(screen.left(), screen.top() + high, screen.width(), low))

    async def run(self) -> bool:
        """Show the windows, play, and wait until both are closed.

        Returns:
            Whether both engine threads have ended.
        """
        seats = (self.alice, self.bob)
        signals = SignalWatch()
        signals.caught.connect(self.leave)
        for seat in seats:
            seat.window.show()
        play = asyncio.create_task(self.play())
        closed = [asyncio.create_task(seat.closed()) for seat in seats]
        # Whoever closes a window leaves; a play with one person is none.
        await asyncio.wait(closed, return_when=asyncio.FIRST_COMPLETED)
        play.cancel()
        ended = await asyncio.gather(*closed)
        with contextlib.suppress(asyncio.CancelledError):
            await play  # an error that nobody planned for shall be seen
        await self._stack.aclose()
        self.relay.close()
        signals.stop()
        return all(ended)

    def leave(self) -> None:
        """Close both windows."""
        for seat in (self.alice, self.bob):
            seat.window.quit()

    async def play(self) -> None:
        """Everything that happens by itself; afterwards the windows are the person's."""
        seats = (self.alice, self.bob)
        try:
            people = [await seat.arrive() for seat in seats]
            await make_keys(people, self)
            for seat in seats:
                await seat.enter()
            bob = people[1]
            listening = await bob.call(bob.engine.listening)
            if listening is None:  # nobody else's port was free when the engine started
                listening = await bob.call(bob.engine.listen)
            hands = DialogHands(self.alice.window)
            scenario = Scenario(people[0], bob, self, hands, pace=self._pace)
            await asyncio.sleep(self._pace)
            await scenario.meet(f"127.0.0.1:{listening.port}")
            await scenario.compare()
            await scenario.talk()
            await scenario.send_file(self._folder / "files")
            plugs = self.alice, self.bob
            pair = people[0], bob
            apart = Apart(pair, scenario.contacts, plugs, self, watch=self._watch, pace=self._pace)
            await apart.play(self._folder, self._stack)
            self.begun(words.WITH_WINDOWS)
        except (SottoError, OSError) as e:
            self.passed = False
            for seat in seats:
                seat.fail(e)
        finally:
            self.played.set()

    def _watch(self, relay: RelayProcess) -> None:
        self.relay.watch(relay)
        self.relay.show()

    def begun(self, title: str) -> None:
        """Say in both windows what happens now."""
        for seat in (self.alice, self.bob):
            seat.say(title)

    def done(self, step: Step) -> None:
        """Say what failed, if anything did."""
        failed = [what for what, holds in step.checks if not holds]
        self.passed = self.passed and not failed
        for what in failed:
            self.begun(f"{words.BAD} {what}")


class Seat(QObject):
    """One person's place: window, bridge, engine thread, and the memory that the scenario looks into.

    Args:
        theme: Colours and fonts.
        folder: The profile folder.
        name: Who sits there.
    """

    def __init__(self, theme: Theme, folder: Path, name: str) -> None:
        super().__init__()
        folder.mkdir()
        self._name = name
        self._bridge = Bridge()
        self._thread = EngineThread(folder, self._bridge)
        self._memory = Memory()
        self._shown: ConversationId | None = None
        self._closing: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self.window = MainWindow(theme, self._bridge, folder)
        self.window.setWindowTitle(name)
        self.window.closing.connect(self._on_closing)

    async def arrive(self) -> Person:
        """Start the engine, and its vault process: uvloop refuses to start two at once from two loops."""
        await self._thread.begin()
        await self._bridge.call(self._bridge.engine.status)
        return Person(self._name, self._bridge.engine, self._memory, self._bridge.call)

    async def enter(self) -> None:
        """Show the conversations; from now on events are remembered, after the window has shown them."""
        await self.window.enter()
        self._bridge.events.connect(self._on_events)

    async def off(self) -> None:
        """Stop the program as if it were closed; its window says so."""
        if self.window.conversations is not None:
            self._shown = self.window.conversations.chat.conversation
        self.window.leave_page(words.switched_off(self._name))
        await self._bridge.call(self._bridge.engine.stop)

    async def on(self) -> Person:
        """Start it again, with the conversation that was shown."""
        self._memory = Memory()
        await self._bridge.call(self._bridge.engine.open)
        await self.window.enter()
        if self.window.conversations is not None and self._shown is not None:
            self.window.conversations.show_conversation(self._shown)
        return Person(self._name, self._bridge.engine, self._memory, self._bridge.call)

    async def closed(self) -> bool:
        """Wait until the window is closed, then say goodbye.

        Returns:
            Whether the engine's thread has ended.
        """
        await self._closing
        ended = await self._thread.end()
        await self.window.outside.close()
        return ended

    def say(self, text: str) -> None:
        """Say something in the window."""
        if self.window.conversations is not None and not self._closing.done():
            self.window.conversations.notice.say(text)

    def fail(self, error: BaseException) -> None:
        """Say what went wrong."""
        if self._closing.done():
            return
        if self.window.conversations is not None:
            self.window.conversations.notice.error(error)
        else:
            self.window.fail(error)

    @Slot()
    def _on_closing(self) -> None:
        if not self._closing.done():
            self._closing.set_result(None)

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._memory.take(event)
            page = self.window.conversations
            if isinstance(event, ContactChanged) and page is not None and page.chat.conversation is None:
                page.show_conversation(event.contact.id)


class DialogHands:
    """Calls as a person would: through the Connect dialog of a window.

    Args:
        window: Where the conversations are shown.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._sheet: ConnectSheet | None = None

    async def connect(self, address: str) -> Contact:
        """Open the dialog with the address and press its button.

        Raises:
            ConnectError: The dialog was closed before the conversation was open.
        """
        connected: asyncio.Future[Contact] = asyncio.get_running_loop().create_future()
        self._window.commands.open_connect(address)
        self._sheet = self._window.findChild(ConnectSheet)
        if self._sheet is None:
            raise ConnectError(Reason.STOPPING)

        def ended() -> None:
            self._sheet = None
            if not connected.done():
                connected.set_exception(ConnectError(Reason.DECLINED))

        self._sheet.connected.connect(connected.set_result)
        self._sheet.finished.connect(ended)
        self._sheet.go_button.click()
        return await connected

    async def answer(self, *, accepted: bool) -> None:
        """Press the button that answers; nothing if a person was quicker."""
        if self._sheet is not None and self._sheet.stage() == "question":
            (self._sheet.go_button if accepted else self._sheet.cancel_button).click()
