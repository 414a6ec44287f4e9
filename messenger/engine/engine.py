"""The engine: one profile, its listener, its conversations. Commands in, typed events out.

All commands are coroutines of one asyncio loop, whichever thread runs it; the events are
published on that thread. The engine knows no Qt and no terminal.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Unpack

import msgspec

from messenger.core import limits
from messenger.core.errors import (
    ConnectError,
    InputError,
    InputProblem,
    Reason,
    StorageError,
)
from messenger.core.ids import AttemptId, ConversationId, Fingerprint
from messenger.core.models import (
    Contact,
    Conversation,
    Listening,
    Me,
    Presence,
    ProfileStatus,
)
from messenger.core.names import own_name
from messenger.core.portraits import is_portrait
from messenger.core.settings import Settings, changed
from messenger.engine.chats import Arrangement
from messenger.engine.commands_files import FileCommands
from messenger.engine.commands_history import HistoryCommands
from messenger.engine.commands_messages import MessageCommands
from messenger.engine.commands_relays import RelayCommands
from messenger.engine.commands_safe import SafeCommands
from messenger.engine.commands_spelling import SpellingCommands
from messenger.engine.context import Context
from messenger.engine.events import Event, MeChanged, SettingsChanged
from messenger.engine.profile import Profile
from messenger.engine.sealing import Sealing
from messenger.storage.reader import Reader


class Engine(MessageCommands, FileCommands, HistoryCommands, RelayCommands, SafeCommands, SpellingCommands):
    """One person's messenger. First `status`, then `create` or `open`, at the end `stop`.

    Args:
        folder: The profile folder; made when it is missing.
        publish: Called with every event, in the thread of the engine's loop; must not block.
        locks_itself: Whether to do so when nobody has used it for as long as the settings say; a
            terminal that somebody left waiting for a call should not.
        online: Whether to listen, and to call contacts, as soon as the profile is open.
    """

    def __init__(
        self,
        folder: Path,
        publish: Callable[[Event], None],
        *,
        locks_itself: bool = True,
        online: bool = True,
    ) -> None:
        self._locks_itself = locks_itself
        self.folder = folder
        """The profile folder."""
        self._online = online
        self._profile = Profile(folder, publish)
        self._opening: asyncio.Task[None] | None = None
        self._stopped = False

    async def status(self) -> ProfileStatus:
        """Take the profile for this program and say what it needs.

        Raises:
            ProfileInUse: Another program has it.
            StorageError: The folder cannot be used.
            VaultError: The vault process does not start, or the key files are damaged.
        """
        return await self._profile.status()

    async def create(self, name: str, passphrase: str | None = None, *, keyring: bool = True) -> None:
        """Set up a new person and start; `SetupProgress` tells the steps.

        Args:
            name: What others see.
            passphrase: Protects the keys; None or empty leaves that to the system keyring, or to
                the permissions of the folder where there is none (`Me.protection` says which).
            keyring: Whether the system keyring may be used.

        Raises:
            InputError: The name or passphrase cannot be used.
            KeyFileError: There is somebody in this profile already.
            StorageError: The disk cannot take the files.
            ConnectError: STOPPING, `stop` was called meanwhile.
        """
        await self._start(
            functools.partial(self._profile.create, own_name(name), passphrase, keyring=keyring)
        )

    async def open(self, passphrase: str | None = None) -> None:
        """Open the profile and start: listen, and reach the contacts.

        Raises:
            ProfileMissing: Nothing has been set up.
            WrongPassphrase: It does not open the keys.
            VaultError: Another reason why the keys cannot be used.
            StorageError: The database cannot be used; nothing was changed.
            ConnectError: STOPPING, `stop` was called meanwhile.
        """
        await self._start(functools.partial(self._profile.open, passphrase))

    async def stop(self) -> None:
        """Say goodbye to everybody and close everything, within `limits.STOP_DEADLINE`.

        A `create` or `open` that is going on is given up.
        """
        self._stopped = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._locking is not None:
            await asyncio.gather(self._locking, return_exceptions=True)
        running, self._running = self._running, None
        try:
            if running is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(limits.STOP_DEADLINE):
                        await running.close()
        finally:
            await self._profile.close()

    def reader(self) -> Reader:
        """A connection of its own for reading, for the window."""
        self._now()
        return Reader.open(self._profile.database, self._profile.db_key)

    async def me(self) -> Me:
        """Who we are."""
        return self._now().context.me

    async def moduli(self) -> tuple[bytes, bytes]:
        """The public numbers of our signing and our exchange key; their length is the size of the keys."""
        bundle = self._now().context.bundle
        return bundle.signing.modulus, bundle.exchange.modulus

    async def set_name(self, name: str) -> None:
        """Change the name that others see.

        Raises:
            InputError: It is empty or too long.
        """
        running, cleaned = self._now(), own_name(name)
        context = running.context
        await context.stored(context.store.meta.set_name, cleaned)
        context.me = msgspec.structs.replace(context.me, name=cleaned)
        context.publish(MeChanged(context.me))
        await running.chats.greet_everybody()

    async def set_portrait(self, content: bytes | None) -> None:
        """Choose the picture that accepted contacts see, or none from now on; `MeChanged` tells.

        Args:
            content: In the form of `messenger.core.portraits`; None for none.

        Raises:
            InputError: BAD_VALUE, it has another form.
        """
        running, store = self._now(), self._now().context.store
        if content is not None and not is_portrait(content):
            raise InputError(InputProblem.BAD_VALUE)
        context = running.context
        await context.stored(store.portraits.set_own, content or b"")
        context.me = msgspec.structs.replace(
            context.me, portrait=await context.stored(store.portraits.own_hash)
        )
        context.publish(MeChanged(context.me))
        await running.chats.greet_everybody()

    async def move_to_new_identity(self) -> None:
        """Make new keys and go on as the same person; `SetupProgress` tells the steps, then `MeChanged`.

        Every accepted contact is told, as soon as a link with them is up, by a statement that the old and
        the new key have signed. They keep the conversation and see us as not verified. All links end and
        begin again; invites that were given out and not used are void. Given up while keys are being
        made, it changes nothing.

        Raises:
            InputError: NOT_ALLOWED, a move is going on, or a contact has missed too many of them.
            StorageError, VaultError: The old identity holds.
            ConnectError: STOPPING, the program is being closed meanwhile.
        """
        await self._now().mover.move()

    async def settings(self) -> Settings:
        """The settings as they are."""
        return self._now().context.settings

    async def change_settings(self, changes: dict[str, object]) -> Settings:
        """Change settings, all or none; they take effect at once.

        Raises:
            SettingError: A name or value is not allowed; nothing was changed.
        """
        running = self._now()
        context, before = running.context, running.context.settings
        settings = changed(before, changes)
        await context.stored(context.store.meta.save_settings, settings)
        context.settings = settings
        context.publish(SettingsChanged(settings))
        if (before.listen, before.port) != (settings.listen, settings.port):
            with contextlib.suppress(ConnectError):  # told by ListeningChanged; the setting holds
                await running.host.follow_settings()
        running.transfers.schedule()
        if before.keep_days != settings.keep_days:
            running.history.due.set()
        if settings.reconnect and not before.reconnect:
            await running.reach_everybody()
        if settings.tell_addresses and not before.tell_addresses:
            await running.chats.greet_everybody()
        return settings

    async def listening(self) -> Listening | None:
        """Where others can reach us, addresses as they are now; None if nobody can."""
        return self._now().host.listening()

    async def listen(self, port: int | None = None, *, exact: bool = False) -> Listening:
        """Listen from now on, perhaps on another port; links that are up stay up.

        Args:
            port: The port wanted; None for the one in the settings.
            exact: Fail rather than take the next free one.

        Raises:
            ConnectError: PORT_TAKEN, PORT_FORBIDDEN or BAD_HOST; the listener from before is still there.
        """
        return await self._now().host.listen(port, exact=exact)

    async def stop_listening(self) -> None:
        """Let nobody new in; links that are up stay up."""
        await self._now().host.close()

    async def free_ports(self, first: int, last: int) -> list[int]:
        """The ports between two numbers, both included, on which we could listen.

        Raises:
            InputError: The range is empty, too long, or not within 1 to 65535.
        """
        return await self._now().host.free_ports(first, last)

    async def make_invite(self) -> str:
        """A link for somebody who shall become a contact; works once, for seven days."""
        return await self._now().host.make_invite()

    async def lasting_link(self) -> str:
        """A link for everybody: who follows it can ask to write to us at our relays, also while we are off.

        Returns:
            Nothing if nobody can write to us at a relay.
        """
        return await self._now().host.lasting_link()

    async def connect(self, target: str, attempt: AttemptId, expected: Fingerprint | None = None) -> Contact:
        """Open a conversation; `ConnectProgress` tells the steps and `ConfirmPeer` may ask.

        Args:
            target: An address or an invite link, as typed.
            attempt: Number of this attempt, chosen by the caller, for the events.
            expected: Who must answer; then nobody is asked. An invite says that itself.

        Returns:
            The contact, online.

        Raises:
            AddressError: The target cannot be read.
            ConnectError: Nobody suitable answered; the reason says more, WRONG_PERSON if somebody else did.
        """
        return await self._now().dialer.connect(target, attempt, expected)

    async def confirm_peer(self, attempt: AttemptId, accepted: bool) -> None:
        """Answer a `ConfirmPeer`."""
        self._now().dialer.confirm(attempt, accepted=accepted)

    async def disconnect(self, conversation: ConversationId) -> None:
        """Say goodbye to somebody; they are not called again until something is sent to them."""
        await self._now().chats.disconnect(conversation)

    async def reconnect(self, conversation: ConversationId) -> None:
        """Call somebody now, without waiting for the next try; `PresenceChanged` tells how it goes."""
        await self._now().chats.reconnect(conversation)

    async def presence(self, conversation: ConversationId) -> Presence:
        """Whether a contact can be reached right now."""
        return self._now().peers.presence(conversation)

    async def accept(self, conversation: ConversationId) -> None:
        """Accept a message request."""
        await self._now().chats.accept(conversation)

    async def decline(self, conversation: ConversationId) -> None:
        """Delete a message request and what it holds."""
        await self._now().chats.decline(conversation)

    async def block(self, conversation: ConversationId) -> None:
        """Refuse somebody from now on."""
        await self._now().chats.block(conversation)

    async def unblock(self, conversation: ConversationId) -> None:
        """Let somebody in again."""
        await self._now().chats.unblock(conversation)

    async def rename(self, conversation: ConversationId, alias: str) -> None:
        """Give somebody a name of our own."""
        await self._now().chats.rename(conversation, alias)

    async def arrange(self, conversation: ConversationId, **changes: Unpack[Arrangement]) -> None:
        """Pin, mute or archive a conversation, or write a note about somebody; `ContactChanged` tells.

        Args:
            conversation: Which.
            changes: ``pinned``, ``muted``, ``archived``; ``note``, at most `store_limits.NOTE_MAX` bytes of
                UTF-8.

        Raises:
            InputError: UNKNOWN, there is no such conversation. TOO_LONG: the note is.
        """
        await self._now().chats.arrange(conversation, **changes)

    async def delete_conversation(self, conversation: ConversationId) -> None:
        """Forget a contact and every message: nothing shows at once, and is overwritten soon after."""
        await self._now().chats.delete(conversation)

    async def safety_number(self, conversation: ConversationId) -> str:
        """60 digits that both people see alike if nobody is between them."""
        return await self._now().chats.safety_number(conversation)

    async def set_verified(self, conversation: ConversationId, verified: bool) -> None:
        """Remember that the safety number was compared, or take that back.

        The first also settles what a new key of theirs has held up (`Contact.key_news`).
        """
        await self._now().chats.set_verified(conversation, verified=verified)

    async def trust_key(self, conversation: ConversationId) -> None:
        """Go on with somebody's new key without comparing; what waited for them is sent."""
        await self._now().chats.settle_key(conversation)

    async def conversations(self) -> list[Conversation]:
        """The conversation list, newest first."""
        return await self._now().chats.all()

    def sealing(self) -> Sealing:
        """Sealed messages, for whatever carries them."""
        return self._now().sealing

    async def _start(self, opened: Callable[[], Awaitable[Context]]) -> None:
        """Open the profile and run what it needs, in a task of its own that `stop` can give up."""

        async def begin() -> None:
            try:
                self._running = self._run(await opened())
                await self._running.start(online=self._online)
            except StorageError:  # nothing stays half open, so that it can be tried again
                running, self._running = self._running, None
                if running is not None:
                    await running.close()
                await self._profile.close()
                raise

        self._stopped = False
        self._opening = asyncio.create_task(begin(), name="opening")
        try:
            await self._opening
        except asyncio.CancelledError as e:
            if self._stopped:
                raise ConnectError(Reason.STOPPING) from e
            raise
        finally:
            self._opening = None
