"""One subscription: what is on its way to whoever has it, from hand to hand or from the disk.

An envelope for somebody who is there is handed over at once and kept in memory. When it is
acknowledged, its writer is told that it is durable: the receiver has it. What is not acknowledged
within `relay_limits.HANDED_WAIT`, or when the subscription ends, is written to the disk first. So two
people who are both there cost the disk nothing, and nobody is told of a message that could be lost.

What comes while the disk is being looked at waits in memory for the outcome, and is handed over behind what
was found: a stream that once had to go by the disk leaves it again.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from messenger.core import relay_limits
from messenger.core.errors import StorageError
from messenger.relay.broker import Broker
from messenger.relay.known import Queue
from messenger.relay.ports import Correspondent, Letter


class Keeper(Protocol):
    """Who keeps all subscriptions; see `messenger.relay.queues.Queues`."""

    broker: Broker
    trouble: Callable[[StorageError], None]
    flush: Callable[[], None]

    def handed(self, subscription: "Subscription", letter: Letter) -> None:
        """An envelope is in memory until it is acknowledged, but not for long."""

    def settled(self, letter: Letter) -> None:
        """It was acknowledged."""

    def put(self, queue: Queue, letter: Letter, by: "Subscription | None") -> None:
        """Write an envelope to the disk."""

    def again(self, letter: Letter) -> None:
        """Count an envelope that the disk did not take, and that is tried again."""

    def forget(self, queue: Queue, hashes: Sequence[bytes]) -> None:
        """Delete what was acknowledged."""

    def rest(self, queue: Queue) -> None:
        """A queue has no subscription any more."""

    def is_forgotten(self, queue: Queue, hash_: bytes) -> bool:
        """Whether a message is about to be deleted."""


class Subscription:
    """What a client is brought from one queue.

    Args:
        queues: Who keeps all of them.
        queue: The queue.
        client: Whose it is.
        tag: Of the subscription, in the link of the client.
    """

    __slots__ = (
        "_again",
        "_behind",
        "_fetching",
        "_held",
        "_last",
        "_later",
        "_waiting",
        "client",
        "ended",
        "queue",
        "queues",
        "tag",
    )

    def __init__(self, queues: Keeper, queue: Queue, client: Correspondent, tag: int) -> None:
        self.queues = queues
        self.queue = queue
        self.client = client
        self.tag = tag
        self.ended = False
        self._held: dict[bytes, Letter | None] = {}
        """What was brought and not acknowledged; None for what is on the disk."""
        self._waiting: dict[bytes, Letter] = {}
        """What came while the disk was being looked at, in order."""
        self._behind = True
        """There may be messages on the disk that were not brought yet: new ones have to wait behind them."""
        self._fetching = False
        self._again = False
        """More came while we looked."""
        self._last = 0
        """Number of the last message that was read from the disk."""
        self._later: asyncio.TimerHandle | None = None
        """When the disk is looked at again, which could not be read."""

    @property
    def recv_id(self) -> bytes:
        """Id of the queue."""
        return self.queue.row.recv_id

    def hand(self, letter: Letter) -> bool:
        """Bring an envelope at once; False if something is before it, or there is no room."""
        held, hash_ = self._held, letter.hash
        if hash_ in held:
            self._again_sent(letter)
            return True
        if self._behind:
            return self._wait(letter)
        if self.client.slow or not self.client.deliver(self.tag, letter.envelope, hash_):
            return False
        held[hash_] = letter
        self.queues.handed(self, letter)
        return True

    def acknowledge(self, hashes: Sequence[bytes]) -> None:
        """The client has these."""
        stored = []
        for hash_ in hashes:
            letter = self._held.pop(hash_, None)
            if letter is None:
                stored.append(hash_)
            else:
                if not letter.storing and not letter.lost:
                    self.queues.settled(letter)
                letter.acknowledged = True
                letter.done()
        if stored:
            self.queues.forget(self.queue, stored)
        if self._behind:
            self.pump()

    def store(self, letter: Letter) -> None:
        """It waited long enough: write it to the disk."""
        if letter.hash in self._waiting:
            self._spill()
        elif not (letter.storing or letter.lost):
            letter.storing = True
            self.queues.put(self.queue, letter, self)

    def stored(self, letter: Letter) -> None:
        """It is on the disk."""
        if letter.acknowledged:
            self.queues.forget(self.queue, [letter.hash])
        elif letter.hash in self._held:
            self._held[letter.hash] = None

    def lost(self, letter: Letter) -> None:
        """The disk did not take it, or the queue is full: its writer may send it again."""
        letter.storing, letter.lost = False, True
        letter.envelope = b""  # whoever sends it again brings it along

    def end(self) -> None:
        """It is over: what was not acknowledged waits for the next one."""
        self.ended = True
        if self._later is not None:
            self._later.cancel()
        if self.queue.subscription is self:
            self.queue.subscription = None
            self.queues.rest(self.queue)
        for letter in self._held.values():
            if letter is not None and not letter.lost:
                self.store(letter)
        self._held.clear()
        self._spill()

    def more(self) -> None:
        """There is, or will be, something on the disk that was not brought."""
        self._behind = True
        self._again = True

    def pump(self) -> None:
        """Bring what waits on the disk, as far as there is room."""
        if not self._behind or self._fetching or self.ended or self.client.slow:
            return
        room = self.client.service.room(self.tag)
        if not room:
            return
        self._fetching, self._again = True, False  # what was begun to be stored before is found
        most = min(room, relay_limits.FETCH_MAX)
        answer = self.queues.broker.fetch(self.queue.row, self._last, most)
        answer.add_done_callback(self._fetched)

    def _fetched(self, answer: "asyncio.Future[list[tuple[int, bytes, bytes]]]") -> None:
        self._fetching = False
        if answer.cancelled():
            return
        error = answer.exception()
        if self.ended:
            return
        if isinstance(error, StorageError):
            self.queues.trouble(error)  # tried again with the next message or acknowledgement, or then:
            if self._later is None:
                loop = asyncio.get_running_loop()
                self._later = loop.call_later(relay_limits.FETCH_AGAIN, self._try_again)
            return
        messages = answer.result()
        for number, hash_, envelope in messages:
            if self.client.slow or not self.client.service.room(self.tag):
                self._again = True
                break
            self._last = number
            if hash_ not in self._held and not self.queues.is_forgotten(self.queue, hash_):
                self._held[hash_] = None
                self.client.deliver(self.tag, envelope, hash_)
        if not messages and not self._again:
            self._behind = False
            self._bring_waiting()
        self.queues.flush()
        if messages or self._again:
            self.pump()

    def _try_again(self) -> None:
        self._later = None
        self.pump()

    def _bring(self, letter: Letter) -> bool:
        """Bring an envelope from memory; False if there is no room."""
        if self.client.slow or not self.client.deliver(self.tag, letter.envelope, letter.hash):
            return False
        self._held[letter.hash] = letter
        return True

    def _wait(self, letter: Letter) -> bool:
        """Let an envelope wait until the disk was looked at; False if it has to go there itself."""
        known = self._waiting.get(letter.hash)
        if known is not None:
            known.writers += letter.writers
            return True
        if not self._fetching or self.client.slow or len(self._waiting) >= relay_limits.WINDOW_MAX:
            self._spill()
            return False
        self._waiting[letter.hash] = letter
        self.queues.handed(self, letter)
        return True

    def _bring_waiting(self) -> None:
        """Nothing is on the disk any more: bring what came meanwhile."""
        waiting, self._waiting = self._waiting, {}
        for letter in waiting.values():
            if letter.hash in self._held:  # it was found on the disk
                self.queues.settled(letter)
                self._again_sent(letter)
            elif self._behind or not self._bring(letter):
                self.store(letter)  # what follows it has to go there as well

    def _spill(self) -> None:
        """Write what waits to the disk."""
        waiting, self._waiting = self._waiting, {}
        for letter in waiting.values():
            self.store(letter)

    def _again_sent(self, letter: Letter) -> None:
        """Somebody has sent what was brought already: they missed the answer, or repeat it."""
        held = self._held[letter.hash]
        if held is None:
            letter.done()
        else:
            held.writers += letter.writers
            if held.lost:
                held.lost, held.envelope = False, letter.envelope
                self.queues.again(held)
                self.store(held)
