"""Sealed messages between two engines, carried by hand."""

import functools
import itertools
import shutil
from pathlib import Path
from typing import Final

from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Contact, Message, MessageState, Standing
from messenger.engine.context import Context
from messenger.engine.events import MessageChanged
from messenger.engine.prekeys import Published
from messenger.engine.sealed_store import Desk, load
from messenger.engine.sealing import Opened, Sealing
from messenger.protocol.prekeys import Prekey
from messenger.protocol.sealed_sessions import Sessions
from tests.helpers.engines import Person, friends

KEY: Final = bytes(range(32))
"""Of every queue here."""

_rounds: Final = itertools.count(1)


def context_of(person: Person) -> Context:
    """The open profile of somebody."""
    running = person.engine._running
    assert running is not None
    return running.context


def sealing(person: Person) -> Sealing:
    """Somebody's sealed messages."""
    return person.engine.sealing()


async def seeded(alice: Person, bob: Person) -> tuple[ConversationId, ConversationId]:
    """Let two people meet and accept each other; their link has seeded a session when this returns."""
    here, there = await friends(alice, bob)
    await settled(alice, here, bob, there)
    return here, there


async def settled(alice: Person, here: ConversationId, bob: Person, there: ConversationId) -> None:
    """Wait until everything that a link begins with has arrived and been answered.

    What is said on a link is handled in turn: a receipt tells that all has been handled which came before.
    """
    for _ in range(2):
        for one, conversation in ((alice, here), (bob, there)):
            mark = one.mark
            message = await one.engine.send_text(conversation, f"round {next(_rounds)}")
            await one.wait_for(
                MessageChanged,
                functools.partial(_delivered, message.id),
                since=mark,
            )


def _delivered(message: MessageId, event: MessageChanged) -> bool:
    return event.message.id == message and event.message.state is MessageState.DELIVERED


async def part(alice: Person, here: ConversationId, bob: Person, there: ConversationId) -> None:
    """End their link; with `reconnect` off neither calls the other by itself."""
    marks = alice.mark, bob.mark
    await alice.engine.disconnect(here)
    await alice.offline(here, since=marks[0])
    await bob.offline(there, since=marks[1])


async def write(person: Person, conversation: ConversationId, text: str) -> tuple[Message, bytes]:
    """Write a text to somebody who is away, and take the envelope with it."""
    message = await person.engine.send_text(conversation, text)
    return message, await envelope(person, conversation, message.id)


async def envelope(person: Person, conversation: ConversationId, message: MessageId) -> bytes:
    """The envelope with a text that waits; there must be a session."""
    sealed = await sealing(person).sealed_for(conversation, message, KEY)
    assert sealed is not None
    return sealed


async def bring(person: Person, sealed: bytes) -> Opened | None:
    """Carry an envelope to somebody."""
    return await sealing(person).open_sealed(sealed, KEY)


async def bring_receipts(person: Person, conversation: ConversationId, other: Person) -> list[MessageId]:
    """Carry the receipts of somebody that are due; returns for what."""
    receipts = await sealing(person).receipts(conversation, KEY)
    assert receipts is not None
    assert await bring(other, receipts.envelope) is not None
    await sealing(person).receipts_carried(conversation, receipts.ids)
    return receipts.ids


async def sessions(person: Person, conversation: ConversationId) -> Sessions:
    """Somebody's sessions with a contact."""
    context = context_of(person)
    return await context.stored(load, Desk(context.store, context.fingerprint, 0), conversation)


async def current(person: Person, conversation: ConversationId) -> bytes | None:
    """Id of the session in which somebody seals."""
    session = (await sessions(person, conversation)).current
    return session.sid if session else None


async def fingerprint_only(person: Person, other: Person) -> ConversationId:
    """Make somebody a contact of whom nothing but the fingerprint is known."""
    context = context_of(person)
    contact: Contact = await context.stored(
        context.store.contacts.add,
        other.fingerprint,
        standing=Standing.ACCEPTED,
        awaiting=True,
        now_ms=context.now_ms(),
    )
    return contact.id


def prekey_of(published: Published, number: int = 0, *, last_resort: bool = False) -> bytes:
    """One of the prekeys that a relay has."""
    chosen = [raw for raw in published.prekeys if Prekey.decode(raw).last_resort is last_resort]
    return chosen[number]


async def write_first(
    person: Person,
    conversation: ConversationId,
    text: str,
    published: Published,
    number: int = 0,
    *,
    last_resort: bool = False,
    invite_secret: bytes = b"",
) -> tuple[Message, bytes]:
    """Write a first contact, and take the envelope with it."""
    message = await person.engine.send_text(conversation, text)
    sealed = await sealing(person).sealed_first(
        conversation,
        message.id,
        KEY,
        prekey_list=published.list,
        prekey=prekey_of(published, number, last_resort=last_resort),
        invite_secret=invite_secret,
    )
    assert sealed is not None
    return message, sealed


async def killed(person: Person, folder: Path) -> None:
    """Let somebody's process die as it is now, and start on what is on the disk at this moment.

    Args:
        person: Who.
        folder: A folder that is not there yet, for what is on the disk now.
    """
    _cut_off(person)
    # Without any goodbye, and in no moment in which a file is half written.
    keeping = functools.partial(shutil.copytree, person.folder, folder, ignore=shutil.ignore_patterns("lock"))
    context_of(person).worker._executor.submit(keeping).result()
    await person.engine.stop()
    for each in person.folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "lock":  # a profile elsewhere, with another lock, would be taken for a copy
            each.unlink()
    shutil.copytree(folder, person.folder, dirs_exist_ok=True)
    await person.start()


def _cut_off(person: Person) -> None:
    """Let nothing leave somebody's engine any more: the dead do not say what came to their disk later."""
    running = person.engine._running
    if running is None:
        return
    for session in running.peers._started:
        session.connection.stream.abort()
    for link in (*running.relays._links.values(), *itertools.chain(*running.relays._more.values())):
        link.abort()


def later(person: Person, seconds: float) -> None:
    """Set somebody's calendar forward."""
    context = context_of(person)
    now = context.now_ms()
    context.now_ms = lambda: now + int(seconds * 1000)
