"""Prekeys and their lists, and what a relay can try with them."""

import hashlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import (
    DatabaseDamaged,
    DatabaseTooNew,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
)
from messenger.core.ids import Fingerprint
from messenger.crypto.rsa import Label, to_be_signed
from messenger.protocol.prekeys import (
    LAST_RESORT,
    Prekey,
    PrekeyList,
    Recipient,
    SecretPrekey,
    draft_list,
    make_prekeys,
)
from tests.helpers.keys import identity
from tests.helpers.sealing import DAY, NOW, flipped

BOB, MALLORY = identity("bob"), identity("mallory")
BUNDLE = BOB.bundle(NOW - DAY)
ONCE = make_prekeys(3, NOW)
LAST = make_prekeys(1, NOW, last_resort=True)
SERIAL = NOW


def signed(
    prekeys: tuple[SecretPrekey, ...] = ONCE + LAST,
    serial: int = SERIAL,
    now: int = NOW,
    label: Label = Label.PREKEYS,
) -> PrekeyList:
    draft = draft_list(BUNDLE, serial, prekeys, now)
    assert draft.needed.label is Label.PREKEYS
    return draft.signed(BOB.signing.sign(label, draft.needed.fields))


LIST = signed()


def choose(
    prekeys: PrekeyList = LIST,
    prekey: Prekey = ONCE[0].public,
    expected: Fingerprint = BOB.fingerprint,
    now: int = NOW,
    pinned: int = 0,
) -> Recipient:
    """What a sender does with what a relay gave; every test changes one thing."""
    return prekeys.choose(prekey, expected, now, pinned)


def test_a_prekey_survives_the_wire() -> None:
    for secret in ONCE + LAST:
        prekey = secret.public
        data = prekey.encode()
        assert data == secret.id + bytes((secret.flags,)) + prekey.public
        assert len(data) == 16 + 1 + 1216
        assert Prekey.decode(data) == prekey
        assert prekey.hash == hashlib.sha256(data).digest()
    assert [secret.public.last_resort for secret in ONCE + LAST] == [False, False, False, True]


@pytest.mark.parametrize(
    "change",
    [lambda data: data[:-1], lambda data: data + b"\x00", lambda data: flipped(data, 16, 1), lambda _: b""],
)
def test_a_malformed_prekey_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(RemoteProtocolError):
        Prekey.decode(change(ONCE[0].public.encode()))


def test_a_list_byte_for_byte() -> None:
    hashes = sorted(secret.public.hash for secret in ONCE + LAST)
    times = SERIAL.to_bytes(8, "big") + (NOW + 14 * DAY).to_bytes(8, "big")
    bundle = BUNDLE.encode()
    head = b"\x01" + len(bundle).to_bytes(2, "big") + bundle + times + b"\x04" + b"".join(hashes)
    assert LIST.encode() == head + b"\x01\x80" + LIST.signature
    assert PrekeyList.decode(LIST.encode()) == LIST
    fields = (BOB.fingerprint, bundle, times[:8], times[8:], b"".join(hashes))
    assert to_be_signed(Label.PREKEYS, LIST.signed_fields()) == to_be_signed(Label.PREKEYS, fields)


def test_a_good_list_names_a_recipient() -> None:
    recipient = choose(PrekeyList.decode(LIST.encode()), pinned=SERIAL)
    assert recipient == Recipient(BUNDLE, ONCE[0].public, SERIAL)
    assert choose(prekey=LAST[0].public).prekey.last_resort


def test_every_other_byte_is_refused() -> None:
    data = LIST.encode()
    for at in range(len(data)):
        with pytest.raises(RemoteProtocolError):
            choose(PrekeyList.decode(flipped(data, at, at % 8)))


def test_every_truncation_and_extension_is_refused() -> None:
    data = LIST.encode()
    for size in range(len(data)):
        with pytest.raises(RemoteProtocolError):
            PrekeyList.decode(data[:size])
    with pytest.raises(RemoteProtocolError):
        PrekeyList.decode(data + b"\x00")


def test_malformed_lists_are_refused() -> None:
    hashes = LIST.hashes
    for wrong in (
        (),
        hashes[::-1],
        (hashes[0], hashes[0]),
        tuple(bytes([number]) * 32 for number in range(limits.PREKEYS_MAX + 2)),
    ):
        with pytest.raises(RemoteProtocolError):
            PrekeyList.decode(msgspec.structs.replace(LIST, hashes=wrong).encode())


@given(st.binary(max_size=2500))
def test_garbage_gives_one_kind_of_error(data: bytes) -> None:
    for garbage in (data, b"\x01" + data):
        with pytest.raises(RemoteProtocolError):
            PrekeyList.decode(garbage)
    with pytest.raises(RemoteProtocolError):
        Prekey.decode(data)


def test_a_prekey_of_the_relays_own_making_is_refused() -> None:
    """Substitution: a prekey that the list does not name, under an id that it does, with another flag."""
    other = make_prekeys(1, NOW)[0]
    once = ONCE[0].public
    for prekey in (
        other.public,
        Prekey(once.id, 0, other.public.public),
        Prekey(once.id, LAST_RESORT, once.public),
        Prekey(other.id, 0, once.public),
    ):
        with pytest.raises(RemoteProtocolError):
            choose(prekey=prekey)


def test_a_foreign_list_is_refused() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        choose(expected=MALLORY.fingerprint)
    assert caught.value.reason is Reason.WRONG_PERSON
    # Signed by somebody else, or by the right one for another purpose.
    fields = LIST.signed_fields()
    forged = msgspec.structs.replace(LIST, signature=MALLORY.signing.sign(Label.PREKEYS, fields))
    for wrong in (forged, *(signed(label=label) for label in Label if label is not Label.PREKEYS)):
        with pytest.raises(RemoteProtocolError):
            choose(wrong)


def test_a_rolled_back_list_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        choose(pinned=SERIAL + 1)
    newer = signed(serial=SERIAL + 1)
    assert choose(newer, pinned=SERIAL).serial == SERIAL + 1


@pytest.mark.parametrize(
    ("after", "good"),
    [
        (-limits.CLOCK_SKEW - 1, False),
        (-limits.CLOCK_SKEW, True),
        (limits.PREKEY_LIST_LIFETIME + limits.CLOCK_SKEW, True),
        (limits.PREKEY_LIST_LIFETIME + limits.CLOCK_SKEW + 1, False),
    ],
)
def test_a_list_holds_for_two_weeks(after: int, good: bool) -> None:
    if good:
        choose(now=NOW + after)
    else:
        with pytest.raises(RemoteProtocolError):
            choose(now=NOW + after)


def test_a_list_with_an_expired_exchange_key_is_refused() -> None:
    late = NOW - DAY + limits.KEXCERT_LIFETIME + limits.CLOCK_SKEW
    last = make_prekeys(1, late, last_resort=True)
    prekeys = signed(last, now=late)
    assert choose(prekeys, last[0].public, now=late).bundle == BUNDLE
    with pytest.raises(RemoteProtocolError):
        choose(prekeys, last[0].public, now=late + 1)


def test_what_may_be_listed() -> None:
    assert len(signed(make_prekeys(limits.PREKEYS_MAX, NOW) + LAST).hashes) == limits.PREKEYS_MAX + 1
    old = NOW - limits.PREKEY_LISTED - 1
    for wrong in (
        ONCE,
        LAST + LAST,
        (),
        make_prekeys(limits.PREKEYS_MAX + 1, NOW) + LAST,
        make_prekeys(1, old) + LAST,
    ):
        with pytest.raises(LocalProtocolError):
            draft_list(BUNDLE, SERIAL, wrong, NOW)


def test_the_life_of_a_prekey() -> None:
    prekey = ONCE[0]
    assert prekey.listed(NOW + limits.PREKEY_LISTED)
    assert not prekey.listed(NOW + limits.PREKEY_LISTED + 1)
    assert not prekey.expired(NOW + limits.PREKEY_KEPT)
    assert prekey.expired(NOW + limits.PREKEY_KEPT + 1)
    # As long as anything that was sealed to it may lie at the relay.
    assert limits.PREKEY_KEPT >= limits.PREKEY_LISTED + limits.PREKEY_LIST_LIFETIME + limits.MAILBOX_LIFETIME


def test_a_secret_prekey_survives_the_disk() -> None:
    for secret in ONCE + LAST:
        data = secret.encode()
        assert SecretPrekey.decode(data) == secret
        for damaged in (data[:-1], data + b"\x00", b""):
            with pytest.raises(DatabaseDamaged):
                SecretPrekey.decode(damaged)
        with pytest.raises(DatabaseTooNew):
            SecretPrekey.decode(b"\x02" + data[1:])
        assert secret.last_resort == (secret in LAST)


def test_prekeys_differ_and_show_no_secret() -> None:
    assert len({secret.id for secret in ONCE + LAST}) == len({secret.seed for secret in ONCE + LAST}) == 4
    assert repr(ONCE[0].seed)[2:-1] not in repr(ONCE[0])
    assert "seed" not in repr(ONCE[0])
