"""The ratchet, one rule after the other."""

import hashlib
import hmac
import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core import limits
from messenger.core.errors import LocalProtocolError
from messenger.crypto import xwing
from messenger.crypto.xwing import KeyPair
from messenger.protocol import ratchet
from messenger.protocol.ratchet_state import Session, Skipped
from messenger.protocol.sealed_header import Message
from tests.helpers.sealing import (
    ALICE,
    BOB,
    DAY,
    NOW,
    linked,
    numbers,
    opened,
    refused,
    several,
    turn,
    with_receiving,
    with_sending,
)


def test_a_message_byte_for_byte() -> None:
    """The text of the specification, written down once more with nothing but HMAC and AES."""
    one, two = linked(own=ALICE, peer=BOB)
    root, seed = one.sending.root, two.receiving.keys[0].seed

    def expand(key: bytes, label: bytes) -> bytes:
        info = b"sotto/1 " + label + b"\x00" + bytes(4) + b"\x00\x20"
        return hmac.digest(key, info + b"\x01", "sha256")

    def read(message: bytes, chain: bytes | None) -> tuple[bytes, bytes]:
        header, sealed = message[32 : 32 + 2368], message[32 + 2368 :]
        ciphertext, nonce = header[20 + 1216 : 20 + 1216 + 1120], header[-12:]
        shared = KeyPair.from_seed(seed).decapsulate(ciphertext)
        place = hashlib.sha256(one.sid + ALICE + bytes([0, 0, 0, 1]) + bytes(4) + ciphertext).digest()
        mixed = hmac.digest(root, shared + place, "sha256")
        chain = chain or expand(mixed, b"chain")
        payload = AESGCM(expand(chain, b"mk")).decrypt(nonce, sealed, one.sid + ALICE + BOB + header)
        return payload, expand(chain, b"ck")

    one, first = ratchet.seal(one, b"first")
    one, second = ratchet.seal(one, b"second")
    assert len(first) == 2416 + len(b"first")
    assert first[:52] == one.sid + numbers(1, 0, 0, 0, 0)
    assert second[:52] == one.sid + numbers(1, 0, 1, 0, 0)
    assert first[52 : 52 + 1216] == KeyPair.from_seed(one.receiving.keys[1].seed).public
    payload, chain = read(first, None)
    assert payload == b"first"
    assert read(second, chain)[0] == b"second"
    two, answer = ratchet.seal(ratchet.unseal(two, second, NOW)[0], b"answer")
    assert answer[32:52] == numbers(1, 1, 0, 0, 1)
    one, third = ratchet.seal(ratchet.unseal(one, answer, NOW)[0], b"third")
    assert third[32:52] == numbers(2, 1, 0, 2, 1)


def test_epochs_turn_with_the_conversation() -> None:
    one, two = linked()
    for round_ in range(1, 20):
        one, two = turn(one, two)
        assert (one.sending.epoch, two.receiving.epoch) == (round_, round_)
        two, one = turn(two, one)
        assert (two.sending.epoch, one.receiving.epoch) == (round_, round_)
        assert len(one.receiving.keys) + len(two.receiving.keys) <= 3
    assert one.sending.key_id == 18
    assert two.sending.key_id == 19


def test_no_new_epoch_before_the_last_one_has_arrived() -> None:
    one, two = linked()
    one, _ = ratchet.seal(one, b"lost")
    for _ in range(5):
        two, one = turn(two, one)
        one, _ = ratchet.seal(one, b"lost")
        assert one.sending.epoch == two.sending.epoch == 1
    one, two = turn(one, two)
    two, one = turn(two, one)
    one, two = turn(one, two)
    assert (one.sending.epoch, two.sending.epoch) == (2, 2)


def test_a_late_word_about_an_older_epoch_acknowledges_nothing() -> None:
    one, two = turn(*linked())
    two, answer = ratchet.seal(two, b"answer")
    two, late = ratchet.seal(two, b"late")
    one, _ = ratchet.unseal(one, answer, NOW)
    one, _ = ratchet.seal(one, b"lost, and the first of epoch 2")
    one, _ = ratchet.unseal(one, late, NOW)
    assert not one.sending.acknowledged
    one, two = turn(one, two)
    assert two.missing == ((2, 0),)


def test_any_order_of_arrival() -> None:
    one, two = linked()
    one, messages = several(one, 50)
    for number in reversed(range(50)):
        two, payload = ratchet.unseal(two, messages[number], NOW)
        assert payload == str(number).encode()
        assert len(two.missing) == number
    for message in messages:
        refused(two, message)


def test_the_tail_of_an_epoch_may_come_after_the_next_one_has_begun() -> None:
    one, two = linked()
    one, messages = several(one, 10)
    two, _ = ratchet.unseal(two, messages[3], NOW)
    two, one = turn(two, one)
    one, two = turn(one, two)
    assert two.receiving.epoch == 2
    assert two.missing == tuple((1, number) for number in range(10) if number != 3)
    for number in (9, 0, 5):
        two, payload = ratchet.unseal(two, messages[number], NOW)
        assert payload == str(number).encode()
    refused(two, messages[9])


def test_all_but_the_last_message_of_an_epoch_may_be_lost() -> None:
    one, two = linked()
    one, messages = several(one, limits.RATCHET_EPOCH_MESSAGES)
    far, payload = ratchet.unseal(two, messages[-1], NOW)
    assert payload == b"999"
    assert len(far.missing) == limits.RATCHET_EPOCH_MESSAGES - 1
    assert ratchet.unseal(far, messages[0], NOW)[1] == b"0"


def test_a_sender_waits_for_a_word_before_the_receiver_could_not_follow() -> None:
    one, two = linked()
    one, messages = several(one, limits.RATCHET_EPOCH_MESSAGES)
    assert not ratchet.ready(one)
    with pytest.raises(LocalProtocolError):
        ratchet.seal(one, b"one more")
    # All are lost but one of the first; what it brings back sets the sender free, and nothing is stuck.
    two, _ = ratchet.unseal(two, messages[3], NOW)
    two, one = turn(two, one)
    assert ratchet.ready(one)
    one, two = turn(one, two)
    assert two.receiving.epoch == 2
    assert len(two.missing) == limits.RATCHET_EPOCH_MESSAGES - 1
    assert ratchet.unseal(two, messages[999], NOW)[1] == b"999"


def test_the_oldest_keys_of_a_session_make_room() -> None:
    one, two = linked()
    one, messages = several(one, 11)
    old = tuple(Skipped(0, number, NOW, bytes(32)) for number in range(limits.RATCHET_SKIP_SESSION))
    two, _ = ratchet.unseal(with_receiving(two, skipped=old), messages[10], NOW)
    assert len(two.missing) == limits.RATCHET_SKIP_SESSION
    assert two.missing[0] == (0, 10)
    assert two.missing[-1] == (1, 9)


def test_keys_of_missing_messages_are_forgotten_in_time() -> None:
    one, two = linked()
    one, messages = several(one, 4)
    two, _ = ratchet.unseal(two, messages[1], NOW)
    two, _ = ratchet.unseal(two, messages[3], NOW + 10 * DAY)
    end = NOW + limits.RATCHET_SKIP_KEPT
    assert ratchet.expire(two, end) is two
    assert ratchet.expire(two, end + 1).missing == ((1, 2),)
    assert ratchet.unseal(two, messages[0], end)[1] == b"0"
    refused(two, messages[0], end + 1)
    later, _ = ratchet.unseal(two, messages[2], end + 1)
    assert later.missing == ()


def test_the_initiator_of_the_link_is_a() -> None:
    one, two = linked()
    assert one.sid == two.sid == hashlib.sha256(b"linkseal sid").digest()
    assert one.sending.root == two.receiving.root == hashlib.sha256(b"linkseal A>B").digest()
    assert two.sending.root == one.receiving.root == hashlib.sha256(b"linkseal B>A").digest()


def test_who_was_written_to_first_answers_first() -> None:
    """In a session of a first contact the writer waits for the recipient's key."""
    one, two = opened(b"first contact")
    assert not ratchet.ready(one)
    with pytest.raises(LocalProtocolError):
        ratchet.seal(one, b"too early")
    for _ in range(3):
        two, one = turn(two, one)
        one, two = turn(one, two)
    assert (one.sending.key_id, two.sending.key_id) == (3, 2)


def test_a_session_out_of_a_backup_reads_and_does_not_write() -> None:
    one, two = linked()
    two, messages = several(two, 2)
    one, _ = ratchet.unseal(one, messages[0], NOW)
    backup = replace(one, receive_only=True)
    assert not ratchet.ready(backup)
    with pytest.raises(LocalProtocolError):
        ratchet.seal(backup, b"never")
    backup, payload = ratchet.unseal(backup, messages[1], NOW)
    assert payload == b"1"
    # After the backup was made both went on: what comes is made for a key that it has never had.
    one, two = turn(one, two)
    _, message = ratchet.seal(two, b"more")
    refused(backup, message)


def test_a_session_out_of_a_backup_reads_what_acknowledges_more_than_it_knows() -> None:
    one, two = linked()
    one, two = turn(one, two)
    two, first = ratchet.seal(two, b"first")
    one, _ = ratchet.unseal(one, first, NOW)
    one, two = turn(one, two)
    two, one = turn(two, one)
    backup = replace(one, receive_only=True)
    one, two = turn(one, two)
    two = with_sending(two, acknowledged=False)  # as one does whose epoch has crossed the peer's
    _, message = ratchet.seal(two, b"second")
    assert Message.decode(message).header.ack > backup.sending.epoch
    assert ratchet.unseal(backup, message, NOW)[1] == b"second"


def test_two_copies_of_a_machine_never_seal_with_the_same_nonce() -> None:
    """A snapshot that runs twice: the oracle of the whole run would see a (key, nonce) pair again."""
    one, two = linked()
    one, two = turn(one, two)
    copies = [ratchet.seal(one, bytes([copy]))[1] for copy in range(2)]
    nonces = {Message.decode(message).header.nonce for message in copies}
    assert len(nonces) == 2
    two, payload = ratchet.unseal(two, copies[0], NOW)
    assert payload == b"\x00"
    refused(two, copies[1])


def test_theft_heals() -> None:
    """Who copies a whole session can read on until both sides have turned, and not after that."""
    one, two = linked()
    one, two = turn(one, two)
    two, one = turn(two, one)
    thief = one
    two, message = ratchet.seal(two, b"read by the thief")
    assert ratchet.unseal(thief, message, NOW)[1] == b"read by the thief"
    one, _ = ratchet.unseal(one, message, NOW)
    one, two = turn(one, two)  # brings a key that the thief does not have
    two, message = ratchet.seal(two, b"not any more")
    refused(thief, message)
    one, _ = ratchet.unseal(one, message, NOW)


def test_what_was_read_cannot_be_read_from_the_state_that_is_left() -> None:
    one, two = linked()
    one, messages = several(one, 3)
    for message in messages:
        two, _ = ratchet.unseal(two, message, NOW)
    left = two.encode()
    for message in messages:
        refused(Session.decode(left), message)
    assert all(key.seed not in left for key in linked()[1].receiving.keys)


def test_limits_of_seal() -> None:
    one, two = linked()
    with pytest.raises(LocalProtocolError):
        ratchet.seal(one, bytes(limits.SEALED_PAYLOAD_MAX + 1))
    payload = os.urandom(limits.SEALED_PAYLOAD_MAX)
    _, message = ratchet.seal(one, payload)
    assert ratchet.unseal(two, message, NOW)[1] == payload
    assert ratchet.unseal(two, ratchet.seal(one, b"")[1], NOW)[1] == b""


def test_counters_end_before_they_overflow() -> None:
    most = limits.RATCHET_COUNTER_MAX
    one, two = turn(*linked())
    two, one = turn(two, one)
    assert ratchet.ready(with_sending(one, epoch=most - 1))
    assert not ratchet.ready(with_sending(one, epoch=most))


def test_no_more_than_two_private_keys_are_alive() -> None:
    one, two = linked()
    most = 0
    for number in range(60):
        # Each side's message crosses the other's, every third one is lost.
        (one, first), (two, second) = ratchet.seal(one, b"one"), ratchet.seal(two, b"two")
        most = max(most, len(one.receiving.keys), len(two.receiving.keys))
        if number % 3:
            two, _ = ratchet.unseal(two, first, NOW)
        one, _ = ratchet.unseal(one, second, NOW)
    assert most == limits.RATCHET_KEYS_MAX
    assert one.sending.epoch > 10


def test_encapsulation_is_to_the_newest_key() -> None:
    one, two = linked()
    seed = one.receiving.keys[0].seed
    one, first = ratchet.seal(one, b"")
    two, _ = ratchet.unseal(two, first, NOW)
    two, answer = ratchet.seal(two, b"")
    ciphertext = Message.decode(answer).header.ciphertext
    newest = one.receiving.keys[-1]
    assert newest.id == 1
    assert newest.seed != seed
    shared = xwing.KeyPair.from_seed(newest.seed).decapsulate(ciphertext)
    assert shared != xwing.KeyPair.from_seed(seed).decapsulate(ciphertext)
    one, _ = ratchet.unseal(one, answer, NOW)
    assert one.receiving.keys == ()
