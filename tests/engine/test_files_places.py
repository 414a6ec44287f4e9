"""Where files come from and where they go: names that are no text, folders and offers that go."""

import os
import sys
from pathlib import Path

import pytest

from messenger.core import transfer_limits
from messenger.core.errors import DiskFull, InputError, InputProblem
from messenger.core.transfers import TransferState, Trouble
from messenger.engine.events import TransferChanged
from messenger.storage import landing
from tests.engine.test_files import MIB, Pair, both_done, file, of_alice, offered, pair, stands

__all__ = ["pair"]

no_text = pytest.mark.skipif(sys.platform != "linux", reason="other systems have names that are text")


def strange(folder: Path) -> Path:
    """A path whose last name is no text."""
    return Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt"))


@no_text
async def test_a_file_whose_name_is_no_text_can_be_sent_and_sent_again(pair: Pair, tmp_path: Path) -> None:
    alice, bob, _ = pair
    strange(tmp_path).write_bytes(b"black")
    offer = await offered(pair, strange(tmp_path))
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await both_done(pair)
    assert (tmp_path / "there" / "caf\ufffd.txt").read_bytes() == b"black"
    sent = await of_alice(pair)
    assert sent.placed == (str(strange(tmp_path)),)
    since = bob.mark
    await alice.engine.offer_again(sent.id)
    assert (await stands(bob, TransferState.OFFERED, since=since)).size == 5


@no_text
async def test_a_folder_whose_name_is_no_text_is_refused(pair: Pair, tmp_path: Path) -> None:
    offer = await offered(pair, file(tmp_path / "a", 5))
    with pytest.raises(InputError) as refused:
        await pair[1].engine.accept_files(offer.id, strange(tmp_path))
    assert refused.value.problem is InputProblem.BAD_VALUE
    assert not strange(tmp_path).exists()


async def test_a_folder_that_goes_while_a_transfer_waits_for_room(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bob, _ = pair
    monkeypatch.setattr(transfer_limits, "ROOM_EVERY", 0.05)
    room, write, full, there = landing.room, landing.Landing.write, [True], tmp_path / "there"
    paused = [False]

    def refuse(self: landing.Landing, offset: int, *pieces: memoryview) -> None:
        if full[0]:
            paused[0] = True
            raise DiskFull
        write(self, offset, *pieces)

    monkeypatch.setattr(landing.Landing, "write", refuse)
    offer = await offered(pair, file(tmp_path / "a", 9 * MIB))
    monkeypatch.setattr(landing, "room", lambda path: min(room(path), 0) if paused[0] else room(path))
    await bob.engine.accept_files(offer.id, there)
    assert (await stands(bob, TransferState.PAUSED)).trouble is Trouble.NO_ROOM
    since = bob.mark
    there.rename(tmp_path / "away")
    await bob.wait_for(TransferChanged, lambda e: e.transfer.trouble is Trouble.READ_ONLY, since=since)
    full[0] = paused[0] = False
    (tmp_path / "away").rename(there)
    await bob.engine.resume_transfer(offer.id)
    await both_done(pair)
    assert (there / "a").read_bytes() == (tmp_path / "a").read_bytes()


async def test_who_deletes_an_offer_for_both_has_ended_it(pair: Pair, tmp_path: Path) -> None:
    alice, bob, to_bob = pair
    offer = await offered(pair, file(tmp_path / "a", 5))
    await bob.engine.disconnect(await bob.with_(alice))
    await alice.offline(to_bob)
    since = alice.mark, bob.mark
    await alice.engine.delete_message(to_bob, (await of_alice(pair)).message, for_both=True)
    await stands(alice, TransferState.CANCELLED, since=since[0])
    assert (await stands(bob, TransferState.CANCELLED, since=since[1])).id == offer.id
