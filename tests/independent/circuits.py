"""Section 12: the messages at the beginning of a circuit, and its account at the relay."""

from typing import Final

from tests.independent.primitives import Reader, check, number

C1_HEAD: Final = b"\x31\0\0\x20"
C2_HEAD: Final = b"\x32\0\0\x0d"
WINDOW: Final = 262144


def write_c1(pass_: bytes) -> bytes:
    """What an end sends."""
    assert len(pass_) == 32
    return C1_HEAD + pass_


def read_c1(data: bytes) -> bytes:
    """The pass in a C1."""
    check(data[:4] == C1_HEAD and len(data) == 36, "not C1")
    return data[4:]


def write_c2(code: int, octets: int, seconds: int) -> bytes:
    """What the relay answers."""
    return C2_HEAD + number(code, 1) + number(octets, 8) + number(seconds, 4)


def read_c2(data: bytes) -> tuple[int, int, int]:
    """Code (those that are not known mean 1), bytes and seconds."""
    check(data[:4] == C2_HEAD, "not C2")
    reader = Reader(data[4:])
    code, octets, seconds = reader.number(1), reader.number(8), reader.number(4)
    reader.done()
    return code if code in (0, 1, 2) else 1, octets, seconds
