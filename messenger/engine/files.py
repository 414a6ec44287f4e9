"""What a person does with files: offer, accept, pause, cancel."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from messenger.core import file_entries, transfer_limits
from messenger.core import offering as offers
from messenger.core.downloads import download_folder
from messenger.core.errors import DiskFull, InputError, InputProblem, LocalProtocolError, StorageError
from messenger.core.file_choice import Choice, LeftOut
from messenger.core.file_names import shown_name
from messenger.core.ids import MESSAGE_ID_SIZE, ConversationId, MessageId
from messenger.core.models import Message, Standing
from messenger.core.offering import MEDIA, Offering
from messenger.core.settings import TakeFiles
from messenger.core.transfers import ENDS, Transfer, TransferId, TransferState, Wish
from messenger.crypto.hashing import manifest_root
from messenger.engine.chats import Chats, begin_timer, check_writable
from messenger.engine.context import Context
from messenger.engine.events import EngineFault, MessageAdded
from messenger.engine.pasted import FOLDER as PASTED
from messenger.engine.pasted import Pasted
from messenger.engine.transfers import Transfers
from messenger.storage import landing
from messenger.storage.files import made_folder
from messenger.storage.outgoing import Outgoing, encode_sources, gather
from messenger.storage.transfers import Held

_FOLDER: Final = "download folder"
"""Name of a stored value: where files go that come."""

_KINDS: Final = {"image": "picture", "audio": "sound", "video": "film"}
_MIB: Final = 1024 * 1024


class Files:
    """Commands about transfers; each returns when its effect is on disk.

    Args:
        context: The open profile.
        transfers: All of them.
        chats: Sends what waits.
        folder: That of the profile.
    """

    def __init__(self, context: Context, transfers: Transfers, chats: Chats, folder: Path) -> None:
        self._context = context
        self._store = context.store.transfers
        self._transfers = transfers
        self._chats = chats
        self.pasted = Pasted(context, folder / PASTED, transfers.runs.carrier)
        transfers.on_offer = self.consider
        transfers.on_forget, transfers.runs.on_clear = self.pasted.sweep, self.pasted.settle

    async def look(self, paths: Sequence[Path]) -> Choice:
        """What would be offered, and what left out."""
        return await self._transfers.runs.carrier.thread(None, _choice, [Path(path) for path in paths])

    async def offer(
        self, conversation: ConversationId, paths: Sequence[Path], thumbnail: bytes = b""
    ) -> tuple[Message, tuple[LeftOut, ...]]:
        """Offer files and folders to somebody; they leave when they accept them."""
        if not paths or len(thumbnail) > transfer_limits.THUMBNAIL_MAX:
            raise InputError(InputProblem.BAD_VALUE)
        found = await self._transfers.runs.carrier.thread(None, gather, [Path(path) for path in paths])
        if not found.entries:
            raise InputError(InputProblem.EMPTY)
        body, manifest = await self._transfers.runs.carrier.thread(None, described, found, thumbnail)
        named = await self._transfers.runs.carrier.thread(None, _absolute, paths)
        added, unread = await self._context.written(self._queue, conversation, body, manifest, found, named)
        self.pasted.offered(named)
        message = added[-1]
        held = await self._context.stored(self._store.find, conversation, message.id, outgoing=True)
        if held is not None:
            self._transfers.take(held)
        for each in added:
            self._context.publish(MessageAdded(each, unread))
        await self._hurry(conversation)
        return message, found.left_out

    async def again(self, transfer: TransferId) -> tuple[Message, tuple[LeftOut, ...]]:
        """Offer the same files anew, as they are now."""
        held = await self._context.stored(self._store.get, transfer)
        if not held.outgoing or held.state not in ENDS or not held.placed:
            raise InputError(InputProblem.NOT_ALLOWED)
        thumbnail = held.offering.thumbnail
        return await self.offer(held.conversation, [Path(path) for path in held.placed], thumbnail)

    async def accept(self, transfer: TransferId, folder: Path | None = None) -> Transfer:
        """Take files into a folder, or into that for downloads."""
        held = await self._theirs(transfer)
        if held.state is not TransferState.OFFERED:
            raise InputError(InputProblem.NOT_ALLOWED)
        wanted = folder or await self.folder()
        target = await self._transfers.runs.carrier.thread(None, _made, wanted)
        if await self._transfers.runs.carrier.thread(None, landing.room, target) < held.offering.size:
            raise DiskFull(str(held.offering.size))
        held = await self._context.stored(self._store.accept, transfer, str(target))
        self._transfers.tell(held)
        self._transfers.take(held)
        await self._hurry(held.conversation)
        return self._transfers.shown(held)

    async def decline(self, transfer: TransferId) -> Transfer:
        """Do not take files."""
        await self._theirs(transfer)
        return await self._want(transfer, Wish.DECLINED)

    async def pause(self, transfer: TransferId) -> Transfer:
        """Go on later; what has come stays."""
        return await self._want(transfer, Wish.PAUSED)

    async def resume(self, transfer: TransferId) -> Transfer:
        """Go on, as far as we are concerned."""
        held = await self._context.stored(self._store.get, transfer)
        if held.mine is Wish.OPEN:
            raise InputError(InputProblem.NOT_ALLOWED)
        return await self._want(transfer, Wish.GO)

    async def cancel(self, transfer: TransferId) -> Transfer:
        """Give it up, at both ends; what has not come whole is removed."""
        return await self._want(transfer, Wish.CANCELLED)

    async def all(self, conversation: ConversationId | None) -> list[Transfer]:
        """The newest transfers, newest first."""
        newest = await self._context.stored(
            self._store.newest, conversation, transfer_limits.TRANSFERS_LISTED
        )
        return [self._transfers.shown(held) for held in newest]

    async def set_limit(self, transfer: TransferId, rate: int) -> None:
        """Bound the speed of one transfer."""
        if rate < 0:
            raise InputError(InputProblem.BAD_VALUE)
        await self._context.stored(self._store.get, transfer)
        self._transfers.runs.set_limit(transfer, rate)

    async def put_first(self, transfer: TransferId) -> Transfer:
        """Let a transfer of ours go before all others of ours that wait."""
        held = await self._context.stored(self._store.get, transfer)
        if not held.outgoing or held.state in ENDS:
            raise InputError(InputProblem.NOT_ALLOWED)
        held = await self._context.stored(self._store.put_first, transfer)
        self._transfers.take(held)
        return self._transfers.shown(held)

    async def folder(self) -> Path:
        """Where files go that come."""
        stored = await self._context.stored(self._context.store.meta.get, _FOLDER)
        return Path(stored.decode() if stored else download_folder())

    async def set_folder(self, folder: Path) -> None:
        """Let files that come go elsewhere from now on."""
        target = await self._transfers.runs.carrier.thread(None, _made, folder)
        await self._context.stored(self._context.store.meta.put, _FOLDER, str(target).encode())

    async def consider(self, held: Held) -> None:
        """They offer files: take them without asking if the settings say so, and there is room."""
        settings = self._context.settings
        if settings.take_files is TakeFiles.ASK or held.offering.size > settings.take_files_mib * _MIB:
            return
        contact = await self._context.stored(self._context.store.contacts.get, held.conversation)
        if contact is None or contact.standing is not Standing.ACCEPTED:
            return
        if settings.take_files is TakeFiles.VERIFIED and not contact.verified:
            return
        try:
            await self.accept(held.id)
        except (DiskFull, InputError):  # they stay offered
            return
        except StorageError as e:
            self._context.publish(EngineFault("files", type(e).__name__))

    async def _theirs(self, transfer: TransferId) -> Held:
        held = await self._context.stored(self._store.get, transfer)
        if held.outgoing:
            raise InputError(InputProblem.NOT_ALLOWED)
        return held

    async def _want(self, transfer: TransferId, wish: Wish) -> Transfer:
        held = await self._transfers.wish(transfer, wish)
        await self._hurry(held.conversation)
        return self._transfers.shown(held)

    async def _hurry(self, conversation: ConversationId) -> None:
        """Somebody here wants something of them: call them if there is no link, and be it through a relay."""
        contact = await self._context.stored(self._context.store.contacts.get, conversation)
        if contact is not None:
            self._chats.hurry(contact)

    def _queue(
        self, conversation: ConversationId, body: bytes, manifest: bytes, found: Outgoing, paths: list[str]
    ) -> tuple[list[Message], int]:
        """Put an offer into the outbox; on the storage thread, as `Chats` does with texts.

        Returns:
            It, perhaps after a line that a timer was set, and how many messages are unread.
        """
        store = self._context.store
        contact = store.contacts.get(conversation)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        check_writable(contact)
        now = self._context.now_ms()
        added, timer = begin_timer(self._context, contact, now)
        message = store.messages.add_offer(
            conversation,
            MessageId(secrets.token_bytes(MESSAGE_ID_SIZE)),
            body,
            now,
            paths=paths,
            manifest=manifest,
            sources=encode_sources(found.sources),
            timer=timer,
        )
        return [*added, message], store.messages.unread(conversation)


def _choice(paths: Sequence[Path]) -> Choice:
    found = gather(paths)
    tops = [entry for entry in found.entries if len(entry.path) == 1]
    folders = sum(entry.folder for entry in found.entries)
    return Choice(
        names=tuple(shown_name(entry.path[0]) for entry in tops[: transfer_limits.NAMES_SHOWN]),
        tops=len(tops),
        files=len(found.entries) - folders,
        folders=folders,
        size=file_entries.total(found.entries),
        left_out=found.left_out,
    )


def _made(folder: Path) -> Path:
    """`made_folder`, for one whose path is text: it is kept as such."""
    try:
        str(folder).encode()
    except UnicodeEncodeError as e:
        raise InputError(InputProblem.BAD_VALUE) from e
    return made_folder(folder)


def _absolute(paths: Sequence[Path]) -> list[str]:
    return [str(Path(path).absolute()) for path in paths]


def described(found: Outgoing, thumbnail: bytes) -> tuple[bytes, bytes]:
    """The body of an offer of what was found, and the list of its files.

    Raises:
        InputError: It is more than an offer can hold.
    """
    tops = [entry for entry in found.entries if len(entry.path) == 1]
    folders = sum(entry.folder for entry in found.entries)
    names = tuple(entry.path[0][: transfer_limits.NAME_CHARS_MAX] for entry in tops)
    try:
        manifest = file_entries.encode(found.entries)
        offering = Offering(
            names=names[: transfer_limits.NAMES_MAX],
            tops=len(tops),
            files=len(found.entries) - folders,
            folders=folders,
            size=file_entries.total(found.entries),
            root=manifest_root(manifest),
            manifest=len(manifest),
            media=_media(tops),
            thumbnail=thumbnail,
        )
        return offers.encode(offering), manifest
    except LocalProtocolError as e:
        raise InputError(InputProblem.TOO_LONG) from e


def _media(tops: Sequence[file_entries.Entry]) -> int:
    """What they are if they are all alike."""
    import mimetypes

    kinds = {
        "folder" if top.folder else _KINDS.get((mimetypes.guess_type(top.path[0])[0] or "").partition("/")[0])
        for top in tops[: transfer_limits.NAMES_MAX]
    }
    kind = kinds.pop() if len(kinds) == 1 else None
    return MEDIA.index(kind or "file")
