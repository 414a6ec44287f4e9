"""One person of the torture test of files: ``python -m tests.torture.file_node FOLDER OTHER OFFERED TARGET``.

Offers OFFERED, once in its life, unless that is "-", and takes what is offered into TARGET. It says on its
standard output how the transfer has ended, and ends when it is killed, or when its standard input ends.
"""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.errors import InputError
from messenger.core.transfers import ENDS, Transfer, TransferState
from messenger.engine.context import Context
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, Event, TransferChanged
from tests.helpers.keys import identity

NOTHING: Final = "-"


class Node:
    """Offers or takes.

    Args:
        folder: Profile.
        target: Where files go that are offered.
    """

    def __init__(self, folder: Path, target: str) -> None:
        self.engine = Engine(folder, self._publish)
        self._target = target
        self._news: asyncio.Queue[Transfer] = asyncio.Queue()

    async def run(self, other: str, offered: str) -> None:
        """Go on until the transfer has ended, and say how."""
        await self.engine.open()
        known = await self.engine.transfers()
        if not known and offered != NOTHING:
            rows = await self.engine.conversations()
            there = next(row.id for row in rows if row.contact.fingerprint == identity(other).fingerprint)
            await self.engine.offer_files(there, [Path(offered)])
        for transfer in known:
            self._news.put_nowait(transfer)
        while (transfer := await self._news.get()).state not in ENDS:
            if transfer.state is TransferState.OFFERED and not transfer.outgoing:
                with contextlib.suppress(InputError):  # the news are old
                    await self.engine.accept_files(transfer.id, Path(self._target))
        print(transfer.state.value, flush=True)

    def _publish(self, event: Event) -> None:
        if isinstance(event, EngineFault):
            print(f"fault {event.where} {event.error}", flush=True)
        if isinstance(event, TransferChanged):
            self._news.put_nowait(event.transfer)


async def _run(node: Node, other: str, offered: str) -> None:
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(node.run(other, offered))
    await loop.run_in_executor(None, sys.stdin.read)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await node.engine.stop()


def main() -> None:
    """Run as somebody."""
    folder, other, offered, target = sys.argv[1:]
    # Addresses learnt on the way would lead around the bad network.
    Context.port = property(lambda _self: 0, lambda _self, _port: None)  # type: ignore[assignment]
    limits.RECONNECT_FIRST, limits.RECONNECT_MAX = 0.05, 0.5  # type: ignore[misc]
    asyncio.run(_run(Node(Path(folder), target), other, offered))


if __name__ == "__main__":
    main()
