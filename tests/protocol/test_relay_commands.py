"""Requests to a relay: every one survives the wire, and nothing else is read as one."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits, relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import Mac, digest
from messenger.protocol.relay_commands import REQUESTS, Unknown, decode_request, request_bounds
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Status
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
)
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_wire import Messages, contents, take_tag
from messenger.protocol.wire import Fields
from tests.protocol import relay_words
from tests.protocol.relay_words import ENVELOPE, FP, ID, KEY, SOLUTION
from tests.protocol.strategies import plainly

X = b"x" * 32


def read(data: bytes) -> Request:
    """The one request in a stream."""
    ((kind, body),) = list(Messages(request_bounds).feed(data))
    return decode_request(kind, body)


def refused(kind: int, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(bytes((kind,)) + len(body).to_bytes(3, "big") + body)


def test_there_is_an_example_of_each() -> None:
    assert [request.KIND for request in relay_words.REQUESTS] == sorted(REQUESTS) == list(range(1, 15))


@plainly
@given(relay_words.requests)
def test_what_was_written_is_read(request: Request) -> None:
    assert read(request.encode()) == request
    least, most = request_bounds(request.KIND)
    assert least <= len(request.body()) <= most


@plainly
@given(st.integers(0, 255), st.binary(max_size=400))
def test_garbage_is_one_error_or_a_request(kind: int, body: bytes) -> None:
    try:
        found = read(bytes((kind,)) + len(body).to_bytes(3, "big") + body)
    except RemoteProtocolError:
        return
    assert isinstance(found, Unknown) or found.body() == body


@pytest.mark.parametrize("request_", relay_words.REQUESTS, ids=repr)
def test_every_truncation_and_extension(request_: Request) -> None:
    body = request_.body()
    step = 1 if len(body) < 2000 else 97
    for size in [*range(0, len(body), step), len(body) - 1]:
        cut = body[:size]
        if not (isinstance(request_, Acknowledge) and size % 32 == 4 and size > 4):
            refused(request_.KIND, cut)
    refused(request_.KIND, body + b"\0")


@pytest.mark.parametrize("request_", relay_words.REQUESTS, ids=repr)
def test_every_flipped_bit_is_refused_or_reads_as_something_else(request_: Request) -> None:
    """Nothing in a request is passed over: whatever is still read is another request, or of a wrong proof."""
    mine = request_.signed(KEY, X) if isinstance(request_, Proved) else request_
    body = mine.body()
    for at in range(0, len(body), 1 if len(body) < 2000 else 31):
        changed = bytearray(body)
        changed[at] ^= 1 << at % 8
        try:
            other = read(bytes((mine.KIND,)) + len(changed).to_bytes(3, "big") + changed)
        except RemoteProtocolError:
            continue
        assert other != mine
        assert not isinstance(other, Proved) or not other.holds(KEY, X)


PROVED = [request for request in relay_words.REQUESTS if isinstance(request, Proved)]


@pytest.mark.parametrize("request_", PROVED, ids=repr)
def test_a_proof_holds_for_one_key_and_one_link(request_: Proved) -> None:
    signed = request_.signed(KEY, X)
    assert signed.holds(KEY, X)
    assert read(signed.encode()) == signed
    assert not signed.holds(b"K" * 32, X)
    assert not signed.holds(KEY, b"X" * 32)
    assert not request_.holds(KEY, X)


def test_a_proof_of_one_request_is_none_for_another() -> None:
    """Delete, Connect and Withdraw have the same fields."""
    proofs = {type(each): each.signed(KEY, X).proof for each in (Delete(1, ID), Connect(1, ID))}
    assert len(set(proofs.values())) == 2
    assert not Connect(1, ID, proof=proofs[Delete]).holds(KEY, X)


def test_an_envelope_of_another_is_not_proved() -> None:
    signed = Send(1, ID, ENVELOPE).signed(KEY, X)
    assert not msgspec.structs.replace(signed, envelope=b"f" * 4096).holds(KEY, X)


def test_the_largest_of_each() -> None:
    token, most = bytes(relay_limits.TOKEN_MAX), relay_limits
    for request in (
        NewQueue(2**32 - 1, QueueKind.REQUESTS, KEY, KEY, token),
        Send(1, ID, bytes(max(limits.ENVELOPE_BUCKETS)), SOLUTION),
        Acknowledge(1, (KEY,) * most.ACKS_PER_REQUEST),
        PutPrekeys(1, ID, bytes(most.PREKEY_LIST_MAX), (bytes(PREKEY_SIZE),) * (limits.PREKEYS_MAX + 1)),
        Publish(1, ID, Status.ONLINE, bytes(most.ENTRY_MAX), token),
        LookUp(1, FP, token),
        Browse(1, FP, most.PAGE_MAX, token),
    ):
        assert len(request.body()) == request_bounds(request.KIND)[1]
        reader = Messages(request_bounds)
        found = [decode_request(*each) for part in contents([request.encode()]) for each in reader.feed(part)]
        assert found == [request]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (0x01, b"\0\0\0\x01\0" + bytes(64) + b"\0\0"),
        (0x01, b"\0\0\0\x01\x03" + bytes(64) + b"\0\0"),
        (0x01, b"\0\0\0\x01\x01" + bytes(64) + b"\0\x21" + bytes(33)),
        (0x02, b"\0\0\0\x01" + ID + b"\x02\x01" + KEY),
        (0x02, b"\0\0\0\x01" + ID + b"\x01\0" + KEY),
        (0x02, b"\0\0\0\x01" + ID + b"\x01\x41" + KEY),
        (0x03, b"\0\0\0\x01" + ID + b"\0\x07" + bytes(7) + KEY + bytes(4096)),
        (0x03, b"\0\0\0\x01" + ID + b"\0\0" + KEY + bytes(4097)),
        (0x04, b"\0\0\0\x01" + bytes(33)),
        (0x07, b"\0\0\0\x01" + ID + b"\0\0\0" + KEY),
        (0x07, b"\0\0\0\x01" + ID + b"\0\0\x42" + bytes(PREKEY_SIZE * 66) + KEY),
        (0x0A, b"\0\0\0\x01" + ID + b"\x04\0\0\0\0" + KEY),
        (0x0A, b"\0\0\0\x01" + ID + b"\x01\0\0\x0a\x8a" + bytes(2698) + KEY),
        (0x0B, b"\0\0\0\x01" + ID + b"\x04" + KEY),
        (0x0E, b"\0\0\0\x01\0\0\0\0\0"),
        (0x0E, b"\0\0\0\x01\0\0\x11\0\0"),
        (0x0E, b"\0\0\0\x01\0\x1f" + bytes(31) + b"\x01\0\0"),
        (0x06, bytes(4)),
        (0x20, bytes(4)),
        (0x20, b"abc"),
        (0x00, b"\0\0\0\x01"),
        (0x40, b"\0\0\0\x01"),
        (0xFF, b"\0\0\0\x01"),
    ],
)
def test_out_of_bounds(kind: int, body: bytes) -> None:
    refused(kind, body)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: AskPuzzle(0),
        lambda: AskPuzzle(2**32),
        lambda: NewQueue(1, QueueKind.CONTACT, bytes(31), KEY),
        lambda: NewQueue(1, QueueKind.CONTACT, KEY, KEY, bytes(33)),
        lambda: Subscribe(1, bytes(23)),
        lambda: Subscribe(1, ID, window=0),
        lambda: Subscribe(1, ID, window=65),
        lambda: Send(1, ID, bytes(4095)),
        lambda: Send(1, ID, ENVELOPE, bytes(7)),
        lambda: Acknowledge(1, ()),
        lambda: Acknowledge(1, (KEY,) * 65),
        lambda: Acknowledge(1, (b"short",)),
        lambda: PutPrekeys(1, ID, b"", ()),
        lambda: PutPrekeys(1, ID, b"", (b"short",)),
        lambda: PutPrekeys(1, ID, bytes(4175), (bytes(PREKEY_SIZE),)),
        lambda: GetPrekey(1, ID, b""),
        lambda: Delete(1, bytes(25)),
        lambda: Publish(1, ID, Status.ONLINE, bytes(2698)),
        lambda: SetStatus(1, b"", Status.ONLINE),
        lambda: LookUp(1, Fingerprint(bytes(31))),
        lambda: Browse(1, bytes(31)),
        lambda: Browse(1, b"", 17),
        lambda: Unknown(1),
        lambda: Delete(1, ID, proof=b""),
    ],
)
def test_we_do_not_write_what_nobody_takes(wrong: Callable[[], Request]) -> None:
    with pytest.raises(LocalProtocolError):
        wrong().encode()


def test_a_request_of_a_later_version_has_a_tag() -> None:
    assert read(b"\x3f\0\0\x05\0\0\0\x07x") == Unknown(7)
    assert request_bounds(0x0F) == (4, relay_limits.UNKNOWN_MAX)


def test_what_a_queue_takes() -> None:
    assert QueueKind.CONTACT.envelopes == (4096, 16384, 65536, 262144)
    assert QueueKind.REQUESTS.envelopes == (4096, 16384)


def test_nothing_secret_is_shown() -> None:
    shown = " ".join(map(repr, relay_words.REQUESTS))
    assert shown.startswith("NewQueue(1) Subscribe(2) Send(3) ")
    assert "b'" not in shown


def slowly(kind: type[Send | Acknowledge], body: bytes) -> Request | None:
    """A request as its fields are read one after the other; None if it is refused."""
    fields = Fields(body)
    try:
        request = kind.read(take_tag(fields), fields)
        fields.finish()
    except RemoteProtocolError:
        return None
    return request


@plainly
@given(relay_words.frequent, st.data())
def test_what_is_read_at_once_is_what_its_fields_say(
    request: Send | Acknowledge, data: st.DataObject
) -> None:
    kind = type(request)
    body = bytearray(request.body())
    at = data.draw(st.integers(0, min(len(body), 40) - 1))
    body[at] = data.draw(st.sampled_from((0, 8, 255)))
    for changed in (request.body(), bytes(body), bytes(4) + request.body()[4:]):
        expected = slowly(kind, changed)
        if expected is None:
            with pytest.raises(RemoteProtocolError):
                kind.decode(changed)
        else:
            assert kind.decode(changed) == expected


@pytest.mark.parametrize("make", [bytes, Mac])
def test_a_proof_holds_by_the_key_and_by_what_was_made_of_it(make: Callable[[bytes], bytes | Mac]) -> None:
    request = Send(1, ID, ENVELOPE).signed(KEY, X)
    hashed = digest(ENVELOPE)
    assert request.holds(make(KEY), X, hashed)
    assert not request.holds(make(b"K" * 32), X, hashed)
    assert not request.holds(make(KEY), X, digest(b"another"))
