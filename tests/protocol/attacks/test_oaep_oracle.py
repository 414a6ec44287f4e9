"""OAEP ciphertexts that are wrong in every possible way: all failures look the same."""

import os
from collections.abc import Callable

import pytest

from messenger.core.errors import RemoteProtocolError
from messenger.crypto.rsa import oaep_label
from messenger.protocol.handshake import UnwrapNeeded
from messenger.protocol.link import LinkState
from tests.helpers.keys import identity
from tests.helpers.links import End
from tests.protocol.forge import Answerer, Caller

BOB, ALICE = identity("bob").exchange.public, identity("alice").exchange.public
OTHER = identity("carol").exchange.public
Make = Callable[[bytes], bytes]
"""Makes a ciphertext of the right label."""


def _modulus(key: bytes, change: int) -> bytes:
    return (int.from_bytes(key, "big") + change).to_bytes(len(key), "big")


def _ciphertexts(direction: str, other_direction: str, owner: bytes) -> dict[str, Make]:
    key = BOB if owner == b"bob" else ALICE
    return {
        "foreign label": lambda label: key.wrap(oaep_label(other_direction, label[-32:]), os.urandom(32)),
        "label of a sealed message": lambda label: key.wrap(
            oaep_label("oaep seal", label[-32:]), os.urandom(32)
        ),
        "other transcript": lambda _: key.wrap(oaep_label(direction, os.urandom(32)), os.urandom(32)),
        "no label": lambda _: key.wrap(b"", os.urandom(32)),
        "31 bytes": lambda label: key.wrap(label, os.urandom(31)),
        "33 bytes": lambda label: key.wrap(label, os.urandom(33)),
        "nothing in it": lambda label: key.wrap(label, b""),
        "another key": lambda label: OTHER.wrap(label, os.urandom(32)),
        "random": lambda _: b"\0" + os.urandom(383),
        "zero": lambda _: bytes(384),
        "one": lambda _: bytes(383) + b"\1",
        "the modulus": lambda _: key.modulus,
        "the modulus and one": lambda _: _modulus(key.modulus, 1),
        "the modulus less one": lambda _: _modulus(key.modulus, -1),
        "all bits": lambda _: b"\xff" * 384,
        "383 bytes": lambda _: os.urandom(383),
        "385 bytes": lambda _: b"\0" + os.urandom(384),
        "of a larger key": lambda _: b"\0" + os.urandom(511),
        "empty": lambda _: b"",
    }


AT_RESPONDER = _ciphertexts("oaep I>R", "oaep R>I", b"bob")
AT_INITIATOR = _ciphertexts("oaep R>I", "oaep I>R", b"alice")


def seen(end: End, data: bytes) -> tuple[object, ...]:
    """Everything that the other side, or a log, can see of a refusal."""
    try:
        end.receive(data)
    except RemoteProtocolError as e:
        return (
            type(e),
            str(e),
            e.reason,
            type(e.__cause__),
            end.link.state,
            end.sent(),
            [type(asked) for asked in end.asked],
            end.private_operations,
        )
    raise AssertionError("not refused")


def at_responder(ciphertext: Make | None) -> tuple[object, ...]:
    caller, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(caller.m1())
    caller.take_m2(bob.sent())
    made = None if ciphertext is None else ciphertext(oaep_label("oaep I>R", caller.th2))
    m3 = caller.m3(ciphertext=made)
    if ciphertext is None:  # the secret is the right one and the box is not
        m3 = m3[:-1] + bytes((m3[-1] ^ 1,))
    return seen(bob, m3)


def at_initiator(ciphertext: Make | None) -> tuple[object, ...]:
    alice, bob = End.calling("alice", "bob"), Answerer("bob")
    alice.receive(bob.m2(alice.sent()))
    bob.take_m3(alice.sent())
    made = None if ciphertext is None else ciphertext(oaep_label("oaep R>I", bob.th4))
    finished = bytes(32) if ciphertext is None else None
    return seen(alice, bob.m4("alice", ciphertext=made, finished=finished))


@pytest.mark.parametrize("name", AT_RESPONDER)
def test_oaep_oracle_at_the_responder(name: str) -> None:
    expected = at_responder(None)
    assert at_responder(AT_RESPONDER[name]) == expected
    assert expected[1] == "a sealed box does not open"
    assert expected[4] is LinkState.CLOSED


@pytest.mark.parametrize("name", AT_INITIATOR)
def test_oaep_oracle_at_the_initiator(name: str) -> None:
    expected = at_initiator(None)
    assert at_initiator(AT_INITIATOR[name]) == expected
    assert expected[1] == "finished MAC of the responder does not hold"
    assert expected[4] is LinkState.CLOSED


def test_a_ciphertext_is_not_opened_twice_for_two_answers() -> None:
    """Somebody who sends the same M3 on two streams learns nothing: the transcripts differ."""
    caller = Caller("alice", "bob")
    first, second = End.answering("bob"), End.answering("bob")
    first.receive(caller.m1())
    second.receive(caller.m1())
    caller.take_m2(first.sent())
    m3 = caller.m3()
    second.sent()
    with pytest.raises(RemoteProtocolError):
        second.receive(m3)
    assert second.count(UnwrapNeeded) == 0
    first.receive(m3)
    assert first.private_operations == 2
