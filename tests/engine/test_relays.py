"""People who reach each other through a relay only: off and on, in both directions."""

from collections.abc import AsyncIterator

import pytest

from messenger.core.models import MessageState
from messenger.core.relays import RelayOnline
from tests.helpers.carrier import part, seeded
from tests.helpers.engines import People
from tests.helpers.relay_users import uses
from tests.helpers.small_relay import SmallRelay


@pytest.fixture
async def relay() -> AsyncIterator[SmallRelay]:
    """A relay that keeps to the rules."""
    made = await SmallRelay.open()
    yield made
    await made.stop()


async def test_a_relay_is_added_and_listed(people: People, relay: SmallRelay) -> None:
    alice = await people("alice")
    await uses(alice, relay)
    (known,) = await alice.engine.relays()
    assert known.fingerprint == relay.fingerprint
    assert isinstance(known.state, RelayOnline)
    assert known.address == f"127.0.0.1:{relay.port}"


async def test_b_off_a_writes_a_off_b_on_reads(people: People, relay: SmallRelay) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    await uses(alice, relay)
    await uses(bob, relay)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "while you were out")
    await alice.sees(message.id, MessageState.SENT)
    await alice.engine.stop()
    await bob.start()
    heard = await bob.hears("while you were out")
    await bob.engine.mark_read(there, heard.position)
    await alice.start()
    await alice.sees(message.id, MessageState.READ)
