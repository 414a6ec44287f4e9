"""Programs with a relay whose disk does not play along, for real.

``python -m tests.helpers.full_relay PROGRAM FOLDER`` runs one of `PROGRAMS` under ``unshare -rm``: it mounts
a small file system of its own over the folder, and prints one line for each thing that it tried.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from messenger.core import limits, relay_limits
from messenger.core.errors import StorageError
from messenger.protocol.relay_answers import Failed
from messenger.protocol.relay_queues import Send
from tests.helpers.relays import Box, Site, Visitor, envelope, prepare, relay_in
from tests.helpers.storage import file_system, remount_read_only, report

_SIZE: Final = sorted(limits.ENVELOPE_BUCKETS)[2]
_FREE: Final = 5_000_000


def _word(answer: object) -> str:
    return answer.code.name if isinstance(answer, Failed) else type(answer).__name__


async def _fill(writer: Visitor, box: Box) -> int:
    """Write into a queue until the relay takes nothing more; returns how much it took."""
    number = 0
    while not isinstance(answer := await writer.send(box, envelope(number, _SIZE)), Failed):
        number += 1
    report(f"then {_word(answer)}")
    return number


async def _fetch(owner: Visitor, box: Box, number: int) -> None:
    """Take everything out of a queue."""
    tag = await owner.subscribe(box)
    for each in range(number):
        assert await owner.arrived(tag) == envelope(each, _SIZE)
    report("all is there")


async def _hand(site: Site, box: Box, writer: Visitor) -> None:
    """Write to somebody who is there."""
    reader = await site.visitor()
    tag = await reader.subscribe(box)
    sent = writer.post(Send(0, box.send_id, envelope(999)), box.send_key)
    assert await reader.arrived(tag) == envelope(999)
    report(f"handed over {_word(await writer.answer(sent))}")


async def leave_free(folder: Path) -> None:
    """What the relay leaves free is enough to delete what was fetched, again and again."""
    async with relay_in(folder, disk_free=_FREE) as site:
        owner, writer = await site.visitor(), await site.visitor()
        friends = await owner.make()
        for _ in range(3):
            box = await owner.make()
            number = await _fill(writer, box)
            assert number > 20
            await _hand(site, friends, writer)
            await _fetch(owner, box, number)
            report(f"deleted {_word(await owner.delete(box))}")


async def filled_by_others(folder: Path) -> None:
    """A disk that something else has filled: nothing that was taken is lost, and it goes on with room."""
    async with relay_in(folder, disk_free=0) as site:
        owner, writer = await site.visitor(), await site.visitor()
        friends, box = await owner.make(), await owner.make()
        for number in range(5):
            report(_word(await writer.send(box, envelope(number, _SIZE))))
        filling = folder.parent / "filling"
        with filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                report("full")
        number = 5
        while not isinstance(answer := await writer.send(box, envelope(number, _SIZE)), Failed):
            number += 1  # into what the log of the database has left
        report(f"then {_word(answer)}, {site.relay.ailing()}")
        await _hand(site, friends, writer)
        filling.unlink()
        report(f"with room {_word(await writer.send(box, envelope(number, _SIZE)))}")
        await _fetch(owner, box, number + 1)


async def cannot_be_written_to(folder: Path) -> None:
    """A folder on a read-only disk: an error at the start, and nothing is left running."""
    async with relay_in(folder):
        pass
    remount_read_only(folder.parent)
    try:
        async with relay_in(folder):
            report("runs")
    except StorageError as e:
        report(type(e).__name__)


PROGRAMS: Final[dict[str, Callable[[Path], Awaitable[None]]]] = {
    function.__name__: function for function in (leave_free, filled_by_others, cannot_be_written_to)
}


async def main() -> None:
    """Run one of them on a small disk."""
    relay_limits.HANDED_WAIT = 60.0  # type: ignore[misc] # a slow machine is not what this is about
    folder = Path(sys.argv[2])
    with file_system(folder, "size=16m"):
        await PROGRAMS[sys.argv[1]](prepare(folder / "relay"))


if __name__ == "__main__":
    asyncio.run(main())
