"""The stream of messages on a link with a relay, and proofs."""

import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.relay_wire import (
    Messages,
    contents,
    message,
    proof,
    proves,
    put,
    put_number,
    put_tag,
    put_vector,
    take_choice,
    take_tag,
)
from messenger.protocol.wire import Fields
from tests.helpers.links import cut_at
from tests.protocol.strategies import cuts, plainly


def bounds(kind: int) -> tuple[int, int]:
    """Types 1 to 9: as many bytes at least, and at most 500."""
    if not 1 <= kind <= 9:
        raise RemoteProtocolError("unknown")
    return kind, 500


@plainly
@given(st.lists(st.tuples(st.integers(1, 9), st.binary(min_size=9, max_size=500)), max_size=9), cuts)
def test_cuts_are_invisible(said: list[tuple[int, bytes]], places: list[int]) -> None:
    stream, reader = b"".join(message(*each) for each in said), Messages(bounds)
    pieces = [piece for piece in cut_at(places)(stream) if piece]
    found = []
    for piece in pieces:
        found += list(reader.feed(piece))
        assert reader.waiting <= 504
    assert found == said
    assert reader.waiting == 0


def test_a_message_as_it_stands() -> None:
    assert message(5, b"body") == b"\x05\0\0\x04body"
    assert list(Messages(bounds).feed(b"\x05\0\0\x05bodyx")) == [(5, b"bodyx")]


@pytest.mark.parametrize(
    "head", [b"\0\0\0\x05", b"\x0a\0\0\x05", b"\x05\0\0\x04", b"\x05\0\x01\xf5", b"\x05\xff\0\0"]
)
def test_a_header_that_is_refused_before_anything_follows(head: bytes) -> None:
    reader = Messages(bounds)
    assert list(reader.feed(head[:3])) == []
    with pytest.raises(RemoteProtocolError):
        list(reader.feed(head[3:]))


@pytest.mark.parametrize("size", [0, limits.RECORD_CONTENT_MAX + 1])
def test_contents_of_another_size(size: int) -> None:
    with pytest.raises(RemoteProtocolError):
        list(Messages(bounds).feed(bytes(size)))


def test_messages_share_contents_and_long_ones_have_several() -> None:
    most = limits.RECORD_CONTENT_MAX
    assert contents([]) == []
    assert contents([b"one", b"two"]) == [b"onetwo"]
    assert contents([b"x" * (most - 1), b"yz"]) == [b"x" * (most - 1) + b"y", b"z"]
    assert contents([b"x" * most]) == [b"x" * most]


KEY, X = b"k" * 32, b"x" * 32


def test_a_proof_byte_for_byte() -> None:
    expected = hmac.digest(KEY, X + b"\x03before" + hashlib.sha256(b"after").digest(), "sha256")
    assert proof(KEY, X, 3, b"before", b"after") == expected
    assert proves(expected, KEY, X, 3, b"before", b"after")


@pytest.mark.parametrize(
    "other",
    [
        lambda p: proves(p, b"K" * 32, X, 3, b"before", b"after"),
        lambda p: proves(p, KEY, b"X" * 32, 3, b"before", b"after"),
        lambda p: proves(p, KEY, X, 4, b"before", b"after"),
        lambda p: proves(p, KEY, X, 3, b"beforeafter", b""),
        lambda p: proves(p, KEY, X, 3, b"before", b"afte"),
        lambda p: proves(p[:-1], KEY, X, 3, b"before", b"after"),
        lambda p: proves(bytes((p[0] ^ 1,)) + p[1:], KEY, X, 3, b"before", b"after"),
    ],
)
def test_a_proof_counts_for_one_thing(other: Callable[[bytes], bool]) -> None:
    assert not other(proof(KEY, X, 3, b"before", b"after"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: put_tag(0),
        lambda: put_tag(2**32),
        lambda: put(b"ab", 1, 3),
        lambda: put_vector(b"abc", 2),
        lambda: put_number(256, 1),
        lambda: put_number(-1, 8),
    ],
)
def test_we_do_not_write_what_nobody_takes(wrong: Callable[[], bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        wrong()


def test_fields_of_chosen_sizes() -> None:
    assert take_choice(Fields(b"\0\0"), (0, 2)) == b""
    assert take_choice(Fields(b"\0\x02ab"), (0, 2)) == b"ab"
    for wrong in (b"\0\x01a", b"\0\x03abc", b"\0\x02a"):
        with pytest.raises(RemoteProtocolError):
            take_choice(Fields(wrong), (0, 2))
    with pytest.raises(RemoteProtocolError):
        take_tag(Fields(bytes(4)))
    assert take_tag(Fields(put_tag(2**32 - 1))) == 2**32 - 1
