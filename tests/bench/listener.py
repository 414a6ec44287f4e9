"""A listener in a process of its own, for benchmarks: its port, then its CPU seconds at each line read."""

import asyncio
import sys
import time
from pathlib import Path

from messenger.engine.engine import Engine


async def _serve(folder: Path) -> None:
    engine = Engine(folder, lambda _event: None)
    await engine.open()
    await engine.change_settings({"reconnect": False})
    listening = await engine.listen(45000)
    print(listening.port, flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(time.process_time(), flush=True)
    await engine.stop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
