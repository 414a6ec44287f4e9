"""One identity moves to a new computer, and an old one that is started again by mistake."""

import asyncio
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState
from messenger.engine.events import (
    ChainChanged,
    EngineFault,
    IdentityElsewhere,
    KeyChanged,
)
from tests.helpers.engines import People, Person, friends

WORDS = "correct horse"


async def sound(person: Person, conversation: ConversationId) -> None:
    (row,) = [row for row in await person.engine.conversations() if row.id == conversation]
    assert (row.missing, row.forked) == (0, False)
    assert person.count(ChainChanged, lambda e: e.forked or e.missing > 0) == 0
    assert person.count(KeyChanged) == person.count(EngineFault) == 0


async def moved(people: People, alice: Person, tmp_path: Path) -> Person:
    """Alice on another computer, from an export that was made just now; the old one is off."""
    path = tmp_path / "alice.sotto"
    await alice.engine.export_profile(path, WORDS)
    await alice.engine.stop()
    new = people.in_folder(tmp_path / "new", "alice")
    await new.engine.import_profile(path, WORDS)
    return new


async def test_nobody_notices_a_new_computer(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    for number in range(3):
        sent = await alice.engine.send_text(here, f"a{number}")
        await alice.sees(sent.id, MessageState.DELIVERED)
        back = await bob.engine.send_text(there, f"b{number}")
        await bob.sees(back.id, MessageState.DELIVERED)
    await bob.engine.set_verified(there, verified=True)
    await bob.engine.stop()
    await alice.offline(here)
    queued = await alice.engine.send_text(here, "queued at the old one")
    path = tmp_path / "alice.sotto"
    await alice.engine.export_profile(path, WORDS)
    await alice.engine.stop()
    await bob.start()
    waits = await bob.engine.send_text(there, "queued at bob")
    new = people.in_folder(tmp_path / "new", "alice")
    await new.engine.import_profile(path, WORDS)
    await new.sees(queued.id, MessageState.DELIVERED)
    await bob.sees(waits.id, MessageState.DELIVERED)
    last = await new.engine.send_text(here, "from the new one")
    await new.sees(last.id, MessageState.DELIVERED)
    texts = await bob.texts(there)
    assert sorted(texts) == sorted([
        "a0", "b0", "a1", "b1", "a2", "b2", "queued at the old one", "queued at bob", "from the new one",
    ])  # fmt: skip
    assert await new.texts(here) == texts, "the same order at both"
    assert (await bob.contact(alice)).verified
    await sound(bob, there)
    await sound(new, here)
    assert new.count(IdentityElsewhere) == bob.count(IdentityElsewhere) == 0
    await new.restart()
    again = await new.engine.send_text(here, "and again")
    await new.sees(again.id, MessageState.DELIVERED)
    await sound(bob, there)


async def test_the_old_computer_is_started_again(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told so as soon as bob says that he has read what it never wrote; and nothing breaks."""
    monkeypatch.setattr(limits, "RECONNECT_MAX", 7200.0)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    new = await moved(people, alice, tmp_path)
    sent = await new.engine.send_text(here, "from the new one")
    await new.sees(sent.id, MessageState.DELIVERED)
    await bob.engine.mark_read(there, (await bob.engine.messages(there))[-1].position)
    await new.sees(sent.id, MessageState.READ)
    await new.engine.stop()
    await alice.start()
    await alice.wait_for(IdentityElsewhere)
    old = await alice.engine.send_text(here, "from the old one")
    await alice.sees(old.id, MessageState.DELIVERED)
    await alice.engine.stop()
    mark = bob.mark
    await new.start()
    await bob.online(there, since=mark)
    last = await new.engine.send_text(here, "the new one goes on")
    await new.sees(last.id, MessageState.DELIVERED)
    assert await bob.texts(there) == ["from the new one", "from the old one", "the new one goes on"]
    await sound(bob, there)
    assert alice.count(IdentityElsewhere) == 1
    assert new.count(IdentityElsewhere) == 0


async def test_both_computers_at_once(people: People, tmp_path: Path) -> None:
    """They take the link from each other, until one of them understands; what both write arrives."""
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    new = await moved(people, alice, tmp_path)
    await alice.start()
    told = [asyncio.create_task(person.wait_for(IdentityElsewhere)) for person in (alice, new)]
    await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
    for each in told:
        each.cancel()
    await asyncio.gather(*told, return_exceptions=True)
    for person in (alice, new):
        await person.engine.send_text(here, f"from {person.folder.name}")
    await new.engine.stop()
    await alice.engine.reconnect(here)
    await bob.hears("from " + alice.folder.name)
    await alice.engine.stop()
    await new.start()
    await bob.hears("from new")
    await sound(bob, there)
