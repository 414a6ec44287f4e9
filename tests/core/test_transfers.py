"""What comes of two wishes, and what an offer may say."""

from itertools import product

import msgspec
import pytest

from messenger.core import file_limits, offering, transfer_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.offering import Offering
from messenger.core.transfers import AFTER, ENDS, OF_RECEIVER, OF_SENDER, TransferState, Wish, outcome

GOOD = Offering(
    names=("a", "b"), tops=3, files=4, folders=1, size=2**53, root=bytes(32), manifest=9, media=1,
    thumbnail=bytes(transfer_limits.THUMBNAIL_MAX),
)  # fmt: skip


@pytest.mark.parametrize(("sender", "receiver"), list(product(sorted(OF_SENDER), sorted(OF_RECEIVER))))
def test_an_end_is_an_end_whatever_the_other_side_wants_later(sender: Wish, receiver: Wish) -> None:
    state = outcome(sender, receiver)
    assert (state in ENDS) == (not AFTER[sender] or not AFTER[receiver])
    if receiver is Wish.DONE:
        assert state is TransferState.DONE


def test_who_wants_it_least_decides() -> None:
    assert outcome(Wish.GO, Wish.GO) is TransferState.WAITING
    assert outcome(Wish.PAUSED, Wish.GO) is outcome(Wish.GO, Wish.PAUSED) is TransferState.PAUSED
    assert outcome(Wish.PAUSED, Wish.OPEN) is TransferState.OFFERED
    assert outcome(Wish.CANCELLED, Wish.OPEN) is TransferState.CANCELLED


def test_every_wish_that_follows_is_in_the_table() -> None:
    assert set(AFTER) == set(Wish)
    assert all(Wish.OPEN not in after for after in AFTER.values())


def test_an_offer_survives_the_wire() -> None:
    assert offering.decode(offering.encode(GOOD)) == GOOD


@pytest.mark.parametrize(
    "changes",
    [
        {"names": ()},
        {"names": ("",)},
        {"names": ("a",) * (transfer_limits.NAMES_MAX + 1), "tops": 9, "files": 9},
        {"names": ("x" * (transfer_limits.NAME_CHARS_MAX + 1),)},
        {"tops": 0},
        {"tops": 1},
        {"tops": 6},
        {"files": file_limits.ENTRIES_MAX, "folders": 1},
        {"files": -1},
        {"files": 0, "folders": 3},
        {"size": 10**18},
        {"size": -1},
        {"root": bytes(31)},
        {"manifest": 0},
        {"manifest": file_limits.MANIFEST_MAX + 1},
        {"media": 256},
        {"thumbnail": bytes(transfer_limits.THUMBNAIL_MAX + 1)},
    ],
    ids=str,
)
def test_an_offer_out_of_bounds_is_refused(changes: dict[str, object]) -> None:
    bad = msgspec.structs.replace(GOOD, **changes)
    with pytest.raises(LocalProtocolError):
        offering.encode(bad)
    with pytest.raises(RemoteProtocolError):
        offering.decode(msgspec.msgpack.encode(bad))


@pytest.mark.parametrize("data", [b"", b"\x90", b"\xc1", b"\x91" * 300, bytes(transfer_limits.OFFER_MAX + 1)])
def test_what_is_no_offer_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        offering.decode(data)


def test_the_largest_offer_is_one() -> None:
    largest = msgspec.structs.replace(GOOD, names=("\U0001f600" * transfer_limits.NAME_CHARS_MAX,) * 3)
    assert offering.decode(offering.encode(largest)) == largest


def test_chunks() -> None:
    chunk = transfer_limits.CHUNK
    three = msgspec.structs.replace(GOOD, size=2 * chunk + 1)
    assert (three.chunks, three.chunk_size(0), three.chunk_size(2)) == (3, chunk, 1)
    assert msgspec.structs.replace(GOOD, size=0).chunks == 0
    even = msgspec.structs.replace(GOOD, size=2 * chunk)
    assert (even.chunks, even.chunk_size(1)) == (2, chunk)
