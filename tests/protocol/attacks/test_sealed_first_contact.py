"""First contacts and prekeys in the hands of a relay, of a thief, and of people who hold old ones."""

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from messenger.core.errors import RemoteProtocolError
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label, PrivateKey, PublicKey, oaep_label
from messenger.protocol.prekeys import (
    LAST_RESORT,
    Prekey,
    PrekeyList,
    Recipient,
    SecretPrekey,
    draft_list,
    make_prekeys,
)
from messenger.protocol.seal import Kind, disclose, enclose
from messenger.protocol.sealed_opening import Letter
from tests.helpers.letters import (
    ALICE,
    BOB,
    CAROL,
    LAST,
    LETTER,
    MALLORY,
    ONCE,
    PAYLOAD,
    draft,
    forged,
    needed_of,
    opened,
    recipient,
    refused,
    sealed,
)
from tests.helpers.sealing import DAY, NOW, bad_publics, flipped
from tests.protocol.attacks.test_oaep_oracle import _ciphertexts

SERIAL = NOW


# --- OAEP


def outcome(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Everything that anybody, or a log, can see of a first contact that is dropped."""
    calls: list[int] = []
    unwrap = PrivateKey.unwrap

    def counting(key: PrivateKey, label: bytes, ciphertext: bytes, size: int = 32) -> bytes:
        calls.append(size)
        return unwrap(key, label, ciphertext, size)

    with monkeypatch.context() as patch:
        patch.setattr(PrivateKey, "unwrap", counting)
        with pytest.raises(RemoteProtocolError) as caught:
            opened(data)
    e = caught.value
    return type(e), str(e), e.reason, type(e.__cause__), str(e.__cause__), calls


def wrapped_instead(make: Callable[[bytes], bytes] | None) -> bytes:
    """A first contact from Alice to Bob with another OAEP ciphertext; None: a good one, and a bad box."""
    letter = Letter.decode(LETTER)
    if make is None:
        return flipped(LETTER, len(LETTER) - 1)
    label = needed_of(LETTER)[0]
    wrong = make(label)
    return msgspec.structs.replace(letter, wrapped=wrong).encode()


FITTING = {
    name: make
    for name, make in _ciphertexts("oaep seal", "oaep I>R", b"bob").items()
    if name not in {"383 bytes", "385 bytes", "empty", "label of a sealed message"}
}
"""Those of a length that a first contact can have; others are not looked at (they name no key)."""


@pytest.mark.parametrize("name", FITTING)
def test_oaep_oracle_in_a_first_contact(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome(wrapped_instead(None), monkeypatch)
    assert outcome(wrapped_instead(FITTING[name]), monkeypatch) == expected
    assert expected[-1] == [32], "one RSA operation, whatever is in it"


@pytest.mark.parametrize("direction", ["oaep I>R", "oaep R>I"])
def test_a_first_contact_is_no_oracle_for_the_ciphertexts_of_a_link(direction: str) -> None:
    """What was wrapped for a link opens nothing here, whatever hash its label has."""
    label = needed_of(LETTER)[0]
    for transcript in (label[-32:], os.urandom(32)):
        wrapped = BOB.exchange.public.wrap(oaep_label(direction, transcript), os.urandom(32))
        refused(msgspec.structs.replace(Letter.decode(LETTER), wrapped=wrapped).encode())


def test_garbage_for_an_unknown_prekey_costs_no_rsa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only who knows a prekey's id can make Bob's vault work; one id costs one operation."""
    calls: list[bytes] = []

    def noting(_: object, label: bytes, __: bytes) -> bytes:
        calls.append(label)
        return bytes(32)

    monkeypatch.setattr(PrivateKey, "unwrap", noting)
    for data in (flipped(LETTER, 0), os.urandom(len(LETTER)), b"", LETTER[:1500]):
        with pytest.raises(RemoteProtocolError):
            opened(data)
    assert calls == []
    with pytest.raises(RemoteProtocolError):
        opened(LETTER)
    assert len(calls) == 1


# --- a compromised key


def test_key_compromise_impersonation_in_a_first_contact() -> None:
    """With all of Bob's keys, and what Alice once signed for him, nobody writes to Bob as Alice."""
    waiting = draft()
    by_alice = opened(sealed())
    for identity in (BOB, MALLORY):
        signature = identity.signing.sign(Label.SEAL_INIT, waiting.needed.fields)
        refused(forged(draft(), waiting._content, signature))
    again = draft()
    refused(forged(again, again._content, by_alice._content.signature))


def test_a_thief_of_the_exchange_key_still_needs_the_prekey() -> None:
    """And of the prekey still needs the exchange key: neither alone opens a first contact."""
    with_other_prekey = SecretPrekey(ONCE.id, ONCE.flags, os.urandom(32), NOW)
    refused(LETTER, prekey=with_other_prekey)
    unwrapping = Letter.decode(LETTER).unwrapping(ONCE, BOB.fingerprint, NOW)
    for secret in (bytes(32), os.urandom(32), MALLORY.exchange.unwrap(*needed_of(LETTER))):
        with pytest.raises(RemoteProtocolError):
            unwrapping.unwrapped(secret)
    assert opened(LETTER).accept(stranger=True).payload == PAYLOAD


def test_somebody_elses_invite_proof_in_a_first_contact() -> None:
    """A proof holds for one first contact: taken out of another it proves nothing."""
    secret = b"secret invite 16"
    first = opened(sealed(invite_secret=secret))
    assert first.invited(secret)
    proof = first._content.proof
    other = draft(MALLORY)
    content = msgspec.structs.replace(_content_of(other), proof=proof).unsigned()
    signature = MALLORY.signing.sign(Label.SEAL_INIT, other.needed.fields)
    claim = opened(forged(other, content, signature))
    assert claim.sender.fingerprint == MALLORY.fingerprint
    assert not claim.invited(secret)


def _content_of(waiting: Any) -> Any:  # noqa: ANN401 -- of a private type
    claim = opened(forged(waiting, waiting._content, _signature_of(waiting)))
    return claim._content


def _signature_of(waiting: Any) -> bytes:  # noqa: ANN401 -- of a private type
    return MALLORY.signing.sign(Label.SEAL_INIT, waiting.needed.fields)


# --- the relay and the prekeys


def listed(
    prekeys: tuple[SecretPrekey, ...], serial: int = SERIAL, now: int = NOW, bundle: Bundle | None = None
) -> PrekeyList:
    waiting = draft_list(bundle or BOB.bundle(NOW - DAY), serial, prekeys, now)
    return waiting.signed(BOB.signing.sign(Label.PREKEYS, waiting.needed.fields))


def taken(offered: PrekeyList, prekey: Prekey, pinned: int = 0, now: int = NOW) -> Recipient:
    """What a sender who wants to write to Bob makes of what the relay hands out, byte for byte."""
    return PrekeyList.decode(offered.encode()).choose(
        Prekey.decode(prekey.encode()), BOB.fingerprint, now, pinned
    )


def test_prekey_substitution_by_the_relay() -> None:
    """A prekey of the relay's own, somebody else's, one of an older list, one with another flag."""
    good, older = listed((ONCE, LAST)), make_prekeys(1, NOW - DAY)[0]
    own, carols = make_prekeys(1, NOW)[0].public, make_prekeys(1, NOW)[0].public
    assert taken(good, ONCE.public).prekey == ONCE.public
    for offered in (
        own,
        carols,
        older.public,
        Prekey(ONCE.id, 0, own.public),
        Prekey(ONCE.id, LAST_RESORT, ONCE.public.public),
        Prekey(LAST.id, 0, LAST.public.public),
    ):
        with pytest.raises(RemoteProtocolError):
            taken(good, offered)
        forged_list = msgspec.structs.replace(good, hashes=tuple(sorted([*good.hashes, offered.hash])))
        with pytest.raises(RemoteProtocolError):
            taken(forged_list, offered)


def test_prekey_substitution_together_with_the_exchange_key() -> None:
    """The list is bound to its bundle: an older or a foreign exchange key in it does not hold."""
    good = listed((ONCE, LAST))
    older = BOB.bundle(NOW - 2 * DAY)
    foreign = msgspec.structs.replace(good, bundle=CAROL.bundle(NOW - DAY))
    mixed = Bundle(
        good.bundle.signing,
        MALLORY.exchange.public,
        good.bundle.not_before,
        good.bundle.not_after,
        good.bundle.signature,
    )
    for offered in (
        msgspec.structs.replace(good, bundle=older),
        foreign,
        msgspec.structs.replace(good, bundle=mixed),
    ):
        with pytest.raises(RemoteProtocolError):
            taken(offered, ONCE.public)


def test_prekey_roll_back_by_the_relay() -> None:
    """An older list is refused once a newer one was seen, and by everybody when it has ended."""
    old, new = listed((ONCE, LAST)), listed((ONCE, LAST), serial=SERIAL + 1)
    assert taken(old, ONCE.public).serial == SERIAL, "somebody who has seen nothing yet cannot know"
    assert taken(new, ONCE.public, pinned=SERIAL).serial == SERIAL + 1
    with pytest.raises(RemoteProtocolError):
        taken(old, ONCE.public, pinned=SERIAL + 1)
    with pytest.raises(RemoteProtocolError):
        taken(old, ONCE.public, now=NOW + 16 * DAY)
    raised = msgspec.structs.replace(old, serial=SERIAL + 1)
    with pytest.raises(RemoteProtocolError):
        taken(raised, ONCE.public, pinned=SERIAL + 1)
    longer = msgspec.structs.replace(old, not_after=NOW + 28 * DAY)
    with pytest.raises(RemoteProtocolError):
        taken(longer, ONCE.public, now=NOW + 16 * DAY)


def test_a_relay_that_serves_the_last_resort_only_is_seen() -> None:
    """It cannot call it another prekey, so the sender's program can say so."""
    chosen = taken(listed((ONCE, LAST)), LAST.public)
    assert chosen.prekey.last_resort
    assert not taken(listed((ONCE, LAST)), ONCE.public).prekey.last_resort


# --- replay and reflection


def test_replay_of_a_first_contact() -> None:
    """Its prekey is gone after the first; under the one of last resort its ids are the same."""
    first = opened(LETTER).accept(stranger=True)
    assert first.used_prekey == ONCE.id
    again = [opened(sealed(to=recipient(prekey=LAST)), prekey=LAST) for _ in range(2)]
    assert len({claim.accept(stranger=True).dedupe_key for claim in again}) == 1, (
        "one message id, two letters"
    )
    data = sealed(to=recipient(prekey=LAST))
    one, two = (opened(data, prekey=LAST).accept(stranger=True) for _ in range(2))
    assert (one.dedupe_key, one.session.sid) == (two.dedupe_key, two.session.sid)
    assert one.remember_until >= LAST.made + 42 * DAY, "no replay after it was forgotten: the prekey is gone"
    refused(data, prekey=LAST, now=LAST.made + 42 * DAY + 1)


def test_a_first_contact_turned_back_to_its_writer() -> None:
    """Alice does not take her own letter, not even with all of Bob's secrets in her hand."""
    unwrapping = Letter.decode(LETTER).unwrapping(ONCE, ALICE.fingerprint, NOW)
    with pytest.raises(RemoteProtocolError):
        unwrapping.unwrapped(BOB.exchange.unwrap(*needed_of(LETTER)))


def test_nothing_is_wrapped_for_a_prekey_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prekey that nobody can encapsulate to is refused before anything of the sender's is made."""
    wrapped: list[bytes] = []

    def noting(_: object, label: bytes, secret: bytes) -> bytes:
        wrapped.append(label)
        return secret

    monkeypatch.setattr(PublicKey, "wrap", noting)
    for public in bad_publics().values():
        with pytest.raises(RemoteProtocolError):
            draft(to=Recipient(BOB.bundle(NOW - DAY), Prekey(ONCE.id, 0, public), NOW))
    assert wrapped == []
    draft()
    assert len(wrapped) == 1


# --- truncation


def test_truncation_of_a_first_contact_at_every_byte() -> None:
    wrapped = BOB.exchange.unwrap(*needed_of(LETTER))
    for size in range(len(LETTER)):
        with pytest.raises(RemoteProtocolError):
            Letter.decode(LETTER[:size]).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(wrapped)
    whole = Letter.decode(LETTER).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(wrapped)
    assert whole.accept(stranger=True).payload == PAYLOAD


def test_truncation_of_an_envelope_at_every_byte() -> None:
    key = os.urandom(32)
    envelope = enclose(key, Kind.OPENING, LETTER)
    for size in range(len(envelope)):
        with pytest.raises(RemoteProtocolError):
            disclose(key, envelope[:size])
    assert disclose(key, envelope) == (Kind.OPENING, LETTER)
