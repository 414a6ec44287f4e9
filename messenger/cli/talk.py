"""One conversation in the terminal, from the first word to the goodbye."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from messenger.cli.exits import Exit
from messenger.cli.inbox import Inbox, InputEnded, OutputFailed
from messenger.cli.screen import DrawnScreen, PlainScreen, Screen
from messenger.cli.talk_files import TalkFiles
from messenger.cli.terminal import Terminal
from messenger.core.errors import ConnectError, InputError, InputProblem, Reason
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import (
    Contact,
    Conversation,
    KeyNews,
    Message,
    MessageState,
    Offline,
    Online,
    Presence,
)
from messenger.core.relays import Relay, RelayOnline, RelayUnreachable
from messenger.engine.engine import Engine
from messenger.engine.events import (
    ContactChanged,
    Event,
    IdentityElsewhere,
    KeyChanged,
    MessageAdded,
    MessageChanged,
    PresenceChanged,
    RelayAsked,
    RelayChanged,
    TransferChanged,
)
from messenger.text import explain, keys, line_words, presence_words, terminal_files, typed_timer
from messenger.text import relays as relay_words
from messenger.text import terminal as words

_COMMANDS: Final = {**words.COMMANDS, **terminal_files.COMMANDS}
_ARRIVED: Final = (MessageState.DELIVERED, MessageState.READ)


class Talk:
    """A conversation with somebody who is online.

    Args:
        engine: Open.
        inbox: Its events.
        terminal: Where it happens.
        contact: With whom.
        stays: At the end of a plain input, stay until the other leaves, instead of leaving
            as soon as everything is delivered.
    """

    def __init__(
        self, engine: Engine, inbox: Inbox, terminal: Terminal, contact: Contact, *, stays: bool
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._terminal = terminal
        self._contact = contact
        self._stays = stays
        self._screen: Screen = DrawnScreen(self._toolbar) if terminal.interactive else PlainScreen(terminal)
        self._files = TalkFiles(engine, terminal, contact.id)
        self._presence: Presence = Offline()
        self._introduced = False
        self._shown = set[MessageId]()
        self._waiting: dict[MessageId, Message] = {}
        self._others: set[ConversationId] = set()
        self._cut = False
        self._input_ended = False
        self._failed = False
        self._away = False
        self._theirs = set[Fingerprint]()
        self._relay: Fingerprint | None = None

    async def run(self) -> Exit:
        """Talk until one of the two leaves.

        Raises:
            Interrupted: Ctrl-C.
            StorageError: A message could not be stored.
        """
        self._terminal.on_failed(self._inbox.from_thread(OutputFailed()))
        with self._screen.opened():
            await self._begin()
            typing = asyncio.create_task(self._type())
            typing.add_done_callback(lambda _task: self._inbox.put(InputEnded()))
            try:
                await self._follow(typing)
            finally:
                typing.cancel()
                await asyncio.gather(typing, return_exceptions=True)
        return self._outcome()

    def _outcome(self) -> Exit:
        """Say what is left undone; a person at a terminal knows by that, a program needs a code."""
        if self._waiting:
            self._terminal.say(words.still_waiting(len(self._waiting)))
        if self._screen.drawn:
            return Exit.OK
        if not (self._stays or self._input_ended):
            self._terminal.fail(words.INPUT_LEFT)
            return Exit.UNDELIVERED
        if self._waiting:
            return Exit.UNDELIVERED
        return Exit.FAILED if self._failed else Exit.OK

    # --- what is typed ---

    async def _type(self) -> None:
        """Send what is typed, until the input ends or the person wants to leave."""
        async with contextlib.aclosing(self._screen.lines()) as lines:
            async for line in lines:
                if self._screen.drawn and line.startswith("/") and not line.startswith("//"):
                    if line.strip() == "/quit":
                        return
                    await self._command(line.strip())
                    continue
                text = line[1:] if self._screen.drawn and line.startswith("//") else line
                if not text.strip():
                    continue
                try:
                    await self._engine.send_text(self._contact.id, text)
                except InputError as e:
                    self._failed = self._failed or not self._screen.drawn
                    self._terminal.fail(explain(e))

    async def _command(self, command: str) -> None:
        match command:
            case "/help":
                rows = [f"  {name:<12}{meaning}" for name, meaning in _COMMANDS.items()]
                self._terminal.say("\n".join((*rows, words.COMMANDS_HINT)))
            case "/safety":
                await self._show_number()
            case _ if command.split(maxsplit=1)[0] == "/disappear":
                await self._set_timer(command.removeprefix("/disappear"))
            case _ if self._files.takes(command):
                await self._files.do(command)
            case "/trust":
                await self._trust()
            case "/reconnect":
                await self._engine.reconnect(self._contact.id)
            case "/verify":
                await self._show_number()
                verified = await self._terminal.confirm(words.ASK_VERIFIED)
                await self._engine.set_verified(self._contact.id, verified)
                self._terminal.say(words.VERIFIED if verified else words.NOT_VERIFIED)
            case _ if command.split(maxsplit=1)[0] == "/relay":
                await self._use_relay(command.split(maxsplit=2))
            case _:
                self._terminal.fail(words.unknown_command(command))

    async def _trust(self) -> None:
        if self._contact.key_news is KeyNews.NONE:
            self._terminal.say(words.NOTHING_TO_TRUST)
            return
        self._terminal.say(keys.TRUST_WORDS)
        if await self._terminal.confirm(words.ASK_TRUST):
            await self._engine.trust_key(self._contact.id)
            self._terminal.say(words.TRUSTED)

    def _tell_key(self) -> None:
        """Say that they have a new key, if that is so."""
        if told := keys.new_key(self._contact):
            self._terminal.say(f"{told} {words.KEY_COMMANDS}")

    async def _set_timer(self, typed: str) -> None:
        """Set after how long messages disappear; if that changes, an event brings the line that says so."""
        if not typed.strip():
            self._terminal.say(words.timer_now(self._contact.timer))
            return
        seconds = typed_timer(typed)
        if seconds is None:
            self._terminal.fail(words.NO_TIMER)
            return
        try:
            before = self._contact.timer
            self._contact = await self._engine.set_timer(self._contact.id, seconds)
            if before == seconds:
                self._terminal.say(words.timer_now(seconds))
        except InputError as e:
            self._terminal.fail(explain(e))

    async def _use_relay(self, typed: list[str]) -> None:
        """`/relay add LINK`; how it goes is told when it is known."""
        if len(typed) < 3 or typed[1] != "add":
            self._terminal.fail(relay_words.CHAT_USAGE)
            return
        try:
            self._relay = (await self._engine.add_relay(typed[2])).fingerprint
        except InputError as e:
            self._terminal.fail(explain(e))

    async def _show_number(self) -> None:
        number = await self._engine.safety_number(self._contact.id)
        self._terminal.say(words.compare_number(self._contact.title))
        self._terminal.say(words.safety_lines(number))

    # --- what happens ---

    async def _begin(self) -> None:
        """Take stock, and show what they wrote before we looked."""
        self._inbox.clear()
        conversation = await self._conversation()
        self._contact = conversation.contact
        self._presence = await self._engine.presence(self._contact.id)
        self._away = self._cut = not isinstance(self._presence, Online)
        if self._away:
            self._theirs = {relay.fingerprint for relay in await self._engine.relays_of(self._contact.id)}
        if self._contact.name or self._away:
            self._introduce()
        self._tell_key()
        async for message in self._unread():
            await self._show(message)
            await self._screen.room()
        await self._files.begin(self._contact.title)

    async def _conversation(self) -> Conversation:
        for conversation in await self._engine.conversations():
            if conversation.id == self._contact.id:
                return conversation
        raise InputError(InputProblem.UNKNOWN)

    async def _unread(self) -> AsyncIterator[Message]:
        """Their unread messages, oldest first; some that come meanwhile, too."""
        first = await self._engine.first_unread(self._contact.id)
        after = None if first is None else first - 1
        while after is not None and (page := await self._engine.messages(self._contact.id, after=after)):
            after = page[-1].position
            for message in page:
                if message.state is MessageState.UNREAD:
                    yield message

    async def _follow(self, typing: "asyncio.Task[None]") -> None:
        """Handle what happens, until the conversation is over."""
        while not (self._input_ended and not self._stays and not self._waiting):
            left = isinstance(self._presence, Offline) and self._presence.reason in (None, Reason.CLOSED)
            if left and not self._away:
                self._terminal.say(words.has_left(self._contact.title))
                return
            item = await self._inbox.next()
            if isinstance(item, InputEnded):
                typing.result()
                self._input_ended = True
                if self._screen.drawn:
                    return
            elif not isinstance(item, OutputFailed):  # else there is an end with the next line
                await self._on_event(item)
            await self._screen.room()

    async def _on_event(self, event: Event) -> None:
        me = self._contact.id
        match event:
            case MessageAdded(message=message) if message.conversation == me:
                await self._on_message(message)
            case MessageAdded(message=message) if not message.outgoing:
                await self._mention(message.conversation)
            case MessageChanged(message=message) if message.conversation == me:
                self._on_state(message)
            case TransferChanged(transfer=transfer) if transfer.conversation == me:
                self._files.changed(transfer, self._contact.title)
                self._screen.waiting(list(self._waiting.values()))  # draws the line below the prompt anew
            case KeyChanged(contact=contact) if contact.id == me:
                self._contact = contact
                self._tell_key()
            case IdentityElsewhere():
                self._terminal.say(keys.ELSEWHERE)
            case ContactChanged(contact=contact) if contact.id == me:
                self._on_contact(contact)
            case PresenceChanged(conversation=conversation, presence=presence) if conversation == me:
                await self._on_presence(presence)
            case RelayChanged(relay=relay) if relay.fingerprint == self._relay:
                self._on_relay(relay)
            case RelayChanged(relay=relay) if relay.fingerprint in self._theirs:
                self._on_their_relay(relay)
            case RelayAsked(conversation=conversation, relay=relay) if conversation == me:
                self._terminal.say(relay_words.asked(self._contact.title, relay))

    async def _on_message(self, message: Message) -> None:
        if message.notice:
            self._terminal.say(line_words(message, self._contact.title))
        elif not message.outgoing:
            await self._show(message)
        elif message.state is MessageState.QUEUED:
            self._waiting[message.id] = message
            self._screen.waiting(list(self._waiting.values()))

    async def _show(self, message: Message) -> None:
        """Show a message of theirs once; on a terminal somebody has read it then."""
        if message.id not in self._shown:
            if not self._introduced:  # they have no name
                self._introduce()
            self._shown.add(message.id)
            if message.transfer is None:  # what is offered is said as such
                self._screen.show(message, self._contact.title)
            if self._screen.drawn:
                await self._engine.mark_read(self._contact.id, message.position)

    def _on_state(self, message: Message) -> None:
        done = message.state in _ARRIVED or message.state is MessageState.FAILED
        done = done or (message.state is MessageState.SENT and not isinstance(self._presence, Online))
        if done and self._waiting.pop(message.id, None) is not None:
            self._failed = self._failed or message.state is MessageState.FAILED
            self._screen.waiting(list(self._waiting.values()))
            self._screen.show(message, words.YOU)

    def _on_contact(self, contact: Contact) -> None:
        before, self._contact = self._contact, contact
        if not self._introduced:
            if contact.name:  # else they have not greeted yet
                self._introduce()
        elif before.title != contact.title:
            self._terminal.say(words.renamed(before.title, contact.title))
        elif before.awaiting and not contact.awaiting:
            self._terminal.say(words.has_accepted(contact.title))

    async def _on_presence(self, presence: Presence) -> None:
        before, self._presence = self._presence, presence
        match presence:
            case Online() if self._cut:
                self._cut = False
                self._terminal.say(words.is_back(self._contact.title))
            case Offline(reason=reason) if isinstance(before, Online) and reason not in (None, Reason.CLOSED):
                self._cut = True
                if reason is Reason.INTERRUPTED:
                    tries_again = (await self._engine.settings()).reconnect
                    self._terminal.say(words.cut(tries_again=tries_again))
                else:
                    self._terminal.say(explain(ConnectError(reason)))

    def _on_relay(self, relay: Relay) -> None:
        """Say once how it went with a relay that was added here."""
        if isinstance(relay.state, RelayOnline) or getattr(relay.state, "reason", None) is not None:
            self._relay = None
            self._terminal.say(relay_words.added(relay))

    def _on_their_relay(self, relay: Relay) -> None:
        """Say once that not even a relay can be reached where something waits to be sent to."""
        failing = isinstance(relay.state, RelayUnreachable) and relay.state.reason is not None
        if failing and not isinstance(self._presence, Online):
            self._theirs.discard(relay.fingerprint)
            self._terminal.say(relay_words.unreached(relay))

    def _introduce(self) -> None:
        self._introduced = True
        self._terminal.say(words.introduction(self._contact))
        if self._away:
            waits = words.waits_at_relay if self._theirs else words.waits_here
            self._terminal.say(waits(self._contact.title))
        if self._contact.awaiting:
            self._terminal.say(words.awaiting(self._contact.title))

    async def _mention(self, conversation: ConversationId) -> None:
        """Say once that somebody else has written as well."""
        if conversation in self._others:
            return
        self._others.add(conversation)
        for other in await self._engine.conversations():
            if other.id == conversation:
                self._terminal.say(words.somebody_else(other.contact.title))

    def _toolbar(self) -> str:
        presence = presence_words(self._presence, time.time_ns() // 1_000_000)
        line = words.toolbar(self._contact.title, presence, verified=self._contact.verified)
        return " · ".join(filter(None, (line, self._files.running(self._contact.title))))
