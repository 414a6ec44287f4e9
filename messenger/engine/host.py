"""Being reachable: the listener, the addresses to tell others, and invites."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from messenger.core import limits
from messenger.core.address import parse_address
from messenger.core.errors import ConnectError, InputError, InputProblem, Reason, StorageError
from messenger.core.models import AddressKind, Listening
from messenger.engine import mailboxes
from messenger.engine.context import Context
from messenger.engine.entrance import Entrance
from messenger.engine.events import EngineFault, ListeningChanged
from messenger.net.interfaces import reachable_addresses
from messenger.net.listen import Listener, free_ports
from messenger.protocol.invite import NO_SECRET, Invite, write_invite

_LAST_PORT: Final = "last port"
"""Name of a stored value: the port that was wanted and the one that was had."""


class Host:
    """The listener of one profile.

    Args:
        context: The open profile.
        entrance: Answers the connections.
        on_moved: Called when the port has changed, to tell those who are online.
    """

    def __init__(self, context: Context, entrance: Entrance, on_moved: Callable[[], Awaitable[None]]) -> None:
        self._context = context
        self._entrance = entrance
        self._on_moved = on_moved
        self._listener: Listener | None = None
        self._wanted = 0
        self._shut = False
        self._told: Listening | None = None

    def listening(self) -> Listening | None:
        """Where we can be reached, with the addresses as they are now."""
        if self._listener is None:
            return None
        port = self._listener.port
        return Listening(port=port, wanted=self._wanted, addresses=reachable_addresses(port))

    async def addresses_changed(self) -> None:
        """Tell everybody our addresses if they are others than were told before."""
        listening = self.listening()
        if listening is not None and listening != self._told:
            self._tell(listening)
            await self._on_moved()

    async def follow_settings(self) -> None:
        """Listen, or not, as the settings say.

        Raises:
            ConnectError: The port cannot be had.
        """
        if self._context.settings.listen:
            await self.listen(None, exact=False)
        else:
            await self.close()

    async def listen(self, port: int | None, *, exact: bool) -> Listening:
        """Open a listener in place of the one that is there, which stays if that fails.

        Raises:
            InputError: The port is not within 1 to 65535.
            ConnectError: PORT_TAKEN, PORT_FORBIDDEN, BAD_HOST or STOPPING.
        """
        wanted = self._context.settings.port if port is None else port
        if not 1 <= wanted <= 65535:
            raise InputError(InputProblem.BAD_PORT, str(wanted))
        if self._listener is None or self._listener.port != wanted:
            try:
                listener = await self._open(wanted, exact=exact)
            except ConnectError as e:
                self._context.publish(ListeningChanged(self.listening(), e.reason))
                raise
            await self._replace(listener)
        self._wanted = wanted
        listening = Listening(
            port=self._context.port, wanted=wanted, addresses=reachable_addresses(self._context.port)
        )
        self._tell(listening)
        await self._on_moved()
        return listening

    async def shut(self) -> None:
        """`close`, and refuse to listen until `reopen`."""
        self._shut = True
        await self.close()

    def reopen(self) -> None:
        """Take back `shut`."""
        self._shut = False

    async def close(self) -> None:
        """Let nobody new in."""
        if self._listener is not None:
            await self._replace(None)
            self._context.publish(ListeningChanged(None))

    async def free_ports(self, first: int, last: int) -> list[int]:
        """Scan a range of ports.

        Raises:
            InputError: The range is empty, too long, or not within 1 to 65535.
        """
        if not 1 <= first <= last <= 65535:
            raise InputError(InputProblem.BAD_PORT, f"{first}-{last}")
        if last - first >= limits.PORT_SCAN_MAX:
            raise InputError(InputProblem.BAD_VALUE, f"{first}-{last}")
        return await asyncio.get_running_loop().run_in_executor(None, free_ports, first, last)

    async def make_invite(self) -> str:
        """A link that works once, with the addresses as they are now.

        Raises:
            InputError: NOT_ALLOWED, too many invites are waiting to be used.
        """
        context, now = self._context, self._context.now_ms()
        await context.stored(context.store.invites.purge, now)
        if len(await context.stored(context.store.invites.open, now)) >= limits.INVITES_OPEN_MAX:
            raise InputError(InputProblem.NOT_ALLOWED)
        secret = secrets.token_bytes(limits.INVITE_SECRET_SIZE)
        expires = now + int(limits.INVITE_LIFETIME * 1000)
        await context.stored(context.store.invites.add, secret, now, expires)
        listening = self.listening()
        told = listening.addresses if listening else ()
        useful = [a.text for a in told if a.kind not in (AddressKind.LOOPBACK, AddressKind.LINK_LOCAL)]
        useful = useful or [a.text for a in told if a.kind is AddressKind.LOOPBACK]
        places = await context.stored(mailboxes.request_places, context.store)
        addresses = tuple(parse_address(text) for text in useful)
        return write_invite(Invite(context.fingerprint, secret, addresses, tuple(places)))

    async def lasting_link(self) -> str:
        """A link that does not wear out: whoever follows it asks to write to us, at our relays alone.

        Returns:
            Nothing if nobody can write to us at a relay.
        """
        context = self._context
        places = await context.stored(mailboxes.request_places, context.store)
        if not places:
            return ""
        return write_invite(Invite(context.fingerprint, NO_SECRET, (), tuple(places)))

    def _tell(self, listening: Listening) -> None:
        self._told = listening
        self._context.publish(ListeningChanged(listening))

    async def _open(self, wanted: int, *, exact: bool) -> Listener:
        """Listen where contacts found us the last time, if that was in place of the same port."""
        context = self._context
        if not exact:
            before = (await context.stored(context.store.meta.get, _LAST_PORT) or b"").split()
            if len(before) == 2 and before[0] == str(wanted).encode():
                with contextlib.suppress(ConnectError):
                    return await self._listener_on(int(before[1]), exact=True)
        listener = await self._listener_on(wanted, exact=exact)
        try:
            await context.stored(context.store.meta.put, _LAST_PORT, f"{wanted} {listener.port}".encode())
        except StorageError as e:  # others can come in all the same
            context.publish(EngineFault("storage", type(e).__name__))
        except BaseException:
            await listener.close()
            raise
        return listener

    async def _replace(self, listener: Listener | None) -> None:
        if listener is not None and self._shut:
            await listener.close()
            raise ConnectError(Reason.STOPPING)
        old, self._listener = self._listener, listener
        self._context.port = listener.port if listener else 0
        if old is not None:
            await old.close()

    async def _listener_on(self, port: int, *, exact: bool) -> Listener:
        return await Listener.open(self._entrance.serve, port, exact=exact, lanes=self._entrance.lanes)
