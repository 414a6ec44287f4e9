"""Calls that find somebody, and calls that do not."""

import asyncio
import errno
import ipaddress
import socket
import struct
import threading

import ifaddr
import pytest

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason
from messenger.net.dial import Stream, dial
from messenger.net.listen import Listener, Slot
from tests.helpers.clock import skipping
from tests.helpers.engines import fresh_port
from tests.helpers.patience import PATIENCE
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


async def test_a_resolver_that_is_slow_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be interrupted, so it runs where neither the loop nor the program waits at the end."""
    asked: asyncio.Future[threading.Thread] = asyncio.get_running_loop().create_future()
    answer = threading.Event()

    def slow(*_where: object, **_options: object) -> list[object]:
        asked.get_loop().call_soon_threadsafe(asked.set_result, threading.current_thread())
        answer.wait(PATIENCE)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    dialling = asyncio.create_task(dial(Address("localhost", fresh_port())))
    resolver = await asked
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling
    waited_for = not resolver.daemon
    answer.set()
    assert not waited_for


async def test_a_name_with_very_many_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the name may list as many as they like: some of both kinds are tried, each once."""
    port = fresh_port()
    four: list[tuple[object, ...]] = [
        (socket.AF_INET, socket.SOCK_STREAM, 0, "", (f"127.0.{n // 200}.{n % 200 + 1}", port))
        for n in [*range(1000), *range(1000)]
    ]
    six: list[tuple[object, ...]] = [
        (socket.AF_INET6, socket.SOCK_STREAM, 0, "", (f"::{n:x}", port, 0, 0)) for n in range(0x100, 0x400)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_where, **_options: [*four[:1000], *six, *four])
    tried: list[object] = []
    loop = asyncio.get_running_loop()

    async def refused(_sock: socket.socket, target: object) -> None:
        tried.append(target)
        raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody")

    monkeypatch.setattr(loop, "sock_connect", refused)
    with pytest.raises(ConnectError):
        await dial(Address("many.example", port))
    assert len(tried) == len(set(tried)) == limits.NAME_ADDRESSES_MAX
    assert tried[:2] == [("127.0.0.1", port), ("::100", port, 0, 0)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_where, **_options: four[:1] * 50)
    tried.clear()
    with pytest.raises(ConnectError):
        await dial(Address("same.example", port))
    assert tried == [("127.0.0.1", port)]


async def test_a_kind_of_address_that_this_system_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IPv6 not even a socket can be made; the other addresses of a name are tried all the same."""

    class NoIpv6(socket.socket):
        def __init__(self, family: int, kind: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, kind)

    monkeypatch.setattr(socket, "socket", NoIpv6)
    with pytest.raises(ConnectError) as caught:
        await dial(Address("::1", fresh_port()))
    assert caught.value.reason is Reason.UNREACHABLE


def _link_local() -> str:
    """An IPv6 address of this computer that needs a scope; empty if it has none."""
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if not isinstance(ip.ip, str) and ipaddress.ip_address(ip.ip[0].partition("%")[0]).is_link_local:
                return f"{ip.ip[0].partition('%')[0]}%{adapter.name}"
    return ""


@pytest.mark.skipif(not _link_local(), reason="this computer has no link-local IPv6 address")
async def test_a_link_local_address_keeps_its_scope() -> None:
    """Without it they could not be called back."""
    host = _link_local()
    came: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def take(stream: Stream, _slot: Slot) -> None:
        came.set_result(stream.host)
        stream.abort()

    listener = await Listener.open(take, 0)
    stream = await dial(Address(host, listener.port))
    assert (stream.host, await came) == (host, host)
    stream.abort()
    await listener.close()


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


async def test_the_last_words_before_a_reset_are_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = await dial(Address("127.0.0.1", server.getsockname()[1]))
        other, _ = server.accept()
        with other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            other.sendall(b"HTTP/1.0 400 what?")
    with pytest.raises(ConnectionResetError):
        await stream.writer.wait_closed()
    assert await stream.reader.read(limits.READ_SIZE) == b"HTTP/1.0 400 what?"
    with pytest.raises(ConnectionResetError):
        await stream.reader.read(limits.READ_SIZE)
