"""Sealed messages for whatever carries them: what to hand over, and what to do with what comes (SPEC.md 10).

A carrier is not trusted with anything: it may lose, delay, repeat, change and swap whatever it
gets. It carries envelopes; the key of an envelope's queue is agreed elsewhere.
"""

import asyncio
from collections.abc import Iterable

import msgspec

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem, RemoteProtocolError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Standing
from messenger.engine import sealed_in, sealed_out, sealed_store
from messenger.engine.context import Context
from messenger.engine.peers import Peers
from messenger.engine.prekeys import Prekeys, Published
from messenger.engine.sealed_in import Taken
from messenger.engine.sealed_out import FirstWords, SealedReceipts, Words
from messenger.engine.sealed_store import Desk
from messenger.protocol import sealed_opening
from messenger.protocol.prekeys import Prekey, PrekeyList, Recipient, SecretPrekey
from messenger.protocol.seal import Kind, disclose, enclose
from messenger.protocol.sealed_opening import Claim, Letter
from messenger.storage.sealed import SealedCopy


class Opened(msgspec.Struct, frozen=True):
    """An envelope that was taken; everything in it is on disk."""

    conversation: ConversationId
    receipts_due: bool
    """Receipts wait to be carried now: see `Sealing.receipts`. What a link tells waits for its end."""


class Receipts(msgspec.Struct, frozen=True):
    """Receipts in an envelope, and where we are written to.

    When a carrier has it, say so with `Sealing.receipts_carried`.
    """

    envelope: bytes
    ids: list[MessageId]
    change: int = 0
    """The change of our queues that it tells, 0 for none."""

    def __repr__(self) -> str:
        return f"Receipts({len(self.ids)})"


class Sealing:
    """Seals and opens for the people of one profile.

    Args:
        context: The open profile.
        peers: The live sessions; receipts take the way of a link that is up.
    """

    def __init__(self, context: Context, peers: Peers) -> None:
        self._context = context
        self._peers = peers
        self._prekeys = Prekeys(context)
        self._openings = asyncio.Semaphore(limits.FIRST_CONTACTS_AT_ONCE)
        self._offered: dict[ConversationId, SealedReceipts] = {}
        """Receipts that no carrier has taken yet."""

    async def settle(self) -> None:
        """After opening, and after we have moved: forget sessions that are not ours to use any more."""
        self._context.publish_changed(await self._context.stored(sealed_store.settle, self._desk()))

    async def tidy(self) -> None:
        """Forget what is too old, and carry again what relays have forgotten; to be called now and then."""
        for conversation in await self._context.stored(
            self._context.store.carried.overdue, self._context.now_ms()
        ):
            renew = sealed_store.renew
            self._context.publish_changed(await self._context.stored(renew, self._desk(), conversation))
            self._context.to_carry(conversation)
        for conversation in await self._context.stored(self._context.store.sealed.conversations):
            await self._context.stored(sealed_store.expire, self._desk(), conversation)
        await self._context.stored(sealed_store.purge, self._desk())

    async def seal_anew(self, contacts: Iterable[ConversationId | None]) -> None:
        """Queues of ours are lost, and perhaps receipts in them: all without one waits again.

        Args:
            contacts: Whom they were for; None for nobody.
        """
        for conversation in dict.fromkeys(contacts):
            if conversation is not None:
                renewed = await self._context.stored(sealed_store.seal_anew, self._desk(), conversation)
                self._context.publish_changed(renewed)
                self._context.to_carry(conversation)

    async def sealed_for(
        self, conversation: ConversationId, message: MessageId, queue_key: bytes
    ) -> bytes | None:
        """An envelope with something that waits for somebody, to be handed to a carrier.

        Asked again, it is the same sealed message in another envelope, until another session is for
        sending: then it is sealed anew, and whatever was sealed before should not be carried any more.

        Args:
            conversation: For whom.
            message: Which text.
            queue_key: 32 bytes of the queue.

        Returns:
            The envelope, one of `limits.ENVELOPE_BUCKETS` long; None while there is no session to seal
            in: a link or a first contact makes one, an answer makes one fit again.

        Raises:
            InputError: UNKNOWN, no such text waits. NOT_ALLOWED, the contact is not accepted.
            StorageError: It could not be stored, and must not leave.
        """
        copy = await self._context.stored(
            sealed_out.seal_text, self._desk(), self._words(conversation), message
        )
        return None if copy is None else enclose(queue_key, Kind(copy.kind), copy.content)

    async def sealed_first(
        self,
        conversation: ConversationId,
        message: MessageId,
        queue_key: bytes,
        *,
        prekey_list: bytes,
        prekey: bytes,
        invite_secret: bytes = b"",
    ) -> bytes | None:
        """An envelope with a first contact: a text that waits for somebody with whom there is no session.

        If there is a session after all, or this text has been sealed before, it is the envelope of
        `sealed_for`, and the prekey is not used.

        Args:
            conversation: For whom.
            message: Which text.
            queue_key: 32 bytes of their request queue.
            prekey_list: Their list, from wherever.
            prekey: One of it.
            invite_secret: Of an invite of theirs, or empty.

        Returns:
            The envelope; None if too many first contacts wait for an answer of this person.

        Raises:
            RemoteProtocolError: The list or the prekey is not theirs, too old, or older than one seen before.
            InputError: As for `sealed_for`; TOO_LONG, they take less of somebody they have not accepted.
            VaultError: It could not be signed.
            StorageError: It could not be stored, and must not leave.
        """
        found = await self.sealed_for(conversation, message, queue_key)
        if found is not None:
            return found
        words = self._words(conversation)
        first = await self._context.stored(
            sealed_out.first_words, self._desk(), words, message, invited=bool(invite_secret)
        )
        if first is None:
            return None
        chosen = PrekeyList.decode(prekey_list).choose(
            Prekey.decode(prekey), first.contact.fingerprint, self._context.now, first.pinned
        )
        copy = await self._write_first(first, message, chosen, invite_secret)
        return None if copy is None else enclose(queue_key, Kind(copy.kind), copy.content)

    async def open_sealed(self, envelope: bytes, queue_key: bytes) -> Opened | None:
        """Take an envelope from a carrier, which should forget it when this returns.

        Args:
            envelope: Whatever the carrier gave.
            queue_key: 32 bytes of the queue that it came out of.

        Returns:
            None if it was dropped: forged, repeated, of somebody who may not write. Nothing was changed.

        Raises:
            VaultError, StorageError: It could not be judged or stored; the carrier must keep it.
        """
        try:
            kind, content = disclose(queue_key, envelope)
            if kind is Kind.MESSAGE:
                taken = await self._context.stored(sealed_in.take_message, self._desk(), content)
            else:
                taken = await self._take_first(content)
        except RemoteProtocolError:
            return None
        return await self._tell(taken)

    async def receipts(self, conversation: ConversationId, queue_key: bytes) -> Receipts | None:
        """An envelope with receipts that are due to somebody, and where we are written to if that is news.

        Asked again before a carrier has them, it is the same sealed message in another envelope.

        Returns:
            None if nothing is due, they are not accepted, or there is no session to seal in.

        Raises:
            StorageError: It could not be stored, and must not leave.
        """
        words, offered = self._words(conversation), self._offered.pop(conversation, None)
        sealed = await self._context.stored(sealed_out.seal_receipts, self._desk(), words, offered)
        if sealed is None:
            return None
        self._offered[conversation] = sealed
        return Receipts(enclose(queue_key, Kind.MESSAGE, sealed.message), sealed.ids, sealed.change)

    async def receipts_carried(
        self, conversation: ConversationId, ids: list[MessageId], change: int = 0
    ) -> None:
        """A carrier has these receipts, and has told a change of our queues."""
        self._offered.pop(conversation, None)
        await self._context.stored(self._context.store.sealed.drop_receipts, conversation, ids)
        if change:
            await self._context.stored(self._context.store.queues.told, conversation, change)

    async def prekeys(self) -> Published:
        """Our signed list of prekeys and those of it that can still be used, for a relay.

        Raises:
            VaultError: It cannot be signed.
            StorageError: It cannot be stored.
        """
        return await self._prekeys.published()

    async def _write_first(
        self, first: FirstWords, message: MessageId, chosen: Recipient, invite_secret: bytes
    ) -> SealedCopy | None:
        context, bundle = self._context, self._context.bundle
        draft = sealed_opening.begin(
            bundle,
            chosen,
            message_id=message,
            sent_ms=first.sent_ms,
            rank=first.rank,
            payload=first.payload,
            invite_secret=invite_secret,
        )
        needed = draft.needed
        content = draft.signed(await context.vault.sign(needed.label, needed.fields))
        if context.bundle is not bundle:  # another key may have signed
            raise InputError(InputProblem.NOT_ALLOWED)
        keep = sealed_out.keep_first
        return await context.stored(keep, self._desk(), first, message, draft.session, chosen.serial, content)

    async def _take_first(self, content: bytes) -> Taken:
        letter, context = Letter.decode(content), self._context
        async with self._openings:
            secret = await context.stored(context.store.prekeys.get, letter.prekey_id, context.fingerprint)
            if secret is None:
                raise RemoteProtocolError("a first contact for a prekey that is gone")
            claim = await self._open(letter, SecretPrekey.decode(secret))
            return await context.stored(sealed_in.take_first, self._desk(), claim, letter.prekey_id)

    async def _open(self, letter: Letter, prekey: SecretPrekey) -> Claim:
        """Open a letter with the exchange key, or with one that was replaced while it was on its way."""
        unwrapping = letter.unwrapping(prekey, self._context.fingerprint, self._context.now)
        needed, older = unwrapping.needed, 0
        while True:
            secret = await self._context.vault.unwrap(needed.label, needed.ciphertext, older)
            try:
                return unwrapping.unwrapped(secret)
            except RemoteProtocolError:
                if older == limits.EXCHANGE_KEYS_OLD:
                    raise
                older += 1

    async def _tell(self, taken: Taken) -> Opened:
        """Tell everybody what came, and the sender too if there is a link with them."""
        context, store = self._context, self._context.store
        await context.publish_contact(taken.conversation)
        unread = await context.stored(store.messages.unread, taken.conversation)
        await context.publish_arrivals(taken.conversation, taken.arrivals, unread)
        context.publish_changed(taken.changed)
        if taken.places is not None:
            await context.placed(taken.conversation, taken.places)
        contact = await context.stored(store.contacts.get, taken.conversation)
        accepted = contact is not None and contact.standing is Standing.ACCEPTED
        if taken.answer:
            context.to_carry(taken.conversation)
        session = self._peers.session(taken.conversation)
        if accepted and session is not None and session.talk is not None:
            session.talk.tell_due(taken.due)
            return Opened(taken.conversation, receipts_due=False)
        left = await context.stored(store.sealed.receipts, taken.conversation, 1)
        return Opened(taken.conversation, receipts_due=accepted and bool(left))

    def _desk(self) -> Desk:
        return Desk(self._context.store, self._context.fingerprint, self._context.now_ms())

    def _words(self, conversation: ConversationId) -> Words:
        settings = self._context.settings
        return Words(conversation, self._context.me.name, settings.read_receipts)
