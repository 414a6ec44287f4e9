"""`sotto chat`: connect to somebody and talk."""

import asyncio
from typing import Final

from messenger.cli.exits import Exit, Stop
from messenger.cli.inbox import Inbox, InputEnded
from messenger.cli.options import Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.talk import Talk
from messenger.cli.terminal import Terminal
from messenger.core.ids import AttemptId
from messenger.core.models import Contact
from messenger.engine.dialer import check_target
from messenger.engine.engine import Engine
from messenger.engine.events import ConfirmPeer, ConnectProgress, ConnectStep
from messenger.text import CONNECT_STEPS
from messenger.text import terminal as words

_ATTEMPT: Final = AttemptId(1)


async def chat(terminal: Terminal, target: str, options: Options) -> Exit:
    """Connect and talk.

    Args:
        terminal: Where it happens.
        target: Address or invite link.
        options: From the command line.

    Raises:
        SottoError: There is no conversation; nothing was lost.
    """
    check_target(target)  # before a new profile is made for nothing
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        contact = await Caller(engine, inbox, terminal, options).call(target)
        return await Talk(engine, inbox, terminal, contact, stays=False).run()


class Caller:
    """Makes one call, and asks the person about whoever answers."""

    def __init__(self, engine: Engine, inbox: Inbox, terminal: Terminal, options: Options) -> None:
        self._engine = engine
        self._inbox = inbox
        self._terminal = terminal
        self._options = options

    async def call(self, target: str) -> Contact:
        """Connect.

        Raises:
            ConnectError: Nobody suitable answered.
            Stop: Somebody unknown did, and nobody here can be asked.
        """
        work = asyncio.create_task(self._engine.connect(target, _ATTEMPT, self._options.expected))
        work.add_done_callback(lambda _done: self._inbox.put(InputEnded()))
        try:
            while question := await self._watch():
                await self._engine.confirm_peer(_ATTEMPT, await self._accepts(question))
            return await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _watch(self) -> ConfirmPeer | None:
        """Show the steps until the person has to be asked, or the call is over."""
        with self._terminal.busy(CONNECT_STEPS[ConnectStep.RESOLVING.value]) as busy:
            while True:
                event = await self._inbox.next()
                match event:
                    case ConnectProgress(step=step):
                        busy.tell(CONNECT_STEPS[step.value])
                    case ConfirmPeer():
                        return event
                    case InputEnded():
                        return None

    async def _accepts(self, peer: ConfirmPeer) -> bool:
        terminal, options = self._terminal, self._options
        terminal.say(words.stranger_answers(peer.address))
        terminal.say(words.fingerprint_lines(peer.fingerprint))
        if options.accept_all:
            return True
        if not terminal.can_ask:
            raise Stop(words.CANNOT_ASK, Exit.DECLINED)
        terminal.say(words.COMPARE)
        return await terminal.confirm(words.ASK_PEER)
