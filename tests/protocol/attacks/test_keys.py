"""Keys that are none, or not the peer's: RSA of every shape, X25519 of low order, ML-KEM out of range."""

import math
from typing import Any

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pss

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto import rsa, xwing
from messenger.crypto.hkdf import digest, expand, mac, vec
from messenger.crypto.rsa import EXPONENT, Label
from messenger.protocol.lane import LaneAcceptor, LaneMessage, LaneOpener, Ticket
from messenger.protocol.messages import M2, MessageType, frame
from messenger.protocol.records import RecordType
from tests.helpers import letters
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, exchange, refused
from tests.protocol.channels import Pair
from tests.protocol.forge import Answerer, Caller, body, record_of
from tests.protocol.tickets import Book, ticket

P = 2**255 - 19
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
]
"""The points of order 1, 2, 4 and 8 of Curve25519 in the forms that fit (RFC 7748 section 6.1)."""

OUT_OF_RANGE = b"\x01\x0d" + b"\xd0" * 1182
"""Coefficients of 3329 and more, where FIPS 203 section 7.2 allows none."""

MLKEM_PUBLIC, MLKEM_CIPHERTEXT = 1184, 1088


def little(point: int) -> bytes:
    return point.to_bytes(32, "little")


def number(size: int, *, odd: bool = True) -> int:
    """A modulus of so many bytes that has no small factor."""
    start = 3 << (size * 8 - 2) | 1
    while math.gcd(start, rsa._small_primes()) != 1:
        start += 2
    return start if odd else start + 1


def _square() -> int:
    root = math.isqrt(7 << 3069) | 1
    while math.gcd(root, rsa._small_primes()) != 1:
        root += 2
    return root * root


def _bytes(value: int, size: int = 384) -> bytes:
    return value.to_bytes(size, "big")


GOOD = identity("mallory").signing.public.modulus
BAD_MODULI: dict[str, bytes] = {
    "1024 bits": _bytes(number(128), 128),
    "2048 bits": _bytes(number(256), 256),
    "8192 bits": _bytes(number(1024), 1024),
    "16384 bits": _bytes(number(2048), 2048),
    "3080 bits": _bytes(number(385), 385),
    "even": _bytes(number(384, odd=False)),
    "square": _bytes(_square()),
    "smooth": _bytes(3**1938),
    "one small factor": _bytes((((3 << 3070) // 9973) | 1) * 9973),
    "zero": bytes(384),
    "one": _bytes(1),
    "zero-padded": b"\0" + GOOD[:-1],
    "zero-padded to a larger size": bytes(128) + GOOD,
    "top bit clear": bytes((GOOD[0] & 0x7F,)) + GOOD[1:],
    "negative": b"\xff" * 383 + b"\xfe",
    "SubjectPublicKeyInfo": identity("mallory").signing.public.spki,
    "PEM": b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 357,
    "OpenSSH": b"ssh-rsa AAAAB3NzaC1yc2E" + b"A" * 361,
    "private key": identity("mallory").signing.to_bytes(),
    "empty": b"",
}


def bundle_of(signing: bytes, exchange_modulus: bytes, signature: bytes | None = None) -> bytes:
    """A bundle as Mallory would make it, signed properly if her own signing key is in it."""
    mallory = identity("mallory")
    times = (NOW - 60).to_bytes(8, "big") + (NOW + 3600).to_bytes(8, "big")
    certificate = times + vec(exchange_modulus)
    if signature is None:
        signature = mallory.signing.sign(Label.KEXCERT, (mallory.fingerprint, certificate))
    return vec(signing) + vec(certificate) + vec(signature)


def shown_to_both(bundle: bytes) -> list[RemoteProtocolError]:
    """Mallory shows a bundle as a responder (open door), then as an initiator."""
    alice, answering = End.calling("alice", None), Answerer("mallory")
    errors = [refused(alice, answering.m2(alice.sent(), identity_bundle=bundle))]
    assert not alice.asked
    bob, calling = End.answering("bob"), Caller("mallory", "bob")
    bob.receive(calling.m1())
    calling.take_m2(bob.sent())
    m3 = calling.m3(plaintext=vec(bundle) + vec(b"\x01\x01\0\0\0\0\0\0\0\0\0\0") + vec(bytes(384)))
    errors.append(refused(bob, m3))
    return errors


@pytest.mark.parametrize("name", BAD_MODULI)
def test_a_signing_key_that_is_none(name: str) -> None:
    modulus = BAD_MODULI[name]
    shown_to_both(bundle_of(modulus, identity("mallory").exchange.public.modulus))
    shown_to_both(bundle_of(modulus, GOOD, bytes(len(modulus))))


@pytest.mark.parametrize("name", BAD_MODULI)
def test_an_exchange_key_that_is_none(name: str) -> None:
    shown_to_both(bundle_of(GOOD, BAD_MODULI[name]))


def test_the_bundles_above_are_refused_for_their_keys() -> None:
    """The control: the same bundle with good keys is asked about."""
    alice, answering = End.calling("alice", None, admit=lambda _: False), Answerer("mallory")
    good = bundle_of(GOOD, identity("mallory").exchange.public.modulus)
    alice.receive(answering.m2(alice.sent(), identity_bundle=good))
    assert len(alice.asked) == 1


def test_one_key_for_both_uses() -> None:
    errors = shown_to_both(bundle_of(GOOD, GOOD))
    assert {str(error) for error in errors} == {"signing and exchange key must differ"}


def test_an_own_key_shown_by_somebody_else() -> None:
    alice = End.calling("alice", None)
    mallory = Answerer("mallory")
    own = identity("alice").bundle(NOW - 60).encode()
    assert str(refused(alice, mallory.m2(alice.sent(), identity_bundle=own))) == "own key"


def test_the_exponent_is_no_ones_to_choose_and_verifications_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verification costs what a modulus of 512 bytes costs at most, and a handshake has two of them."""
    seen: list[tuple[int, int]] = []
    verify = rsa._verify

    def counting(key: Any, message: bytes, signature: bytes) -> None:  # noqa: ANN401 -- of the library
        seen.append((key.size_in_bytes(), int(key.e)))
        verify(key, message, signature)

    monkeypatch.setattr(rsa, "_verify", counting)
    exchange(End.calling("dora", "bob"), End.answering("bob"))
    assert sorted(seen) == [(384, EXPONENT)] * 2 + [(512, EXPONENT)] * 2
    for modulus in BAD_MODULI.values():
        seen.clear()
        shown_to_both(bundle_of(modulus, GOOD, bytes(len(modulus))))
        assert seen == [], "no key is used before it has been looked at"


def with_exponent(exponent: int, who: str, label: Label, fields: tuple[bytes, ...]) -> bytes:
    """A signature that holds under this exponent, which its reader would have to believe in."""
    key = identity(who).signing
    if exponent == 1:  # nobody needs a private key for it: the encoded message is its own signature
        encoded = pow(int.from_bytes(key.sign(label, fields), "big"), EXPONENT, int(key._key.n))
        return encoded.to_bytes(384, "big")
    p, q = int(key._key.p), int(key._key.q)
    private = pow(exponent, -1, (p - 1) * (q - 1))
    own = RSA.construct((p * q, exponent, private, p, q), consistency_check=False)
    return pss.new(own, salt_bytes=32).sign(SHA256.new(rsa.to_be_signed(label, fields)))


@pytest.mark.parametrize("exponent", [1, 3, EXPONENT])
def test_a_signature_for_the_exponents_1_and_3(exponent: int) -> None:
    """The same modulus with a small exponent: as initiator, as responder, and in a first contact."""
    bob, caller = End.answering("bob"), Caller("alice", "bob")
    bob.receive(caller.m1())
    caller.take_m2(bob.sent())
    m3 = caller.m3(sign=lambda *fields: with_exponent(exponent, "alice", Label.LINK_I, fields))
    alice, answering = End.calling("alice", "bob"), Answerer("bob")
    alice.receive(answering.m2(alice.sent()))
    answering.take_m3(alice.sent())
    m4 = answering.m4("alice", sign=lambda *fields: with_exponent(exponent, "bob", Label.LINK_R, fields))
    waiting = letters.draft()
    letter = waiting.signed(with_exponent(exponent, "alice", Label.SEAL_INIT, waiting.needed.fields))
    if exponent == EXPONENT:
        bob.receive(m3)
        alice.receive(m4)
        letters.opened(letter)
    else:
        assert "signature" in str(refused(bob, m3))
        assert "signature" in str(refused(alice, m4))
        letters.refused(letter)


@pytest.mark.parametrize("point", LOW_ORDER)
def test_x25519_of_low_order_in_m1(point: int) -> None:
    caller, bob = Caller("alice", "bob"), End.answering("bob")
    public = caller.ephemeral.public[:MLKEM_PUBLIC] + little(point)
    unsigned = caller.hello.unsigned().replace(caller.ephemeral.public, public)
    assert "X25519" in str(refused(bob, caller.m1(unsigned=unsigned)))


@pytest.mark.parametrize("point", LOW_ORDER)
def test_x25519_of_low_order_in_m2(point: int) -> None:
    alice, bob = End.calling("alice", "bob"), Answerer("bob")
    m2 = M2.decode(body(bob.m2(alice.sent())))
    changed = M2(m2.suite, m2.nonce, m2.ciphertext[:MLKEM_CIPHERTEXT] + little(point), m2.box0)
    assert "X25519" in str(refused(alice, frame(MessageType.M2, changed.encode())))


@pytest.mark.parametrize("point", LOW_ORDER)
def test_x25519_of_low_order_in_an_exchange_of_keys(point: int) -> None:
    good = xwing.KeyPair.generate().public
    offer = b"\0\0\0\x01" + good[:MLKEM_PUBLIC] + little(point)
    pair = Pair()
    with pytest.raises(RemoteProtocolError, match="X25519"):
        pair.two.receive(record_of(pair.one.own_secret, 0, RecordType.OFFER, offer))
    pair = Pair()
    pair.one.channel.send(b"x")
    pair.pass_time(5.0)
    accept = b"\0\0\0\x01" + xwing.encapsulate(good)[0][:MLKEM_CIPHERTEXT] + little(point)
    with pytest.raises(RemoteProtocolError, match="X25519"):
        pair.one.receive(record_of(pair.two.own_secret, 0, RecordType.ACCEPT, accept))


def b1_of(shown: Ticket, public: bytes) -> bytes:
    content = shown.id + bytes(32) + public
    content += mac(expand(shown.key, "b1", b"", 32), content)
    return bytes((LaneMessage.B1,)) + len(content).to_bytes(3, "big") + content


@pytest.mark.parametrize("point", LOW_ORDER)
def test_x25519_of_low_order_in_a_lane(point: int) -> None:
    shown = ticket()
    public = xwing.KeyPair.generate().public[:MLKEM_PUBLIC] + little(point)
    with pytest.raises(RemoteProtocolError, match="X25519"):
        LaneAcceptor(Book(shown)).receive_data(b1_of(shown, public))
    opener = LaneOpener(shown)
    b1 = body(opener.data_to_send())
    ciphertext = xwing.encapsulate(xwing.KeyPair.generate().public)[0][:MLKEM_CIPHERTEXT] + little(point)
    b2 = bytes(32) + ciphertext
    b2 += mac(expand(shown.key, "b2", b"", 32), digest(b1 + b2))
    with pytest.raises(RemoteProtocolError, match="X25519"):
        opener.receive_data(bytes((LaneMessage.B2,)) + len(b2).to_bytes(3, "big") + b2)


def test_an_ml_kem_key_out_of_range() -> None:
    public = OUT_OF_RANGE + xwing.KeyPair.generate().public[MLKEM_PUBLIC:]
    assert len(public) == limits.XWING_PUBLIC_SIZE
    caller, bob = Caller("alice", "bob"), End.answering("bob")
    unsigned = caller.hello.unsigned().replace(caller.ephemeral.public, public)
    assert "ML-KEM" in str(refused(bob, caller.m1(unsigned=unsigned)))
    pair, shown = Pair(), ticket()
    with pytest.raises(RemoteProtocolError, match="ML-KEM"):
        pair.two.receive(record_of(pair.one.own_secret, 0, RecordType.OFFER, b"\0\0\0\x01" + public))
    with pytest.raises(RemoteProtocolError, match="ML-KEM"):
        LaneAcceptor(Book(shown)).receive_data(b1_of(shown, public))


def test_a_wrong_ml_kem_ciphertext_gives_another_secret_and_no_error_of_its_own() -> None:
    """Implicit rejection: what shows it is the box, or the record, that does not open."""
    alice, bob = End.calling("alice", "bob"), Answerer("bob")
    m2 = M2.decode(body(bob.m2(alice.sent())))
    changed = M2(m2.suite, m2.nonce, bytes(MLKEM_CIPHERTEXT) + m2.ciphertext[MLKEM_CIPHERTEXT:], m2.box0)
    assert str(refused(alice, frame(MessageType.M2, changed.encode()))) == "a sealed box does not open"
    pair = Pair()
    pair.one.channel.send(b"x")
    pair.pass_time(5.0)
    accept = b"\0\0\0\x01" + xwing.encapsulate(xwing.KeyPair.generate().public)[0]
    pair.one.receive(record_of(pair.two.own_secret, 0, RecordType.ACCEPT, accept))
    with pytest.raises(RemoteProtocolError, match="does not open"):
        pair.one.receive(record_of(pair.two.own_secret, 0, RecordType.PING))
