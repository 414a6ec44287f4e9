"""`sotto chat`: connect to somebody and talk."""

import asyncio
import contextlib
from typing import Final

from messenger.cli.exits import Exit, Stop
from messenger.cli.inbox import Inbox, InputEnded, Item
from messenger.cli.options import Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.talk import Talk
from messenger.cli.terminal import Terminal
from messenger.core import limits
from messenger.core.errors import AddressError, ConnectError, Reason
from messenger.core.ids import AttemptId, parse_fingerprint
from messenger.core.models import Connecting, Contact, Online, Standing
from messenger.engine.dialer import check_target
from messenger.engine.engine import Engine
from messenger.engine.events import ConfirmPeer, ConnectProgress, ConnectStep, PresenceChanged
from messenger.text import CONNECT_STEPS, records
from messenger.text import terminal as words

_ATTEMPT: Final = AttemptId(1)
_OF_ADDRESSES: Final = frozenset(".:/[]%")
"""A name with one of these calls nobody: whoever took an address for a name would be called in its place."""


def check_called(target: str, options: Options) -> None:
    """As `check_target`, but where there is a profile a text may also be the name of somebody in it.

    Raises:
        AddressError: Nobody is called so.
    """
    try:
        check_target(target)
    except AddressError:
        if not options.folder.exists() or not target.strip() or not _OF_ADDRESSES.isdisjoint(target):
            raise


async def chat(terminal: Terminal, target: str, options: Options) -> Exit:
    """Connect and talk.

    Args:
        terminal: Where it happens.
        target: Address, invite link, or a contact's name or fingerprint.
        options: From the command line.

    Raises:
        SottoError: There is no conversation; nothing was lost.
    """
    check_called(target, options)  # before a new profile is made for nothing
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
            Stop: Somebody unknown did, and nobody here can be asked; or two contacts are called so.
        """
        known = await self._known(target)
        if known is not None:
            await self._reach(known)
            return known
        work = asyncio.create_task(self._engine.connect(target, _ATTEMPT, self._options.expected))
        work.add_done_callback(lambda _done: self._inbox.put(InputEnded()))
        try:
            while question := await self._watch():
                await self._engine.confirm_peer(_ATTEMPT, await self._accepts(question))
            contact = await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        self._inbox.clear()
        if isinstance(await self._engine.presence(contact.id), Connecting):
            await self._tried(contact)  # a link to another of their addresses takes over
        return contact

    async def _known(self, target: str) -> Contact | None:
        """The contact whose name or fingerprint somebody has typed, if it is one."""
        everybody = [row.contact for row in await self._engine.conversations()]
        contacts = [each for each in everybody if each.standing is Standing.ACCEPTED]
        try:
            fingerprint = parse_fingerprint(target)
            found = [each for each in contacts if each.fingerprint == fingerprint]
        except AddressError:
            free = _OF_ADDRESSES.isdisjoint(target)
            found = [each for each in contacts if free and each.title.casefold() == target.casefold()]
        if len(found) > 1:
            raise Stop(records.several(target), Exit.USAGE)
        expected = self._options.expected
        if found and expected is not None and found[0].fingerprint != expected:
            raise ConnectError(Reason.WRONG_PERSON)
        return found[0] if found else None

    async def _reach(self, contact: Contact) -> None:
        """Call a contact by whatever way there is; whether they are there shows in their presence."""
        if isinstance(await self._engine.presence(contact.id), Online):
            return
        self._inbox.clear()
        await self._engine.reconnect(contact.id)
        with self._terminal.busy(CONNECT_STEPS[ConnectStep.CONNECTING.value]):
            await self._tried(contact)

    async def _tried(self, contact: Contact) -> None:
        """Wait until a call has had its chance."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * limits.DIAL_TIMEOUT):
                while not _is_over(await self._inbox.next(), contact):
                    pass

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


def _is_over(item: Item, contact: Contact) -> bool:
    """Whether this tells what came of a call."""
    match item:
        case PresenceChanged(conversation=id_, presence=presence) if id_ == contact.id:
            return not isinstance(presence, Connecting)
    return False
