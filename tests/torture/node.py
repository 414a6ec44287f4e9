"""One person of the torture test: ``python -m tests.torture.node FOLDER WHO OTHER COUNT``.

Sends COUNT numbered texts, from wherever the database says that it was before it was killed, and edits,
deletes and reacts in between. It says on standard output how far it is and when all have arrived. It ends
when it is killed, or when its standard input ends.
"""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.errors import InputError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import MessageState
from messenger.engine.context import Context
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, Event, LogDamaged, MessageChanged
from tests.helpers.keys import identity

EDIT_EVERY, EDIT_BACK = 10, 3
DELETE_EVERY, DELETE_BACK = 17, 5
REACT_EVERY: Final = 7
"""After so many texts something is done; edits and deletions to the text so far back."""

AHEAD: Final = 200
"""Messages that may be on their way before the next one is written."""

_ON_WAY: Final = (MessageState.QUEUED, MessageState.SENT)


class Node:
    """Sends, and counts what has arrived."""

    def __init__(self, folder: Path, count: int) -> None:
        self.engine = Engine(folder, self._publish)
        self._count = count
        self._ids: list[MessageId] = []
        self._waiting: set[MessageId] = set()
        self._arrived: set[MessageId] = set()
        self._moved = asyncio.Event()

    async def run(self, other: str) -> None:
        """Send everything that has not been sent, then wait until all of it has arrived."""
        await self.engine.open()
        conversation = next(
            row.id
            for row in await self.engine.conversations()
            if row.contact.fingerprint == identity(other).fingerprint
        )
        await self._take_stock(conversation)
        await self._deeds(conversation)  # it may have been killed before it did them
        while len(self._ids) < self._count:
            message = await self.engine.send_text(conversation, text(len(self._ids) + 1))
            self._ids.append(message.id)
            self._waiting.add(message.id)
            print(f"sent {len(self._ids)}", flush=True)
            await self._deeds(conversation)
            await self._until(AHEAD)
        await self._until(0)
        print("done", flush=True)

    async def _deeds(self, conversation: ConversationId) -> None:
        """What is done after so many texts; after the last nothing, so that its receipt proves the rest."""
        number = len(self._ids)
        if not 0 < number < self._count:
            return
        engine = self.engine
        with contextlib.suppress(InputError):  # deleted meanwhile, or before it was killed
            if number % EDIT_EVERY == 0 and number > EDIT_BACK:
                target = number - EDIT_BACK
                await engine.edit(conversation, self._ids[target - 1], edited(target))
            if number % DELETE_EVERY == 0 and number > DELETE_BACK:
                await engine.delete_message(conversation, self._ids[number - DELETE_BACK - 1], for_both=True)
            if number % REACT_EVERY == 0:
                page = await engine.messages(conversation, count=2 * REACT_EVERY)
                emoji = ("👍", "🎉", "")[number // REACT_EVERY % 3]
                await engine.react(conversation, page[number % len(page)].id, emoji)

    async def _until(self, most: int) -> None:
        """Wait until at most so many messages are on their way."""
        while len(self._waiting - self._arrived) > most:
            self._moved.clear()
            await self._moved.wait()

    async def _take_stock(self, conversation: ConversationId) -> None:
        """What was written before; it may be arriving while it is read."""
        before = None
        while page := await self.engine.messages(conversation, before):
            before = page[0].position
            own = [message for message in page if message.outgoing]
            self._ids[:0] = [message.id for message in own]
            self._waiting.update(message.id for message in own if message.state in _ON_WAY)

    def _publish(self, event: Event) -> None:
        if isinstance(event, EngineFault):
            print(f"fault {event.where} {event.error}", flush=True)
        if isinstance(event, LogDamaged):  # whoever is killed leaves a log that is whole
            print(f"fault log {event.kept}", flush=True)
        if isinstance(event, MessageChanged) and event.message.state not in _ON_WAY:
            self._arrived.add(event.message.id)
            self._moved.set()


def text(number: int) -> str:
    """The text of a message; some are long."""
    return f"{number} " + "x" * (number * 7919 % 300 if number % 50 else 20_000)


def edited(number: int) -> str:
    """The text that takes the place of that of a message."""
    return f"{number} edited"


def final(number: int, count: int) -> str:
    """What is left of a message in the end, when so many were sent; nothing of one that is deleted."""
    if (number + DELETE_BACK) % DELETE_EVERY == 0 and number + DELETE_BACK < count:
        return ""
    if (number + EDIT_BACK) % EDIT_EVERY == 0 and number + EDIT_BACK < count:
        return edited(number)
    return text(number)


def main() -> None:
    """Run as somebody."""
    folder, other, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    # Addresses learnt on the way would lead around the bad network.
    Context.port = property(lambda _self: 0, lambda _self, _port: None)  # type: ignore[assignment]
    limits.RECONNECT_FIRST, limits.RECONNECT_MAX = 0.05, 0.5  # type: ignore[misc]
    asyncio.run(_run(Node(folder, count), other))


async def _run(node: Node, other: str) -> None:
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(node.run(other))
    await loop.run_in_executor(None, sys.stdin.read)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await node.engine.stop()


if __name__ == "__main__":
    main()
