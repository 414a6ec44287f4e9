"""The queues that a relay has in memory: those with a subscription, and those used lately."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from messenger.core import relay_limits
from messenger.core.errors import StorageError
from messenger.crypto.hkdf import Mac
from messenger.relay.broker import Broker, QueueRow
from messenger.relay.ports import Delivery


class Queue:
    """A queue that is in memory.

    Args:
        row: What the broker knows of it.
    """

    __slots__ = ("gone", "proofs", "row", "subscription", "used")

    def __init__(self, row: QueueRow) -> None:
        self.row = row
        self.subscription: Delivery | None = None
        """The one on this machine."""
        self.used = 0
        """Requests and envelopes that are being seen to, after which it has to be here still."""
        self.gone = False
        """It has been deleted."""
        self.proofs: Mac | None = None
        """See `writers`; None before the first proof."""

    def writers(self) -> Mac:
        """What is made of the key of its writers, to check their proofs; kept from the first one on."""
        if self.proofs is None:
            self.proofs = Mac(self.row.send_key)
        return self.proofs


Found = Callable[[Queue | StorageError | None], None]
"""Called with a queue, with None if there is none, or with the reason why nobody knows."""


class KnownQueues:
    """Finds queues by either of their ids, each as one object.

    Args:
        broker: Asked for those that are not in memory.
        flush: Called when those have been told of one who waited for it.
    """

    def __init__(self, broker: Broker, flush: Callable[[], None]) -> None:
        self._broker = broker
        self._flush = flush
        self._by_id: dict[bytes, Queue] = {}
        self._idle: OrderedDict[int, Queue] = OrderedDict()
        self._numbers: dict[int, Queue] = {}
        self._sought: dict[bytes, list[Found]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def numbered(self, number: int) -> Queue | None:
        """The queue of a number, if it is in memory."""
        return self._numbers.get(number)

    def subscribed(self) -> list[QueueRow]:
        """Those with a subscription on this machine."""
        return [queue.row for queue in self._numbers.values() if queue.subscription is not None]

    def at_hand(self, send_id: bytes) -> Queue | None:
        """The queue with that writers' id, if it is in memory."""
        queue = self._by_id.get(send_id)
        if queue is None or queue.row.send_id != send_id:
            return None
        if queue.subscription is None:
            self._idle.move_to_end(queue.row.number)
        return queue

    def by_recv(self, recv_id: bytes, then: Found) -> None:
        """Find the queue with that owner's id; `then` may be called at once.

        Calls about one id come in the order in which they were asked for.
        """
        queue = self._by_id.get(recv_id)
        if queue is not None:
            then(queue if queue.row.recv_id == recv_id else None)
        else:
            self._seek(recv_id, self._broker.by_recv, then)

    def by_send(self, send_id: bytes, then: Found) -> None:
        """Find the queue with that writers' id; see `by_recv`."""
        queue = self._by_id.get(send_id)
        if queue is not None:
            if queue.subscription is None:
                self._idle.move_to_end(queue.row.number)
            then(queue if queue.row.send_id == send_id else None)
        else:
            self._seek(send_id, self._broker.by_send, then)

    def keep(self, row: QueueRow) -> Queue:
        """The one object for a queue."""
        queue = self._numbers.get(row.number)
        if queue is None:
            queue = self._numbers[row.number] = Queue(row)
            self._by_id[row.recv_id] = self._by_id[row.send_id] = queue
            self.rest(queue)
        return queue

    def hold(self, queue: Queue) -> None:
        """It has a subscription: keep it."""
        self._idle.pop(queue.row.number, None)

    def rest(self, queue: Queue) -> None:
        """It has none (any more): keep it as long as there is room."""
        if queue.gone:
            return
        self._idle[queue.row.number] = queue
        while len(self._idle) > relay_limits.QUEUES_KNOWN:
            _, oldest = self._idle.popitem(last=False)
            if oldest.used:
                self._idle[oldest.row.number] = oldest  # it is still being used
                break
            self._drop(oldest)

    def lose(self, queue: Queue) -> None:
        """It has been deleted."""
        queue.gone = True
        self._idle.pop(queue.row.number, None)
        self._drop(queue)

    def _drop(self, queue: Queue) -> None:
        self._numbers.pop(queue.row.number, None)
        for id_ in (queue.row.recv_id, queue.row.send_id):
            self._by_id.pop(id_, None)

    def _seek(
        self,
        id_: bytes,
        ask: "Callable[[bytes], asyncio.Future[QueueRow | None]]",
        then: Found,
    ) -> None:
        waiting = self._sought.setdefault(id_, [])
        waiting.append(then)
        if len(waiting) == 1:
            ask(id_).add_done_callback(partial(self._found, id_))

    def _found(self, id_: bytes, answer: "asyncio.Future[QueueRow | None]") -> None:
        waiting = self._sought.pop(id_, [])
        if answer.cancelled():
            return
        error = answer.exception()
        found: Queue | StorageError | None = None
        if isinstance(error, StorageError):
            found = error
        elif (row := answer.result()) is not None:
            found = self.keep(row)
        for then in waiting:
            then(found)
        self._flush()
