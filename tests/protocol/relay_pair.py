"""A client and the relay's side of its link, and what they said; no link between them."""

from messenger.core import limits, relay_limits
from messenger.protocol.relay_answers import Done, QueueMade, Subscribed
from messenger.protocol.relay_client import RelayClient
from messenger.protocol.relay_queues import NewQueue, QueueKind, Subscribe, SubscribeFlag
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import FromRelay, Welcome

X = b"x" * 32
RECV_KEY, SEND_KEY = b"r" * 32, b"s" * 32
RECV_ID, SEND_ID = b"R" * 24, b"S" * 24


def envelope(number: int, size: int = limits.ENVELOPE_BUCKETS[0]) -> bytes:
    """An envelope that is like no other."""
    return number.to_bytes(4, "big") * (size // 4)


class Pair:
    """Both ends; `carry` moves everything that is on its way."""

    def __init__(self, *, welcomed: bool = True) -> None:
        self.client = RelayClient(X)
        self.service = RelayService(X, Welcome())
        self.said: list[FromRelay] = []
        """What the client heard, without the welcome if `welcomed`."""
        self.asked: list[Request] = []
        """What the relay was asked."""
        if welcomed:
            self.carry()
            self.said.clear()

    def carry(self) -> None:
        """Move everything both ways."""
        for content in self.client.data_to_send():
            self.asked += self.service.receive(content)
        for content in self.service.data_to_send():
            self.said += self.client.receive(content)

    def ask(self, request: Request, key: bytes = b"") -> int:
        """Make a request and carry it to the relay; returns its tag."""
        tag = self.client.request(request, key)
        self.carry()
        return tag

    def subscribe(
        self, *, window: int = relay_limits.WINDOW_MAX, calls: bool = False, queue: bytes = RECV_ID
    ) -> int:
        """Subscribe to a queue and let the relay agree; returns the tag."""
        flags = SubscribeFlag.CALLS if calls else SubscribeFlag(0)
        tag = self.ask(Subscribe(0, queue, flags, window), RECV_KEY)
        self.service.answer(Subscribed(tag, 0))
        self.carry()
        return tag

    def make_queue(self) -> int:
        """Make a queue; returns the tag."""
        tag = self.ask(NewQueue(0, QueueKind.CONTACT, RECV_KEY, SEND_KEY))
        self.service.answer(QueueMade(tag, RECV_ID, SEND_ID))
        self.carry()
        return tag

    def done(self, tag: int) -> None:
        """Let the relay answer that something is done."""
        self.service.answer(Done(tag))
        self.carry()
