"""What fails for a moment is tried again, and what fails at the end leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core.errors import DiskFull, Reason, StorageError
from messenger.core.models import MessageState, ProfileStatus
from messenger.engine.events import EngineFault
from messenger.storage.contacts import ContactTable
from messenger.storage.lock import ProfileLock
from messenger.storage.meta import MetaTable
from messenger.storage.store import Store
from tests.helpers.carrier import context_of
from tests.helpers.engines import People, friends, prepare
from tests.helpers.links import End
from tests.helpers.wire import calling


class Fails:
    """Makes a method of the store fail for some time.

    Args:
        patch: Of the test.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.left = 0
        """How often it still fails."""

    def __call__(self, table: object, method: str, times: int, error: type[Exception] = DiskFull) -> None:
        """From now on it fails so many times: a table of one person, or a kind of table for everybody."""
        works: Callable[..., object] = getattr(table, method)
        self.left = times

        def failing(*arguments: object, **named: object) -> object:
            if self.left:
                self.left -= 1
                raise error("as the test wants it")
            return works(*arguments, **named)

        self._patch.setattr(table, method, failing)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Fails:
    return Fails(monkeypatch)


async def test_an_opening_that_failed_halfway_can_be_tried_again(people: People, fails: Fails) -> None:
    bob = people.asleep("bob")
    fails(ContactTable, "all", 1)
    with pytest.raises(DiskFull):
        await bob.engine.open()
    ProfileLock(bob.folder).release()  # nothing is held
    await bob.engine.open()
    assert await bob.port()


async def test_a_profile_whose_database_could_not_take_the_name_is_opened_later(
    people: People, fails: Fails, tmp_path: Path
) -> None:
    """As after a full disk in the middle of the first start: the keys are there, the name is not."""
    keys = prepare(tmp_path / "keys", "bob")
    (keys / "sotto.db").unlink()
    bob = people.in_folder(keys, "bob")
    fails(MetaTable, "name", 1)
    with pytest.raises(DiskFull):
        await bob.engine.open()
    assert await bob.engine.status() is ProfileStatus.READY
    await bob.engine.open()
    assert (await bob.engine.me()).name == ""


async def test_a_port_that_cannot_be_remembered_is_listened_on_all_the_same(
    people: People, fails: Fails
) -> None:
    bob = people.asleep("bob")
    fails(MetaTable, "put", 2)  # that it was opened, then the port
    await bob.start()
    assert await bob.port()
    assert bob.count(EngineFault, lambda e: e == EngineFault("storage", "DiskFull")) == 1


async def test_a_database_that_does_not_close_holds_nothing_else_open(people: People, fails: Fails) -> None:
    bob = await people("bob")
    fails(Store, "close", 1, StorageError)
    with pytest.raises(StorageError):
        await bob.engine.stop()
    ProfileLock(bob.folder).release()


async def test_an_outbox_that_could_not_be_read_is_read_with_the_next_text(
    people: People, fails: Fails
) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    fails(context_of(alice).store.messages, "to_send", 1)
    first = await alice.engine.send_text(here, "one")
    assert await alice.wait_for(EngineFault) == EngineFault("outbox", "DiskFull")
    second = await alice.engine.send_text(here, "two")
    for message in (first, second):
        await alice.sees(message.id, MessageState.DELIVERED)


async def test_a_fault_in_the_outbox_is_told(
    people: People, fails: Fails, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    fails(context_of(alice).store.messages, "to_send", 1, RuntimeError)
    await alice.engine.send_text(here, "one")
    assert await alice.wait_for(EngineFault) == EngineFault("outbox", "RuntimeError")
    assert "outbox failed: RuntimeError" in caplog.text


async def test_a_contact_is_reached_although_the_disk_failed_in_between(people: People, fails: Fails) -> None:
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, _ = await friends(alice, bob)
    await bob.engine.stop()
    await alice.offline(here)
    fails(ContactTable, "get", 2)
    await alice.wait_for(EngineFault, lambda e: e == EngineFault("storage", "DiskFull"))
    mark = alice.mark
    await bob.start()
    await alice.online(here, since=mark)


async def test_who_comes_while_everybody_is_told_goodbye_is_dropped(people: People) -> None:
    """A call that was taken just before the listener closed must not outlive the engine's links."""
    bob = await people("bob")
    running = bob.engine._running
    assert running is not None
    await running.peers.close()
    async with calling(End.calling("alice", "bob"), await bob.port()) as caller:
        assert await caller.ended() is Reason.REFUSED
    running.peers.reopen()
    alice = await people("alice")
    await alice.connect(await bob.address())
