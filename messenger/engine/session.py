"""One live link with one person, from the first byte to the goodbye."""

import asyncio
import itertools
from typing import Protocol

from messenger.core import limits
from messenger.core.address import is_near
from messenger.core.errors import (
    ConnectError,
    InputError,
    LocalProtocolError,
    Reason,
    StorageError,
    VaultError,
)
from messenger.core.ids import Fingerprint
from messenger.core.models import Contact, Online, Route
from messenger.crypto.identity import Bundle
from messenger.engine.context import Context
from messenger.engine.events import EngineFault
from messenger.engine.newcomer import Newcomer
from messenger.engine.talk import Talk
from messenger.net.connection import Connection
from messenger.net.dial import Stream
from messenger.protocol.handshake import PeerIdentified, PuzzleNeeded, Role, SignNeeded, UnwrapNeeded
from messenger.protocol.link import (
    CloseCode,
    Link,
    LinkEvent,
    LinkState,
    LinkUp,
    PeerClosed,
)
from messenger.protocol.packets import ChainedPacket, Hello, Packet, Succession
from messenger.protocol.puzzle import solve


class Gate(Protocol):
    """Decides who may talk to us; the dialler and the listener each have one."""

    async def admit(self, peer: PeerIdentified) -> bool:
        """Judge somebody who has named themselves; raise ConnectError to refuse them.

        Returns:
            Whether they are an accepted contact.
        """

    async def first_words(self, peer: Bundle) -> list[Packet]:
        """What to say to somebody who is not an accepted contact before they have spoken."""

    async def enter(self, session: "Session", peer: Bundle) -> Contact:
        """Somebody admitted has proved who they are: make or find their contact and register the session."""


class Session:
    """A connection, who is on it, and what is said.

    Args:
        context: The open profile.
        stream: The TCP connection.
        link: A fresh link.
        gate: Decides about the peer.
    """

    def __init__(self, context: Context, stream: Stream, link: Link, gate: Gate) -> None:
        self._context = context
        self._gate = gate
        self.connection = Connection(
            stream, link, self._on_event, self._on_packets, patience=limits.HANDSHAKE_TOTAL
        )
        self.up: asyncio.Future[Contact] = asyncio.get_running_loop().create_future()
        """Done when the link is up; fails with ConnectError when it will never be."""
        self.up.add_done_callback(_looked_at)
        self.contact: Contact | None = None
        """Who is on it, once it is registered."""
        self.talk: Talk | None = None
        self.since_ms = 0
        self.replaced = False
        """Another link with the same person has taken over."""
        self.hung_up = False
        """A person, here or there, ended it and does not want to be connected again at once."""
        self._parting = False
        """Our goodbye came before theirs."""
        self._refusal: ConnectError | None = None
        self._familiar = False
        self._peer: Bundle | None = None
        self._newcomer: Newcomer
        self._said: Hello | None = None
        self._patience: asyncio.TimerHandle | None = None

    @property
    def initiated(self) -> bool:
        """Whether we dialled."""
        return self.connection.link.role is Role.INITIATOR

    @property
    def through(self) -> Fingerprint | None:
        """The relay through whose circuit it goes."""
        return self.connection.stream.through

    @property
    def online(self) -> Online:
        """The presence that this session means."""
        if self.through is not None:
            return Online(self.since_ms, Route.RELAY, str(self.connection.stream.address))
        near = is_near(self.connection.stream.host.partition("%")[0])
        return Online(self.since_ms, Route.LOCAL if near else Route.DIRECT)

    async def run(self) -> Reason:
        """Talk until the link ends; returns why it did. Never raises but for bugs and cancellation."""
        reason = Reason.STOPPING
        try:
            reason = await self._run()
        finally:
            self._stop_waiting()
            if self.talk is not None:
                await self.talk.stop(heard=self._parting and reason is Reason.CLOSED)
            if not self.up.done():
                where = str(self.connection.stream.address)
                self.up.set_exception(self._refusal or ConnectError(reason, where))
        return reason

    async def _run(self) -> Reason:
        try:
            return await self.connection.run()
        except ConnectError as e:
            self._refusal = e
            return e.reason
        except InputError:  # the contact was deleted while they were talking
            return Reason.CLOSED
        except VaultError as e:
            self._context.publish(EngineFault("vault", type(e).__name__))
            return Reason.BUSY
        except StorageError as e:  # nothing was acknowledged, so the other side keeps what it sent
            self._context.publish(EngineFault("storage", type(e).__name__))
            return Reason.BROKEN

    def close(self, code: CloseCode = CloseCode.BYE) -> None:
        """Say goodbye; `run` ends soon after."""
        self._parting = self._parting or self.connection.link.state is LinkState.OPEN
        self.connection.close(code)

    async def _on_event(self, event: LinkEvent) -> None:
        link, vault = self.connection.link, self._context.vault
        match event:
            case SignNeeded(label, fields):
                link.signed(await vault.sign(label, fields))
            case UnwrapNeeded(label, ciphertext):
                link.unwrapped(await vault.unwrap(label, ciphertext))
            case PeerIdentified():
                self._familiar = await self._gate.admit(event)
                link.accept()
            case PuzzleNeeded(material, bits):
                loop = asyncio.get_running_loop()
                link.solved(await loop.run_in_executor(None, solve, material, bits))
            case LinkUp(peer) if peer is not None:
                await self._on_up(peer)
            case PeerClosed(code):
                self.replaced = self.replaced or code == CloseCode.DUPLICATE
                self.hung_up = self.hung_up or code == CloseCode.PARTED
                if code == CloseCode.DUPLICATE:
                    await self._let_in()  # what this call has decided is told over the link that they keep
            case _:  # only a relay's listener meets anonymous callers
                raise LocalProtocolError(type(event).__name__)

    async def _on_up(self, peer: Bundle) -> None:
        """Let an accepted contact in; of anybody else wait for the first packet, for they may have moved."""
        self.since_ms = self._context.now_ms()
        self._newcomer = Newcomer(self._context, peer.fingerprint)
        if self._familiar:
            await self._enter(peer)
            return
        words = await self._gate.first_words(peer)
        self._peer = peer
        if self.connection.link.state is not LinkState.OPEN:
            return  # what they said before their goodbye counts all the same
        for packet in words:
            self.connection.post(packet)
            self._said = packet if isinstance(packet, Hello) else None
        self._patience = asyncio.get_running_loop().call_later(limits.FIRST_WORDS, self._lose_patience)

    async def _on_packets(self, packets: list[Packet]) -> None:
        """Take what came together; what is of their chain and in a row is stored together."""
        for chained, group in itertools.groupby(packets, lambda packet: isinstance(packet, ChainedPacket)):
            if chained and self.talk is not None:
                await self.talk.on_chained([packet for packet in group if isinstance(packet, ChainedPacket)])
                continue
            for packet in group:
                await self._on_packet(packet)

    async def _on_packet(self, packet: Packet) -> None:
        if not isinstance(packet, Succession):
            await self._let_in()
            if self.talk is not None:  # else another link was kept instead
                await self.talk.on_packet(packet)
            return
        serial = await self._newcomer.take(packet)
        if serial is not None:
            await self._let_in()
            if self.talk is not None:
                self.talk.tell_known(serial)

    async def _let_in(self) -> None:
        """Somebody who may have been waited for has spoken."""
        self._newcomer.begin()
        peer, self._peer = self._peer, None
        if peer is not None:
            self._stop_waiting()
            await self._enter(peer)

    def _lose_patience(self) -> None:
        self._refusal = ConnectError(Reason.SILENT, str(self.connection.stream.address))
        self.connection.stream.abort()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    async def _enter(self, peer: Bundle) -> None:
        contact = await self._gate.enter(self, peer)
        if self.replaced:  # another link was kept instead
            if not self.up.done():
                self.up.set_result(contact)
            return
        self.talk = Talk(self._context, self.connection, contact, self._said)
        await self.talk.start()
        if not self.up.done():
            self.up.set_result(contact)


def _looked_at(future: "asyncio.Future[Contact]") -> None:
    """Nobody may be waiting for the result; that is not an error."""
    if not future.cancelled():
        future.exception()
