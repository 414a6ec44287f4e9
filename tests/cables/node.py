"""One person of the tests with real cables: ``python -m tests.cables.node FOLDER OTHER [quick]``.

Does what lines on standard input say (``say TEXT``), and says on standard output what becomes of it. Ends
with its input. ``quick`` makes the signs of life ten times as frequent.
"""

import asyncio
import sys
from pathlib import Path

from messenger.core import limits, outlook_limits
from messenger.core.ids import ConversationId
from messenger.core.models import Offline, Online
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, Event, MessageAdded, MessageChanged, PresenceChanged
from tests.helpers.keys import identity


def say(*words: object) -> None:
    print(*words, flush=True)


def tell(event: Event) -> None:
    """Say what happened, one line each."""
    match event:
        case MessageAdded(message=message):
            say("added", message.state.name, message.text)
        case MessageChanged(message=message):
            say("changed", message.state.name, message.text)
        case PresenceChanged(presence=Online()):
            say("online")
        case PresenceChanged(presence=Offline(reason=reason)):
            say("offline", "" if reason is None else reason.value)
        case EngineFault(where=where, error=error):
            say("fault", where, error)


async def run(folder: Path, other: str) -> None:
    """Live until the input ends."""
    engine, loop = Engine(folder, tell), asyncio.get_running_loop()
    await engine.open()
    conversation = next(
        row.id
        for row in await engine.conversations()
        if row.contact.fingerprint == identity(other).fingerprint
    )
    say("open")
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await _obey(engine, conversation, line.strip())
    await engine.stop()


async def _obey(engine: Engine, conversation: ConversationId, line: str) -> None:
    what, _, rest = line.partition(" ")
    if what == "say":
        await engine.send_text(conversation, rest)
    elif what == "texts":
        texts = [f"{message.state.name}:{message.text}" for message in await engine.messages(conversation)]
        say("texts", *texts)


if __name__ == "__main__":
    if "quick" in sys.argv[3:]:
        limits.KEEPALIVE_INTERVAL /= 10  # type: ignore[misc]
        limits.KEEPALIVE_TIMEOUT /= 10  # type: ignore[misc]
        outlook_limits.PROBE_PATIENCE /= 10  # type: ignore[misc]
        limits.DIAL_TIMEOUT /= 10  # type: ignore[misc]
    limits.RECONNECT_FIRST, limits.RECONNECT_MAX = 0.2, 1.0  # type: ignore[misc]
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2]))
