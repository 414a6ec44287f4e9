"""What hypothesis may try: packets, handshake messages, invites, and ways to cut and spoil a stream."""

from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

from messenger.core import deed_limits, limits
from messenger.core.address import Address
from messenger.core.ids import Fingerprint
from messenger.core.offering import Offering, encode
from messenger.protocol.invite import Invite
from messenger.protocol.messages import M1, M2, M3, M4, Caps, Retry
from messenger.protocol.packets import (
    Delete,
    Delivered,
    Edit,
    Hello,
    LaneTicket,
    Mailboxes,
    Offer,
    Packet,
    React,
    Read,
    Seed,
    SeedAck,
    Succession,
    SuccessionSeen,
    Text,
    Timer,
    Typing,
    Wish,
)
from messenger.protocol.places import Place
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted

quickly: Final = settings(max_examples=60, deadline=None)
"""For properties whose examples need a handshake or fresh keys."""

plainly: Final = settings(max_examples=200, deadline=None)
"""For everything else."""


def exactly(size: int) -> st.SearchStrategy[bytes]:
    """So many bytes."""
    return st.binary(min_size=size, max_size=size)


def perhaps(size: int) -> st.SearchStrategy[bytes]:
    """So many bytes, or none."""
    return st.one_of(st.just(b""), exactly(size))


def _characters() -> st.SearchStrategy[str]:
    return st.characters(exclude_categories=["Cs"])


_IDS: Final = st.lists(exactly(16), min_size=1, max_size=20)

_HEADER: Final = (exactly(16), st.integers(1, 2**63 - 1), exactly(32), st.integers(0, 2**53))
"""Id, seq, prev, sent_ms."""

_PLACES: Final = st.builds(
    Place,
    exactly(32).map(Fingerprint),
    exactly(24),
    exactly(32),
    exactly(32),
    st.builds(Address, st.sampled_from(["relay.example", "192.0.2.7", "2001:db8::7"]), st.integers(1, 65535)),
).map(Place.encode)

_TIMERS = st.just(0) | st.integers(deed_limits.TIMER_MIN, deed_limits.TIMER_MAX)
_OFFERS: Final = st.builds(
    Offering,
    names=st.lists(st.text(_characters(), min_size=1, max_size=20), min_size=1, max_size=2).map(tuple),
    tops=st.integers(2, 5),
    files=st.integers(5, 99),
    folders=st.integers(0, 99),
    size=st.integers(0, 2**53),
    root=exactly(32),
    manifest=st.integers(1, 2**25),
    media=st.integers(0, 255),
    thumbnail=st.binary(max_size=99),
).map(encode)
_COUNTS: Final = st.integers(0, 2**32 - 1)
_WISHES: Final = st.tuples(st.booleans(), st.sampled_from((2, 3, 4, 6, 7))).flatmap(
    lambda of: st.builds(
        Wish,
        exactly(16),
        st.just(of[0] and of[1] != 7),
        st.just(of[1]),
        st.integers(0, 255),
        _COUNTS,
        _COUNTS,
        exactly(32 if of[1] == 7 else 0),
        st.booleans(),
    )
)

packets: Final[st.SearchStrategy[Packet]] = st.one_of(
    st.builds(
        Hello,
        st.text(_characters(), max_size=limits.NAME_MAX),
        st.integers(0, 65535),
        st.booleans(),
        st.integers(0, 2**63 - 1),
    ),
    st.builds(
        Text,
        exactly(16),
        st.integers(1, 2**63 - 1),
        exactly(32),
        st.integers(0, 2**53),
        st.text(_characters(), min_size=1, max_size=300),
        st.integers(0, limits.ORDER_MAX),
        perhaps(16),
        _TIMERS,
    ),
    st.builds(Timer, *_HEADER, _TIMERS, st.integers(0, limits.ORDER_MAX)),
    st.builds(
        Edit,
        *_HEADER,
        exactly(16),
        st.text(_characters(), min_size=1, max_size=300),
        st.integers(0, limits.ORDER_MAX),
    ),
    st.builds(Delete, *_HEADER, exactly(16), st.integers(0, limits.ORDER_MAX)),
    st.builds(
        React, *_HEADER, exactly(16), st.text(_characters(), max_size=8), st.integers(0, limits.ORDER_MAX)
    ),
    st.just(Typing()),
    st.builds(Delivered, _IDS),
    st.builds(Read, _IDS),
    st.builds(Succession, st.binary(min_size=1, max_size=300)),
    st.builds(SuccessionSeen, st.integers(1, 2**32 - 1)),
    st.builds(Seed, exactly(limits.XWING_PUBLIC_SIZE), st.integers(0, limits.SESSION_RANK_MAX)),
    st.just(SeedAck()),
    st.builds(Offer, *_HEADER, _OFFERS, st.integers(0, limits.ORDER_MAX), _TIMERS),
    _WISHES,
    st.builds(PortraitNews, perhaps(32)),
    st.builds(PortraitWanted, exactly(32)),
    st.builds(Portrait, st.binary(min_size=1, max_size=300)),
    st.builds(LaneTicket, exactly(16), exactly(32), st.booleans(), st.integers(0, 65535)),
    st.builds(Mailboxes, st.lists(_PLACES, max_size=4, unique_by=lambda place: place[:32])),
)

m1s: Final = st.builds(
    M1,
    st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=limits.SUITES_MAX).map(tuple),
    exactly(32),
    exactly(limits.XWING_PUBLIC_SIZE),
    exactly(16),
    perhaps(8),
    exactly(16),
)
m2s: Final = st.builds(
    M2, st.integers(0, 0xFFFF), exactly(32), exactly(limits.XWING_CIPHERTEXT_SIZE), st.binary(max_size=3600)
)
m3s: Final = st.builds(M3, st.binary(max_size=3600), st.binary(max_size=3600))
m4s: Final = st.builds(M4, st.binary(max_size=3600), exactly(32))
retries: Final = st.builds(Retry, st.integers(0, limits.PUZZLE_BITS_MAX), exactly(32))
capabilities: Final = st.builds(
    Caps,
    least_version=st.integers(0, 1),
    most_version=st.integers(1, 255),
    relay=perhaps(32),
    features=st.integers(0, 2**32 - 1),
    invite_proof=perhaps(32),
    continues=perhaps(32),
)

_NAMES: Final = st.lists(
    st.text("abcxyz019", min_size=1, max_size=60).map("h".__add__), min_size=1, max_size=4
)
_HOSTS: Final = st.one_of(st.ip_addresses().map(str), _NAMES.map(".".join))
addresses: Final = st.builds(Address, _HOSTS, st.integers(1, 65535))
places: Final = st.builds(
    Place, exactly(32).map(Fingerprint), exactly(24), exactly(32), exactly(32), addresses
)
invites: Final = st.builds(
    Invite,
    exactly(32).map(Fingerprint),
    exactly(limits.INVITE_SECRET_SIZE),
    st.lists(addresses, max_size=limits.INVITE_ADDRESSES_MAX).map(tuple),
    st.lists(places, max_size=2).map(tuple),
)

cuts: Final = st.lists(st.integers(0, 8000), max_size=12)
"""Places at which a stream is cut; see `tests.helpers.links.cut_at`."""
