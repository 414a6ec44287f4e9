"""Try several ways at once and keep the first that works (after RFC 8305, "happy eyeballs")."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from messenger.core.errors import ConnectError, Reason

T = TypeVar("T")

_TELLING = (
    Reason.WRONG_PERSON,
    Reason.OWN_KEY,
    Reason.DECLINED,
    Reason.VERSION,
    Reason.NOT_SOTTO,
    Reason.REFUSED,
    Reason.SILENT,
    Reason.NOBODY,
    Reason.TIMEOUT,
)
"""Reasons from the most to the least telling, for when every way has failed."""


async def race(ways: Sequence[Callable[[], Awaitable[T]]], stagger: float) -> T:
    """Start the ways one after the other and return the first result; the rest is cancelled.

    Args:
        ways: At least one; each raises ConnectError when it fails.
        stagger: Seconds before the next way starts beside the ones that are running; a
            failure starts it at once.

    Raises:
        ConnectError: All have failed; the most telling of their reasons.
    """
    waiting = list(reversed(ways))
    running: set[asyncio.Task[T]] = set()
    failures: list[ConnectError] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(_coroutine(waiting.pop())))
            done, running = await asyncio.wait(
                running, timeout=stagger if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                try:
                    return task.result()
                except ConnectError as e:
                    failures.append(e)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    raise min(failures, key=lambda e: _TELLING.index(e.reason) if e.reason in _TELLING else len(_TELLING))


async def _coroutine(way: Callable[[], Awaitable[T]]) -> T:
    return await way()
