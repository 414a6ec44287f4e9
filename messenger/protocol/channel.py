"""An authenticated channel: records in both directions, fresh keys, goodbyes (SPEC.md section 5).

A link and a lane are both a handshake followed by a channel.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, IntEnum, auto
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, Reason, RemoteProtocolError
from messenger.crypto.aead import Buffer
from messenger.protocol.records import RecordBuffer, RecordQueue, RecordReader, RecordType
from messenger.protocol.rekey import Epoch, Rekey, RekeyStep
from messenger.protocol.schedule import Schedule


class ChannelState(Enum):
    """The life of a channel."""

    OPEN = auto()
    CLOSING = auto()
    """We said goodbye and still listen for theirs."""
    CLOSED = auto()


class CloseCode(IntEnum):
    """The content of a CLOSE record."""

    BYE = 0
    """The program or the conversation is being closed."""
    DUPLICATE = 1
    """Another link between the same two people is kept instead."""
    LIMIT = 2
    """Too many of something."""
    PARTED = 3
    """A person ended it: do not call again by yourself, only when there is something to say."""


RECEIVES: Final[dict[ChannelState, frozenset[RecordType]]] = {
    ChannelState.OPEN: frozenset(RecordType),
    ChannelState.CLOSING: frozenset(RecordType),
    ChannelState.CLOSED: frozenset(),
}
"""The records that each state takes. In a state that takes none the stream is not looked at any more."""

_OPEN: Final = ChannelState.OPEN
(_DEAF,) = (state for state, taken in RECEIVES.items() if not taken)
_PACKET: Final = RecordType.PACKET


class Channel:
    """Records in both directions.

    Args:
        epoch: The first traffic secrets.
        rekey_secret: The secret that the first key exchange is mixed into.
        initiator: Whether we are the initiator.
        entropy: Source of random bytes for key exchanges.
    """

    __slots__ = (
        "_held", "_initiator", "_reader", "_rekey", "_schedule", "_writer", "close_code", "sealed", "state",
        "unread",
    )  # fmt: skip

    def __init__(
        self,
        epoch: Epoch,
        rekey_secret: bytes,
        *,
        initiator: bool,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._initiator = initiator
        self._writer = RecordQueue(epoch.sent_by(initiator=initiator))
        self._reader = RecordReader(epoch.sent_by(initiator=not initiator))
        self._rekey = Rekey(rekey_secret, initiator=initiator, seed=entropy)
        self._schedule = Schedule(initiator=initiator)
        self._held: list[bytes] = []
        self.state = ChannelState.OPEN
        self.close_code: int | None = None
        """What the peer's goodbye said."""
        self.sealed = self._writer.sealed
        """Records that wait to be sent; see `data_to_send`."""
        self.unread = 0
        """Bytes kept of a record that is not complete."""

    def begin(self, now: float) -> None:
        """Start the clock of the first epoch at this many seconds from any starting point."""
        self._schedule.advance(now)
        self._schedule.renewed()

    def advance(self, now: float) -> None:
        """Tell the time; may queue a key exchange. Call it before `receive_data` and now and then.

        Args:
            now: Seconds from any starting point, never less than before.

        Raises:
            RemoteProtocolError: The peer has not answered a key exchange for too long.
        """
        try:
            self._schedule.advance(now)
        except RemoteProtocolError:
            self.refuse()
            raise
        if self.state is ChannelState.OPEN and self._rekey.step is RekeyStep.IDLE:
            count, size = self._writer.used
            if self._schedule.due(count, size):
                self._offer()

    def receive_data(self, data: Buffer) -> Iterable[bytes | memoryview]:
        """Take bytes; go through all that this returns before the next call.

        What follows the peer's goodbye, or a failure, is thrown away.

        Returns:
            The content of each PACKET.

        Raises:
            RemoteProtocolError: The stream is not what the peer must send; it is closed, and
                what waited to be sent is not sent. This may come while one goes through the contents.
        """
        if self.state is _DEAF:
            return ()
        try:
            record = self._reader.only(data)
            if record is None:
                return self._receive(data)
            if record[0] is not _PACKET:
                self._on_record(record[0], bytes(record[1]))
                return ()
        except CryptoError as e:
            self.refuse()
            raise RemoteProtocolError(str(e)) from e
        except RemoteProtocolError:
            self.refuse()
            raise
        self._schedule.packet()
        return record[1:]

    def _receive(self, data: Buffer) -> Iterator[bytes | memoryview]:
        """The content of each PACKET in bytes that are not just one record."""
        try:
            for kind, content in self._reader.feed(data):
                if kind is _PACKET:
                    self._schedule.packet()
                    yield content
                else:
                    self._on_record(kind, bytes(content))
                if self.state is _DEAF:
                    return
            self.unread = self._reader.waiting
        except CryptoError as e:
            self.refuse()
            raise RemoteProtocolError(str(e)) from e
        except RemoteProtocolError:
            self.refuse()
            raise

    def receive_in_place(self, record: memoryview) -> memoryview | None:
        """Take one whole record where it lies (`RecordReader.measure`); not together with `receive_data`.

        Args:
            record: It is overwritten.

        Returns:
            The content of a PACKET, a part of the record; None for every other record, and after the end.

        Raises:
            RemoteProtocolError: As for `receive_data`.
        """
        if self.state is _DEAF:
            return None
        try:
            kind, content = self._reader.open_in_place(record)
            if kind is _PACKET:
                self._schedule.packet()
                return content
            self._on_record(kind, bytes(content))
        except CryptoError as e:
            self.refuse()
            raise RemoteProtocolError(str(e)) from e
        except RemoteProtocolError:
            self.refuse()
            raise
        return None

    def receive_eof(self) -> None:
        """The stream has ended.

        Raises:
            RemoteProtocolError: It ended before the peer said goodbye.
        """
        if self.state is not ChannelState.CLOSED:
            self.state = ChannelState.CLOSED
            raise RemoteProtocolError("the stream ended without a goodbye", Reason.INTERRUPTED)

    def data_to_send(self) -> Buffer:
        """Bytes for the peer; each is returned once."""
        return self.sealed.pop() if len(self.sealed) == 1 else self._writer.take()

    @property
    def record_in_progress(self) -> int | None:
        """Number of the record that has begun to arrive and is not complete, for a deadline."""
        return self._reader.count if self._reader.waiting else None

    def send(self, content: bytes) -> None:
        """Queue a PACKET. After a long silence it waits in here for fresh keys.

        Raises:
            LocalProtocolError: We have said goodbye, or the content is too long.
        """
        self.send_parts((content,), len(content))

    def send_parts(self, parts: Sequence[bytes], size: int) -> bool:
        """The same of a content in parts, so that it is copied once.

        Args:
            parts: The content, when they are joined.
            size: Bytes of all of them.

        Returns:
            Whether it may leave; it waits for fresh keys otherwise (`holding`).

        Raises:
            LocalProtocolError: As for `send`.
        """
        if self.state is not _OPEN:
            raise LocalProtocolError(f"PACKET at {self.state.name}")
        if not self._held and self._schedule.sends():
            self.sealed.append(self._writer.seal_parts(_PACKET, parts, size))
            return True
        if self._rekey.step is RekeyStep.IDLE and self._schedule.stale():
            self._offer()
            self._held.append(b"".join(parts))
        elif self._held:
            self._held.append(b"".join(parts))
        else:
            self._schedule.packet()
            self.sealed.append(self._writer.seal_parts(_PACKET, parts, size))
            return True
        return False

    @property
    def holding(self) -> bool:
        """Whether packets wait in here for fresh keys."""
        return bool(self._held)

    @property
    def resting(self) -> bool:
        """Whether `advance` has nothing to do until something is sent or arrives."""
        return self._schedule.resting and not self._held

    @property
    def ready(self) -> bool:
        """Whether `send_in_place` may be used now, or fresh keys have to come first."""
        waiting = self._held or (self._rekey.step is RekeyStep.IDLE and self._schedule.stale())
        return self.state is ChannelState.OPEN and not waiting

    def send_in_place(self, buffer: RecordBuffer, size: int) -> memoryview:
        """Seal a PACKET where it lies; send `data_to_send()` before it and what this returns after.

        Args:
            buffer: Its `content` is overwritten.
            size: Bytes of content.

        Raises:
            LocalProtocolError: Not `ready`; `send` nothing, tell the time, and wait.
        """
        if not self.ready:
            raise LocalProtocolError("fresh keys have to come first")
        self._schedule.packet()
        return self._writer.seal_in_place(buffer, size)

    def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            LocalProtocolError: We have said goodbye.
        """
        if self.state is not ChannelState.OPEN:
            raise LocalProtocolError(f"PING at {self.state.name}")
        self._writer.write(RecordType.PING, b"")

    def close(self, code: CloseCode = CloseCode.BYE) -> None:
        """Say goodbye; nothing can be sent after it. A second call does nothing."""
        if self.state is ChannelState.OPEN:
            self._release()
            self._writer.write(RecordType.CLOSE, bytes((code,)))
            self.state = ChannelState.CLOSING

    def refuse(self) -> None:
        """The peer has broken a rule, perhaps one that only the caller knows: close without a word.

        Whoever is refused hears nothing more, whatever was about to be said.
        """
        self.state = ChannelState.CLOSED
        self.sealed.clear()
        self._held.clear()

    def export(self, label: str, context: bytes) -> bytes:
        """A 32-byte secret bound to the keys of the present generation; both ends must be at the same one."""
        return self._rekey.export(label, context)

    @property
    def generation(self) -> int:
        """Key exchanges completed."""
        return self._rekey.generation

    def _on_record(self, kind: RecordType, content: bytes) -> None:
        match kind:
            case RecordType.PING:
                if len(content) > limits.PING_MAX:
                    raise RemoteProtocolError("ping too long")
                if self.state is ChannelState.OPEN:
                    self._writer.write(RecordType.PONG, content)
            case RecordType.PADDING | RecordType.PONG:
                if len(content) > (limits.PING_MAX if kind is RecordType.PONG else 0):
                    raise RemoteProtocolError("content where there must be none")
            case RecordType.CLOSE:
                if len(content) != 1:
                    raise RemoteProtocolError("bad goodbye")
                self.close()
                self.close_code = content[0]
                self.state = ChannelState.CLOSED
            case RecordType.OFFER:
                self._on_offer(content)
            case RecordType.ACCEPT:
                done, epoch = self._rekey.on_accept(content)
                self._reader.switch(epoch.sent_by(initiator=not self._initiator))
                self._renewed(RecordType.DONE, done, epoch)
            case _:
                self._reader.switch(self._rekey.on_done(content).sent_by(initiator=not self._initiator))
                self._schedule.renewed()

    def _offer(self) -> None:
        self._writer.write(RecordType.OFFER, self._rekey.offer())
        self._schedule.asked()

    def _on_offer(self, content: bytes) -> None:
        if self.state is not ChannelState.OPEN:
            return  # no answer may follow our goodbye
        self._schedule.peer_offered()
        answer = self._rekey.on_offer(content)
        if answer is not None:
            self._schedule.dropped()
            accept, epoch = answer
            self._renewed(RecordType.ACCEPT, accept, epoch)
            self._schedule.asked()

    def _renewed(self, kind: RecordType, content: bytes, epoch: Epoch) -> None:
        """The last record under the old key, then everything under the new one."""
        if self.state is ChannelState.OPEN:
            self._writer.write(kind, content)
            self._writer.switch(epoch.sent_by(initiator=self._initiator))
        self._schedule.renewed()
        self._release()

    def _release(self) -> None:
        """Send what waited for fresh keys."""
        held, self._held = self._held, []
        for content in held:
            self._schedule.packet()
            self._writer.write(RecordType.PACKET, content)
