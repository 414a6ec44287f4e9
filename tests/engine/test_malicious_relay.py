"""A relay that lies in every way: nobody takes a wrong message or person, and what is kept back shows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import pytest

from messenger.core import carrier_limits, limits
from messenger.core.errors import DiskFull, InputError, Reason, RelayError, RelayProblem
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import MessageState, Offline, Standing
from messenger.core.relays import PersonStatus, RelayOnline, RelayUnreachable
from messenger.crypto.hkdf import digest
from messenger.engine.events import (
    ChainChanged,
    ContactChanged,
    EngineFault,
    MessageAdded,
    PresenceChanged,
    RelayChanged,
)
from messenger.engine.sealing import Opened, Sealing
from messenger.protocol.directory import Entry
from messenger.protocol.invite import Invite, read_invite, write_invite
from messenger.protocol.relay_finding import Status
from messenger.protocol.relay_queues import Connect, GetPrekey, QueueKind, Send
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_word import Code, EndReason
from tests.helpers.carrier import part, seeded, sessions
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import linked, ready, settle, strangers_can_write, users_apart, uses
from tests.helpers.small_relay import Client, Queue, SmallRelay

Pair = tuple[Person, ConversationId, Person, ConversationId]
Meet = Callable[[SmallRelay], Awaitable[Pair]]


class Liar(SmallRelay):
    """Honest until `lying`."""

    lying = False


@pytest.fixture
async def closing() -> AsyncIterator[list[SmallRelay]]:
    """Relays to be stopped."""
    relays: list[SmallRelay] = []
    yield relays
    for relay in relays:
        await relay.stop()


@pytest.fixture
def meet(people: People, closing: list[SmallRelay]) -> Meet:
    """Lets Alice and Bob meet, learn where the other is written to, and part."""

    async def meeting(relay: SmallRelay) -> Pair:
        await relay.start()
        closing.append(relay)
        return await users_apart(people, relay.target)

    return meeting


async def spoken(person: Person, conversation: ConversationId) -> list[str]:
    """What was said since they parted."""
    return [text for text in await person.texts(conversation) if not text.startswith("round")]


class Dropping(Liar):
    """Says that it keeps what it drops."""

    def keep(self, queue: Queue, envelope: bytes) -> Iterable[tuple[Queue, bytes]]:
        return [] if self.lying else super().keep(queue, envelope)


async def test_what_is_dropped_is_visibly_not_delivered(meet: Meet) -> None:
    relay = Dropping()
    alice, here, bob, there = await meet(relay)
    relay.lying = True
    lost = await alice.engine.send_text(here, "lost")
    await alice.sees(lost.id, MessageState.SENT)
    relay.lying = False
    kept = await alice.engine.send_text(here, "kept")
    await bob.hears("kept")
    told = await bob.wait_for(ChainChanged, lambda e: e.missing > 0)
    assert (told.conversation, told.missing, told.forked) == (there, 1, False)
    await alice.sees(kept.id, MessageState.DELIVERED)
    assert (await alice.states(here))[-2:] == [MessageState.SENT, MessageState.DELIVERED]
    await alice.connect(await bob.address())
    await alice.sees(lost.id, MessageState.DELIVERED)
    assert await spoken(bob, there) == ["lost", "kept"], "in its place"
    assert (await bob.conversation(alice)).missing == 0


class Hoarding(Liar):
    """Forgets nothing, brings everything again with each subscription, the newest first."""

    def forget(self, queue: Queue, hashes: Iterable[bytes]) -> None:  # noqa: ARG002 -- it forgets nothing
        queue.messages = dict(reversed(queue.messages.items()))


async def test_what_is_brought_again_is_there_once(meet: Meet) -> None:
    relay = Hoarding()
    alice, here, bob, there = await meet(relay)
    texts = [f"text {number}" for number in range(4)]
    for text in texts:
        await alice.engine.send_text(here, text)
        await bob.hears(text)
    for _ in range(3):
        since = bob.mark
        await relay.restart()
        await linked(bob, since=since)
        answer = await bob.engine.send_text(there, "still here")
        await bob.sees(answer.id, MessageState.DELIVERED)
    assert [text for text in await spoken(bob, there) if text != "still here"] == texts
    assert (await spoken(alice, here)).count("still here") == 3
    assert all(bob.count(MessageAdded, _is(text)) == 1 for text in texts)
    assert bob.count(EngineFault) == alice.count(EngineFault) == 0


class Reordering(Liar):
    """Brings the newest first, each in two queues of the same person, with copies that are changed."""

    def keep(self, queue: Queue, envelope: bytes) -> Iterable[tuple[Queue, bytes]]:
        changed = [
            envelope[:at] + bytes((envelope[at] ^ 1,)) + envelope[at + 1 :] for at in (0, 11, 12, 4000)
        ]
        everywhere = [(other, envelope) for other in self.queues]
        return [*((queue, each) for each in changed), *everywhere]


async def test_swapped_changed_and_spread_it_arrives_at_its_receiver_alone(meet: Meet) -> None:
    relay = Reordering()
    alice, here, bob, there = await meet(relay)
    for number in range(5):
        message = await alice.engine.send_text(here, f"text {number}")
        await alice.sees(message.id, MessageState.DELIVERED)
        answer = await bob.engine.send_text(there, f"answer {number}")
        await bob.sees(answer.id, MessageState.DELIVERED)
    both = [word for number in range(5) for word in (f"text {number}", f"answer {number}")]
    assert await spoken(bob, there) == await spoken(alice, here) == both
    assert len(await bob.engine.conversations()) == len(await alice.engine.conversations()) == 1
    assert bob.count(EngineFault) == alice.count(EngineFault) == 0


class Substituting(Liar):
    """Serves the prekeys of somebody else."""

    victim = b""

    def prekey(self, queue: Queue) -> tuple[bytes, bytes] | None:
        others = [other for other in self.queues if other.prekeys and other is not queue]
        return super().prekey(others[0] if self.lying else queue)


async def test_prekeys_of_somebody_else_are_not_used(people: People, closing: list[SmallRelay]) -> None:
    relay = Substituting()
    await relay.start()
    closing.append(relay)
    alice, bob, carol = [await people(who, reconnect=False) for who in ("alice", "bob", "carol")]
    await uses(bob, relay.target)
    await uses(carol, relay.target)
    await ready(relay, 2)
    await strangers_can_write(bob)
    invite = read_invite(await bob.engine.make_invite())
    relay.lying = True
    contact = await alice.connect(write_invite(Invite(invite.fingerprint, invite.secret, (), invite.places)))
    message = await alice.engine.send_text(contact.id, "for bob alone")
    await relay.until(lambda: sum(isinstance(request, GetPrekey) for request in relay.asked) >= 1)
    assert (await alice.engine.messages(contact.id))[-1].state is MessageState.QUEUED
    assert not any(isinstance(request, Send) for request in relay.asked)
    relay.lying = False
    await alice.engine.send_text(contact.id, "again")
    await bob.hears("for bob alone")
    await alice.sees(message.id, MessageState.DELIVERED)
    assert carol.count(MessageAdded) == carol.count(ContactChanged) == 0


async def test_another_relay_at_the_same_address(meet: Meet, closing: list[SmallRelay]) -> None:
    """Nobody is told anything, and nothing is lost."""
    relay = Liar()
    alice, here, bob, _ = await meet(relay)
    await relay.stop()
    impostor = SmallRelay("carol")
    impostor.port = relay.port
    since = alice.mark
    await impostor.start()
    closing.append(impostor)
    await alice.wait_for(
        RelayChanged,
        lambda e: isinstance(e.relay.state, RelayUnreachable) and e.relay.state.reason in _REFUSED,
        since=since,
    )
    message = await alice.engine.send_text(here, "not for you")
    assert not impostor.asked
    assert not impostor.seen
    await impostor.stop()
    await relay.start()
    await bob.hears("not for you")
    await alice.sees(message.id, MessageState.DELIVERED)


_REFUSED = (Reason.REFUSED, Reason.WRONG_PERSON, Reason.SILENT, Reason.INTERRUPTED, Reason.BROKEN)


class Crossing(Liar):
    """Joins whoever calls to somebody else than was called."""

    def _connect(self, service: RelayService, request: Connect, queue: Queue) -> None:
        mine = {other.reader[0] for other in self.queues if other.reader is not None}
        wrong = [
            other
            for other in self.queues
            if other.kind is QueueKind.CONTACT
            and other.reader is not None
            and queue.reader is not None
            and other.reader[0] is not queue.reader[0]
        ]
        assert mine
        super()._connect(service, request, wrong[0] if self.lying and wrong else queue)


async def test_swapped_circuits_lead_to_nobody(people: People, closing: list[SmallRelay]) -> None:
    """Alice calls Bob, and the relay lets Carol answer, who knows Alice too."""
    relay = Crossing()
    await relay.start()
    closing.append(relay)
    alice, bob, carol = [await people(who, reconnect=False) for who in ("alice", "bob", "carol")]
    for person in (alice, bob, carol):
        await uses(person, relay.target)
    conversations = {}
    for other in (bob, carol):
        here, there = await seeded(alice, other)
        await settle(alice, other)
        await part(alice, here, other, there)
        await other.engine.stop_listening()
        conversations[other.who] = here
    relay.lying = True
    since = alice.mark
    await alice.engine.reconnect(conversations["bob"])
    gone = await alice.wait_for(
        PresenceChanged,
        lambda e: isinstance(e.presence, Offline) and e.presence.retry_ms is None,
        since=since,
    )
    assert gone.conversation == conversations["bob"]
    assert not any(
        isinstance(event, PresenceChanged) and event.presence.__class__.__name__ == "Online"
        for event in alice.events[since:]
    )


class Lost(Liar):
    """Says again and again that a queue is gone."""

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        super().answer(client, service, request)
        if self.lying:
            for queue in self.queues:
                if queue.reader is not None and queue.reader[0] is client and queue.reader[1] == request.tag:
                    service.end(request.tag, EndReason.GONE)
                    queue.reader = None


async def test_queues_that_are_always_gone_do_not_use_up_the_session(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nothing could be sealed any more until they answer, by whatever relay."""
    relay = Lost()
    alice, here, bob, _ = await meet(relay)
    message = await alice.engine.send_text(here, "hello?")
    await alice.sees(message.id, MessageState.DELIVERED)
    await bob.engine.stop()
    message = await alice.engine.send_text(here, "are you there?")
    await alice.sees(message.id, MessageState.SENT)
    relay.lying = True
    session = (await sessions(alice, here)).current
    assert session is not None
    number = session.sending.number
    monkeypatch.setattr(carrier_limits, "CARRIED_ANEW", limits.RATCHET_EPOCH_MESSAGES - number - 4)
    for _ in range(8):
        since, asked = alice.mark, len(relay.asked)
        await relay.restart()
        await linked(alice, since=since)
        await relay.until(lambda: any(isinstance(each, Send) for each in relay.asked[asked:]))  # noqa: B023
    session = (await sessions(alice, here)).current
    assert session is not None
    assert session.sending.number <= number + 5
    relay.lying = False
    await relay.restart()
    await bob.start()
    new = await alice.engine.send_text(here, "and now?")
    await alice.sees(new.id, MessageState.DELIVERED)
    assert (await spoken(bob, await bob.with_(alice)))[-2:] == ["are you there?", "and now?"]


async def test_queues_that_are_always_gone_are_not_made_for_ever(meet: Meet) -> None:
    relay = Lost()
    alice, here, bob, _ = await meet(relay)
    relay.lying = True
    since = bob.mark
    before = len(relay.queues)
    await relay.restart()
    await linked(bob, since=since)
    since = alice.mark
    message = await alice.engine.send_text(here, "into a queue that is read no more")
    await alice.sees(message.id, MessageState.SENT)
    assert len(relay.queues) <= before + 8
    assert bob.count(EngineFault) == 0


class Gossip(Liar):
    """Lies in its directory."""

    entry = b""
    copies = 1

    def entries(self) -> list[tuple[Status, bytes]]:
        return [(Status.ONLINE, self.entry)] * self.copies if self.lying else super().entries()


async def test_a_directory_that_lies(people: People, closing: list[SmallRelay]) -> None:
    relay = Gossip()
    await relay.start()
    closing.append(relay)
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    for person in (alice, bob):
        await uses(person, relay.target)
    await ready(relay, 2)
    await strangers_can_write(bob)
    await bob.engine.publish_me(relay.fingerprint, PersonStatus.ONLINE, "the real one")
    genuine = relay.entries()[0][1]
    assert [each.name for each in (await alice.engine.find_people(relay.fingerprint)).people] == ["Bob"]
    entry = Entry.decode(genuine)
    relay.lying = True
    forged = entry.encode().replace(b"the real one", b"somebody new")
    other_queue = entry.encode().replace(entry.send_id, bytes(24))
    for lie in (forged, other_queue):
        relay.entry = lie
        assert (await alice.engine.find_people(relay.fingerprint)).people == ()
        with pytest.raises(InputError):
            await alice.engine.talk_to(relay.fingerprint, bob.fingerprint)
    relay.entry = genuine
    with pytest.raises(InputError):
        await alice.engine.talk_to(relay.fingerprint, Fingerprint(digest(b"nobody")))
    relay.copies = 2
    with pytest.raises(RelayError) as caught:
        await alice.engine.find_people(relay.fingerprint)
    assert caught.value.problem is RelayProblem.REFUSED
    assert await alice.engine.conversations() == []
    assert Standing.ACCEPTED not in [each.contact.standing for each in await bob.engine.conversations()]


def _is(text: str) -> Callable[[MessageAdded], bool]:
    return lambda event: event.message.text == text and not event.message.outgoing


async def test_a_relay_that_is_silent_is_given_up(people: People) -> None:
    """The state says so, and the next one is tried."""
    alice = await people("alice")
    relay = await SmallRelay.open()
    await uses(alice, relay.target)
    assert any(isinstance(each.state, RelayOnline) for each in await alice.engine.relays())
    since = alice.mark
    await relay.stop()
    await alice.wait_for(RelayChanged, lambda e: isinstance(e.relay.state, RelayUnreachable), since=since)
    await relay.start()
    await linked(alice, since=since)
    await relay.stop()


class Full(Liar):
    """Takes nothing, and says so."""

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        if self.lying and isinstance(request, Send):
            service.fail(request.tag, Code.FULL, 1)
        else:
            super().answer(client, service, request)


async def test_what_the_relay_does_not_take_is_not_called_sent(meet: Meet) -> None:
    relay = Full()
    alice, here, bob, _ = await meet(relay)
    relay.lying = True
    before = len([request for request in relay.asked if isinstance(request, Send)])
    message = await alice.engine.send_text(here, "no room")
    await relay.until(lambda: len([each for each in relay.asked if isinstance(each, Send)]) > before)
    relay.lying = False
    await bob.hears("no room")
    await alice.sees(message.id, MessageState.DELIVERED)
    sent = [request for request in relay.asked if isinstance(request, Send)]
    assert len(sent) >= before + 2, "it was tried again by itself"


async def test_what_could_not_be_stored_is_not_acknowledged(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay keeps it, and brings it again with the next link."""
    relay = Liar()
    alice, here, bob, _ = await meet(relay)
    genuine, failed = Sealing.open_sealed, list[bytes]()

    async def failing(self: Sealing, envelope: bytes, queue_key: bytes) -> Opened | None:
        if not failed and self is bob.engine.sealing():
            failed.append(envelope)
            raise DiskFull("no room")
        return await genuine(self, envelope, queue_key)

    monkeypatch.setattr(Sealing, "open_sealed", failing)
    message = await alice.engine.send_text(here, "the disk was full")
    await bob.wait_for(EngineFault, lambda e: e.error == "DiskFull")
    await bob.hears("the disk was full")
    await alice.sees(message.id, MessageState.DELIVERED)
    assert len(failed) == 1
