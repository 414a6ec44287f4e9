"""Try several ways at once and keep the first that works (after RFC 8305, "happy eyeballs")."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from messenger.core.errors import ConnectError, Reason

T = TypeVar("T")

_TELLING = (
    Reason.BLOCKED,
    Reason.WRONG_PERSON,
    Reason.OWN_KEY,
    Reason.DECLINED,
    Reason.VERSION,
    Reason.NOT_SOTTO,
    Reason.BROKEN,
    Reason.REFUSED,
    Reason.INTERRUPTED,
    Reason.BUSY,
    Reason.SILENT,
    Reason.NOBODY,
    Reason.TIMEOUT,
)
"""Reasons from the most to the least telling, for when every way has failed."""


async def race(ways: Sequence[Callable[[], Awaitable[T]]], stagger: float, discard: Callable[[T], None]) -> T:
    """Start the ways one after the other and return the first result; the rest is cancelled.

    Args:
        ways: At least one; each raises ConnectError when it fails.
        stagger: Seconds before the next way starts beside the ones that are running; a
            failure starts it at once.
        discard: Called with a result that came too late to be returned, to close it.

    Raises:
        ConnectError: All have failed; the most telling of their reasons.
    """
    waiting = list(reversed(ways))
    running: list[asyncio.Task[T]] = []
    failures: list[ConnectError] = []
    try:
        while waiting or running:
            if waiting:
                running.append(asyncio.create_task(_coroutine(waiting.pop())))
            await asyncio.wait(
                running, timeout=stagger if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in [task for task in running if task.done()]:
                running.remove(task)
                try:
                    return task.result()
                except ConnectError as e:
                    failures.append(e)
    finally:
        for task in running:
            task.cancel()
        for late in await asyncio.gather(*running, return_exceptions=True):
            if not isinstance(late, BaseException):
                discard(late)
    raise min(failures, key=lambda e: _TELLING.index(e.reason) if e.reason in _TELLING else len(_TELLING))


async def _coroutine(way: Callable[[], Awaitable[T]]) -> T:
    return await way()
