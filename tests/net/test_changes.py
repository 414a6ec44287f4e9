"""What the system tells about interfaces and addresses."""

import asyncio
import struct
import sys

import pytest

from messenger.net.changes import NetworkChanges

NEW_LINK, DEL_LINK, NEW_ADDRESS, ROUTE = 16, 17, 20, 24
UP, RUNNING = 0x1, 0x40


def message(kind: int, body: bytes) -> bytes:
    data = struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body
    return data + bytes(-len(data) % 4)


def link(index: int, flags: int, kind: int = NEW_LINK) -> bytes:
    return message(kind, struct.pack("=BxHiII", 0, 1, index, flags, 0) + b"attributes")


async def test_what_matters_and_what_does_not() -> None:
    changes = NetworkChanges(lambda _: None)
    assert changes.read(link(2, UP | RUNNING)) == [True]
    assert changes.read(link(2, UP | RUNNING | 0x1000)) == [], "nothing that matters has changed"
    assert changes.read(link(2, UP) + link(3, 0) + message(NEW_ADDRESS, b"12345678")) == [True, True, False]
    assert changes.read(message(ROUTE, b"1234")) == []
    assert changes.read(link(2, UP | RUNNING, DEL_LINK)) == [True]
    assert changes.read(link(2, UP | RUNNING, DEL_LINK)) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        bytes(16),
        struct.pack("=IHHII", 15, NEW_LINK, 0, 0, 0),
        struct.pack("=IHHII", 99, 16, 0, 0, 0),
    ],
)
async def test_what_does_not_fit_its_own_lengths(data: bytes) -> None:
    assert NetworkChanges(lambda _: None).read(data) == []
    assert NetworkChanges(lambda _: None).read(message(NEW_LINK, b"cut")) == []


async def test_it_begins_and_ends() -> None:
    changes = NetworkChanges(lambda _: None)
    assert changes.open() is (sys.platform == "linux")
    changes._on_readable()  # nothing is there
    changes.close()
    changes.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it on a socket")
async def test_what_comes_on_the_socket_is_told() -> None:
    told: asyncio.Queue[bool] = asyncio.Queue()
    changes = NetworkChanges(told.put_nowait)
    assert changes.open()
    kept = changes._socket
    reads: list[bytes | OSError] = [link(7, UP), OSError(105, "no buffer space")]
    assert kept is not None

    class Full:
        """A socket of which the system has dropped something."""

        def recv(self, _size: int) -> bytes:
            found = reads.pop(0)
            if isinstance(found, bytes):
                return found
            raise found

    changes._socket = Full()  # type: ignore[assignment]
    changes._on_readable()
    assert await told.get() is True
    changes._socket = kept
    changes.close()
