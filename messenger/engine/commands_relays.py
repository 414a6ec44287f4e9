"""The commands of `Engine` about relays."""

from messenger.core import relay_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact
from messenger.core.relays import DirectoryPage, PersonStatus, Relay
from messenger.engine.commands import Commands
from messenger.engine.relay_target import read_relay


class RelayCommands(Commands):
    """Use relays, leave them, and decide about those of others."""

    async def relays(self) -> list[Relay]:
        """The relays that this profile knows, ours and those of contacts, with their state."""
        return await self._now().relays.all()

    async def relays_of(self, conversation: ConversationId) -> list[Relay]:
        """The relays at which a contact can be written to, with their state.

        Those that are UNASKED wait for `allow_relay`, also after a restart.
        """
        return await self._now().relays.of(conversation)

    async def add_relay(self, target: str, token: str = "") -> Relay:
        """Use a relay from now on: contacts and new invites tell that people can write to us there.

        `RelayChanged` tells how it goes.

        Args:
            target: The link of the relay, or its address and fingerprint with a blank between.
            token: What its owner asks for, if anything.

        Raises:
            AddressError: It cannot be read.
            InputError: NOT_ALLOWED, there are too many relays already; BAD_VALUE, the token is too long.
            StorageError: It could not be stored.
        """
        found = read_relay(target)
        if len(token.encode()) > relay_limits.TOKEN_MAX:
            raise InputError(InputProblem.BAD_VALUE)
        return await self._now().relays.add(found.addresses, found.fingerprint, token.encode())

    async def opened_relay(self, fingerprint: Fingerprint) -> bool:
        """Wait until strangers can write to us at a relay of ours, at most `carrier_limits.QUEUE_WAIT`.

        Returns:
            Whether they can: `lasting_link` names it then. If not, the state of the relay may say why; it
            is tried again for as long as the program runs.
        """
        return await self._now().openings.wait(fingerprint)

    async def remove_relay(self, fingerprint: Fingerprint, *, at_once: bool = False) -> None:
        """Do not use a relay any more.

        Contacts are told so, and what is still written to us there is fetched, until nobody has written
        there for `carrier_limits.RETIRED_KEPT`; then it is forgotten.

        Args:
            fingerprint: Which.
            at_once: Forget it now, with whatever may lie there.

        Raises:
            InputError: UNKNOWN, there is no such relay.
        """
        running = self._now()
        await running.relays.tell(fingerprint)
        if at_once:
            await running.queues.abandon(fingerprint)
        else:
            await running.queues.leave(fingerprint)

    async def publish_me(
        self, relay: Fingerprint, status: PersonStatus = PersonStatus.ONLINE, about: str = ""
    ) -> None:
        """Be found in the directory of a relay of ours, from now on and after each start.

        Everybody who may look there sees our name, our fingerprint and these words, and can write to us.

        Raises:
            InputError: UNKNOWN, it is not a relay of ours. TOO_LONG, BAD_VALUE: status or words.
            RelayError: The relay has not taken it. BUSY, it wants us to wait: it is tried again by itself.
            ConnectError: There is no link and there was none soon: it is tried again with the next one.
        """
        await self._now().directory.publish(relay, status, about)

    async def set_my_status(self, relay: Fingerprint, status: PersonStatus) -> None:
        """Be seen as free, away or busy at a relay where we can be found.

        Raises:
            InputError: UNKNOWN, we cannot be found there; BAD_VALUE, offline is what the end of a link means.
            RelayError: The relay has not taken it. BUSY, it wants us to wait: it is tried again by itself.
            ConnectError: It is tried again with the next link.
        """
        await self._now().directory.set_status(relay, status)

    async def withdraw_me(self, relay: Fingerprint) -> None:
        """Be found at a relay no more.

        Raises:
            InputError: UNKNOWN, it is not a relay of ours.
            RelayError, ConnectError: The relay has not heard it, and is told with the next link; the entry is
                there for as long as it is valid, at most a week.
        """
        await self._now().directory.withdraw(relay)

    async def find_people(self, relay: Fingerprint, after: bytes = b"") -> DirectoryPage:
        """Some of the people who can be found at a relay; names prove nothing.

        Args:
            relay: One that there is a link with.
            after: `DirectoryPage.next` of the page before; empty for the first.

        Raises:
            RelayError, ConnectError: The relay does not tell.
        """
        return await self._now().directory.find(relay, after)

    async def talk_to(self, relay: Fingerprint, person: Fingerprint) -> Contact:
        """Make a contact of somebody who can be found at a relay; what is written goes to them there.

        Raises:
            InputError: UNKNOWN, they cannot be found there.
            RelayError, ConnectError: The relay does not tell; BLOCKED, or WRONG_PERSON.
        """
        return await self._now().directory.talk_to(relay, person)

    async def allow_relay(self, fingerprint: Fingerprint, *, allowed: bool) -> None:
        """Answer a `RelayAsked`: whether we may connect to a relay of a contact's. It can be changed later.

        Raises:
            InputError: UNKNOWN, there is no such relay; NOT_ALLOWED, it is one of ours.
        """
        await self._now().relays.allow(fingerprint, allowed=allowed)
