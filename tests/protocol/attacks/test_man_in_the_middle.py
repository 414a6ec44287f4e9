"""Somebody between two people: with keys of his own, with a genuine bundle, with stolen keys."""

from collections.abc import Callable

import pytest

from messenger.core.errors import CryptoError, Reason, RemoteProtocolError
from messenger.crypto.box import open_box
from messenger.crypto.rsa import Label
from messenger.protocol import keyschedule as keys
from messenger.protocol.messages import M3
from tests.helpers.keys import Identity, identity
from tests.helpers.links import End, exchange, refused
from tests.protocol.forge import Answerer, Caller, body
from tests.protocol.steps import session

Change = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]


def test_man_in_the_middle_with_his_own_keys() -> None:
    """Mallory knows both fingerprints and owns the wire, but is neither of the two."""
    alice = End.calling("alice", "bob")
    mallory = Answerer("mallory")
    assert refused(alice, mallory.m2(alice.sent())).reason is Reason.WRONG_PERSON
    assert alice.private_operations == 0
    assert not alice.asked, "nobody is asked about a key that was not dialled"


def test_man_in_the_middle_who_passes_everything_on_learns_nothing_and_changes_nothing() -> None:
    alice, bob = End.calling("alice", "bob"), End.answering("bob")
    seen = b"".join(data for _, data in exchange(alice, bob))
    assert alice.up
    assert bob.up
    for person in ("alice", "bob"):
        for secret in (bytes(identity(person).fingerprint), identity(person).signing.public.modulus[:32]):
            assert secret not in seen


def test_impostor_with_the_genuine_bundle_cannot_find_out_who_calls() -> None:
    alice, mallory = End.calling("alice", "bob"), Answerer("bob")
    alice.receive(mallory.m2(alice.sent()))
    m3 = alice.sent()
    with pytest.raises(CryptoError):
        mallory.take_m3(m3, exchange=identity("mallory"))
    boxes = M3.decode(body(m3))
    th3 = keys.after(mallory.th2, boxes.boxa)
    guesses = [
        mallory.hs0,
        *(keys.next_secret(mallory.hs0, guess, th3) for guess in (bytes(32), b"\xff" * 32, mallory.hs0)),
    ]
    for guess in guesses:
        for label, transcript in (("i1", th3), ("i0", mallory.th2), ("i1", mallory.th2)):
            with pytest.raises(CryptoError):
                open_box(guess, label, transcript, boxes.boxb)
    refused(alice, mallory.m4("alice"))


def test_impostor_cannot_tell_callers_apart_by_size() -> None:
    sizes = set()
    for caller in ("alice", "carol", "mallory"):
        end, impostor = End.calling(caller, "bob"), Answerer("bob")
        end.receive(impostor.m2(end.sent()))
        sizes.add(len(end.sent()))
    assert len(sizes) == 1


class Thief(End):
    """Answers with some of the keys of somebody and some of his own."""

    signs_with: Identity = identity("mallory")
    opens_with: Identity = identity("mallory")

    def _answer(self, question: object) -> None:
        own, self._keys = self._keys, _Mixed(self.signs_with, self.opens_with)  # type: ignore[assignment]
        super()._answer(question)  # type: ignore[arg-type]
        self._keys = own


class _Mixed:
    def __init__(self, signs: Identity, opens: Identity) -> None:
        self.signing, self.exchange = signs.signing, opens.exchange


@pytest.mark.parametrize("stolen", ["nothing", "exchange key"])
def test_pretending_to_be_the_responder(stolen: str) -> None:
    alice, thief = End.calling("alice", "bob"), Thief.answering("bob")
    if stolen == "exchange key":
        thief.opens_with = identity("bob")
    with pytest.raises(RemoteProtocolError):
        exchange(alice, thief)
    assert not alice.up
    assert not thief.up


def test_pretending_to_be_the_responder_takes_both_keys() -> None:
    """The control: with everything stolen it works, so the two tests above fail for the right reason."""
    alice, thief = End.calling("alice", "bob"), Thief.answering("bob")
    thief.opens_with = thief.signs_with = identity("bob")
    exchange(alice, thief)
    assert alice.up


@pytest.mark.parametrize("stolen", ["nothing", "exchange key"])
def test_pretending_to_be_the_initiator(stolen: str) -> None:
    thief, bob = Thief.calling("alice", "bob"), End.answering("bob")
    if stolen == "exchange key":
        thief.opens_with = identity("alice")
    with pytest.raises(RemoteProtocolError, match="signature"):
        exchange(thief, bob)
    assert not bob.up


def test_the_signing_key_alone_does_not_complete_a_link() -> None:
    """With the initiator's signing key stolen, M4 can still be opened by the exchange key only."""
    thief, bob = Thief.calling("alice", "bob"), End.answering("bob")
    thief.signs_with = identity("alice")
    with pytest.raises(RemoteProtocolError, match="finished"):
        exchange(thief, bob)
    assert not bob.up


def test_key_compromise_impersonation_of_a_friend_towards_the_victim() -> None:
    """Mallory has stolen all keys of Bob. He calls Bob and says that he is Alice."""
    mallory, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(mallory.m1())
    mallory.take_m2(bob.sent())
    stolen = identity("bob").signing
    refused(bob, mallory.m3(sign=lambda *fields: stolen.sign(Label.LINK_I, fields)))
    assert not bob.asked[1:], "Bob is not asked about an Alice who did not sign"


def test_key_compromise_impersonation_of_a_friend_towards_the_calling_victim() -> None:
    """Mallory has stolen all keys of Alice. Alice calls Bob, and Mallory answers."""
    alice, mallory = End.calling("alice", "bob"), Answerer("bob")
    alice.receive(mallory.m2(alice.sent()))
    m3 = alice.sent()
    with pytest.raises(CryptoError):
        mallory.take_m3(m3, exchange=identity("alice"))
    mallory.peer = identity("alice").fingerprint
    stolen = identity("alice").signing
    error = refused(alice, mallory.m4("alice", sign=lambda *fields: stolen.sign(Label.LINK_R, fields)))
    assert error.reason is Reason.BROKEN


def test_identity_misbinding_alice_means_mallory_and_bob_thinks_she_calls_him() -> None:
    """Alice calls Mallory, who forwards what she signed to Bob as if she called him."""
    alice, mallory = End.calling("alice", "mallory"), Answerer("mallory")
    alice.receive(mallory.m2(alice.sent()))
    signed = mallory.take_m3(alice.sent())
    towards_bob, bob = Caller("mallory", "bob"), End.answering("bob")
    bob.receive(towards_bob.m1())
    towards_bob.take_m2(bob.sent())
    refused(bob, towards_bob.m3(plaintext=signed))
    assert not bob.up


def test_identity_misbinding_with_the_same_ephemeral_keys() -> None:
    """Mallory uses Alice's X-Wing key and nonce towards Bob; he never learns the secret that Bob makes."""
    alice, bob = End.calling("alice", "mallory"), End.answering("bob")
    mallory = Caller("mallory", "bob")
    hers = alice.sent()
    unsigned = body(hers)[:-16]
    bob.receive(mallory.m1(unsigned=unsigned))
    refused(alice, bob.sent())
    assert not bob.up


@pytest.mark.parametrize("named", ["carol", "alice", "mallory"])
def test_signature_that_names_another_responder(named: str) -> None:
    alice, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(alice.m1())
    alice.take_m2(bob.sent())
    other = identity(named).fingerprint

    def sign(*fields: bytes) -> bytes:
        return alice.sign(*fields[:-1], other)

    refused(bob, alice.m3(sign=sign))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (*f[:3], identity("carol").fingerprint),
        lambda f: (*f[:2], identity("carol").fingerprint, f[3]),
        lambda f: (*f[:2], f[3], f[2]),
        lambda f: (f[0], f[1][:-1] + bytes((f[1][-1] ^ 1,)), *f[2:]),
        lambda f: (bytes(32), *f[1:]),
        lambda f: f[:3],
        lambda f: (f[0], b"", f[2], b""),
    ],
    ids=["initiator", "responder", "swapped", "ciphertext", "transcript", "missing", "anonymous"],
)
def test_signature_of_the_responder_over_something_else(change: Change) -> None:
    alice, bob = End.calling("alice", "bob"), Answerer("bob")
    alice.receive(bob.m2(alice.sent()))
    bob.take_m3(alice.sent())
    error = refused(alice, bob.m4("alice", sign=lambda *fields: bob.sign(*change(fields))))
    assert "signature" in str(error)


def test_reflection_every_message_back_to_its_sender() -> None:
    one = End.calling("alice", "bob")
    refused(one, one.sent())
    for sent in session().sent:
        receivers = [s.before for s in session().sent if s.sender is not sent.sender]
        for before in receivers:
            sender_again = before.again()
            refused(sender_again, sent.data)


def test_reflection_two_initiators_or_two_responders() -> None:
    one, other = End.calling("alice", "bob"), End.calling("bob", "alice")
    refused(other, one.sent())
    refused(End.answering("alice"), session().message(session().sent[1].kind).data)  # type: ignore[arg-type]


def test_a_link_with_oneself() -> None:
    for whom, open_door in (("alice", False), (None, True)):
        one, other = End.calling("alice", whom), End.answering("alice", open_door=open_door)
        with pytest.raises(RemoteProtocolError) as caught:
            exchange(one, other)
        assert caught.value.reason is Reason.OWN_KEY
