"""The commands of `Engine` about files."""

from collections.abc import Callable, Sequence
from pathlib import Path

from messenger.core.file_choice import Choice, LeftOut
from messenger.core.ids import ConversationId
from messenger.core.models import Message
from messenger.core.transfers import Transfer, TransferId
from messenger.engine.commands import Commands


class FileCommands(Commands):
    """Offer, accept, decline, pause, resume, cancel; `TransferChanged` tells how each transfer stands.

    Whoever names a transfer that is not there gets an InputError(UNKNOWN). All may raise StorageError.
    """

    async def look_at_files(self, paths: Sequence[Path]) -> Choice:
        """Say what `offer_files` would offer, and what it would leave out; nothing is sent.

        Args:
            paths: Files and folders.

        Raises:
            TooManyFiles: More than one transfer may have.
        """
        return await self._now().files.look(paths)

    async def keep_pasted(self, content: Callable[[], bytes]) -> Path:
        """Write a picture that was pasted into the folder of the profile, so that it can be offered.

        It is removed when it has been sent, and when its offer is cancelled or goes; see `drop_pasted`.

        Args:
            content: Returns it as PNG, at most `transfer_limits.PASTED_MAX` bytes; called on a thread.

        Returns:
            Where it is now.

        Raises:
            InputError: TOO_LONG, or EMPTY if there is nothing.
        """
        return await self._now().files.pasted.keep(content)

    async def drop_pasted(self, path: Path) -> None:
        """Remove a picture of `keep_pasted` that is not offered after all."""
        await self._now().files.pasted.drop(path)

    async def offer_files(
        self, conversation: ConversationId, paths: Sequence[Path], thumbnail: bytes = b""
    ) -> tuple[Message, tuple[LeftOut, ...]]:
        """Offer files and folders to somebody, in one transfer; it leaves when they are there and accept it.

        Args:
            conversation: To whom.
            paths: Files and folders, one or more.
            thumbnail: A small picture of it, at most `transfer_limits.THUMBNAIL_MAX` bytes; empty for none.

        Returns:
            The message that offers them, and what is not sent, and why.

        Raises:
            InputError: EMPTY, nothing of it can be sent; TOO_LONG; BAD_VALUE; UNKNOWN, no such conversation;
                NOT_ALLOWED, they are blocked or not accepted yet.
            TooManyFiles: More than one transfer may have.
        """
        return await self._now().files.offer(conversation, paths, thumbnail)

    async def offer_again(self, transfer: TransferId) -> tuple[Message, tuple[LeftOut, ...]]:
        """Offer the files of a transfer of ours that has ended anew, as they are now.

        Raises:
            InputError: As for `offer_files`; NOT_ALLOWED also if it is not ours, or has not ended.
        """
        return await self._now().files.again(transfer)

    async def accept_files(self, transfer: TransferId, folder: Path | None = None) -> Transfer:
        """Take what somebody offers.

        Args:
            transfer: Which one.
            folder: Where it goes, made if need be; None for the folder for downloads.

        Raises:
            InputError: NOT_ALLOWED, it is ours, or was decided before.
            DiskFull: It does not fit there.
        """
        return await self._now().files.accept(transfer, folder)

    async def decline_files(self, transfer: TransferId) -> Transfer:
        """Do not take what somebody offers.

        Raises:
            InputError: NOT_ALLOWED, it is ours.
        """
        return await self._now().files.decline(transfer)

    async def pause_transfer(self, transfer: TransferId) -> Transfer:
        """Go on later; nothing of what has come is lost."""
        return await self._now().files.pause(transfer)

    async def resume_transfer(self, transfer: TransferId) -> Transfer:
        """Go on, unless the other person has paused it too.

        Raises:
            InputError: NOT_ALLOWED, it was not accepted yet.
        """
        return await self._now().files.resume(transfer)

    async def cancel_transfer(self, transfer: TransferId) -> Transfer:
        """Give a transfer up, at both ends; what has not come whole is removed."""
        return await self._now().files.cancel(transfer)

    async def transfers(self, conversation: ConversationId | None = None) -> list[Transfer]:
        """The newest transfers, of one conversation or of all, newest first."""
        return await self._now().files.all(conversation)

    async def limit_transfer(self, transfer: TransferId, rate: int) -> None:
        """Bound the speed of one transfer until the program ends.

        Args:
            transfer: Which one.
            rate: Bytes a second; 0 for no bound but that of the settings.

        Raises:
            InputError: BAD_VALUE.
        """
        await self._now().files.set_limit(transfer, rate)

    async def send_first(self, transfer: TransferId) -> Transfer:
        """Let a transfer of ours go before all others of ours that wait; those that run go on.

        Raises:
            InputError: NOT_ALLOWED, it is theirs, or has ended.
        """
        return await self._now().files.put_first(transfer)

    async def download_folder(self) -> Path:
        """Where files go that come, unless another folder is given to `accept_files`."""
        return await self._now().files.folder()

    async def set_download_folder(self, folder: Path) -> None:
        """Let files that come go elsewhere from now on; the folder is made if need be."""
        await self._now().files.set_folder(folder)
