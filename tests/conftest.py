"""No surprise passes: an unexpected log record, task, thread or socket fails the test that left it."""

import asyncio
import atexit
import gc
import inspect
import logging
import os
import re
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import hypothesis
import pytest

from tests.helpers.nonces import NonceOracle, watching
from tests.helpers.patience import PATIENCE

pytest_plugins = ["tests.helpers.run_guard"]

# No test may touch the keyring of whoever runs it; the processes that tests start inherit this.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["SOTTO_LANGUAGE"] = "en"  # what tests read is the English of the source

# Nor the settings, profiles and downloads: what a program keeps for its user goes to a folder of this run.
_kept = tempfile.TemporaryDirectory(prefix="sotto-kept-")
atexit.register(_kept.cleanup)
for _kind in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_DOWNLOAD_DIR"):
    os.environ[_kind] = str(Path(_kept.name, _kind))

if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    # Else each process that a test starts would compile everything anew, which takes longer than most do.
    _compiled = tempfile.TemporaryDirectory(prefix="sotto-compiled-")
    atexit.register(_compiled.cleanup)
    os.environ["PYTHONPYCACHEPREFIX"] = _compiled.name

# Examples have no time limit: else a machine that stands still for a moment fails whatever runs just then.
hypothesis.settings.register_profile("sotto", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("sotto")

LOOP_ROUNDS: Final = 20
"""Rounds of the event loop that tasks which are about to end have for it."""

_FORMAT: Final = logging.Formatter("%(levelname)s %(name)s: %(message)s")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=42, help="what chance decides in the torture test")
    parser.addoption("--long", action="store_true", help="also run the torture and fuzz tests marked 'long'")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("long") and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip(reason="torture or fuzz run: only with --long"))
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            # First in, last out: it looks after every other fixture has put its things away; only
            # `logs` looks still later, when the loop has been closed too.
            item.fixturenames[:0] = ["logs", "no_leaked_tasks"]


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what is imported by now stays anyway; looking through it after every test would take long


class LogGuard(logging.Handler):
    """Keeps every record from WARNING on, and knows which ones a test expects."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: list[logging.LogRecord] = []
        self._expected: list[re.Pattern[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def expect(self, pattern: str) -> None:
        """Say that a record will come which contains this regular expression; it must come."""
        self._expected.append(re.compile(pattern))

    def verdict(self) -> list[str]:
        """What was logged and not expected, and what was expected and not logged."""
        texts = [_FORMAT.format(record) for record in self._records]
        surprises = [text for text in texts if not any(e.search(text) for e in self._expected)]
        missing = [e.pattern for e in self._expected if not any(e.search(text) for text in texts)]
        return [*surprises, *(f"never logged: {pattern}" for pattern in missing)]


@pytest.fixture(autouse=True)
def logs(request: pytest.FixtureRequest) -> Iterator[LogGuard]:
    """Fail the test on an unexpected log record or a thread that it leaves.

    `logs.expect` allows a record and demands it; a test with `caplog` looks at its records itself.
    """
    guard, before = LogGuard(), set(threading.enumerate())
    logging.getLogger().addHandler(guard)
    try:
        yield guard
    finally:
        logging.getLogger().removeHandler(guard)
    if isinstance(request.node, pytest.Function) and "no_leaked_tasks" in request.node.fixturenames:
        gc.collect()  # a socket or transport that nobody closed warns when it is collected: now, not later
    verdict = [] if "caplog" in request.fixturenames else guard.verdict()
    assert not verdict, "\n".join(["unexpected log:", *verdict])
    leaked = [thread for thread in set(threading.enumerate()) - before if not _ends(thread)]
    assert not leaked, f"threads left running: {leaked}"


@pytest.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fail an async test that leaves a task running."""
    before = asyncio.all_tasks()
    yield
    for _ in range(LOOP_ROUNDS):
        leaked = asyncio.all_tasks() - before - {asyncio.current_task()}
        if not leaked:
            return
        await asyncio.sleep(0)
    pytest.fail(f"tasks left running: {leaked}")


@pytest.fixture(scope="session", autouse=True)
def nonce_oracle() -> Iterator[NonceOracle]:
    """No AES-GCM key meets a nonce twice in the whole run of this process."""
    with watching() as oracle:
        yield oracle


def _ends(thread: threading.Thread) -> bool:
    if thread.daemon:
        return True
    thread.join(PATIENCE)
    return not thread.is_alive()
