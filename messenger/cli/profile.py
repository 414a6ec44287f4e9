"""Opening a profile from the terminal: making it on first use, asking for its passphrase."""

import asyncio
import contextlib
from typing import Final

from messenger.cli.exits import Exit, Stop
from messenger.cli.inbox import Inbox
from messenger.cli.terminal import Busy, InputClosed, Terminal
from messenger.core.errors import InputError, InputProblem, WrongPassphrase
from messenger.core.models import ProfileStatus
from messenger.core.names import own_name
from messenger.engine.engine import Engine
from messenger.engine.events import SetupProgress, SetupStep, UpdateProgress
from messenger.text import PROTECTION, SETUP_STEPS, explain, updating
from messenger.text import terminal as words

_TRIES: Final = 3
"""How often a passphrase may be mistyped."""


async def open_profile(
    engine: Engine, inbox: Inbox, terminal: Terminal, *, name: str, ask_passphrase: bool
) -> None:
    """Open the engine's profile, and set it up if nobody is there.

    Args:
        engine: Not opened yet.
        inbox: Where its events come.
        terminal: Where questions are asked.
        name: The name that the person wants; empty for the one of the profile.
        ask_passphrase: A new profile gets a passphrase.

    Raises:
        SottoError: As `Engine.status`, `Engine.create` and `Engine.open`.
        Interrupted: Ctrl-C at a question.
        Stop: A question could not be asked, or was not answered.
    """
    wanted = own_name(name) if name else ""
    status = await engine.status()
    if status is ProfileStatus.NEW:
        await _create(engine, inbox, terminal, wanted, ask_passphrase=ask_passphrase)
        return
    if status is ProfileStatus.LOCKED:
        await _unlock(engine, inbox, terminal)
    else:
        await _open(engine, inbox, terminal)
    has = (await engine.me()).name
    wanted = wanted or has or await _ask_name(terminal)
    if wanted != has:
        await engine.set_name(wanted)


async def _create(
    engine: Engine, inbox: Inbox, terminal: Terminal, name: str, *, ask_passphrase: bool
) -> None:
    name = name or await _ask_name(terminal)
    passphrase = await ask_new_passphrase(terminal) if ask_passphrase else None
    terminal.say(words.welcome(name))
    work = asyncio.create_task(engine.create(name, passphrase))
    work.add_done_callback(lambda _done: inbox.put(SetupProgress(SetupStep.DONE)))
    try:
        with terminal.busy(SETUP_STEPS[SetupStep.SIGNING_KEY.value]) as busy:
            while (step := await _next_step(inbox)) is not SetupStep.DONE:
                busy.tell(SETUP_STEPS[step.value])
        await work
    finally:
        work.cancel()
    me = await engine.me()
    terminal.say(PROTECTION[me.protection])


async def _next_step(inbox: Inbox) -> SetupStep:
    while True:
        event = await inbox.next()
        if isinstance(event, SetupProgress):
            return event.step


async def _open(engine: Engine, inbox: Inbox, terminal: Terminal, passphrase: str | None = None) -> None:
    """Open the profile, and tell how far its history is if it has to be brought up to date first."""
    with contextlib.ExitStack() as shown:
        busy: Busy | None = None

        def show(event: UpdateProgress) -> None:
            nonlocal busy
            busy = busy or shown.enter_context(terminal.busy(updating(event.percent)))
            busy.tell(updating(event.percent))

        inbox.on_update = show
        await engine.open(passphrase)


async def _unlock(engine: Engine, inbox: Inbox, terminal: Terminal) -> None:
    for left in reversed(range(_TRIES)):
        try:
            typed = await ask_passphrase(terminal)
            await _open(engine, inbox, terminal, typed)
        except WrongPassphrase as e:
            if not left:
                raise
            terminal.fail(explain(e))
        else:
            return


async def _ask_name(terminal: Terminal) -> str:
    while True:
        answer = await _ask(terminal, words.ASK_NAME, words.NEEDS_NAME)
        try:
            return own_name(answer)
        except InputError as e:
            terminal.fail(explain(e))


async def ask_passphrase(
    terminal: Terminal, question: str = words.ASK_PASSPHRASE, otherwise: str = words.NEEDS_PASSPHRASE
) -> str:
    """Ask for a passphrase that is known; `otherwise` is said where nobody can be asked.

    Raises:
        Stop: Nobody can be asked, or nobody answered.
        Interrupted: Ctrl-C.
    """
    return await _ask(terminal, question, otherwise, secret=True)


async def ask_new_passphrase(
    terminal: Terminal, question: str = words.ASK_NEW_PASSPHRASE, otherwise: str = words.NEEDS_NEW_PASSPHRASE
) -> str:
    """Ask for a new passphrase twice, until both are the same and not empty; see `ask_passphrase`."""
    while True:
        first = await _ask(terminal, question, otherwise, secret=True)
        if not first:
            terminal.fail(explain(InputError(InputProblem.EMPTY)))
        elif first == await _ask(terminal, words.ASK_AGAIN, otherwise, secret=True):
            return first
        else:
            terminal.fail(words.PASSPHRASES_DIFFER)


async def _ask(terminal: Terminal, question: str, otherwise: str, *, secret: bool = False) -> str:
    if not terminal.can_ask:
        raise Stop(otherwise, Exit.USAGE)
    try:
        return await terminal.ask(question, secret=secret)
    except InputClosed as e:
        raise Stop(otherwise, Exit.USAGE) from e
