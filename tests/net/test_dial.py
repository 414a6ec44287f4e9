"""Calls that find somebody, and calls that do not."""

import asyncio
import socket

import pytest

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.net.dial import dial
from tests.helpers.clock import skipping
from tests.helpers.engines import fresh_port
from tests.helpers.servers import serving, silence


async def test_somebody_answers() -> None:
    async with serving(silence) as port:
        stream = await dial(Address("127.0.0.1", port))
        assert stream.address == Address("127.0.0.1", port)
        assert stream.writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        stream.abort()
        assert await stream.reader.read() == b""


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this computer has no IPv6")
async def test_over_ipv6() -> None:
    async with serving(silence, "::1") as port:
        stream = await dial(Address("::1", port))
        assert str(stream.address) == f"[::1]:{port}"
        stream.abort()


async def test_a_name() -> None:
    async with serving(silence) as port:
        stream = await dial(Address("localhost", port))
        assert stream.host == "127.0.0.1"
        stream.abort()


async def test_nobody() -> None:
    address = Address("127.0.0.1", fresh_port())
    with pytest.raises(ConnectError) as caught:
        await dial(address)
    assert caught.value.reason is Reason.NOBODY
    assert caught.value.detail == str(address)


@pytest.mark.parametrize("host", ["nonexistent.invalid", "a" * 63 + ".invalid", "xn--a.invalid"])
async def test_a_name_that_nobody_has(host: str) -> None:
    with pytest.raises(ConnectError) as caught:
        await dial(Address(host, 80))
    assert caught.value.reason is Reason.UNRESOLVED
    assert caught.value.detail == host


@skipping
async def test_somebody_who_never_answers() -> None:
    """A listener whose queue is full: the system neither refuses nor accepts."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        where = full.getsockname()
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)  # noqa: FBT003
            sock.connect_ex(where)
            waiting.append(sock)
        loop = asyncio.get_running_loop()
        before = loop.time()
        with pytest.raises(ConnectError) as caught:
            await dial(Address(*where))
        assert caught.value.reason is Reason.TIMEOUT
        assert limits.DIAL_TIMEOUT <= loop.time() - before < limits.DIAL_TIMEOUT + 1
        for sock in waiting:
            sock.close()


async def test_no_way_there() -> None:
    """A scope that no interface has."""
    with pytest.raises(ConnectError) as caught:
        await dial(Address("fe80::1%nowhere0", 80))
    assert caught.value.reason in (Reason.UNRESOLVED, Reason.UNREACHABLE)


async def test_giving_up() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        where = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)  # noqa: FBT003
            sock.connect_ex(where)
        dialling = asyncio.create_task(dial(Address(*where)))
        await asyncio.sleep(0)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        for sock in waiting:
            sock.close()
