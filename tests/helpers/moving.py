"""People who go on with another key: what they state and say, and what the other side makes of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact
from messenger.crypto.hkdf import vec
from messenger.crypto.rsa import Label
from messenger.crypto.succession import Succession
from messenger.protocol import packets
from messenger.protocol.packets import Delivered, Text
from tests.helpers.engines import Person
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End
from tests.helpers.wire import Caller, calling

ZEROS: Final = bytes(32)


def made(old: str, new: str, serial: int = 1, time: int = NOW) -> Succession:
    """What somebody states who goes on with another key."""
    return Succession.issue(serial, identity(old).signing, identity(new).signing, time)


def told(*statements: Succession) -> list[packets.Succession]:
    """The packets that begin a link."""
    return [packets.Succession(statement.encode()) for statement in statements]


def text(number: int, words: str) -> Text:
    """A message of theirs."""
    return Text(number.to_bytes(16, "big"), number, ZEROS, number, words, 0, b"", 0)


@asynccontextmanager
async def as_(who: str, bob: Person) -> AsyncIterator[Caller]:
    """Call bob as somebody; the link is up and nothing has been said."""
    async with calling(End.calling(who, "bob"), await bob.port()) as caller:
        await caller.up()
        yield caller


async def befriend(bob: Person, who: str = "mallory") -> ConversationId:
    """Let somebody call, be accepted, say one thing, and leave."""
    async with as_(who, bob) as caller:
        caller.greet(who.capitalize())
        there = (await bob.named(who)).id
        await bob.engine.accept(there)
        caller.say(text(1, "before"))
        await caller.packet(Delivered)
        caller.connection.close()
        await caller.ended()
    await bob.offline(there)
    return there


async def contact_of(bob: Person, conversation: ConversationId) -> Contact:
    """How he knows the one of a conversation."""
    return next(row.contact for row in await bob.engine.conversations() if row.id == conversation)


def resigned(statement: Succession, **keys: str) -> packets.Succession:
    """The same statement with signatures of other people."""
    data = statement.encode()
    size = int.from_bytes(data[:2], "big")
    body = data[2 : 2 + size]
    signatures = {"old": statement.old_signature, "new": statement.new_signature}
    signatures |= {
        which: identity(who).signing.sign(Label.SUCCESSION, (body,)) for which, who in keys.items()
    }
    return packets.Succession(vec(body) + vec(signatures["old"]) + vec(signatures["new"]))


async def who(person: Person) -> Fingerprint:
    """Who somebody is now."""
    return (await person.engine.me()).fingerprint


async def untold(person: Person, conversation: ConversationId) -> int:
    """How many statements a contact of somebody has not confirmed."""
    running = person.engine._running
    assert running is not None
    context = running.context
    statements = await context.stored(context.store.successions.untold, conversation, context.succession)
    return len(statements)


async def both_ways(
    alice: Person, here: ConversationId, bob: Person, there: ConversationId, words: str
) -> None:
    """Say something in each direction."""
    await alice.engine.send_text(here, f"{words} from {alice.who}")
    await bob.engine.send_text(there, f"{words} from {bob.who}")
    await alice.hears(f"{words} from {bob.who}")
    await bob.hears(f"{words} from {alice.who}")
