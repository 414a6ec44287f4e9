"""This implementation and the program's, face to face: bytes are carried between them in memory."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from messenger.core.errors import RemoteProtocolError
from messenger.protocol.lane import Lane
from tests.helpers.keys import PATH
from tests.helpers.links import NOW
from tests.helpers.links import End as Ours
from tests.independent.handshake import Dial, Host, Initiator, Responder
from tests.independent.identity import Identity
from tests.independent.primitives import EXPONENT, Chance, Reader, Refused
from tests.independent.schedule import Common
from tests.independent.stream import End as Mine

FAULTS: Final = (Refused, RemoteProtocolError)
"""How the two say that they refuse."""


class Clock:
    """Seconds, moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@cache
def private_key(name: str, use: str) -> rsa.RSAPrivateKey:
    """One of the keys that everybody may know."""
    reader = Reader(bytes.fromhex(json.loads(PATH.read_text())["keys"][name][use]))
    p, q = (int.from_bytes(reader.v(512), "big") for _ in range(2))
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(EXPONENT, p * q)).private_key()


@cache
def identity(name: str, not_before: int = NOW - 60) -> Identity:
    """Somebody, as this implementation sees them."""
    return Identity(private_key(name, "signing"), private_key(name, "exchange"), not_before, Chance())


def common(clock: Clock | None = None, relay: bytes = b"") -> Common:
    """The time at which the bundles of the tests hold."""
    return Common(NOW, clock or Clock(), relay=relay)


def calling(who: str | None, whom: str | None, **more: Any) -> Initiator:  # noqa: ANN401 -- passed on
    """`who` (nobody: anonymous) calls `whom` (nobody: whoever is there) in this implementation."""
    fingerprint = identity(whom).fingerprint if whom else None
    more.setdefault("common", common())
    return Initiator(Dial(me=identity(who) if who else None, whom=fingerprint, **more))


def answering(who: str, **more: Any) -> Responder:  # noqa: ANN401 -- passed on
    """`who` answers in this implementation."""
    more.setdefault("common", common())
    return Responder(Host(me=identity(who), **more))


class OurLane:
    """A lane of the program: the opening, then its channel."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.packets: list[bytes] = []

    def sent(self) -> bytes:
        """What it wants to send now."""
        records = bytes(self.lane.channel.data_to_send()) if self.lane.channel else b""
        return self.lane.data_to_send() + records

    def receive(self, data: bytes) -> None:
        """Take what arrives."""
        if self.lane.channel is None:
            self.lane.receive_data(data)
            data = self.lane.trailing() if self.lane.channel else b""
        if self.lane.channel is not None:
            self.packets += [bytes(content) for content in self.lane.channel.receive_data(data)]


End = Mine | Ours | OurLane
"""Anything that bytes can be carried to and from."""


def join(one: End, other: End, change: Callable[[int, bytes], bytes] = lambda _, data: data) -> list[bytes]:
    """Carry bytes both ways until neither has more to say.

    Args:
        one: Speaks first.
        other: Speaks second.
        change: Makes what arrives of the number of a piece and what was sent.

    Returns:
        What was sent.
    """
    carried: list[bytes] = []
    while True:
        before = len(carried)
        for sender, receiver in ((one, other), (other, one)):
            if data := sender.sent():
                carried.append(data)
                receiver.receive(change(len(carried) - 1, data))
        if len(carried) == before:
            return carried
