"""Where people write to us and we to them through relays; on the storage thread (SPEC.md 11.1)."""

from messenger.core.address import parse_address
from messenger.core.ids import ConversationId
from messenger.core.models import Message
from messenger.core.relays import OwnQueue, RelayUse
from messenger.protocol.packets import Mailboxes
from messenger.protocol.places import Place
from messenger.storage.store import Store


def place_of(store: Store, queue: OwnQueue) -> Place | None:
    """What others have to know of a queue of ours; None if the relay has not made it yet."""
    relay = store.relays.get(queue.relay)
    if relay is None or not queue.send_id:
        return None
    address = parse_address(relay.address)
    return Place(queue.relay, queue.send_id, queue.send_key, queue.queue_key, address)


def request_places(store: Store) -> list[Place]:
    """The places of our queues for requests, for an invite."""
    found = [place_of(store, queue) for queue in store.queues.for_requests()]
    return [place for place in found if place is not None]


def all_of_ours(store: Store, conversation: ConversationId) -> Mailboxes | None:
    """What to tell a contact on a new link; None if there is nothing, and they were told of nothing else.

    Nor while a relay of ours is about to make a queue, or refuses to: what they know of is still emptied.
    """
    queues = store.queues.for_contact(conversation)
    if not queues and (not store.queues.change(conversation) or _has_own(store)):
        return None
    places = [place_of(store, queue) for queue in queues]
    return Mailboxes([place.encode() for place in places if place is not None])


def _has_own(store: Store) -> bool:
    return any(relay.use is RelayUse.OWN for relay in store.relays.all())


def news_of_ours(store: Store, conversation: ConversationId) -> Mailboxes | None:
    """What to tell a contact in a sealed payload; None if they know it."""
    known = all(queue.known for queue in store.queues.for_contact(conversation))
    if known and not store.queues.change(conversation):
        return None
    return all_of_ours(store, conversation)


def take(store: Store, conversation: ConversationId, mailboxes: Mailboxes) -> bool:
    """Store where a contact is written to from now on; returns whether it is another place than before."""
    found = [Place.decode(place) for place in mailboxes.places]
    named = [(place.relay, raw) for place, raw in zip(found, mailboxes.places, strict=True)]
    return store.places.put(conversation, named)


def move(store: Store, conversation: ConversationId, mailboxes: Mailboxes) -> list[Message] | None:
    """As `take`; what is with a carrier may be where they do not look any more, and waits again.

    Returns:
        Messages that wait again; None if they are written to where they were.
    """
    with store.transaction():
        return store.sealed.requeue(conversation) if take(store, conversation, mailboxes) else None


def places(store: Store, conversation: ConversationId) -> list[Place]:
    """Where a contact is written to, the best first."""
    return [Place.decode(raw) for _, raw in store.places.get(conversation)]


def first_places(store: Store, conversation: ConversationId) -> tuple[list[Place], bytes]:
    """Where a first contact can be left, and the secret of the invite that says so."""
    named, secret = store.places.first(conversation)
    return [Place.decode(raw) for _, raw in named], secret
