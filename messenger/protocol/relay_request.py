"""What all requests to a relay have in common (SPEC.md section "Relays").

Each is a value with a tag, by which its answer is known. A request for a queue carries a proof of
holding the queue's key, which is good for this request in this link alone.
"""

from abc import abstractmethod
from typing import ClassVar, Final, Self

import msgspec

from messenger.core import relay_limits
from messenger.crypto.hkdf import Mac
from messenger.protocol.relay_wire import (
    PROOF_SIZE,
    TAG_SIZE,
    message,
    proof,
    proves,
    put,
    put_tag,
    take_tag,
)
from messenger.protocol.wire import Fields

ID_SIZE: Final = relay_limits.QUEUE_ID_SIZE

PROVED: Final = TAG_SIZE + ID_SIZE + PROOF_SIZE
"""Bytes of a request that has nothing but a queue and a proof."""

VECTOR: Final = 2
"""Bytes of the length before a field."""


class Request(msgspec.Struct, frozen=True):
    """Something that a client asks."""

    KIND: ClassVar[int]
    BOUNDS: ClassVar[tuple[int, int]]
    """The least and the greatest length of the body."""

    tag: int
    """1 to 2^32 - 1, of no other request without answer and no subscription."""

    @abstractmethod
    def body(self) -> bytes:
        """The body as it travels.

        Raises:
            LocalProtocolError: A field is out of bounds.
        """

    @classmethod
    @abstractmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag.

        Raises:
            RemoteProtocolError: It is not what `body` writes.
        """

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body of a length within the bounds.

        Raises:
            RemoteProtocolError: It is not what `body` writes.
        """
        fields = Fields(body)
        request = cls.read(take_tag(fields), fields)
        fields.finish()
        return request

    def encode(self) -> bytes:
        """The whole message."""
        body = self.body()
        return message(self.KIND, body)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.tag})"


class Proved(Request, frozen=True, kw_only=True):
    """A request about a queue, by somebody who holds a key of it; `signed` before it is sent."""

    proof: bytes = bytes(PROOF_SIZE)

    @abstractmethod
    def before(self) -> bytes:
        """What stands before the proof in the body."""

    def after(self) -> bytes:
        """What stands after it."""
        return b""

    def body(self) -> bytes:
        """The body as it travels."""
        return self.before() + put(self.proof, PROOF_SIZE) + self.after()

    def signed(self, key: bytes, exported: bytes) -> Self:
        """The request with its proof.

        Args:
            key: The queue's 32-byte key.
            exported: `Link.export(relay_wire.EXPORT, b"")`.
        """
        return msgspec.structs.replace(
            self, proof=proof(key, exported, self.KIND, self.before(), self.after())
        )

    def holds(self, key: bytes | Mac, exported: bytes, after: bytes | None = None) -> bool:
        """Whether it was made by somebody with that key, in that link.

        Args:
            key: The queue's key, or what was made of it.
            exported: As for `signed`.
            after: SHA-256 of what stands after the proof, for whoever has it already.
        """
        content = self.after() if after is None else b""
        return proves(self.proof, key, exported, self.KIND, self.before(), content, after)


class OfQueue(Proved, frozen=True):
    """A request with nothing but a queue in it."""

    BOUNDS: ClassVar = (PROVED, PROVED)

    queue: bytes
    """One of its ids, 24 bytes."""

    def before(self) -> bytes:
        """What stands before the proof."""
        return put_tag(self.tag) + put(self.queue, ID_SIZE)

    @classmethod
    def read(cls, tag: int, fields: Fields) -> Self:
        """Read what stands after the tag."""
        return cls(tag, fields.fixed(ID_SIZE), proof=fields.fixed(PROOF_SIZE))
