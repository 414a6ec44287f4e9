"""Two real programs, each on a computer of its own as far as the network goes, and a router between them.

Network namespaces and cables are made by the test and go with it. Nothing here measures time: that 30 s hold
is shown with a clock that jumps, in `tests/net/test_connection.py`.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from messenger.core.models import Standing
from messenger.crypto import keystore
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE, fresh_ports, prepare
from tests.helpers.keys import identity
from tests.helpers.terminal import ROOT, environment

PATIENCE: Final = 90.0
"""Seconds to wait for something that must happen; only a failing test waits that long."""
PORT: Final = 42_000
HOSTS: Final = {"alice": "10.77.1.1", "bob": "10.77.2.1"}


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Network:
    """Two computers, each with a cable to a router."""

    def __init__(self) -> None:
        mark = secrets.token_hex(3)
        self.spaces = {who: f"sotto-{mark}-{who}" for who in (*HOSTS, "router")}
        self._mark = mark

    def build(self) -> None:
        """Make it."""
        for space in self.spaces.values():
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        for number, (who, host) in enumerate(HOSTS.items(), start=1):
            near, far = f"s{self._mark}{number}", f"r{self._mark}{number}"
            own, router = self.spaces[who], self.spaces["router"]
            ip("link", "add", near, "netns", own, "type", "veth", "peer", "name", far, "netns", router)
            ip("-n", own, "addr", "add", f"{host}/24", "dev", near)
            ip("-n", router, "addr", "add", f"10.77.{number}.2/24", "dev", far)
            ip("-n", router, "link", "set", far, "up")
            ip("-n", own, "link", "set", near, "up")
            ip("-n", own, "route", "add", "default", "via", f"10.77.{number}.2")
        self.forward(wanted=True)

    def forward(self, *, wanted: bool) -> None:
        """Let the router carry packets, or drop all of them without a word."""
        self._in("router", "sysctl", "-qw", f"net.ipv4.ip_forward={int(wanted)}")

    def cable(self, who: str, *, plugged: bool) -> None:
        """Pull somebody's cable out of the router, or put it in."""
        number = list(HOSTS).index(who) + 1
        state = "up" if plugged else "down"
        ip("-n", self.spaces["router"], "link", "set", f"r{self._mark}{number}", state)

    def move(self, who: str, host: str) -> None:
        """Give somebody another address in the same net."""
        number = list(HOSTS).index(who) + 1
        ip("-n", self.spaces[who], "addr", "flush", "dev", f"s{self._mark}{number}")
        ip("-n", self.spaces[who], "addr", "add", f"{host}/24", "dev", f"s{self._mark}{number}")
        ip("-n", self.spaces[who], "route", "add", "default", "via", f"10.77.{number}.2")

    def remove(self) -> None:
        """Take all of it away."""
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    def _in(self, who: str, *command: str) -> None:
        ip("netns", "exec", self.spaces[who], *command)


@pytest.fixture
def network() -> Iterator[Network]:
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need Linux, root and the program ip")
    made = Network()
    try:
        try:
            made.build()
        except subprocess.CalledProcessError as e:
            pytest.skip(f"this system does not let us make network namespaces: {e.stderr.decode().strip()}")
        yield made
    finally:
        made.remove()


class Node:
    """A program that runs.

    Args:
        process: `tests.cables.node`.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, wanted: str) -> str:
        """Read on until a line begins with something."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line.strip())
                if self.lines[-1].startswith(wanted):
                    return self.lines[-1]
        raise AssertionError(f"no {wanted!r} in {self.lines}")

    async def do(self, line: str) -> None:
        """Have it do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def texts(self) -> list[str]:
        """Its messages, each with its state."""
        await self.do("texts")
        return (await self.until("texts")).split()[1:]


@asynccontextmanager
async def node(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> AsyncIterator[Node]:
    """A program until the end of the block."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, "-P", "-m", "tests.cables.node", str(folder), *arguments,
        stdin=pipe, stdout=pipe, cwd=ROOT,
        env=environment({"PYTHONPATH": str(ROOT)}),  # with the limits of the product: they are the subject
    )  # fmt: skip
    try:
        yield Node(process)
    finally:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                async with asyncio.timeout(PATIENCE):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.communicate()


def acquainted(folder: Path, who: str, other: str, address: str, port: int = PORT) -> Path:
    """A profile that listens on a port and knows somebody at an address."""
    prepare(folder / who, who, port=port)
    store = Store.open(folder / who / DATABASE, keystore.unlock(folder / who, "").db_key)
    contact = store.contacts.add(
        identity(other).fingerprint, name=other, standing=Standing.ACCEPTED, now_ms=1
    )
    store.contacts.note_address(contact.id, address)
    store.close()
    return folder / who


@asynccontextmanager
async def both(network: Network, folder: Path) -> AsyncIterator[tuple[Node, Node]]:
    """Alice and Bob, online."""
    async with AsyncExitStack() as stack:
        nodes = []
        for who, other in (("alice", "bob"), ("bob", "alice")):
            profile = acquainted(folder, who, other, f"{HOSTS[other]}:{PORT}")
            prefix = ("ip", "netns", "exec", network.spaces[who])
            nodes.append(await stack.enter_async_context(node(profile, other, "quick", prefix=prefix)))
        for each in nodes:
            await each.until("online")
        yield nodes[0], nodes[1]


@pytest.mark.parametrize("how", ["silently", "cable of alice", "cable of bob"])
async def test_a_pulled_cable(network: Network, tmp_path: Path, how: str) -> None:
    """Noticed; shown as waiting and not as delivered; delivered exactly once when it is back."""

    def carry(*, wanted: bool) -> None:
        if how == "silently":
            network.forward(wanted=wanted)
        else:
            network.cable(how.rpartition(" ")[2], plugged=wanted)

    async with both(network, tmp_path) as (alice, bob):
        await alice.do("say before")
        await alice.until("changed DELIVERED before")
        carry(wanted=False)
        await alice.do("say into-the-dark")
        await alice.until("added QUEUED into-the-dark")
        await alice.until("offline interrupted")
        await bob.until("offline interrupted")
        assert await alice.texts() == ["DELIVERED:before", "QUEUED:into-the-dark"]
        assert await bob.texts() == ["UNREAD:before"]
        carry(wanted=True)
        await alice.until("changed DELIVERED into-the-dark")
        await bob.do("say and-back")
        await bob.until("changed DELIVERED and-back")
        assert await bob.texts() == ["UNREAD:before", "UNREAD:into-the-dark", "DELIVERED:and-back"]
        assert await alice.texts() == ["DELIVERED:before", "DELIVERED:into-the-dark", "UNREAD:and-back"]
        for each in (alice, bob):
            assert not [line for line in each.lines if line.startswith("fault")]


async def test_another_address(network: Network, tmp_path: Path) -> None:
    """Who has moved notices it and calls; the other learns where they are now, and finds them there."""
    async with both(network, tmp_path) as (alice, bob):
        network.move("alice", "10.77.1.9")
        await alice.until("offline interrupted")
        await alice.until("online")
        await bob.until("online")
        await alice.do("say from-the-new-address")
        await alice.until("changed DELIVERED from-the-new-address")
        assert await bob.texts() == ["UNREAD:from-the-new-address"]
    store = Store.open(tmp_path / "bob" / DATABASE, keystore.unlock(tmp_path / "bob", "").db_key)
    (contact,) = store.contacts.all()
    store.close()
    assert contact.addresses[0] == f"10.77.1.9:{PORT}"
    assert f"{HOSTS['alice']}:{PORT}" in contact.addresses, "where they were is not forgotten"


async def test_written_with_nobody_there_killed_and_started_again(tmp_path: Path) -> None:
    """Needs no network of its own."""
    ports = fresh_ports(2)
    alone = acquainted(tmp_path, "alice", "bob", f"127.0.0.1:{ports[1]}", ports[0])
    async with node(alone, "bob") as alice:
        await alice.until("open")
        await alice.do("say nobody-is-there")
        await alice.until("added QUEUED nobody-is-there")
        alice.process.kill()
        await alice.process.wait()
    other = acquainted(tmp_path, "bob", "alice", f"127.0.0.1:{ports[0]}", ports[1])
    async with node(alone, "bob") as alice, node(other, "alice") as bob:
        await bob.until("added UNREAD nobody-is-there")
        await alice.until("changed DELIVERED nobody-is-there")
        assert await bob.texts() == ["UNREAD:nobody-is-there"]
