"""A desktop that shows notifications: a message bus of its own, and on it what answers for the screen."""

import asyncio
import subprocess
from pathlib import Path
from typing import Final

import msgspec
from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.asyncio import DBusConnection, DBusRouter, Proxy, open_dbus_connection

_NAME: Final = "org.freedesktop.Notifications"
_PATH: Final = "/org/freedesktop/Notifications"


class Bus:
    """A message bus in a process of its own.

    Args:
        folder: Where its socket is made.
    """

    def __init__(self, folder: Path) -> None:
        address = f"unix:path={folder / 'bus'}"
        command = [
            "dbus-daemon",
            "--session",
            "--nofork",
            "--nopidfile",
            f"--address={address}",
            "--print-address=1",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the bus did not start"
        self.address = address

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()


class Shown(msgspec.Struct):
    """A notification as the desktop got it."""

    title: str
    text: str
    actions: list[str]
    hints: dict[str, tuple[str, object]]


class Screen:
    """Answers for the desktop; `begin` before anybody wants to show something.

    Args:
        able: What it says that it can.
    """

    def __init__(self, *able: str) -> None:
        self._able = list(able)
        self.shown: dict[int, Shown] = {}
        """What can be seen, by number."""
        self.history: list[Shown] = []
        self._last = 0
        self._connection: DBusConnection | None = None
        self._answering: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take the name by which desktops are found."""
        self._connection = await open_dbus_connection()
        async with DBusRouter(self._connection) as router:
            await Proxy(message_bus, router).RequestName(_NAME)
        self._answering = asyncio.create_task(self._answer())

    async def end(self) -> None:
        """Leave."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.wait({self._answering})
        if self._connection is not None:
            await self._connection.close()

    async def click(self, number: int) -> None:
        """A person clicks a notification."""
        await self._tell("ActionInvoked", "us", (number, "default"))

    async def put_away(self, number: int) -> None:
        """A person closes a notification."""
        self.shown.pop(number)
        await self._tell("NotificationClosed", "uu", (number, 2))

    async def _tell(self, name: str, signature: str, body: tuple[object, ...]) -> None:
        assert self._connection is not None
        address = DBusAddress(_PATH, interface=_NAME)
        await self._connection.send(new_signal(address, name, signature, body))

    async def _answer(self) -> None:
        assert self._connection is not None
        while True:
            asked = await self._connection.receive()
            if asked.header.message_type is not MessageType.method_call:
                continue
            await self._connection.send(self._reply(asked))

    def _reply(self, asked: Message) -> Message:
        match asked.header.fields[HeaderFields.member]:
            case "GetCapabilities":
                return new_method_return(asked, "as", (self._able,))
            case "Notify":
                assert asked.header.fields[HeaderFields.signature] == "susssasa{sv}i"
                _app, number, _icon, title, text, actions, hints, _ms = asked.body
                if not number:
                    self._last += 1
                    number = self._last
                self.shown[number] = Shown(title, text, actions, hints)
                self.history.append(self.shown[number])
                return new_method_return(asked, "u", (number,))
            case "CloseNotification":
                self.shown.pop(asked.body[0], None)
                return new_method_return(asked)
            case other:
                raise AssertionError(other)
