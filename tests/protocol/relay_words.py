"""What hypothesis and the tests of relays may say: every request and every answer, in all their sizes."""

from typing import Final

from hypothesis import strategies as st

from messenger.core import limits, relay_limits
from messenger.core.ids import Fingerprint
from messenger.protocol.relay_answers import (
    Arrived,
    Done,
    Ended,
    Failed,
    Page,
    Pass,
    PrekeyGiven,
    QueueMade,
    Ring,
    Subscribed,
    Task,
)
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Status, Withdraw
from messenger.protocol.relay_queues import (
    PREKEY_SIZE,
    Acknowledge,
    AskPuzzle,
    Connect,
    Delete,
    GetPrekey,
    NewQueue,
    PutPrekeys,
    QueueKind,
    Send,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_word import Code, DirectoryPolicy, EndReason, FromRelay, RelayFlag, Welcome
from tests.protocol.strategies import exactly, perhaps

ID, KEY, SOLUTION, ENVELOPE = bytes(range(24)), b"k" * 32, b"solution", b"e" * 4096
FP: Final = Fingerprint(b"f" * 32)

REQUESTS: Final[tuple[Request, ...]] = (
    NewQueue(1, QueueKind.CONTACT, b"r" * 32, b"s" * 32, b"token"),
    Subscribe(2, ID, SubscribeFlag.CALLS, 7, proof=KEY),
    Send(3, ID, ENVELOPE, SOLUTION, proof=KEY),
    Acknowledge(4, (b"h" * 32, b"i" * 32)),
    Delete(5, ID, proof=KEY),
    AskPuzzle(6),
    PutPrekeys(7, ID, b"list", (b"p" * PREKEY_SIZE,) * 2, proof=KEY),
    GetPrekey(8, ID, SOLUTION, proof=KEY),
    Connect(9, ID, proof=KEY),
    Publish(10, ID, Status.AWAY, b"entry", b"token", proof=KEY),
    SetStatus(11, ID, Status.BUSY, proof=KEY),
    Withdraw(12, ID, proof=KEY),
    LookUp(13, FP, b"token"),
    Browse(14, FP, 3, b"token"),
)
"""One of each, nothing in it empty."""

WORDS: Final[tuple[FromRelay, ...]] = (
    Welcome(1, RelayFlag.FIND_TOKEN, DirectoryPolicy.LISTED),
    Done(1),
    Failed(2, Code.FULL, 65535),
    QueueMade(3, ID, ID[::-1]),
    Subscribed(4, 2**32 - 1, 64),
    Task(5, 20, KEY),
    PrekeyGiven(6, b"list", b"p" * PREKEY_SIZE),
    Pass(7, KEY, "192.0.2.7:42000"),
    Page(8, ((Status.ONLINE, b"entry"), (Status.OFFLINE, b"other")), FP),
    Arrived(9, ENVELOPE),
    Ring(10, KEY, "[2001:db8::1]:1"),
    Ended(11, EndReason.TAKEN),
)
"""One of each, nothing in it empty."""

_TAG: Final = st.integers(1, 2**32 - 1)
_ID: Final = exactly(24)
_KEY: Final = exactly(32)
_PROOF: Final = exactly(32)
_TOKEN: Final = st.binary(max_size=relay_limits.TOKEN_MAX)
_STATUS: Final = st.sampled_from(Status)
_FEW: Final = st.binary(max_size=300)
_ENVELOPES: Final = st.tuples(st.sampled_from(limits.ENVELOPE_BUCKETS[:2]), st.binary(max_size=16)).map(
    lambda pair: pair[1].ljust(pair[0], b"e")
)
_PREKEY: Final = st.binary(max_size=16).map(lambda data: data.ljust(PREKEY_SIZE, b"p"))
_ADDRESSES: Final = st.sampled_from(["", "192.0.2.7:1", "[2001:db8::7]:65535", "127.0.0.1:42000"])

frequent: Final[st.SearchStrategy[Send | Acknowledge]] = st.one_of(
    st.builds(Send, _TAG, _ID, _ENVELOPES, perhaps(8), proof=_PROOF),
    st.builds(Acknowledge, _TAG, st.lists(exactly(32), min_size=1, max_size=64).map(tuple)),
)
"""The two that are read at once."""

requests: Final[st.SearchStrategy[Request]] = st.one_of(
    st.builds(NewQueue, _TAG, st.sampled_from(QueueKind), _KEY, _KEY, _TOKEN),
    st.builds(
        Subscribe,
        _TAG,
        _ID,
        st.sampled_from([SubscribeFlag(0), SubscribeFlag.CALLS]),
        st.integers(1, relay_limits.WINDOW_MAX),
        proof=_PROOF,
    ),
    frequent,
    st.builds(Delete, _TAG, _ID, proof=_PROOF),
    st.builds(AskPuzzle, _TAG),
    st.builds(
        PutPrekeys, _TAG, _ID, _FEW, st.lists(_PREKEY, min_size=1, max_size=5).map(tuple), proof=_PROOF
    ),
    st.builds(GetPrekey, _TAG, _ID, exactly(8), proof=_PROOF),
    st.builds(Connect, _TAG, _ID, proof=_PROOF),
    st.builds(Publish, _TAG, _ID, _STATUS, _FEW, _TOKEN, proof=_PROOF),
    st.builds(SetStatus, _TAG, _ID, _STATUS, proof=_PROOF),
    st.builds(Withdraw, _TAG, _ID, proof=_PROOF),
    st.builds(LookUp, _TAG, _KEY.map(Fingerprint), _TOKEN),
    st.builds(Browse, _TAG, perhaps(32), st.integers(1, relay_limits.PAGE_MAX), _TOKEN),
)

_U32: Final = st.integers(0, 2**32 - 1)
_U16: Final = st.integers(0, 2**16 - 1)

words: Final[st.SearchStrategy[FromRelay]] = st.one_of(
    st.builds(
        Welcome,
        st.integers(1, 255),
        st.integers(0, 3).map(RelayFlag),
        st.sampled_from(DirectoryPolicy),
        _U32,
        _U32,
        _U32,
        _U16,
        _U16,
        st.integers(0, 2**64 - 1),
        _U32,
    ),
    st.builds(Done, _TAG),
    st.builds(Failed, _TAG, st.sampled_from(Code), _U16),
    st.builds(QueueMade, _TAG, _ID, _ID),
    st.builds(Subscribed, _TAG, _U32, st.integers(0, 255)),
    st.builds(Task, _TAG, st.integers(0, limits.PUZZLE_BITS_MAX), _KEY),
    st.builds(PrekeyGiven, _TAG, _FEW, _PREKEY),
    st.builds(Pass, _TAG, _KEY, _ADDRESSES),
    st.builds(Page, _TAG, st.lists(st.tuples(_STATUS, _FEW), max_size=16).map(tuple), perhaps(32)),
    st.builds(Arrived, _TAG, _ENVELOPES),
    st.builds(Ring, _TAG, _KEY, _ADDRESSES),
    st.builds(Ended, _TAG, st.sampled_from(EndReason)),
)
