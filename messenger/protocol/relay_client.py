"""A client of a relay, as a value (SPEC.md section "Relays").

It stands on an anonymous link that is up: give it the content of each PACKET (`receive`), tell it the
time (`advance`), send what `data_to_send` returns, each piece as a PACKET, and handle what `receive` returns.
"""

from typing import Final, NamedTuple

import msgspec

from messenger.core import relay_limits
from messenger.core.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from messenger.crypto.aead import Buffer
from messenger.crypto.hkdf import digest
from messenger.protocol.relay_answers import (
    Arrived,
    Done,
    Ended,
    Failed,
    Page,
    Pass,
    PrekeyGiven,
    QueueMade,
    Ring,
    Subscribed,
    Task,
    answer_bounds,
    decode_answer,
)
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Withdraw
from messenger.protocol.relay_queues import (
    Acknowledge,
    AskPuzzle,
    Connect,
    Delete,
    GetPrekey,
    NewQueue,
    PutPrekeys,
    Send,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_wire import Messages, contents
from messenger.protocol.relay_word import FromRelay, Tagged, Welcome

ANSWERED_BY: Final[dict[type[Request], type[Tagged]]] = {
    NewQueue: QueueMade,
    Subscribe: Subscribed,
    Send: Done,
    Delete: Done,
    AskPuzzle: Task,
    PutPrekeys: Done,
    GetPrekey: PrekeyGiven,
    Connect: Pass,
    Publish: Done,
    SetStatus: Done,
    Withdraw: Done,
    LookUp: Page,
    Browse: Page,
}
"""What answers each request, unless it failed; `Acknowledge` has no answer."""


class _Waiting(NamedTuple):
    request: Request
    since: float


class _Subscription:
    """What may come for one queue."""

    def __init__(self, request: Subscribe) -> None:
        self.recv_id = request.recv_id
        self.calls = bool(request.flags & SubscribeFlag.CALLS)
        self.window = request.window
        self.held: set[bytes] = set()
        """Hashes of messages without acknowledgement."""


class RelayClient:
    """The client's side of one link with a relay.

    Args:
        exported: `Link.export(relay_wire.EXPORT, b"")`.
        now: Seconds from any starting point.
    """

    def __init__(self, exported: bytes, now: float = 0.0) -> None:
        self._exported = exported
        self._now = self._begun = now
        self._messages = Messages(answer_bounds)
        self._waiting: dict[int, _Waiting] = {}
        self._subscriptions: dict[int, _Subscription] = {}
        self._next_tag = 1
        self._out: list[bytes] = []
        self._refused = False
        self.welcome: Welcome | None = None
        """The quotas of the relay, once it has told them."""

    @property
    def ready(self) -> bool:
        """Whether another request may be made now, or an answer must come first."""
        return not self._refused and len(self._waiting) < relay_limits.REQUESTS_OPEN_MAX

    def request(self, request: Request, key: bytes = b"") -> int:
        """Queue a request; after this, send `data_to_send()`.

        Args:
            request: With any tag: it gets one of its own.
            key: The key of the queue that it is about; the proof is made here.

        Returns:
            The tag by which its answer is known, and, for a `Subscribe`, what comes for it.

        Raises:
            LocalProtocolError: Not `ready`, the request has no answer, or a field is out of bounds.
        """
        if not self.ready or type(request) not in ANSWERED_BY:
            raise LocalProtocolError("too many requests at once, or none that has an answer")
        tag = self._free_tag()
        tagged = msgspec.structs.replace(request, tag=tag)
        if isinstance(tagged, Proved):
            tagged = tagged.signed(key, self._exported)
        self._out.append(tagged.encode())
        self._waiting[tag] = _Waiting(tagged, self._now)
        return tag

    def acknowledge(self, tag: int, *hashes: bytes) -> None:
        """Let the relay forget messages that have been stored or dropped.

        Args:
            tag: Of the subscription; nothing happens if it has ended.
            hashes: SHA-256 of each envelope; those that have not come for it are passed over.
        """
        subscription = self._subscriptions.get(tag)
        if subscription is None or self._refused:
            return
        known = [each for each in dict.fromkeys(hashes) if each in subscription.held]
        subscription.held.difference_update(known)
        most = relay_limits.ACKS_PER_REQUEST
        for start in range(0, len(known), most):
            self._out.append(Acknowledge(tag, tuple(known[start : start + most])).encode())

    def data_to_send(self) -> list[bytes]:
        """Contents of PACKETs for the relay; each is returned once."""
        out, self._out = self._out, []
        return contents(out)

    def advance(self, now: float) -> None:
        """Tell the time.

        Raises:
            RemoteProtocolError: The relay has left something without an answer for too long; close the link.
        """
        self._now = now
        late = self.welcome is None and now - self._begun > relay_limits.WELCOME_WAIT
        oldest = next(iter(self._waiting.values()), None)
        if late or (oldest is not None and now - oldest.since > relay_limits.ANSWER_WAIT):
            self._refuse()
            raise RemoteProtocolError("the relay does not answer")

    def receive(self, content: Buffer) -> list[FromRelay]:
        """Take the content of a PACKET.

        Returns:
            What the relay said, in order: `Welcome`; answers and `Failed` by the tags of the requests;
            `Arrived`, `Ring` and `Ended` by those of the subscriptions.

        Raises:
            RemoteProtocolError: It breaks the rules; close the link.
        """
        if self._refused:
            return []
        said: list[FromRelay] = []
        try:
            for kind, body in self._messages.feed(content):
                word = decode_answer(kind, body)
                if word is not None:
                    self._on(word)
                    said.append(word)
        except ProtocolError:
            self._refuse()
            raise
        return said

    def _on(self, word: Welcome | Tagged) -> None:
        match word:
            case Welcome():
                if self.welcome is not None:
                    raise RemoteProtocolError("a second welcome")
                self.welcome = word
            case _ if self.welcome is None:
                raise RemoteProtocolError("no welcome")
            case Arrived():
                self._on_arrived(word)
            case Ring():
                if not self._subscription(word).calls:
                    raise RemoteProtocolError("a call that nobody asked for")
            case Ended():
                self._subscription(word)
                del self._subscriptions[word.tag]
            case _:
                self._on_answer(word)

    def _on_answer(self, answer: Tagged) -> None:
        waiting = self._waiting.pop(answer.tag, None)
        if waiting is None:
            raise RemoteProtocolError("an answer to nothing")
        request = waiting.request
        if isinstance(answer, Failed):
            return
        if type(answer) is not ANSWERED_BY[type(request)]:
            raise RemoteProtocolError("another answer than was asked for")
        if isinstance(request, Subscribe):
            if any(each.recv_id == request.recv_id for each in self._subscriptions.values()):
                raise RemoteProtocolError("two subscriptions of one queue")
            self._subscriptions[answer.tag] = _Subscription(request)
        elif isinstance(request, Delete):
            ended = [tag for tag, each in self._subscriptions.items() if each.recv_id == request.queue]
            for tag in ended:
                del self._subscriptions[tag]

    def _on_arrived(self, arrived: Arrived) -> None:
        subscription, hash_ = self._subscription(arrived), digest(arrived.envelope)
        if len(subscription.held) >= subscription.window or hash_ in subscription.held:
            raise RemoteProtocolError("more messages than the window allows, or one twice")
        subscription.held.add(hash_)

    def _subscription(self, word: Tagged) -> _Subscription:
        subscription = self._subscriptions.get(word.tag)
        if subscription is None:
            raise RemoteProtocolError("news of a subscription that there is not")
        return subscription

    def _free_tag(self) -> int:
        while self._next_tag in self._waiting or self._next_tag in self._subscriptions:
            self._next_tag += 1
        tag = self._next_tag
        self._next_tag = 1 if tag == 2**32 - 1 else tag + 1
        return tag

    def _refuse(self) -> None:
        self._refused = True
        self._out.clear()
