"""The tap passes everything on, keeps a copy, and reads from it what anybody on the cable can read."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason, RemoteProtocolError
from messenger.net.wiretap import Recording, Wiretap
from messenger.protocol.messages import MessageType, frame
from messenger.protocol.records import OUTER_TYPE
from tests.helpers.engines import fresh_port
from tests.helpers.servers import serving

ROUNDS = 100
"""Of the event loop, in which a connection that is there is taken."""

RECORD = bytes((OUTER_TYPE,)) + (5).to_bytes(3, "big") + b"sealed"[:5]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data.upper())
        await writer.drain()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What still comes before the connection ends, in whichever way."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[Wiretap]:
    tap = await Wiretap.open(Address("127.0.0.1", port))
    try:
        yield tap
    finally:
        await tap.close()


async def test_bytes_pass_unchanged_and_are_kept_by_direction() -> None:
    async with serving(echo) as port, tapped(port) as tap:
        reader, writer = await asyncio.open_connection(tap.address.host, tap.address.port)
        for _ in range(20):
            writer.write(b"abc" * 10_000)
        writer.write_eof()
        assert await reader.read() == b"ABC" * 200_000
        writer.close()
        await writer.wait_closed()
        (tape,) = tap.recordings
        assert tape.sent(from_dialler=True) == b"abc" * 200_000
        assert tape.sent(from_dialler=False) == b"ABC" * 200_000


async def test_every_connection_has_its_own_recording() -> None:
    async with serving(echo) as port, tapped(port) as tap:
        for word in (b"one", b"two"):
            reader, writer = await asyncio.open_connection(tap.address.host, tap.address.port)
            writer.write(word)
            assert await reader.readexactly(3) == word.upper()
            writer.close()
            await writer.wait_closed()
        assert [tape.sent(from_dialler=True) for tape in tap.recordings] == [b"one", b"two"]


async def test_a_target_that_is_not_there_hangs_up() -> None:
    async with tapped(fresh_port()) as tap:
        reader, writer = await asyncio.open_connection(tap.address.host, tap.address.port)
        assert await rest(reader) == b""
        writer.close()
        assert not tap.recordings


async def test_closing_hangs_up_on_who_still_waits_for_the_target() -> None:
    """The target is a listener whose queue is full: the system neither refuses nor accepts."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)  # noqa: FBT003
            sock.connect_ex(full.getsockname())
        async with tapped(full.getsockname()[1]) as tap:
            reader, writer = await asyncio.open_connection(tap.address.host, tap.address.port)
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
            assert tap._carriers
        assert await rest(reader) == b""
        writer.close()
        gc.collect()  # a connection that was forgotten warns here
        for sock in waiting:
            sock.close()


async def test_closing_cuts_both_ends() -> None:
    ended = asyncio.Event()

    async def first_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        assert await rest(reader) == b""
        ended.set()

    async with serving(first_byte) as port:
        tap = await Wiretap.open(Address("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(tap.address.host, tap.address.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        await tap.close()
        assert await rest(reader) == b""
        await ended.wait()
        writer.close()
        with pytest.raises(ConnectError) as caught:
            _ = tap.address
        assert caught.value.reason is Reason.STOPPING


def test_frames_are_read_however_they_were_cut() -> None:
    ours = frame(MessageType.M1, b"hello") + RECORD
    theirs = frame(MessageType.M2, b"") + RECORD + RECORD[:-1]
    for size in (1, 2, 7, 100):
        tape = Recording()
        for at in range(0, max(len(ours), len(theirs)), size):
            tape.add(from_dialler=True, data=ours[at : at + size])
            tape.add(from_dialler=False, data=theirs[at : at + size])
        frames = tape.frames()
        assert [f.data for f in frames if f.from_dialler] == [frame(MessageType.M1, b"hello"), RECORD]
        assert [f.message for f in frames if not f.from_dialler] == [MessageType.M2, None]
        assert [f.at for f in frames] == sorted(f.at for f in frames)


def test_another_protocol_is_refused() -> None:
    tape = Recording()
    tape.add(from_dialler=True, data=b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(RemoteProtocolError):
        tape.frames()
