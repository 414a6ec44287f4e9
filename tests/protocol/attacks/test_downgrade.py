"""Somebody on the wire who would like the two to use something older or weaker."""

import itertools

import msgspec
import pytest

from messenger.core import limits
from messenger.core.errors import CryptoError, Reason
from messenger.crypto.hkdf import vec
from messenger.protocol import puzzle
from messenger.protocol.handshake import PuzzleNeeded
from messenger.protocol.keyschedule import OPEN_DOOR_KEY, mac1
from messenger.protocol.messages import M1, M2, SUITE, MessageType, Retry, frame
from tests.helpers.keys import identity
from tests.helpers.links import End, refused
from tests.protocol.forge import Caller, body

STRONGER = 0x0009


def resealed(m1: bytes, suites: tuple[int, ...], key: bytes) -> bytes:
    """M1 with other suites and a mac1 that holds, by somebody who knows whom it is for."""
    changed = msgspec.structs.replace(M1.decode(body(m1)), suites=suites)
    return frame(MessageType.M1, changed.unsigned() + mac1(key, changed.unsigned()))


@pytest.mark.parametrize("open_door", [True, False])
def test_stripping_a_stronger_suite_from_m1(open_door: bool) -> None:
    caller = Caller("alice", None if open_door else "bob")
    bob = End.answering("bob", open_door=True)
    offered = caller.m1(msgspec.structs.replace(caller.hello, suites=(STRONGER, SUITE)))
    bob.receive(resealed(offered, (SUITE,), OPEN_DOOR_KEY if open_door else identity("bob").fingerprint))
    m2 = bob.sent()
    assert m2[0] == MessageType.M2, "bob cannot see it"
    with pytest.raises(CryptoError):
        caller.take_m2(m2)


def test_stripping_a_suite_without_knowing_whom_it_is_for() -> None:
    caller = Caller("alice", "bob")
    offered = caller.m1(msgspec.structs.replace(caller.hello, suites=(STRONGER, SUITE)))
    for key in (OPEN_DOOR_KEY, identity("alice").fingerprint):
        refused(End.answering("bob"), resealed(offered, (SUITE,), key))
    stripped = body(offered).replace(vec(b"\0\x09\0\x01"), vec(b"\0\x01"))
    refused(End.answering("bob", open_door=True), frame(MessageType.M1, stripped))


def test_adding_suites_to_m1() -> None:
    one, bob = End.calling("alice", "bob"), End.answering("bob")
    changed = resealed(one.sent(), (STRONGER, SUITE), identity("bob").fingerprint)
    bob.receive(changed)
    refused(one, bob.sent())


def test_any_other_change_of_m1_by_somebody_who_knows_whom_it_is_for() -> None:
    for field in ("nonce", "tag"):
        one, bob = End.calling("alice", "bob"), End.answering("bob")
        hello = M1.decode(body(one.sent()))
        changed = msgspec.structs.replace(hello, **{field: bytes(len(getattr(hello, field)))})
        bob.receive(resealed(frame(MessageType.M1, changed.encode()), (SUITE,), identity("bob").fingerprint))
        refused(one, bob.sent())


def test_m2_that_names_a_suite_that_was_not_offered() -> None:
    one, bob = End.calling("alice", "bob"), End.answering("bob")
    bob.receive(one.sent())
    m2 = M2.decode(body(bob.sent()))
    changed = msgspec.structs.replace(m2, suite=STRONGER)
    assert refused(one, frame(MessageType.M2, changed.encode())).reason is Reason.VERSION


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_in_m1_or_m2(version: int) -> None:
    one, bob = End.calling("alice", "bob"), End.answering("bob")
    m1 = one.sent()
    unsigned = bytes((version,)) + body(m1)[1:-16]
    sealed = frame(MessageType.M1, unsigned + mac1(identity("bob").fingerprint, unsigned))
    assert refused(End.answering("bob"), sealed).reason is Reason.VERSION
    bob.receive(m1)
    m2 = bob.sent()
    assert refused(one, m2[:4] + bytes((version,)) + m2[5:]).reason is Reason.VERSION


def test_open_door_is_not_taken_for_contact_mode() -> None:
    """Whoever was dialled by address only is told so, although the caller was changed on the way."""
    one, bob = End.calling("alice", None), End.answering("bob", open_door=True)
    bob.receive(resealed(one.sent(), (SUITE,), identity("bob").fingerprint))
    refused(one, bob.sent())


def test_contact_mode_is_not_taken_for_open_door() -> None:
    one, bob = End.calling("alice", "bob"), End.answering("bob", open_door=True)
    bob.receive(resealed(one.sent(), (SUITE,), OPEN_DOOR_KEY))
    refused(one, bob.sent())


def test_a_forged_retry_costs_one_puzzle_and_then_the_link() -> None:
    one, bob = End.calling("alice", "bob"), End.answering("bob")
    first = one.sent()
    one.receive(frame(MessageType.RETRY, Retry(4, bytes(32)).encode()))
    assert one.count(PuzzleNeeded) == 1
    assert "without a puzzle" in str(refused(bob, one.sent()))
    bob = End.answering("bob")
    bob.receive(first)
    refused(one, bob.sent())


def test_a_forged_retry_cannot_ask_for_more_than_the_bound() -> None:
    one = End.calling("alice", "bob")
    one.sent()
    refused(one, frame(MessageType.RETRY, Retry(limits.PUZZLE_BITS_MAX + 1, bytes(32)).encode()))
    assert one.count(PuzzleNeeded) == 0


def test_a_retry_that_is_dropped_from_the_transcript() -> None:
    """The wire answers the puzzle in the place of the initiator, who never learns of it."""
    one, bob = End.calling("alice", "bob"), End.answering("bob", puzzle_bits=4)
    m1 = one.sent()
    bob.receive(m1)
    retry = Retry.decode(body(bob.sent()))
    counter = puzzle.solve(puzzle.material(retry.seed, body(m1)), retry.bits).to_bytes(8, "big")
    again = msgspec.structs.replace(M1.decode(body(m1)), solution=counter)
    bob.receive(resealed(frame(MessageType.M1, again.encode()), (SUITE,), identity("bob").fingerprint))
    refused(one, bob.sent())


def test_a_retry_replayed_to_another_stream_or_from_another_source() -> None:
    bob = End.answering("bob", puzzle_bits=8)
    caller = Caller("alice", "bob")
    bob.receive(caller.m1())
    later = End.answering("bob", puzzle_bits=20)
    later.receive(caller.m1())
    here, there = (Retry.decode(body(end.sent())) for end in (bob, later))
    assert here.seed != there.seed
    first, second = (puzzle.material(retry.seed, caller.sent_m1) for retry in (here, there))
    counters = (number.to_bytes(8, "big") for number in itertools.count())
    counter = next(c for c in counters if puzzle.holds(first, 8, c) and not puzzle.holds(second, 20, c))
    solved = caller.m1(msgspec.structs.replace(caller.hello, solution=counter))
    elsewhere = End.answering("bob", puzzle_bits=8)
    refused(elsewhere, solved)
    refused(later, solved)
    bob.receive(solved)
    assert bob.sent()[0] == MessageType.M2
