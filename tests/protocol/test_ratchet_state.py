"""Sessions on disk."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import DatabaseDamaged, DatabaseTooNew
from messenger.protocol import ratchet
from messenger.protocol.ratchet_state import OwnKey, Session, Skipped
from tests.helpers.sealing import NOW, flipped, linked, opened, with_receiving, with_sending


def states() -> dict[str, Session]:
    """A session at each stage of its life."""
    one, two = linked()
    one, _ = ratchet.seal(one, b"lost")
    begun, message = ratchet.seal(one, b"hello")
    read, _ = ratchet.unseal(two, message, NOW)
    answered, answer = ratchet.seal(read, b"answer")
    acknowledged, _ = ratchet.unseal(begun, answer, NOW)
    writer, recipient = opened(b"opened")
    return {
        "new": two,
        "begun": begun,
        "read": read,
        "answered": answered,
        "acknowledged": acknowledged,
        "turned": ratchet.seal(acknowledged, b"turn")[0],
        "restored": replace(read, receive_only=True),
        "writer of a first contact": writer,
        "recipient of a first contact": recipient,
        "full": with_receiving(
            read, skipped=tuple(Skipped(1, n, NOW, bytes(32)) for n in range(limits.RATCHET_SKIP_SESSION))
        ),
    }


@pytest.mark.parametrize("stage", states())
def test_a_session_survives_the_disk(stage: str) -> None:
    session = states()[stage]
    assert Session.decode(session.encode()) == session


def test_a_session_goes_on_after_the_disk() -> None:
    one, two = linked()
    one, message = ratchet.seal(Session.decode(one.encode()), b"hello")
    two, payload = ratchet.unseal(Session.decode(two.encode()), message, NOW)
    assert payload == b"hello"
    two, message = ratchet.seal(Session.decode(two.encode()), b"answer")
    assert ratchet.unseal(Session.decode(one.encode()), message, NOW)[1] == b"answer"


@pytest.mark.parametrize("stage", ["new", "turned"])
def test_every_truncation_and_extension_is_refused(stage: str) -> None:
    data = states()[stage].encode()
    for size in range(len(data)):
        with pytest.raises(DatabaseDamaged):
            Session.decode(data[:size])
    with pytest.raises(DatabaseDamaged):
        Session.decode(data + b"\x00")


def test_another_version_is_refused() -> None:
    data = states()["read"].encode()
    with pytest.raises(DatabaseTooNew):
        Session.decode(b"\x02" + data[1:])


def impossible() -> dict[str, bytes]:
    session = states()["turned"]
    key = OwnKey(1, bytes(32))
    many = tuple(Skipped(1, 0, NOW, bytes(32)) for _ in range(limits.RATCHET_SKIP_SESSION + 1))
    return {
        "unknown flag": flipped(session.encode(), 1, 1),
        "an epoch without a chain": with_sending(session, chain=b"").encode(),
        "a chain without an epoch": with_sending(session, epoch=0).encode(),
        "an epoch without its key": with_sending(session, public=b"").encode(),
        "an epoch without its ciphertext": with_sending(session, ciphertext=b"").encode(),
        "half a chain key": with_sending(session, chain=bytes(16)).encode(),
        "half a public key": with_receiving(session, public=bytes(600)).encode(),
        "a received epoch without a chain": with_receiving(session, chain=b"").encode(),
        "three private keys": with_receiving(session, keys=(key, key, key)).encode(),
        "too many missing messages": with_receiving(session, skipped=many).encode(),
    }


@pytest.mark.parametrize("what", impossible())
def test_what_cannot_be_is_refused(what: str) -> None:
    with pytest.raises(DatabaseDamaged):
        Session.decode(impossible()[what])


@given(st.binary(max_size=600))
def test_garbage_gives_two_kinds_of_error(data: bytes) -> None:
    with pytest.raises((DatabaseDamaged, DatabaseTooNew)):
        Session.decode(data)
    with pytest.raises(DatabaseDamaged):
        Session.decode(b"\x01" + data)
