"""Moving to a new identity that fails, is given up, or is cut off: nobody is lost."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import ConnectError, InputError, InputProblem, StorageError, VaultError
from messenger.core.ids import AttemptId
from messenger.crypto.keystore import IDENTITY_NAME
from messenger.crypto.succession import Succession
from messenger.crypto.vault import Vault
from messenger.engine.events import (
    ContactChanged,
    EngineFault,
    KeyChanged,
    ListeningChanged,
    MeChanged,
    SetupProgress,
    SetupStep,
)
from messenger.storage.store import Store
from tests.helpers import spare_keys
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.moving import (
    both_ways,
    contact_of,
    untold,
    who,
)


@pytest.fixture(autouse=True)
def new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vaults of these tests are handed their new keys."""
    spare_keys.use(monkeypatch, tmp_path / "taken")


async def _by_hand(person: Person, *, store: bool, adopt: bool) -> Succession:
    """Do a part of a move on the profile of somebody whose engine is stopped, as a crash would leave it."""
    vault = await Vault.start()
    opened = await vault.open(person.folder)
    statement = await vault.succeed(1)
    if store:
        database = Store.open(person.folder / DATABASE, opened.db_key)
        database.successions.add(1, statement, 5)
        database.close()
    if adopt:
        await vault.adopt()
    await vault.close()
    return Succession.decode(statement)


@pytest.mark.parametrize("stored", [False, True], ids=["keys made", "statement stored"])
async def test_a_crash_before_the_new_keys_are_there(people: People, stored: bool) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.stop()
    await _by_hand(alice, store=stored, adopt=False)
    await alice.start()
    assert await who(alice) == alice.fingerprint
    assert await untold(alice, here) == 0
    await both_ways(alice, here, bob, there, "nothing happened")
    await alice.engine.move_to_new_identity()
    await both_ways(alice, here, bob, there, "now it has")
    assert (await bob.wait_for(KeyChanged)).contact.fingerprint == await who(alice)
    assert await untold(alice, here) == 0


async def test_a_crash_before_anybody_was_told(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.stop()
    statement = await _by_hand(alice, store=True, adopt=True)
    await alice.start()
    assert await who(alice) == statement.new
    assert (await bob.wait_for(KeyChanged)).contact.fingerprint == statement.new
    await both_ways(alice, here, bob, there, "told")
    assert await untold(alice, here) == 0


async def test_a_disk_that_does_not_take_the_keys(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    obstacle = alice.folder / f"{IDENTITY_NAME}.new"
    obstacle.mkdir()
    mark, theirs = alice.mark, bob.mark
    with pytest.raises(StorageError):
        await alice.engine.move_to_new_identity()
    assert alice.count(MeChanged, since=mark) == 0
    assert alice.count(EngineFault) == 0, "the one who asked has been told"
    assert await who(alice) == alice.fingerprint
    await bob.online(there, since=theirs)
    await both_ways(alice, here, bob, there, "still the old one")
    assert bob.count(KeyChanged) == 0
    obstacle.rmdir()
    await alice.engine.move_to_new_identity()
    await both_ways(alice, here, bob, there, "and now the new one")
    assert (await contact_of(bob, there)).fingerprint == await who(alice) != alice.fingerprint


async def test_one_move_at_a_time(people: People) -> None:
    alice = await people("alice")
    moving = asyncio.create_task(alice.engine.move_to_new_identity())
    await alice.wait_for(SetupProgress)
    with pytest.raises(InputError) as caught:
        await alice.engine.move_to_new_identity()
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    await moving
    assert alice.count(MeChanged) == 1


async def test_given_up_while_keys_are_made(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    mark = alice.mark
    moving = asyncio.create_task(alice.engine.move_to_new_identity())
    await alice.wait_for(SetupProgress)
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    await both_ways(alice, here, bob, there, "as ever")
    assert await who(alice) == alice.fingerprint
    assert alice.count(MeChanged, since=mark) == alice.count(ListeningChanged, since=mark) == 0
    await alice.engine.move_to_new_identity()
    assert await who(alice) != alice.fingerprint
    await both_ways(alice, here, bob, there, "after all")
    assert (await bob.wait_for(KeyChanged)).contact.fingerprint == await who(alice)


async def test_given_up_too_late(people: People) -> None:
    """Once the links are down it is finished, whoever waits for it."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    moving = asyncio.create_task(alice.engine.move_to_new_identity())
    await alice.wait_for(ListeningChanged, lambda e: e.listening is None)
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    assert moving.cancelled()
    await alice.wait_for(SetupProgress, lambda e: e.step is SetupStep.DONE)
    await both_ways(alice, here, bob, there, "afterwards")
    assert (await contact_of(bob, there)).fingerprint == await who(alice) != alice.fingerprint


async def test_given_up_too_late_and_failed(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    (alice.folder / f"{IDENTITY_NAME}.new").mkdir()
    moving = asyncio.create_task(alice.engine.move_to_new_identity())
    await alice.wait_for(ListeningChanged, lambda e: e.listening is None)
    moving.cancel()
    assert (await alice.wait_for(EngineFault)).where == "succession"
    await asyncio.gather(moving, return_exceptions=True)
    await both_ways(alice, here, bob, there, "as ever")
    assert await who(alice) == alice.fingerprint


Wait = Callable[[Person], Awaitable[object]]
MOMENTS: dict[str, Wait] = {
    "keys are made": lambda alice: alice.wait_for(SetupProgress),
    "links end": lambda alice: alice.wait_for(ListeningChanged, lambda e: e.listening is None),
    "it is somebody new": lambda alice: alice.wait_for(MeChanged),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_stopped_at_any_moment(people: People, moment: str) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    moving = asyncio.create_task(alice.engine.move_to_new_identity())
    await MOMENTS[moment](alice)
    await alice.engine.stop()
    with contextlib.suppress(ConnectError, VaultError):
        await moving
    await alice.start()
    assert (await who(alice) == alice.fingerprint) == (moment == "keys are made")
    await both_ways(alice, here, bob, there, "afterwards")
    assert (await contact_of(bob, there)).fingerprint == await who(alice)
    assert await untold(alice, here) == 0
    assert alice.count(EngineFault) == bob.count(EngineFault) == 0


async def test_nobody_is_left_behind_by_more_moves_than_they_may_be_told(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SUCCESSIONS_MAX", 1)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await bob.engine.stop()
    await alice.offline(here)
    await alice.engine.move_to_new_identity()
    with pytest.raises(InputError) as caught:
        await alice.engine.move_to_new_identity()
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    await bob.start()
    await both_ways(alice, here, bob, there, "told")
    await alice.engine.move_to_new_identity()
    await both_ways(alice, here, bob, there, "and again")


async def test_calls_wait_until_it_is_over(people: People) -> None:
    """What a person does meanwhile is not lost: it fails at once, or is done."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.stop_listening()
    mark = alice.mark
    moving = asyncio.create_task(alice.engine.move_to_new_identity())
    await alice.offline(here, since=mark)
    with pytest.raises(ConnectError):
        await alice.engine.connect(await bob.address(), AttemptId(77))
    await alice.engine.send_text(here, "written meanwhile")
    await alice.engine.set_name("Alice the new")
    await moving
    await bob.hears("written meanwhile")
    assert await alice.engine.listening() is None, "it listens as before, not as in the settings"
    await bob.wait_for(ContactChanged, lambda e: e.contact.id == there and e.contact.name == "Alice the new")
    assert (await alice.engine.me()).name == "Alice the new"
