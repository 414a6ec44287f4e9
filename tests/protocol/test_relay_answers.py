"""What a relay says: everything survives the wire, and nothing else is read as such."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits, relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol.relay_answers import (
    ANSWERS,
    Arrived,
    Ended,
    Failed,
    Page,
    Pass,
    PrekeyGiven,
    QueueMade,
    Ring,
    Subscribed,
    Task,
    answer_bounds,
    decode_answer,
)
from messenger.protocol.relay_finding import Status
from messenger.protocol.relay_queues import PREKEY_SIZE
from messenger.protocol.relay_wire import Messages
from messenger.protocol.relay_word import Code, DirectoryPolicy, EndReason, FromRelay, RelayFlag, Welcome
from tests.protocol import relay_words
from tests.protocol.relay_words import ID, KEY
from tests.protocol.strategies import plainly


def framed(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def read(data: bytes) -> FromRelay | None:
    """The one word in a stream."""
    ((kind, body),) = list(Messages(answer_bounds).feed(data))
    return decode_answer(kind, body)


def refused(kind: int, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(framed(kind, body))


def test_there_is_an_example_of_each() -> None:
    assert [word.KIND for word in relay_words.WORDS] == sorted(ANSWERS) == list(range(0x40, 0x4C))


@plainly
@given(relay_words.words)
def test_what_was_written_is_read(word: FromRelay) -> None:
    assert read(word.encode()) == word
    least, most = answer_bounds(word.KIND)
    assert least <= len(word.body()) <= most


@plainly
@given(st.integers(0, 255), st.binary(max_size=400))
def test_garbage_is_one_error_or_a_word(kind: int, body: bytes) -> None:
    try:
        found = read(framed(kind, body))
    except RemoteProtocolError:
        return
    if found is None:
        assert kind & 0x80
    elif not isinstance(found, Failed | Ended | Welcome):
        assert found.body() == body


@pytest.mark.parametrize("word", relay_words.WORDS, ids=repr)
def test_every_truncation_and_extension(word: FromRelay) -> None:
    body = word.body()
    for size in range(0, len(body), 1 if len(body) < 2000 else 97):
        refused(word.KIND, body[:size])
    refused(word.KIND, body[:-1])
    refused(word.KIND, body + b"\0")


@pytest.mark.parametrize("word", relay_words.WORDS, ids=repr)
def test_every_flipped_bit_is_seen(word: FromRelay) -> None:
    body = word.body()
    for at in range(0, len(body), 1 if len(body) < 2000 else 31):
        changed = bytearray(body)
        changed[at] ^= 1 << at % 8
        try:
            other = read(framed(word.KIND, bytes(changed)))
        except RemoteProtocolError:
            continue
        assert other != word or (isinstance(word, Welcome) and at == 1), "only unknown flags are passed over"


def test_the_largest_of_each() -> None:
    longest = "[" + ":".join(["ffff"] * 8) + "]:65535"
    for word in (
        PrekeyGiven(1, bytes(relay_limits.PREKEY_LIST_MAX), bytes(PREKEY_SIZE)),
        Page(1, ((Status.BUSY, bytes(relay_limits.ENTRY_MAX)),) * relay_limits.PAGE_MAX, KEY),
        Arrived(1, bytes(limits.ENVELOPE_BUCKETS[-2])),
        Pass(1, KEY, longest),
        Ring(1, KEY, longest),
    ):
        assert read(word.encode()) == word
    assert len(Arrived(1, bytes(limits.ENVELOPE_BUCKETS[-1])).body()) == answer_bounds(Arrived.KIND)[1]


def test_what_later_versions_say() -> None:
    assert read(framed(0x42, b"\0\0\0\x01\x0b\0\0")) == Failed(1, Code.TROUBLE)
    assert read(framed(0x42, b"\0\0\0\x01\0\0\x05")) == Failed(1, Code.TROUBLE, 5)
    assert read(framed(0x4B, b"\0\0\0\x01\x07")) == Ended(1, EndReason.GONE)
    assert read(framed(0x80, b"")) is None
    assert read(framed(0xFF, b"\xc1 whatever")) is None
    later = bytearray(Welcome(7).body())
    later[1] |= 0xFC
    assert read(framed(0x40, bytes(later))) == Welcome(7)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (0x40, b"\0" + Welcome().body()[1:]),
        (0x40, Welcome().body()[:2] + b"\x04" + Welcome().body()[3:]),
        (0x41, bytes(4)),
        (0x45, b"\0\0\0\x01\x15" + KEY),
        (0x47, b"\0\0\0\x01" + KEY + b"\0\x0brelay.de:42"),
        (0x47, b"\0\0\0\x01" + KEY + b"\0\x09192.0.2.7"),
        (0x47, b"\0\0\0\x01" + KEY + b"\0\x02\xff\xff"),
        (0x4A, b"\0\0\0\x01" + KEY + b"\0\x10[fe80::1%eth0]:1"),
        (0x4A, b"\0\0\0\x01" + KEY + b"\0\x0c192.0.2.07:1"),
        (0x48, b"\0\0\0\x01\0\0\x11" + b"\0\0\0" * 17),
        (0x48, b"\0\0\0\x01\0\0\x01\x04\0\0"),
        (0x48, b"\0\0\0\x01\0\x1f" + bytes(31) + b"\0"),
        (0x49, b"\0\0\0\x01" + bytes(4095)),
        (0x4C, b"\0\0\0\x01"),
        (0x01, b"\0\0\0\x01"),
        (0x00, b""),
    ],
)
def test_out_of_bounds(kind: int, body: bytes) -> None:
    refused(kind, body)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: QueueMade(0, ID, ID),
        lambda: QueueMade(1, ID, bytes(23)),
        lambda: Failed(1, Code.BUSY, 65536),
        lambda: Subscribed(1, 2**32),
        lambda: Subscribed(1, 0, 256),
        lambda: Task(1, 21, KEY),
        lambda: Task(1, 20, b""),
        lambda: PrekeyGiven(1, bytes(4175), bytes(PREKEY_SIZE)),
        lambda: PrekeyGiven(1, b"", b""),
        lambda: Pass(1, bytes(31)),
        lambda: Pass(1, KEY, "relay.example:1"),
        lambda: Ring(1, KEY, "192.0.2.7"),
        lambda: Page(1, ((Status.BUSY, b""),) * 17),
        lambda: Page(1, ((Status.BUSY, bytes(2698)),)),
        lambda: Page(1, (), bytes(31)),
        lambda: Arrived(1, bytes(4095)),
        lambda: Welcome(queues=65536),
        lambda: Welcome(version=256),
    ],
)
def test_we_do_not_write_what_nobody_takes(wrong: Callable[[], FromRelay]) -> None:
    with pytest.raises(LocalProtocolError):
        wrong().encode()


def test_the_quotas_are_those_of_the_text() -> None:
    numbers = (128, 16 * 2**20, 21 * 86400, 64, 8, 2**30, 7200)
    sizes = (4, 4, 4, 2, 2, 8, 4)
    body = b"".join(number.to_bytes(size, "big") for number, size in zip(numbers, sizes, strict=True))
    flags = RelayFlag.QUEUE_TOKEN | RelayFlag.FIND_TOKEN
    assert Welcome(1, flags, DirectoryPolicy.TOKEN).encode() == b"\x40\0\0\x1f\x01\x03\x02" + body


def test_nothing_secret_is_shown() -> None:
    secret = repr(KEY)[2:-1]
    assert not any(secret in repr(word) for word in relay_words.WORDS)
    assert repr(Failed(7, Code.FULL, 9)) == "Failed(7, FULL, 9 s)"
