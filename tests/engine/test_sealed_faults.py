"""Sealed messages when the disk or the keys fail, at every single step of a transaction."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from messenger.core.errors import DiskFull, StorageError, VaultError
from messenger.core.ids import ConversationId
from messenger.core.models import MessageState
from messenger.engine.events import MessageAdded
from messenger.storage.database import Database, Row, Value
from tests.helpers.carrier import (
    KEY,
    bring,
    bring_receipts,
    context_of,
    envelope,
    fingerprint_only,
    killed,
    part,
    prekey_of,
    sealing,
    seeded,
    sessions,
    write,
    write_first,
)
from tests.helpers.engines import People, Person


@contextmanager
def failing_after(statements: int, person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The disk of somebody is full after so many statements that are no queries; collects them."""
    database, real = context_of(person).store._database, Database.rows
    seen: list[str] = []

    def rows(self: Database, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        if self is database and not sql.lstrip().startswith(("SELECT", "ROLLBACK")):
            if len(seen) == statements:
                raise DiskFull
            seen.append(sql)
        return real(self, sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "rows", rows)
        yield seen


async def fails_at_every_step(
    person: Person, act: Callable[[], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> int:
    """Do something with the disk failing at the first step, at the second, and so on, until it succeeds.

    Returns:
        How often it failed; the disk was as before each time.
    """
    before = await _content(person)
    for steps in range(1000):
        with failing_after(steps, person, monkeypatch):
            try:
                await act()
            except StorageError:
                pass
            else:
                return steps
        assert await _content(person) == before, f"after {steps} steps"
    raise AssertionError("it never succeeds")


async def _content(person: Person) -> dict[str, list[Row]]:
    """Everything that a sealed message may change, as another program would find it."""
    reader = person.engine.reader()
    tables = ["contacts", "messages", "outbox", "invites", "sealed_sessions", "sealed_ids", "sealed_outbox"]
    tables += ["sealed_receipts", "first_contacts", "prekeys", "prekey_lists"]
    try:
        return {table: reader._database.rows(f"SELECT * FROM {table}") for table in tables}  # noqa: S608
    finally:
        reader.close()


async def apart(people: People) -> tuple[Person, ConversationId, Person, ConversationId]:
    """Alice and Bob, who have met and whose link has ended."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    return alice, here, bob, there


async def test_opening_a_message(people: People, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Text, session and receipt come together; until then the carrier keeps it, and then it comes once."""
    alice, here, bob, there = await apart(people)
    message, sealed = await write(alice, here, "at last")
    assert await fails_at_every_step(bob, lambda: bring(bob, sealed), monkeypatch) >= 5
    await killed(bob, tmp_path / "bob again")
    assert (await bob.texts(there)).count("at last") == 1
    assert await bring(bob, sealed) is None
    assert await bring_receipts(bob, there, alice) == [message.id]


async def test_sealing_a_message(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves that is not on the disk."""
    alice, here, bob, _ = await apart(people)
    message = await alice.engine.send_text(here, "at last")
    given: list[bytes] = []

    async def seal() -> None:
        given.append(await envelope(alice, here, message.id))

    assert await fails_at_every_step(alice, seal, monkeypatch) >= 4
    (sealed,) = given
    number = (await sessions(alice, here)).held[0].session.sending.number
    assert number == 1, "no key was left out"
    assert await bring(bob, sealed) is not None


async def test_receipts(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, here, bob, there = await apart(people)
    message, sealed = await write(alice, here, "at last")
    assert await bring(bob, sealed) is not None
    given: list[bytes] = []

    async def seal() -> None:
        receipts = await sealing(bob).receipts(there, KEY)
        assert receipts is not None
        given.append(receipts.envelope)

    assert await fails_at_every_step(bob, seal, monkeypatch) >= 3
    assert await fails_at_every_step(alice, lambda: bring(alice, given[0]), monkeypatch) >= 4
    (state,) = [each.state for each in await alice.engine.messages(here) if each.id == message.id]
    assert state is MessageState.DELIVERED


async def test_writing_a_first_contact(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    message = await alice.engine.send_text(here, "at last")
    given: list[bytes | None] = []

    async def seal() -> None:
        first = sealing(alice).sealed_first
        given.append(await first(here, message.id, KEY, prekey_list=relay.list, prekey=prekey_of(relay)))

    assert await fails_at_every_step(alice, seal, monkeypatch) >= 5
    assert len((await sessions(alice, here)).held) == 1
    assert await bring(bob, given[0] or b"") is not None


async def test_opening_a_first_contact(
    people: People, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Contact, text, session and prekey together: it is burnt if and only if the text is there."""
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    _, sealed = await write_first(alice, here, "at last", relay)
    assert await fails_at_every_step(bob, lambda: bring(bob, sealed), monkeypatch) >= 8
    assert bob.count(MessageAdded) == 1
    await killed(bob, tmp_path / "bob again")
    there = await bob.with_(alice)
    assert await bob.texts(there) == ["at last"]
    assert len((await sessions(bob, there)).held) == 1
    assert prekey_of(relay) not in (await sealing(bob).prekeys()).prekeys


async def test_publishing_prekeys(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is published whose secret is not on the disk."""
    bob = await people("bob")
    for steps in (0, 1, 30, 66, 67, 2, 3, 4):  # from the fifth on the secrets are stored
        with failing_after(steps, bob, monkeypatch), pytest.raises(StorageError):
            await sealing(bob).prekeys()
    published = await sealing(bob).prekeys()
    context = context_of(bob)
    assert len(await context.stored(context.store.prekeys.all, bob.fingerprint)) == len(published.prekeys)


async def test_the_keys_are_gone(people: People) -> None:
    """A letter that cannot be judged is kept by the carrier, and nothing is signed; sessions go on."""
    alice, here, bob, there = await apart(people)
    carol = await people("carol")
    relay = await sealing(bob).prekeys()
    with_bob = await fingerprint_only(carol, bob)
    _, letter = await write_first(carol, with_bob, "for later", relay)
    vault = bob.engine._profile._vault
    assert vault is not None
    vault._child.kill()
    await vault._child.wait()
    with pytest.raises(VaultError):
        await bring(bob, letter)
    assert prekey_of(relay) in (await sealing(bob).prekeys()).prekeys, "signed before"
    _, sealed = await write(alice, here, "still there?")
    assert await bring(bob, sealed) is not None
    await bring_receipts(bob, there, alice)
    await bob.restart()
    assert await bring(bob, letter) is not None
