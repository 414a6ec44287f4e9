"""The life of sealed sessions: replaced, too old, restored from a copy, ended by a new key."""

import shutil
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import MessageState, Standing
from messenger.engine.events import KeyChanged, MessageChanged, PeerTyping
from messenger.protocol.prekeys import PrekeyList
from messenger.storage.schema import MIGRATIONS, copy_name, open_current
from tests.helpers import spare_keys
from tests.helpers.carrier import (
    KEY,
    bring,
    bring_receipts,
    context_of,
    current,
    envelope,
    fingerprint_only,
    killed,
    later,
    part,
    prekey_of,
    sealing,
    seeded,
    sessions,
    settled,
    write,
    write_first,
)
from tests.helpers.engines import DATABASE, People, Person
from tests.helpers.relay_users import until

DAY = 24 * 3600


async def two(people: People) -> tuple[Person, Person]:
    """Alice and Bob, who call only when they are told to."""
    return await people("alice", reconnect=False), await people("bob", reconnect=False)


async def state(person: Person, message: bytes) -> MessageState:
    """How it stands with a message of somebody."""
    for conversation in await person.engine.conversations():
        for each in await person.engine.messages(conversation.id):
            if each.id == message:
                return each.state
    raise AssertionError("no such message")


async def greeted(alice: Person, here: ConversationId, bob: Person, there: ConversationId) -> None:
    """Wait until all that a link begins with has been answered, without a text: see `settled`."""
    for one, conversation, other in ((alice, here, bob), (bob, there, alice)):
        mark = other.mark

        async def heard() -> bool:
            await one.engine.set_typing(conversation)  # noqa: B023 -- nothing is sent before their Hello
            return bool(other.count(PeerTyping, since=mark))  # noqa: B023

        await until(heard)


async def test_a_link_carries_what_a_carrier_has_without_a_receipt(people: People) -> None:
    """SPEC.md 10.8: it is sent on the next link, and what the carrier brings later is a copy."""
    alice, bob = await two(people)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    message, sealed = await write(alice, here, "kept back")
    context = context_of(alice)
    await context.stored(context.store.messages.advance, here, [message.id], MessageState.SENT)
    await alice.connect(await bob.address())
    await alice.sees(message.id, MessageState.DELIVERED)
    assert await bring(bob, sealed) is not None
    assert (await bob.texts(there)).count("kept back") == 1


async def test_a_session_replaced_while_messages_are_on_their_way(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a day a link makes a new one. What was sealed in the old one opens still, and is sealed anew."""
    alice, bob = await two(people)
    here, there = await seeded(alice, bob)
    first = await current(alice, here)
    await part(alice, here, bob, there)
    monkeypatch.setattr(limits, "UNACKNOWLEDGED_MAX", 0)  # no link carries a text
    on_way, old = await write(alice, here, "on its way")
    context = context_of(alice)
    await context.stored(context.store.messages.advance, here, [on_way.id], MessageState.SENT)
    await alice.connect(await bob.address())
    await greeted(alice, here, bob, there)
    assert await current(alice, here) == first, "not every link replaces it"
    assert await state(alice, on_way.id) is MessageState.SENT
    await part(alice, here, bob, there)
    for person in (alice, bob):
        later(person, limits.SEED_INTERVAL)
    mark = alice.mark
    await alice.connect(await bob.address())

    async def replaced() -> bool:
        return first != await current(alice, here) == await current(bob, there)

    await until(replaced)
    queued = await alice.wait_for(
        MessageChanged, lambda e: e.message.id == on_way.id and e.message.state is MessageState.QUEUED,
        since=mark,
    )  # fmt: skip
    assert queued.message.text == "on its way"
    await part(alice, here, bob, there)
    new = await envelope(alice, here, on_way.id)
    assert new != old
    assert await bring(bob, new) is not None
    assert await bring(bob, old) is not None, "opened in the old session, and here already"
    assert (await bob.texts(there)).count("on its way") == 1
    assert await bring_receipts(bob, there, alice) == [on_way.id]


async def test_old_sessions_and_missing_messages_are_forgotten(people: People) -> None:
    alice, bob = await two(people)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    _, late = await write(alice, here, "late")
    _, later_still = await write(alice, here, "too late")
    _, last = await write(alice, here, "last")
    assert await bring(bob, last) is not None
    later(bob, limits.RATCHET_SKIP_KEPT - 60)
    await sealing(bob).tidy()
    assert await bring(bob, late) is not None
    later(bob, 120)
    await sealing(bob).tidy()
    assert await bring(bob, later_still) is None
    assert await current(bob, there) is not None, "the one for sending does not age"
    for person in (alice, bob):
        later(person, 2 * limits.SEED_INTERVAL)
    await alice.connect(await bob.address())
    await settled(alice, here, bob, there)
    assert len((await sessions(bob, there)).held) == 2
    await part(alice, here, bob, there)
    later(bob, limits.SESSIONS_OLD_KEPT + 60)
    await sealing(bob).tidy()
    assert len((await sessions(bob, there)).held) == 1
    assert await bring(bob, later_still) is None


async def test_upkeep_forgets(people: People) -> None:
    """Also old exchange keys of the vault."""
    alice, bob = await two(people)
    here = await fingerprint_only(alice, bob)
    message, _ = await write_first(alice, here, "never answered", await sealing(bob).prekeys())
    context, running = context_of(bob), bob.engine._running
    assert running is not None
    await context.vault.forget_old()
    later(bob, limits.PREKEY_KEPT + 60)
    await running.upkeep.forget()
    assert await context.stored(context.store.prekeys.all, context.fingerprint) == []
    later(alice, limits.OPENINGS_WAITING_KEPT + 60)
    await sealing(alice).tidy()
    assert (await sessions(alice, here)).held == ()
    assert await sealing(alice).sealed_for(here, message.id, KEY) is None, "a letter that nobody can answer"


async def test_an_older_copy_of_the_database(people: People, tmp_path: Path) -> None:
    """An old file in the place of the new one: what is sealed with a used key is dropped, and links heal it.

    That no key meets a nonce twice is what the witness of the whole run sees to.
    """
    alice, bob = await two(people)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    await context_of(alice).stored(
        shutil.copytree, alice.folder, tmp_path / "yesterday", ignore=shutil.ignore_patterns("lock")
    )
    for number in range(3):
        _, sealed = await write(alice, here, f"today {number}")
        assert await bring(bob, sealed) is not None
    await alice.engine.stop()
    for file in alice.folder.iterdir():
        if file.name != "lock":  # a profile with another lock would be taken for a copy
            file.unlink()
    shutil.copytree(tmp_path / "yesterday", alice.folder, dirs_exist_ok=True)
    await alice.start()
    lost, sealed = await write(alice, here, "said with a key that was used")
    before = (await sessions(bob, there)).encode()
    assert await bring(bob, sealed) is None
    assert (await sessions(bob, there)).encode() == before
    assert await state(alice, lost.id) is MessageState.QUEUED
    await alice.connect(await bob.address())
    await alice.sees(lost.id, MessageState.DELIVERED)


async def test_a_backup_holds_no_prekeys_and_never_seals(people: People, tmp_path: Path) -> None:
    """The copy that is made before a migration, opened: it reads, and seals again after the next link."""
    alice, bob = await two(people)
    here, there = await seeded(alice, bob)
    await sealing(alice).prekeys()
    await part(alice, here, bob, there)
    on_way, old = await write(alice, here, "sealed before the backup")
    _, theirs = await write(bob, there, "opened after the backup")
    key, folder = alice.engine._profile.db_key, tmp_path / "restored"
    await alice.engine.stop()
    shutil.copytree(alice.folder, folder)
    (folder / "lock").unlink()
    database = folder / DATABASE
    open_current(database, key, (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT")).close()
    copy_name(database, len(MIGRATIONS)).replace(database)
    alice.folder = folder
    await alice.start()
    context = context_of(alice)
    assert await context.stored(context.store.prekeys.all, context.fingerprint) == []
    assert await context.stored(context.store.prekeys.list, context.fingerprint) is None
    assert await current(alice, here) is None
    assert await sealing(alice).sealed_for(here, on_way.id, KEY) is None
    assert await bring(alice, theirs) is not None
    assert await sealing(alice).receipts(here, KEY) is None
    await killed(alice, tmp_path / "restored and killed")
    assert await sealing(alice).sealed_for(here, on_way.id, KEY) is None, "for good"
    assert await bring(bob, old) is not None, "it was on its way"
    await alice.connect(await bob.address())
    await settled(alice, here, bob, there)
    await part(alice, here, bob, there)
    _, sealed = await write(alice, here, "in a new session")
    assert await bring(bob, sealed) is not None
    assert (await bob.texts(there)).count("sealed before the backup") == 1


@pytest.fixture
def new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vaults of these tests are handed their new keys."""
    spare_keys.use(monkeypatch, tmp_path / "taken")


@pytest.mark.usefixtures("new_keys")
async def test_a_new_identity_ends_all_sessions_and_begins_new_ones(people: People, tmp_path: Path) -> None:
    alice, bob = await two(people)
    here, there = await seeded(alice, bob)
    relay = await sealing(alice).prekeys()
    await part(alice, here, bob, there)
    to_bob, sealed_to_bob = await write(alice, here, "from who I was")
    to_alice, sealed_to_alice = await write(bob, there, "to who you were")
    first = await current(bob, there)
    await alice.engine.move_to_new_identity()
    assert (await sessions(alice, here)).held == ()
    assert await bring(alice, sealed_to_alice) is None
    assert await sealing(alice).sealed_for(here, to_bob.id, KEY) is None
    context = context_of(alice)
    old = PrekeyList.decode(relay.list).bundle.fingerprint
    assert await context.stored(context.store.prekeys.all, old) == []
    fresh = await sealing(alice).prekeys()
    assert PrekeyList.decode(fresh.list).bundle.fingerprint == context.fingerprint != old
    assert await current(bob, there) == first, "he does not know yet"

    await alice.connect(await bob.address())
    await bob.wait_for(KeyChanged)
    await alice.sees(to_bob.id, MessageState.DELIVERED)
    await bob.sees(to_alice.id, MessageState.DELIVERED)
    await settled(alice, here, bob, there)
    second = await current(bob, there)
    assert second == await current(alice, here) != first
    assert len((await sessions(bob, there)).held) == 1, "those with the old key are gone"
    assert await bring(bob, sealed_to_bob) is None
    await part(alice, here, bob, there)
    await killed(alice, tmp_path / "alice again")
    for one, conversation, other in ((alice, here, bob), (bob, there, alice)):
        message, sealed = await write(one, conversation, f"on with {one.who}")
        assert await bring(other, sealed) is not None
        await bring_receipts(other, here if other is alice else there, one)
        await one.sees(message.id, MessageState.DELIVERED)


@pytest.mark.usefixtures("new_keys")
async def test_letters_to_who_somebody_was(people: People) -> None:
    """And letters from them: a key that was given up opens no door."""
    alice, bob = await two(people)
    here, relay = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    _, to_old_bob = await write_first(alice, here, "to who you were", relay)
    await bob.engine.move_to_new_identity()
    assert await bring(bob, to_old_bob) is None
    assert await bob.engine.conversations() == []

    relay = await sealing(bob).prekeys()
    contact = await alice.connect(await bob.address())  # another person, for all that she knows
    there = await bob.knows(alice, Standing.REQUEST)
    await bob.engine.accept(there.id)
    await settled(alice, contact.id, bob, there.id)
    await part(alice, contact.id, bob, there.id)
    running = context_of(alice)
    draft = await alice.engine.send_text(contact.id, "from who I was")
    await running.stored(
        running.store.sealed.keep_only, Fingerprint(bytes(32))
    )  # else the session would be used
    letter = await sealing(alice).sealed_first(
        contact.id, draft.id, KEY, prekey_list=relay.list, prekey=prekey_of(relay)
    )
    await alice.engine.move_to_new_identity()
    await alice.connect(await bob.address())
    await bob.wait_for(KeyChanged)
    assert letter is not None
    assert await bring(bob, letter) is None
