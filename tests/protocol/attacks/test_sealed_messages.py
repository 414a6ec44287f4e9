"""Sealed messages of a session in the hands of a relay, of a thief, and of other people."""

import os
import random
from dataclasses import replace

import pytest

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest
from messenger.protocol import ratchet
from messenger.protocol.ratchet_state import Sending, Session
from messenger.protocol.seal import Kind, disclose, enclose
from messenger.protocol.sealed_header import Message
from messenger.protocol.sealed_sessions import Sessions
from tests.helpers.sealing import (
    BOB,
    DAY,
    NOW,
    linked,
    opened,
    refused,
    several,
    turn,
    with_receiving,
    with_sending,
)

CAROL = Fingerprint(digest(b"carol"))


def talked(turns: int = 6) -> tuple[list[Session], list[tuple[int, bytes]]]:
    """Two people who have written to each other, and what was sent to which of them."""
    sides, sent = list(linked()), list[tuple[int, bytes]]()
    for number in range(turns):
        writer = number % 2
        sides[writer], messages = several(sides[writer], 3)
        for message in messages:
            sides[1 - writer], _ = ratchet.unseal(sides[1 - writer], message, NOW)
            sent.append((1 - writer, message))
    return sides, sent


def test_replay_of_every_sealed_message() -> None:
    """At once, later, after a restart, after the keys of missing messages are gone, to either side."""
    sides, sent = talked()
    for reader, message in sent:
        for side in (sides[reader], sides[1 - reader]):
            for now in (NOW, NOW + limits.RATCHET_SKIP_KEPT + 1, NOW - DAY):
                refused(side, message, now)
            refused(Session.decode(side.encode()), message)


def test_replay_of_a_sealed_message_into_another_session_of_the_same_two() -> None:
    sides, sent = talked(2)
    others = linked(b"another link"), opened(b"a first contact")
    for other in others:
        for reader, message in sent:
            for side in other:
                refused(side, message)
                refused(side, side.sid + message[32:])
            refused(replace(sides[reader], sid=other[0].sid), message)


def test_reflection_of_a_sealed_message_to_its_sender() -> None:
    """Also if both directions began with the same secret, which they never do."""
    sides, sent = talked()
    for reader, message in sent:
        refused(sides[1 - reader], message)
    root = os.urandom(32)
    one, two = linked()
    one = replace(one, sending=Sending(root), receiving=replace(one.receiving, root=root))
    two = replace(two, sending=Sending(root), receiving=replace(two.receiving, root=root))
    keys = replace(one.receiving, public=two.receiving.public, keys=two.receiving.keys)
    one, message = ratchet.seal(one, b"to the other")
    refused(replace(one, receiving=keys), message)
    assert ratchet.unseal(two, message, NOW)[1] == b"to the other"


def test_a_sealed_message_for_another_recipient_who_has_the_same_secrets() -> None:
    """Bob gives Carol all that he has of his session with Alice: what she wrote to him is not hers."""
    alice, bob = linked()
    alice, message = ratchet.seal(alice, b"for Bob")
    refused(replace(bob, own=CAROL), message)
    assert ratchet.unseal(bob, message, NOW)[1] == b"for Bob"
    # An epoch that is known already does not make it hers either: each body names both people.
    alice, again = ratchet.seal(alice, b"again for Bob")
    knows, _ = ratchet.unseal(bob, message, NOW)
    refused(replace(knows, own=CAROL), again)


def test_a_sealed_message_resealed_by_another_sender() -> None:
    """Mallory has a session with Bob and a message of Alice's: it is not hers to send, nor in her name."""
    alice, bob = linked()
    mallory, bob_too = linked(b"with Mallory", CAROL, BOB)
    alice, message = ratchet.seal(alice, b"by Alice")
    mallory, own = ratchet.seal(mallory, b"by Mallory")
    for spliced in (
        mallory.sid + message[32:],
        alice.sid + own[32:],
        own[:2400] + message[2400:],
        message[:2400] + own[2400:],
    ):
        refused(bob, spliced)
        refused(bob_too, spliced)
    refused(replace(bob, peer=CAROL), message)
    assert ratchet.unseal(bob, message, NOW)[1] == b"by Alice"


def test_a_relay_that_replays_reorders_withholds_and_swaps_envelopes() -> None:
    """What it hands over opens once, in any order, in its own queue; what it keeps back can be named."""
    dice = random.Random(4)
    one, two = linked()
    queues = os.urandom(32), os.urandom(32)
    one, messages = several(one, 40)
    envelopes = [enclose(queues[0], Kind.MESSAGE, message) for message in messages]
    withheld = set(dice.sample(range(39), 6))
    handed = [at for at in range(40) if at not in withheld] * 2
    dice.shuffle(handed)
    arrived: list[int] = []
    for at in handed:
        with pytest.raises(RemoteProtocolError):
            disclose(queues[1], envelopes[at])
        kind, message = disclose(queues[0], envelopes[at])
        assert kind is Kind.MESSAGE
        if at in arrived:
            refused(two, message)
        else:
            two, payload = ratchet.unseal(two, message, NOW)
            assert payload == str(at).encode()
            arrived.append(at)
    assert set(two.missing) == {(1, at) for at in withheld}
    assert {len(envelope) for envelope in envelopes} == {limits.ENVELOPE_BUCKETS[0]}


def test_a_relay_that_turns_a_message_into_a_first_contact_or_back() -> None:
    """The kind is inside of the envelope: nobody else can change it."""
    key = os.urandom(32)
    envelope = enclose(key, Kind.MESSAGE, b"x")
    for bit in range(8):
        changed = envelope[:12] + bytes((envelope[12] ^ 1 << bit,)) + envelope[13:]
        with pytest.raises(RemoteProtocolError):
            disclose(key, changed)


def test_a_message_of_an_old_session_does_not_bring_it_back_for_sending() -> None:
    """A relay that delays cannot make two people use a session whose keys it may have by now."""
    alice, bob = Sessions(), Sessions()
    sids = []
    for number, rank in ((b"first", 1), (b"second", 2)):
        one, two = linked(number)
        alice = alice.add(one, rank, NOW, acknowledged=False, opening=False).acknowledge(one.sid, NOW)
        bob = bob.add(two, rank, NOW, acknowledged=False, opening=False)
        sids.append(one.sid)
        if number == b"first":
            alice, delayed = alice.seal(b"delayed")
    bob = bob.acknowledge(sids[1], NOW)
    received = bob.unseal(delayed, NOW + DAY)
    assert received.payload == b"delayed"
    current = received.sessions.current
    assert current is not None
    assert current.sid == sids[1]


def test_a_thief_of_a_state_cannot_go_back_and_is_locked_out_again() -> None:
    """With Bob's state of this moment: nothing that he has read, and nothing after two new epochs."""
    alice, bob = linked()
    alice, read = ratchet.seal(alice, b"read before")
    bob, _ = ratchet.unseal(bob, read, NOW)
    stolen = bob
    refused(stolen, read)
    for _ in range(2):
        bob, alice = turn(bob, alice)
        alice, bob = turn(alice, bob)
    alice, after = ratchet.seal(alice, b"after")
    refused(stolen, after)
    assert ratchet.unseal(bob, after, NOW)[1] == b"after"


def test_a_stolen_state_of_the_past_makes_nobody_turn_back() -> None:
    """A thief writes with an old state of Alice's: Bob, who is further, drops it, and Alice goes on."""
    alice, bob = linked()
    stolen = alice
    for _ in range(2):
        alice, bob = turn(alice, bob)
        bob, alice = turn(bob, alice)
    _, forged = ratchet.seal(stolen, b"by the thief")
    refused(bob, forged)
    alice, bob = turn(alice, bob)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": limits.RATCHET_COUNTER_MAX + 1},
        {"number": limits.RATCHET_EPOCH_MESSAGES},
        {"previous": limits.RATCHET_EPOCH_MESSAGES + 1},
        {"key_id": limits.RATCHET_COUNTER_MAX + 1},
    ],
    ids=str,
)
def test_counters_of_a_peer_who_keeps_to_no_limit(
    changes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authentic, by a peer who forges its own state: dropped before anything is computed."""
    one, two = linked()
    begun, _ = ratchet.seal(one, b"")
    with monkeypatch.context() as patch:
        patch.setattr(limits, "RATCHET_EPOCH_MESSAGES", 2**32 - 1)
        _, message = ratchet.seal(with_sending(begun, **changes), b"forged")
    with pytest.raises(RemoteProtocolError):
        Message.decode(message)
    refused(two, message)


def test_an_acknowledgement_that_was_not_earned() -> None:
    """Whoever claims epochs that nobody has begun makes nobody turn to a new one."""
    alice, bob = turn(*linked())
    bob, _ = ratchet.seal(bob, b"")
    for ack in (0, 2, 5, limits.RATCHET_COUNTER_MAX):
        _, message = ratchet.seal(with_receiving(bob, epoch=ack), b"I have it all")
        believing, _ = ratchet.unseal(alice, message, NOW)
        assert not believing.sending.acknowledged
        _, answer = ratchet.seal(believing, b"no new epoch")
        assert Message.decode(answer).header.epoch == 1
    _, message = ratchet.seal(bob, b"I have the one there is")
    believing, _ = ratchet.unseal(alice, message, NOW)
    assert believing.sending.acknowledged
