"""When a channel takes fresh keys."""

import pytest

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.protocol.schedule import Schedule

START = 1000.0


def schedule(*, initiator: bool = True, interval: float = 5.0) -> Schedule:
    made = Schedule(initiator=initiator, interval=interval)
    made.advance(START)
    made.renewed()
    return made


@pytest.mark.parametrize(("initiator", "wait"), [(True, 5.0), (False, 6.0)])
def test_due_some_seconds_after_the_last_exchange_if_packets_flow(initiator: bool, wait: float) -> None:
    ours = schedule(initiator=initiator)
    ours.advance(START + wait)
    assert not ours.due(0, 0), "nothing has flowed"
    ours.packet()
    assert ours.due(0, 0)
    ours.renewed()
    ours.advance(START + 3 * wait)
    assert not ours.due(0, 0), "nothing has flowed since"
    ours.packet()
    assert ours.due(0, 0)


def test_not_before_the_interval_is_over() -> None:
    ours = schedule(interval=5.0)
    ours.packet()
    ours.advance(START + 4.99)
    assert not ours.due(0, 0)
    ours.advance(START + 5.0)
    assert ours.due(0, 0)


@pytest.mark.parametrize(("records", "size"), [(limits.REKEY_RECORDS, 0), (0, limits.REKEY_BYTES)])
def test_due_at_once_when_a_key_has_sealed_much(records: int, size: int) -> None:
    ours = schedule()
    assert not ours.due(max(records - 1, 0), max(size - 1, 0))
    assert ours.due(records, size)


def test_one_exchange_at_a_time_and_thirty_seconds_for_an_answer() -> None:
    ours = schedule()
    ours.packet()
    ours.advance(START + 10)
    ours.asked()
    assert not ours.due(2**30, 2**40)
    ours.advance(START + 10 + limits.REKEY_ANSWER)
    with pytest.raises(RemoteProtocolError, match="not answered"):
        ours.advance(START + 10 + limits.REKEY_ANSWER + 0.01)


@pytest.mark.parametrize("end", ["renewed", "dropped"])
def test_an_answer_or_giving_way_ends_the_wait(end: str) -> None:
    ours = schedule()
    ours.asked()
    getattr(ours, end)()
    ours.advance(START + 2 * limits.REKEY_ANSWER)
    assert ours.due(limits.REKEY_RECORDS, 0)


def test_offers_of_the_peer_at_least_a_second_apart() -> None:
    ours = schedule()
    ours.peer_offered()
    ours.advance(START + limits.REKEY_LEAST)
    ours.peer_offered()
    ours.advance(START + 2 * limits.REKEY_LEAST - 0.01)
    with pytest.raises(RemoteProtocolError, match="too often"):
        ours.peer_offered()


def test_stale_after_a_minute_without_packets() -> None:
    ours = schedule()
    ours.advance(START + limits.REKEY_IDLE - 0.01)
    assert not ours.stale()
    ours.advance(START + limits.REKEY_IDLE)
    assert ours.stale()
    ours.packet()
    assert not ours.stale()
    ours.advance(START + 2 * limits.REKEY_IDLE - 0.01)
    assert not ours.stale()
    ours.advance(START + 2 * limits.REKEY_IDLE)
    assert ours.stale()
    ours.renewed()
    assert not ours.stale()
