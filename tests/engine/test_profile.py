"""Profile folders: new, locked, in use, missing, read-only."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import (
    ConnectError,
    DatabaseDamaged,
    InputError,
    KeyFileError,
    LocalProtocolError,
    ProfileInUse,
    ProfileMissing,
    Reason,
    SottoError,
    StorageError,
    WrongPassphrase,
)
from messenger.core.models import Offline, ProfileStatus
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, PresenceChanged, SetupProgress, SetupStep
from messenger.net.listen import free_ports
from tests.helpers.engines import DATABASE, People, fresh_port, friends, prepare
from tests.helpers.family import family_of
from tests.helpers.links import End
from tests.helpers.relay_users import uses
from tests.helpers.small_relay import SmallRelay
from tests.helpers.wire import calling

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes")


async def test_somebody_new(people: People, tmp_path: Path) -> None:
    """Real keys are made here, which takes some seconds."""
    person = people.in_folder(tmp_path / "new" / "folder", "nobody")
    assert await person.engine.status() is ProfileStatus.NEW
    for wrong in ("", "\u200b", "x" * 100):
        with pytest.raises(InputError):
            await person.engine.create(wrong)
    await person.engine.create("  New  One ")
    steps = [event.step for event in person.events if isinstance(event, SetupProgress)]
    assert steps == [SetupStep.SIGNING_KEY, SetupStep.EXCHANGE_KEY, SetupStep.SAVING, SetupStep.DONE]
    me = await person.engine.me()
    assert (me.name, me.protection) == ("New One", "file"), "there is no keyring in tests"
    assert await person.engine.listening() is not None
    with pytest.raises(SottoError):
        await person.engine.create("Another")
    await person.engine.stop()
    await person.start()
    assert await person.engine.me() == me
    if os.name == "posix":
        assert (tmp_path / "new" / "folder").stat().st_mode & 0o077 == 0


async def test_a_passphrase(people: People) -> None:
    person = people.asleep("alice", "correct horse")
    assert await person.engine.status() is ProfileStatus.LOCKED
    for wrong in (None, "", "Correct horse", "correct horse "):
        with pytest.raises(WrongPassphrase):
            await person.engine.open(wrong)
        assert await person.engine.status() is ProfileStatus.LOCKED
    await person.engine.open("correct horse")
    me = await person.engine.me()
    assert (me.name, me.protection, me.fingerprint) == ("Alice", "passphrase", person.fingerprint)


async def test_without_a_passphrase(people: People) -> None:
    person = people.asleep("alice")
    assert await person.engine.status() is ProfileStatus.READY
    await person.engine.open("not needed")


async def test_one_program_for_each_profile(people: People) -> None:
    first = await people("alice")
    second = people.in_folder(first.folder, "alice")
    for attempt in (second.engine.status, second.engine.open):
        with pytest.raises(ProfileInUse):
            await attempt()
    await second.engine.stop()
    assert (await first.engine.me()).name == "Alice"
    await first.engine.stop()
    await second.start()
    assert (await second.engine.me()).name == "Alice"


async def test_nothing_there(people: People, tmp_path: Path) -> None:
    person = people.in_folder(tmp_path / "empty", "nobody")
    with pytest.raises(ProfileMissing):
        await person.engine.open()
    assert await person.engine.status() is ProfileStatus.NEW


@pytest.mark.skipif(os.name != "posix", reason="needs folders whose rights can be taken away")
async def test_a_folder_that_cannot_be_written_to(people: People, tmp_path: Path) -> None:
    """A file where the folder should be: even the superuser cannot write there."""
    (tmp_path / "file").write_text("in the way")
    person = people.in_folder(tmp_path / "file" / "profile", "nobody")
    with pytest.raises(StorageError):
        await person.engine.status()
    with pytest.raises(StorageError):
        await person.engine.create("Nobody")


async def test_damaged_keys(people: People) -> None:
    person = people.asleep("alice")
    keys = person.folder / "identity.key"
    data = bytearray(keys.read_bytes())
    data[40] ^= 1
    keys.write_bytes(data)
    with pytest.raises(KeyFileError):
        await person.engine.open()
    assert keys.read_bytes() == data


async def test_a_database_of_somebody_else(people: People) -> None:
    alice, bob = people.asleep("alice"), people.asleep("bob")
    theirs = (bob.folder / DATABASE).read_bytes()
    (alice.folder / DATABASE).write_bytes(theirs)
    with pytest.raises(DatabaseDamaged):
        await alice.engine.open()
    assert (alice.folder / DATABASE).read_bytes() == theirs
    await alice.engine.stop()
    await bob.start()


async def test_opening_twice_is_a_bug(people: People) -> None:
    alice = await people("alice")
    with pytest.raises(LocalProtocolError):
        await alice.engine.open()
    assert (await alice.engine.me()).name == "Alice"


async def test_commands_before_the_start_and_after_the_end(people: People) -> None:
    alice = people.asleep("alice")
    with pytest.raises(LocalProtocolError):
        await alice.engine.me()
    await alice.start()
    await alice.engine.stop()
    with pytest.raises(LocalProtocolError):
        await alice.engine.conversations()
    await alice.engine.stop()


async def test_stopping_what_was_never_started(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "never", lambda _: None)
    await engine.stop()
    assert not (tmp_path / "never").exists()


async def test_a_reader_of_its_own(people: People) -> None:
    alice = await people("alice")
    reader = await asyncio.get_running_loop().run_in_executor(None, alice.engine.reader)
    assert reader.conversations() == []
    reader.close()


async def test_nothing_secret_in_what_an_engine_says_of_itself(people: People) -> None:
    person = people.asleep("alice", "correct horse")
    await person.start("correct horse")
    key = person.engine._profile.db_key
    running = person.engine._running
    assert running is not None
    for thing in (
        person.engine,
        person.engine._profile,
        running.context,
        running.context.vault,
        person.events,
    ):
        text = repr(thing)
        assert "correct horse" not in text
        assert key.hex() not in text
        assert repr(key) not in text


@pytest.mark.parametrize("turns", [1, 5, 20, 80])
async def test_stopping_gives_up_what_is_being_opened(people: People, turns: int) -> None:
    """Whenever it comes: nothing stays open, and the profile can be opened again."""
    person = people.asleep("alice")
    port = fresh_port()
    opening = asyncio.create_task(person.engine.open())
    for _ in range(turns):
        await asyncio.sleep(0)
    await person.engine.stop()
    with pytest.raises(ConnectError) as caught:
        await opening
    assert caught.value.reason is Reason.STOPPING
    await person.start()
    await person.engine.listen(port, exact=True)
    await person.engine.stop()
    assert free_ports(port, port) == [port]


def vaults() -> int:
    """How many vault processes this process has."""
    with family_of(os.getpid()) as family:
        return len([command for command in family.commands if "vault_process" in command])


@linux
@pytest.mark.parametrize("turns", [1, 3, 10, 30])
def test_an_opening_that_is_given_up_twice_leaves_no_process(tmp_path: Path, turns: int) -> None:
    """Ctrl-C gives it up, then the engine stops; with a process left over uvloop would never close."""
    import uvloop

    folder = prepare(tmp_path / "alice", "alice")

    async def give_up() -> None:
        engine = Engine(folder, lambda _event: None)
        opening = asyncio.create_task(engine.open())
        while not vaults():  # noqa: ASYNC110 -- nobody but the system knows
            await asyncio.sleep(0)
        opening.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        await engine.stop()
        assert not vaults()
        with pytest.raises((asyncio.CancelledError, ConnectError)):
            await opening

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(give_up())


@linux
async def test_all_who_ask_at_once_have_one_vault(people: People) -> None:
    person = people.asleep("alice")
    assert set(await asyncio.gather(*(person.engine.status() for _ in range(5)))) == {ProfileStatus.READY}
    assert vaults() == 1


async def test_a_profile_that_is_only_looked_at(people: People) -> None:
    """Nobody can come in, and nobody is called, unless that is asked for."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.stop()
    await bob.offline(there)
    alice.events.clear()
    alice.engine = Engine(alice.folder, alice.events.append, online=False)
    await alice.engine.open()
    assert await alice.engine.listening() is None
    assert await alice.engine.presence(here) == Offline()
    assert not alice.count(PresenceChanged)
    assert (await alice.engine.conversations())[0].id == here
    assert (await alice.engine.listen()).addresses


@pytest.mark.parametrize("deadline", [0.0, 0.3], ids=["at once", "while goodbyes are waited for"])
async def test_nothing_is_left_open_when_the_time_for_stopping_is_over(
    people: People, monkeypatch: pytest.MonkeyPatch, deadline: float
) -> None:
    """As after a machine that stood still meanwhile: who is not told goodbye is hung up on."""
    relay = await SmallRelay.open()
    bob = await people("bob")
    await uses(bob, relay.target)
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        there = (await bob.named("mallory")).id
        mallory.freeze()
        await bob.engine.set_name("Bobby")
        await mallory.frozen()
        monkeypatch.setattr(limits, "CLOSE_WAIT", 3600.0)
        monkeypatch.setattr(limits, "STOP_DEADLINE", deadline)
        port = await bob.port()
        await bob.engine.stop()
        mallory.thaw()
        assert await mallory.ended() in (Reason.CLOSED, Reason.INTERRUPTED)
    assert free_ports(port, port) == [port]
    assert bob.count(EngineFault) == 0
    monkeypatch.undo()
    await bob.start()
    assert (await bob.engine.conversations())[0].id == there
    await relay.stop()
