"""`sotto send` and `sotto receive`: files from and to the terminal, with bars or as JSON."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from messenger.cli.bars import Bars, bars_for
from messenger.cli.chat import Caller, check_called
from messenger.cli.exits import Exit, Stop
from messenger.cli.inbox import Inbox, Item
from messenger.cli.listen import Doorkeeper, tell_addresses
from messenger.cli.options import Accept, Options
from messenger.cli.profile import open_profile
from messenger.cli.runner import engine_on
from messenger.cli.terminal import Terminal
from messenger.core.errors import InputError, InputProblem, Reason, SottoError
from messenger.core.ids import ConversationId
from messenger.core.models import Contact, Offline
from messenger.core.transfers import ENDS, Transfer, TransferId, TransferState
from messenger.engine.engine import Engine
from messenger.engine.events import ContactChanged, PresenceChanged, TransferChanged
from messenger.text import explain, left_out_words
from messenger.text import terminal as common
from messenger.text import terminal_files as words

_S = TransferState
_KIB: Final = 1024
_CODES: Final = {
    _S.DONE: Exit.OK,
    _S.DECLINED: Exit.DECLINED,
    _S.CANCELLED: Exit.DECLINED,
    _S.FAILED: Exit.FAILED,
}


@dataclass(frozen=True, slots=True)
class Taking:
    """What `sotto receive` takes from the command line.

    Attributes:
        rule: Whose files are taken.
        folder: Where they go; None for the folder for downloads.
        once: End when one transfer has ended.
        json: For programs.
        port: The port to listen on and no other; None for the one in the settings.
        limit: KiB a second of each transfer; 0 for no limit but that of the settings.
    """

    rule: Accept = Accept.ASK
    folder: Path | None = None
    once: bool = False
    json: bool = False
    port: int | None = None
    limit: int = 0


async def send(
    terminal: Terminal, target: str, paths: Sequence[Path], options: Options, *, json: bool, limit: int = 0
) -> Exit:
    """Connect, offer files, and wait until they have arrived.

    Args:
        terminal: Where it happens.
        target: Address, invite link, or a contact's name or fingerprint.
        paths: Files and folders; none for what was begun and not finished.
        options: From the command line.
        json: For programs.
        limit: As that of `Taking`.

    Raises:
        SottoError: Nothing was offered; nothing was lost.
    """
    check_called(target, options)
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        contact = await Caller(engine, inbox, terminal, options).call(target)
        wanted = await _offered(engine, terminal, contact, paths)
        for transfer in wanted:
            await engine.limit_transfer(transfer, limit * _KIB)
        bars = bars_for(terminal, json=json)
        try:
            return await _Sender(engine, inbox, terminal, contact, bars, wanted).run()
        except asyncio.CancelledError:
            bars.close()
            terminal.say(words.SEND_STOPPED)
            raise
        finally:
            bars.close()


async def _offered(
    engine: Engine, terminal: Terminal, contact: Contact, paths: Sequence[Path]
) -> set[TransferId]:
    """Offer what was named, or go on with what was begun."""
    if paths:
        choice = await engine.look_at_files(paths)
        for left in choice.left_out:
            terminal.fail(f"{words.LEFT_OUT} {left_out_words(left)}")
        if not choice.tops:
            raise Stop(words.NOTHING_TO_SEND, Exit.USAGE)
        message, _left_out = await engine.offer_files(contact.id, paths)
        return set() if message.transfer is None else {message.transfer}
    begun = [t for t in await engine.transfers(contact.id) if t.outgoing and t.state not in ENDS]
    if not begun:
        raise Stop(words.NOTHING_WAITS, Exit.USAGE)
    for transfer in begun:
        if transfer.paused_by_me:
            await engine.resume_transfer(transfer.id)
    return {transfer.id for transfer in begun}


class _Sender:
    """Waits until what was offered has ended."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        terminal: Terminal,
        contact: Contact,
        bars: Bars,
        wanted: set[TransferId],
    ) -> None:
        self._engine, self._inbox, self._terminal = engine, inbox, terminal
        self._contact, self._bars, self._wanted = contact, bars, wanted
        self._ended: dict[TransferId, Transfer] = {}

    async def run(self) -> Exit:
        """Show how it goes, until everything has ended or they have left."""
        if self._contact.awaiting:
            self._terminal.say(common.awaiting(self._contact.title))
        for transfer in await self._engine.transfers(self._contact.id):
            self._take(transfer)
        while len(self._ended) < len(self._wanted):
            event = await self._inbox.next()
            match event:
                case TransferChanged(transfer=transfer):
                    self._take(transfer)
                case ContactChanged(contact=contact) if contact.id == self._contact.id:
                    self._contact = contact  # their name is known once they have accepted
                case PresenceChanged(conversation=id_, presence=Offline(reason=Reason.CLOSED)) if (
                    id_ == self._contact.id
                ):
                    self._terminal.fail(words.left_waiting(self._contact.title))
                    return Exit.UNDELIVERED
        codes = {_CODES[transfer.state] for transfer in self._ended.values()}
        return max(codes, default=Exit.OK)

    def _take(self, transfer: Transfer) -> None:
        if transfer.id in self._wanted and transfer.id not in self._ended:
            self._bars.show(transfer, self._contact.title)
            if transfer.state in ENDS:
                self._ended[transfer.id] = transfer


async def receive(terminal: Terminal, target: str, options: Options, taking: Taking) -> Exit:
    """Wait for files, and take those that the rule allows.

    Args:
        terminal: Where it happens.
        target: Of the only person whose files are taken, as that of `send`; empty for whoever comes.
        options: From the command line.
        taking: What is taken, and where it goes.

    Raises:
        SottoError: Nobody can be waited for; nothing was lost.
    """
    if target:
        check_called(target, options)
    if taking.port is not None and not 1 <= taking.port <= 65535:
        raise InputError(InputProblem.BAD_PORT, str(taking.port))
    if taking.rule is Accept.ASK and not terminal.can_ask:
        raise Stop(words.CANNOT_ASK_FILES, Exit.USAGE)
    async with engine_on(options, terminal) as (engine, inbox):
        await open_profile(engine, inbox, terminal, name=options.name, ask_passphrase=options.ask_passphrase)
        contact = None
        if target:
            contact = await Caller(engine, inbox, terminal, options).call(target)
        else:
            port = taking.port
            listening = await engine.listening() if port is None else await engine.listen(port, exact=True)
            tell_addresses(terminal, listening or await engine.listen())
        terminal.say(words.WAITING_FOR_FILES)
        bars = bars_for(terminal, json=taking.json)
        door = None if contact is not None else Doorkeeper(engine, inbox, terminal, options)
        try:
            return await _Receiver(engine, inbox, terminal, bars, taking, door, contact).run()
        except asyncio.CancelledError:
            bars.close()
            terminal.say(words.RECEIVE_STOPPED)
            raise
        finally:
            bars.close()


class _Receiver:
    """Answers offers, and shows what comes."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        terminal: Terminal,
        bars: Bars,
        taking: Taking,
        door: Doorkeeper | None,
        contact: Contact | None,
    ) -> None:
        self._engine, self._inbox, self._terminal, self._bars = engine, inbox, terminal, bars
        self._taking, self._door, self._contact = taking, door, contact
        self._answered = set[TransferId]()
        self._followed = set[TransferId]()
        self._last = Exit.OK

    async def run(self) -> Exit:
        """Take what comes, until one transfer has ended or the one person has left."""
        only = None if self._contact is None else self._contact.id
        for transfer in reversed(await self._engine.transfers(only)):
            if transfer.state not in ENDS and await self._take(transfer):
                return self._last
        while True:
            event = await self._inbox.next()
            match event:
                case TransferChanged(transfer=transfer) if only in (None, transfer.conversation):
                    if await self._take(transfer):
                        return self._last
                case PresenceChanged(conversation=id_, presence=Offline(reason=Reason.CLOSED)) if id_ == only:
                    return self._left()
                case _:
                    await self._look(event)

    async def _look(self, event: Item) -> None:
        if self._door is not None:
            with self._bars.quiet():
                await self._door.look(event)

    def _left(self) -> Exit:
        """The one person has said goodbye."""
        name = "" if self._contact is None else self._contact.title
        if self._followed:
            self._terminal.fail(words.left_waiting(name))
            return Exit.UNDELIVERED
        self._terminal.say(common.has_left(name))
        return self._last

    async def _take(self, transfer: Transfer) -> bool:
        """Answer or show a transfer; whether the command is over."""
        if transfer.outgoing:
            return False
        contact = await self._who(transfer.conversation)
        if contact is None:
            return False
        if transfer.state is _S.OFFERED:
            if transfer.id not in self._answered:
                self._answered.add(transfer.id)
                await self._answer(transfer, contact)
            return False
        if transfer.state in ENDS and transfer.id not in self._answered | self._followed:
            return False
        self._bars.show(transfer, contact.title)
        if transfer.state not in ENDS:
            await self._follow(transfer.id)
            return False
        self._answered.discard(transfer.id)
        self._followed.discard(transfer.id)
        if transfer.state is _S.DONE and not self._taking.json:
            for path in transfer.placed:
                self._terminal.out(path)
        self._last = _CODES[transfer.state]
        if self._taking.once:
            await self._engine.disconnect(contact.id)
        return self._taking.once

    async def _follow(self, transfer: TransferId) -> None:
        """It is shown from now on, and is no faster than was asked for."""
        if transfer not in self._followed:
            self._followed.add(transfer)
            await self._engine.limit_transfer(transfer, self._taking.limit * _KIB)

    async def _answer(self, transfer: Transfer, contact: Contact) -> None:
        """Take what is offered, ask about it, or leave it."""
        wanted = True
        with self._bars.quiet():
            self._terminal.say(words.offer_words(transfer, contact.title))
            match self._taking.rule:
                case Accept.VERIFIED if not contact.verified:
                    self._terminal.say(words.not_by_rule(contact.title))
                    return
                case Accept.ASK:
                    wanted = await self._terminal.confirm(words.ASK_FILES)
        try:
            if wanted:
                await self._engine.accept_files(transfer.id, self._taking.folder)
            else:
                await self._engine.decline_files(transfer.id)
        except SottoError as e:  # it stays offered, or is no more; the others go on
            self._terminal.fail(explain(e))

    async def _who(self, id_: ConversationId) -> Contact | None:
        for conversation in await self._engine.conversations():
            if conversation.id == id_:
                return conversation.contact
        return None
