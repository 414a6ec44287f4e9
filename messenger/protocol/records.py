"""The record layer (SPEC.md section 5): typed contents, padded, sealed, numbered.

On the wire: 0x17, u24 length of the ciphertext (these four bytes are the additional data),
ciphertext and tag. Inside: u8 type, u24 content length, content, zero padding.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from struct import Struct
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, RemoteProtocolError
from messenger.crypto.aead import Buffer, Opener, Sealer
from messenger.protocol.keyschedule import record_key
from messenger.protocol.rekey import RekeyMessage

OUTER_TYPE: Final = 0x17
"""First byte of every record, as in TLS 1.3."""

OUTER_HEADER: Final = 4
_OUTER: Final = OUTER_TYPE << 24
_CONTENT_AT: Final = OUTER_HEADER + limits.RECORD_INNER_HEADER
_SHORT: Final = 16 * 1024
"""Content up to which a record is put together by copying."""
_ZEROS: Final = bytes(limits.RECORD_PADDING + limits.TAG_SIZE)
_LEAST: Final = limits.RECORD_INNER_HEADER
_MOST: Final = _LEAST + limits.RECORD_CONTENT_MAX
_HEADER: Final = Struct(">I")
"""Both headers: a type in the first byte, a length in the others."""


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


_TYPES: Final = {each.value: each for each in RecordType}
_PACKET: Final = RecordType.PACKET
_BEFORE_PACKET: Final = (_PACKET << 24) - _LEAST
"""What the inner header of a PACKET, as a number, is more than where its content ends."""
_HEADERS: Final = {
    OUTER_HEADER + inner + limits.TAG_SIZE: _HEADER.pack(_OUTER | inner + limits.TAG_SIZE)
    for inner in range(limits.RECORD_PADDING, _SHORT + 1, limits.RECORD_PADDING)
}
"""The outer headers of short records by the length of the whole."""


class RecordBuffer:
    """A place for one record, so that bulk data is read, sealed and sent where it lies.

    Fill the beginning of `content`, then give the buffer to `Channel.send_in_place`.
    """

    def __init__(self) -> None:
        self.data = bytearray(OUTER_HEADER + limits.RECORD_CIPHERTEXT_MAX)
        self.content = memoryview(self.data)[_CONTENT_AT : _CONTENT_AT + limits.RECORD_CONTENT_MAX]
        """Room for `limits.RECORD_CONTENT_MAX` bytes."""
        self._layout = _Layout(self.data, 0)

    def layout(self, size: int) -> "_Layout":
        """The parts of a record with so much content; most records of bulk data are alike.

        Raises:
            LocalProtocolError: It is too much.
        """
        if size != self._layout.size:
            self._layout = _Layout(self.data, size)
        return self._layout


class _Layout:
    """The parts of a record in a buffer.

    Args:
        data: The buffer.
        size: Bytes of content.
    """

    def __init__(self, data: bytearray, size: int) -> None:
        if size > limits.RECORD_CONTENT_MAX:
            raise LocalProtocolError("record content too long")
        end = OUTER_HEADER + _padded(size)
        self.size = size
        self.whole = memoryview(data)[: end + limits.TAG_SIZE]
        self.inner, self.sealed = self.whole[OUTER_HEADER:end], self.whole[OUTER_HEADER:]
        self.header = _outer_header(len(self.sealed))
        self.head, self.padding = self.whole[:_CONTENT_AT], self.whole[_CONTENT_AT + size : end]
        self.head_bytes = self.header + _inner_header(RecordType.PACKET, size)
        self.zeros = bytes(len(self.padding))


class RecordWriter:
    """Seals contents of one direction.

    Args:
        secret: The direction's traffic secret, 32 bytes.
    """

    __slots__ = ("_sealer",)

    def __init__(self, secret: bytes) -> None:
        self._sealer = Sealer(*record_key(secret))

    def switch(self, secret: bytes) -> None:
        """Seal under the key of another epoch from now on; its numbers start at 0."""
        self._sealer = Sealer(*record_key(secret))

    @property
    def used(self) -> tuple[int, int]:
        """Records and bytes sealed under the present key."""
        return self._sealer.count, self._sealer.bytes

    def seal(self, kind: RecordType, content: Buffer) -> bytes | bytearray:
        """One whole record, padded so that its inner size is a multiple of `limits.RECORD_PADDING`.

        Raises:
            LocalProtocolError: The content is too long, or the key has sealed all that it may.
        """
        return self.seal_parts(kind, (content,), len(content))

    def seal_parts(self, kind: RecordType, parts: Sequence[Buffer], size: int) -> bytes | bytearray:
        """The same of a content in parts, so that it is copied once.

        Args:
            kind: What it is.
            parts: The content, when they are joined.
            size: Bytes of all of them.

        Raises:
            LocalProtocolError: As for `seal`.
        """
        if size > limits.RECORD_CONTENT_MAX:
            raise LocalProtocolError("record content too long")
        padding = -(_LEAST + size) % limits.RECORD_PADDING
        header = _HEADER.pack(_OUTER | _LEAST + size + padding + limits.TAG_SIZE)
        inner = _HEADER.pack(kind << 24 | size)
        try:
            if size <= _SHORT:  # for few bytes copying is cheaper than looking after a buffer
                inner = b"".join((inner, *parts, _ZEROS[:padding]))
                return header + self._sealer.seal(inner, header)
            data = bytearray().join((header, inner, *parts, _ZEROS[: padding + limits.TAG_SIZE]))
            with memoryview(data) as view:
                self._sealer.seal_into(view[OUTER_HEADER : -limits.TAG_SIZE], header, view[OUTER_HEADER:])
        except CryptoError as e:
            raise LocalProtocolError("this key must not seal more") from e
        return data

    def seal_in_place(self, buffer: RecordBuffer, size: int) -> memoryview:
        """Seal a PACKET whose content lies in a buffer.

        Args:
            buffer: Its `content` is overwritten.
            size: Bytes of content.

        Returns:
            The record, a part of the buffer: send it before the buffer is filled again.

        Raises:
            LocalProtocolError: As for `seal`.
        """
        parts = buffer.layout(size)
        parts.head[:], parts.padding[:] = parts.head_bytes, parts.zeros
        try:
            self._sealer.seal_into(parts.inner, parts.header, parts.sealed)
        except CryptoError as e:
            raise LocalProtocolError("this key must not seal more") from e
        return parts.whole


class RecordQueue(RecordWriter):
    """Seals contents of one direction and keeps the records until they are taken.

    Args:
        secret: As for `RecordWriter`.
    """

    __slots__ = ("sealed",)

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret)
        self.sealed: list[Buffer] = []
        """Records that nobody has taken yet, oldest first; always this list."""

    def write(self, kind: RecordType, content: Buffer) -> None:
        """Seal a record and keep it.

        Raises:
            LocalProtocolError: As for `seal`.
        """
        self.sealed.append(self.seal_parts(kind, (content,), len(content)))

    def take(self) -> Buffer:
        """All records that are kept; each is returned once."""
        if len(self.sealed) == 1:
            return self.sealed.pop()
        taken = b"".join(self.sealed)
        self.sealed.clear()
        return taken


class RecordReader:
    """Opens the records of one direction out of any pieces of a stream.

    Args:
        secret: The direction's traffic secret, 32 bytes.
    """

    __slots__ = ("_buffer", "_empty", "_opener", "count", "waiting")

    def __init__(self, secret: bytes) -> None:
        self._opener = Opener(*record_key(secret))
        self._buffer = bytearray()
        self.waiting = 0
        """Bytes kept of a record that is not complete."""
        self._empty = 0
        self.count = 0
        """Records opened so far, under all keys."""

    def switch(self, secret: bytes) -> None:
        """Open the next record under the key of another epoch."""
        self._opener = Opener(*record_key(secret))

    @property
    def begun(self) -> bool:
        """Whether a record has begun and is not complete."""
        return bool(self.waiting)

    def feed(self, data: Buffer) -> Iterator[tuple[RecordType, bytes | memoryview]]:
        """Take bytes; go through all that this yields before the next call.

        Yields:
            Type and content of each complete record.

        Raises:
            RemoteProtocolError: A record is malformed, too long, changed, or out of order.
        """
        if self._buffer:
            self._buffer += data
            with memoryview(self._buffer) as begun:  # many small pieces must not be copied again with each
                size = self.measure(begun)
                if size is None or size > len(begun):
                    self.waiting = len(begun)
                    return
            data = bytes(self._buffer)
            self._buffer.clear()
            self.waiting = 0
        whole, at, there = data if isinstance(data, bytes) else memoryview(data), 0, len(data)
        while (begin := at + OUTER_HEADER) <= there:
            header = bytes(whole[at:begin])
            end = begin + _ciphertext_size(int.from_bytes(header, "big"))
            if end > there:
                break
            at = end
            short = end - begin <= _SHORT
            yield self._open(header, whole[begin:end] if short else memoryview(whole)[begin:end])
        if at < there:
            self._buffer += whole[at:]
            self.waiting = there - at

    def only(self, data: Buffer) -> tuple[RecordType, bytes | memoryview] | None:
        """Take bytes that are one short record and nothing else, as most that come are.

        Returns:
            Type and content; None if they are anything else: nothing was done with them, `feed` them.

        Raises:
            RemoteProtocolError: As for `feed`.
        """
        header = _HEADERS.get(len(data))
        if header is None or self._buffer or data[:OUTER_HEADER] != header:
            return None
        return self._open(header, data[OUTER_HEADER:])

    @staticmethod
    def measure(view: memoryview) -> int | None:
        """How long the record is that begins here, its header included.

        Args:
            view: The bytes that have come of it.

        Returns:
            Its length, or None if the header is not whole yet.

        Raises:
            RemoteProtocolError: It is no record, or too long.
        """
        if len(view) < OUTER_HEADER:
            return None
        return OUTER_HEADER + _ciphertext_size(int.from_bytes(view[:OUTER_HEADER], "big"))

    def open_in_place(self, record: memoryview) -> tuple[RecordType, memoryview]:
        """Open one whole record where it lies, without a copy; not together with `feed`.

        Args:
            record: Exactly as long as `measure` said; it is overwritten.

        Returns:
            Its type, and its content: a part of the record.

        Raises:
            RemoteProtocolError: It does not open, or is malformed.
        """
        inner = record[OUTER_HEADER : -limits.TAG_SIZE]
        try:
            self._opener.open_into(record[OUTER_HEADER:], bytes(record[:OUTER_HEADER]), inner)
        except CryptoError as e:
            raise RemoteProtocolError("a record does not open") from e
        kind, end = self._content(bytes(inner[:_LEAST]), len(inner))
        padding = bytes(inner[end:])
        if padding.count(0) != len(padding):
            raise RemoteProtocolError("bad record content")
        return kind, inner[_LEAST:end]

    def _open(self, header: bytes, sealed: Buffer) -> tuple[RecordType, bytes | memoryview]:
        try:
            inner = self._opener.open(sealed, header)
        except CryptoError as e:
            raise RemoteProtocolError("a record does not open") from e
        (start,) = _HEADER.unpack_from(inner)
        kind, end = _PACKET, start - _BEFORE_PACKET
        if _LEAST <= end <= len(inner) and end <= _MOST:  # `_content` of a PACKET: every message passes here
            self.count += 1
            self._empty = 0
        else:
            kind, end = self._content(inner, len(inner))
        padding = inner[end:]
        if not _ZEROS.startswith(padding) and padding.count(0) != len(padding):
            raise RemoteProtocolError("bad record content")
        return kind, inner[_LEAST:end] if end <= _SHORT else memoryview(inner)[_LEAST:end]

    def _content(self, start: bytes, whole: int) -> tuple[RecordType, int]:
        """What a record of so many bytes holds, and where that ends; `start` is at least its header."""
        self.count += 1
        end = _LEAST + int.from_bytes(start[1:_LEAST], "big")
        if end > whole or end > _MOST:
            raise RemoteProtocolError("bad record content")
        kind = _TYPES.get(start[0])
        if kind is None:
            raise RemoteProtocolError("unknown record type")
        self._empty = 0 if kind else self._empty + 1  # 0 is that of PADDING
        if self._empty > limits.EMPTY_RECORDS_MAX:
            raise RemoteProtocolError("too many empty records")
        return kind, end


def _outer_header(sealed: int) -> bytes:
    return _HEADER.pack(_OUTER | sealed)


def _inner_header(kind: RecordType, size: int) -> bytes:
    return _HEADER.pack(kind << 24 | size)


def _ciphertext_size(header: int) -> int:
    """Bytes after the header of a record, given as a number."""
    size = header & 0xFFFFFF
    inner = size - limits.TAG_SIZE
    padded = inner > 0 and inner % limits.RECORD_PADDING == 0
    if header >> 24 != OUTER_TYPE or not padded or size > limits.RECORD_CIPHERTEXT_MAX:
        raise RemoteProtocolError("not a record")
    return size


def _padded(size: int) -> int:
    """Inner size of a record with that much content."""
    whole = limits.RECORD_INNER_HEADER + size
    return -(-whole // limits.RECORD_PADDING) * limits.RECORD_PADDING
