"""Envelopes."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.crypto.hkdf import expand
from messenger.protocol.prekeys import PREKEY_ID_SIZE
from messenger.protocol.seal import CONTENT_MAX, ENVELOPE_OVERHEAD, Kind, disclose, enclose
from messenger.protocol.sealed_header import OVERHEAD
from tests.helpers.sealing import flipped

KEY = os.urandom(32)


def raw_envelope(inner: bytes, key: bytes = KEY) -> bytes:
    """An envelope with anything at all inside."""
    nonce = os.urandom(12)
    return nonce + AESGCM(expand(key, "envelope", b"", 32)).encrypt(nonce, inner, b"")


def test_an_envelope_byte_for_byte() -> None:
    envelope = enclose(KEY, Kind.OPENING, b"content", lambda size: b"n" * size)
    inner = b"\x02\x00\x00\x07content" + bytes(4096 - 12 - 16 - 4 - 7)
    expected = AESGCM(expand(KEY, "envelope", b"", 32)).encrypt(b"n" * 12, inner, b"")
    assert envelope == b"n" * 12 + expected


@given(st.sampled_from(Kind), st.binary(max_size=20_000))
def test_a_message_survives_the_wire(kind: Kind, content: bytes) -> None:
    envelope = enclose(KEY, kind, content)
    assert len(envelope) in limits.ENVELOPE_BUCKETS
    assert disclose(KEY, envelope) == (kind, content)


@pytest.mark.parametrize("bucket", limits.ENVELOPE_BUCKETS)
def test_the_smallest_size_that_fits(bucket: int) -> None:
    content = os.urandom(bucket - ENVELOPE_OVERHEAD)
    full = enclose(KEY, Kind.MESSAGE, content)
    assert len(full) == bucket
    assert disclose(KEY, full) == (Kind.MESSAGE, content)
    if bucket < max(limits.ENVELOPE_BUCKETS):
        assert len(enclose(KEY, Kind.MESSAGE, content + b"x")) > bucket
    else:
        with pytest.raises(LocalProtocolError):
            enclose(KEY, Kind.MESSAGE, content + b"x")


def test_the_largest_payload_fits() -> None:
    assert OVERHEAD + limits.SEALED_PAYLOAD_MAX <= CONTENT_MAX
    opening = PREKEY_ID_SIZE + limits.XWING_CIPHERTEXT_SIZE + 2 + 512 + 16
    opening += 2 + limits.BUNDLE_MAX + limits.XWING_PUBLIC_SIZE + 16 + 8 + 8 + 2 + 32 + 4 + 2 + 512
    assert opening + limits.SEALED_PAYLOAD_MAX <= CONTENT_MAX


def test_any_other_byte_is_refused() -> None:
    envelope = enclose(KEY, Kind.MESSAGE, b"content")
    for at in range(len(envelope)):
        with pytest.raises(RemoteProtocolError):
            disclose(KEY, flipped(envelope, at, at % 8))


def test_another_queue_or_another_size_is_refused() -> None:
    envelope = enclose(KEY, Kind.MESSAGE, b"content")
    with pytest.raises(RemoteProtocolError):
        disclose(os.urandom(32), envelope)
    for data in (b"", envelope[:-1], envelope + b"\x00", envelope * 2, bytes(16 * 1024), bytes(10_000_000)):
        with pytest.raises(RemoteProtocolError):
            disclose(KEY, data)


def test_what_an_authentic_envelope_must_not_hold() -> None:
    size = 4096 - 28
    for inner in (
        b"\x00\x00\x00\x00" + bytes(size - 4),  # an unknown kind
        b"\x03\x00\x00\x00" + bytes(size - 4),
        b"\x01\x00\x00\x01x" + bytes(size - 6) + b"\x01",  # padding that is not zero
        b"\x01\x00\x00\x01xy" + bytes(size - 6),
        b"\x01" + (size - 3).to_bytes(3, "big") + bytes(size - 4),  # longer than what is there
        b"\x01\xff\xff\xff" + bytes(size - 4),
    ):
        assert len(inner) == size
        with pytest.raises(RemoteProtocolError):
            disclose(KEY, raw_envelope(inner))


def test_equal_messages_look_different_and_equally_long() -> None:
    one, two = (enclose(KEY, Kind.MESSAGE, content) for content in (b"yes", b"no, not today"))
    assert len(one) == len(two)
    assert one != enclose(KEY, Kind.MESSAGE, b"yes")
