"""The invented profile, written into a database as if everything had happened."""

import hashlib
import time
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from gallery.people import (
    CROWD,
    DAY,
    FILES,
    MINUTE,
    RELAYS,
    SECONDS_KEPT,
    TALK,
    UNREAD,
)
from messenger.core import offering as offers
from messenger.core.address import parse_address
from messenger.core.chained import Chained, ChainKind
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import Draft, FailReason, MessageState, Standing
from messenger.core.offering import MEDIA, Offering
from messenger.core.relays import RelayUse
from messenger.core.settings import Theme as Choice
from messenger.core.settings import changed
from messenger.engine.context import Context
from messenger.engine.profile import Profile
from messenger.protocol.places import Place
from messenger.storage.chain import chain_hash
from messenger.storage.store import Store


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def fingerprint(name: str) -> Fingerprint:
    """An invented key."""
    return Fingerprint(hashlib.sha256(f"{name}/screenshot".encode()).digest())


def message_id(name: str) -> MessageId:
    """An invented number of a message."""
    return MessageId(hashlib.md5(name.encode(), usedforsecurity=False).digest())


def small_picture() -> bytes:
    """An invented photograph, as small as in an offer."""
    image = QImage(320, 200, QImage.Format.Format_RGB888)
    for line in range(200):
        for column in range(320):
            hill = line > 120 + 30 * ((column % 160) - 80) ** 2 // 6400
            image.setPixel(column, line, 0x3F6F4F if hill else 0x9CC4E0)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG", 80)  # type: ignore[call-overload]
    return bytes(buffer.data().data())


class Pen:
    """Writes the messages of one conversation.

    Args:
        store: The database.
        conversation: Which.
        name: Of whom.
    """

    def __init__(self, store: Store, conversation: ConversationId, name: str) -> None:
        self._store, self._conversation, self._name = store, conversation, name
        self._heard, self._before, self._count = 0, bytes(32), 0

    def ours(self, text: str, at: int, reply_to: MessageId | None = None) -> MessageId:
        """Write a message of ours."""
        id_ = self._next()
        self._store.messages.add_outgoing(self._conversation, id_, text, at, at, reply_to)
        return id_

    def theirs(self, text: str, at: int, *, seen: bool) -> MessageId:
        """Write a message of theirs."""
        return self._take(ChainKind.TEXT, self._next(), at, seen=seen, text=text)

    def offered(self, body: bytes, at: int, name: str) -> None:
        """They offer files."""
        self._take(ChainKind.OFFER, message_id(name), at, seen=True, body=body)

    def _next(self) -> MessageId:
        self._count += 1
        return message_id(f"{self._name}{self._count}")

    def _take(
        self, kind: ChainKind, id_: MessageId, at: int, *, seen: bool, text: str = "", body: bytes = b""
    ) -> MessageId:
        self._heard += 1
        chained = Chained(
            kind=kind,
            id=id_,
            seq=self._heard,
            prev=self._before,
            sent_ms=at,
            order=0,
            content=text,
            body=body,
        )
        self._before = chain_hash(chained)
        stored = self._store.messages.take(self._conversation, chained, at).added
        if stored is not None and seen:
            self._store.messages.mark_seen(self._conversation, stored.position)
        return id_


def talk(store: Store) -> None:
    """Write the invented contacts and messages."""
    for number, (name, lines) in enumerate(TALK.items()):
        contact = store.contacts.add(
            fingerprint(name),
            name=name,
            standing=Standing.REQUEST if name == "Mallory" else Standing.ACCEPTED,
            awaiting=name == "Erin",
            addresses=(f"192.168.1.{20 + number}:42000",),
            now_ms=now() - 5 * DAY,
        )
        pen = Pen(store, contact.id, name)
        for ago, outgoing, text in lines:
            if outgoing:
                id_ = pen.ours(text, now() + ago)
                state = MessageState.READ if ago < -10 * MINUTE else MessageState.DELIVERED
                store.messages.advance(contact.id, [id_], state)
            else:
                id_ = pen.theirs(text, now() + ago, seen=name not in {"Carol", "Mallory"})
            if text == "Did you get the drawings for the bridge?":
                answer = pen.ours("All eleven sheets", now() + ago + MINUTE // 2, reply_to=id_)
                store.messages.advance(contact.id, [answer], MessageState.READ)
        _arrange(store, name, contact.id, pen)


def _arrange(store: Store, name: str, id_: ConversationId, pen: Pen) -> None:
    """What is special about somebody."""
    match name:
        case "Bob":
            store.contacts.update(id_, verified=True, pinned=True, note="Bridges, coffee")
            thumb = message_id("Bob10")
            store.actions.add_outgoing(id_, ChainKind.REACTION, message_id("Bob/r"), thumb, "❤️", now())
            last = message_id("Bob2")
            store.actions.add_outgoing(
                id_, ChainKind.EDIT, message_id("Bob/e"), last, "All twelve sheets", now()
            )
        case "Dave":
            store.contacts.update(id_, muted=True)
        case "Erin":
            store.drafts.set(id_, Draft("And do not forget to"))
        case "Grace" | "Heidi":
            store.contacts.update(id_, verified=name == "Grace")
            store.contacts.succeed(id_, fingerprint(f"{name} 2"), old=fingerprint(name), serial=1)
        case "Ivan":
            waiting = pen.ours("Sorry, it was late. Tomorrow?", now() - 6 * DAY)
            store.messages.advance(id_, [waiting], MessageState.FAILED, FailReason.BLOCKED)
        case "Judy":
            store.timers.change(id_, message_id("Judy/t"), SECONDS_KEPT, now() - 40 * MINUTE)
            gone = pen.ours("Then I have it. Thank you!", now() - 39 * MINUTE)
            store.messages.advance(id_, [gone], MessageState.DELIVERED)
        case _:
            pass


def crowd(store: Store) -> None:
    """Write thousands of messages that nobody has seen, in one transaction."""
    with store.transaction():
        contact = store.contacts.add(
            fingerprint(CROWD), name=CROWD, standing=Standing.ACCEPTED, now_ms=now() - 30 * DAY
        )
        store.contacts.update(contact.id, archived=False, muted=False)
        pen = Pen(store, contact.id, CROWD)
        for count in range(UNREAD):
            words = (
                f"Message {count + 1} about the lift" if count % 7 else "It is stuck again. Who has the key?"
            )
            pen.theirs(words, now() - 11 * DAY + count * 20_000, seen=False)


def offering(name: str, kind: str, size: int, picture: bytes) -> Offering:
    """What an offer says of an invented file."""
    folder = kind == "folder"
    return Offering(
        names=(name,),
        tops=1,
        files=14 if folder else 1,
        folders=3 if folder else 0,
        size=size,
        root=bytes(32),
        manifest=100,
        media=MEDIA.index(kind),
        thumbnail=picture if kind == "picture" else b"",
    )


def share(store: Store, picture: bytes) -> None:
    """Write the invented files into a conversation of their own."""
    contact = store.contacts.add(
        fingerprint("Frank"), name="Frank", standing=Standing.ACCEPTED, now_ms=now() - 9 * DAY
    )
    pen = Pen(store, contact.id, "Frank")
    for count, (name, outgoing, kind, size) in enumerate(FILES):
        at = now() - 6 * DAY + count * MINUTE
        body = offers.encode(offering(name, kind, size, picture))
        if outgoing:
            paths = [f"/home/alice/{name}"]
            store.messages.add_offer(
                contact.id, message_id(name), body, at, paths=paths, manifest=b"", sources=b""
            )
            store.messages.advance(contact.id, [message_id(name)], MessageState.DELIVERED)
        else:
            pen.offered(body, at, name)


def relays(store: Store) -> None:
    """Relays of every use; Dave is reached at one that nobody has decided about."""
    uses = (RelayUse.OWN, RelayUse.ALLOWED, RelayUse.UNASKED)
    for address, use in zip(RELAYS, uses, strict=True):
        store.relays.add(fingerprint(address), (address,), use, now())
    dave = store.contacts.by_fingerprint(fingerprint("Dave"))
    if dave is not None:
        relay = fingerprint(RELAYS[-1])
        place = Place(relay, bytes(24), bytes(32), bytes(32), parse_address(RELAYS[-1]))
        store.places.put(dave.id, [(relay, place.encode())])


def write(context: Context, picture: bytes) -> None:
    """Everything, on the storage thread."""
    store = context.store
    talk(store)
    share(store, picture)
    crowd(store)
    relays(store)


async def seed(folder: Path, choice: Choice) -> None:
    """Make a profile of Alice with everybody she talks to; on an ordinary loop, in the thread of the windows.

    Args:
        folder: Where it goes.
        choice: Light or dark.
    """
    picture = small_picture()  # Qt takes the thread of its first object for that of the windows
    profile = Profile(folder, lambda _event: None)
    context = await profile.create("Alice", None, keyring=False)
    await context.stored(write, context, picture)
    calm = changed(context.settings, {"theme": choice, "reconnect": False})
    await context.stored(context.store.meta.save_settings, calm)
    await profile.close()
