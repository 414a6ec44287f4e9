"""The commands of `Engine` about relays."""

from messenger.core import relay_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import Fingerprint
from messenger.core.relays import Relay
from messenger.engine.relay_target import read_relay
from messenger.engine.running import Running


class RelayCommands:
    """Use relays, leave them, and decide about those of others."""

    def _now(self) -> Running:
        raise NotImplementedError

    async def relays(self) -> list[Relay]:
        """The relays that this profile knows, ours and those of contacts, with their state."""
        return await self._now().relays.all()

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

    async def allow_relay(self, fingerprint: Fingerprint, allowed: bool) -> None:
        """Answer a `RelayAsked`: whether we may connect to a relay of a contact's. It can be changed later.

        Raises:
            InputError: UNKNOWN, there is no such relay; NOT_ALLOWED, it is one of ours.
        """
        await self._now().relays.allow(fingerprint, allowed=allowed)
