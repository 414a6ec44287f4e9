"""Outgoing links: by address, by invite, or to a contact whose addresses are remembered."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from messenger.core import limits
from messenger.core.address import Address, parse_address
from messenger.core.errors import AddressError, ConnectError, InputProblem, Reason
from messenger.core.ids import AttemptId, ConversationId, Fingerprint, short_fingerprint
from messenger.core.models import Contact, Standing
from messenger.engine.calls import Call, OutgoingGate, Stranger, Tell
from messenger.engine.context import Context
from messenger.engine.events import ConfirmPeer, ConnectProgress, ConnectStep
from messenger.engine.peers import Peers
from messenger.engine.session import Session
from messenger.net.dial import Stream, dial
from messenger.net.race import race
from messenger.protocol.initiator import Initiator
from messenger.protocol.invite import NO_SECRET, is_invite, read_invite
from messenger.protocol.link import Link
from messenger.protocol.messages import Caps
from messenger.protocol.places import Place

Learn = Callable[[ConversationId, Sequence[tuple[Fingerprint, str]]], Awaitable[None]]
"""Takes the relays (fingerprint, address) at which the person here wants to write to somebody."""

_AWAY: Final = (
    Reason.UNRESOLVED,
    Reason.UNREACHABLE,
    Reason.NOBODY,
    Reason.TIMEOUT,
    Reason.SILENT,
    Reason.REFUSED,
    Reason.INTERRUPTED,
    Reason.BUSY,
    Reason.NOT_SOTTO,
)
"""Why a call may fail though an invite is good: what is written can be left at a relay."""

_NOT_THEM: Final = (Reason.REFUSED, Reason.BROKEN, Reason.INTERRUPTED)
"""What a dialled person's absence looks like when somebody else answers in their place."""


def check_target(text: str) -> None:
    """Look whether somebody could be called by a text, without calling.

    Raises:
        AddressError: It is neither an address nor a whole invite.
    """
    if is_invite(text):
        read_invite(text)
    else:
        parse_address(text)


class Dialer:
    """Makes calls.

    Args:
        context: The open profile.
        peers: Where sessions are registered.
        learn: Takes the relays at which somebody is written to.
    """

    def __init__(self, context: Context, peers: Peers, learn: Learn) -> None:
        self._context = context
        self._peers = peers
        self._learn = learn
        self._questions: dict[AttemptId, asyncio.Future[bool]] = {}
        self._calls: set[asyncio.Task[Contact]] = set()
        self._closed = False

    async def close(self) -> None:
        """Give up every attempt of `connect`, and those to come: each raises ConnectError(STOPPING)."""
        self._closed = True
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def reopen(self) -> None:
        """Take back `close`."""
        self._closed = False

    async def connect(self, target: str, attempt: AttemptId, expected: Fingerprint | None = None) -> Contact:
        """Open a conversation with whoever is at an address, or with the maker of an invite.

        Args:
            target: Address or invite, as typed.
            attempt: For the events.
            expected: Who must answer; None to ask the person about somebody unknown.

        Raises:
            AddressError: The target cannot be read.
            ConnectError: Nobody suitable answered.
        """

        def tell(step: ConnectStep, detail: str) -> None:
            self._context.publish(ConnectProgress(attempt, step, detail))

        if self._closed:
            raise ConnectError(Reason.STOPPING)
        if is_invite(target):
            call = asyncio.create_task(self._by_invite(target, expected, tell))
        elif expected is not None:
            tell(ConnectStep.RESOLVING, target)
            call = asyncio.create_task(self._to_person([parse_address(target)], Call(expected, b"", tell)))
        else:
            call = asyncio.create_task(self._by_address(parse_address(target), attempt, tell))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        try:
            return await call
        except asyncio.CancelledError as e:
            if self._closed:
                raise ConnectError(Reason.STOPPING) from e
            raise

    def confirm(self, attempt: AttemptId, *, accepted: bool) -> None:
        """Answer a `ConfirmPeer`; too late or unasked, it does nothing."""
        question = self._questions.get(attempt)
        if question is not None and not question.done():
            question.set_result(accepted)

    async def reach(self, contact: Contact, continues: bytes = b"") -> Contact:
        """Call a contact at the addresses where they were before.

        Args:
            contact: Whom to call.
            continues: "continue" secret of the running link that the new one shall replace.

        Raises:
            ConnectError: They cannot be reached there.
        """
        call = Call(contact.fingerprint, b"", lambda _step, _detail: None, continues)
        return await self._race([parse_address(text) for text in contact.addresses], call)

    async def by_circuit(self, contact: Contact, stream: Stream, continues: bytes = b"") -> Contact:
        """Greet a contact on a circuit that has been joined.

        Args:
            contact: Who must be at its other end.
            stream: The circuit.
            continues: As for `reach`.

        Raises:
            ConnectError: Somebody else is, or nobody.
        """
        call = Call(contact.fingerprint, b"", lambda _step, _detail: None, continues)
        try:
            initiator = await self._initiator(call, stream.through or b"")
        except BaseException:  # another link came up in this moment, or the disk refused
            stream.abort()
            raise
        gate = OutgoingGate(self._context, self._peers, call, None, look_only=False)
        return await self._greet(stream, initiator, gate)

    async def reach_at(self, contact: Contact, addresses: Sequence[Address], continues: bytes) -> Contact:
        """As `reach`, at addresses that they have told."""
        return await self._race(
            addresses, Call(contact.fingerprint, b"", lambda _step, _detail: None, continues)
        )

    async def _by_invite(self, text: str, expected: Fingerprint | None, tell: Tell) -> Contact:
        invite = read_invite(text)
        if invite.fingerprint == self._context.fingerprint:
            raise AddressError(InputProblem.OWN_ADDRESS)
        if expected not in (None, invite.fingerprint):
            raise ConnectError(Reason.WRONG_PERSON)
        contact = await self._context.stored(self._context.store.contacts.by_fingerprint, invite.fingerprint)
        secret = b"" if invite.secret == NO_SECRET else invite.secret
        addresses = list(invite.addresses)
        addresses += [parse_address(known_) for known_ in (contact.addresses if contact else ())]
        try:
            return await self._to_person(addresses, Call(invite.fingerprint, secret, tell))
        except ConnectError as e:
            if e.reason not in _AWAY or not invite.places:
                raise
        tell(ConnectStep.LEAVING, str(invite.places[0].address))
        return await self.by_relay(invite.fingerprint, invite.places, secret)

    async def by_relay(
        self, fingerprint: Fingerprint, places: Sequence[Place], secret: bytes = b""
    ) -> Contact:
        """Make or find the contact of somebody who is written to at a relay, in an invite or a directory.

        Raises:
            ConnectError: BLOCKED, or WRONG_PERSON (a contact has given the key up).
        """
        context, contacts = self._context, self._context.store.contacts
        if await context.stored(contacts.retired, fingerprint) is not None:
            raise ConnectError(Reason.WRONG_PERSON, short_fingerprint(fingerprint))
        contact = await context.stored(
            contacts.add, fingerprint, standing=Standing.ACCEPTED, awaiting=True, now_ms=context.now_ms()
        )
        if contact.standing is Standing.BLOCKED:
            raise ConnectError(Reason.BLOCKED, contact.title)
        if contact.standing is Standing.REQUEST:
            contact = await context.stored(contacts.update, contact.id, standing=Standing.ACCEPTED)
        named = [(place.relay, place.encode()) for place in places]
        await context.stored(context.store.places.put_first, contact.id, named, secret)
        await self._learn(contact.id, [(place.relay, str(place.address)) for place in places])
        await context.publish_contact(contact.id)
        context.to_carry(contact.id)
        return contact

    async def _to_person(self, addresses: Sequence[Address], call: Call) -> Contact:
        """Call somebody who is expected; if they do not answer, say whether somebody else did."""
        try:
            return await self._race(addresses, call)
        except ConnectError as e:
            if e.reason in _NOT_THEM and call.expected is not None:
                await self._see_who_is_there(addresses, call.expected)
            raise

    async def _by_address(self, address: Address, attempt: AttemptId, tell: Tell) -> Contact:
        tell(ConnectStep.RESOLVING, str(address))
        for contact in await self._context.stored(self._context.store.contacts.all):
            if str(address) in contact.addresses and contact.standing is Standing.ACCEPTED:
                try:
                    return await self._call(address, Call(contact.fingerprint, b"", tell))
                except ConnectError as e:
                    if e.reason not in _NOT_THEM:
                        raise
        try:
            return await self._call(address, Call(None, b"", tell))
        except Stranger as e:
            tell(ConnectStep.CONFIRMING, "")
            if not await self._ask(attempt, e.fingerprint, address):
                raise ConnectError(Reason.DECLINED, str(address)) from e
            return await self._call(address, Call(e.fingerprint, b"", tell))

    async def _ask(self, attempt: AttemptId, fingerprint: Fingerprint, address: Address) -> bool:
        """Let the person look at a fingerprint. Nobody waits on the line meanwhile."""
        question: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._questions[attempt] = question
        self._context.publish(ConfirmPeer(attempt, fingerprint, str(address)))
        try:
            async with asyncio.timeout(limits.CONFIRM_PEER):
                return await question
        except TimeoutError:
            return False
        finally:
            del self._questions[attempt]

    async def _race(self, addresses: Sequence[Address], call: Call) -> Contact:
        if not addresses:
            raise ConnectError(Reason.UNREACHABLE)
        ways = [functools.partial(self._call, address, call) for address in dict.fromkeys(addresses)]
        # Of two links that come up at once `Peers.register` has kept one already.
        return await race(ways, limits.DIAL_STAGGER, lambda _contact: None)

    async def _see_who_is_there(self, addresses: Sequence[Address], expected: Fingerprint) -> None:
        """Tell somebody else's key from a program that merely hangs up.

        Raises:
            ConnectError: WRONG_PERSON or OWN_KEY, another key answers at one of the addresses.
        """
        ways = [functools.partial(self._look, address, expected) for address in dict.fromkeys(addresses)]
        try:
            await race(ways, limits.DIAL_STAGGER, lambda _nobody: None)
        except ConnectError as e:
            if e.reason in (Reason.WRONG_PERSON, Reason.OWN_KEY):
                raise

    async def _look(self, address: Address, expected: Fingerprint) -> None:
        """Call whoever is there and hang up; always raises ConnectError, but for the person expected."""
        try:
            await self._call(address, Call(None, b"", lambda _step, _detail: None), look_only=True)
        except Stranger as e:
            if e.fingerprint != expected:
                raise ConnectError(Reason.WRONG_PERSON, str(address)) from e

    async def _call(self, address: Address, call: Call, *, look_only: bool = False) -> Contact:
        call.tell(ConnectStep.CONNECTING, str(address))
        initiator = await self._initiator(call)
        stream = await dial(address)
        call.tell(ConnectStep.GREETING, str(address))
        gate = OutgoingGate(self._context, self._peers, call, address, look_only=look_only)
        contact = await self._greet(stream, initiator, gate)
        call.tell(ConnectStep.SECURED, str(address))
        return contact

    async def _greet(self, stream: Stream, initiator: Initiator, gate: OutgoingGate) -> Contact:
        session = Session(self._context, stream, Link(initiator), gate)
        self._peers.start(session)
        try:
            return await session.up
        except asyncio.CancelledError:
            if not session.connection.link.was_open:  # else it stays: its coming up ends all other attempts
                session.connection.stream.abort()
            raise

    async def _initiator(self, call: Call, relay: bytes = b"") -> Initiator:
        context, contacts = self._context, self._context.store.contacts
        knock = b""
        if call.expected is not None:
            contact = await context.stored(contacts.by_fingerprint, call.expected)
            knock = await context.stored(contacts.knock, contact.id) if contact else b""
        return Initiator(
            context.bundle,
            context.now,
            expected=call.expected,
            caps=Caps(relay=relay, continues=call.continues),
            invite_secret=call.secret,
            knock=knock,
        )
