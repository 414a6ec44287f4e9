"""Links through a relay: opened when there is no direct way, and answered (SPEC.md section 12)."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from messenger.core import carrier_limits, limits
from messenger.core.address import Address, is_literal, is_near, parse_address
from messenger.core.errors import AddressError, ConnectError, Reason, RelayError, StorageError
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact, Standing
from messenger.core.relays import OwnQueue
from messenger.engine import mailboxes
from messenger.engine.context import Context
from messenger.engine.dialer import Dialer
from messenger.engine.entrance import Entrance
from messenger.engine.events import EngineFault
from messenger.engine.peers import Peers
from messenger.engine.relay_link import RelayLink
from messenger.engine.relays import Relays
from messenger.engine.tasks import Tasks
from messenger.net.circuit import as_stream, begins, join
from messenger.net.lanes import LANE_BYTE, Socket
from messenger.protocol.circuits import stream_address
from messenger.protocol.relay_answers import Pass, Ring
from messenger.protocol.relay_queues import Connect

LaneHandler = Callable[[Socket], Awaitable[None]]

log: Final = logging.getLogger(__name__)


class Circuits:
    """Opens and answers circuits.

    Args:
        context: The open profile.
        peers: The live sessions.
        relays: The links with relays.
        dialer: Greets on those that we open.
        entrance: Greets on those that others open.
        lanes: Answers those that begin as lanes do; the ticket says whose it is. It owns the socket.
    """

    def __init__(
        self,
        context: Context,
        peers: Peers,
        relays: Relays,
        dialer: Dialer,
        entrance: Entrance,
        lanes: LaneHandler,
    ) -> None:
        self._context = context
        self._peers = peers
        self._relays = relays
        self._dialer = dialer
        self._entrance = entrance
        self._lanes = lanes
        self._tasks = Tasks("circuit", context.publish)
        self._ringing = Counter[ConversationId]()
        self._upgrades: dict[ConversationId, Sequence[str]] = {}
        """Where people can be called without a relay, who are being called there."""

    async def close(self) -> None:
        """Stop answering."""
        await self._tasks.close()

    async def reach(self, contact: Contact, continues: bytes = b"") -> Contact:
        """Call a contact through a relay where they can be called now.

        Args:
            contact: Whom to call.
            continues: "continue" secret of the running link that the new one shall replace.

        Raises:
            ConnectError: They cannot be called: UNREACHABLE if there is no relay, RELAY_SILENT if none
                answers, or as for a call.
        """
        reason = Reason.UNREACHABLE
        for place in await self._context.stored(mailboxes.places, self._context.store, contact.id):
            try:
                sock = await self._open(place.relay, place.send_id, place.send_key)
                stream = await as_stream(sock, place.relay)
                return await self._dialer.by_circuit(contact, stream, continues)
            except ConnectError as e:
                reason = e.reason
        raise ConnectError(reason, contact.title)

    async def open(self, contact: Contact, relay: Fingerprint) -> Socket:
        """A further circuit to a contact, for a lane.

        Args:
            contact: To whom.
            relay: The relay through which the link with them goes.

        Returns:
            The socket, not blocking; close it.

        Raises:
            ConnectError: They cannot be called there.
        """
        for place in await self._context.stored(mailboxes.places, self._context.store, contact.id):
            if place.relay == relay:
                return await self._open(relay, place.send_id, place.send_key)
        raise ConnectError(Reason.UNREACHABLE, contact.title)

    def upgrade(self, conversation: ConversationId, told: Sequence[str]) -> None:
        """Somebody has told where they can be called without the relay: try it, if that is allowed here.

        One after the other: what they tell while it is tried comes after it, the newest alone.
        """
        if not self._context.settings.tell_addresses:
            return
        trying = conversation in self._upgrades
        self._upgrades[conversation] = told
        if not trying:
            self._tasks.start(self._upgrade(conversation))

    async def _upgrade(self, conversation: ConversationId) -> None:
        told: Sequence[str] | None = None
        try:
            while self._upgrades[conversation] is not told:
                told = self._upgrades[conversation]
                await self._go_direct(conversation, told)
                await asyncio.sleep(limits.RECONNECT_FIRST)
        finally:
            del self._upgrades[conversation]

    async def _go_direct(self, conversation: ConversationId, told: Sequence[str]) -> None:
        session = self._peers.session(conversation)
        if session is None or session.through is None or session.talk is None:
            return
        near = is_near(session.connection.stream.host.partition("%")[0])
        addresses = [address for text in told if (address := _callable(text, near=near)) is not None]
        continues = session.connection.link.export("continue", b"")
        try:
            await self._dialer.reach_at(session.talk.contact, addresses, continues)
        except ConnectError as e:  # the link through the relay goes on
            log.info("x no direct way: %s", e.reason.value)
        except StorageError as e:
            self._context.publish(EngineFault("circuit", type(e).__name__))

    def on_ring(self, link: RelayLink, queue: OwnQueue, ring: Ring) -> None:
        """Somebody who may write to a queue opens a circuit to us; whom we do not want hears nothing."""
        if queue.conversation is None:
            return
        theirs = self._ringing[queue.conversation]
        if theirs < carrier_limits.RINGS_AT_ONCE and self._ringing.total() < carrier_limits.RINGS_ALL:
            self._ringing[queue.conversation] += 1
            self._tasks.start(self._answer(link, queue.conversation, ring))

    async def _open(self, relay: Fingerprint, send_id: bytes, send_key: bytes) -> Socket:
        link = await self._relays.reach(relay)
        if link is None:
            raise ConnectError(Reason.RELAY_SILENT if self._relays.silent(relay) else Reason.UNREACHABLE)
        try:
            given = await link.ask(Connect(0, send_id), send_key)
        except RelayError as e:
            raise ConnectError(Reason.NOBODY) from e
        if not isinstance(given, Pass):
            raise ConnectError(Reason.BROKEN)
        return await self._join(link, given)

    async def _join(self, link: RelayLink, given: Pass | Ring) -> Socket:
        address = stream_address(given.address, link.address)
        if address is None:  # into our own network: the relay has no business there
            raise ConnectError(Reason.BROKEN)
        return await join(address, given.secret)

    async def _answer(self, link: RelayLink, conversation: ConversationId, ring: Ring) -> None:
        try:
            contact = await self._context.stored(self._context.store.contacts.get, conversation)
            if contact is None or contact.standing is not Standing.ACCEPTED:
                return
            sock = await self._join(link, ring)
            try:
                first = await begins(sock)
            except asyncio.CancelledError:
                sock.close()
                raise
            if first == LANE_BYTE:
                await self._lanes(sock)
            elif first is not None:
                await self._entrance.serve_circuit(await as_stream(sock, link.relay))
            else:
                sock.close()
        except ConnectError:  # whoever called does not wait any more
            return
        except StorageError as e:
            self._context.publish(EngineFault("circuit", type(e).__name__))
        finally:
            self._ringing -= Counter((conversation,))


def _callable(text: str, *, near: bool) -> Address | None:
    """An address that somebody has told, unless it is a name, or leads into a network that is not theirs.

    Args:
        text: As it came.
        near: Whether the relay itself is on this computer or its network.
    """
    try:
        address = parse_address(text)
    except AddressError:
        return None
    if str(address) != text or not is_literal(address.host) or "%" in address.host:
        return None
    return address if near or not is_near(address.host) else None
