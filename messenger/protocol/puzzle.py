"""The work that a busy listener asks of strangers before it does any itself (SPEC.md section 4.5)."""

from typing import Final

from messenger.crypto.hkdf import PREFIX, digest
from messenger.protocol.messages import SOLUTION_SIZE

_LABEL: Final = PREFIX + b"puzzle\x00"


def material(seed: bytes, m1: bytes) -> bytes:
    """What a puzzle is made of: the seed of the RETRY and the hash of the M1 that it answers."""
    return _LABEL + seed + digest(m1)


def holds(material_: bytes, bits: int, counter: bytes) -> bool:
    """Whether a counter solves a puzzle: SHA-256(material, counter) begins with so many zero bits.

    Args:
        material_: From `material`.
        bits: 0 to 256.
        counter: u64, 8 bytes.
    """
    return int.from_bytes(digest(material_ + counter), "big") >> (256 - bits) == 0


def solve(material_: bytes, bits: int) -> int:
    """Find a counter; some 2**bits hashes of work, so run it away from the event loop."""
    counter = 0
    while not holds(material_, bits, counter.to_bytes(SOLUTION_SIZE, "big")):
        counter += 1
    return counter
