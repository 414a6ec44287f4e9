"""Messages of a session taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.protocol.sealed_header import HEADER_SIZE, OVERHEAD, Header, Message

SID = b"s" * 32
HEADER = Header(1, 2, 3, 4, 5, b"p" * 1216, b"c" * 1120, b"n" * 12)

epochs = st.integers(0, limits.RATCHET_COUNTER_MAX)


def message(header: Header, body: bytes = bytes(16)) -> bytes:
    return SID + header.encode() + body


def test_a_header_byte_for_byte() -> None:
    raw = bytes([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]) + b"p" * 1216 + b"c" * 1120
    assert HEADER.encode() == raw + b"n" * 12
    assert HEADER_SIZE == 2368
    assert OVERHEAD == 2416


@given(
    st.builds(
        Header,
        epoch=st.integers(1, limits.RATCHET_COUNTER_MAX),
        key_id=epochs,
        number=st.integers(0, 999),
        previous=st.integers(0, 1000),
        ack=epochs,
        public=st.just(b"p" * 1216),
        ciphertext=st.just(b"c" * 1120),
        nonce=st.binary(min_size=12, max_size=12),
    ),
    st.binary(min_size=16, max_size=100),
)
def test_a_message_survives_the_wire(header: Header, body: bytes) -> None:
    assert Message.decode(message(header, body)) == Message(SID, header, header.encode(), body)


@pytest.mark.parametrize(("at", "value"), [(0, 0), (0, 2**31), (1, 2**31), (2, 1000), (3, 1001), (4, 2**31)])
def test_counters_out_of_bounds(at: int, value: int) -> None:
    counters = [1, 2, 3, 4, 5]
    counters[at] = value
    header = Header(*counters, b"p" * 1216, b"c" * 1120, b"n" * 12)  # type: ignore[call-arg, arg-type]
    with pytest.raises(RemoteProtocolError):
        Message.decode(message(header))


def test_sizes() -> None:
    for size in (0, 15, 16 + limits.SEALED_PAYLOAD_MAX + 1):
        with pytest.raises(RemoteProtocolError):
            Message.decode(message(HEADER, bytes(size)))
    for size in (16, 16 + limits.SEALED_PAYLOAD_MAX):
        assert len(Message.decode(message(HEADER, bytes(size))).body) == size
