"""One end of an ordered byte stream, around a program that reads by asking for a number of bytes.

The program is a generator: `data = yield n` waits for n bytes, and `self.out` takes what it sends. So
it reads like blocking code, and a test still decides which byte arrives when.
"""

from collections.abc import Generator, Mapping
from typing import TypeVar

from tests.independent.primitives import Refused, check, number

T = TypeVar("T")
Steps = Generator[int, bytes, T]
"""A program that asks for bytes and ends with a T."""


class End:
    """One end of a stream. A subclass says what is done with the bytes, in `run`."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.buffer = bytearray()
        self.refused: Refused | None = None
        self.closed = False
        self._steps = self.run()
        self._wanted = next(self._steps)

    def run(self) -> Steps[None]:
        """The whole life of the stream."""
        raise NotImplementedError

    def sent(self) -> bytes:
        """What is to be sent now."""
        data = bytes(self.out)
        self.out.clear()
        return data

    def receive(self, data: bytes) -> None:
        """Give what has arrived; raises Refused, at once and for ever after a refusal.

        What follows the last message is not looked at.
        """
        if self.refused:
            raise self.refused
        self.buffer += data
        try:
            while not self.closed and len(self.buffer) >= self._wanted:
                chunk = bytes(self.buffer[: self._wanted])
                del self.buffer[: self._wanted]
                self._advance(chunk)
        except Refused as error:
            self.refused = error
            self.out.clear()
            raise

    def _advance(self, chunk: bytes) -> None:
        try:
            self._wanted = self._steps.send(chunk)
        except StopIteration:
            self.closed = True

    def write_message(self, kind: int, body: bytes) -> None:
        """Send one message of a handshake."""
        self.out += number(kind, 1) + number(len(body), 3) + body

    def read_message(self, allowed: Mapping[int, int], last: bool = False) -> Steps[tuple[int, bytes]]:
        """Read one message, of a type that is allowed now and no longer than its maximum.

        Args:
            allowed: Each type with its largest body.
            last: Whether something may stand behind it already.
        """
        head = yield 4
        kind, size = head[0], int.from_bytes(head[1:], "big")
        check(kind in allowed and size <= allowed[kind], f"message {kind} of {size} bytes now")
        body = (yield size) if size else b""
        check(last or not self.buffer, "something was sent out of turn")
        return kind, body
