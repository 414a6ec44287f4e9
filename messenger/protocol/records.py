"""The record layer (SPEC.md section 5): typed contents, padded, sealed, numbered.

On the wire: 0x17, u24 length of the ciphertext (these four bytes are the additional data),
ciphertext and tag. Inside: u8 type, u24 content length, content, zero padding.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, RemoteProtocolError
from messenger.crypto.aead import Opener, Sealer
from messenger.protocol.keyschedule import record_key
from messenger.protocol.rekey import RekeyMessage

OUTER_TYPE: Final = 0x17
"""First byte of every record, as in TLS 1.3."""

OUTER_HEADER: Final = 4


class RecordType(IntEnum):
    """What a record holds."""

    PADDING = 0
    """Nothing; content is empty."""
    PACKET = 1
    """One application packet."""
    PING = 2
    """Asks for a PONG with the same content, at most 8 bytes."""
    PONG = 3
    CLOSE = 4
    """Nothing more follows in this direction; content is one byte, a CloseCode."""
    OFFER = RekeyMessage.OFFER
    ACCEPT = RekeyMessage.ACCEPT
    DONE = RekeyMessage.DONE


class RecordWriter:
    """Seals contents of one direction.

    Args:
        secret: The direction's traffic secret, 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._sealer = Sealer(*record_key(secret))

    def switch(self, secret: bytes) -> None:
        """Seal under the key of another epoch from now on; its numbers start at 0."""
        self._sealer = Sealer(*record_key(secret))

    @property
    def used(self) -> tuple[int, int]:
        """Records and bytes sealed under the present key."""
        return self._sealer.count, self._sealer.bytes

    def seal(self, kind: RecordType, content: bytes) -> bytes:
        """One whole record, padded so that its inner size is a multiple of `limits.RECORD_PADDING`.

        Raises:
            LocalProtocolError: The content is too long, or the key has sealed all that it may.
        """
        if len(content) > limits.RECORD_CONTENT_MAX:
            raise LocalProtocolError("record content too long")
        size = limits.RECORD_INNER_HEADER + len(content)
        padded = -(-size // limits.RECORD_PADDING) * limits.RECORD_PADDING
        inner = bytes((kind,)) + len(content).to_bytes(3, "big") + content + bytes(padded - size)
        header = bytes((OUTER_TYPE,)) + (padded + limits.TAG_SIZE).to_bytes(3, "big")
        try:
            return header + self._sealer.seal(inner, header)
        except CryptoError as e:
            raise LocalProtocolError("this key must not seal more") from e


class RecordReader:
    """Opens the records of one direction out of any pieces of a stream.

    Args:
        secret: The direction's traffic secret, 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._opener = Opener(*record_key(secret))
        self._buffer = bytearray()
        self._empty = 0
        self.count = 0
        """Records opened so far, under all keys."""

    def switch(self, secret: bytes) -> None:
        """Open the next record under the key of another epoch."""
        self._opener = Opener(*record_key(secret))

    @property
    def begun(self) -> bool:
        """Whether a record has begun and is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[tuple[RecordType, bytes]]:
        """Take bytes; go through all that this yields before the next call.

        Yields:
            Type and content of each complete record.

        Raises:
            RemoteProtocolError: A record is malformed, too long, changed, or out of order.
        """
        self._buffer += data
        while len(self._buffer) >= OUTER_HEADER:
            size = int.from_bytes(self._buffer[1:OUTER_HEADER], "big")
            if self._buffer[0] != OUTER_TYPE or not self._plausible(size):
                raise RemoteProtocolError("not a record")
            if len(self._buffer) < OUTER_HEADER + size:
                return
            header = bytes(self._buffer[:OUTER_HEADER])
            sealed = bytes(self._buffer[OUTER_HEADER : OUTER_HEADER + size])
            del self._buffer[: OUTER_HEADER + size]
            yield self._open(header, sealed)

    @staticmethod
    def _plausible(size: int) -> bool:
        return limits.RECORD_INNER_HEADER + limits.TAG_SIZE <= size <= limits.RECORD_CIPHERTEXT_MAX

    def _open(self, header: bytes, sealed: bytes) -> tuple[RecordType, bytes]:
        try:
            inner = self._opener.open(sealed, header)
        except CryptoError as e:
            raise RemoteProtocolError("a record does not open") from e
        self.count += 1
        size = int.from_bytes(inner[1 : limits.RECORD_INNER_HEADER], "big")
        end = limits.RECORD_INNER_HEADER + size
        if size > limits.RECORD_CONTENT_MAX or end > len(inner) or any(inner[end:]):
            raise RemoteProtocolError("bad record content")
        try:
            kind = RecordType(inner[0])
        except ValueError as e:
            raise RemoteProtocolError("unknown record type") from e
        self._empty = self._empty + 1 if kind is RecordType.PADDING else 0
        if self._empty > limits.EMPTY_RECORDS_MAX:
            raise RemoteProtocolError("too many empty records")
        return kind, inner[limits.RECORD_INNER_HEADER : end]
