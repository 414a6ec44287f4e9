"""Sealed sessions (SPEC.md 10.3 to 10.5): the program against the second implementation."""

from dataclasses import replace

import pytest

from messenger.core.errors import LocalProtocolError
from messenger.core.ids import Fingerprint
from messenger.protocol import ratchet as our_ratchet
from messenger.protocol.ratchet_state import OwnKey, Receiving, Sending, Session
from messenger.protocol.sealed_sessions import Sessions as OurSessions
from tests.independent.meeting import FAULTS
from tests.independent.pairs import Pair
from tests.independent.primitives import Chance, H, expand, number, xwing_public
from tests.independent.ratchet import Ratchet, Waits, session_of_link
from tests.independent.sessions import Sessions
from tests.independent.two_sealers import (
    ALICE,
    BOB,
    NOW,
    Mine,
    Ours,
    Side,
    Wire,
    by_link,
    counters,
    mine_of,
    writer_and_reader,
)

DAY = 86400
WAITS = (Waits, LocalProtocolError)


def by_first_contact(*, mine_writes: bool) -> tuple[Side, Side]:
    """Both sides of a session that a first contact of Alice made; the first one wrote."""
    k0, seed = H(b"k0"), H(b"seed")
    writer, reader = writer_and_reader(k0, seed)
    sid, there, back = (expand(k0, label) for label in ("seal sid", "seal A>B", "seal B>A"))
    alice, bob = Fingerprint(ALICE), Fingerprint(BOB)
    if mine_writes:
        receiving = Receiving(there, xwing_public(seed), ())
        return Mine(writer), Ours(Session(sid, bob, alice, Sending(back), receiving))
    our_writer = Session(sid, alice, bob, Sending(there), Receiving(back, b"", (OwnKey(0, seed),)))
    return Ours(our_writer), Mine(reader)


@pytest.mark.parametrize("mine_calls", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_a_bad_network(seed: int, mine_calls: bool) -> None:
    sides = by_link(mine_calls=mine_calls)
    wire = Wire(sides, seed)
    wire.run(3000)
    assert len(wire.opened) + wire.lost == wire.sent > 1000
    assert wire.lost > 20
    for side, other in (sides, sides[::-1]):
        assert side.counters()[0] - other.counters()[2] <= 1, "at most one epoch is on its way"
        assert side.counters()[0] > 10


@pytest.mark.parametrize("mine_writes", [True, False])
def test_a_bad_network_after_a_first_contact(mine_writes: bool) -> None:
    sides = by_first_contact(mine_writes=mine_writes)
    assert not sides[0].can_seal
    with pytest.raises(WAITS):
        sides[0].seal(b"too early")
    wire = Wire(sides, 5)
    wire.run(800)
    assert len(wire.opened) + wire.lost == wire.sent > 200


def test_both_sides_of_a_state_agree_all_the_way() -> None:
    """After every message, the program's receiver and a copy of it in the other implementation are alike."""
    one, other = by_link(mine_calls=True)
    for turn in range(40):
        sender, receiver = (other, one) if turn % 3 == 0 else (one, other)
        messages = [sender.seal(number(turn, 4)) for _ in range(turn % 5 + 1)]
        for message in messages[::-2]:
            assert receiver.open(message, NOW + turn) == number(turn, 4)
        copy = Mine(mine_of(other.session))
        assert copy.counters() == other.counters()
        waiting = one.seal(b"for both")
        assert copy.open(waiting, NOW) == other.open(waiting, NOW) == b"for both"
        assert mine_of(other.session) == copy.ratchet


@pytest.mark.parametrize("mine_calls", [True, False])
def test_sessions_of_a_real_link(mine_calls: bool) -> None:
    pair, chance = Pair(mine_calls=mine_calls), Chance()
    session = pair.mine.session
    assert session is not None
    own, peer = (session.fp_i, session.fp_r) if mine_calls else (session.fp_r, session.fp_i)
    seeds = chance.random(32), chance.random(32)
    mine = session_of_link(
        session.exporter,
        own,
        peer,
        seeds[0],
        xwing_public(seeds[1]),
        initiator=mine_calls,
    )
    ours = our_ratchet.seeded(
        pair.ours.link.export,
        initiator=not mine_calls,
        own=Fingerprint(peer),
        peer=Fingerprint(own),
        seed=seeds[1],
        public=xwing_public(seeds[0]),
    )
    wire = Wire((Mine(mine), Ours(ours)), 7)
    wire.run(100)
    assert wire.opened


@pytest.mark.parametrize("mine_seals", [True, False])
def test_a_thousand_messages_and_then_a_word_of_the_other(mine_seals: bool) -> None:
    mine, ours = by_link(mine_calls=True)
    sender, receiver = (mine, ours) if mine_seals else (ours, mine)
    messages = [sender.seal(b"") for _ in range(1000)]
    assert not sender.can_seal
    with pytest.raises(WAITS):
        sender.seal(b"")
    receiver.open(messages[-1], NOW)
    assert receiver.counters()[5] == 999
    sender.open(receiver.seal(b"word"), NOW)
    assert list(counters(sender.seal(b""))) == [2, 1, 0, 1000, 1]
    for message in messages[:-1]:
        assert receiver.open(message, NOW) == b""
    assert receiver.counters()[5] == 0


@pytest.mark.parametrize("mine_reads", [True, False])
def test_the_oldest_of_too_many_missing_messages_are_forgotten(mine_reads: bool) -> None:
    mine, ours = by_link(mine_calls=True)
    reader, writer = (mine, ours) if mine_reads else (ours, mine)
    missing: list[bytes] = []
    for _ in range(6):
        *epoch, last = [writer.seal(b"") for _ in range(900)]
        missing += epoch
        reader.open(last, NOW)
        writer.open(reader.seal(b""), NOW)
    assert reader.counters()[5] == 5000
    for message in missing[:394]:
        with pytest.raises(FAULTS):
            reader.open(message, NOW)
    for message in missing[394:]:
        reader.open(message, NOW)
    assert reader.counters()[5] == 0


@pytest.mark.parametrize(("age", "opens"), [(30 * DAY, True), (30 * DAY + 1, False)])
def test_missing_messages_are_waited_for_30_days(age: int, opens: bool) -> None:
    for reader, writer in (by_link(mine_calls=True), by_link(mine_calls=True)[::-1]):
        early, late = writer.seal(b"early"), writer.seal(b"late")
        reader.open(late, NOW)
        if opens:
            assert reader.open(early, NOW + age) == b"early"
        else:
            with pytest.raises(FAULTS):
                reader.open(early, NOW + age)
            reader.open(writer.seal(b""), NOW + age)
            assert reader.counters()[5] == 0


PLACES = {"epoch": 32, "key_id": 36, "number": 40, "previous": 44, "ack": 48}
BAD = [
    ("epoch", 0),
    ("epoch", 2**31),
    ("epoch", 3),
    ("key_id", 2**31),
    ("key_id", 7),
    ("number", 1000),
    ("previous", 1001),
    ("previous", 1),
    ("ack", 2**31),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_counters_out_of_bounds(name: str, value: int) -> None:
    for reader, writer in (by_link(mine_calls=True), by_link(mine_calls=True)[::-1]):
        message = writer.seal(b"x")
        at = PLACES[name]
        Wire((reader, writer), 0).dropped(0, message[:at] + number(value, 4) + message[at + 4 :])
        assert reader.open(message, NOW) == b"x"


def test_payloads_of_every_size() -> None:
    mine, ours = by_link(mine_calls=True)
    for sender, receiver in ((mine, ours), (ours, mine)):
        for size in (0, 1, 196608):
            message = sender.seal(bytes(size))
            assert len(message) == size + 2416
            Wire((sender, receiver), 0).dropped(1, message[:-1])
            Wire((sender, receiver), 0).dropped(1, message[:2415])
            Wire((sender, receiver), 0).dropped(1, message + bytes(196609))
            assert receiver.open(message, NOW) == bytes(size)
        with pytest.raises((*WAITS, *FAULTS)):
            sender.seal(bytes(196609))


def test_the_last_epoch() -> None:
    """A session whose counter is at its end seals no more once an epoch is due."""
    mine, ours = by_link(mine_calls=True)
    mine.open(ours.seal(b""), NOW)
    ours.open(mine.seal(b""), NOW)
    session = replace(ours.session, sending=replace(ours.session.sending, epoch=2**31 - 1, acknowledged=True))
    for side in (Ours(session), Mine(mine_of(session))):
        assert not side.can_seal
    waiting = replace(session, sending=replace(session.sending, acknowledged=False))
    for side in (Ours(waiting), Mine(mine_of(waiting))):
        assert next(counters(side.seal(b""))) == 2**31 - 1


# --- several sessions with one contact


def pairs(count: int) -> list[tuple[Ratchet, Session]]:
    made = [by_link(mine_calls=True) for _ in range(count)]
    return [(mine.ratchet, ours.session) for mine, ours in made]


def current_of(mine: Sessions, ours: OurSessions) -> bytes | None:
    """The id of the session for sending, on which both agree."""
    found = mine.current.ratchet.sid if mine.current else None
    assert found == (ours.current.sid if ours.current else None)
    return found


def test_ranks_and_the_session_for_sending() -> None:
    mine, ours = Sessions(), OurSessions()
    made = pairs(3)
    assert mine.next_rank(NOW) == ours.rank(NOW * 1000) == NOW * 1000
    for at, rank in enumerate((NOW * 1000, NOW * 1000 + 5, NOW * 1000 + 5)):
        mine.add(made[at][0], rank, NOW)
        ours = ours.add(made[at][1], rank, NOW, acknowledged=False, opening=False)
    assert current_of(mine, ours) is None
    assert mine.next_rank(NOW) == ours.rank(NOW * 1000) == NOW * 1000 + 6
    assert mine.next_rank(NOW + 1) == ours.rank(NOW * 1000 + 1000) == NOW * 1000 + 1000
    for ratchet, _ in made:
        mine.acknowledged(ratchet.sid, NOW)
        ours = ours.acknowledge(ratchet.sid, NOW)
        assert current_of(mine, ours) is not None
    assert current_of(mine, ours) == max(made[1][0].sid, made[2][0].sid)


@pytest.mark.parametrize("mine_first", [True, False])
def test_both_write_first_at_once(mine_first: bool) -> None:
    """Each has a first contact of its own on its way; one message of either makes both agree."""
    mine, ours = Sessions(), OurSessions()
    alice, bob = Fingerprint(ALICE), Fingerprint(BOB)
    k0, other_k0 = H(b"mine"), H(b"ours")
    writer, reader = writer_and_reader(k0, H(b"seed"))
    sid, there, back = (expand(k0, label) for label in ("seal sid", "seal A>B", "seal B>A"))
    mine.add(writer, 7, NOW, waits=True)
    theirs = Session(sid, bob, alice, Sending(back), Receiving(there, xwing_public(H(b"seed")), ()))
    sid, there, back = (expand(other_k0, label) for label in ("seal sid", "seal A>B", "seal B>A"))
    own = Session(sid, bob, alice, Sending(there), Receiving(back, b"", (OwnKey(0, H(b"other")),)))
    ours = ours.add(own, 7, NOW, acknowledged=False, opening=True)
    ours = ours.add(theirs, 7, NOW, acknowledged=True, opening=True)
    mine_reader = replace(reader, sid=sid, own=ALICE, peer=BOB, root_s=back, root_r=there)
    mine_reader.pk_r = xwing_public(H(b"other"))
    mine.add(mine_reader, 7, NOW, fit=True)
    for turn in range(4):
        if (turn % 2 == 0) is mine_first:
            assert mine.current is not None
            received = ours.unseal(mine.current.ratchet.seal(b"hello", Chance()), NOW)
            ours, payload = received.sessions, received.payload
        else:
            ours, message = ours.seal(b"hello")
            payload = mine.open(message, NOW)
        assert payload == b"hello"
    assert current_of(mine, ours) == max(each.ratchet.sid for each in mine.kept.values())


def test_old_sessions_are_kept_for_receiving() -> None:
    mine, ours, made = Sessions(), OurSessions(), pairs(8)
    for day, (ratchet, session) in enumerate(made):
        now = NOW + day * DAY
        rank = mine.next_rank(now)
        assert rank == ours.rank(now * 1000)
        mine.add(ratchet, rank, now)
        ours = ours.add(session, rank, now, acknowledged=False, opening=False)
        mine.acknowledged(ratchet.sid, now)
        ours = ours.acknowledge(ratchet.sid, now)
        assert set(mine.kept) == {held.session.sid for held in ours.held}
    assert len(mine.kept) == 6
    for day in range(8, 40):
        mine.expire(NOW + day * DAY)
        ours = ours.expire(NOW + day * DAY)
        assert set(mine.kept) == {held.session.sid for held in ours.held}
    assert len(mine.kept) == 1


def test_sessions_out_of_a_backup_only_receive() -> None:
    mine, ours = by_link(mine_calls=True)
    held, held_mine = OurSessions(), Sessions()
    held = held.add(ours.session, 5, NOW, acknowledged=True, opening=False).restored(NOW + DAY)
    held_mine.add(mine_of(ours.session), 5, NOW, fit=True)
    held_mine.restored(NOW + DAY)
    assert not held.ready
    assert held_mine.current is None
    message = mine.seal(b"hello")
    assert held.unseal(message, NOW).payload == held_mine.open(message, NOW) == b"hello"
    for now, left in ((NOW + 31 * DAY, 1), (NOW + 31 * DAY + 1, 0)):
        held_mine.expire(now)
        assert len(held.expire(now).held) == len(held_mine.kept) == left
