"""Puts envelopes into queues and brings them to whoever has the subscription."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from messenger.core import relay_limits
from messenger.core.errors import StorageError
from messenger.protocol.relay_answers import Subscribed
from messenger.protocol.relay_queues import QueueKind, Subscribe
from messenger.protocol.relay_word import Code, EndReason
from messenger.relay.broker import Broker, NoRoom, Put
from messenger.relay.known import KnownQueues, Queue
from messenger.relay.ports import Correspondent, Delivery, Letter
from messenger.relay.subscription import Subscription


class Queues:
    """The queues of a relay, and the subscriptions on this machine.

    Args:
        broker: Keeps what has to wait.
        trouble: Called with what the broker could not do.
        flush: Sends what clients were told.
        per_link: Subscriptions that one link may have.
    """

    def __init__(
        self,
        broker: Broker,
        trouble: Callable[[StorageError], None],
        flush: Callable[[], None],
        per_link: int = relay_limits.QUEUES_PER_LINK,
    ) -> None:
        self.broker = broker
        self.trouble = trouble
        self.flush = flush
        self.known = KnownQueues(broker, flush)
        self._per_link = per_link
        self._handed: deque[tuple[Subscription, Letter]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._octets = 0
        self._forgetting: set[tuple[int, bytes]] = set()
        self._storing: set[asyncio.Future[Put]] = set()
        self.passed = 0
        """Envelopes that came."""
        broker.listen(self)

    @property
    def octets(self) -> int:
        """Bytes of envelopes in memory."""
        return self._octets

    def send(self, client: Correspondent, tag: int, queue: Queue, envelope: bytes, hash_: bytes) -> None:
        """Put an envelope into a queue for somebody who may.

        Args:
            client: Who is told when it is durable, or why it is not.
            tag: Of their request.
            queue: Where to.
            envelope: Of a size that the queue takes.
            hash_: Its SHA-256.
        """
        if self._octets + len(envelope) > relay_limits.HANDED_MAX:
            client.failed(tag, Code.BUSY, 1)
            return
        self.passed += 1
        letter = Letter(envelope, hash_, client.now, [(client, tag)])
        subscription = queue.subscription
        if subscription is None or not subscription.hand(letter):
            self._octets += len(envelope)
            letter.storing = True
            self.put(queue, letter, None)

    def handed(self, subscription: Subscription, letter: Letter) -> None:
        """An envelope is in memory until it is acknowledged, but not for long."""
        self._octets += len(letter.envelope)
        self._handed.append((subscription, letter))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(relay_limits.HANDED_WAIT, self._look)

    def settled(self, letter: Letter) -> None:
        """An envelope that was handed over was acknowledged."""
        letter.acknowledged = True
        self._octets -= len(letter.envelope)
        handed = self._handed
        while handed and handed[0][1].acknowledged:  # its memory is for the next
            handed.popleft()

    def put(self, queue: Queue, letter: Letter, by: Subscription | None) -> None:
        """Write an envelope to the disk, and then tell whoever waits for it."""
        queue.used += 1
        if queue.subscription is not None:
            queue.subscription.more()
        answer = self.broker.put(queue.row, letter.hash, letter.envelope)
        self._storing.add(answer)
        answer.add_done_callback(partial(self._put, queue, letter, by))

    def forget(self, queue: Queue, hashes: Sequence[bytes]) -> None:
        """Delete what was acknowledged. Should the relay die before, it is brought again."""
        marks = {(queue.row.number, hash_) for hash_ in hashes}
        self._forgetting |= marks
        self.broker.forget(queue.row, hashes).add_done_callback(partial(self._forgot, marks))

    def rest(self, queue: Queue) -> None:
        """A queue has no subscription any more."""
        self.known.rest(queue)

    def again(self, letter: Letter) -> None:
        """Count an envelope that the disk did not take, and that is tried again."""
        self._octets += len(letter.envelope)

    def is_forgotten(self, queue: Queue, hash_: bytes) -> bool:
        """Whether a message is about to be deleted."""
        return (queue.row.number, hash_) in self._forgetting

    async def subscribe(self, client: Correspondent, request: Subscribe, queue: Queue) -> None:
        """Give somebody the messages of a queue; whoever had them has them no more.

        Args:
            client: Who.
            request: What they asked.
            queue: Counted as `used` as long as this takes.
        """
        if len(client.subscriptions) >= self._per_link and not self._has(client, queue):
            client.failed(request.tag, Code.LIMIT)
            return
        waiting, prekeys = await self.broker.subscribed(queue.row)
        if queue.gone or client.closed:
            client.failed(request.tag, Code.DENIED)
            return
        if len(client.subscriptions) - self._has(client, queue) >= self._per_link:  # others came meanwhile
            client.failed(request.tag, Code.LIMIT)
            return
        if queue.subscription is not None:
            self._end(queue.subscription, EndReason.TAKEN)
        client.service.answer(Subscribed(request.tag, waiting, min(prekeys, 255)))
        client.changed()
        subscription = Subscription(self, queue, client, request.tag)
        queue.subscription = client.subscriptions[request.tag] = subscription
        self.known.hold(queue)
        subscription.pump()

    async def make(self, kind: QueueKind, recv_key: bytes, send_key: bytes) -> Queue:
        """Make a queue."""
        return self.known.keep(await self.broker.make(kind, recv_key, send_key))

    async def delete(self, queue: Queue, by: Correspondent) -> None:
        """Delete a queue, `used` meanwhile, and all that is in it; its owner learns from the answer."""
        await self.broker.delete(queue.row)
        self._lose(queue, by)

    def leave(self, client: Correspondent) -> None:
        """A client is no more."""
        for subscription in client.subscriptions.values():
            subscription.end()
        client.subscriptions.clear()

    def came(self, queue: int) -> None:
        """News of the broker: there is more in a queue."""
        known = self.known.numbered(queue)
        if known is not None and known.subscription is not None:
            known.subscription.more()
            known.subscription.pump()

    def taken(self, queue: int) -> None:
        """News of the broker: the subscription is on another machine."""
        known = self.known.numbered(queue)
        if known is not None and known.subscription is not None:
            self._end(known.subscription, EndReason.TAKEN)
            self.flush()

    def gone(self, queue: int) -> None:
        """News of the broker, or of its expiry: a queue is no more."""
        known = self.known.numbered(queue)
        if known is not None:
            self._lose(known, None)
            self.flush()

    async def close(self) -> None:
        """Write what is in memory."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._handed:
            subscription, letter = self._handed.popleft()
            if not letter.acknowledged:
                subscription.store(letter)
        while self._storing:
            await asyncio.wait(self._storing)

    def _look(self) -> None:
        """Write what was handed over too long ago."""
        self._timer = None
        loop = asyncio.get_running_loop()
        late = loop.time() - relay_limits.HANDED_WAIT + 0.001
        while self._handed and (self._handed[0][1].acknowledged or self._handed[0][1].since <= late):
            subscription, letter = self._handed.popleft()
            if not letter.acknowledged:
                subscription.store(letter)
        if self._handed:
            at = self._handed[0][1].since + relay_limits.HANDED_WAIT
            self._timer = loop.call_at(at, self._look)

    def _put(
        self, queue: Queue, letter: Letter, by: Subscription | None, answer: "asyncio.Future[Put]"
    ) -> None:
        self._storing.discard(answer)
        queue.used -= 1
        self._octets -= len(letter.envelope)
        error = answer.exception()
        if isinstance(error, StorageError):
            self.trouble(error)
            letter.failed(Code.TROUBLE)
            if by is not None:
                by.lost(letter)
        elif answer.result() is Put.STORED:
            letter.done()
            if by is not None:
                by.stored(letter)
        else:
            if answer.result() is Put.NO_ROOM:
                self.trouble(NoRoom())
            letter.failed(Code.DENIED if answer.result() is Put.GONE else Code.FULL)
            if by is not None:
                by.lost(letter)
        if queue.subscription is not None:
            queue.subscription.pump()
        self.flush()

    def _forgot(self, marks: set[tuple[int, bytes]], answer: "asyncio.Future[None]") -> None:
        self._forgetting -= marks
        error = answer.exception()
        if isinstance(error, StorageError):
            self.trouble(error)

    def _has(self, client: Correspondent, queue: Queue) -> bool:
        return queue.subscription is not None and queue.subscription.client is client

    def _end(self, subscription: Delivery, reason: EndReason) -> None:
        """End a subscription and tell its client."""
        client = subscription.client
        client.subscriptions.pop(subscription.tag, None)
        subscription.end()
        client.ended(subscription.tag, reason)

    def _lose(self, queue: Queue, by: Correspondent | None) -> None:
        subscription = queue.subscription
        self.known.lose(queue)
        if subscription is None:
            return
        subscription.end()
        subscription.client.subscriptions.pop(subscription.tag, None)
        if subscription.client is by:
            by.service.forget(subscription.tag)
        else:
            subscription.client.ended(subscription.tag, EndReason.GONE)
