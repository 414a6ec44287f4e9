"""What two people say over one live link: greetings, texts and deeds, receipts, and the outbox."""

import asyncio
from collections.abc import Sequence
from typing import Final

from messenger.core import deed_limits, limits, store_limits
from messenger.core.address import Address
from messenger.core.chained import Chained
from messenger.core.errors import ProtocolError, RemoteProtocolError, StorageError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, MessageState, Standing
from messenger.core.names import clean_name
from messenger.engine import mailboxes
from messenger.engine.chained import chained_of, packet_of
from messenger.engine.context import Context
from messenger.engine.due import DueReceipts
from messenger.engine.events import EngineFault, PeerTyping
from messenger.engine.portraits import Portraits
from messenger.engine.seeding import Seeding
from messenger.engine.tasks import Tasks
from messenger.engine.whereabouts import addresses_to_tell, take_whereabouts
from messenger.net.connection import Connection
from messenger.protocol.link import LinkState
from messenger.protocol.packets import (
    Addresses,
    ChainedPacket,
    Delete,
    Delivered,
    Edit,
    Hello,
    LaneTicket,
    Mailboxes,
    Offer,
    Packet,
    React,
    Read,
    Seed,
    SeedAck,
    Succession,
    SuccessionSeen,
    Text,
    Timer,
    Typing,
    Wish,
)
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted
from messenger.storage.store import Arrival

_AGAIN_MS: Final = round(deed_limits.TYPING_EVERY * 1000)


class Talk:
    """The conversation on one link.

    Args:
        context: The open profile.
        connection: The link, up.
        contact: Who is on it, as stored when it came up.
        said: The greeting with which we began this link, if we have spoken already.
    """

    def __init__(
        self, context: Context, connection: Connection, contact: Contact, said: Hello | None = None
    ) -> None:
        self._context = context
        self._store = context.store
        self._connection = connection
        self.contact = contact
        self._said = said
        self._told_places: Mailboxes | None = None
        self._told_addresses: list[Addresses] = []
        self._seeding = Seeding(context, connection)
        self._due = DueReceipts(context, contact.id)
        self._portraits = Portraits(context, connection, contact.id)
        self._welcome, self._port = False, 0
        self.used_ms = context.now_ms()
        """When something was last said on this link that people mean to say, Unix milliseconds."""
        self._full = False
        self._on_way: set[MessageId] = set()
        self._sent_seq = 0
        self._told_typing = self._heard_typing = -_AGAIN_MS
        self._wake = asyncio.Event()
        self._pump = Tasks("outbox", context.publish)

    async def start(self) -> None:
        """Tell them by which keys they knew us if need be, greet, and begin to send what waits."""
        if self._said is None:
            untold, through = self._store.successions.untold, self._context.succession
            for statement in await self._context.stored(untold, self.contact.id, through):
                self._post(Succession(statement))
        await self.greet()
        if self._accepted:
            self.tell_due(await self._due.all())
        self._wake.set()
        self._pump.start(self._send_waiting())

    async def stop(self, *, heard: bool = False) -> None:
        """Stop sending; what is not acknowledged stays in the outbox.

        Args:
            heard: They have answered our goodbye.
        """
        self._context.files.leave(self._connection)
        await self._pump.close()
        if heard:
            try:
                await self._due.heard()
            except StorageError as e:  # then they are told once more
                self._context.publish(EngineFault("storage", type(e).__name__))

    def wake(self, *, again: bool = False) -> None:
        """Something waits in the outbox.

        Args:
            again: Also what was sent before without a receipt, or came back into the queue.
        """
        if again:
            self._sent_seq = 0
        self._wake.set()

    async def greet(self) -> None:
        """Send our name, port and standing; once at the start and whenever they change."""
        stored = await self._context.stored(self._store.contacts.get, self.contact.id)
        self.contact = stored or self.contact
        read_seq = 0
        if self._accepted and self._context.settings.read_receipts and not self.contact.held:
            read_seq = await self._context.stored(self._store.messages.seen_seq, self.contact.id)
        port = self._context.port if self._direct else 0
        hello = Hello(self._context.me.name, port, self._accepted, read_seq)
        if hello != self._said:
            self._said = hello
            self._post(hello)
        await self._seed()

    def tell_known(self, serial: int) -> None:
        """Tell them that they need not tell us any more by which keys we knew them, up to a statement."""
        self._post(SuccessionSeen(serial))

    def tell_read(self, ids: Sequence[MessageId]) -> None:
        """Tell them that their messages have been read; the next greeting does it if that is held up."""
        if self.contact.held:
            return
        for start in range(0, len(ids), limits.RECEIPTS_PER_PACKET):
            self._post(Read([bytes(i) for i in ids[start : start + limits.RECEIPTS_PER_PACKET]]))

    def tell_delivered(self, ids: Sequence[MessageId]) -> None:
        """Tell them that their messages are on our disk."""
        for start in range(0, len(ids), limits.RECEIPTS_PER_PACKET):
            part = ids[start : start + limits.RECEIPTS_PER_PACKET]
            self._post(Delivered([bytes(i) for i in part]))

    def tell_typing(self) -> None:
        """Tell them that we are writing to them, unless they were told just now or do not know us yet."""
        now = self.used_ms = self._context.now_ms()
        known = self._accepted and self._welcome and not self.contact.held
        if known and not 0 <= now - self._told_typing < _AGAIN_MS:
            self._told_typing = now
            self._post(Typing())

    def tell_due(self, ids: Sequence[MessageId]) -> None:
        """Tell them that messages of theirs arrived which came another way."""
        self._due.told(ids)
        self.tell_delivered(ids)

    async def tell_places(self) -> None:
        """Tell them where they can write to us through relays, if they have not been told so on this link."""
        store, me = self._store, self.contact.id
        if not (self._welcome and self._accepted) or self._connection.link.state is not LinkState.OPEN:
            return
        change = await self._context.stored(store.queues.change, me)
        places = await self._context.stored(mailboxes.all_of_ours, store, me)
        if places is not None and places != self._told_places:
            self._told_places = places
            self._post(places)
        self._due.told_places(change)

    async def on_packet(self, packet: Packet) -> None:
        """Take what they sent.

        Raises:
            StorageError: It could not be stored; nothing was acknowledged.
            RemoteProtocolError: It is out of turn; nothing was changed.
        """
        match packet:
            case Hello():
                await self._on_hello(packet)
            case Text() | Edit() | Delete() | React() | Timer() | Offer():
                await self.on_chained([packet])
            case Typing() | LaneTicket() | Wish():
                await self._on_aside(packet)
            case Delivered(ids):
                await self._on_receipt(ids, MessageState.DELIVERED)
            case Read(ids):
                await self._on_receipt(ids, MessageState.READ)
            case SuccessionSeen(serial):
                await self._context.stored(self._store.successions.confirm, self.contact.id, serial)
            case Seed():
                if not self._accepted:
                    raise RemoteProtocolError("a SEED of somebody who is not accepted")
                await self._seeding.on_seed(self.contact, packet)
            case SeedAck():
                await self._seeding.on_ack(self.contact)
            case PortraitNews() | PortraitWanted() | Portrait() if self._accepted:
                await self._portraits.on_packet(packet)
            case Mailboxes() | Addresses() if self._accepted:
                await take_whereabouts(self._context, self.contact.id, packet, direct=self._direct)

    def _post(self, packet: Packet) -> None:
        """Send something that the next link would tell again, unless this one has said goodbye."""
        if self._connection.link.state is LinkState.OPEN:
            self._connection.post(packet)

    @property
    def _direct(self) -> bool:
        """Whether the address of the link is theirs."""
        return self._connection.stream.through is None

    @property
    def _accepted(self) -> bool:
        return self.contact.standing is Standing.ACCEPTED

    async def _on_aside(self, packet: Typing | LaneTicket | Wish) -> None:
        """What is not of the chain, and means something among people who have accepted each other."""
        self.used_ms = self._context.now_ms()
        match packet:
            case Typing():
                self._on_typing()
            case LaneTicket():
                self._context.files.on_ticket(self._connection, packet)
            case Wish() if self._accepted:
                await self._context.files.on_wish(self.contact, packet)

    async def _on_hello(self, hello: Hello) -> None:
        contacts, me = self._store.contacts, self.contact.id
        waited = self.contact.awaiting
        self.contact = await self._context.stored(
            contacts.update, me, name=clean_name(hello.name), awaiting=not hello.accepted
        )
        self._welcome, self._port = hello.accepted, hello.port  # before anybody hears of it
        if hello.port and self._direct:
            address = str(Address(self._connection.stream.host, hello.port))
            self.contact = await self._context.stored(contacts.note_address, me, address)
        await self._context.publish_contact(me)
        if not (hello.accepted or waited):
            unconfirm = self._store.successions.unconfirm
            if await self._context.stored(unconfirm, me):  # they know an older key: the next link leads here
                self._connection.close()
                return
        if hello.read_seq >> store_limits.PART_BITS > await self._context.stored(self._store.epoch):
            self._context.found_elsewhere()  # they have read what nobody wrote here
        if hello.read_seq:
            through = self._store.messages.advance_through
            changed = await self._context.stored(through, me, hello.read_seq, MessageState.READ)
            self._context.publish_changed(changed)
        if waited and hello.accepted:
            self._on_way.clear()
            self.wake(again=True)
        await self._seed()

    async def _seed(self) -> None:
        """Each of us knows on this link that the other has accepted them: what needs that begins."""
        if self._welcome and self._accepted:
            await self._seeding.begin(self.contact)
            self._portraits.tell()
            await self._context.files.welcome(self.contact, self._connection, self._port)
            if not self._direct:
                told, host = self._told_addresses, self._connection.stream.host
                self._told_addresses = addresses_to_tell(self._context, host)
                for packet in self._told_addresses if told != self._told_addresses else ():
                    self._post(packet)
            self._context.to_carry(self.contact.id)  # who sees to it that there is a queue, and tells it here

    async def on_chained(self, packets: Sequence[ChainedPacket]) -> None:
        """Store what came one after the other, in one transaction, and acknowledge it.

        Of somebody who is not accepted only texts count; the rest stays in their outbox until then.

        Raises:
            StorageError: None of it could be stored, nor was acknowledged.
        """
        if not self._accepted:
            for packet in packets:
                if isinstance(packet, Text) and not self._full:
                    self._full = await _too_much(self._context, self.contact.id, packet)
                    if not self._full:
                        await self._store_chained([packet])
            return
        await self._store_chained(packets)
        self.tell_delivered([MessageId(packet.id) for packet in packets])

    async def _store_chained(self, packets: Sequence[ChainedPacket]) -> None:
        self.used_ms = self._context.now_ms()
        arrivals, unread = await self._context.written(
            self._taken, [chained_of(packet) for packet in packets]
        )
        await self._context.publish_arrivals(self.contact.id, arrivals, unread)

    def _taken(self, messages: Sequence[Chained]) -> tuple[list[Arrival], int]:
        """On the storage thread: store what is new; what came of it, and how many are unread now."""
        conversation, arrivals = self.contact.id, list[Arrival]()
        with self._store.transaction():
            for chained in messages:
                arrivals.append(self._store.messages.take(conversation, chained, self._context.now_ms()))
            return arrivals, self._store.messages.unread(conversation)

    def _on_typing(self) -> None:
        """They are writing, which is worth telling now and then, and only if we would tell it too."""
        now = self._context.now_ms()
        if self._accepted and self._context.settings.typing and not 0 <= now - self._heard_typing < _AGAIN_MS:
            self._heard_typing = now
            self._context.publish(PeerTyping(self.contact.id, now + round(deed_limits.TYPING_SHOWN * 1000)))

    async def _on_receipt(self, ids: list[bytes], state: MessageState) -> None:
        named = [MessageId(i) for i in ids]
        advance = self._store.messages.advance
        self._context.publish_changed(await self._context.written(advance, self.contact.id, named, state))
        self._on_way.difference_update(named)
        self._wake.set()
        if state is MessageState.DELIVERED:
            await self._due.delivered(named)

    async def _send_waiting(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._send_batch()
            except (OSError, ProtocolError):  # the link has ended; what has no receipt waits for the next
                return
            except StorageError as e:  # what waits is looked for again with the next text or receipt
                self._context.publish(EngineFault("outbox", type(e).__name__))

    async def _send_batch(self) -> None:
        if self.contact.held:  # until the person has decided about their new key
            return
        while room := limits.UNACKNOWLEDGED_MAX - len(self._on_way):
            waiting = await self._context.stored(
                self._store.messages.to_send, self.contact.id, self._sent_seq, room, carried=True
            )
            if not waiting:
                return
            for item in waiting:
                chained = item.chained
                self._sent_seq = chained.seq
                if chained.id not in self._on_way:
                    self.used_ms = self._context.now_ms()
                    self._on_way.add(chained.id)
                    await self._due.sending(chained.id)
                    await self._connection.send(packet_of(chained))


async def _too_much(context: Context, conversation: ConversationId, text: Text) -> bool:
    """Whether a stranger sends more than a request may hold.

    It stays in their outbox, and so does everything after it, so that there is no gap.
    """
    if len(text.text.encode()) > limits.STRANGER_TEXT_MAX:
        return True
    count = await context.stored(context.store.messages.incoming_count, conversation)
    return count >= limits.STRANGER_MESSAGES_MAX
