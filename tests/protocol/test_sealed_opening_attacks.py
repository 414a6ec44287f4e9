"""Every way to cheat with a first contact."""

import hashlib
import tracemalloc
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger.core.errors import RemoteProtocolError
from messenger.crypto.hkdf import vec
from messenger.crypto.rsa import Label
from messenger.protocol.prekeys import Prekey, Recipient, make_prekeys
from messenger.protocol.sealed_opening import Letter
from messenger.protocol.sealed_sessions import Sessions
from tests.helpers.letters import (
    ALICE,
    BOB,
    CAROL,
    ID,
    LAST,
    LETTER,
    MALLORY,
    ONCE,
    PAYLOAD,
    SIZE_AND_PAYLOAD,
    Forgery,
    draft,
    forged,
    needed_of,
    opened,
    recipient,
    refused,
    sealed,
)
from tests.helpers.sealing import DAY, NOW, bad_publics, flipped


def test_any_other_byte_is_refused() -> None:
    wrapped = BOB.exchange.unwrap(*needed_of(LETTER))
    for at in (*range(16, 1136, 13), 1136, 1137, *range(1138, 1522, 29), *range(1522, len(LETTER))):
        changed = flipped(LETTER, at, at % 8)
        if at < 1522:
            refused(changed)
            continue
        with pytest.raises(RemoteProtocolError):  # the OAEP ciphertext is the same, so it is opened only once
            Letter.decode(changed).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(wrapped)
    for at in range(16):
        with pytest.raises(RemoteProtocolError):
            Letter.decode(flipped(LETTER, at)).unwrapping(ONCE, BOB.fingerprint, NOW)


def test_every_truncation_and_extension_is_refused() -> None:
    for size in (*range(0, 1522, 7), 1521):
        with pytest.raises(RemoteProtocolError):
            Letter.decode(LETTER[:size])
    wrapped = BOB.exchange.unwrap(*needed_of(LETTER))
    for data in (*(LETTER[:size] for size in range(1522, len(LETTER), 11)), LETTER[:-1], LETTER + b"\x00"):
        with pytest.raises(RemoteProtocolError):
            Letter.decode(data).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(wrapped)


AUTHENTIC: Final = draft()


WRAPPED: Final = BOB.exchange.unwrap(*needed_of(forged(AUTHENTIC, b"", b"")))


@given(st.binary(max_size=4000))
@settings(deadline=None)
def test_garbage_gives_one_kind_of_error(data: bytes) -> None:
    """Also garbage that names a valid prekey and has plausible sizes: the prekey is still there after it."""
    with pytest.raises(RemoteProtocolError):
        opened(data)
    box = data.ljust(2000, b"\x5a")
    plausible = ONCE.id + box[:1120] + vec(box[:384]) + box[384:]
    with pytest.raises(RemoteProtocolError):
        Letter.decode(plausible).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(bytes(32))


@given(st.binary(max_size=3000))
def test_garbage_in_an_authentic_box_gives_one_kind_of_error(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Letter.decode(forged(AUTHENTIC, content, b"")).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(
            WRAPPED
        )


def test_sealed_again_to_somebody_else() -> None:
    """Surreptitious forwarding: Bob seals what Alice signed for him to Carol."""
    for_bob, prekey = draft(), make_prekeys(1, NOW)[0]
    signature = ALICE.signing.sign(Label.SEAL_INIT, for_bob.needed.fields)
    for_carol = draft(to=recipient(CAROL, prekey))
    refused(forged(for_carol, for_bob._content, signature), CAROL, prekey)
    # The same prekey id in Carol's hands does not help either.
    for_carol = draft(to=recipient(CAROL))
    refused(forged(for_carol, for_bob._content, signature), CAROL)


def test_somebody_elses_content_in_an_own_box() -> None:
    """Mallory has read what Alice wrote to her, and sends it to Bob as her own, or as Alice's."""
    by_alice = draft(to=recipient(MALLORY))
    signature = ALICE.signing.sign(Label.SEAL_INIT, by_alice.needed.fields)
    by_mallory = draft(MALLORY)
    refused(forged(by_mallory, by_alice._content, signature))
    refused(forged(by_mallory, by_mallory._content, signature))
    # Alice's identity, and a signature of Mallory's own.
    signature = MALLORY.signing.sign(Label.SEAL_INIT, by_mallory.needed.fields)
    refused(forged(by_mallory, by_alice._content, signature))


@pytest.mark.parametrize("label", [label for label in Label if label is not Label.SEAL_INIT])
def test_a_signature_for_another_purpose(label: Label) -> None:
    refused(Forgery(label=label).seal())


@pytest.mark.parametrize("at", range(11))
def test_every_field_is_signed(at: int) -> None:
    forgery = Forgery()
    assert opened(forgery.seal()).accept(stranger=True).payload == PAYLOAD
    forgery.fields[at] = bytes(len(forgery.fields[at]))
    refused(forgery.seal())


def test_every_byte_of_the_content_counts() -> None:
    """Whoever could change the content of the box without its signature (nobody can) would still fail."""
    signature = ALICE.signing.sign(Label.SEAL_INIT, AUTHENTIC.needed.fields)
    public = 1178
    for at in (
        *range(0, 1178, 13),
        *range(public, public + 1216, 17),
        *range(public + 1216, len(AUTHENTIC._content)),
    ):
        data = forged(AUTHENTIC, flipped(AUTHENTIC._content, at), signature)
        with pytest.raises(RemoteProtocolError):
            Letter.decode(data).unwrapping(ONCE, BOB.fingerprint, NOW).unwrapped(WRAPPED)


@pytest.mark.parametrize("what", bad_publics())
def test_a_bad_ratchet_key(what: str) -> None:
    forgery, public = Forgery(), bad_publics()[what]
    forgery.content = forgery.content[:1178] + public + forgery.content[1178 + 1216 :]
    forgery.fields[6] = hashlib.sha256(public).digest()
    refused(forgery.seal())


@pytest.mark.parametrize("what", bad_publics())
def test_a_bad_prekey(what: str) -> None:
    prekey = Prekey(ONCE.id, 0, bad_publics()[what])
    with pytest.raises(RemoteProtocolError):
        draft(to=Recipient(BOB.bundle(NOW - DAY), prekey, NOW))


def test_a_low_order_ciphertext() -> None:
    refused(LETTER[: 1136 - 32] + bytes(32) + LETTER[1136:])


def changed_content(old: bytes, new: bytes) -> Callable[[], bytes]:
    def make() -> bytes:
        forgery = Forgery()
        assert forgery.content.count(old) == 1
        forgery.content = forgery.content.replace(old, new)
        return forgery.seal()

    return make


RANK_AND_PROOF = (7).to_bytes(8, "big") + b"\x00\x00"


@pytest.mark.parametrize(
    "make",
    [
        changed_content(RANK_AND_PROOF, (2**53 + 1).to_bytes(8, "big") + b"\x00\x00"),
        changed_content(RANK_AND_PROOF, (7).to_bytes(8, "big") + b"\x00\x10" + bytes(16)),
        changed_content(RANK_AND_PROOF, (7).to_bytes(8, "big") + b"\x00\x21" + bytes(33)),
        changed_content(SIZE_AND_PAYLOAD, b"\xff\xff\xff\xff" + PAYLOAD),
        changed_content(SIZE_AND_PAYLOAD, b"\x00\x00\x00\x00" + PAYLOAD),
    ],
)
def test_malformed_contents(make: Callable[[], bytes]) -> None:
    refused(make())


def test_another_exchange_key_or_another_person() -> None:
    refused(LETTER, who=CAROL)
    unwrapping = Letter.decode(LETTER).unwrapping(ONCE, CAROL.fingerprint, NOW)
    with pytest.raises(RemoteProtocolError):
        unwrapping.unwrapped(BOB.exchange.unwrap(unwrapping.needed.label, unwrapping.needed.ciphertext))


def test_repeated_from_the_prekey_of_last_resort() -> None:
    """A replay opens again, and is told by its dedupe key; and if that were lost, by its session."""
    data = sealed(to=recipient(prekey=LAST))
    first, again = (opened(data, prekey=LAST).accept(stranger=True) for _ in range(2))
    assert first.dedupe_key == again.dedupe_key
    bob = Sessions().add(first.session, first.rank, NOW, acknowledged=True, opening=True)
    bob, _ = bob.seal(b"answer")
    with pytest.raises(RemoteProtocolError):
        bob.add(again.session, again.rank, NOW, acknowledged=True, opening=True)


def test_a_huge_input_costs_no_memory() -> None:
    data = LETTER + bytes(50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(RemoteProtocolError):
            Letter.decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_the_sender_is_not_to_be_seen_from_outside() -> None:
    bundle = ALICE.bundle(NOW - DAY)
    for piece in (ALICE.fingerprint, bundle.signing.modulus, bundle.exchange.modulus, PAYLOAD, ID):
        assert piece not in LETTER


def test_nothing_secret_is_shown() -> None:
    waiting = draft(invite_secret=b"secret invite 16")
    root = waiting._secret
    letter = Letter.decode(waiting.signed(ALICE.signing.sign(Label.SEAL_INIT, waiting.needed.fields)))
    unwrapping = letter.unwrapping(ONCE, BOB.fingerprint, NOW)
    secret = BOB.exchange.unwrap(unwrapping.needed.label, unwrapping.needed.ciphertext)
    claim = unwrapping.unwrapped(secret)
    accepted = claim.accept(stranger=True)
    with pytest.raises(RemoteProtocolError) as caught:
        unwrapping.unwrapped(bytes(32))
    shown = " ".join(map(repr, (waiting, unwrapping, claim, claim._content, accepted, caught.value)))
    secrets = [secret, root, ONCE.seed, waiting.session.sending.root, unwrapping._shared]
    for one in (*secrets, PAYLOAD, waiting.session.receiving.keys[0].seed):
        assert repr(one)[2:-1] not in shown
        assert one.hex() not in shown
