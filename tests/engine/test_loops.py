"""The engine on every event loop that it may run on."""

import asyncio
import sys
from pathlib import Path

import pytest

from messenger.core.models import MessageState
from messenger.engine.events import EngineFault
from tests.helpers.engines import friends, people_in

uvloop = pytest.importorskip("uvloop", reason="uvloop is not made for this system")


async def _a_whole_conversation(folder: Path) -> None:
    async with people_in(folder) as people:
        alice, bob = await people("alice"), await people("bob")
        here, there = await friends(alice, bob)
        for number in range(20):
            message = await alice.engine.send_text(here, f"{number}" * 1000)
            await bob.hears(f"{number}" * 1000)
            await alice.sees(message.id, MessageState.DELIVERED)
        mark = alice.mark
        await bob.restart()
        await alice.online(here, since=mark)
        await bob.engine.send_text(there, "after a restart")
        await alice.hears("after a restart")
        assert alice.count(EngineFault) == bob.count(EngineFault) == 0
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for Windows")
def test_uvloop(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_a_whole_conversation(tmp_path))
