"""Several sessions with one contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import DatabaseDamaged, DatabaseTooNew, LocalProtocolError, RemoteProtocolError
from messenger.protocol.ratchet_state import Session
from messenger.protocol.sealed_sessions import Sessions
from tests.helpers.sealing import DAY, NOW, PEOPLE, flipped, linked, opened

SMALLER, GREATER = PEOPLE


def seeded(one: Sessions, two: Sessions, name: bytes, now: int = NOW) -> tuple[Sessions, Sessions]:
    """Both have met and exchanged seeds; no acknowledgement has arrived."""
    rank = max(one.rank(now * 1000), two.rank(now * 1000))
    first, second = linked(name, SMALLER, GREATER)
    return (
        one.add(first, rank, now, acknowledged=False, opening=False),
        two.add(second, rank, now, acknowledged=False, opening=False),
    )


def met(one: Sessions, two: Sessions, name: bytes, now: int = NOW) -> tuple[Sessions, Sessions]:
    """Both have met, and both acknowledgements have arrived."""
    one, two = seeded(one, two, name, now)
    sid = one.held[-1].session.sid
    return one.acknowledge(sid, now), two.acknowledge(sid, now)


def written(one: Sessions, name: bytes, now: int = NOW) -> tuple[Sessions, tuple[Session, int]]:
    """The first one writes a first contact, which is still on its way."""
    rank = one.rank(now * 1000)
    first, second = opened(name, SMALLER, GREATER)
    return one.add(first, rank, now, acknowledged=False, opening=True), (second, rank)


def exchange(one: Sessions, two: Sessions, now: int = NOW) -> tuple[Sessions, Sessions]:
    """One message that arrives."""
    one, message = one.seal(b"payload")
    received = two.unseal(message, now)
    assert received.payload == b"payload"
    return one, received.sessions


def sid_of(sessions: Sessions) -> bytes:
    assert sessions.current is not None
    return sessions.current.sid


def test_nothing_to_send_in() -> None:
    none = Sessions()
    assert none.current is None
    assert not none.ready
    assert none.may_open
    with pytest.raises(LocalProtocolError):
        none.seal(b"payload")
    with pytest.raises(RemoteProtocolError):
        none.unseal(b"", NOW)
    with pytest.raises(RemoteProtocolError):
        none.acknowledge(bytes(32), NOW)


def test_a_seed_is_for_sending_once_it_is_acknowledged() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    first = sid_of(one)
    one, two = seeded(one, two, b"second")
    assert sid_of(one) == sid_of(two) == first
    one, two = exchange(one, two)
    one = one.acknowledge(one.held[-1].session.sid, NOW)
    assert sid_of(one) != first
    # The acknowledgement of the other side was lost with the link: the next message stands for it.
    assert sid_of(two) == first
    two, one = exchange(two, one)
    one, two = exchange(one, two)
    assert sid_of(one) == sid_of(two) != first
    two = two.acknowledge(sid_of(two), NOW)
    two, one = exchange(two, one)


def test_a_link_seeds_a_session_once_a_day() -> None:
    assert Sessions().wants_seed(NOW)
    one, two = met(Sessions(), Sessions(), b"first")
    assert not one.wants_seed(NOW + limits.SEED_INTERVAL - 1)
    assert one.wants_seed(NOW + limits.SEED_INTERVAL)
    assert one.restored(NOW).wants_seed(NOW)
    _, (session, rank) = written(Sessions(), b"hello")
    assert Sessions().add(session, rank, NOW, acknowledged=True, opening=True).wants_seed(NOW)
    later = NOW + DAY
    one, two = met(one, two, b"second", later)
    assert not two.wants_seed(later)


def test_a_message_on_its_way_in_an_old_session_still_arrives() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    one, late = one.seal(b"late")
    for number in range(limits.SESSIONS_OLD_MAX):
        one, two = met(one, two, b"%d" % number)
    assert two.unseal(late, NOW).payload == b"late"
    one, two = met(one, two, b"one more")
    assert len(one.held) == len(two.held) == limits.SESSIONS_OLD_MAX + 1
    with pytest.raises(RemoteProtocolError):
        two.unseal(late, NOW)


def test_old_sessions_end_in_time_and_the_one_for_sending_does_not() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    one, late = one.seal(b"late")
    replaced = NOW + 400 * DAY
    one, two = met(one, two, b"second", replaced)
    end = replaced + limits.SESSIONS_OLD_KEPT
    assert two.expire(end).unseal(late, end).payload == b"late"
    gone = two.expire(end + 1)
    assert gone.current == two.current
    assert len(gone.held) == 1
    assert gone.expire(end + 400 * DAY).current == two.current
    with pytest.raises(RemoteProtocolError):
        gone.unseal(late, end + 1)


def test_keys_of_missing_messages_end_in_time() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    one, _ = one.seal(b"lost")
    one, two = exchange(one, two)
    assert two.current is not None
    assert two.current.missing == ((1, 0),)
    current = two.expire(NOW + limits.RATCHET_SKIP_KEPT + 1).current
    assert current is not None
    assert current.missing == ()


def test_a_first_contact_is_answered() -> None:
    one, (session, rank) = written(Sessions(), b"hello")
    assert not one.ready
    two = Sessions().add(session, rank, NOW, acknowledged=True, opening=True)
    assert two.ready
    two, one = exchange(two, one)
    assert one.ready
    one, two = exchange(one, two)


def test_a_repeated_first_contact_does_not_reset_its_session() -> None:
    one, (session, rank) = written(Sessions(), b"hello")
    two = Sessions().add(session, rank, NOW, acknowledged=True, opening=True)
    two, one = exchange(two, one)
    with pytest.raises(RemoteProtocolError):
        two.add(session, rank, NOW, acknowledged=True, opening=True)
    with pytest.raises(RemoteProtocolError):
        Sessions().add(session, limits.SESSION_RANK_MAX + 1, NOW, acknowledged=True, opening=True)


def test_so_many_first_contacts_wait_for_an_answer_and_none_is_forgotten() -> None:
    one, (first, rank) = written(Sessions(), b"0")
    for number in range(1, limits.OPENINGS_WAITING_MAX):
        assert one.may_open
        one, _ = written(one, b"%d" % number)
    assert not one.may_open
    with pytest.raises(LocalProtocolError):
        written(one, b"too many")
    two = Sessions().add(first, rank, NOW, acknowledged=True, opening=True)
    for number in range(2 * limits.SESSIONS_OLD_MAX):
        one, _ = seeded(one, Sessions(), b"link %d" % number)
    end = NOW + limits.OPENINGS_WAITING_KEPT
    two, one = exchange(two, one.expire(end), end)
    assert one.may_open
    assert sid_of(one) == sid_of(two)
    assert len(one.expire(end + 1).held) == 1


def crossing() -> tuple[Sessions, Sessions]:
    """Both have written a first contact at once, and both have arrived."""
    (own_one, for_two), (own_two, for_one) = opened(b"1", SMALLER, GREATER), opened(b"2", GREATER, SMALLER)
    one = Sessions().add(own_one, NOW * 1000, NOW, acknowledged=False, opening=True)
    two = Sessions().add(own_two, NOW * 1000 + 5, NOW, acknowledged=False, opening=True)
    one = one.add(for_one, NOW * 1000 + 5, NOW, acknowledged=True, opening=True)
    two = two.add(for_two, NOW * 1000, NOW, acknowledged=True, opening=True)
    return one, two


@pytest.mark.parametrize("turns", [(0, 1, 0, 1), (1, 0, 1, 0), (0, 0, 1, 1), (1, 1, 0, 0)])
def test_both_write_first_at_once_and_come_to_use_one_session(turns: tuple[int, ...]) -> None:
    sides = list(crossing())
    assert sid_of(sides[0]) != sid_of(sides[1])
    for sender in turns:
        sides[sender], sides[1 - sender] = exchange(sides[sender], sides[1 - sender])
    assert sid_of(sides[0]) == sid_of(sides[1])


def test_both_write_first_at_once_and_their_next_messages_cross_too() -> None:
    one, two = crossing()
    for _ in range(2):
        (one, first), (two, second) = one.seal(b"one"), two.seal(b"two")
        one, two = one.unseal(second, NOW).sessions, two.unseal(first, NOW).sessions
    assert sid_of(one) == sid_of(two)


def test_equal_ranks_are_decided_by_the_id() -> None:
    one, two = linked(b"1"), linked(b"2")
    sessions = Sessions()
    for session in (one[0], two[0]):
        sessions = sessions.add(session, 7, NOW, acknowledged=True, opening=False)
    other = Sessions()
    for session in (two[1], one[1]):
        other = other.add(session, 7, NOW, acknowledged=True, opening=False)
    assert sid_of(sessions) == sid_of(other) == max(one[0].sid, two[0].sid)


def test_ranks_grow_whatever_the_clock_says() -> None:
    one, _ = met(Sessions(), Sessions(), b"first", NOW)
    assert one.rank(NOW * 1000 + 5) == NOW * 1000 + 5
    assert one.rank(0) == NOW * 1000 + 1
    wild = one.add(linked(b"wild")[0], limits.SESSION_RANK_MAX, NOW, acknowledged=True, opening=False)
    assert wild.rank(NOW * 1000) == limits.SESSION_RANK_MAX
    assert Sessions().rank(-5) == 0


def test_a_late_first_contact_does_not_take_over_from_a_newer_link() -> None:
    one, (late, rank) = written(Sessions(), b"late")
    one, two = met(one, Sessions(), b"link")
    two = two.add(late, rank, NOW, acknowledged=True, opening=True)
    assert sid_of(one) == sid_of(two)


def test_a_restored_backup_reads_and_does_not_write_until_there_is_a_new_session() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    one, two = met(one, two, b"second")
    one, _ = written(one, b"waiting")
    two, message = two.seal(b"payload")
    back = Sessions.decode(one.encode()).restored(NOW)
    assert back.current is None
    assert not back.ready
    with pytest.raises(LocalProtocolError):
        back.seal(b"never")
    received = back.unseal(message, NOW)
    assert received.payload == b"payload"
    assert not received.sessions.ready
    back, two = met(received.sessions, two, b"third")
    back, two = exchange(back, two)
    two, back = exchange(two, back)
    assert sid_of(back) == sid_of(two)


def test_a_restored_backup_does_not_block_first_contacts() -> None:
    one = Sessions()
    for number in range(limits.OPENINGS_WAITING_MAX):
        one, _ = written(one, b"%d" % number)
    assert one.restored(NOW).may_open


def test_sessions_survive_the_disk() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    one, two = exchange(one, two)
    one, _ = written(one, b"waiting")
    for sessions in (Sessions(), one, two, one.restored(NOW)):
        assert Sessions.decode(sessions.encode()) == sessions


def test_damage_is_found() -> None:
    one, _ = met(Sessions(), Sessions(), b"first")
    data = one.encode()
    with pytest.raises(DatabaseTooNew):
        Sessions.decode(b"\x02" + data[1:])
    for damaged in (b"", data[:-1], data + b"\x00", flipped(data, 2, 4), flipped(data, 1)):
        with pytest.raises(DatabaseDamaged):
            Sessions.decode(damaged)


@given(st.binary(max_size=300))
def test_garbage_gives_two_kinds_of_error(data: bytes) -> None:
    one, _ = met(Sessions(), Sessions(), b"first")
    with pytest.raises(RemoteProtocolError):
        one.unseal(data, NOW)
    if data[:2] != b"\x01\x00":
        with pytest.raises((DatabaseDamaged, DatabaseTooNew)):
            Sessions.decode(data)


def test_nothing_secret_is_shown() -> None:
    one, two = met(Sessions(), Sessions(), b"first")
    one, message = one.seal(b"payload")
    received = two.unseal(message, NOW)
    shown = repr(one) + repr(received)
    assert "payload" not in shown
    for session in (one.current, received.sessions.current):
        assert session is not None
        assert repr(session.sending.root)[2:-1] not in shown
        assert session.sid.hex() not in shown
