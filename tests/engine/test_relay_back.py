"""People who talk through a relay that goes away and comes back: they do nothing, and talk again."""

from pathlib import Path

from messenger.core.errors import Reason
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState, Offline
from messenger.core.relays import RelayUnreachable
from messenger.engine.events import RelayChanged
from tests.helpers.engines import People, Person, fresh_port
from tests.helpers.relay_users import acquainted, relayed, shows
from tests.helpers.relays import prepare, relay_in


async def _hears_that_the_relay_is_silent(
    person: Person, conversation: ConversationId, *, since: int
) -> None:
    await shows(
        person,
        conversation,
        lambda p: isinstance(p, Offline) and p.reason is Reason.RELAY_SILENT,
        since=since,
    )


async def test_who_talked_through_a_relay_talks_again_when_it_is_back(people: People, tmp_path: Path) -> None:
    """Meanwhile both are told that it is the relay that does not answer."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    folder = prepare(tmp_path / "relay", "mallory")
    port = fresh_port()  # which nobody else takes while the relay is away
    async with relay_in(folder, port=port) as site:
        here, there = await acquainted(alice, bob, site.started.link)
        await alice.engine.reconnect(here)
        await relayed(alice, here)
        await relayed(bob, there)
        since = alice.mark, bob.mark
    await _hears_that_the_relay_is_silent(alice, here, since=since[0])
    await _hears_that_the_relay_is_silent(bob, there, since=since[1])
    since = alice.mark, bob.mark
    async with relay_in(folder, port=port):
        await relayed(alice, here, since=since[0])
        await relayed(bob, there, since=since[1])


async def test_who_wrote_while_the_relay_was_away_talks_when_it_is_back(
    people: People, tmp_path: Path
) -> None:
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    folder = prepare(tmp_path / "relay", "mallory")
    port = fresh_port()  # which nobody else takes while the relay is away
    async with relay_in(folder, port=port) as site:
        here, there = await acquainted(alice, bob, site.started.link)
        since = alice.mark, bob.mark
    await alice.wait_for(RelayChanged, lambda e: isinstance(e.relay.state, RelayUnreachable), since=since[0])
    message = await alice.engine.send_text(here, "into the blue")
    await _hears_that_the_relay_is_silent(alice, here, since=since[0])
    async with relay_in(folder, port=port):
        await relayed(alice, here, since=since[0])
        await relayed(bob, there, since=since[1])
        await alice.sees(message.id, MessageState.DELIVERED)


async def test_whoever_was_away_is_there_as_soon_as_they_are_heard_of(people: People, tmp_path: Path) -> None:
    """Their receipt came through the relay: to go on saying that they are offline would be untrue."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False, reconnect=False)
    async with relay_in(prepare(tmp_path / "relay", "mallory")) as site:
        here, there = await acquainted(alice, bob, site.started.link)
        await bob.engine.stop()
        message = await alice.engine.send_text(here, "are you there?")
        await alice.sees(message.id, MessageState.SENT)
        await alice.offline(here)
        since = alice.mark
        await bob.start()
        await relayed(alice, here, since=since)
        await relayed(bob, there)
