"""`sotto relay` and `python -m messenger.relay`: flags, options file, log, signals."""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, NoReturn, TextIO

import platformdirs

from messenger.core.errors import ProfileInUse, SottoError
from messenger.crypto import process
from messenger.net.notify import notify
from messenger.relay.monitor import Reader
from messenger.relay.options import OptionError, RelayOptions, checked, declared, from_file, with_files
from messenger.relay.server import Relay
from messenger.relay.status import MetricsMissing
from messenger.text import explain
from messenger.text import relay as words

_FAILED: Final = 1
_USAGE: Final = 2
_GARBAGE: Final = (50_000, 20, 100)
"""Hardly anything here is garbage in circles, and idle clients are not to be looked through often."""
_NUMBERS: Final = {"number": int, "text": str}
_STAY: Final = b"stay\n"
"""What `--until-input-ends` lets somebody say who goes and leaves the relay running."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End with a sentence on standard error."""
        self.exit(_USAGE, f"{message}\n")


def default_folder() -> Path:
    """The data of the relay when no folder is named."""
    return platformdirs.user_data_path("sotto-relay", appauthor=False)


def run(arguments: Sequence[str]) -> int:
    """Run a relay until it is told to stop.

    Args:
        arguments: Those after the name of the command.

    Returns:
        0 after a stop that was asked for; 1 if something failed, 2 if the options cannot be used.
    """
    try:
        folder, options, attached = _read(arguments)
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else _FAILED
    except OptionError as e:
        return _end(words.bad_option(e.name, e.what), _USAGE)
    process.no_core_dumps()
    _log_to(sys.stderr, as_json=options.log_json)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(folder, options, attached=attached))
    except OptionError as e:
        return _end(words.bad_option(e.name, e.what), _USAGE)
    except MetricsMissing:
        return _end(words.NO_METRICS, _USAGE)
    except ProfileInUse:
        return _end(words.IN_USE, _FAILED)
    except SottoError as e:
        return _end(explain(e), _FAILED)
    return 0


def read_arguments(arguments: Sequence[str]) -> tuple[Path, RelayOptions]:
    """The folder and the options that a command line, and the options file that it names, ask for.

    Raises:
        OptionError: One does not exist, or cannot have its value.
        SystemExit: Help was asked for and shown, or a flag is wrong.
    """
    return _read(arguments)[:2]


def _read(arguments: Sequence[str]) -> tuple[Path, RelayOptions, bool]:
    """As `read_arguments`, and whether the relay ends with its standard input."""
    parser = _parser()
    found, rest = parser.parse_known_args(arguments)
    if rest:
        flags = [flag for action in parser._actions for flag in action.option_strings]  # noqa: SLF001 -- argparse has no other way
        near = get_close_matches(rest[0].partition("=")[0], flags, n=1)
        parser.error(words.unknown_flag(rest[0], near[0] if near else ""))
    chosen = {name: value for name, value in vars(found).items() if value is not None}
    folder = chosen.pop("data", None) or default_folder()
    file, attached = chosen.pop("config", None), chosen.pop("until_input_ends", False)
    options = checked(from_file(file)) if file is not None else RelayOptions()
    try:
        folder = folder.expanduser().absolute()
    except RuntimeError as e:
        raise OptionError("data", "there is no home of that name") from e
    return folder, with_files(checked(chosen, options)), attached


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest loop that is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="sotto relay", description=words.HELP, usage=words.USAGE, allow_abbrev=False)
    parser.add_argument("--data", type=Path, metavar="DIR", help=words.OPTION_DATA)
    parser.add_argument("--config", type=Path, metavar="FILE", help=words.OPTION_CONFIG)
    parser.add_argument("--until-input-ends", action="store_true", default=None, help=words.OPTION_INPUT)
    for each in declared():
        about = each.help.replace("%", "%%")
        if each.kind == "switch":
            parser.add_argument(each.flag, action=argparse.BooleanOptionalAction, default=None, help=about)
        elif each.kind == "list":
            parser.add_argument(each.flag, action="append", metavar="TEXT", help=about)
        else:
            shown = f"{about} [{each.default}]" if each.default not in ("", None) else about
            choices = f"{{{','.join(each.one_of)}}}" if each.one_of else each.kind.upper()
            parser.add_argument(each.flag, type=_NUMBERS[each.kind], metavar=choices, help=shown)
    return parser


async def _serve(folder: Path, options: RelayOptions, *, attached: bool) -> None:
    """Start, wait for a signal, stop."""
    stop = asyncio.Event()
    _on_signals(stop.set)
    if attached:
        end = partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
        threading.Thread(target=_watch_input, args=(end,), daemon=True).start()
    told: list[str] = []

    def progress(step: str) -> None:
        if not told:
            _tell(words.MAKING_KEYS)
        told.append(step)

    relay = Relay(folder, options, progress, stop.set)
    starting = asyncio.create_task(relay.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return
    stopping.cancel()
    started = starting.result()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(relay.stop)
        if started.streams < options.connections:
            _tell(words.fewer_streams(started.streams, options.connections))
        if not relay.controlled:
            _tell(words.NO_CONTROL)
        if relay.unprotected:
            _tell(words.NO_PASSPHRASE)
        if options.show_traffic:
            printing = asyncio.create_task(_print_traffic(relay))
            stack.push_async_callback(_cancelled, printing)
        _tell(words.running(started.addresses, started.fingerprint, started.link), sys.stdout)
        gc.collect()
        gc.freeze()  # what is here by now stays
        gc.set_threshold(*_GARBAGE)
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        _tell(words.STOPPING)


async def _print_traffic(relay: Relay) -> None:
    """Print what passes; a slow reader of our output misses lines, and holds nobody up, nor the end."""
    more, loop = asyncio.Event(), asyncio.get_running_loop()
    reader = Reader(more.set)
    texts: SimpleQueue[tuple[bytes, Callable[[], object]]] = SimpleQueue()
    threading.Thread(target=_print, args=(texts,), daemon=True).start()
    relay.house.monitor.add(reader)
    try:
        while True:
            await more.wait()
            more.clear()
            printed = asyncio.Event()
            text = "".join(f"{line}\n" for line in reader.take()).encode()
            texts.put((text, partial(loop.call_soon_threadsafe, printed.set)))
            await printed.wait()
    finally:
        relay.house.monitor.remove(reader)


def _print(texts: "SimpleQueue[tuple[bytes, Callable[[], object]]]") -> None:
    """Print for as long as the process lives; not through `sys.stdout`, whose lock would hold up its end."""
    while True:
        text, printed = texts.get()
        with contextlib.suppress(OSError):  # nobody reads it any more
            while text:
                text = text[os.write(1, text) :]
        with contextlib.suppress(RuntimeError):  # the loop has ended
            printed()


def _tell(text: str, stream: TextIO | None = None) -> None:
    """Tell whoever started us, if they still listen: a relay goes on without them."""
    stream = stream or sys.stderr
    try:
        print(text, file=stream, flush=True)
    except OSError:  # what could not be written would be tried again at the end of the process
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _on_signals(stop: Callable[[], None]) -> None:
    """The first signal stops the relay; the second ends the process; a terminal hangs up twice."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []

    def on_signal(number: int) -> None:
        if caught and signal.Signals(number).name != "SIGHUP":
            os._exit(128 + number)  # what was acknowledged is on the disk
        caught.append(number)
        stop()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue  # Windows has no terminal that hangs up; `nohup` wants it to be passed over
        try:
            loop.add_signal_handler(number, on_signal, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda n, _frame: loop.call_soon_threadsafe(on_signal, n))


def _watch_input(stop: Callable[[], object]) -> None:
    """Stop when whoever started us has gone, however that came, unless they said that we shall stay."""
    said = b""
    with contextlib.suppress(OSError):  # there is none
        while piece := os.read(0, len(_STAY)):  # not `sys.stdin`, whose lock would hold up our end
            said = (said + piece)[-len(_STAY) :]
    if said != _STAY:
        with contextlib.suppress(RuntimeError):  # we are about to end anyway
            stop()


class _JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without anything that was not meant for it."""
        entry: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "part": record.name,
            "text": record.getMessage(),
        }
        if record.exc_info is not None and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
        return json.dumps(entry)


class _PlainLines(logging.Formatter):
    """A line for people; of errors their kind alone."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        return f"{at} {record.levelname.lower()} {record.getMessage()}{': ' + error if error else ''}"


def _log_to(stream: Any, *, as_json: bool) -> None:  # noqa: ANN401 -- a text stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines() if as_json else _PlainLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _end(sentence: str, code: int) -> int:
    _tell(sentence)
    return code
