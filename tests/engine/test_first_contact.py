"""First contacts between two engines: prekeys, message requests, and what a stranger may do."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.models import MessageState, Standing
from messenger.crypto.rsa import Label
from messenger.engine.events import ContactChanged, MessageAdded
from messenger.engine.prekeys import Published
from messenger.protocol.invite import read_invite
from messenger.protocol.prekeys import Prekey, PrekeyList
from tests.helpers.carrier import (
    KEY,
    bring,
    bring_receipts,
    context_of,
    current,
    envelope,
    fingerprint_only,
    killed,
    later,
    prekey_of,
    sealing,
    sessions,
    settled,
    write,
    write_first,
)
from tests.helpers.engines import People, Person
from tests.helpers.keys import identity

DAY = 24 * 3600


async def published(person: Person) -> Published:
    """What a relay has of somebody."""
    return await sealing(person).prekeys()


async def prekeys_left(person: Person) -> int:
    """How many prekeys somebody has the secrets of."""
    context = context_of(person)
    return len(await context.stored(context.store.prekeys.all, context.fingerprint))


async def test_a_stranger_writes_and_is_answered(people: People) -> None:
    """Without a link ever: request, acceptance, receipts, and a session in which both go on."""
    alice, bob = await people("alice"), await people("bob")
    here = await fingerprint_only(alice, bob)
    message, sealed = await write_first(alice, here, "You do not know me", await published(bob))
    assert len(sealed) == limits.ENVELOPE_BUCKETS[1]
    opened = await bring(bob, sealed)
    assert opened is not None
    assert not opened.receipts_due, "nobody has accepted them"
    there = opened.conversation
    heard = await bob.hears("You do not know me")
    contact = await bob.contact(alice)
    assert (contact.standing, contact.name, contact.awaiting) == (Standing.REQUEST, "Alice", False)
    assert heard.id == message.id
    assert await sealing(bob).receipts(there, KEY) is None
    await bob.engine.accept(there)
    assert await bring_receipts(bob, there, alice) == [message.id]
    await alice.sees(message.id, MessageState.DELIVERED)
    known = await alice.wait_for(ContactChanged, lambda e: e.contact.id == here and not e.contact.awaiting)
    assert known.contact.name == "Bob"
    assert await current(alice, here) == await current(bob, there) is not None
    for one, conversation, other in ((alice, here, bob), (bob, there, alice)) * 2:
        again, sealed = await write(one, conversation, f"from {one.who}")
        assert len(sealed) == 4096
        assert await bring(other, sealed) is not None
        await bring_receipts(other, there if other is bob else here, one)
        await one.sees(again.id, MessageState.DELIVERED)


async def test_a_first_contact_comes_once_and_burns_its_prekey(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await published(bob)
    assert len(relay.prekeys) == limits.PREKEYS_MAX + 1 == await prekeys_left(bob)
    message, sealed = await write_first(alice, here, "once", relay)
    assert await bring(bob, sealed) is not None
    assert await prekeys_left(bob) == limits.PREKEYS_MAX
    assert await bring(bob, sealed) is None
    await killed(bob, tmp_path / "bob again")
    assert await bring(bob, sealed) is None
    assert await bring(bob, await envelope(alice, here, message.id)) is None, "the same bytes"
    assert bob.count(MessageAdded) == 0
    assert len(await bob.engine.conversations()) == 1
    gone = prekey_of(relay)
    assert gone not in (await published(bob)).prekeys
    assert len((await published(bob)).prekeys) == limits.PREKEYS_MAX


async def test_the_prekey_of_last_resort_stays_and_its_letters_still_come_once(people: People) -> None:
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    relay = await published(bob)
    envelopes = []
    for person in (alice, carol):
        here = await fingerprint_only(person, bob)
        _, sealed = await write_first(person, here, f"from {person.who}", relay, last_resort=True)
        envelopes.append(sealed)
    for sealed in envelopes:
        assert await bring(bob, sealed) is not None
        assert await bring(bob, sealed) is None
    assert await prekeys_left(bob) == limits.PREKEYS_MAX + 1
    await bob.engine.delete_conversation(await bob.with_(alice))
    later(bob, limits.PREKEY_KEPT - 10)
    await sealing(bob).tidy()
    for sealed in envelopes:
        assert await bring(bob, sealed) is None, "remembered as long as the prekey, whatever was deleted"
    later(bob, 20)
    await sealing(bob).tidy()
    assert await prekeys_left(bob) == 0
    assert await bring(bob, envelopes[0]) is None


async def test_more_first_contacts_before_an_answer(people: People, tmp_path: Path) -> None:
    """Each has a session of its own; when one is answered, the others are sealed anew in it."""
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await published(bob)
    sent = [await write_first(alice, here, f"text {n}", relay, n) for n in range(limits.OPENINGS_WAITING_MAX)]
    one_more = await alice.engine.send_text(here, "one more")
    words = {"prekey_list": relay.list, "prekey": prekey_of(relay, 7)}
    assert await sealing(alice).sealed_first(here, one_more.id, KEY, **words) is None
    await killed(alice, tmp_path / "alice again")
    assert await bring(bob, sent[2][1]) is not None
    there = await bob.with_(alice)
    await bob.engine.accept(there)
    await bring_receipts(bob, there, alice)
    for message, sealed in (*sent[:2], *sent[3:]):
        anew = await envelope(alice, here, message.id)
        assert len(anew) == 4096, "in the session of the answer"
        assert await bring(bob, anew) is not None
        assert await bring(bob, sealed) is not None, "the old one makes a session, and no second message"
    assert await bring(bob, await envelope(alice, here, one_more.id)) is not None
    assert sorted(await bob.texts(there)) == sorted([*(f"text {n}" for n in range(5)), "one more"])
    assert len((await sessions(bob, there)).held) <= limits.SESSIONS_OLD_MAX + 1


async def test_both_write_first_at_once(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await fingerprint_only(alice, bob), await fingerprint_only(bob, alice)
    _, to_bob = await write_first(alice, here, "from alice", await published(bob))
    _, to_alice = await write_first(bob, there, "from bob", await published(alice))
    assert await bring(bob, to_bob) is not None
    assert await bring(alice, to_alice) is not None
    await bring_receipts(bob, there, alice)
    await bring_receipts(alice, here, bob)
    _, sealed = await write(alice, here, "and on")
    assert await bring(bob, sealed) is not None
    _, sealed = await write(bob, there, "and on too")
    assert await bring(alice, sealed) is not None
    assert await current(alice, here) == await current(bob, there) is not None


async def test_a_link_takes_over_from_a_first_contact(people: People) -> None:
    alice, bob = await people("alice", reconnect=False), await people("bob", reconnect=False)
    here = await fingerprint_only(alice, bob)
    message, sealed = await write_first(alice, here, "by letter", await published(bob))
    assert await bring(bob, sealed) is not None
    there = await bob.with_(alice)
    await bob.engine.accept(there)
    opening = await current(bob, there)
    await alice.connect(await bob.address())
    await alice.sees(message.id, MessageState.DELIVERED)
    await settled(alice, here, bob, there)
    assert await current(alice, here) == await current(bob, there) != opening
    assert (await bob.texts(there)).count("by letter") == 1


async def test_an_invite_opens_the_door_once(people: People) -> None:
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    invite, relay = read_invite(await bob.engine.make_invite()), await published(bob)
    for number, (person, standing) in enumerate(((alice, Standing.ACCEPTED), (carol, Standing.REQUEST))):
        here = await fingerprint_only(person, bob)
        long = "x" * (limits.STRANGER_TEXT_MAX if standing is Standing.REQUEST else 60_000)
        _, sealed = await write_first(person, here, long, relay, number, invite_secret=invite.secret)
        opened = await bring(bob, sealed)
        assert opened is not None
        assert opened.receipts_due is (standing is Standing.ACCEPTED)
        assert (await bob.contact(person)).standing is standing


@pytest.mark.parametrize("who", ["alice", "dora"])
async def test_what_a_stranger_may_write(who: str, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """4096 bytes and no more, and nobody can tell from the envelope how many; keys of either size."""
    alice, bob = await people(who), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await published(bob)
    await alice.engine.set_name("ü" * limits.NAME_MAX)
    longest = "ä" * (limits.STRANGER_TEXT_MAX // 2)
    for number, text in enumerate(("x", longest)):
        _, sealed = await write_first(alice, here, text, relay, number)
        assert len(sealed) == 16384
        assert await bring(bob, sealed) is not None
    too_long = await alice.engine.send_text(here, longest + "x")
    words = {"prekey_list": relay.list, "prekey": prekey_of(relay, 2)}
    with pytest.raises(InputError) as caught:
        await sealing(alice).sealed_first(here, too_long.id, KEY, **words)
    assert caught.value.problem is InputProblem.TOO_LONG
    with monkeypatch.context() as patch:  # somebody who does not keep to it
        patch.setattr(limits, "STRANGER_TEXT_MAX", limits.STRANGER_TEXT_MAX + 1)
        sealed = await sealing(alice).sealed_first(here, too_long.id, KEY, **words) or b""
    before = await prekeys_left(bob)
    assert await bring(bob, sealed) is None
    assert await prekeys_left(bob) == before
    there = await bob.with_(who)
    assert await bob.texts(there) == ["x", longest]
    await bob.engine.accept(there)
    assert await bring(bob, sealed) is not None, "a contact may write more"


async def test_a_stranger_has_room_for_some_messages_only(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGER_MESSAGES_MAX", 2)
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await published(bob)
    sent = [await write_first(alice, here, f"text {number}", relay, number) for number in range(3)]
    taken = [await bring(bob, sealed) is not None for _, sealed in sent]
    assert taken == [True, True, False]
    there = await bob.with_(alice)
    assert await bob.texts(there) == ["text 0", "text 1"]
    await bob.engine.accept(there)
    assert await bring(bob, sent[2][1]) is not None


async def test_there_is_room_for_some_strangers_only(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUESTS_MAX", 1)
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    relay, envelopes = await published(bob), []
    for number, person in enumerate((alice, carol)):
        here = await fingerprint_only(person, bob)
        envelopes.append((await write_first(person, here, f"from {person.who}", relay, number))[1])
    assert await bring(bob, envelopes[0]) is not None
    left = await prekeys_left(bob)
    assert await bring(bob, envelopes[1]) is None
    assert await prekeys_left(bob) == left
    await bob.engine.decline(await bob.with_(alice))
    assert await bring(bob, envelopes[1]) is not None


async def test_somebody_blocked_writes_in_vain(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await published(bob)
    _, sealed = await write_first(alice, here, "please", relay)
    there = await fingerprint_only(bob, alice)
    await bob.engine.block(there)
    assert await bring(bob, sealed) is None
    assert await prekeys_left(bob) == limits.PREKEYS_MAX + 1
    assert await bob.texts(there) == []


async def test_an_exchange_key_that_was_replaced_on_the_way(people: People, tmp_path: Path) -> None:
    """The old one opens what was sealed to it, also after a restart; new letters use the new one."""
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await published(bob)
    _, sealed = await write_first(alice, here, "to the old key", relay)
    _, another = await write_first(alice, here, "another", relay, 1)
    context = context_of(bob)
    context.bundle = await context.vault.renew()
    assert context.bundle.exchange != identity("bob").exchange.public
    assert await bring(bob, sealed) is not None
    fresh = await published(bob)
    assert PrekeyList.decode(fresh.list).bundle == context.bundle
    assert PrekeyList.decode(fresh.list).serial > PrekeyList.decode(relay.list).serial
    await killed(bob, tmp_path / "bob again")
    assert await bring(bob, another) is not None


async def test_a_list_is_kept_until_it_is_half_over_or_used_up(people: People) -> None:
    bob = await people("bob")
    first = await published(bob)
    assert await published(bob) == first
    later(bob, limits.PREKEY_LIST_RENEW - 10)
    assert await published(bob) == first
    later(bob, 20)
    second = await published(bob)
    assert second.list != first.list
    serials = [PrekeyList.decode(each.list).serial for each in (first, second)]
    assert serials[1] > serials[0]
    assert not set(second.prekeys) & set(first.prekeys), "those before may not be listed for longer"
    later(bob, -limits.PREKEY_LIST_RENEW)
    third = await published(bob)
    assert PrekeyList.decode(third.list).serial > serials[1], "also if the calendar went back"
    context = context_of(bob)
    once = [raw for raw in third.prekeys if not Prekey.decode(raw).last_resort]
    for raw in once[: -limits.PREKEYS_LEAST]:
        await context.stored(context.store.prekeys.use, Prekey.decode(raw).id)
    assert (await published(bob)).list == third.list
    await context.stored(context.store.prekeys.use, Prekey.decode(once[-1]).id)
    last = await published(bob)
    assert last.list != third.list
    assert len(last.prekeys) == limits.PREKEYS_MAX + 1
    assert len(set(last.prekeys) & set(third.prekeys)) == limits.PREKEYS_LEAST, "what is young goes on"


@pytest.mark.parametrize("what", ["delivered", "blocked", "deleted", "new exchange key"])
async def test_something_happens_while_a_letter_is_signed(
    what: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it does not leave, and nothing of it stays."""
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    message = await alice.engine.send_text(here, "too late")
    context = context_of(alice)
    sign = context.vault.sign

    async def meanwhile(label: Label, fields: Sequence[bytes]) -> bytes:
        match what:
            case "delivered":
                advance = context.store.messages.advance
                await context.stored(advance, here, [message.id], MessageState.DELIVERED)
            case "blocked":
                await alice.engine.block(here)
            case "deleted":
                await alice.engine.delete_conversation(here)
            case _:
                context.bundle = await context.vault.renew()
        return await sign(label, fields)

    with monkeypatch.context() as patch:
        patch.setattr(context.vault, "sign", meanwhile)
        words = {"prekey_list": relay.list, "prekey": prekey_of(relay)}
        with pytest.raises(InputError):
            await sealing(alice).sealed_first(here, message.id, KEY, **words)
    assert (await sessions(alice, here)).held == ()
    assert await context.stored(context.store.sealed.copy, message.position) is None
