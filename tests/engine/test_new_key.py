"""A contact comes with a new key: a word about it, or a stop until the person here has decided."""

from pathlib import Path

import pytest

from messenger.core.errors import InputError, InputProblem
from messenger.core.models import KeyNews, MessageState
from messenger.engine.events import EngineFault, KeyChanged
from messenger.protocol.packets import Delivered, Hello, Read, Text
from tests.helpers import spare_keys
from tests.helpers.engines import People, friends
from tests.helpers.moving import as_, befriend, contact_of, made, text, told


@pytest.fixture(autouse=True)
def new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vaults of these tests are handed their new keys."""
    spare_keys.use(monkeypatch, tmp_path / "taken")


async def test_of_somebody_who_was_not_verified_a_word_is_said(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.move_to_new_identity()
    event = await bob.wait_for(KeyChanged)
    assert event.contact.key_news is KeyNews.NOTICE
    assert not event.contact.held
    message = await bob.engine.send_text(there, "goes through")
    await alice.hears("goes through")
    await bob.sees(message.id, MessageState.DELIVERED)
    assert (await contact_of(alice, here)).key_news is KeyNews.NONE, "who moved sees nothing new"
    await bob.restart()
    assert (await contact_of(bob, there)).key_news is KeyNews.NOTICE, "until it is dismissed"
    await bob.engine.trust_key(there)
    assert (await contact_of(bob, there)).key_news is KeyNews.NONE


@pytest.mark.parametrize("by", ["comparing", "trusting"])
async def test_to_somebody_who_was_verified_nothing_is_sent_until_the_person_decides(
    people: People, by: str
) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await bob.engine.set_verified(there, verified=True)
    await alice.engine.stop()
    await bob.offline(there)
    waits = await bob.engine.send_text(there, "written before")
    await alice.start()
    await bob.sees(waits.id, MessageState.DELIVERED)
    await bob.engine.stop()
    await alice.offline(here)
    await alice.engine.move_to_new_identity()
    await alice.engine.send_text(here, "from the new key")
    await bob.start()
    event = await bob.wait_for(KeyChanged)
    assert event.contact.held
    assert not event.contact.verified
    await bob.hears("from the new key")
    for attempt in (
        bob.engine.send_text(there, "refused"),
        bob.engine.react(there, waits.id, "👍"),
        bob.engine.retry(there, waits.id),
    ):
        with pytest.raises(InputError) as caught:
            await attempt
        assert caught.value.problem is InputProblem.NEW_KEY
    await bob.restart()
    assert (await contact_of(bob, there)).held, "a restart decides nothing"
    if by == "comparing":
        await bob.engine.set_verified(there, verified=True)
    else:
        await bob.engine.trust_key(there)
    contact = await contact_of(bob, there)
    assert (contact.key_news, contact.verified) == (KeyNews.NONE, by == "comparing")
    message = await bob.engine.send_text(there, "after the decision")
    await alice.hears("after the decision")
    await bob.sees(message.id, MessageState.DELIVERED)
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0


async def test_what_is_queued_stays_queued(people: People) -> None:
    """Whoever has the new key gets receipts for what they send, and nothing else of ours."""
    bob = await people("bob")
    there = await befriend(bob)
    await bob.engine.set_verified(there, verified=True)
    first = await bob.engine.send_text(there, "for the one I know")
    async with as_("carol", bob) as carol:
        carol.say(*told(made("mallory", "carol")))
        carol.greet("Mallory")
        event = await bob.wait_for(KeyChanged)
        assert event.contact.held
        carol.say(text(2, "it is me"))
        await carol.packet(Delivered)
        message = await bob.hears("it is me")
        await bob.engine.mark_read(there, message.position)
        await bob.engine.set_typing(there)
        carol.say(text(3, "are you there?"))
        await carol.packet(Delivered, 2)
        assert [packet for packet in carol.packets if isinstance(packet, Text | Read)] == []
        assert {packet.read_seq for packet in carol.packets if isinstance(packet, Hello)} == {0}
        assert (await bob.states(there))[1] is MessageState.QUEUED
        await bob.engine.trust_key(there)
        assert (await carol.packet(Text)).text == "for the one I know"
        assert max(packet.read_seq for packet in carol.packets if isinstance(packet, Hello)) == 2
        carol.say(Delivered([bytes(first.id)]))
        await bob.sees(first.id, MessageState.DELIVERED)


async def test_verifying_is_not_taken_back_by_a_second_move(people: People) -> None:
    """A stop stays a stop, however many keys come before the person decides."""
    alice, bob = await people("alice"), await people("bob")
    _, there = await friends(alice, bob)
    await bob.engine.set_verified(there, verified=True)
    for _ in range(2):
        mark = bob.mark
        await alice.engine.move_to_new_identity()
        event = await bob.wait_for(KeyChanged, since=mark)
        assert event.contact.key_news is KeyNews.STOP
    await bob.engine.trust_key(there)
    mark = bob.mark
    await alice.engine.move_to_new_identity()
    assert (await bob.wait_for(KeyChanged, since=mark)).contact.key_news is KeyNews.NOTICE
