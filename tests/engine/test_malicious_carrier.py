"""A carrier that does its worst: swaps prekeys, serves old lists, turns letters round and seals them anew."""

import asyncio

import msgspec
import pytest

from messenger.core import limits
from messenger.core.errors import Reason, RemoteProtocolError
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import MessageState
from messenger.engine.events import EngineFault
from messenger.engine.prekeys import Published
from messenger.protocol import payload, sealed_opening
from messenger.protocol.packets import Hello, Text
from messenger.protocol.prekeys import Prekey, PrekeyList, SecretPrekey, draft_list, make_prekeys
from messenger.protocol.seal import Kind, disclose, enclose
from messenger.protocol.sealed_opening import Letter
from tests.helpers.carrier import (
    KEY,
    bring,
    context_of,
    fingerprint_only,
    later,
    part,
    prekey_of,
    sealing,
    seeded,
    sessions,
    write,
    write_first,
)
from tests.helpers.engines import People, Person
from tests.helpers.keys import identity
from tests.helpers.sealing import flipped

DAY = 24 * 3600


async def given(
    person: Person, conversation: ConversationId, relay: Published, prekey: bytes | None = None
) -> None:
    """Somebody writes with what a relay gave them."""
    message = await person.engine.send_text(conversation, "secret")
    await sealing(person).sealed_first(
        conversation,
        message.id,
        KEY,
        prekey_list=relay.list,
        prekey=prekey_of(relay) if prekey is None else prekey,
    )


async def test_prekeys_that_are_not_theirs(people: People) -> None:
    """Nothing is sealed to a key of the carrier, in however good a list it stands."""
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    here, genuine = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    other, now = await sealing(carol).prekeys(), context_of(bob).now
    forged = draft_list(
        identity("bob").bundle(now - DAY), now + 9, [*make_prekeys(1, now, last_resort=True)], now
    )
    signed = forged.signed(identity("mallory").signing.sign(forged.needed.label, forged.needed.fields))
    raw = genuine.list
    at = len(raw) - 2 - 384 - 40
    for bad in (
        other,
        Published(genuine.list, other.prekeys),
        Published(signed.encode(), other.prekeys),
        Published(flipped(raw, at), genuine.prekeys),
        Published(raw[:-1], genuine.prekeys),
        Published(b"", genuine.prekeys),
    ):
        with pytest.raises(RemoteProtocolError) as caught:
            await given(alice, here, bad)
        assert (caught.value.reason is Reason.WRONG_PERSON) is (bad is other)
    changed = flipped(prekey_of(genuine), 500)
    with pytest.raises(RemoteProtocolError):
        await given(alice, here, genuine, changed)
    assert (await sessions(alice, here)).held == ()
    await given(alice, here, genuine)
    assert len((await sessions(alice, here)).held) == 1


async def test_an_old_list_is_not_taken_again(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, old = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    for person in (alice, bob):
        later(person, limits.PREKEY_LIST_RENEW + 60)
    new = await sealing(bob).prekeys()
    await given(alice, here, old)
    await given(alice, here, new)
    with pytest.raises(RemoteProtocolError):
        await given(alice, here, old)
    later(alice, limits.PREKEY_LIST_LIFETIME + 2 * DAY)
    with pytest.raises(RemoteProtocolError):
        await given(alice, here, new)
    assert len((await sessions(alice, here)).held) == 2


async def test_a_list_that_was_refused_pins_nothing(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, genuine = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    listed = PrekeyList.decode(genuine.list)
    forged = msgspec.structs.replace(listed, serial=2**62).encode()
    with pytest.raises(RemoteProtocolError):
        await given(alice, here, Published(forged, genuine.prekeys))
    await given(alice, here, genuine)


async def test_a_letter_that_was_changed_anywhere(people: People) -> None:
    """Nothing of it is believed, the prekey stays, and the genuine one is taken afterwards."""
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    _, sealed = await write_first(alice, here, "genuine", relay)
    _, letter = disclose(KEY, sealed)
    size = len(letter)
    for at in (0, 15, 16, 600, 1135, 1137, 1138, 1300, 1521, 1522, 2000, size - 17, size - 1):
        for changed in (flipped(letter, at), letter[:at]):
            assert await bring(bob, enclose(KEY, Kind.OPENING, changed)) is None
    assert await bring(bob, enclose(KEY, Kind.OPENING, letter + b"\0")) is None
    assert await bring(bob, enclose(KEY, Kind.MESSAGE, letter)) is None
    assert await bob.engine.conversations() == []
    assert bob.count(EngineFault) == 0
    assert await bring(bob, sealed) is not None


async def test_a_letter_to_one_is_none_to_another(people: People) -> None:
    """Bob seals what Alice has signed for him to Carol, as if Alice had written it to her."""
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    here = await fingerprint_only(alice, bob)
    bobs, carols = await sealing(bob).prekeys(), await sealing(carol).prekeys()
    _, sealed = await write_first(alice, here, "for bob alone", bobs)
    assert await bring(carol, sealed) is None
    claim = await _claim(bob, sealed)
    content = claim._content
    now = context_of(carol).now
    chosen = PrekeyList.decode(carols.list).choose(Prekey.decode(prekey_of(carols)), carol.fingerprint, now)
    draft = sealed_opening.begin(
        identity("alice").bundle(now - DAY), chosen, message_id=content.message_id, sent_ms=content.sent_ms,
        rank=content.rank, payload=content.payload,
    )  # fmt: skip
    draft._content = content.unsigned()
    assert await bring(carol, enclose(KEY, Kind.OPENING, draft.signed(content.signature))) is None
    assert await carol.engine.conversations() == []
    assert await bring(bob, sealed) is not None


async def _claim(person: Person, sealed: bytes) -> sealed_opening.Claim:
    """What somebody finds in a letter, without taking it."""
    context = context_of(person)
    letter = Letter.decode(disclose(KEY, sealed)[1])
    secret = await context.stored(context.store.prekeys.get, letter.prekey_id, context.fingerprint)
    return await sealing(person)._open(letter, SecretPrekey.decode(secret or b""))


async def test_a_letter_under_another_name(people: People) -> None:
    """Mallory cannot put Alice's identity into a letter of her own."""
    bob = await people("bob")
    relay, now = await sealing(bob).prekeys(), context_of(bob).now
    chosen = PrekeyList.decode(relay.list).choose(Prekey.decode(prekey_of(relay)), bob.fingerprint, now)
    text = Text(b"i" * 16, 1, bytes(32), 5, "it is me, alice", 0, b"", 0)
    alice = identity("alice").bundle(now - DAY)
    draft = sealed_opening.begin(
        alice,
        chosen,
        message_id=MessageId(text.id),
        sent_ms=now * 1000,
        rank=1,
        payload=payload.encode([text]),
    )
    needed = draft.needed
    forged = draft.signed(identity("mallory").signing.sign(needed.label, needed.fields))
    assert await bring(bob, enclose(KEY, Kind.OPENING, forged)) is None
    assert await bob.engine.conversations() == []


async def test_one_prekey_for_two_people(people: People) -> None:
    """A relay that hands one out twice loses a letter of somebody, and nobody reads it."""
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    relay, envelopes = await sealing(bob).prekeys(), []
    for person in (alice, carol):
        here = await fingerprint_only(person, bob)
        envelopes.append((await write_first(person, here, f"from {person.who}", relay))[1])
    assert await bring(bob, envelopes[0]) is not None
    assert await bring(bob, envelopes[1]) is None
    here = await carol.with_(bob)
    (message,) = await carol.engine.messages(here)
    assert message.state is MessageState.QUEUED, "it waits for another way"


async def test_an_envelope_is_not_turned_round_or_sealed_to_another(people: People) -> None:
    alice, bob, carol = [await people(who, reconnect=False) for who in ("alice", "bob", "carol")]
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    with_carol, carols = await seeded(bob, carol)
    await part(bob, with_carol, carol, carols)
    _, sealed = await write(alice, here, "for bob")
    for person in (alice, carol):
        assert await bring(person, sealed) is None
    _, content = disclose(KEY, sealed)
    session = (await sessions(carol, carols)).held[0].session
    assert await bring(carol, enclose(KEY, Kind.MESSAGE, session.sid + content[32:])) is None
    assert await bring(bob, enclose(KEY, Kind.OPENING, content)) is None
    assert await bring(bob, sealed) is not None
    assert "for bob" not in await carol.texts(carols)


@pytest.mark.parametrize("what", ["nothing", "garbage", "packet of a link", "too many", "bad text"])
async def test_a_contact_who_seals_what_cannot_be(what: str, people: People) -> None:
    """It is dropped, the session stays as it was, and what comes after it is read."""
    alice, bob = [await people(who, reconnect=False) for who in ("alice", "bob")]
    here, there = await seeded(alice, bob)
    await part(alice, here, bob, there)
    hello = payload.encode([Hello("Alice", 0, accepted=True, read_seq=0)])
    bad = {
        "nothing": b"",
        "garbage": b"\x00\x00\x05hello",
        "packet of a link": hello + b"\x00\x00\x02\x08\x90",
        "too many": hello * 17,
        "bad text": payload.encode([Text(b"i" * 16, 1, bytes(32), 5, "x", 0, b"", 0)])[:-1] + b"\xff",
    }[what]
    context = context_of(alice)
    before = await sessions(alice, here)
    after, message = before.seal(bad)
    sids = [held.session.sid for held in after.held]
    await context.stored(context.store.sealed.put, here, alice.fingerprint, after.encode(), sids)
    theirs = (await sessions(bob, there)).encode()
    assert await bring(bob, enclose(KEY, Kind.MESSAGE, message)) is None
    assert (await sessions(bob, there)).encode() == theirs
    _, sealed = await write(alice, here, "sorry")
    assert await bring(bob, sealed) is not None
    assert (await bob.texts(there))[-1] == "sorry"


async def test_many_letters_at_once_are_opened_a_few_at_a_time(people: People) -> None:
    """And each once, however many copies arrive at the same moment."""
    alice, bob = await people("alice"), await people("bob")
    here, relay = await fingerprint_only(alice, bob), await sealing(bob).prekeys()
    letters = [(await write_first(alice, here, f"text {n}", relay, n))[1] for n in range(3)]
    taken = await asyncio.gather(*(bring(bob, sealed) for sealed in letters * 4))
    assert sum(each is not None for each in taken) == 3
    there = await bob.with_(alice)
    assert sorted(await bob.texts(there)) == ["text 0", "text 1", "text 2"]
    assert bob.count(EngineFault) == 0
