"""The initiator: whom it lets answer, and what it tells them."""

from collections.abc import Callable
from typing import Any

import pytest

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.protocol.handshake import PeerIdentified, PuzzleNeeded, Step
from messenger.protocol.initiator import Initiator
from messenger.protocol.keyschedule import OPEN_DOOR_KEY, invite_proof, mac1
from messenger.protocol.link import LinkState
from messenger.protocol.messages import M1, SUITE, Caps, MessageType, Retry, frame
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, bundle, exchange, handshake, linked, refused
from tests.protocol.forge import Answerer, body
from tests.protocol.steps import session

RELAY = bytes(range(32))


def identified(end: End) -> PeerIdentified:
    (found,) = [asked for asked in end.asked if isinstance(asked, PeerIdentified)]
    return found


def answered(m2: Callable[[Answerer, bytes], bytes], caller: End | None = None) -> RemoteProtocolError:
    """How alice, who calls bob, refuses an M2."""
    end = caller or End.calling("alice", "bob")
    error = refused(end, m2(Answerer("bob"), end.sent()))
    assert end.asked == []
    assert end.private_operations == 0
    return error


@pytest.mark.parametrize(("caller", "whom"), [("alice", "bob"), ("alice", "dora"), ("dora", "alice")])
def test_contact_mode(caller: str, whom: str) -> None:
    one, other = linked(End.calling(caller, whom), End.answering(whom))
    assert identified(one).fingerprint == identity(whom).fingerprint
    assert not identified(one).by_address
    assert identified(other).fingerprint == identity(caller).fingerprint


def test_m1_proves_that_we_know_whom_we_call() -> None:
    for whom, key in (("bob", identity("bob").fingerprint), (None, OPEN_DOOR_KEY)):
        m1 = M1.decode(body(End.calling("alice", whom).sent()))
        assert m1.mac1 == mac1(key, m1.unsigned())
        assert m1.suites == (SUITE,)
        assert m1.solution == b""


def test_open_door_asks_before_anything_is_told() -> None:
    one, other = End.calling("alice", None, admit=lambda _: False), End.answering("bob", open_door=True)
    exchange(one, other)
    found = identified(one)
    assert found.by_address
    assert found.fingerprint == identity("bob").fingerprint
    assert handshake(one).step is Step.I_DECIDING
    assert other.asked == []
    one.link.accept()
    exchange(one, other)
    assert one.up
    assert identified(other).by_address


def test_somebody_else_answers() -> None:
    one, other = End.calling("alice", "bob"), Answerer("carol")
    error = refused(one, other.m2(one.sent()))
    assert error.reason is Reason.WRONG_PERSON


def test_our_own_key_answers() -> None:
    for whom in ("alice", None):
        one, other = End.calling("alice", whom), Answerer("alice")
        assert refused(one, other.m2(one.sent())).reason is Reason.OWN_KEY


@pytest.mark.parametrize("suite", [0, 2, 0xFFFF])
def test_a_suite_that_was_not_offered(suite: int) -> None:
    assert answered(lambda bob, m1: bob.m2(m1, suite=suite)).reason is Reason.VERSION


def test_a_version_that_was_not_offered() -> None:
    assert answered(lambda bob, m1: bob.m2(m1, version=2)).reason is Reason.VERSION
    caps = Caps(least_version=2, most_version=2).encode()
    assert answered(lambda bob, m1: bob.m2(m1, caps=caps)).reason is Reason.VERSION


@pytest.mark.parametrize(
    "caps", [Caps(relay=RELAY), Caps(invite_proof=RELAY), Caps(continues=RELAY)], ids=repr
)
def test_capabilities_that_are_not_the_responders_to_claim(caps: Caps) -> None:
    error = answered(lambda bob, m1: bob.m2(m1, caps=caps.encode()))
    assert "capabilities" in str(error)


def test_another_relay_than_the_one_in_use() -> None:
    for theirs in (b"", RELAY[::-1]):
        end = End.calling("alice", "bob", caps=Caps(relay=RELAY))
        caps = Caps(relay=theirs).encode()
        answered(lambda bob, m1, caps=caps: bob.m2(m1, caps=caps), end)  # type: ignore[misc]
    one, other = linked(
        End.calling("alice", "bob", caps=Caps(relay=RELAY)), End.answering("bob", caps=Caps(relay=RELAY))
    )
    assert identified(one).caps.relay == identified(other).caps.relay == RELAY


@pytest.mark.parametrize(
    ("not_before", "good"),
    [
        (-limits.KEXCERT_LIFETIME - limits.CLOCK_SKEW - 1, False),
        (-limits.KEXCERT_LIFETIME - limits.CLOCK_SKEW, True),
        (limits.CLOCK_SKEW, True),
        (limits.CLOCK_SKEW + 1, False),
    ],
)
def test_a_certificate_out_of_its_time(not_before: int, good: bool) -> None:
    theirs = identity("bob").bundle(NOW + not_before).encode()
    end, bob = End.calling("alice", "bob"), Answerer("bob")
    m2 = bob.m2(end.sent(), identity_bundle=theirs)
    if good:
        end.receive(m2)
        assert identified(end).bundle.encode() == theirs
    else:
        refused(end, m2)


@pytest.mark.parametrize("size", [0, 1, 32, 400, 5000])
def test_a_box_that_does_not_open(size: int) -> None:
    def m2(bob: Answerer, m1: bytes) -> bytes:
        header = body(bob.m2(m1))[: 1 + 2 + 32 + limits.XWING_CIPHERTEXT_SIZE]
        return frame(MessageType.M2, header + size.to_bytes(2, "big") + bytes(size))

    answered(m2)


@pytest.mark.parametrize("plaintext", [b"", b"\0\0\0\0", b"\0\0", b"\xff\xff" + bytes(3000)])
def test_a_box_with_something_else_in_it(plaintext: bytes) -> None:
    answered(lambda bob, m1: bob.m2(m1, plaintext=plaintext))


def test_a_puzzle_is_solved_once() -> None:
    one = End.calling("alice", "bob")
    first = one.sent()
    one.receive(frame(MessageType.RETRY, Retry(6, bytes(32)).encode()))
    again = M1.decode(body(one.sent()))
    assert [asked.bits for asked in one.asked if isinstance(asked, PuzzleNeeded)] == [6]
    assert len(again.solution) == 8
    assert again.mac1 == mac1(identity("bob").fingerprint, again.unsigned())
    hello = M1.decode(body(first))
    assert (again.nonce, again.public, again.tag) == (hello.nonce, hello.public, hello.tag)
    refused(one, frame(MessageType.RETRY, Retry(6, bytes(32)).encode()))


def test_too_much_work() -> None:
    end = End.calling("alice", "bob")
    end.sent()
    retry = frame(MessageType.RETRY, Retry(limits.PUZZLE_BITS_MAX + 1, bytes(32)).encode())
    assert refused(end, retry).reason is Reason.BUSY


def _past_m3(**more: Any) -> tuple[End, Answerer]:  # noqa: ANN401 -- passed on
    one, bob = End.calling("alice", "bob", **more), Answerer("bob")
    one.receive(bob.m2(one.sent()))
    bob.take_m3(one.sent())
    return one, bob


def test_the_answer_that_completes_it() -> None:
    one, bob = _past_m3()
    one.receive(bob.m4("alice"))
    assert one.up
    assert one.sent()[0] == MessageType.M5


@pytest.mark.parametrize(
    "plaintext", [b"", b"\0\0", b"\0\0\0\0\0", bytes(1000), b"\x01\x80" + bytes(384) + b"\x02\x01"]
)
def test_an_m4_with_something_else_in_it(plaintext: bytes) -> None:
    one, bob = _past_m3()
    refused(one, bob.m4("alice", plaintext=plaintext))
    assert not one.up


def test_an_m4_without_the_signature_of_the_responder() -> None:
    for sign in (lambda *_: b"", lambda *_: bytes(384), Answerer("carol").sign):
        one, bob = _past_m3()
        error = refused(one, bob.m4("alice", sign=sign))
        assert "signature" in str(error)
        assert one.private_operations == 1, "nothing is opened for somebody else"


def test_a_wrong_finished_mac() -> None:
    one, bob = _past_m3()
    assert "finished" in str(refused(one, bob.m4("alice", finished=bytes(32))))


def test_an_invite_is_proved_and_a_running_link_named() -> None:
    seen: list[Caps] = []

    def admit(question: object) -> bool:
        assert isinstance(question, PeerIdentified)
        seen.append(question.caps)
        assert question.caps.invite_proof == invite_proof(b"i" * 16, question.transcript)
        return True

    one = End.calling("alice", "bob", invite_secret=b"i" * 16, caps=Caps(continues=RELAY, features=5))
    linked(one, End.answering("bob", admit=admit))
    assert [(caps.continues, caps.features) for caps in seen] == [(RELAY, 5)]


def test_anonymous() -> None:
    one, other = End.anonymous("bob"), End.answering("bob", anonymous=True)
    linked(one, other)
    assert one.private_operations == 0
    assert identified(one).fingerprint == identity("bob").fingerprint
    assert one.link.export("relay", b"") == other.link.export("relay", b"")


def test_anonymous_and_a_secret_wrapped_for_nobody() -> None:
    one, bob = End.anonymous("bob"), Answerer("bob")
    one.receive(bob.m2(one.sent()))
    assert bob.take_m3(one.sent()).startswith(b"\0\0"), "no bundle"
    assert "nobody" in str(refused(one, bob.m4("alice")))


def test_a_step_that_was_forced_is_our_own_bug() -> None:
    ours = Initiator(bundle("alice"), NOW, expected=None)
    ours.step = Step.I_DECIDING
    with pytest.raises(LocalProtocolError, match="no peer"):
        ours.accept()


def test_nothing_is_left_of_the_secrets_of_the_greeting() -> None:
    ours = handshake(session().one)
    assert isinstance(ours, Initiator)
    assert ours._secret == b""
    assert session().one.link.state is LinkState.OPEN
