"""Links of relays."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, InputProblem
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest
from messenger.protocol.relay_invite import PREFIX, RelayInvite, is_relay_invite

WHO = Fingerprint(b"f" * 32)
LINK = RelayInvite(WHO, (parse_address("relay.example.org:42000"), parse_address("[2001:db8::1]:5")))


def forged(body: bytes) -> str:
    data = body + digest(b"sotto relay" + body)[:4]
    return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_link_byte_for_byte() -> None:
    assert LINK.encode() == forged(
        b"\x01" + WHO + b"\x02" + b"\x17relay.example.org:42000" + b"\x0f[2001:db8::1]:5"
    )
    assert RelayInvite.decode(LINK.encode()) == LINK
    assert RelayInvite.decode(" \n".join(LINK.encode())) == LINK


def test_addresses_for_which_there_is_no_room_are_left_out() -> None:
    many = tuple(Address("a" * 60 + "." + "b" * 60 + "." + "c" * 60, port) for port in range(1, 20))
    link = RelayInvite(WHO, many).encode()
    assert len(link) <= 1024
    assert RelayInvite.decode(link).addresses == many[:3]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LINK.encode()[:-3], InputProblem.BAD_INVITE),
        (LINK.encode() + "=", InputProblem.BAD_INVITE),
        ("sotto://invite/" + LINK.encode()[len(PREFIX) :], InputProblem.BAD_INVITE),
        (PREFIX, InputProblem.BAD_INVITE),
        (forged(b"\x02" + WHO + b"\0"), InputProblem.INVITE_VERSION),
        (forged(b"\x01" + WHO + b"\0x"), InputProblem.BAD_INVITE),
        (forged(b"\x01" + WHO + b"\x01\x04host"), InputProblem.BAD_INVITE),
        (forged(b"\x01" + WHO + b"\x01\x06HOST:1"), InputProblem.BAD_INVITE),
        (forged(b"\x01" + WHO + b"\x01\x02\xff\xff"), InputProblem.BAD_INVITE),
    ],
)
def test_links_that_cannot_be_read(text: str, problem: InputProblem) -> None:
    with pytest.raises(AddressError) as caught:
        RelayInvite.decode(text)
    assert caught.value.problem is problem


@given(st.binary(max_size=80))
def test_garbage_is_one_error(data: bytes) -> None:
    text = PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert is_relay_invite(text)
    with pytest.raises(AddressError):
        RelayInvite.decode(text)
