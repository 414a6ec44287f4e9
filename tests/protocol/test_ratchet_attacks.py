"""The ratchet against a network, and a peer, that do not keep to the rules."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.protocol import ratchet
from tests.helpers.sealing import (
    ALICE,
    BOB,
    LOW_ORDER,
    NOW,
    bad_publics,
    flipped,
    instead,
    linked,
    refused,
    several,
    turn,
    with_sending,
)


def test_a_tampered_message_does_not_spoil_the_genuine_one() -> None:
    one, two = linked()
    one, message = ratchet.seal(one, b"genuine")
    for at in range(len(message)):
        refused(two, flipped(message, at))
    two, payload = ratchet.unseal(two, message, NOW)
    assert payload == b"genuine"
    two, one = turn(two, one)
    one, two = turn(one, two)
    one, message = ratchet.seal(one, b"second")
    for at in range(len(message)):
        for bit in (0, 7):
            refused(two, flipped(message, at, bit))
    assert ratchet.unseal(two, message, NOW)[1] == b"second"


@given(st.data())
def test_any_other_byte_anywhere_is_refused(data: st.DataObject) -> None:
    one, two = linked()
    _, message = ratchet.seal(one, b"payload")
    at = data.draw(st.integers(0, len(message) - 1))
    change = data.draw(st.integers(1, 255))
    refused(two, message[:at] + bytes([message[at] ^ change]) + message[at + 1 :])


def test_every_truncation_and_extension_is_refused() -> None:
    one, two = linked()
    _, message = ratchet.seal(one, b"payload")
    for size in range(len(message)):
        refused(two, message[:size])
    refused(two, message + b"\x00")


@given(st.binary(max_size=3000))
def test_garbage_gives_one_kind_of_error(data: bytes) -> None:
    _, two = linked()
    refused(two, data)
    refused(two, two.sid + data)


def test_a_message_for_somebody_else_or_from_somebody_else() -> None:
    one, two = linked()
    one, message = ratchet.seal(one, b"payload")
    refused(one, message)
    refused(linked(b"another link")[1], message)
    refused(replace(two, own=ALICE, peer=BOB), message)
    refused(replace(two, peer=two.own), message)


def test_a_jump_too_far_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = linked()
    most = limits.RATCHET_EPOCH_MESSAGES
    with monkeypatch.context() as patch:
        patch.setattr(limits, "RATCHET_EPOCH_MESSAGES", most + 10)  # a peer who does not keep to the limit
        _, messages = several(one, most + 2)
        long = turn(*reversed(turn(one, two)))[1]
        for count, where in ((most, "fits"), (most + 1, "too long")):
            messages.append(ratchet.seal(with_sending(long, number=count), where.encode())[1])
    for number in (most, most + 1):
        refused(two, messages[number])
    assert ratchet.unseal(two, messages[most - 1], NOW)[1] == b"999"
    two = turn(one, two)[1]
    refused(two, messages[-1])


def test_epochs_that_cannot_be() -> None:
    one, two = linked()
    one, two = turn(one, two)
    two, one = turn(two, one)
    assert ratchet.unseal(two, instead(one), NOW)[1] == b"instead"
    refused(two, instead(one, epoch=0))
    refused(two, instead(one, epoch=3))  # one that skips an epoch
    refused(two, instead(one, epoch=2**31))
    refused(two, instead(one, key_id=0))  # a key that has been used
    refused(two, instead(one, key_id=2))  # a key that was never made
    refused(two, instead(one, previous=0))  # an epoch that was longer
    one, two = linked()
    refused(two, instead(one, previous=1))  # an epoch before the first


def test_a_message_of_an_old_epoch_whose_key_is_gone() -> None:
    one, two = linked()
    one, first = ratchet.seal(one, b"first")
    two, _ = ratchet.unseal(two, first, NOW)
    for _ in range(3):
        two, one = turn(two, one)
        one, two = turn(one, two)
    refused(two, first)


@pytest.mark.parametrize("what", bad_publics())
def test_a_bad_key_is_refused_with_its_message(what: str) -> None:
    one, two = linked()
    refused(two, instead(one, public=bad_publics()[what]))


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_bad_ciphertext_is_refused_with_its_message(point: bytes) -> None:
    one, two = linked()
    begun, _ = ratchet.seal(one, b"")
    refused(two, instead(one, ciphertext=begun.sending.ciphertext[:-32] + point))


@pytest.mark.parametrize("public", [*bad_publics().values(), b"", bytes(1215), bytes(1217)])
def test_a_bad_key_in_a_seed_makes_no_session(public: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        ratchet.seeded(
            lambda *_: bytes(32),
            initiator=True,
            own=ALICE,
            peer=BOB,
            seed=bytes(32),
            public=public,
        )


def test_a_huge_input_costs_no_memory() -> None:
    _, two = linked()
    data = two.sid + bytes(50_000_000)
    tracemalloc.start()
    try:
        refused(two, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_nothing_secret_is_shown() -> None:
    one, two = linked()
    one, messages = several(one, 3)
    two, _ = ratchet.unseal(two, messages[2], NOW)
    secrets = [one.sid, one.sending.root, one.sending.chain, two.receiving.root, two.receiving.chain]
    secrets += [key.seed for key in one.receiving.keys] + [skipped.key for skipped in two.receiving.skipped]
    with pytest.raises(RemoteProtocolError) as caught:
        ratchet.unseal(two, flipped(messages[1], 40), NOW)
    parts = (one, two, one.sending, two.receiving, one.receiving.keys, two.receiving.skipped)
    shown = " ".join(repr(part) for part in parts) + repr(caught.value) + repr(caught.value.__cause__)
    assert "Session(1.3, 0.0)" in shown
    for secret in secrets:
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
