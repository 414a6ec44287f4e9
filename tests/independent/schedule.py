"""Sections 4.1 to 4.3 and 4.5: what the handshake of a link is made of, for both roles."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.independent.identity import Bundle
from tests.independent.primitives import (
    HMAC,
    Chance,
    H,
    P,
    Reader,
    check,
    expand,
    extract,
    lp,
    number,
    v,
)

SUITE: Final = 0x0001
SUITES_MAX: Final = 16
MOST_BITS: Final = 20
CAPS_MAX: Final = 108
OPEN_DOOR: Final = bytes(32)


@dataclass(frozen=True)
class Caps:
    """Capabilities; the three variable fields are empty or 32 bytes."""

    relay: bytes = b""
    features: int = 0
    proof: bytes = b""
    continues: bytes = b""
    least: int = 1
    most: int = 1

    def write(self) -> bytes:
        """The bytes for the wire."""
        head = number(self.least, 1) + number(self.most, 1) + v(self.relay) + number(self.features, 4)
        return head + v(self.proof) + v(self.continues)

    @classmethod
    def read(cls, raw: bytes, relay: bytes) -> "Caps":
        """Check capabilities against the relay whose circuit carries this link."""
        reader = Reader(raw)
        least, most = reader.number(1), reader.number(1)
        caps = cls(reader.v(32), reader.number(4), reader.v(32), reader.v(32), least, most)
        reader.done()
        check({len(caps.relay), len(caps.proof), len(caps.continues)} <= {0, 32}, "capabilities")
        check(least <= 1 <= most, "version")
        check(caps.relay == relay, "another relay")
        return caps


class Schedule:
    """Section 4.2; every value keeps the name that it has there. Signatures and the like are noted too."""

    def __init__(self, m1: bytes, hdr: bytes, ss: bytes, retry: tuple[bytes, bytes] | None = None) -> None:
        start = (H(lp(*retry)), m1, hdr) if retry else (m1, hdr)
        self.oaep_i = self.sig_i = self.oaep_r = self.sig_r = self.caps_i = self.caps_r = b""
        self.ss = ss
        self.th1 = H(lp(b"LINK", *start))
        self.hs0 = extract(self.th1, ss)

    def after_box0(self, box0: bytes) -> None:
        """After M2."""
        self.box0 = box0
        self.th2 = H(lp(self.th1, box0))

    def after_boxa(self, boxa: bytes, s_i: bytes) -> None:
        """After the first half of M3."""
        self.boxa, self.s_i = boxa, s_i
        self.th3 = H(lp(self.th2, boxa))
        self.hs1 = extract(expand(self.hs0, "derived"), s_i + self.th3)

    def after_boxb(self, boxb: bytes) -> None:
        """After the second half of M3."""
        self.boxb = boxb
        self.th4 = H(lp(self.th3, boxb))

    def after_boxc(self, boxc: bytes, s_r: bytes) -> None:
        """After M4: everything else."""
        self.boxc, self.s_r = boxc, s_r
        self.th5 = H(lp(self.th4, boxc))
        self.ms = extract(expand(self.hs1, "derived"), s_r + self.th5)
        self.fin_r = HMAC(expand(self.ms, "fin R"), self.th5)
        self.th6 = H(lp(self.th5, self.fin_r))
        self.fin_i = HMAC(expand(self.ms, "fin I"), self.th6)
        self.ts_i, self.ts_r = expand(self.ms, "ap I"), expand(self.ms, "ap R")
        self.rk = expand(self.ms, "rekey")
        self.exp = expand(self.ms, "exporter", self.th6)


@dataclass(frozen=True)
class Session:
    """What a finished handshake leaves. Fingerprints are empty for an anonymous initiator."""

    schedule: Schedule
    fp_i: bytes
    fp_r: bytes
    peer: Bundle | None
    caps: Caps
    initiator: bool

    def exporter(self, label: str, ctx: bytes = b"") -> bytes:
        """Section 4.3."""
        return expand(self.schedule.exp, "exp " + label, ctx)


def mac1_of(key: bytes, before: bytes) -> bytes:
    """mac1 under R's fingerprint or, for the open door, zeros."""
    return HMAC(expand(key, "mac1"), before)[:16]


def puzzle(seed: bytes, m1: bytes) -> bytes:
    """The material of a RETRY."""
    return P + b"puzzle\0" + seed + H(m1)


def solves(material: bytes, bits: int, solution: bytes) -> bool:
    """Whether the hash begins with that many zero bits."""
    return int.from_bytes(H(material + solution), "big") >> (256 - bits) == 0


def solve(material: bytes, bits: int) -> bytes:
    """The least counter that solves a puzzle, as it goes into M1'."""
    c = 0
    while not solves(material, bits, number(c, 8)):
        c += 1
    return number(c, 8)


@dataclass
class Common:
    """What both roles are told: their clock, dice, memory of certificates, and the circuit's relay.

    `now` is Unix time, for certificates; `clock` counts seconds, for the channel.
    """

    now: float
    clock: Callable[[], float] = time.monotonic
    chance: Chance = field(default_factory=Chance)
    newest: dict[bytes, int] = field(default_factory=dict)
    relay: bytes = b""

    def remember(self, peer: Bundle | None) -> None:
        """Keep the newest `not_before` of somebody who has proved to be that person."""
        if peer:
            self.newest[peer.fingerprint] = peer.not_before
