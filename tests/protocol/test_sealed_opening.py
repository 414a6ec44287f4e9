"""First contacts: what they are made of, and how they are read."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label
from messenger.protocol import sealed_opening
from messenger.protocol.prekeys import Recipient, draft_list, make_prekeys
from messenger.protocol.seal import CONTENT_MAX, Kind, disclose, enclose
from messenger.protocol.sealed_opening import Accepted, Letter
from messenger.protocol.sealed_sessions import Sessions
from tests.helpers.letters import (
    ALICE,
    BOB,
    CAROL,
    DORA,
    ID,
    LAST,
    LETTER,
    ONCE,
    PAYLOAD,
    SIZE_AND_PAYLOAD,
    Forgery,
    draft,
    opened,
    recipient,
    refused,
    sealed,
)
from tests.helpers.sealing import DAY, NOW


def test_a_first_contact_opens_a_session() -> None:
    waiting = draft()
    data = waiting.signed(ALICE.signing.sign(waiting.needed.label, waiting.needed.fields))
    accepted = opened(data).accept(stranger=True)
    assert accepted.sender.fingerprint == ALICE.fingerprint
    assert accepted.payload == PAYLOAD
    assert accepted.message_id == ID
    assert accepted.sent_ms == NOW * 1000
    assert accepted.rank == 7
    assert accepted.used_prekey == ONCE.id
    assert accepted.dedupe_key == (ALICE.fingerprint, ID)
    assert accepted.remember_until == NOW + 42 * DAY
    alice = Sessions().add(waiting.session, 7, NOW, acknowledged=False, opening=True)
    bob = Sessions().add(accepted.session, accepted.rank, NOW, acknowledged=True, opening=True)
    assert not alice.ready
    for number in range(4):
        bob, message = bob.seal(b"from Bob %d" % number)
        received = alice.unseal(message, NOW)
        assert received.payload == b"from Bob %d" % number
        alice, message = received.sessions.seal(b"from Alice %d" % number)
        received = bob.unseal(message, NOW)
        assert received.payload == b"from Alice %d" % number
        bob = received.sessions
    assert Sessions.decode(alice.encode()) == alice


def test_a_first_contact_byte_for_byte() -> None:
    """The text of the specification, written down once more with nothing but HMAC and AES."""
    waiting = draft(invite_secret=b"i" * 16)
    signature = ALICE.signing.sign(Label.SEAL_INIT, waiting.needed.fields)
    data = waiting.signed(signature)
    prekey_id, ciphertext, wrapped = data[:16], data[16:1136], data[1138:1522]
    assert data[1136:1138] == b"\x01\x80"
    assert prekey_id == ONCE.id
    shared = xwing.KeyPair.from_seed(ONCE.seed).decapsulate(ciphertext)
    label = b"oaep seal\x00" + hashlib.sha256(prekey_id + ciphertext).digest()
    secret = BOB.exchange.unwrap(label, wrapped)
    th = hashlib.sha256(prekey_id + ciphertext + wrapped).digest()
    k0 = hmac.digest(shared, secret + th, "sha256")

    def derive(name: bytes, context: bytes, size: int) -> bytes:
        info = (
            b"sotto/1 " + name + b"\x00" + len(context).to_bytes(4, "big") + context + size.to_bytes(2, "big")
        )
        return hmac.digest(k0, info + b"\x01", "sha256")[:size]

    session = waiting.session
    public = xwing.KeyPair.from_seed(session.receiving.keys[0].seed).public
    bundle = waiting._content[2:1178]  # its certificate is signed anew by each call, and so differs
    assert Bundle.decode(bundle).fingerprint == ALICE.fingerprint
    content = b"\x04\x98" + bundle + public + ID + (NOW * 1000).to_bytes(8, "big")
    content += bytes(7) + b"\x07" + b"\x00\x20" + hmac.digest(b"i" * 16, th, "sha256")
    content += len(PAYLOAD).to_bytes(4, "big") + PAYLOAD + b"\x01\x80" + signature
    assert data[1522:] == AESGCM(derive(b"seal key", th, 32)).encrypt(derive(b"seal iv", th, 12), content, th)
    assert session.sid == derive(b"seal sid", b"", 32)
    assert session.sending.root == derive(b"seal A>B", b"", 32)
    assert session.receiving.root == derive(b"seal B>A", b"", 32)
    assert waiting.needed.fields == (
        ALICE.fingerprint,
        BOB.fingerprint,
        ONCE.id,
        hashlib.sha256(ONCE.id + b"\x00" + ONCE.public.public).digest(),
        hashlib.sha256(ciphertext).digest(),
        hashlib.sha256(wrapped).digest(),
        hashlib.sha256(public).digest(),
        ID,
        (NOW * 1000).to_bytes(8, "big"),
        (7).to_bytes(8, "big"),
        hashlib.sha256(PAYLOAD).digest(),
    )


def test_keys_of_4096_bits() -> None:
    data = sealed(DORA, to=recipient())
    assert opened(data).sender.fingerprint == DORA.fingerprint
    data = sealed(ALICE, to=recipient(DORA))
    assert opened(data, DORA).accept(stranger=True).payload == PAYLOAD


def test_it_travels_in_an_envelope() -> None:
    key = b"q" * 32
    kind, data = disclose(key, enclose(key, Kind.OPENING, LETTER))
    assert kind is Kind.OPENING
    assert opened(data).accept(stranger=True).payload == PAYLOAD


def test_the_prekey_of_last_resort_stays() -> None:
    data = sealed(to=recipient(prekey=LAST))
    assert opened(data, prekey=LAST).accept(stranger=False).used_prekey is None


def test_the_whole_way_from_a_list() -> None:
    waiting_list = draft_list(BOB.bundle(NOW - DAY), NOW, (ONCE, LAST), NOW)
    prekeys = waiting_list.signed(BOB.signing.sign(waiting_list.needed.label, waiting_list.needed.fields))
    chosen = prekeys.choose(ONCE.public, BOB.fingerprint, NOW)
    assert opened(sealed(to=chosen)).accept(stranger=True).payload == PAYLOAD


def test_payloads_of_every_size() -> None:
    most = limits.SEALED_PAYLOAD_MAX
    data = sealed(payload=bytes(most))
    assert len(data) <= CONTENT_MAX
    claim = opened(data)
    assert len(claim.accept(stranger=False).payload) == most
    with pytest.raises(RemoteProtocolError):
        claim.accept(stranger=True)
    with pytest.raises(LocalProtocolError):
        draft(payload=bytes(most + 1))
    forgery = Forgery()
    forgery.content = forgery.content.replace(
        SIZE_AND_PAYLOAD, (most + 1).to_bytes(4, "big") + bytes(most + 1)
    )
    refused(forgery.seal())
    fits = opened(sealed(payload=bytes(limits.STRANGER_PAYLOAD_MAX)))
    assert len(fits.accept(stranger=True).payload) == limits.STRANGER_PAYLOAD_MAX
    with pytest.raises(RemoteProtocolError):
        opened(sealed(payload=bytes(limits.STRANGER_PAYLOAD_MAX + 1))).accept(stranger=True)
    assert opened(sealed(payload=b"")).accept(stranger=True).payload == b""


def test_an_invite() -> None:
    claim = opened(sealed(invite_secret=b"i" * 16))
    assert claim.invited(b"i" * 16)
    assert not claim.invited(b"j" * 16)
    assert not opened(LETTER).invited(b"i" * 16)


@pytest.mark.parametrize(
    ("age", "good"),
    [
        (-limits.CLOCK_SKEW - 1, False),
        (-limits.CLOCK_SKEW, True),
        (limits.PREKEY_KEPT + limits.CLOCK_SKEW, True),
        (limits.PREKEY_KEPT + limits.CLOCK_SKEW + 1, False),
    ],
)
def test_only_from_these_days(age: int, good: bool) -> None:
    data = sealed(sent_ms=(NOW - age) * 1000)
    # Times before the certificate are not the matter here, so the window is looked at from later on.
    if age > 0:
        later = NOW + age
        prekey = replace(ONCE, made=later)
        data = sealed(sent_ms=NOW * 1000)
        if good:
            opened(data, prekey=prekey, now=later)
        else:
            refused(data, prekey=prekey, now=later)
    elif good:
        opened(data)
    else:
        refused(data)


def test_a_certificate_may_end_while_the_message_lies_at_the_relay() -> None:
    end = NOW - DAY + limits.KEXCERT_LIFETIME
    prekey = make_prekeys(1, end - DAY)[0]
    data = sealed(to=Recipient(BOB.bundle(end), prekey.public, NOW), sent_ms=(end - DAY) * 1000)
    later = end + 20 * DAY
    assert opened(data, prekey=prekey, now=later).sender.not_after < later - limits.CLOCK_SKEW
    late = sealed(to=Recipient(BOB.bundle(end), prekey.public, NOW), sent_ms=(end + 2 * DAY) * 1000)
    refused(late, prekey=prekey, now=later)


def test_a_prekey_that_is_gone() -> None:
    other = make_prekeys(1, NOW)[0]
    with pytest.raises(RemoteProtocolError):
        Letter.decode(LETTER).unwrapping(other, BOB.fingerprint, NOW)
    with pytest.raises(RemoteProtocolError):
        Letter.decode(LETTER).unwrapping(ONCE, BOB.fingerprint, NOW + limits.PREKEY_KEPT + 1)
    refused(LETTER, prekey=replace(ONCE, seed=other.seed))


def test_after_the_exchange_key_was_replaced_the_old_one_is_tried_too() -> None:
    unwrapping = Letter.decode(LETTER).unwrapping(ONCE, BOB.fingerprint, NOW)
    with pytest.raises(RemoteProtocolError):
        unwrapping.unwrapped(CAROL.exchange.unwrap(unwrapping.needed.label, unwrapping.needed.ciphertext))
    claim = unwrapping.unwrapped(BOB.exchange.unwrap(unwrapping.needed.label, unwrapping.needed.ciphertext))
    assert claim.sender.fingerprint == ALICE.fingerprint


def test_nobody_writes_to_themselves() -> None:
    with pytest.raises(LocalProtocolError):
        draft(BOB)
    # Bob's letter to Carol, turned against him by somebody who gave him Carol's keys.
    waiting = draft(BOB, to=recipient(CAROL))
    data = waiting.signed(BOB.signing.sign(Label.SEAL_INIT, waiting.needed.fields))
    unwrapping = Letter.decode(data).unwrapping(ONCE, BOB.fingerprint, NOW)
    with pytest.raises(RemoteProtocolError) as caught:
        unwrapping.unwrapped(CAROL.exchange.unwrap(unwrapping.needed.label, unwrapping.needed.ciphertext))
    assert caught.value.reason is Reason.OWN_KEY


def test_a_bundle_with_another_signature_or_exchange_key_is_still_the_same_person() -> None:
    """A repeated bundle: what counts is the fingerprint, so nothing is doubled by a renewed certificate."""
    accepted: list[Accepted] = []
    for begin in (NOW - DAY, NOW - 2 * DAY):
        waiting = sealed_opening.begin(
            ALICE.bundle(begin), recipient(), message_id=ID, sent_ms=NOW * 1000, rank=1, payload=PAYLOAD
        )
        data = waiting.signed(ALICE.signing.sign(Label.SEAL_INIT, waiting.needed.fields))
        accepted.append(opened(data).accept(stranger=True))
    assert accepted[0].dedupe_key == accepted[1].dedupe_key
    assert accepted[0].sender.not_before > accepted[1].sender.not_before
    assert accepted[0].session.sid != accepted[1].session.sid


def test_both_write_first_at_once() -> None:
    """With real letters; the rules for the two sessions have their own tests."""
    for_alice = make_prekeys(1, NOW)[0]
    by_alice, by_bob = draft(), draft(BOB, to=recipient(ALICE, for_alice))
    to_bob = by_alice.signed(ALICE.signing.sign(Label.SEAL_INIT, by_alice.needed.fields))
    to_alice = by_bob.signed(BOB.signing.sign(Label.SEAL_INIT, by_bob.needed.fields))
    at_bob = opened(to_bob).accept(stranger=False)
    at_alice = opened(to_alice, ALICE, for_alice).accept(stranger=False)
    alice = Sessions().add(by_alice.session, 7, NOW, acknowledged=False, opening=True)
    bob = Sessions().add(by_bob.session, 7, NOW, acknowledged=False, opening=True)
    alice = alice.add(at_alice.session, at_alice.rank, NOW, acknowledged=True, opening=True)
    bob = bob.add(at_bob.session, at_bob.rank, NOW, acknowledged=True, opening=True)
    for _ in range(3):
        alice, message = alice.seal(b"from Alice")
        bob = bob.unseal(message, NOW).sessions
        bob, message = bob.seal(b"from Bob")
        alice = alice.unseal(message, NOW).sessions
    assert alice.current is not None
    assert bob.current is not None
    assert alice.current.sid == bob.current.sid


def test_a_draft_seals_one_box() -> None:
    """Signatures are random: a second one would be a second content under one key and nonce."""
    waiting = draft()
    signatures = [ALICE.signing.sign(Label.SEAL_INIT, waiting.needed.fields) for _ in range(2)]
    assert signatures[0] != signatures[1]
    waiting.signed(signatures[0])
    with pytest.raises(LocalProtocolError):
        waiting.signed(signatures[1])
