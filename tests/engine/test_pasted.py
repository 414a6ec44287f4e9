"""Pictures that are pasted lie in the profile for as long as they are needed to be sent, and no longer."""

from pathlib import Path

import pytest

from messenger.core.errors import InputError, InputProblem
from messenger.core.models import MessageState
from messenger.core.transfer_deeds import possible
from messenger.core.transfers import TransferState, Trouble, Wish
from messenger.engine.events import ConversationRemoved, TransferChanged
from messenger.storage.store import Store
from tests.engine.test_files import Pair, names, offered, pair, stands
from tests.engine.test_vanishing import HOUR, pass_by, seen, vanished
from tests.helpers.engines import DATABASE, Person

__all__ = ["pair"]

PICTURE = b"\x89PNG and so on"


async def pasted(alice: Person) -> Path:
    """Alice pastes a picture."""
    path = await alice.engine.keep_pasted(lambda: PICTURE)
    assert path.read_bytes() == PICTURE
    assert path.is_relative_to(alice.folder)
    return path


async def kept(alice: Person) -> list[str]:
    """What lies there once all that was to be done about it is done: at the end of the program."""
    await alice.engine.stop()
    return names(alice.folder / "pasted")


async def test_one_that_was_sent_is_gone(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    path = await pasted(alice)
    offer = await offered(pair, path)
    assert path.exists(), "it is needed as long as Bob may want it"
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await stands(alice, TransferState.DONE)
    gone = await alice.wait_for(TransferChanged, lambda e: not e.transfer.placed)
    assert gone.transfer.state is TransferState.DONE
    assert possible(gone.transfer) == (), "nothing that is not there can be opened"
    assert (tmp_path / "there" / path.name).read_bytes() == PICTURE
    assert await kept(alice) == []


async def test_files_that_were_not_pasted_stay(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    (tmp_path / "own.png").write_bytes(PICTURE)
    offer = await offered(pair, tmp_path / "own.png")
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await stands(alice, TransferState.DONE)
    await alice.engine.stop()
    assert (tmp_path / "own.png").exists()


async def test_one_that_is_cancelled_is_gone(pair: Pair) -> None:
    alice, _, _ = pair
    await offered(pair, await pasted(alice))
    (transfer,) = await alice.engine.transfers()
    await alice.engine.cancel_transfer(transfer.id)
    gone = await alice.wait_for(TransferChanged, lambda e: not e.transfer.placed)
    assert possible(gone.transfer) == ()
    with pytest.raises(InputError) as caught:
        await alice.engine.offer_again(transfer.id)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    assert await kept(alice) == []


async def test_one_that_was_declined_can_be_offered_again(pair: Pair) -> None:
    alice, bob, _ = pair
    path = await pasted(alice)
    offer = await offered(pair, path)
    await bob.engine.decline_files(offer.id)
    declined = await stands(alice, TransferState.DECLINED)
    await alice.restart()
    assert path.exists()
    since = bob.mark
    await alice.engine.offer_again(declined.id)
    await stands(bob, TransferState.OFFERED, since=since)
    assert await kept(alice) == [path.name]


async def test_one_that_waits_survives_the_end_of_the_program(pair: Pair, tmp_path: Path) -> None:
    """An offer stays good until somebody ends it, whoever was off meanwhile."""
    alice, bob, _ = pair
    offer = await offered(pair, await pasted(alice))
    await alice.restart()
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await stands(bob, TransferState.DONE)
    await alice.wait_for(TransferChanged, lambda e: not e.transfer.placed)
    assert await kept(alice) == []


async def test_one_that_was_sent_when_the_program_died_is_gone_after_the_next_start(pair: Pair) -> None:
    alice, bob, _ = pair
    path = await pasted(alice)
    await offered(pair, path)
    key = alice.engine._profile.db_key
    await alice.engine.stop()
    store = Store.open(alice.folder / DATABASE, key)
    (held,) = store.transfers.unfinished()
    store.transfers.heard(held.id, Wish.DONE, Trouble.NONE, 9)
    store.close()
    await bob.engine.stop()
    await alice.start()
    assert not path.exists()
    assert [transfer.placed for transfer in await alice.engine.transfers()] == [()]


async def test_one_that_disappears_takes_the_file_along(pair: Pair) -> None:
    alice, bob, to_bob = pair
    await alice.engine.set_timer(to_bob, HOUR)
    path = await pasted(alice)
    await offered(pair, path)
    (transfer,) = await alice.engine.transfers()
    await seen(bob, await bob.with_(alice), path.name)
    await alice.sees(transfer.message, MessageState.READ)
    pass_by(alice, seconds=2 * HOUR)
    await vanished(alice, transfer.message)
    assert await kept(alice) == []


async def test_a_deleted_conversation_takes_them_along(pair: Pair) -> None:
    """Those that wait, and those that were declined."""
    alice, bob, to_bob = pair
    first, second = await pasted(alice), await pasted(alice)
    offer = await offered(pair, first)
    await bob.engine.decline_files(offer.id)
    await stands(alice, TransferState.DECLINED)
    await offered(pair, second)
    third = await pasted(alice)
    await alice.engine.delete_conversation(to_bob)
    await alice.wait_for(ConversationRemoved)
    assert names(alice.folder / "pasted") == [third.name], "somebody still thinks about it"
    await alice.engine.drop_pasted(third)
    assert names(alice.folder / "pasted") == []


async def test_one_that_nobody_offered_is_gone_after_the_next_start(pair: Pair) -> None:
    alice, _, _ = pair
    await pasted(alice)
    await alice.restart()
    assert names(alice.folder / "pasted") == []


async def test_other_files_are_not_dropped(pair: Pair, tmp_path: Path) -> None:
    alice, _, _ = pair
    (tmp_path / "own.png").write_bytes(PICTURE)
    path = await pasted(alice)
    await offered(pair, path)
    await alice.engine.drop_pasted(tmp_path / "own.png")
    await alice.engine.drop_pasted(path)
    assert (tmp_path / "own.png").exists()
    assert path.exists(), "it was offered"


@pytest.mark.parametrize("content", [b"", bytes(1)], ids=["empty", "too long"])
async def test_what_is_no_picture_leaves_nothing(
    pair: Pair, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _, _ = pair
    monkeypatch.setattr("messenger.core.transfer_limits.PASTED_MAX", 0)
    with pytest.raises(InputError):
        await alice.engine.keep_pasted(lambda: content)
    await alice.restart()
    assert not (alice.folder / "pasted").exists()
