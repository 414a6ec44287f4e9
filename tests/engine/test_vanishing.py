"""Messages that disappear, between two engines: agreed by both, gone at both, whatever happens in between."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messenger.core import deed_limits, store_limits
from messenger.core.errors import DiskFull, InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Draft, ExportForm, Message, MessageState, SearchQuery
from messenger.core.settings import NewTimer
from messenger.core.transfers import TransferState, Wish
from messenger.engine.events import (
    ChainChanged,
    ContactChanged,
    EngineFault,
    MessageAdded,
    MessagesVanished,
    TransferChanged,
)
from messenger.protocol.packets import Delivered, Hello, Text, Timer
from messenger.storage.store import Store
from messenger.storage.timers import Gone
from messenger.text import export
from tests.helpers.carrier import (
    bring,
    bring_receipts,
    context_of,
    envelope,
    killed,
    later,
    part,
    seeded,
    write,
)
from tests.helpers.engines import People, Person, friends
from tests.helpers.links import End
from tests.helpers.wire import calling

HOUR, DAY = 3600, 24 * 3600
SECRET = "elderberry"


def pass_by(*people: Person, seconds: float) -> None:
    """Let time pass for people."""
    for person in people:
        later(person, seconds)
        context_of(person).timing.set()


async def vanished(person: Person, *messages: MessageId) -> None:
    """Wait until messages have disappeared."""
    for message in messages:
        await person.wait_for(MessagesVanished, lambda e, m=message: m in e.ids)  # type: ignore[misc]


async def timer(person: Person, other: Person, seconds: int) -> None:
    """Wait until the other has set a timer, which holds then."""
    conversation = await person.with_(other)
    told = await person.wait_for(
        MessageAdded,
        lambda e: e.message.notice and not e.message.outgoing and e.message.timer == seconds,
    )
    assert told.message.conversation == conversation
    await person.wait_for(
        ContactChanged,
        lambda e: e.contact.id == conversation and e.contact.timer == seconds,
        since=person.events.index(told),
    )


async def seen(person: Person, conversation: ConversationId, text: str) -> Message:
    """Wait for a text, and look at it."""
    message = await person.hears(text)
    await person.engine.mark_read(conversation, message.position)
    return message


async def lines(person: Person, conversation: ConversationId) -> list[tuple[bool, int]]:
    return [(m.outgoing, m.timer) for m in await person.engine.messages(conversation) if m.notice]


async def hits(person: Person) -> int:
    return len((await person.engine.find(SearchQuery(text=SECRET))).messages)


async def test_agreed_by_both_and_gone_at_both(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    before = await alice.engine.send_text(here, "stays")
    await seen(bob, there, "stays")
    assert (await alice.engine.set_timer(here, HOUR)).timer == HOUR
    await timer(bob, alice, HOUR)
    first = await alice.engine.send_text(here, f"{SECRET} one")
    await seen(bob, there, first.text)
    second = await bob.engine.send_text(there, f"{SECRET} two", first.id)
    await seen(alice, here, second.text)
    await bob.sees(second.id, MessageState.READ)
    await bob.engine.react(there, first.id, "👍")
    await alice.engine.edit(here, first.id, f"{SECRET} three")
    await alice.engine.set_draft(here, Draft("well", second.id))
    await bob.engine.set_timer(there, 0)
    await timer(alice, bob, 0)
    last = await bob.engine.send_text(there, "stays too", second.id)
    await seen(alice, here, last.text)
    await bob.sees(last.id, MessageState.READ)
    for person, conversation in ((alice, here), (bob, there)):
        assert await hits(person) == 2
        shown = [(m.text, m.timer) for m in await person.engine.messages(conversation) if not m.notice]
        assert shown == [("stays", 0), (f"{SECRET} three", HOUR), (second.text, HOUR), ("stays too", 0)]
    assert await lines(alice, here) == [(True, HOUR), (False, 0)]
    assert await lines(bob, there) == [(False, HOUR), (True, 0)]

    pass_by(alice, bob, seconds=HOUR - 60)
    assert not alice.count(MessagesVanished) + bob.count(MessagesVanished)
    pass_by(alice, bob, seconds=60)
    for person, conversation in ((alice, here), (bob, there)):
        await vanished(person, first.id, second.id)
        left = [m.id for m in await person.engine.messages(conversation) if not m.notice]
        assert left == [before.id, last.id]
        assert await hits(person) == 0
    assert await alice.engine.draft(here) == Draft("well")
    final = await alice.engine.send_text(here, "and on", last.id)
    await bob.hears("and on")
    await alice.sees(final.id, MessageState.DELIVERED)
    assert not alice.count(ChainChanged) + bob.count(ChainChanged)


async def test_what_nobody_may_set(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    for seconds in (-1, 1, deed_limits.TIMER_MIN - 1, deed_limits.TIMER_MAX + 1):
        with pytest.raises(InputError) as caught:
            await alice.engine.set_timer(here, seconds)
        assert caught.value.problem is InputProblem.BAD_VALUE
    with pytest.raises(InputError) as caught:
        await alice.engine.set_timer(ConversationId(99), HOUR)
    assert caught.value.problem is InputProblem.UNKNOWN
    await alice.engine.set_timer(here, 0)
    assert await alice.engine.messages(here) == [], "it was so already"
    await alice.engine.set_timer(here, deed_limits.TIMER_MAX)
    (line,) = await alice.engine.messages(here)
    for refused in (
        alice.engine.send_text(here, "x", line.id),
        alice.engine.edit(here, line.id, "x"),
        alice.engine.react(here, line.id, "👍"),
        alice.engine.delete_message(here, line.id, for_both=False),
    ):
        with pytest.raises(InputError) as caught:
            await refused
        assert caught.value.problem is InputProblem.UNKNOWN
    await alice.engine.block(here)
    with pytest.raises(InputError) as caught:
        await alice.engine.set_timer(here, HOUR)
    assert caught.value.problem is InputProblem.NOT_ALLOWED


async def test_what_waits_is_not_late(people: People) -> None:
    """The other is away for longer than the timer: it arrives all the same, and its time runs from then."""
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    mark = alice.mark
    await bob.engine.stop()
    await alice.offline(here, since=mark)
    await alice.engine.set_timer(here, HOUR)
    message = await alice.engine.send_text(here, SECRET)
    pass_by(alice, seconds=5 * HOUR)
    await alice.engine.set_timer(here, 0)
    await bob.start()
    heard = await bob.hears(SECRET)
    assert (heard.timer, heard.expires_ms) == (HOUR, None)
    sent = await alice.sees(message.id, MessageState.DELIVERED)
    assert sent.expires_ms is not None
    pass_by(alice, seconds=HOUR)
    await vanished(alice, message.id)
    pass_by(bob, seconds=10 * HOUR)
    assert await bob.texts(there) == ["", SECRET, ""], "nobody has seen it yet"
    await bob.engine.mark_read(there, heard.position)
    pass_by(bob, seconds=HOUR)
    await vanished(bob, message.id)
    assert not bob.count(ChainChanged)


async def test_by_sealed_messages_in_any_order(people: People, tmp_path: Path) -> None:
    """The text comes before the timer under which it was written, twice, and once more when it is gone."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    await alice.engine.set_timer(here, HOUR)
    (line,) = [m for m in await alice.engine.messages(here) if m.notice]
    setting = await envelope(alice, here, line.id)
    message, sealed = await write(alice, here, SECRET)
    assert await bring(bob, sealed)
    assert (await bob.conversation(alice)).contact.timer == 0
    heard = await seen(bob, there, SECRET)
    assert heard.timer == HOUR
    assert await bring(bob, setting)
    assert (await bob.conversation(alice)).contact.timer == HOUR
    await bring_receipts(bob, there, alice)
    await alice.sees(message.id, MessageState.DELIVERED)
    pass_by(alice, bob, seconds=HOUR)
    await vanished(alice, message.id)
    await vanished(bob, message.id)
    await bring(bob, sealed)
    assert SECRET not in await bob.texts(there)
    await killed(bob, tmp_path / "later")
    assert SECRET not in await bob.texts(there)
    assert (await bob.conversation(alice)).missing == 0


async def test_it_is_gone_before_anything_is_shown(people: People, tmp_path: Path) -> None:
    """Killed while its time runs; when the program starts again, the time is over."""
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    await alice.engine.set_timer(here, HOUR)
    await timer(bob, alice, HOUR)
    context = context_of(bob)
    later(bob, -2 * HOUR)
    message = await alice.engine.send_text(here, SECRET)
    await seen(bob, there, SECRET)
    await context.stored(context.store.timers.next_due)
    await killed(bob, tmp_path / "later")
    assert [event for event in bob.events if isinstance(event, MessagesVanished)] == [
        MessagesVanished(there, (message.id,))
    ]
    assert SECRET not in await bob.texts(there)
    reader = bob.engine.reader()
    assert [m.text for m in reader.messages(there, count=9)] == [""]
    assert reader.vanished(there, message.id)
    reader.close()


async def test_it_goes_by_itself_when_it_is_due(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deed_limits, "TIMER_MIN", 1)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.set_timer(here, 1)
    message = await alice.engine.send_text(here, SECRET)
    await seen(bob, there, SECRET)
    await vanished(bob, message.id)
    await vanished(alice, message.id)


async def test_a_machine_that_slept(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock has gone on while that of the loop stood still."""
    monkeypatch.setattr(store_limits, "IDLE_LOOK", 0.02)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.set_timer(here, DAY)
    message = await alice.engine.send_text(here, SECRET)
    await seen(bob, there, SECRET)
    later(bob, DAY)
    await vanished(bob, message.id)
    assert not alice.count(MessagesVanished)


async def test_a_machine_that_slept_while_it_was_asked_what_is_due(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_limits, "IDLE_LOOK", 0.02)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.set_timer(here, DAY)
    message = await alice.engine.send_text(here, SECRET)
    await bob.hears(SECRET)
    context = context_of(bob)
    stored, next_due = context.stored, context.store.timers.next_due
    slept: list[bool] = []

    async def sleeping(job: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- any
        result = await stored(job, *arguments, **named)
        if job == next_due and result is not None and not slept:
            slept.append(True)
            later(bob, DAY)
        return result

    monkeypatch.setattr(context, "stored", sleeping)
    await seen(bob, there, SECRET)
    await vanished(bob, message.id)


async def test_a_disk_that_refuses_for_a_while(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_limits, "TIDY_AFTER", 0.02)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    await alice.engine.set_timer(here, HOUR)
    message = await alice.engine.send_text(here, SECRET)
    await seen(bob, there, SECRET)
    timers = context_of(bob).store.timers
    whole, full = timers.expire, [True]

    def expire() -> list[Gone]:
        if full.pop():
            raise DiskFull("there is no room")
        full.append(False)
        return whole()

    monkeypatch.setattr(timers, "expire", expire)
    full.append(True)
    pass_by(bob, seconds=HOUR)
    fault = await bob.wait_for(EngineFault)
    assert (fault.where, fault.error) == ("timers", "DiskFull")
    full[:] = [False]
    await vanished(bob, message.id)


async def test_the_setting_for_new_conversations(people: People) -> None:
    alice = await people("alice", new_timer=NewTimer.DAY.value)
    bob = await people("bob", new_timer=NewTimer.HOUR.value)
    here = (await alice.connect(await bob.address())).id
    early = await alice.engine.send_text(here, "who are you?")
    assert (early.timer, await lines(alice, here)) == (DAY, []), "they hear no more than texts yet"
    heard = await bob.hears("who are you?")
    assert heard.timer == DAY
    there = heard.conversation
    await bob.engine.accept(there)
    await alice.wait_for(ContactChanged, lambda e: e.contact.id == here and not e.contact.awaiting)
    message = await alice.engine.send_text(here, SECRET)
    await bob.hears(SECRET)
    answer = await bob.engine.send_text(there, "yes")
    await alice.hears("yes")
    assert (message.timer, answer.timer) == (DAY, DAY), "it was chosen already"
    assert await lines(alice, here) == [(True, DAY)]
    assert await lines(bob, there) == [(False, DAY)]
    await bob.engine.set_timer(there, 0)
    await timer(alice, bob, 0)
    assert (await alice.engine.send_text(here, "stays")).timer == 0


async def test_a_peer_that_says_it_twice_and_a_stranger(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        setting = Timer(b"t" * 16, 1, bytes(32), 5, HOUR, 9)
        text = Text(b"1" * 16, 2, bytes(32), 5, "hello", 10, b"", 60)
        mallory.say(setting, text)
        heard = await bob.hears("hello")
        contact = (await bob.conversation("mallory")).contact
        assert (contact.timer, heard.timer) == (0, 60), "a stranger sets nothing"
        await bob.engine.accept(contact.id)
        await mallory.packet(Hello, 2)
        mallory.say(setting, setting, Timer(b"u" * 16, 3, bytes(32), 5, DAY, 8))
        await bob.wait_for(MessageAdded, lambda e: e.message.id == b"u" * 16)
        await mallory.packet(Delivered)
        assert (await bob.conversation("mallory")).contact.timer == HOUR
        assert sorted(await lines(bob, contact.id)) == [(False, HOUR), (False, DAY)]
        assert bob.count(MessageAdded) == 3


async def test_neither_backup_nor_written_conversation_has_them(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    await alice.engine.send_text(here, "stays")
    await alice.engine.set_timer(here, HOUR)
    await alice.engine.send_text(here, SECRET)
    await seen(bob, there, SECRET)
    contact = (await bob.conversation(alice)).contact
    words = export.export_words(contact)
    for form in ExportForm:
        path = tmp_path / form.value
        assert await bob.engine.export_conversation(there, path, form, words) == 1
        assert SECRET not in path.read_text(encoding="utf-8")
    assert [m["text"] for m in json.loads((tmp_path / "json").read_bytes())["messages"]] == ["stays"]
    made = await bob.engine.back_up()
    await bob.engine.stop()
    await bob.engine.restore(made.name)
    await bob.engine.open()
    assert await bob.texts(there) == ["stays", ""]
    assert (await bob.conversation(alice)).contact.timer == HOUR
    (aside,) = bob.folder.glob("sotto.db.aside-*")
    old = Store.open(aside, bob.engine._profile.db_key)
    assert [message.text for message in old.messages.page(there)] == ["stays", ""]
    old.close()


async def test_offers_disappear_with_what_is_noted_of_them_and_files_stay(
    people: People, tmp_path: Path
) -> None:
    alice, bob = await people("alice", new_timer=NewTimer.HOUR), await people("bob")
    here, there = await friends(alice, bob)
    (tmp_path / "letter").write_text(SECRET)
    message, _ = await alice.engine.offer_files(here, [tmp_path / "letter"])
    assert message.timer == HOUR, "the first that is written begins the timer of the settings"
    offer = (await bob.wait_for(TransferChanged)).transfer
    arrived = await bob.hears("letter")
    await bob.engine.mark_read(there, arrived.position)
    await alice.sees(message.id, MessageState.READ)
    await alice.engine.pause_transfer((await alice.engine.transfers())[0].id)
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await alice.wait_for(TransferChanged, lambda e: e.transfer.theirs is Wish.GO)
    pass_by(alice, bob, seconds=2 * HOUR)
    for person in (alice, bob):
        assert await context_of(person).stored(context_of(person).store.timers.expire) == []
    await alice.engine.resume_transfer((await alice.engine.transfers())[0].id)
    await vanished(bob, message.id)
    await vanished(alice, message.id)
    for person in (alice, bob):
        assert person.count(TransferChanged, lambda e: e.transfer.state is TransferState.DONE)
        assert await person.engine.transfers() == []
    assert (tmp_path / "there" / "letter").read_text() == SECRET
