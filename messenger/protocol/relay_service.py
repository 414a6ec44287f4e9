"""The relay's side of one link with a client, as a value (SPEC.md section "Relays").

It reads requests, checks proofs, and keeps to what the client may be sent. What a request means is
done by its owner, who gives the answers back: queues, disks and other links are not known here.
"""

import os
from collections.abc import Callable
from typing import Final

from messenger.core import relay_limits
from messenger.core.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from messenger.crypto.aead import Buffer
from messenger.crypto.hkdf import Mac, digest
from messenger.protocol import puzzle
from messenger.protocol.relay_answers import Done, Ended, Failed, Ring, Subscribed, Task, arrived, done
from messenger.protocol.relay_client import ANSWERED_BY
from messenger.protocol.relay_commands import Unknown, decode_request, request_bounds
from messenger.protocol.relay_queues import (
    Acknowledge,
    GetPrekey,
    Send,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_wire import Messages, contents
from messenger.protocol.relay_word import Code, EndReason, Tagged, Welcome

_SEED: Final = 32
_NOT_ASKED: Final = "not an answer to anything that was asked"
_NOT_EXPECTED: Final = "a message that the client does not expect"


class _Credit:
    """What may be sent for one subscription."""

    __slots__ = ("calls", "held", "window")

    def __init__(self, request: Subscribe) -> None:
        self.calls = bool(request.flags & SubscribeFlag.CALLS)
        self.window = request.window
        self.held: set[bytes] = set()


class RelayService:
    """One client.

    After construction send `data_to_send()`: the welcome is in it.

    Args:
        exported: `Link.export(relay_wire.EXPORT, b"")`.
        welcome: The quotas of this relay.
        entropy: Source of random bytes.
    """

    __slots__ = (
        "_credits",
        "_entropy",
        "_exported",
        "_nobody",
        "_open",
        "_refused",
        "_task",
        "messages",
        "said",
    )

    def __init__(
        self, exported: bytes, welcome: Welcome, entropy: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._exported = exported
        self._nobody = entropy(relay_limits.QUEUE_KEY_SIZE)
        self._entropy = entropy
        self.messages = Messages(request_bounds)
        """What the client says; `waiting` bytes of it are not whole yet."""
        self._open: dict[int, Request] = {}
        self._credits: dict[int, _Credit] = {}
        self._task: Task | None = None
        self.said: list[bytes] = [welcome.encode()]
        """What the client is to be told; see `take`."""
        self._refused = False

    def receive(self, content: Buffer) -> list[Request]:
        """Take the content of a PACKET. Requests that only later versions know are answered here.

        Returns:
            The requests in it, in order; each but `Acknowledge` must be given to `answer` or `fail`
            once. The hashes of an `Acknowledge` are those that have been delivered and may be forgotten.

        Raises:
            RemoteProtocolError: It breaks the rules; close the link without a word.
        """
        if self._refused:
            return []
        asked: list[Request] = []
        try:
            for kind, body in self.messages.feed(content):
                request = self._on(decode_request(kind, body))
                if request is not None:
                    asked.append(request)
        except ProtocolError:
            self._refused = True
            self.said.clear()
            raise
        return asked

    def take(self) -> list[bytes]:
        """What the client is to be told, in parts that share contents of PACKETs; each is returned once."""
        said, self.said = self.said, []
        return said

    def data_to_send(self) -> list[bytes]:
        """The same as contents of PACKETs."""
        return contents(self.take())

    @property
    def waiting(self) -> bool:
        """Whether there is something to send."""
        return bool(self.said)

    def holds(self, request: Proved, key: bytes | Mac | None, after: bytes | None = None) -> bool:
        """Whether a request comes from somebody who has the queue's key.

        Args:
            request: From `receive`.
            key: The key of the queue that it names, or what was made of it; None if there is no such
                queue, for which a proof is computed all the same, and which is never true.
            after: SHA-256 of the envelope of a `Send`, if it is known already.
        """
        return request.holds(self._nobody if key is None else key, self._exported, after) and key is not None

    def done(self, tag: int) -> None:
        """Answer a request with `Done`.

        Raises:
            LocalProtocolError: It is not open, or something else answers it.
        """
        request = self._open.get(tag)
        if request is None or ANSWERED_BY[type(request)] is not Done:
            raise LocalProtocolError(_NOT_ASKED)
        del self._open[tag]
        self.said.append(done(tag))

    def answer(self, answer: Tagged) -> None:
        """Answer a request.

        Raises:
            LocalProtocolError: It is not open, or this is not what answers it.
        """
        request = self._open.get(answer.tag)
        if request is None or type(answer) is not ANSWERED_BY[type(request)]:
            raise LocalProtocolError(_NOT_ASKED)
        self._say(answer)
        del self._open[answer.tag]
        if isinstance(request, Subscribe) and isinstance(answer, Subscribed):
            self._credits[answer.tag] = _Credit(request)

    def fail(self, tag: int, code: Code, seconds: int = 0) -> None:
        """Answer a request that cannot be done.

        Raises:
            LocalProtocolError: It is not open.
        """
        if self._open.pop(tag, None) is None:
            raise LocalProtocolError(_NOT_ASKED)
        self._say(Failed(tag, code, seconds))

    def set_task(self, tag: int, bits: int) -> None:
        """Answer an `AskPuzzle` with a fresh puzzle, which takes the place of the last one.

        Args:
            tag: Of the request.
            bits: Its difficulty, at most `limits.PUZZLE_BITS_MAX`.

        Raises:
            LocalProtocolError: The request is not open, or of another kind.
        """
        task = Task(tag, bits, self._entropy(_SEED))
        self.answer(task)
        self._task = task

    def solved(self, request: Send | GetPrekey) -> bool:
        """Whether a request brings the solution of the task of this link, which is used up by asking."""
        task, self._task = self._task, None
        if task is None:
            return False
        content = request.envelope if isinstance(request, Send) else request.send_id
        return puzzle.holds(puzzle.material(task.seed, content), task.bits, request.solution)

    def room(self, tag: int) -> int:
        """How many messages may be delivered to a subscription now; 0 if there is none."""
        credit = self._credits.get(tag)
        return 0 if credit is None else credit.window - len(credit.held)

    def deliver(self, tag: int, envelope: bytes, hash_: bytes | None = None) -> None:
        """Bring a message of a queue.

        Args:
            tag: Of the subscription.
            envelope: The message.
            hash_: Its SHA-256, if it is known already.

        Raises:
            LocalProtocolError: There is no `room`, or it is on its way already.
        """
        if not self.brings(tag, envelope, digest(envelope) if hash_ is None else hash_):
            raise LocalProtocolError(_NOT_EXPECTED)

    def brings(self, tag: int, envelope: bytes, hash_: bytes) -> bool:
        """`deliver` if there is room; returns whether there was.

        Raises:
            LocalProtocolError: It is on its way already.
        """
        credit = self._credits.get(tag)
        if credit is None or len(credit.held) >= credit.window:
            return False
        if hash_ in credit.held:
            raise LocalProtocolError(_NOT_EXPECTED)
        self.said += arrived(tag, envelope)
        credit.held.add(hash_)
        return True

    def takes_calls(self, tag: int) -> bool:
        """Whether circuits may be opened to the owner of a subscription."""
        return tag in self._credits and self._credits[tag].calls

    def ring(self, tag: int, secret: bytes, address: str = "") -> None:
        """Call the owner of a subscription.

        Raises:
            LocalProtocolError: They take no calls.
        """
        if not self.takes_calls(tag):
            raise LocalProtocolError("a call that nobody asked for")
        self._say(Ring(tag, secret, address))

    def end(self, tag: int, reason: EndReason) -> None:
        """End a subscription, and say so.

        Raises:
            LocalProtocolError: There is none.
        """
        self.forget(tag)
        self._say(Ended(tag, reason))

    def forget(self, tag: int) -> None:
        """End a subscription whose end the client knows from the answer to its `Delete`.

        Raises:
            LocalProtocolError: There is none.
        """
        if self._credits.pop(tag, None) is None:
            raise LocalProtocolError("a subscription that there is not")

    def _on(self, request: Request) -> Request | None:
        if type(request) is Acknowledge:
            return self._on_acknowledge(request)
        tag = request.tag
        if tag in self._open or tag in self._credits:
            raise RemoteProtocolError("a tag twice")
        if isinstance(request, Unknown):
            self._say(Failed(tag, Code.UNKNOWN))
            return None
        if len(self._open) >= relay_limits.REQUESTS_OPEN_MAX:
            raise RemoteProtocolError("too many requests at once")
        self._open[tag] = request
        return request

    def _on_acknowledge(self, request: Acknowledge) -> Request | None:
        credit = self._credits.get(request.tag)
        if credit is None:
            return None
        held, hashes = credit.held, request.hashes
        if len(hashes) == 1:
            if hashes[0] not in held:
                return None
            held.remove(hashes[0])
            return request
        known = tuple(each for each in dict.fromkeys(hashes) if each in held)
        held.difference_update(known)
        return Acknowledge(request.tag, known) if known else None

    def _say(self, word: Tagged) -> None:
        self.said.append(word.encode())
