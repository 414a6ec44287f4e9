"""Whether the time of opening an OAEP ciphertext tells what was wrong with it.

The method of dudect (Reparaz, Balasch, Verbauwhede, DATE 2017): ciphertexts of all kinds are opened
by `PrivateKey.unwrap` in random order, and the times of each kind are compared with those of good ones by
Welch's t-test, for all measurements and for those below several percentiles, which leaves out what other
programs do to the machine. The largest of these |t| is shown. Below 4.5 nothing was seen, which is no
proof; above it, repeated runs decide. "another good" is the control: good ciphertexts
compared with good ones.

Kinds that whoever sends a ciphertext can tell by looking at it (its length, not below the modulus) are
refused before any RSA and are faster on purpose; they are shown apart.
"""

import argparse
import math
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from messenger.crypto.rsa import PrivateKey
from tests.helpers.keys import identity

SIGNIFICANT: Final = 4.5
"""The |t| from which dudect calls a difference one."""

PERCENTILES: Final = (0.5, 0.75, 0.9, 0.99, 1.0)
POOL: Final = 64
"""Different ciphertexts of each kind."""

LABEL: Final = b"oaep I>R\0" + bytes(32)


@dataclass(frozen=True)
class Kind:
    """One kind of ciphertext.

    Attributes:
        name: What is wrong with it.
        make: A fresh one.
        visible: Its sender sees what is wrong by looking at it.
    """

    name: str
    make: Callable[[], bytes]
    visible: bool = False


def kinds(key: PrivateKey) -> list[Kind]:
    """Good ones first; the second is the control."""
    public = key.public
    size, n = len(public.modulus), int.from_bytes(public.modulus, "big")

    def raw(encoded: bytes) -> bytes:
        """RSA without padding: a ciphertext with anything at all in it."""
        return pow(int.from_bytes(encoded, "big"), 65537, n).to_bytes(size, "big")

    def good() -> bytes:
        return public.wrap(LABEL, os.urandom(32))

    def first_byte() -> bytes:
        return raw(b"\x01" + os.urandom(size - 1))

    def no_separator() -> bytes:
        """The first byte is right and everything after it is garbage, as for most guesses."""
        return raw(b"\0" + os.urandom(size - 1))

    return [
        Kind("good", good),
        Kind("another good", good),
        Kind("another label", lambda: public.wrap(LABEL[:-1] + b"\1", os.urandom(32))),
        Kind("no label", lambda: public.wrap(b"", os.urandom(32))),
        Kind("first byte not 0", first_byte),
        Kind("first byte 0, then garbage", no_separator),
        Kind("31 bytes in it", lambda: public.wrap(LABEL, os.urandom(31))),
        Kind("nothing in it", lambda: public.wrap(LABEL, b"")),
        Kind("random", lambda: (int.from_bytes(os.urandom(size), "big") % n).to_bytes(size, "big")),
        Kind("not below the modulus", lambda: b"\xff" * size, visible=True),
        Kind("a byte short", lambda: os.urandom(size - 1), visible=True),
    ]


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t of two samples; 0 if neither varies."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread) if spread else 0.0


def largest(one: Sequence[float], other: Sequence[float]) -> float:
    """The t with the largest magnitude among all crops at common percentiles."""
    together = sorted([*one, *other])
    found = [0.0]
    for percentile in PERCENTILES:
        limit = together[min(len(together) - 1, int(len(together) * percentile))]
        cropped = [[value for value in sample if value <= limit] for sample in (one, other)]
        if min(map(len, cropped)) > 1:
            found.append(welch(*cropped))
    return max(found, key=abs)


def measure(key: PrivateKey, all_kinds: Sequence[Kind], samples: int) -> dict[str, list[float]]:
    """Microseconds of each opening, by kind, in random order."""
    pools = {kind.name: [kind.make() for _ in range(POOL)] for kind in all_kinds}
    order = [kind.name for kind in all_kinds] * samples
    random.shuffle(order)
    times: dict[str, list[float]] = {kind.name: [] for kind in all_kinds}
    for name in order:
        ciphertext = random.choice(pools[name])
        started = time.perf_counter_ns()
        key.unwrap(LABEL, ciphertext)
        times[name].append((time.perf_counter_ns() - started) / 1000)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="times of good and bad OAEP ciphertexts, compared")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--samples", type=int, default=1000, help="openings of each kind")
    parser.add_argument("--who", default="bob", help="a test identity; dora has 4096 bits")
    chosen = parser.parse_args()
    if chosen.samples < 2:
        parser.error("--samples must be at least 2")
    key = identity(chosen.who).exchange
    all_kinds = kinds(key)
    times = measure(key, all_kinds, chosen.samples)
    if not chosen.json:
        print(f"{key.public!r}, {chosen.samples} openings of each kind, Welch's t against good ones")
    for kind in all_kinds:
        own = times[kind.name]
        t = largest(own, times["good"])
        seen = "by looking" if kind.visible else "yes" if abs(t) > SIGNIFICANT else "no"
        figures = {"median_us": round(statistics.median(own), 1), "t": round(t, 2), "told_apart": seen}
        if chosen.json:
            print(msgspec.json.encode({"kind": kind.name, "samples": len(own), **figures}).decode())
        else:
            print(f"{kind.name:28} median {figures['median_us']:8.1f} us   t {t:8.2f}   told apart: {seen}")


if __name__ == "__main__":
    main()
