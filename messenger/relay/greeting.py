"""The handshake of one anonymous client, until its link is up."""

import asyncio
from typing import Protocol

from messenger.core import limits, relay_limits
from messenger.core.errors import RemoteProtocolError, VaultError
from messenger.protocol.handshake import (
    Established,
    HandshakeEvent,
    PeerAnonymous,
    SignNeeded,
    UnwrapNeeded,
)
from messenger.protocol.responder import Responder
from messenger.relay.house import House


class Greeted(Protocol):
    """What a handshake needs of its stream."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def established(self, event: Established, rest: bytes) -> None:
        """The link is up; `rest` came after the handshake."""

    def refused(self) -> None:
        """It never will be."""


class Vaulting:
    """RSA operations, some at a time; the other handshakes wait for their turn."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(relay_limits.RSA_AT_ONCE)

    async def answer(self, house: House, question: SignNeeded | UnwrapNeeded) -> bytes:
        """Let the vault do what a handshake asks for.

        Raises:
            VaultError: It cannot.
        """
        async with self._turns:
            vault = house.keys.vault
            if isinstance(question, SignNeeded):
                return await vault.sign(question.label, question.fields)
            return await vault.unwrap(question.label, question.ciphertext)


class Greeting:
    """One handshake.

    Args:
        house: The relay.
        vaulting: For RSA operations.
        stream: Whose it is.
        now: Seconds of the loop's clock.
        crowded: Whether the caller gets a puzzle first.
    """

    __slots__ = ("_house", "_responder", "_stream", "_task", "_vaulting", "due", "ends", "over")

    def __init__(
        self, house: House, vaulting: Vaulting, stream: Greeted, now: float, *, crowded: bool
    ) -> None:
        self._house = house
        self._vaulting = vaulting
        self._stream = stream
        self._task: asyncio.Task[None] | None = None
        self._responder = Responder(
            house.keys.bundle,
            house.unix(),
            open_door=False,
            anonymous=True,
            puzzle_bits=limits.PUZZLE_BITS if crowded else 0,
        )
        self.over = False
        self.due = now + limits.HANDSHAKE_FIRST
        """When the next message must be there."""
        self.ends = now + relay_limits.HANDSHAKE_TOTAL
        """When all must be done."""

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes."""
        if self.over:
            return
        try:
            self._responder.receive_data(data)
        except RemoteProtocolError:
            self._fail()
            return
        self._settle(now)

    def late(self, now: float) -> bool:
        """Whether the caller has taken too long."""
        waiting = self._task is None and now > self.due
        return not self.over and (waiting or now > self.ends)

    def cancel(self) -> None:
        """The stream is gone."""
        self.over = True
        if self._task is not None:
            self._task.cancel()

    def _settle(self, now: float) -> None:
        answered = self._responder.data_to_send()
        if answered:
            self._stream.write(answered)
            self.due = now + limits.HANDSHAKE_STEP
        for event in self._responder.events():
            self._on(event)

    def _on(self, event: HandshakeEvent) -> None:
        match event:
            case SignNeeded() | UnwrapNeeded():
                self._task = asyncio.get_running_loop().create_task(self._ask(event))
            case PeerAnonymous():
                self._responder.accept()
                self._settle(self._house.clock())
            case Established():
                self.over = True
                self._stream.established(event, self._responder.trailing())
            case _:  # no other comes at the listener of a relay
                self._fail()

    async def _ask(self, question: SignNeeded | UnwrapNeeded) -> None:
        try:
            answer = await self._vaulting.answer(self._house, question)
        except VaultError:
            self._task = None
            self._fail()
            return
        self._task = None
        if self.over:
            return
        try:
            if isinstance(question, SignNeeded):
                self._responder.signed(answer)
            else:
                self._responder.unwrapped(answer)
        except RemoteProtocolError:
            self._fail()
            return
        self._settle(self._house.clock())

    def _fail(self) -> None:
        self.over = True
        self._stream.refused()
