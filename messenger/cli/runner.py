"""Runs one command: its loop, its engine, its signals, and the one sentence when it fails."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

from messenger.cli.exits import Exit, Stop, exit_for
from messenger.cli.inbox import Inbox
from messenger.cli.options import Options
from messenger.cli.terminal import Interrupted, OutputClosed, Terminal
from messenger.control import has_window
from messenger.core import limits
from messenger.core.errors import ProfileInUse, SottoError
from messenger.engine.engine import Engine
from messenger.engine.events import EngineFault, LogDamaged
from messenger.text import explain, log_damaged
from messenger.text import terminal as words

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALLED = (Exit.INTERRUPTED, Exit.TERMINATED, Exit.HANGUP)


def run(job: Callable[[Terminal], Awaitable[Exit]]) -> Exit:
    """Run a command to its end on an event loop of its own.

    An error of ours becomes a sentence on standard error and an exit code; a signal cancels
    the command, which cleans up and ends with the code that belongs to the signal.
    """
    terminal = Terminal()
    code = _run(terminal, job)
    try:
        terminal.finish(limits.CLOSE_WAIT if code in _SIGNALLED else None)
    except OutputClosed:
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Stop as e:
        return _last_words(e)
    return code


def _last_words(stop: Stop) -> Exit:
    terminal = Terminal()
    code = _end(terminal, stop.sentence, stop.code)
    with contextlib.suppress(OutputClosed, Stop):
        terminal.finish(limits.CLOSE_WAIT)
    return code


def _run(terminal: Terminal, job: Callable[[Terminal], Awaitable[Exit]]) -> Exit:
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            return runner.run(_until_signal(job(terminal)))
    except OutputClosed:
        return Exit.FAILED
    except (Interrupted, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except Stop as e:
        return _end(terminal, e.sentence, e.code)
    except SottoError as e:
        return _end(terminal, explain(e), exit_for(e))


@contextlib.asynccontextmanager
async def engine_on(
    options: Options, terminal: Terminal, *, online: bool = True
) -> AsyncIterator[tuple[Engine, Inbox]]:
    """An engine on a profile, not opened yet, with its inbox; stopped at the end in any case.

    Raises:
        Stop: Another program runs on the profile; with what can be done there instead.
    """
    inbox = Inbox(lambda event: terminal.fail(_trouble(event)))
    engine = Engine(options.folder, inbox.put, locks_itself=False, online=online)
    try:
        yield engine, inbox
    except ProfileInUse as e:
        seen = await asyncio.to_thread(has_window, options.folder)
        raise Stop(words.in_use(options.command, window=seen), Exit.FAILED) from e
    finally:
        await engine.stop()


def _trouble(event: EngineFault | LogDamaged) -> str:
    return log_damaged(event.kept) if isinstance(event, LogDamaged) else words.fault(event.error)


async def _until_signal(job: Awaitable[Exit]) -> Exit:
    """Wait for a command; the first signal to end cancels it, later ones are patient."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    caught: list[int] = []

    def stop(number: int) -> None:
        if not caught and task is not None:
            caught.append(number)
            task.cancel()

    for name in _SIGNALS:
        with contextlib.suppress(
            AttributeError, NotImplementedError
        ):  # Windows has not all, and no such method
            loop.add_signal_handler(getattr(signal, name), stop, getattr(signal, name))
    try:
        return await job
    except (asyncio.CancelledError, OutputClosed, Stop):  # the last two: the terminal went with the signal
        if not caught:
            raise
        return Exit(128 + caught[0])


def _end(terminal: Terminal, sentence: str, code: Exit) -> Exit:
    with contextlib.suppress(OutputClosed):
        terminal.fail(sentence)
    return code


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
