"""`sotto listen`: wait for somebody and talk."""

from messenger.cli.exits import Exit
from messenger.cli.inbox import Inbox, Item
from messenger.cli.options import Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.talk import Talk
from messenger.cli.terminal import InputClosed, Terminal
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import Contact, Listening, Online, Standing, is_namesake
from messenger.engine.engine import Engine
from messenger.engine.events import ContactChanged, MessageAdded, PresenceChanged
from messenger.text import ADDRESS_KINDS, keys
from messenger.text import terminal as words


async def listen(terminal: Terminal, port: int | None, options: Options, *, invite: bool) -> Exit:
    """Wait for somebody, and talk with whoever is accepted first.

    Args:
        terminal: Where it happens.
        port: The port to listen on and no other; None for the one in the settings or the next free one.
        options: From the command line.
        invite: Print an invite link, too.

    Raises:
        SottoError: Nobody can be waited for; nothing was lost.
    """
    if port is not None and not 1 <= port <= 65535:
        raise InputError(InputProblem.BAD_PORT, str(port))
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        listening = await engine.listening() if port is None else await engine.listen(port, exact=True)
        listening = listening or await engine.listen()
        tell_addresses(terminal, listening)
        terminal.say(words.OWN_FINGERPRINT)
        terminal.say(words.fingerprint_lines((await engine.me()).fingerprint))
        if invite:
            terminal.say(words.INVITE)
            terminal.say(await engine.make_invite())
        contact = await Doorkeeper(engine, inbox, terminal, options).wait()
        return await Talk(engine, inbox, terminal, contact, stays=True).run()


def tell_addresses(terminal: Terminal, listening: Listening) -> None:
    """Say how others reach this computer."""
    terminal.say(words.LISTENING)
    for address in listening.addresses:
        terminal.say(f"    sotto chat {address.text}  ({ADDRESS_KINDS[address.kind]})")
    if terminal.interactive:
        terminal.say(words.LISTENING_HINT)


class Doorkeeper:
    """Watches who comes, and asks the person about strangers."""

    def __init__(self, engine: Engine, inbox: Inbox, terminal: Terminal, options: Options) -> None:
        self._engine = engine
        self._inbox = inbox
        self._terminal = terminal
        self._options = options
        self._online: set[ConversationId] = set()
        self._undecided: set[ConversationId] = set()
        self._mentioned: set[ConversationId] = set()

    async def wait(self) -> Contact:
        """Wait until somebody is there with whom we may talk.

        Raises:
            Interrupted: Ctrl-C at a question.
        """
        while True:
            visitor = await self.look(await self._inbox.next())
            if visitor is not None:
                return visitor

    async def look(self, event: Item) -> Contact | None:
        """Take notice of something that has happened, and ask about a stranger if it shows one.

        Returns:
            Somebody who is there and with whom we may talk, if the event tells of one.

        Raises:
            Interrupted: Ctrl-C at a question.
        """
        someone = None
        match event:
            case PresenceChanged(conversation=conversation, presence=Online()):
                self._online.add(conversation)
            case PresenceChanged(conversation=conversation):
                self._online.discard(conversation)
                self._undecided.discard(conversation)
            case ContactChanged(contact=contact) if contact.name:  # they have greeted
                someone = contact.id
            case MessageAdded(message=message) if not message.outgoing:  # they may have no name
                someone = message.conversation
        if someone is not None and someone not in self._online:
            await self._look_at_left(event, someone)
        visitor = await self._contact(someone) if someone in self._online else None
        return visitor if visitor is not None and await self._welcome(visitor) else None

    async def _look_at_left(self, event: Item, someone: ConversationId) -> None:
        """A relay has brought what somebody left there: a request is decided about, a contact mentioned."""
        contact = await self._contact(someone) if isinstance(event, MessageAdded) else None
        expected = self._options.expected
        if contact is None or (expected is not None and contact.fingerprint != expected):
            return
        if contact.standing is Standing.REQUEST:
            await self._decide(contact)
        elif contact.standing is Standing.ACCEPTED and someone not in self._mentioned:
            self._mentioned.add(someone)
            self._terminal.say(words.has_written(contact.title))

    async def _contact(self, id_: ConversationId | None) -> Contact | None:
        """Somebody as they are now: an event may tell what has been decided since."""
        for conversation in await self._engine.conversations():
            if conversation.id == id_:
                return conversation.contact
        return None

    async def _welcome(self, contact: Contact) -> bool:
        expected = self._options.expected
        if expected is not None and contact.fingerprint != expected:
            await self._send_away(contact)
            return False
        if contact.standing is Standing.REQUEST and not await self._decide(contact):
            return False
        if isinstance(await self._engine.presence(contact.id), Online):
            return True
        self._terminal.say(words.gone_meanwhile(contact.title))
        return False

    async def _send_away(self, contact: Contact) -> None:
        self._online.discard(contact.id)
        self._terminal.say(words.not_expected(contact.title))
        if contact.standing is Standing.REQUEST:
            await self._engine.decline(contact.id)
        else:
            await self._engine.disconnect(contact.id)

    async def _decide(self, contact: Contact) -> bool:
        """Whether a stranger is accepted; each is asked about once as long as they stay."""
        if contact.id in self._undecided:
            return False
        terminal, options = self._terminal, self._options
        if not (options.accept_all or options.expected or terminal.can_ask):
            self._undecided.add(contact.id)
            terminal.say(words.undecided(contact.title))
            return False
        terminal.say(words.wants_to_talk(contact.title))
        terminal.say(words.fingerprint_lines(contact.fingerprint))
        others = [row.contact for row in await self._engine.conversations()]
        if is_namesake(contact, others):
            terminal.say(keys.namesake(contact.title))
        accept, block, delete = tuple(words.REQUEST_ANSWERS)
        answer = accept if options.accept_all or options.expected else await self._ask()
        if answer == accept:
            await self._engine.accept(contact.id)
        elif answer == block:
            await self._engine.block(contact.id)
        elif answer == delete:
            await self._engine.decline(contact.id)
        else:
            self._undecided.add(contact.id)
        return answer == accept

    async def _ask(self) -> str:
        self._terminal.say(words.COMPARE)
        try:
            return (await self._terminal.ask(words.ASK_REQUEST)).lower()[:1]
        except InputClosed:
            return ""
