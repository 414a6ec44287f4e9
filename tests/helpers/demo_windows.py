"""Plays the demonstration in two windows without a person: ``python -m tests.helpers.demo_windows FOLDER``.

When the play is over it prints, as one line of JSON, what stands in both windows. When a signal has
closed them it prints whether everything has passed and ended.
"""

import asyncio
import json
import sys
from pathlib import Path

from messenger.gui.app import make_application, make_loop, run_to_end
from messenger.gui.demo import Demonstration, Seat


def shown(seat: Seat) -> dict[str, object]:
    """What a person sees in a window."""
    window, page = seat.window, seat.window.conversations
    if page is None:
        return {"off": window.start_page.resting()}
    model = page.chat.model
    texts = [model.row(place).message.text for place in range(model.rowCount())]
    at = {"x": window.x(), "y": window.y()}
    return {"title": window.windowTitle(), **at, "notice": page.notice.text(), "texts": texts}


async def watch(demonstration: Demonstration) -> bool:
    """Show the windows, look when the play is over, and wait until they are closed."""
    seats = (demonstration.alice, demonstration.bob)
    looks: dict[str, object] = {}
    begun = demonstration.begun

    def look(title: str) -> None:
        looks[title] = [shown(seat) for seat in seats]
        begun(title)

    demonstration.begun = look  # type: ignore[method-assign]
    running = asyncio.create_task(demonstration.run())
    await demonstration.played.wait()
    relay, model = demonstration.relay, demonstration.relay.model
    rows = [[model.data(model.index(row, column)) for column in range(5)] for row in range(model.rowCount())]
    seen = {"shown": relay.isVisible(), "y": relay.y(), "rows": rows}
    print(json.dumps({"windows": [shown(s) for s in seats], "relay": seen, "looks": looks}), flush=True)
    return await running


def main() -> None:
    """Play and report."""
    app = make_application()
    loop = make_loop(app)
    asyncio.set_event_loop(loop)
    demonstration = Demonstration(app, Path(sys.argv[1]), 0.0)
    ended, _seen = run_to_end(loop, watch(demonstration), demonstration.leave)
    loop.close()
    print(json.dumps({"passed": demonstration.passed, "ended": ended}), flush=True)


if __name__ == "__main__":
    main()
