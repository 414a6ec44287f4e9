"""One client: what it asks, checked and done (SPEC.md section 11)."""

from collections.abc import Callable
from functools import partial
from typing import Final

from messenger.core import limits, relay_limits
from messenger.core.errors import StorageError
from messenger.crypto.hkdf import digest
from messenger.protocol.relay_queues import Acknowledge, AskPuzzle, GetPrekey, QueueKind, Send
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import Code, EndReason
from messenger.relay.broker import NoRoom
from messenger.relay.house import House
from messenger.relay.known import Queue
from messenger.relay.ports import Delivery
from messenger.relay.rates import Network
from messenger.relay.requests import handle

_ENVELOPES: Final[dict[int, frozenset[int]]] = {kind: frozenset(kind.envelopes) for kind in QueueKind}
_REQUESTS: Final = int(QueueKind.REQUESTS)
_NEVER: Final = -1e9


class Client:
    """See `messenger.relay.ports.Correspondent`.

    Args:
        house: The relay.
        exported: `Link.export(relay_wire.EXPORT, b"")`.
        network: Where it calls from.
        short: What the monitor calls it.
        rouse: Called when there is something to send.
    """

    __slots__ = (
        "_asked", "_house", "_published", "changed", "circuits", "closed", "network", "now", "service",
        "short", "slow", "subscriptions",
    )  # fmt: skip

    def __init__(
        self, house: House, exported: bytes, network: Network, short: str, rouse: Callable[[], None]
    ) -> None:
        self._house = house
        self.changed = rouse
        self._asked = self._published = _NEVER
        self.service = RelayService(exported, house.welcome)
        self.subscriptions: dict[int, Delivery] = {}
        self.network = network
        self.short = short
        self.now = 0.0
        self.slow = False
        self.closed = False
        self.circuits = 0
        """Circuits that it called or was called to, passes that wait among them."""

    def receive(self, content: bytes | memoryview, now: float) -> int:
        """Take the content of a PACKET; returns how many requests were in it.

        Raises:
            RemoteProtocolError: It breaks the rules.
        """
        self.now = now
        requests = self.service.receive(content)
        for request in requests:
            if type(request) is Send:
                self._on_send(request)
            elif type(request) is Acknowledge:
                subscription = self.subscriptions.get(request.tag)
                if subscription is not None:
                    subscription.acknowledge(request.hashes)
            else:
                self._on(request)
        return len(requests)

    def deliver(self, tag: int, envelope: bytes, hash_: bytes) -> bool:
        """Bring an envelope for a subscription; False if there is no room."""
        if not self.service.brings(tag, envelope, hash_):
            return False
        house = self._house
        counters = house.counters
        counters.messages_out += 1
        counters.octets_out += len(envelope)
        if house.monitor.watched:
            house.monitor.envelope("out", self.short, self._recv_id(tag), envelope)
        self.changed()
        return True

    def done(self, tag: int) -> None:
        """Answer that a request is done."""
        if not self.closed:
            self.service.done(tag)
            self.changed()

    def failed(self, tag: int, code: Code, seconds: int = 0) -> None:
        """Answer that a request is not done."""
        if not self.closed:
            self.service.fail(tag, code, seconds)
            self.changed()

    def ended(self, tag: int, reason: EndReason) -> None:
        """Tell that a subscription has ended."""
        if not self.closed:
            self.service.end(tag, reason)
            self.changed()

    def may_publish(self) -> bool:
        """Whether it has left the directory alone for long enough; if so, that begins anew."""
        if self.now - self._published < relay_limits.STATUS_INTERVAL:
            return False
        self._published = self.now
        return True

    def resume(self) -> None:
        """It takes what is sent again."""
        self.slow = False
        for subscription in list(self.subscriptions.values()):
            subscription.pump()

    def close(self) -> None:
        """It is gone."""
        self.closed = True
        self._house.queues.leave(self)
        self._house.statuses.leave(self)

    def _on_send(self, request: Send) -> None:
        solved = bool(request.solution) and self.service.solved(request)  # now: it is used up by this
        hash_ = digest(request.envelope)
        known = self._house.queues.known
        queue = known.at_hand(request.send_id)
        if queue is not None:
            self._send(request, hash_, solved, queue)
        else:
            known.by_send(request.send_id, partial(self._send, request, hash_, solved))

    def _on(self, request: Request) -> None:
        match request:
            case AskPuzzle():
                if self.now - self._asked < relay_limits.TASK_INTERVAL:
                    self.failed(request.tag, Code.BUSY, 1)
                else:
                    self._asked = self.now
                    self.service.set_task(request.tag, limits.PUZZLE_BITS)
                    self.changed()
            case GetPrekey():
                self._house.soon(self._handle(request, solved=self.service.solved(request)))
            case _:
                self._house.soon(self._handle(request))

    async def _handle(self, request: Request, *, solved: bool = False) -> None:
        try:
            await handle(self._house, self, request, solved=solved)
        except StorageError as e:
            self._house.trouble(e)
            self.failed(request.tag, Code.FULL if isinstance(e, NoRoom) else Code.TROUBLE)

    def _send(self, request: Send, hash_: bytes, solved: bool, queue: Queue | StorageError | None) -> None:
        if self.closed:
            return
        tag, envelope = request.tag, request.envelope
        if isinstance(queue, StorageError):
            self._house.trouble(queue)
            self.failed(tag, Code.TROUBLE)
            return
        key = None if queue is None else queue.proofs or queue.writers()
        if not self.service.holds(request, key, hash_) or queue is None or queue.gone:
            self.failed(tag, Code.DENIED)
            return
        kind = queue.row.kind
        if len(envelope) not in _ENVELOPES[kind]:
            self.failed(tag, Code.REFUSED)
            return
        if kind == _REQUESTS:
            if not solved:
                self.failed(tag, Code.PUZZLE)
                return
        elif request.solution:
            self.failed(tag, Code.REFUSED)
            return
        house = self._house
        counters = house.counters
        counters.messages_in += 1
        counters.octets_in += len(envelope)
        if house.monitor.watched:
            house.monitor.envelope("in", self.short, request.send_id, envelope)
        house.queues.send(self, tag, queue, envelope, hash_)

    def _recv_id(self, tag: int) -> bytes:
        subscription = self.subscriptions.get(tag)
        return b"" if subscription is None else subscription.recv_id
