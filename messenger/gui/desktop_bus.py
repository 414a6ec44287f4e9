"""Notifications through the D-Bus of a Linux desktop, by the Desktop Notifications Specification 1.2.

Qt itself shows notifications only where there is a tray, which several desktops do not have. Everything runs
on the loop of the window and waits for nothing but the socket.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.asyncio import DBusRouter

_log = logging.getLogger(__name__)

_NAME: Final = "org.freedesktop.Notifications"
_PATH: Final = "/org/freedesktop/Notifications"
_PATIENCE: Final = 5.0
"""Seconds for an answer; a desktop without notifications may take its time to say so."""
_DESKTOP_FILE: Final = "sotto"
_ICON: Final = "sotto"
_QUEUE: Final = 64


class DesktopBus:
    """One connection to the desktop, made by `open`.

    Args:
        clicked: Called with the number of a notification that the person has clicked.
        closed: Called with the number of one that is gone.
    """

    def __init__(self, clicked: Callable[[int], None], closed: Callable[[int], None]) -> None:
        self._clicked, self._closed = clicked, closed
        self._router: DBusRouter | None = None
        self._stack = contextlib.AsyncExitStack()
        self._listening: asyncio.Task[None] | None = None
        self._markup = False

    async def open(self) -> bool:
        """Connect; whether there is a desktop that shows notifications."""
        if sys.platform != "linux":
            return False
        from jeepney import DBusErrorResponse, MatchRule
        from jeepney.bus_messages import message_bus
        from jeepney.io.asyncio import DBusRouter, Proxy, open_dbus_connection

        rule = MatchRule(type="signal", interface=_NAME, path=_PATH)
        try:
            async with asyncio.timeout(_PATIENCE), contextlib.AsyncExitStack() as unless_open:
                connection = await open_dbus_connection()
                unless_open.push_async_callback(connection.close)
                router = await unless_open.enter_async_context(DBusRouter(connection))
                signals: asyncio.Queue[Message] = asyncio.Queue(_QUEUE)
                unless_open.enter_context(router.filter(rule, queue=signals))
                await Proxy(message_bus, router).AddMatch(rule)
                self._router = router
                (able,) = await self._call("GetCapabilities")
                self._markup = "body-markup" in able
                self._stack = unless_open.pop_all()
        except (OSError, EOFError, KeyError, ValueError, TimeoutError, RuntimeError, DBusErrorResponse) as e:
            _log.info("the desktop shows no notifications: %s", type(e).__name__)
            self._router = None
            return False
        self._listening = asyncio.create_task(self._listen(signals), name="notifications that are clicked")
        return True

    async def show(self, number: int, title: str, text: str) -> int:
        """Show a notification, or change one.

        Args:
            number: Of the one to change; 0 for a new one.
            title: One line.
            text: What it says; never read as markup.

        Returns:
            Its number; 0 if it could not be shown.
        """
        import html

        words = html.escape(text, quote=False) if self._markup else text
        hints = {
            "desktop-entry": ("s", _DESKTOP_FILE),
            "category": ("s", "im.received"),
            "suppress-sound": ("b", True),
        }
        asked = ("Sotto", number, _ICON, title, words, ["default", ""], hints, -1)
        answer = await self._ask("Notify", "susssasa{sv}i", asked)
        return int(answer[0]) if answer else 0

    async def take_back(self, number: int) -> None:
        """Remove a notification that is shown."""
        await self._ask("CloseNotification", "u", (number,))

    async def close(self) -> None:
        """Hang up; what is shown stays until `take_back`."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
        self._router = None
        with contextlib.suppress(OSError, EOFError):  # the bus went first
            await self._stack.aclose()

    async def _listen(self, signals: "asyncio.Queue[Message]") -> None:
        from jeepney import HeaderFields

        while True:
            signal = await signals.get()
            match signal.header.fields.get(HeaderFields.member), signal.body:
                case "ActionInvoked", (int(number), str()):
                    self._clicked(number)
                case "NotificationClosed", (int(number), *_rest):
                    self._closed(number)
                case _:
                    pass

    async def _ask(self, method: str, signature: str, values: tuple[object, ...]) -> tuple[Any, ...]:
        """Ask for something that does not matter enough to fail."""
        from jeepney import DBusErrorResponse
        from jeepney.io.common import RouterClosed

        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._call(method, signature, values)
        except (OSError, RouterClosed, TimeoutError, DBusErrorResponse) as e:
            _log.info("the desktop did not take a notification: %s", type(e).__name__)
            return ()

    async def _call(
        self, method: str, signature: str = "", values: tuple[object, ...] = ()
    ) -> tuple[Any, ...]:
        from jeepney import DBusAddress, new_method_call
        from jeepney.wrappers import unwrap_msg

        if self._router is None:
            return ()
        address = DBusAddress(_PATH, bus_name=_NAME, interface=_NAME)
        answer = await self._router.send_and_get_reply(
            new_method_call(address, method, signature or None, values)
        )
        body: tuple[Any, ...] = unwrap_msg(answer)
        return body
