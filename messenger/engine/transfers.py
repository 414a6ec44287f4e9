"""The transfers of files: what both sides want of each, whose turn it is, and how it goes.

What is to be done follows from the two wishes of a transfer alone (`messenger.core.transfers`); the sender
of the files gives out the ticket for a lane. Wishes are told anew on every link, so that nothing depends on
what was said on the one before.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Message
from messenger.core.transfers import AFTER, ENDS, Transfer, TransferId, TransferState, Trouble, Wish
from messenger.crypto.hkdf import equal
from messenger.engine.context import Context
from messenger.engine.events import TransferChanged
from messenger.engine.runs import Runs
from messenger.net.connection import Connection
from messenger.protocol import packets
from messenger.protocol.link import LinkState
from messenger.storage.endings import Ending
from messenger.storage.transfers import Held

_COUNT_MAX: Final = 2**32 - 1


class Transfers:
    """All transfers that have not ended, and the lanes of those that run.

    Args:
        context: The open profile.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store.transfers
        self.held: dict[TransferId, Held] = {}
        """Those that have not ended."""
        self.links: dict[ConversationId, Connection] = {}
        """Those on which both have accepted each other."""
        self.runs = Runs(context, self)
        self.on_offer: Callable[[Held], Awaitable[None]] | None = None
        """Called with each transfer that is offered to us."""
        self.on_forget: Callable[[ConversationId], Awaitable[None]] | None = None
        """Called when a conversation is about to be deleted."""

    async def start(self) -> None:
        """Look at what has not ended; put in its place what has come before the program ended."""
        for held in await self._context.stored(self._store.unfinished):
            self.held[held.id] = held
            self.runs.settle(held)

    async def close(self) -> None:
        """End every lane; all that has come is noted."""
        await self.runs.close()

    def schedule(self) -> None:
        """Something has changed that may let a transfer begin."""
        self.runs.schedule()

    def waits(self, conversation: ConversationId) -> bool:
        """Whether files could go on if only there were a link: both want them, and not everything is here."""
        return any(held.state is TransferState.WAITING for held in self._of(conversation))

    # --- what is told by conversations ---

    async def welcome(self, contact: Contact, connection: Connection, port: int) -> None:
        """Both have accepted each other on a link: tell what we want, and go on."""
        if connection.link.state is not LinkState.OPEN:
            return
        self.runs.lanes.welcome(contact, connection, port)
        if self.links.get(contact.id) is connection:
            return
        self.links[contact.id] = connection
        for held in self._of(contact.id):
            self.runs.hope(held.id)
            self.tell(held)
            if connection.stream.through is None:
                self.runs.leave_detour(held.id)
        self.schedule()

    def leave(self, connection: Connection) -> None:
        """A link has ended. What runs beside another one, which took over, goes on."""
        self.runs.lanes.leave(connection)
        gone = [conversation for conversation, link in self.links.items() if link is connection]
        for conversation in gone:
            del self.links[conversation]
            for held in self._of(conversation):
                self.runs.stop(held.id)

    async def offered(self, message: Message) -> None:
        """They offer files; the message is on disk."""
        held = await self.find(message.conversation, message.id, outgoing=False)
        if held is not None:
            self.take(held)
            self.tell(held)
            if self.on_offer is not None:
                await self.on_offer(held)

    async def withdrawn(self, message: Message) -> None:
        """A message that offers files was deleted, by whoever offers them, for both."""
        held = await self.find(message.conversation, message.id, outgoing=message.outgoing)
        if held is not None and held.state not in ENDS:
            await self.wish(held.id, Wish.CANCELLED)

    def on_ticket(self, connection: Connection, packet: packets.LaneTicket) -> None:
        """They have given us a ticket; see `messenger.engine.lanes.Lanes.on_ticket`."""
        self.runs.lanes.on_ticket(connection, packet)

    async def forget(self, conversation: ConversationId) -> None:
        """A conversation is about to be deleted: end what runs in it, and remove what has not come whole."""
        for held in self._of(conversation):
            self.held.pop(held.id, None)
            self.runs.stop(held.id)
            await self.runs.clear(held)
            self.held.pop(held.id, None)  # it may have been about to pause
        if self.on_forget is not None:
            await self.on_forget(conversation)

    async def vanished(self, conversation: ConversationId, messages: Sequence[MessageId]) -> None:
        """Messages have disappeared; offers among them that nobody had answered can be taken no more."""
        for held in self._of(conversation):
            if held.message in messages:
                self.held.pop(held.id, None)
                if held.outgoing:
                    self._tell_gone(conversation, held.message, held.my_count + 1, held.their_count)
                self.publish(msgspec.structs.replace(held, mine=Wish.CANCELLED))
                await self.runs.clear(held)

    async def on_wish(self, contact: Contact, packet: packets.Wish) -> None:
        """They have told what they want.

        Raises:
            StorageError: It could not be noted.
        """
        held = await self.find(contact.id, MessageId(packet.id), outgoing=not packet.own)
        wish, trouble = Wish(packet.wish), _trouble(packet.reason)
        if self.runs.closed:  # nothing could be done about it; they are asked on the next link
            return
        if held is None:
            message, find = MessageId(packet.id), self._context.store.endings.find
            ending = await self._context.stored(find, contact.id, message, outgoing=not packet.own)
            if ending is not None and ending.count != packet.heard:
                self._tell_ending(contact.id, packet, ending)
                return
            gone = await self._context.stored(self._context.store.timers.remembers, contact.id, message)
            if gone and not packet.own and AFTER[wish]:
                self._tell_gone(contact.id, message, packet.heard + 1, packet.count)
            return
        lies = wish is Wish.DONE and not (held.root and equal(packet.proof, held.root))
        if lies and held.state not in ENDS:
            await self.wish(held.id, Wish.FAILED, Trouble.BROKEN)
            return
        if not lies:
            held = await self._context.stored(self._store.heard, held.id, wish, trouble, packet.count)
        if packet.heard > held.my_count:
            held = await self._context.stored(self._store.overtake, held.id, packet.heard)
            self.tell(held)
        elif packet.heard < held.my_count:
            self.tell(held)
        self.runs.hope(held.id)
        if packet.busy:
            self.runs.put_aside(held.id)
        self.take(held)

    # --- what a person wants ---

    async def wish(self, id_: TransferId, wish: Wish, trouble: Trouble = Trouble.NONE) -> Held:
        """Change what we want of a transfer, tell it, and do what follows.

        Raises:
            InputError: UNKNOWN.
            StorageError: It could not be noted.
        """
        held = await self._context.stored(self._store.wish, id_, wish, trouble)
        self.tell(held)
        self.take(held)
        return held

    def take(self, held: Held) -> None:
        """A transfer stands differently: do what follows, and publish it."""
        if held.state in ENDS:
            known = self.held.pop(held.id, None)
            if known is not None:
                self.runs.end(held)
            self._context.timing.set()  # its offer may have waited for this to disappear
        else:
            self.held[held.id] = held
        if held.state is not TransferState.WAITING:
            self.runs.stop(held.id)
        self.runs.settle(held)
        self.schedule()
        self.publish(held)

    def publish(self, held: Held) -> None:
        """Tell everybody how a transfer stands."""
        self._context.publish(TransferChanged(self.shown(held)))

    def shown(self, held: Held) -> Transfer:
        """A transfer with what is only known while it runs."""
        transfer, run = held.shown(), self.runs.of(held.id)
        if held.state is not TransferState.WAITING:
            return transfer
        if held.root:
            return msgspec.structs.replace(transfer, state=TransferState.FINISHING, done=transfer.size)
        if run is None or run.job is None:
            return msgspec.structs.replace(transfer, queued=self.runs.queued(held))
        speed = run.speed
        done = max(run.done, transfer.done) if not run.samples else run.done
        left = (transfer.size - done) // speed if speed else None
        state = TransferState.RUNNING
        return msgspec.structs.replace(transfer, state=state, done=done, speed=speed, seconds_left=left)

    def tell(self, held: Held, *, busy: bool = False) -> None:
        """Tell them what we want of a transfer, if they are there; the next link tells it anyway."""
        connection = self.links.get(held.conversation)
        if connection is None or connection.link.state is not LinkState.OPEN:
            return
        proof = held.root if held.mine is Wish.DONE else b""
        connection.post(
            packets.Wish(
                held.message,
                held.outgoing,
                held.mine,
                held.my_trouble,
                held.my_count,
                held.their_count,
                proof,
                busy,
            )
        )

    def _tell_ending(self, conversation: ConversationId, asked: packets.Wish, ending: Ending) -> None:
        """Tell them, who do not know it, how a transfer ended whose message is gone from here."""
        connection = self.links.get(conversation)
        if connection is None or connection.link.state is not LinkState.OPEN or not AFTER[Wish(asked.wish)]:
            return
        # If they know a later wish of ours, this is an old copy of the profile: the end counts all the same.
        count = ending.count if asked.heard < ending.count else min(asked.heard + 1, _COUNT_MAX)
        heard, proof = max(ending.heard, asked.count), ending.root if ending.wish is Wish.DONE else b""
        connection.post(
            packets.Wish(
                asked.id,
                own=not asked.own,
                wish=ending.wish,
                reason=ending.trouble,
                count=count,
                heard=heard,
                proof=proof,
                busy=False,
            )
        )

    def _tell_gone(self, conversation: ConversationId, message: MessageId, count: int, heard: int) -> None:
        """Tell them, if they are there, that an offer of ours which has disappeared is cancelled."""
        connection = self.links.get(conversation)
        if connection is not None and connection.link.state is LinkState.OPEN:
            count = min(count, _COUNT_MAX)
            wish = Wish.CANCELLED
            connection.post(
                packets.Wish(
                    message, own=True, wish=wish, reason=0, count=count, heard=heard, proof=b"", busy=False
                )
            )

    def _of(self, conversation: ConversationId) -> list[Held]:
        return [held for held in self.held.values() if held.conversation == conversation]

    async def find(self, conversation: ConversationId, message: MessageId, *, outgoing: bool) -> Held | None:
        """The transfer that a message offers, or None."""
        return await self._context.stored(self._store.find, conversation, message, outgoing=outgoing)


def _trouble(reason: int) -> Trouble:
    try:
        return Trouble(reason)
    except ValueError:
        return Trouble.OTHER
