"""Which contact is meant, and `sotto verify` and `sotto invite`."""

import contextlib
from collections.abc import AsyncIterator

from messenger.cli.exits import Exit, Stop
from messenger.cli.options import Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.terminal import Terminal
from messenger.core.errors import AddressError, ProfileMissing
from messenger.core.ids import parse_fingerprint
from messenger.core.models import Conversation, ProfileStatus
from messenger.engine.engine import Engine
from messenger.text import records
from messenger.text import terminal as words


@contextlib.asynccontextmanager
async def looking(terminal: Terminal, options: Options) -> AsyncIterator[Engine]:
    """The engine on a profile that is there, open, without any link to anybody.

    Raises:
        SottoError: As `open_profile`; ProfileMissing: nobody has been set up there.
    """
    async with engine_on(options, terminal, online=False) as (engine, inbox):
        if await engine.status() is ProfileStatus.NEW:
            raise ProfileMissing(str(options.folder))
        await open_profile(engine, inbox, terminal, name="", ask_passphrase=False)
        yield engine


async def find_peer(engine: Engine, peer: str) -> Conversation:
    """The conversation with a contact.

    Args:
        engine: Open.
        peer: Their name as it is shown here, in upper or lower case, or their fingerprint.

    Raises:
        Stop: Nobody is called so, or more than one.
    """
    conversations = await engine.conversations()
    with contextlib.suppress(AddressError):
        fingerprint = parse_fingerprint(peer)
        for conversation in conversations:
            if conversation.contact.fingerprint == fingerprint:
                return conversation
    named = [each for each in conversations if each.contact.title.casefold() == peer.casefold()]
    if len(named) == 1:
        return named[0]
    raise Stop(records.several(peer) if named else records.nobody(peer), Exit.USAGE)


async def verify(terminal: Terminal, options: Options, peer: str) -> Exit:
    """Show the safety number, and at a terminal ask whether it was compared.

    Raises:
        SottoError: There is no such contact, or the profile cannot be opened.
    """
    async with looking(terminal, options) as engine:
        contact = (await find_peer(engine, peer)).contact
        terminal.say(words.compare_number(contact.title))
        terminal.out(words.safety_lines(await engine.safety_number(contact.id)))
        if not terminal.can_ask:
            return Exit.OK
        verified = await terminal.confirm(words.ASK_VERIFIED)
        await engine.set_verified(contact.id, verified)
        terminal.say(words.VERIFIED if verified else words.NOT_VERIFIED)
        return Exit.OK if verified else Exit.DECLINED


async def invite(terminal: Terminal, options: Options, *, lasting: bool = False) -> Exit:
    """Print an invite link with the addresses as they are now, or the one that lasts.

    Raises:
        SottoError: It could not be made.
    """
    async with looking(terminal, options) as engine:
        if lasting:
            link = await engine.lasting_link()
            if not link:
                terminal.say(records.NO_LASTING_LINK)
                return Exit.FAILED
            terminal.out(link)
            return Exit.OK
        await engine.listen()
        terminal.out(await engine.make_invite())
        return Exit.OK
