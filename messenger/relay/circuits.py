"""Circuits: passes, and joining the two streams that show them (SPEC.md section 12)."""

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from messenger.core import relay_limits
from messenger.protocol.circuits import JoinCode, Joined, Over
from messenger.protocol.relay_answers import Pass
from messenger.protocol.relay_word import Code
from messenger.relay.counters import Counters
from messenger.relay.monitor import Monitor
from messenger.relay.ports import Correspondent, Delivery


@dataclass(frozen=True, slots=True)
class Rules:
    """What circuits may cost.

    Attributes:
        most: Circuits at a time.
        per_link: Of one link, of either role.
        octets: Bytes of one, in both directions together.
        seconds: How long one may last.
    """

    most: int = relay_limits.CIRCUITS
    per_link: int = relay_limits.CIRCUITS_PER_LINK
    octets: int = relay_limits.CIRCUIT_BYTES
    seconds: int = relay_limits.CIRCUIT_SECONDS


class Ended(Protocol):
    """Called when a splice is over."""

    def __call__(self, over: Over | None, octets: int) -> None:
        """Why (None: an end has closed its stream), and how many bytes passed."""


class End(Protocol):
    """A stream that has shown a pass."""

    def refuse(self, joined: Joined) -> None:
        """Say why there is no circuit, and close."""

    def release(self) -> int:
        """Give up the socket: its file descriptor, now the caller's.

        Raises:
            OSError: There are too many open files, or it is closed.
        """


class Pump(Protocol):
    """Moves bytes between two sockets; see `messenger.net.splice`."""

    def join(self, ends: tuple[int, int], first: bytes, rules: tuple[int, int], ended: Ended) -> None:
        """Take two sockets by their file descriptors, send both the same first bytes, and splice them.

        Raises:
            OSError: There are too many open files; both are closed.
        """


class _Call:
    """Two passes, until they have been shown or have lapsed."""

    def __init__(self, clients: tuple[Correspondent, Correspondent]) -> None:
        self.clients = clients
        self.end: End | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.passes: tuple[bytes, bytes] = (
            secrets.token_bytes(relay_limits.PASS_SIZE),
            secrets.token_bytes(relay_limits.PASS_SIZE),
        )


class Circuits:
    """All circuits of a relay.

    Args:
        rules: What they may cost.
        counters: Where they are counted.
        monitor: Who is told of them.
    """

    def __init__(self, rules: Rules, counters: Counters, monitor: Monitor) -> None:
        self._rules = rules
        self._counters = counters
        self._monitor = monitor
        self._passes: dict[bytes, _Call] = {}
        self._calls: set[_Call] = set()
        self.pump: Pump | None = None
        """Set before the first client comes."""

    def connect(self, client: Correspondent, tag: int, called: Delivery | None) -> None:
        """Somebody calls the owner of a queue.

        Args:
            client: Who calls.
            tag: Of the request.
            called: The subscription of the queue.
        """
        per_link = self._rules.per_link
        if client.closed:
            return
        if client.circuits >= per_link:
            client.failed(tag, Code.LIMIT)
            return
        owner = None if called is None else called.client
        if called is None or owner is None or not owner.service.takes_calls(called.tag):
            client.failed(tag, Code.ABSENT)
            return
        if owner.circuits >= per_link - (owner is client) or owner.slow:
            client.failed(tag, Code.ABSENT)
            return
        call = _Call((client, owner))
        self._calls.add(call)
        for each, secret in zip(call.clients, call.passes, strict=True):
            each.circuits += 1
            self._passes[secret] = call
        call.timer = asyncio.get_running_loop().call_later(relay_limits.PASS_WAIT, self._lapse, call)
        client.service.answer(Pass(tag, call.passes[0]))
        client.changed()
        owner.service.ring(called.tag, call.passes[1])
        owner.changed()
        self._monitor.tell("ring", link=client.short, to=owner.short)

    def show(self, secret: bytes, end: End) -> Callable[[], None]:
        """A stream shows a pass.

        Args:
            secret: The pass, which is used up.
            end: The stream.

        Returns:
            To be called if the stream ends before it is joined.
        """
        call = self._passes.pop(secret, None)
        if call is None:
            end.refuse(Joined(JoinCode.ABSENT))
            return _nothing
        if call.end is None:
            call.end = end
            return lambda: self._gone(call, end)
        self._join(call, call.end, end)
        return _nothing

    def close(self) -> None:
        """Let no pass work any more."""
        for call in list(self._calls):
            self._lapse(call)

    def _join(self, call: _Call, one: End, other: End) -> None:
        rules = self._rules
        if call.timer is not None:
            call.timer.cancel()
        if self.pump is None or self._counters.circuits >= rules.most:
            self._over(call)
            for end in (one, other):
                end.refuse(Joined(JoinCode.LIMIT))
            return
        names = [client.short for client in call.clients]

        def ended(over: Over | None, octets: int) -> None:
            self._counters.circuits -= 1
            self._counters.circuit_octets += octets
            self._monitor.tell("circuit over", links=names, bytes=octets, why=over.name if over else "")
            self._over(call)

        joined = Joined(JoinCode.JOINED, rules.octets, rules.seconds)
        try:
            files = _release(one, other)
            self.pump.join(files, joined.encode(), (rules.octets, rules.seconds), ended)
        except OSError:  # too many open files
            self._over(call)
            return
        self._counters.circuits += 1
        self._counters.circuits_joined += 1
        self._monitor.tell("circuit", links=names)

    def _gone(self, call: _Call, end: End) -> None:
        """An end went before the other came."""
        if call.end is end:
            call.end = None
            if not any(secret in self._passes for secret in call.passes):
                self._lapse(call)

    def _lapse(self, call: _Call) -> None:
        """The other end did not come in time."""
        if call not in self._calls:
            return
        end, call.end = call.end, None
        self._over(call)
        if end is not None:
            end.refuse(Joined(JoinCode.ABSENT))

    def _over(self, call: _Call) -> None:
        if call not in self._calls:
            return
        self._calls.discard(call)
        if call.timer is not None:
            call.timer.cancel()
        for secret in call.passes:
            self._passes.pop(secret, None)
        for client in call.clients:
            client.circuits -= 1


def _release(one: End, other: End) -> tuple[int, int]:
    first = one.release()
    try:
        return first, other.release()
    except OSError:
        os.close(first)
        raise


def _nothing() -> None:
    """There is nothing to take back."""
