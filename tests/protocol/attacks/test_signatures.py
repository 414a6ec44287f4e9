"""Signatures of another role, another context, another key; certificates that are not what they say."""

from itertools import product

import pytest

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto.hkdf import vec
from messenger.crypto.identity import Bundle, KexCert
from messenger.crypto.rsa import Label
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, refused
from tests.protocol.forge import Answerer, Caller

CHECKED = {Label.LINK_I: "initiator", Label.LINK_R: "responder", Label.KEXCERT: "both"}
"""The labels that a handshake checks, and who presents such a signature."""


def certificate(who: str = "alice", *, label: Label = Label.KEXCERT, signer: str | None = None) -> bytes:
    """A bundle whose certificate is signed otherwise than it should be."""
    own = identity(who)
    body = KexCert(NOW - 60, NOW + 3600, own.exchange.public).encode()
    signature = identity(signer or who).signing.sign(label, (own.fingerprint, body))
    return vec(own.signing.public.modulus) + vec(body) + vec(signature)


def present_i(label: Label) -> RemoteProtocolError | None:
    """Alice calls bob with a signature of that label over the right fields."""
    alice, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(alice.m1())
    alice.take_m2(bob.sent())
    return outcome(bob, alice.m3(sign=lambda *fields: alice.own.signing.sign(label, fields)))


def present_r(label: Label) -> RemoteProtocolError | None:
    """Bob answers alice with a signature of that label over the right fields."""
    alice, bob = End.calling("alice", "bob"), Answerer("bob")
    alice.receive(bob.m2(alice.sent()))
    bob.take_m3(alice.sent())
    return outcome(alice, bob.m4("alice", sign=lambda *fields: bob.own.signing.sign(label, fields)))


def present_certificate(label: Label) -> RemoteProtocolError | None:
    alice, bob = End.calling("alice", "bob"), Answerer("bob")
    return outcome(alice, bob.m2(alice.sent(), identity_bundle=certificate("bob", label=label)))


def outcome(end: End, data: bytes) -> RemoteProtocolError | None:
    try:
        end.receive(data)
    except RemoteProtocolError as e:
        assert end.sent() == b""
        return e
    return None


PRESENT = {Label.LINK_I: present_i, Label.LINK_R: present_r, Label.KEXCERT: present_certificate}


@pytest.mark.parametrize(("presented_as", "made_as"), sorted(product(CHECKED, Label)), ids=str)
def test_a_signature_of_every_label_presented_as_every_label(presented_as: Label, made_as: Label) -> None:
    error = PRESENT[presented_as](made_as)
    if presented_as is made_as:
        assert error is None
    else:
        assert "signature" in str(error)


def test_the_responders_signature_presented_by_an_initiator() -> None:
    """The same key, the same fields, the other role."""
    assert "signature" in str(present_i(Label.LINK_R))
    assert "signature" in str(present_r(Label.LINK_I))


@pytest.mark.parametrize("signer", ["carol", "mallory", "bob"])
def test_a_certificate_signed_by_somebody_else(signer: str) -> None:
    caller, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(caller.m1())
    caller.take_m2(bob.sent())
    refused(bob, caller.m3(identity_bundle=certificate(signer=signer)))


def test_a_certificate_of_somebody_elses_exchange_key_is_no_certificate() -> None:
    """Mallory puts her own exchange key into the bundle of Bob."""
    alice, mallory = End.calling("alice", "bob"), Answerer("bob")
    own, bob = identity("mallory"), identity("bob")
    genuine = bob.bundle(NOW - 60)
    body = KexCert(genuine.not_before, genuine.not_after, own.exchange.public).encode()
    forged = vec(bob.signing.public.modulus) + vec(body) + vec(genuine.signature)
    refused(alice, mallory.m2(alice.sent(), identity_bundle=forged))


@pytest.mark.parametrize(
    ("not_before", "not_after"),
    [
        (0, limits.KEXCERT_LIFETIME + 1),
        (0, 0),
        (60, -60),
        (-2 * limits.KEXCERT_LIFETIME, -limits.KEXCERT_LIFETIME),
        (limits.KEXCERT_LIFETIME, 2 * limits.KEXCERT_LIFETIME),
        (-NOW, limits.KEXCERT_LIFETIME),
    ],
    ids=["too long", "no time", "backwards", "expired", "not yet valid", "for ever"],
)
def test_a_certificate_with_times_that_cannot_be(not_before: int, not_after: int) -> None:
    bob = identity("bob")
    times = (NOW + not_before).to_bytes(8, "big") + (NOW + not_after).to_bytes(8, "big")
    body = times + vec(bob.exchange.public.modulus)
    signature = bob.signing.sign(Label.KEXCERT, (bob.fingerprint, body))
    bundle = vec(bob.signing.public.modulus) + vec(body) + vec(signature)
    alice = End.calling("alice", "bob")
    refused(alice, Answerer("bob").m2(alice.sent(), identity_bundle=bundle))


def test_a_certificate_whose_times_were_moved() -> None:
    genuine = identity("bob").bundle(NOW - limits.KEXCERT_LIFETIME - 2 * limits.CLOCK_SKEW)
    moved = Bundle(genuine.signing, genuine.exchange, NOW, NOW + limits.KEXCERT_LIFETIME, genuine.signature)
    alice = End.calling("alice", "bob")
    error = refused(alice, Answerer("bob").m2(alice.sent(), identity_bundle=moved.encode()))
    assert "signature" in str(error)


def test_a_signature_of_another_size_than_its_key() -> None:
    dora = identity("dora")
    for size in (0, 383, 384, 385, 512):
        caller, bob = Caller("alice", "bob"), End.answering("bob")
        bob.receive(caller.m1())
        caller.take_m2(bob.sent())
        refused(bob, caller.m3(sign=lambda *_, size=size: dora.signing.public.modulus[:size]))


def test_signatures_over_fields_that_were_shifted() -> None:
    """Two lists of fields that joined would be the same bytes are not the same to a signature."""
    caller, bob = Caller("alice", "bob"), End.answering("bob")
    bob.receive(caller.m1())
    caller.take_m2(bob.sent())

    def sign(th3: bytes, shown: bytes, caps: bytes, responder: bytes) -> bytes:
        return caller.own.signing.sign(Label.LINK_I, (th3, shown[:-1], shown[-1:] + caps, responder))

    refused(bob, caller.m3(sign=sign))
