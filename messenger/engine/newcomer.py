"""Who somebody was before: the statements with which a person begins a link who has moved to a new key.

SPEC.md section 8.1. Whoever comes with a key that is not an accepted contact's is let in with their
first packet only, for it may tell that they are a contact after all.
"""

from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.core.models import Contact, Standing
from messenger.crypto.succession import Succession
from messenger.engine.context import Context
from messenger.engine.events import ConversationRemoved, KeyChanged
from messenger.protocol import packets

_OUT_OF_TURN: Final = "statements of succession come first"


class Newcomer:
    """The beginning of one link, as the other side tells it.

    Args:
        context: The open profile.
        fingerprint: Who the other side has proved to be on this link.
    """

    def __init__(self, context: Context, fingerprint: Fingerprint) -> None:
        self._context = context
        self._fingerprint = fingerprint
        self._statements: list[Succession] = []
        self._begun = False

    async def take(self, packet: packets.Succession) -> int | None:
        """Take the next statement; with the last one a contact has changed, if it is about one.

        Returns:
            The serial to confirm, after the last one; None while more must follow.

        Raises:
            RemoteProtocolError: The statements are refused; nothing was changed.
            InputError: The contact was changed or deleted at this very moment; nothing was changed.
            StorageError: The change could not be stored.
        """
        statement = self._read(packet.statement)
        self._statements.append(statement)
        if statement.new != self._fingerprint:
            return None
        self._begun = True
        await self._decide()
        return statement.serial

    def begin(self) -> None:
        """Another packet than a statement has come.

        Raises:
            RemoteProtocolError: It came between statements.
        """
        if self._statements and not self._begun:
            raise RemoteProtocolError("the statements of succession end with another key")
        self._begun = True

    def _read(self, data: bytes) -> Succession:
        if self._begun:
            raise RemoteProtocolError(_OUT_OF_TURN)
        if len(self._statements) == limits.SUCCESSIONS_MAX:
            raise RemoteProtocolError("too many statements of succession")
        try:
            statement = Succession.decode(data)
        except CryptoError as e:
            raise RemoteProtocolError(str(e)) from e
        if self._statements:
            before = self._statements[-1]
            if statement.old != before.new or statement.serial <= before.serial:
                raise RemoteProtocolError("the statements of succession are no chain")
        return statement

    async def _decide(self) -> None:
        """Find out whom the statements are about, and let that contact go on with the key of this link."""
        present = await self._contact(self._fingerprint)
        if present is not None and present.standing is not Standing.REQUEST:
            return  # known by this key already: told again, because our confirmation was lost
        known: list[tuple[int, Contact]] = []
        for at, statement in enumerate(self._statements):
            contact = await self._contact(statement.old)
            if contact is not None:
                known.append((at, contact))
        if any(contact.standing is Standing.BLOCKED for _, contact in known):
            raise RemoteProtocolError("a statement of somebody who is blocked")
        if known:
            at, contact = max(known, key=lambda pair: (pair[1].standing is Standing.ACCEPTED, pair[0]))
            await self._change(contact, self._statements[at:])
        else:
            await self._check_retired(present)

    async def _check_retired(self, present: Contact | None) -> None:
        """They are a stranger, about whose past nobody here knows, unless one of the keys was given up."""
        retired = self._context.store.contacts.retired
        for statement in self._statements:
            owner = await self._context.stored(retired, statement.old)
            if owner is not None and (present is None or owner != present.id):
                raise RemoteProtocolError("a statement of a key that was given up")

    async def _change(self, contact: Contact, statements: list[Succession]) -> None:
        """Accept the statements that lead from a contact's key to that of this link."""
        try:
            for statement in statements:
                statement.verify(self._context.now)
        except CryptoError as e:
            raise RemoteProtocolError(str(e)) from e
        requests = [other for each in statements if (other := await self._contact(each.new)) is not None]
        changed = await self._context.stored(
            self._context.store.contacts.succeed,
            contact.id,
            self._fingerprint,
            old=contact.fingerprint,
            between=[statement.old for statement in statements[1:]],
            serial=statements[-1].serial,
        )
        self._context.publish(KeyChanged(changed, contact.fingerprint, contact.verified))
        for request in requests:  # their messages stand in the contact's conversation now
            self._context.publish(ConversationRemoved(request.id))

    async def _contact(self, fingerprint: Fingerprint) -> Contact | None:
        return await self._context.stored(self._context.store.contacts.by_fingerprint, fingerprint)
