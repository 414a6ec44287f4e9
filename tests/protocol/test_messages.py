"""The handshake messages as values: written and read in pairs, with nothing missing and nothing over."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import Reason, RemoteProtocolError
from messenger.crypto.hkdf import vec
from messenger.protocol.messages import (
    M1,
    M2,
    M3,
    M4,
    SUITE,
    Caps,
    MessageType,
    Retry,
    decode_identity,
    decode_signed_identity,
    encode_identity,
    frame,
    read_header,
)
from tests.protocol.strategies import capabilities, exactly, m1s, m2s, m3s, m4s, plainly, retries

HELLO = M1((SUITE,), bytes(32), bytes(limits.XWING_PUBLIC_SIZE), bytes(16), b"", bytes(16))
Message = M1 | M2 | M3 | M4 | Retry | Caps

LARGEST: Final = {kind: limits.HANDSHAKE_MESSAGE_MAX[kind] for kind in MessageType}
EXAMPLES: Final[list[Message]] = [
    HELLO,
    M2(SUITE, bytes(32), bytes(limits.XWING_CIPHERTEXT_SIZE), b"the box"),
    M3(b"one box", b"another box"),
    M4(b"the box", bytes(32)),
    Retry(12, bytes(32)),
    Caps(relay=bytes(32), invite_proof=bytes(32), continues=bytes(32)),
]
"""One of each, with something in every field."""


@plainly
@given(st.one_of(m1s, m2s, m3s, m4s, retries, capabilities))
def test_what_was_written_is_read(message: Message) -> None:
    assert type(message).decode(message.encode()) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda m: type(m).__name__)
def test_a_missing_byte_or_one_left_over(message: Message) -> None:
    whole = message.encode()
    for end in range(len(whole)):
        with pytest.raises(RemoteProtocolError):
            type(message).decode(whole[:end])
    with pytest.raises(RemoteProtocolError, match="left over"):
        type(message).decode(whole + b"\0")


@plainly
@given(st.binary(max_size=300))
def test_garbage_is_one_error(data: bytes) -> None:
    for kind in (M1, M2, M3, M4, Retry, Caps):
        try:
            message = kind.decode(data)
        except RemoteProtocolError:
            continue
        assert message.encode() == data


@pytest.mark.parametrize("kind", MessageType)
def test_frame(kind: MessageType) -> None:
    framed = frame(kind, b"body")
    assert framed == bytes((kind,)) + b"\0\0\x04body"
    assert read_header(framed[:4]) == (kind, 4)


@pytest.mark.parametrize("kind", MessageType)
def test_each_message_has_its_limit(kind: MessageType) -> None:
    assert read_header(frame(kind, bytes(LARGEST[kind]))[:4]) == (kind, LARGEST[kind])
    with pytest.raises(RemoteProtocolError) as caught:
        read_header(frame(kind, bytes(LARGEST[kind] + 1))[:4])
    assert caught.value.reason is Reason.NOT_SOTTO


@pytest.mark.parametrize("first", [0, 7, 0x17, 0x21, *b"GHPS", 255])
def test_other_protocols(first: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_header(bytes((first, 0, 0, 1)))
    assert caught.value.reason is Reason.NOT_SOTTO


@pytest.mark.parametrize("message", EXAMPLES[:2], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version(message: Message, version: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        type(message).decode(bytes((version,)) + message.encode()[1:])
    assert caught.value.reason is Reason.VERSION


@pytest.mark.parametrize("suites", [b"", b"\0", b"\0\x01\0", bytes(2 * limits.SUITES_MAX + 2)])
def test_a_bad_suite_list(suites: bytes) -> None:
    good = HELLO.encode()
    with pytest.raises(RemoteProtocolError):
        M1.decode(good[:1] + vec(suites) + good[5:])


@pytest.mark.parametrize("size", [1, 7, 9])
def test_a_solution_has_eight_bytes_or_none(size: int) -> None:
    good = HELLO.encode()
    with pytest.raises(RemoteProtocolError):
        M1.decode(good[:-18] + vec(bytes(size)) + good[-16:])


def test_mac1_is_not_part_of_what_it_is_made_over() -> None:
    assert HELLO.encode() == HELLO.unsigned() + HELLO.mac1


def test_a_puzzle_that_takes_for_ever() -> None:
    most = limits.PUZZLE_BITS_MAX
    assert Retry.decode(bytes((most,)) + bytes(32)).bits == most
    for bits in (most + 1, 64, 255):
        with pytest.raises(RemoteProtocolError) as caught:
            Retry.decode(bytes((bits,)) + bytes(32))
        assert caught.value.reason is Reason.BUSY


@pytest.mark.parametrize("name", ["relay", "invite_proof", "continues"])
@pytest.mark.parametrize("size", [1, 31, 33])
def test_variable_capabilities_have_32_bytes_or_none(name: str, size: int) -> None:
    with pytest.raises(RemoteProtocolError):
        Caps.decode(msgspec.structs.replace(Caps(), **{name: bytes(size)}).encode())


@pytest.mark.parametrize(("least", "most"), [(2, 2), (2, 255), (0, 0), (3, 1)])
def test_no_version_in_common(least: int, most: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Caps.decode(Caps(least_version=least, most_version=most).encode())
    assert caught.value.reason is Reason.VERSION


def test_features_of_a_later_version_are_ignored() -> None:
    assert Caps.decode(Caps(features=0xFFFF_FFFF, most_version=9).encode()).features == 0xFFFF_FFFF


def test_capabilities_do_not_show_what_proves_something() -> None:
    caps = Caps(relay=b"r" * 32, invite_proof=b"p" * 32, continues=b"c" * 32)
    assert repr(caps) == "Caps(versions 1 to 1, given=['relay', 'invite_proof', 'continues'])"
    assert repr(Caps()) == "Caps(versions 1 to 1, given=[])"


@plainly
@given(st.binary(max_size=1592), st.binary(max_size=limits.CAPS_MAX), st.binary(max_size=512))
def test_identities(bundle: bytes, caps: bytes, signature: bytes) -> None:
    plain = encode_identity(bundle, caps)
    assert decode_identity(plain) == (bundle, caps)
    assert decode_signed_identity(plain + vec(signature)) == (bundle, caps, signature)
    with pytest.raises(RemoteProtocolError):
        decode_identity(plain + vec(signature))
    with pytest.raises(RemoteProtocolError):
        decode_signed_identity(plain)


@given(exactly(1))
def test_an_identity_over_its_limits(byte: bytes) -> None:
    for bundle, caps in ((byte * 1593, b""), (b"", byte * (limits.CAPS_MAX + 1))):
        with pytest.raises(RemoteProtocolError):
            decode_identity(encode_identity(bundle, caps))
    with pytest.raises(RemoteProtocolError):
        decode_signed_identity(encode_identity(b"", b"") + vec(byte * 513))
