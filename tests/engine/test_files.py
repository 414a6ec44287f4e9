"""Files between two engines, over real links and lanes, onto a real disk."""

import os
from pathlib import Path

from messenger.core.transfers import Transfer, TransferState
from messenger.engine.events import TransferChanged
from tests.helpers.engines import People, Person, friends


def content(size: int) -> bytes:
    return os.urandom(size)


async def stands(person: Person, state: TransferState, *, since: int = 0) -> Transfer:
    """Wait until a transfer stands somehow."""
    event = await person.wait_for(TransferChanged, lambda e: e.transfer.state is state, since=since)
    return event.transfer


async def test_one_file(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    to_bob, _ = await friends(alice, bob)
    source, target = tmp_path / "letter.bin", tmp_path / "there"
    source.write_bytes(content(10_000_000))
    message, left_out = await alice.engine.offer_files(to_bob, [source])
    assert not left_out
    offered = await stands(bob, TransferState.OFFERED)
    assert (offered.names, offered.size, offered.files) == (("letter.bin",), 10_000_000, 1)
    await bob.engine.accept_files(offered.id, target)
    done = await stands(bob, TransferState.DONE)
    sent = await stands(alice, TransferState.DONE)
    assert (target / "letter.bin").read_bytes() == source.read_bytes()
    assert done.placed == (str(target / "letter.bin"),)
    assert sent.message == message.id == done.message
    assert [path.name for path in target.iterdir()] == ["letter.bin"]
