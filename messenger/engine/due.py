"""What a link tells and nothing answers (receipts, places): due until it is known to be heard."""

from collections.abc import Iterable, Sequence

from messenger.core.ids import ConversationId, MessageId
from messenger.engine.context import Context
from messenger.storage.store import Store


class DueReceipts:
    """What one link has told of messages that came another way, and of where we are written to.

    A link may end with what was said last, and nothing answers a receipt. So one stays due until a
    message of ours that was sent behind it has a receipt itself: what comes on a link is handled in turn
    (SPEC.md 10.8). Until then the next link tells it again, and when there is none it goes sealed.

    Args:
        context: The open profile.
        conversation: With whom the link is.
    """

    def __init__(self, context: Context, conversation: ConversationId) -> None:
        self._context = context
        self._store = context.store
        self._conversation = conversation
        self._told: set[MessageId] = set()
        """Told on this link, with nothing sent behind it yet."""
        self._change = 0
        """The change of our places told on this link, with nothing sent behind it yet; 0 for none."""
        self._before: dict[MessageId, tuple[set[MessageId], int]] = {}
        """What had been told when a message of ours was sent."""

    async def all(self) -> list[MessageId]:
        """All that are due."""
        return await self._context.stored(self._store.sealed.all_receipts, self._conversation)

    def told(self, ids: Iterable[MessageId]) -> None:
        """These are written to the link."""
        self._told.update(ids)

    def told_places(self, change: int) -> None:
        """Our places are written to the link, up to a change."""
        self._change = change

    async def sending(self, message: MessageId) -> None:
        """A message of ours is about to be written to the link.

        Its receipt proves nothing if it has been sealed too: it may be for that copy.
        """
        if (self._told or self._change) and not await self._context.stored(
            _was_sealed, self._store, self._conversation, message
        ):
            self._before[message] = self._told, self._change
            self._told, self._change = set(), 0

    async def heard(self) -> None:
        """They have answered our goodbye, and so have read everything before it."""
        change = max((self._change, *(change for _, change in self._before.values())))
        if change:
            await self._context.stored(self._store.queues.told, self._conversation, change)

    async def delivered(self, messages: Sequence[MessageId]) -> None:
        """These of ours have receipts that came on the link."""
        proven = [self._before.pop(message) for message in messages if message in self._before]
        heard = [id_ for told, _ in proven for id_ in told]
        if heard:
            await self._context.stored(self._store.sealed.drop_receipts, self._conversation, heard)
        change = max((change for _, change in proven), default=0)
        if change:
            await self._context.stored(self._store.queues.told, self._conversation, change)


def _was_sealed(store: Store, conversation: ConversationId, message: MessageId) -> bool:
    item = store.sealed.waiting(conversation, message)
    return item is not None and store.sealed.copy(item.position) is not None
