"""What the receiving end of a lane counts, and what it writes: the same, whatever comes."""

import os
import socket
from collections.abc import Iterator

import pytest

from messenger.core import transfer_limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.engine.lane_jobs import Receiving, Throttle
from messenger.net.lanes import Line, SocketPipe
from messenger.protocol import lane_files
from messenger.protocol.channel import Channel
from messenger.protocol.lane_files import ChunkReader
from messenger.protocol.rekey import Epoch

PIECE = 1000
COUNT = 2 * transfer_limits.PIECES_AT_ONCE + 1
OFFER = Offering(
    names=("a",), tops=1, files=1, folders=0, size=COUNT * PIECE, root=bytes(32), manifest=9, media=0
)


class Disk:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.calls: list[int] = []

    def write(self, offset: int, *pieces: memoryview) -> None:
        assert offset == len(self.data)
        self.calls.append(len(pieces))
        self.data += b"".join(pieces)


Ends = tuple[Line, Line, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Sender, receiver, and the socket under the sender."""
    epoch, secret = Epoch(os.urandom(32), os.urandom(32)), os.urandom(32)
    one, two = socket.socketpair()
    lines = [
        Line(SocketPipe(sock), Channel(epoch, secret, initiator=initiator))
        for sock, initiator in ((one, True), (two, False))
    ]
    yield lines[0], lines[1], one
    for line in lines:
        line.close()


def begin(line: Line, content: bytes) -> None:
    """Send the pieces of a chunk, so that all of them are there before the other end looks."""
    line.send(lane_files.chunk(0, 0))
    for at in range(0, len(content), PIECE):
        line.room[:PIECE] = content[at : at + PIECE]
        line.send_piece(PIECE)


@pytest.mark.parametrize("good", range(1, COUNT))
def test_what_came_before_a_damaged_record_is_written_and_counted(ends: Ends, good: int) -> None:
    here, there, sock = ends
    content = os.urandom(good * PIECE)
    begin(here, content)
    sock.sendall(b"\x17\x00\x01\x10" + os.urandom(0x110))
    chunks, disk = ChunkReader(OFFER, Ranges()), Disk()
    with pytest.raises(RemoteProtocolError):
        Receiving(there).run(chunks, disk)
    have = chunks.resume(manifest=True)
    assert (have.partial, have.begun) == (0, len(content))
    assert disk.data == content


def test_only_so_many_pieces_are_written_at_once(ends: Ends) -> None:
    here, there, _ = ends
    content = os.urandom(COUNT * PIECE)
    begin(here, content)
    here.abort()
    chunks, disk = ChunkReader(OFFER, Ranges()), Disk()
    with pytest.raises((RemoteProtocolError, OSError)):
        Receiving(there).run(chunks, disk)
    assert disk.data == content
    assert max(disk.calls) == transfer_limits.PIECES_AT_ONCE


def test_where_the_speed_is_bounded_each_piece_is_written_when_it_comes(ends: Ends) -> None:
    here, there, _ = ends
    begin(here, os.urandom(COUNT * PIECE))
    here.abort()
    disk = Disk()
    with pytest.raises((RemoteProtocolError, OSError)):
        Receiving(there, (Throttle(10**9),)).run(ChunkReader(OFFER, Ranges()), disk)
    assert disk.calls == [1] * COUNT
