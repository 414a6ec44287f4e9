"""The prompt on a real terminal, at the moments between two reads."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from prompt_toolkit.application.run_in_terminal import run_in_terminal

from messenger.cli.terminal import InputClosed, prompt_session
from tests.helpers.patience import PATIENCE


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a person types: the far end of the terminal that the prompt reads."""
    master, slave = os.openpty()
    keys, printed = os.fdopen(slave, encoding="utf-8"), os.fdopen(os.dup(slave), "w", encoding="utf-8")
    with keys, printed:
        monkeypatch.setattr("sys.stdin", keys)
        monkeypatch.setattr("sys.stdout", printed)
        monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")
        monkeypatch.setenv("TERM", "xterm")
        yield master
    os.close(master)


async def test_ctrl_d_counts_while_a_message_is_printed(keyboard: int) -> None:
    session = prompt_session()
    pressed: list[bytes] = []

    def press() -> None:
        pressed.append(b"\x04")
        os.write(keyboard, pressed[0])

    def print_something(_app: object) -> None:
        if not pressed:
            run_in_terminal(press)

    session.app.after_render += print_something
    with pytest.raises(InputClosed):
        async with asyncio.timeout(PATIENCE):
            await session.prompt_async("> ", handle_sigint=False)
