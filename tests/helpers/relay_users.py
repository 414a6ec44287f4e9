"""People who use relays."""

from messenger.core.relays import RelayOnline
from messenger.engine.events import RelayChanged
from tests.helpers.engines import Person
from tests.helpers.small_relay import SmallRelay


async def uses(person: Person, relay: SmallRelay) -> None:
    """Let somebody use a relay, and wait for the link."""
    since = person.mark
    await person.engine.add_relay(relay.target)
    await linked(person, relay, since=since)


async def linked(person: Person, relay: SmallRelay, *, since: int = 0) -> None:
    """Wait until somebody has a link with a relay."""
    await person.wait_for(
        RelayChanged,
        lambda e: e.relay.fingerprint == relay.fingerprint and isinstance(e.relay.state, RelayOnline),
        since=since,
    )


async def ready(relay: SmallRelay, people: int = 1) -> None:
    """Wait until strangers can write to so many people at a relay."""
    await relay.until(lambda: sum(bool(queue.prekeys) for queue in relay.queues) >= people)
