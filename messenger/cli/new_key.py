"""`sotto new-key`: go on as the same person with other keys."""

import asyncio

from messenger.cli.exits import Exit, Stop
from messenger.cli.inbox import Inbox, InputEnded
from messenger.cli.options import Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.terminal import Terminal
from messenger.core.errors import ProfileMissing
from messenger.core.models import ProfileStatus
from messenger.engine.engine import Engine
from messenger.engine.events import SetupProgress, SetupStep
from messenger.text import SETUP_STEPS, keys
from messenger.text import terminal as words


async def new_key(terminal: Terminal, options: Options) -> Exit:
    """Explain it, ask, and do it.

    Args:
        terminal: Where it happens.
        options: From the command line; ``accept_all`` means not to ask.

    Raises:
        SottoError: The old key holds.
        Stop: Nobody here can be asked.
    """
    async with engine_on(options, terminal) as (engine, inbox):
        if await engine.status() is ProfileStatus.NEW:
            raise ProfileMissing(str(options.folder))
        if not (options.accept_all or terminal.can_ask):
            raise Stop(words.CANNOT_ASK_NEW_KEY, Exit.DECLINED)
        await open_profile(engine, inbox, terminal, name="", ask_passphrase=False)
        terminal.say(keys.NEW_KEY_WORDS)
        if not (options.accept_all or await terminal.confirm(words.ASK_NEW_KEY)):
            terminal.say(words.NEW_KEY_LEFT)
            return Exit.DECLINED
        await _make(engine, inbox, terminal)
        terminal.say(keys.NEW_KEY_DONE)
        terminal.say(keys.NEW_KEY_FINGERPRINT)
        terminal.say(words.fingerprint_lines((await engine.me()).fingerprint))
        return Exit.OK


async def _make(engine: Engine, inbox: Inbox, terminal: Terminal) -> None:
    work = asyncio.create_task(engine.move_to_new_identity())
    work.add_done_callback(lambda _done: inbox.put(InputEnded()))
    try:
        with terminal.busy(SETUP_STEPS[SetupStep.SIGNING_KEY.value]) as busy:
            while not isinstance(event := await inbox.next(), InputEnded):
                if isinstance(event, SetupProgress):
                    busy.tell(SETUP_STEPS[event.step.value])
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
