"""Ports: found, taken, forbidden; and how many may stand in the door."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import ConnectError, Reason
from messenger.net.dial import Stream
from messenger.net.listen import HalfOpen, Listener, Slot, free_ports, network_of
from tests.helpers.engines import fresh_port, fresh_ports
from tests.helpers.patience import PATIENCE

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this computer has no IPv6")


class Visitors:
    """Keeps every stream that came in until the end, and says its name."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.slots: list[Slot] = []
        self._end = asyncio.Event()

    async def __call__(self, stream: Stream, slot: Slot) -> None:
        self.streams.append(stream)
        self.slots.append(slot)
        stream.writer.write(f"{stream.host}\n".encode())
        await self._end.wait()
        stream.writer.close()

    def leave(self) -> None:
        self._end.set()


@asynccontextmanager
async def listening(
    port: int, *, exact: bool = False, host: str = ""
) -> AsyncIterator[tuple[Listener, Visitors]]:
    visitors = Visitors()
    listener = await Listener.open(visitors, port, exact=exact, host=host)
    try:
        yield listener, visitors
    finally:
        visitors.leave()
        await listener.close()


async def greeting(port: int, host: str = "127.0.0.1") -> str:
    """Call, and return the name by which one is known there; empty if one is turned away."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return (await reader.readline()).decode().strip()
    finally:
        writer.close()


@contextmanager
def taken(port: int = 0) -> Iterator[int]:
    with socket.create_server(("", port)) as sock:
        yield sock.getsockname()[1]


async def test_the_port_that_was_asked_for() -> None:
    port = fresh_port()
    async with listening(port, exact=True) as (listener, _):
        assert listener.port == port
        assert await greeting(port) == "127.0.0.1"


async def test_any_free_port() -> None:
    async with listening(0) as (first, _), listening(0) as (second, _):
        assert first.port != second.port


async def test_the_next_free_port() -> None:
    first, second, third = fresh_ports(3)
    with taken(first), taken(second):
        async with listening(first) as (listener, _):
            assert listener.port == third


async def test_when_the_whole_neighbourhood_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PORT_SEARCH", 2)
    first, second = fresh_ports(2)
    with taken(first), taken(second):
        async with listening(first) as (listener, _):
            assert listener.port not in (first, second)
            assert await greeting(listener.port)


async def test_a_taken_port() -> None:
    with taken() as port, pytest.raises(ConnectError) as caught:
        await Listener.open(Visitors(), port, exact=True)
    assert caught.value.reason is Reason.PORT_TAKEN
    assert caught.value.detail == str(port)


async def test_the_last_port_of_all() -> None:
    with taken(65535) if _free(65535) else contextmanager(lambda: iter([65535]))():
        async with listening(65535) as (listener, _):
            assert 1 <= listener.port < 65535


def _free(port: int) -> bool:
    return free_ports(port, port) == [port]


@pytest.mark.parametrize("host", ["192.0.2.77", "8.8.8.8", "2001:db8::77"])
async def test_an_address_of_another_computer(host: str) -> None:
    with pytest.raises(ConnectError) as caught:
        await Listener.open(Visitors(), 0, host=host)
    assert caught.value.reason is Reason.BAD_HOST
    assert caught.value.detail == host


@pytest.mark.skipif(os.name != "posix", reason="low ports are forbidden on Unix only")
def test_a_forbidden_port() -> None:
    """Asked for by a process that is not the superuser."""
    lowest = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if lowest.exists() and int(lowest.read_text()) <= 80:
        pytest.skip("this computer lets everybody have port 80")
    program = (
        "import asyncio, os\n"
        "from messenger.net.listen import Listener\n"
        "from messenger.core.errors import ConnectError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: asyncio.run(Listener.open(None, 80, exact=True))\n"
        "except ConnectError as e: print(e)\n"
    )
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "port forbidden: 80"


@needs_ipv6
async def test_both_kinds_of_addresses() -> None:
    """One listener for both, and a caller over IPv4 is known by their IPv4 address."""
    async with listening(0) as (listener, visitors):
        assert await greeting(listener.port) == "127.0.0.1"
        assert await greeting(listener.port, "::1") == "::1"
        assert [stream.address.host for stream in visitors.streams] == ["127.0.0.1", "::1"]


async def test_one_interface_only() -> None:
    async with listening(0, host="127.0.0.1") as (listener, _):
        assert await greeting(listener.port) == "127.0.0.1"


@needs_ipv6
async def test_one_interface_only_over_ipv6() -> None:
    async with listening(fresh_port(), host="::1", exact=True) as (listener, _):  # nobody else has its number
        assert await greeting(listener.port, "::1") == "::1"
        with pytest.raises(ConnectionRefusedError):
            await greeting(listener.port)


async def test_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    async with listening(0) as (listener, _):
        assert await greeting(listener.port) == "127.0.0.1"


async def test_free_ports() -> None:
    first, second, third = fresh_ports(3)
    with taken(second):
        assert free_ports(first, third) == [first, third]
    assert free_ports(first, third) == [first, second, third]
    assert free_ports(third, first) == []


async def test_closing_keeps_those_who_are_in() -> None:
    async with listening(fresh_port(), exact=True) as (listener, visitors):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await reader.readline()
        await listener.close()
        await listener.close()
        with pytest.raises(ConnectionRefusedError):
            await greeting(listener.port)
        visitors.streams[0].writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()


async def test_closing_while_somebody_is_at_the_door() -> None:
    """They are turned away: nothing is logged, and their connection does not stay open."""
    async with listening(0) as (listener, visitors):
        assert await greeting(listener.port)
        await asyncio.sleep(0)  # it waits for the next one
        with socket.create_connection(("127.0.0.1", listener.port)) as caller:
            await asyncio.sleep(0)  # the loop has seen them, and tells whoever waits after us
            await listener.close()
            assert len(visitors.streams) == 1
            caller.settimeout(PATIENCE)
            with pytest.raises(ConnectionResetError):
                caller.recv(1)


async def test_who_came_in_the_moment_of_closing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task that is to serve them has not begun yet, and nobody would end it."""
    monkeypatch.setattr(limits, "HANDSHAKE_FIRST", 1000.0)

    async def lanes(sock: socket.socket, _slot: Slot) -> None:
        sock.close()

    listener = await Listener.open(Visitors(), 0, lanes=lanes)
    with (
        socket.create_server(("127.0.0.1", 0)) as door,
        socket.create_connection(door.getsockname()),
        door.accept()[0] as there,
    ):
        there.settimeout(0.0)
        await listener.close()
        async with asyncio.timeout(PATIENCE):
            await listener._serve(there)
        assert there.fileno() == -1


async def test_only_so_many_in_the_door() -> None:
    async with listening(0) as (listener, visitors):
        callers = []
        for _ in range(limits.HALF_OPEN_PER_NETWORK):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            assert await reader.readline()
            callers.append(writer)
        assert await greeting(listener.port) == ""
        visitors.slots[1].release()
        assert await greeting(listener.port) == "127.0.0.1"
        assert await greeting(listener.port) == "", "who came in takes the place until released"
        for writer in callers:
            writer.close()


def test_half_open_in_all() -> None:
    door = HalfOpen()
    slots = [door.enter(f"10.{number}.0.1") for number in range(limits.HALF_OPEN_TOTAL)]
    assert None not in slots
    assert [slot.crowd for slot in slots if slot] == list(range(1, limits.HALF_OPEN_TOTAL + 1))
    assert door.enter("11.0.0.1") is None
    first = slots[0]
    assert first is not None
    first.release()
    first.release()
    assert door.enter("11.0.0.1") is not None
    assert door.enter("11.0.1.1") is None


def test_half_open_of_one_network() -> None:
    door = HalfOpen()
    slots = [door.enter(f"10.0.0.{number}") for number in range(limits.HALF_OPEN_PER_NETWORK)]
    assert None not in slots
    assert door.enter("10.0.0.200") is None
    assert door.enter("10.0.1.1") is not None


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.168.1.77", "192.168.1.0/24"),
        ("::1", "::/56"),
        ("2001:db8:1:2ff:1::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
    ],
)
def test_networks(host: str, network: str) -> None:
    assert network_of(host) == network


async def test_callers_who_are_gone_again_do_no_harm() -> None:
    async with listening(0) as (listener, _):
        for _ in range(20):
            sock = socket.create_connection(("127.0.0.1", listener.port))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            sock.close()  # a reset
        visitor = ""
        while not visitor:  # their places are free once they have been looked at
            visitor = await greeting(listener.port)
        assert visitor == "127.0.0.1"


async def test_closing_is_done_also_if_nobody_waits_for_it_any_more() -> None:
    port = fresh_port()
    listener = await Listener.open(Visitors(), port, exact=True)
    for _ in range(2):  # it waits for callers by then
        await asyncio.sleep(0)
    closing = asyncio.create_task(listener.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert free_ports(port, port) == [port]
