"""What is said on the local network, and what is made of what others say there."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits, relay_limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.protocol.announcement import SERVICE, Announcement, instance
from tests.protocol.strategies import exactly, plainly

FP = Fingerprint(bytes(range(32)))
WRITTEN = format_fingerprint(FP).replace(" ", "").encode()
VERSION, FINGERPRINT, NAME = b"\x09txtvers=1", b"\x3bfp=" + WRITTEN, b"\x0aname=Alice"


def passed_over(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Announcement.decode(data)


def string(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def test_an_announcement_byte_for_byte() -> None:
    data = VERSION + FINGERPRINT + NAME
    assert Announcement(FP, "Alice").encode() == data
    assert Announcement.decode(data) == Announcement(FP, "Alice")
    assert SERVICE == "_sotto._tcp.local."


@plainly
@given(exactly(32).map(Fingerprint), st.text(st.characters(exclude_categories=["Cs"]), max_size=62))
def test_what_was_written_is_read(fingerprint: Fingerprint, name: str) -> None:
    announcement = Announcement(fingerprint, name)
    data = announcement.encode()
    assert Announcement.decode(data) == announcement
    assert len(data) <= relay_limits.ANNOUNCEMENT_MAX


def test_a_name_for_which_there_is_no_room_is_cut_between_characters() -> None:
    for name, kept in (("🦉" * 64, "🦉" * 62), ("é" * 64, "é" * 64), ("x" * 100, "x" * 64)):
        assert Announcement.decode(Announcement(FP, name).encode()).name == kept
    with pytest.raises(LocalProtocolError):
        Announcement(FP, "\ud800").encode()


@plainly
@given(st.binary(max_size=300))
def test_garbage_is_one_error_or_an_announcement(data: bytes) -> None:
    for candidate in (data, VERSION + data, VERSION + FINGERPRINT + data):
        try:
            found = Announcement.decode(candidate)
        except RemoteProtocolError:
            continue
        assert len(found.fingerprint) == 32
        assert len(found.name) <= limits.NAME_MAX


def test_every_truncation_inside_a_string() -> None:
    data = VERSION + FINGERPRINT + NAME
    ends = (len(VERSION) + len(FINGERPRINT), len(data))
    for size in range(len(data)):
        if size not in ends:
            passed_over(data[:size])
    assert Announcement.decode(data[: ends[0]]) == Announcement(FP)


def test_every_flipped_bit_is_passed_over_or_seen() -> None:
    data = VERSION + FINGERPRINT + NAME
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        case = at % 8 == 5 and bytes(changed).lower() == data.lower()
        try:
            found = Announcement.decode(bytes(changed))
        except RemoteProtocolError:
            continue
        assert found != Announcement(FP, "Alice") or case, "the case of a key does not matter"
        assert found.fingerprint == FP, "a checksum guards the fingerprint"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        FINGERPRINT + VERSION,
        b"\x09txtvers=2" + FINGERPRINT,
        b"\x09TXTVERS=1" + FINGERPRINT,
        VERSION,
        VERSION + string(b"fp="),
        VERSION + string(b"fp"),
        VERSION + string(b"fp=" + WRITTEN.upper()),
        VERSION + string(b"fp=" + WRITTEN[:4] + b"-" + WRITTEN[4:]),
        VERSION + string(b"fp=" + WRITTEN[:-1]),
        VERSION + string(b"fp=" + WRITTEN[:-1] + b"\xff"),
        VERSION + FINGERPRINT + string(b"name=" + b"x" * 65),
        VERSION + FINGERPRINT + string(b"name=\xc3"),
        VERSION + FINGERPRINT + b"\x05name",
        VERSION + FINGERPRINT + string(b"x" * 255) * 4,
    ],
)
def test_what_is_passed_over(data: bytes) -> None:
    passed_over(data)


@pytest.mark.parametrize(
    "data",
    [
        VERSION + NAME + FINGERPRINT,
        VERSION + string(b"Name=Alice") + string(b"FP=" + WRITTEN),
        VERSION + FINGERPRINT + NAME + string(b"name=Mallory") + string(b"fp=x"),
        VERSION + b"\0" + string(b"later=1") + string(b"=x") + string(b"flag") + FINGERPRINT + NAME,
    ],
)
def test_what_later_versions_and_other_programs_write(data: bytes) -> None:
    assert Announcement.decode(data) == Announcement(FP, "Alice")


def test_the_longest_that_is_read() -> None:
    data = VERSION + FINGERPRINT + NAME
    rest = relay_limits.ANNOUNCEMENT_MAX - len(data) - 3 * 256
    whole = data + string(b"x" * 255) * 3 + string(b"x" * (rest - 1))
    assert len(whole) == relay_limits.ANNOUNCEMENT_MAX
    assert Announcement.decode(whole).name == "Alice"
    passed_over(whole + b"\0")


def test_an_instance_tells_nothing() -> None:
    assert instance(lambda size: b"\xab" * size) == "ab" * 8
    assert instance(os.urandom) != instance(os.urandom)
