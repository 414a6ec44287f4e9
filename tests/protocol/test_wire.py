"""Fixed-order fields: read strictly, to the last byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.errors import RemoteProtocolError
from messenger.crypto.hkdf import vec
from messenger.protocol.wire import Fields
from tests.protocol.strategies import plainly


@plainly
@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(0, 2**64 - 1))
def test_what_was_written_is_read(pieces: list[bytes], number: int) -> None:
    fields = Fields(b"".join(vec(piece) for piece in pieces) + number.to_bytes(8, "big") + b"tail")
    assert [fields.vector(40) for _ in pieces] == pieces
    assert fields.number(8) == number
    assert fields.fixed(0) == b""
    assert fields.fixed(4) == b"tail"
    fields.finish()


def test_the_rest() -> None:
    fields = Fields(b"abcd")
    fields.fixed(1)
    assert fields.rest() == b"bcd"
    assert fields.rest() == b""
    fields.finish()


def test_a_byte_left_over() -> None:
    fields = Fields(b"ab")
    fields.fixed(1)
    with pytest.raises(RemoteProtocolError, match="left over"):
        fields.finish()


@pytest.mark.parametrize("size", [3, 2**40])
def test_a_byte_missing(size: int) -> None:
    fields = Fields(b"ab")
    with pytest.raises(RemoteProtocolError, match="too short"):
        fields.fixed(size)
    with pytest.raises(RemoteProtocolError, match="too short"):
        fields.number(3)


def test_a_vector_over_its_limit_is_refused_at_its_length() -> None:
    with pytest.raises(RemoteProtocolError, match="too long"):
        Fields(b"\x00\x05").vector(4)
    with pytest.raises(RemoteProtocolError, match="too short"):
        Fields(b"\x00\x05abcd").vector(5)
    assert Fields(b"\x00\x05abcde").vector(5) == b"abcde"
