"""Profile pictures between people who have accepted each other (SPEC.md 8.7), on links and sealed.

Who has one tells its hash; who lacks it asks; only then it travels.
"""

from messenger.core.ids import ConversationId
from messenger.engine.context import Context
from messenger.net.connection import Connection
from messenger.protocol.link import LinkState
from messenger.protocol.portraits import Portrait, PortraitNews, PortraitWanted
from messenger.storage.store import Store

PortraitPacket = PortraitNews | PortraitWanted | Portrait


class Portraits:
    """The pictures of both people on one link.

    Args:
        context: The open profile.
        connection: The link.
        conversation: Who is on it.
    """

    def __init__(self, context: Context, connection: Connection, conversation: ConversationId) -> None:
        self._context, self._connection, self._conversation = context, connection, conversation
        self._told: bytes | None = None
        self._given: bytes | None = None

    def tell(self) -> None:
        """Tell which picture is ours, if there ever was one and they do not know it from this link."""
        digest = self._context.me.portrait
        if digest is not None and digest != self._told:
            self._told = digest
            self._post(PortraitNews(digest))

    async def on_packet(self, packet: PortraitPacket) -> None:
        """Take what an accepted contact said.

        Raises:
            StorageError: It could not be stored.
        """
        context, table, who = self._context, self._context.store.portraits, self._conversation
        match packet:
            case PortraitNews(hash=digest):
                if await context.stored(table.announced, who, digest):
                    await context.publish_contact(who)
                if wanted := await context.stored(table.wanted, who):
                    self._post(PortraitWanted(wanted))
            case PortraitWanted(hash=digest):
                if digest == context.me.portrait and digest != self._given:  # once: it is far larger
                    self._given = digest
                    await self._give()
            case Portrait(content=content):
                if await context.stored(table.take, who, content):
                    await context.publish_contact(who)

    async def _give(self) -> None:
        content = await self._context.stored(self._context.store.portraits.own)
        if content:
            self._post(Portrait(content))

    def _post(self, packet: PortraitPacket) -> None:
        if self._connection.link.state is LinkState.OPEN:
            self._connection.post(packet)


def news_of_ours(store: Store, conversation: ConversationId) -> list[PortraitNews | PortraitWanted]:
    """What goes with everything that is sealed for a contact."""
    digest, wanted = store.portraits.own_hash(), store.portraits.wanted(conversation)
    news = [] if digest is None else [PortraitNews(digest)]
    return [*news, PortraitWanted(wanted)] if wanted else [*news]


def asked_of_ours(store: Store, conversation: ConversationId) -> list[Portrait]:
    """Our picture, if a contact who is reached by carriers lacks it."""
    content = store.portraits.own() if store.portraits.asked(conversation) else None
    return [Portrait(content)] if content else []


def take_sealed(store: Store, conversation: ConversationId, packet: PortraitPacket) -> bool:
    """Take what an accepted contact has sealed; whether something is to be sealed for them because of it."""
    match packet:
        case PortraitNews(hash=digest):
            if not (store.portraits.announced(conversation, digest) and store.portraits.wanted(conversation)):
                return False
            store.queues.note_news(conversation)
            return True
        case PortraitWanted(hash=digest):
            if digest != store.portraits.own_hash() or store.portraits.asked(conversation):
                return False
            store.portraits.ask(conversation)
            return True
        case Portrait(content=content):
            store.portraits.take(conversation, content)
            return False
