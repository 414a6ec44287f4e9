"""The ratchet on a bad network: random runs of everything that can happen to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.nonces import watching
from tests.helpers.sealing import BAD_NETWORK, EVERYTHING, World

STEPS = 10_000


def test_ten_thousand_steps_lose_nothing_without_a_trace() -> None:
    """Loss, reordering, copies, tampering, restarts, new sessions, restored backups; `World` asserts.

    Everything that was sent is delivered, lost by the network, or (`World` says why) in a session
    that died with a disk; and no two messages were sealed with one key, let alone with one nonce.
    """
    with watching() as oracle:
        world = World(1)
        world.run(STEPS)
        world.finish()
    assert sum(world.happened.values()) == STEPS
    for event in ("lose", "deliver_twice", "tamper", "restart"):
        assert world.happened[event] > 250
    for event in ("link", "open", "back_up"):
        assert world.happened[event] > 20
    assert world.restores > 5
    assert len(world.delivered) > world.sent * 0.8
    lost = [sent for sent in world.lost if sent.opens is None]
    assert len(world.delivered) + len(lost) + len(world.excused) == world.sent
    assert len({key for key, _ in oracle.seen}) == len(oracle.seen) == world.sent


def test_one_session_delivers_everything_that_the_network_does() -> None:
    """With one session for all, and the disk alive, there is no excuse for a message that does not open."""
    world = World(2, BAD_NETWORK)
    world.run(STEPS)
    world.finish()
    assert not world.excused
    assert len(world.delivered) + len(world.lost) == world.sent
    assert all(held.session.sending.epoch > 20 for sessions in world.sides for held in sessions.held)


@pytest.mark.parametrize("seed", range(4))
def test_any_number_of_sessions_delivers_everything_that_the_network_does(seed: int) -> None:
    """Links and first contacts from both sides at once never leave anybody in a session that is gone."""
    world = World(seed, EVERYTHING | {"restore": 0, "link": 8, "open": 8})
    world.run(STEPS // 5)
    world.finish()
    assert len(world.excused) < world.sent // 50
    world.talk()
    one, two = (sessions.current for sessions in world.sides)
    assert one is not None
    assert two is not None
    assert one.sid == two.sid


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_any_run(seed: int) -> None:
    world = World(seed)
    world.run(60)
    world.finish()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_two_hundred_thousand_steps(seed: int) -> None:
    world = World(seed)
    world.run(STEPS)
    world.finish()
