"""Invite links: read back what was written, and nothing that was damaged on the way."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import AddressError, InputProblem
from messenger.core.ids import Fingerprint
from messenger.protocol.invite import PREFIX, Invite, is_invite, read_invite, write_invite
from messenger.protocol.places import Place
from tests.protocol.strategies import invites, plainly

FINGERPRINT = Fingerprint(bytes(range(32)))
SECRET = b"sixteen bytes ok"
PLACES = (Address("192.0.2.7", 42000), Address("fe80::1%eth0", 1), Address("host.example", 65535))
INVITE = Invite(FINGERPRINT, SECRET, PLACES)
ROOM = (limits.INVITE_TEXT_MAX - len(PREFIX)) * 3 // 4 - 54
"""Bytes of hints in the longest link."""

HEAD = b"\x01" + FINGERPRINT + SECRET


def link(body: bytes, checksum: bytes | None = None) -> str:
    check = hashlib.sha256(b"sotto invite" + body).digest()[:4] if checksum is None else checksum
    return PREFIX + base64.urlsafe_b64encode(body + check).decode().rstrip("=")


def hint(content: bytes, kind: int = 1) -> bytes:
    return bytes((kind, len(content))) + content


def problem(text: str) -> InputProblem:
    with pytest.raises(AddressError) as caught:
        read_invite(text)
    return caught.value.problem


@plainly
@given(invites)
def test_what_was_written_is_read(invite: Invite) -> None:
    text = write_invite(invite)
    assert text.isascii()
    assert len(text) <= limits.INVITE_TEXT_MAX
    assert is_invite(text)
    read = read_invite(text)
    assert (read.fingerprint, read.secret) == (invite.fingerprint, invite.secret)
    assert set(read.addresses) <= set(invite.addresses)
    assert set(read.places) <= set(invite.places)
    sizes = [2 + len(str(address)) for address in invite.addresses]
    sizes += [2 + len(place.encode()) for place in invite.places]
    if sum(sizes) <= ROOM and all(len(place.encode()) <= 255 for place in invite.places):
        assert read == invite


def place(host: str = "relay.example") -> Place:
    return Place(Fingerprint(bytes(32)), bytes(24), bytes(32), bytes(32), Address(host, 1))


def test_places_stand_before_addresses() -> None:
    invite = Invite(FINGERPRINT, SECRET, PLACES, (place(), place("192.0.2.7")))
    assert read_invite(write_invite(invite)) == invite
    first = place().encode()
    assert first in base64.urlsafe_b64decode(write_invite(invite)[len(PREFIX) :] + "==")
    assert read_invite(link(HEAD + b"\x01" + hint(first, 3))).places == (place(),)


def test_a_place_that_is_not_one_spoils_the_link() -> None:
    good = place().encode()
    for wrong in (b"", good[:-1], good + b"\0", good.replace(b"relay", b"Relay")):
        assert problem(link(HEAD + b"\x01" + hint(wrong, 3))) is InputProblem.BAD_INVITE


def test_places_for_which_there_is_no_room() -> None:
    far = tuple(place(f"{number}.example") for number in range(6))
    assert read_invite(write_invite(Invite(FINGERPRINT, SECRET, (), far))).places == far[:4]
    many = link(HEAD + b"\x05" + hint(place("a").encode(), 3) * 5)
    assert len(read_invite(many).places) == 4
    long = place("a" * 60 + "." + "b" * 60 + "." + "c" * 20)
    assert len(long.encode()) > 255
    assert read_invite(write_invite(Invite(FINGERPRINT, SECRET, PLACES, (long,)))).places == ()


@plainly
@given(st.text(max_size=200))
def test_any_other_text_is_one_error(text: str) -> None:
    for candidate in (text, PREFIX + text):
        assert problem(candidate) in (InputProblem.BAD_INVITE, InputProblem.INVITE_VERSION)


def test_the_bytes_are_those_of_the_specification() -> None:
    hints = b"".join(hint(text) for text in (b"192.0.2.7:42000", b"[fe80::1%eth0]:1", b"host.example:65535"))
    assert write_invite(INVITE) == link(HEAD + b"\x03" + hints)


def test_mail_programs_break_lines_and_people_shout() -> None:
    text = write_invite(INVITE)
    broken = "\r\n > ".join(text[at : at + 20] for at in range(0, len(text), 20)).replace(">", "")
    assert read_invite(f"\t{broken} \u2003\n") == INVITE
    assert read_invite(text.replace(PREFIX, "SOTTO://Invite/")) == INVITE
    assert is_invite("  Sotto://INVITE/whatever")
    assert not is_invite("https://sotto/invite/")


def test_every_character_counts() -> None:
    text = write_invite(INVITE)
    for at in range(len(text)):
        for other in "A" if text[at] != "A" else "B", "!":
            damaged = text[:at] + other + text[at + 1 :]
            if at < len(PREFIX) and damaged.lower().startswith(PREFIX):
                continue
            assert problem(damaged) is InputProblem.BAD_INVITE, at


def test_a_link_has_one_spelling() -> None:
    text = link(HEAD + b"\x01" + hint(b"", kind=9))
    spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text[len(PREFIX) :]) % 4 == 3, "the last character has bits to spare"
    others = {text[:-1] + last for last in spare} - {text}
    decoded = {base64.urlsafe_b64decode(other[len(PREFIX) :] + "=") for other in others}
    assert base64.urlsafe_b64decode(text[len(PREFIX) :] + "=") in decoded, "some of them mean the same"
    for other in (*others, text + "=", text + "==", text + "A=="):
        assert problem(other) is InputProblem.BAD_INVITE


def test_every_cut_shows() -> None:
    text = write_invite(INVITE)
    for at in range(len(text)):
        assert problem(text[:at]) is InputProblem.BAD_INVITE, at
    assert problem(text + "AAAA") is InputProblem.BAD_INVITE


@pytest.mark.parametrize("version", [0, 2, 255])
def test_an_invite_of_a_later_program(version: int) -> None:
    assert problem(link(bytes((version,)) + b"whatever comes then")) is InputProblem.INVITE_VERSION


@pytest.mark.parametrize(
    "body",
    [
        HEAD,  # no number of hints
        HEAD + b"\x00" + b"left over",
        HEAD + b"\x01",
        HEAD + b"\x01\x01\x10too short",
        HEAD[:-1],
        HEAD + b"\x01" + hint(b"no port, bad host!"),
        HEAD + b"\x01" + hint(b"\xff\xfe"),
        HEAD + b"\x01" + hint(b""),
        HEAD + b"\x01" + hint(b"host:0"),
        HEAD + b"\x01" + hint(b"host.example"),
        HEAD + b"\x01" + hint(b"Host.example:5"),
        HEAD + b"\x01" + hint(b"host.example:05"),
        HEAD + b"\x01" + hint(b"[FE80::1]:5"),
    ],
)
def test_a_body_that_does_not_follow_the_order(body: bytes) -> None:
    assert problem(link(body)) is InputProblem.BAD_INVITE


def test_a_wrong_checksum_or_none() -> None:
    assert problem(link(HEAD + b"\x00", b"\x00\x00\x00\x00")) is InputProblem.BAD_INVITE
    assert problem(link(b"")) is InputProblem.BAD_INVITE
    assert problem(PREFIX) is InputProblem.BAD_INVITE
    assert problem(PREFIX + "A") is InputProblem.BAD_INVITE
    assert problem(PREFIX + "ä") is InputProblem.BAD_INVITE


def test_hints_of_a_later_program_are_passed_over() -> None:
    body = HEAD + b"\x03" + hint(b"\xff" * 200, kind=2) + hint(b"a.example:5") + hint(b"", kind=255)
    assert read_invite(link(body)).addresses == (Address("a.example", 5),)


def test_too_many_addresses_are_left_out() -> None:
    many = tuple(Address(f"h{n}.example", n) for n in range(1, 12))
    assert read_invite(write_invite(Invite(FINGERPRINT, SECRET, many))).addresses == many[:8]
    body = HEAD + bytes((11,)) + b"".join(hint(str(address).encode()) for address in many)
    assert read_invite(link(body)).addresses == many[:8]


def test_addresses_too_long_for_a_link_are_left_out() -> None:
    longest = Address(".".join(["a" * 62] * 4), 42000)
    long = Address(".".join(["a" * 62] * 3), 42000)
    short = Address("a.example", 1)
    text = write_invite(Invite(FINGERPRINT, SECRET, (longest, long, long, long, long, short)))
    assert read_invite(text).addresses == (long, long, long, short)


def test_too_long() -> None:
    assert problem(PREFIX + "A" * (limits.INVITE_TEXT_MAX - len(PREFIX) + 1)) is InputProblem.BAD_INVITE
    longest = link(HEAD + b"\x03" + 2 * hint(bytes(255), kind=9) + hint(bytes(150), kind=9))
    assert len(longest) <= limits.INVITE_TEXT_MAX
    assert read_invite(longest + " " * 5000).addresses == ()


def test_the_secret_is_not_shown() -> None:
    assert repr(INVITE) == f"Invite({FINGERPRINT.hex()[:8]}, 3 addresses)"
