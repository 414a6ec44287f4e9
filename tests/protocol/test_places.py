"""Places: what others have to know of a queue at a relay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.address import Address
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.protocol.places import PLACE_MAX, Place
from tests.protocol.strategies import places, plainly

RELAY, ID, KEY = Fingerprint(b"r" * 32), b"i" * 24, b"k" * 32
PLACE = Place(RELAY, ID, KEY, b"q" * 32, Address("relay.example", 42000))


def test_a_place_byte_for_byte() -> None:
    assert PLACE.encode() == RELAY + ID + KEY + b"q" * 32 + b"\0\x13relay.example:42000"


@plainly
@given(places)
def test_what_was_written_is_read(place: Place) -> None:
    data = place.encode()
    assert Place.decode(data) == place
    assert len(data) <= PLACE_MAX


@plainly
@given(st.binary(max_size=400))
def test_garbage_is_one_error_or_a_place(data: bytes) -> None:
    for candidate in (data, PLACE.encode()[:120] + data):
        try:
            place = Place.decode(candidate)
        except RemoteProtocolError:
            continue
        assert place.encode() == candidate


def test_every_truncation_and_extension() -> None:
    data = PLACE.encode()
    for wrong in (*(data[:size] for size in range(len(data))), data + b"\0"):
        with pytest.raises(RemoteProtocolError):
            Place.decode(wrong)


def test_every_flipped_bit_is_seen() -> None:
    data = PLACE.encode()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        try:
            assert Place.decode(bytes(changed)) != PLACE
        except RemoteProtocolError:
            assert at >= 120 * 8, "keys and ids are any bytes"


@pytest.mark.parametrize(
    "address",
    [b"", b"relay", b"Relay.example:1", b"relay.example:01", b"relay.example:0", b"a b:1", b"\xc3\xa9:1"],
)
def test_an_address_that_is_none(address: bytes) -> None:
    data = PLACE.encode()[:120] + len(address).to_bytes(2, "big") + address
    with pytest.raises(RemoteProtocolError):
        Place.decode(data)


def test_we_do_not_write_what_nobody_takes() -> None:
    long = Address(".".join(["a" * 60] * 5), 42000)
    for wrong in (
        Place(RELAY, ID[1:], KEY, KEY, PLACE.address),
        Place(RELAY, ID, KEY, KEY + b"k", PLACE.address),
        Place(RELAY, ID, KEY, KEY, long),
    ):
        with pytest.raises(LocalProtocolError):
            wrong.encode()


def test_keys_are_not_shown() -> None:
    assert repr(PLACE) == "Place(72727272, relay.example:42000)"
