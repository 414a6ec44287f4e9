"""The stream of messages on a link with a relay, and the proofs in them (SPEC.md section "Relays").

The contents of the PACKETs of a direction, joined, are messages: u8 type, u24 length, body. So many
short ones share a record, and an envelope of the largest size, with what stands before it, takes two.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Final

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.crypto.aead import Buffer
from messenger.crypto.hkdf import Mac, digest, equal, mac, vec
from messenger.protocol.wire import Fields

HEADER_SIZE: Final = 4
TAG_SIZE: Final = 4
PROOF_SIZE: Final = 32
HASH_SIZE: Final = 32

EXPORT: Final = "relay"
"""Label of `Link.export`, with an empty context, for what proofs are bound to."""

TAG_MAX: Final = 2**32 - 1
_HEADER: Final = Struct(">I")
"""u8 type, u24 length."""
_SIZE: Final = 0xFFFFFF
_IMPOSSIBLE: Final = "a relay message of impossible length"

Bounds = Callable[[int], tuple[int, int]]
"""The least and the greatest length of a body of a type; raises RemoteProtocolError for a refused type."""


def message(kind: int, body: bytes) -> bytes:
    """A message as it stands in the stream: u8 type, u24 length, body."""
    return (kind << 24 | len(body)).to_bytes(HEADER_SIZE, "big") + body


def contents(messages: Iterable[bytes]) -> list[bytes]:
    """Pack messages into as few contents of PACKETs as they need: `limits.RECORD_CONTENT_MAX` bytes each."""
    stream = b"".join(messages)
    most = limits.RECORD_CONTENT_MAX
    if 0 < len(stream) <= most:
        return [stream]
    return [stream[start : start + most] for start in range(0, len(stream), most)]


class Messages:
    """Reads the stream of one direction.

    At most one message that is not complete is kept, and never one that its header already condemns.

    Args:
        bounds: What each type may have.
    """

    __slots__ = ("_bounds", "_buffer", "waiting")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._buffer = bytearray()
        self.waiting = 0
        """Bytes kept of a message that is not complete."""

    def feed(self, content: Buffer) -> list[tuple[int, bytes]]:
        """Take the content of a PACKET.

        Returns:
            Type and body of each message that is complete.

        Raises:
            RemoteProtocolError: The content is empty, or a header names a type or a length that
                is refused; nothing can be read after that.
        """
        there = len(content)
        if not 0 < there <= limits.RECORD_CONTENT_MAX:
            raise RemoteProtocolError("a packet without content")
        if self._buffer:
            self._buffer += content
            begun = self.waiting = len(self._buffer)  # many small pieces must not be copied again with each
            if begun < HEADER_SIZE or begun < self._end(self._buffer):
                return []
            content, there = bytes(self._buffer), begun
            self._buffer.clear()
            self.waiting = 0
        start, found, bounds = 0, [], self._bounds
        while (begin := start + HEADER_SIZE) <= there:
            (header,) = _HEADER.unpack_from(content, start)
            kind, end = header >> 24, begin + (header & _SIZE)
            least, most = bounds(kind)
            if not least <= end - begin <= most:
                raise RemoteProtocolError(_IMPOSSIBLE)
            if end > there:
                break
            found.append((kind, bytes(content[begin:end])))
            start = end
        if start < there:
            self._buffer += content[start:]
            self.waiting = there - start
        return found

    def _end(self, stream: Buffer) -> int:
        """Where the message ends that begins here, if its header holds."""
        header = int.from_bytes(stream[:HEADER_SIZE], "big")
        size = header & _SIZE
        least, most = self._bounds(header >> 24)
        if not least <= size <= most:
            raise RemoteProtocolError(_IMPOSSIBLE)
        return HEADER_SIZE + size


def proof(
    key: bytes | Mac,
    exported: bytes,
    kind: int,
    before: bytes,
    after: bytes = b"",
    hashed: bytes | None = None,
) -> bytes:
    """Proof of holding a key of a queue, good for one request in one link; 32 bytes.

    Args:
        key: 32-byte key of the queue, or what was made of it.
        exported: `Link.export(EXPORT, b"")` of the link that the request goes through.
        kind: Type of the request.
        before: What stands before the proof in the body.
        after: What stands after it.
        hashed: Its SHA-256 in its place, for whoever has it already.
    """
    hashed = digest(after) if hashed is None else hashed
    data = b"%b%c%b%b" % (exported, kind, before, hashed)
    return key.of(data) if isinstance(key, Mac) else mac(key, data)


def proves(
    given: bytes,
    key: bytes | Mac,
    exported: bytes,
    kind: int,
    before: bytes,
    after: bytes = b"",
    hashed: bytes | None = None,
) -> bool:
    """Whether `given` is that proof; takes as long for a wrong one."""
    return equal(given, proof(key, exported, kind, before, after, hashed))


def put_tag(tag: int) -> bytes:
    """A tag as it travels.

    Raises:
        LocalProtocolError: It is not 1 to 2^32 - 1.
    """
    if not 1 <= tag <= TAG_MAX:
        raise LocalProtocolError("a tag out of bounds")
    return tag.to_bytes(TAG_SIZE, "big")


def take_tag(fields: Fields) -> int:
    """Read a tag.

    Raises:
        RemoteProtocolError: It is 0, or cut short.
    """
    tag = fields.number(TAG_SIZE)
    if tag == 0:
        raise RemoteProtocolError("a tag that is 0")
    return tag


def put(data: bytes, *sizes: int) -> bytes:
    """A field that must have one of these sizes.

    Raises:
        LocalProtocolError: It has another.
    """
    if len(data) not in sizes:
        raise LocalProtocolError("a field of a relay message of another size")
    return data


def put_vector(data: bytes, most: int) -> bytes:
    """A field after its u16 length.

    Raises:
        LocalProtocolError: It is longer than `most`.
    """
    if len(data) > most:
        raise LocalProtocolError("a field of a relay message too long")
    return vec(data)


def take_choice(fields: Fields, sizes: tuple[int, ...]) -> bytes:
    """Read a field after its u16 length, which must be one of these.

    Raises:
        RemoteProtocolError: It is another, or the field is cut short.
    """
    data = fields.vector(max(sizes))
    if len(data) not in sizes:
        raise RemoteProtocolError("a field of a relay message of another size")
    return data


def put_number(value: int, size: int) -> bytes:
    """A number of so many bytes.

    Raises:
        LocalProtocolError: It does not fit.
    """
    if not 0 <= value < 1 << 8 * size:
        raise LocalProtocolError("a number of a relay message out of bounds")
    return value.to_bytes(size, "big")
