"""Strict fixed-order fields: what handshake messages and invites are made of (SPEC.md section 1)."""

from messenger.core.errors import RemoteProtocolError


class Fields:
    """Reads fields one after the other and refuses anything left over.

    Args:
        data: The whole of one message or block.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def fixed(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            RemoteProtocolError: There are fewer.
        """
        end = self._at + size
        if end > len(self._data):
            raise RemoteProtocolError("message too short")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def number(self, size: int) -> int:
        """The next `size` bytes as a big-endian number."""
        return int.from_bytes(self.fixed(size), "big")

    def vector(self, most: int) -> bytes:
        """A field with a u16 length before it.

        Raises:
            RemoteProtocolError: It is longer than `most` bytes, or than what is there.
        """
        size = self.number(2)
        if size > most:
            raise RemoteProtocolError("field too long")
        return self.fixed(size)

    def rest(self) -> bytes:
        """Everything that is left."""
        start, self._at = self._at, len(self._data)
        return self._data[start:]

    def finish(self) -> None:
        """Call after the last field.

        Raises:
            RemoteProtocolError: Bytes are left over.
        """
        if self._at != len(self._data):
            raise RemoteProtocolError("bytes left over")
