"""Strangers: what they cost, what they learn, and who must not come in at all."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from messenger.core.errors import RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.hkdf import vec
from messenger.protocol.handshake import PeerIdentified, SignNeeded
from messenger.protocol.messages import Caps, MessageType, encode_identity, frame
from tests.helpers.keys import identity
from tests.helpers.links import End, bundle, exchange, linked, refused
from tests.protocol.forge import Caller, body


class Counter:
    """Counts the calls of a function, which it leaves as it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: object, name: str) -> None:
        self.calls = 0
        self._function: Callable[..., Any] = getattr(place, name)
        monkeypatch.setattr(place, name, self)

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 -- passed on
        self.calls += 1
        return self._function(*args)


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """How often somebody was made to encapsulate."""
    return Counter(monkeypatch, xwing, "encapsulate")


@pytest.mark.parametrize("puzzle_bits", [0, 16])
@pytest.mark.parametrize("key", [bytes(32), bytes(31) + b"\x01", identity("carol").fingerprint])
def test_wrong_mac1_costs_one_mac_and_hears_nothing(key: bytes, puzzle_bits: int, exchanges: Counter) -> None:
    caller, bob = Caller("alice", "bob"), End.answering("bob", puzzle_bits=puzzle_bits)
    caller.key = key
    refused(bob, caller.m1())
    assert exchanges.calls == 0
    assert bob.private_operations == 0


def test_a_puzzle_costs_no_exchange_until_it_is_solved(exchanges: Counter) -> None:
    caller, bob = Caller("alice", "bob"), End.answering("bob", puzzle_bits=20)
    bob.receive(caller.m1())
    assert bob.sent()[0] == MessageType.RETRY
    refused(bob, caller.m1())
    assert exchanges.calls == 0
    End.answering("bob").receive(caller.m1())
    assert exchanges.calls == 1


def test_handshake_flood_costs_no_exchange_and_locks_no_contact_out(exchanges: Counter) -> None:
    """A listener under load: everybody is asked for work, but not those who knock."""
    knock = os.urandom(32)
    for _ in range(100):
        bob = End.answering("bob", puzzle_bits=20, knocks=[knock])
        bob.receive(Caller("mallory", "bob").m1())
        assert bob.sent()[0] == MessageType.RETRY
        assert bob.private_operations == 0
    assert exchanges.calls == 0
    alice, bob = (
        End.calling("alice", "bob", knock=knock),
        End.answering("bob", puzzle_bits=20, knocks=[knock]),
    )
    assert len(exchange(alice, bob)) == 5, "no puzzle for her"
    assert bob.up
    assert exchanges.calls == 1


def test_garbage_instead_of_an_m1(exchanges: Counter) -> None:
    for size in (0, 1, 100, 1269, 1400):
        refused(End.answering("bob", open_door=True), frame(MessageType.M1, os.urandom(size)))
    assert exchanges.calls == 0


def test_an_m3_without_the_secret_of_m2_costs_no_rsa() -> None:
    caller, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(caller.m1())
    bob.sent()
    refused(bob, frame(MessageType.M3, vec(os.urandom(400)) + vec(os.urandom(1500))))
    assert bob.private_operations == 0


def _bad_signature() -> tuple[End, bytes]:
    bob = End.answering("bob")
    caller = Caller("alice", "bob")
    bob.receive(caller.m1())
    caller.take_m2(bob.sent())
    refused(bob, caller.m3(sign=lambda *_: bytes(384)))
    return bob, bob.sent()


def _turned_away(who: str) -> tuple[End, bytes]:
    """Unknown, or blocked: whoever decides says no, and the link is closed."""
    bob = End.answering("bob", admit=lambda _: False)
    caller = End.calling(who, "bob")
    bob.receive(caller.sent())
    caller.receive(bob.sent())
    bob.receive(caller.sent())
    assert [type(asked) for asked in bob.asked][-1] is PeerIdentified
    bob.link.close()
    return bob, bob.sent()


def test_unknown_blocked_and_a_bad_signature_look_alike() -> None:
    for bob, said in (_bad_signature(), _turned_away("carol"), _turned_away("alice")):
        assert said == b""
        assert bob.private_operations == 1, "the secret of M3 was opened, nothing was signed"
        assert bob.count(SignNeeded) == 0
        assert not bob.up
        bob.receive(b"whatever they try next")
        assert bob.sent() == b""


def test_an_anonymous_caller_at_the_listener_of_a_person() -> None:
    anonymous, bob = End.anonymous("bob"), End.answering("bob", open_door=True)
    with pytest.raises(RemoteProtocolError, match="anonymous"):
        exchange(anonymous, bob)
    assert not anonymous.up
    assert bob.count(PeerIdentified) == 0


def test_a_caller_with_a_name_at_the_listener_of_a_relay() -> None:
    alice, relay = End.calling("alice", "bob"), End.answering("bob", anonymous=True)
    with pytest.raises(RemoteProtocolError, match="named"):
        exchange(alice, relay)
    assert not alice.up


def test_a_relay_is_told_nothing_about_its_client() -> None:
    client, relay = linked(End.anonymous("bob"), End.answering("bob", anonymous=True))
    assert client.private_operations == 0
    (up,) = relay.events
    assert up.peer is None  # type: ignore[union-attr]


def test_a_knock_does_not_tell_who_calls_nor_is_it_of_use_again() -> None:
    one, other = linked()
    knock = one.link.export("knock", b"")
    tags = []
    for _ in range(2):
        m1 = body(End.calling("alice", "bob", knock=knock).sent())
        tags.append(m1[-34:-18])
    assert tags[0] != tags[1], "two calls cannot be linked"
    replayed = Caller("mallory", "bob")
    m1 = replayed.m1(unsigned=replayed.hello.unsigned().replace(replayed.hello.tag, tags[0]))
    listener = End.answering("bob", puzzle_bits=8, knocks=[other.link.export("knock", b"")])
    listener.receive(m1)
    assert listener.sent()[0] == MessageType.RETRY


def test_an_invite_proof_of_another_handshake_or_another_secret() -> None:
    proofs = []

    def admit(question: object) -> bool:
        assert isinstance(question, PeerIdentified)
        proofs.append(question.caps.invite_proof)
        return True

    for _ in range(2):
        linked(End.calling("alice", "bob", invite_secret=b"s" * 16), End.answering("bob", admit=admit))
    assert len(set(proofs)) == 2, "a proof holds in one handshake only"


def test_somebody_who_replays_an_identity_must_also_sign() -> None:
    """Alice's bundle is known to whoever she called; it proves nothing."""
    caller, bob = Caller("mallory", "bob"), End.answering("bob")
    bob.receive(caller.m1())
    caller.take_m2(bob.sent())
    alices = bundle("alice").encode()
    refused(bob, caller.m3(plaintext=encode_identity(alices, Caps().encode()) + vec(bytes(384))))
