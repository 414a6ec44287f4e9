"""What somebody on the network sees of a conversation, every byte of it."""

import base64
from collections.abc import Iterator

import pytest

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.core.models import MessageState
from messenger.net.wiretap import Wiretap
from messenger.protocol.invite import Invite, read_invite, write_invite
from messenger.protocol.messages import MessageType
from tests.helpers.engines import People, Person
from tests.helpers.keys import identity

WORDS = ("the meeting is at the old mill", "שלום לכולם", "nothing but 42 times the letter: " + "q" * 500)


def spellings(needle: bytes) -> Iterator[bytes]:
    """Bytes as they are, and as a careless program might write them."""
    yield needle
    yield needle[::-1]
    for text in (needle.hex(), needle.hex().upper()):
        yield text.encode()
        yield text.encode("utf-16-le")
    for shift in range(3):  # the letters in the middle do not depend on what comes before and after
        whole = base64.b64encode(bytes(shift) + needle)
        yield whole[4:-4]
        yield whole[4:-4].translate(bytes.maketrans(b"+/", b"-_"))
        yield base64.b32encode(bytes(shift) + needle)[8:-8]


def secrets_of(*people: str) -> Iterator[bytes]:
    """Who they are, in every form that a program could let slip."""
    for who in people:
        keys = identity(who)
        for key in (keys.signing.public, keys.exchange.public):
            yield key.modulus[:24]
            yield key.modulus[100:124]
            yield key.modulus[-24:]
            yield key.fingerprint
        written = format_fingerprint(Fingerprint(keys.signing.public.fingerprint))
        yield written.encode()
        yield written.replace(" ", "").encode()
        yield f"{who.capitalize()} of the wire tests".encode()


def words() -> Iterator[bytes]:
    """What they said, whole and in part."""
    for text in WORDS:
        for part in (text, text[:12], text[-12:]):
            yield part.encode()
            yield part.encode("utf-16-le")
            yield part.encode("utf-16-be")
            yield part.encode("utf-32-le")


@pytest.mark.parametrize("by_invite", [False, True], ids=["open door", "contact"])
async def test_no_words_no_names_no_keys(people: People, by_invite: bool) -> None:
    alice, bob = await people("alice"), await people("bob")
    for person in (alice, bob):
        await person.engine.set_name(f"{person.name} of the wire tests")
    tap = await Wiretap.open(Address("127.0.0.1", await bob.port()))
    try:
        await _talk(alice, bob, tap.address, by_invite=by_invite)
        await alice.engine.stop()
        await bob.engine.stop()
    finally:
        await tap.close()
    seen = tap.seen()
    assert len(seen) > 6454 + 2 * len(WORDS) * 256
    found = [needle for secret in [*secrets_of("alice", "bob"), *words()] for needle in spellings(secret)
             if needle in seen]  # fmt: skip
    assert not found


async def _talk(alice: Person, bob: Person, where: Address, *, by_invite: bool) -> None:
    if by_invite:
        invite = read_invite(await bob.engine.make_invite())
        contact = await alice.connect(write_invite(Invite(invite.fingerprint, invite.secret, (where,))))
    else:
        contact = await alice.connect(str(where))
        await bob.named(alice, "Alice of the wire tests")
        await bob.engine.accept(await bob.with_(alice))
    for text in WORDS:
        message = await alice.engine.send_text(contact.id, text)
        arrived = await bob.hears(text)
        await bob.engine.mark_read(arrived.conversation, arrived.position)
        await alice.sees(message.id, MessageState.READ)
        await bob.engine.send_text(arrived.conversation, f"{text}!")
        await alice.hears(f"{text}!")


def test_the_search_finds_what_is_there() -> None:
    """The same search, over a connection that hides nothing."""
    for secret in [*secrets_of("alice"), *words()]:
        hidden = b"\x00" * 7 + secret + b"\xff" * 5
        for seen in (
            hidden,
            hidden.hex().encode(),
            base64.b64encode(hidden),
            base64.urlsafe_b64encode(hidden),
            hidden.hex().encode("utf-16-le"),
        ):
            assert any(needle in seen for needle in spellings(secret))


async def test_sizes_tell_little(people: People) -> None:
    """Five messages of fixed sizes, then records in steps of 256 bytes, whatever is said in them."""
    alice, bob = await people("alice"), await people("bob")
    tap = await Wiretap.open(Address("127.0.0.1", await bob.port()))
    try:
        await _talk(alice, bob, tap.address, by_invite=True)
        await alice.engine.stop()
    finally:
        await tap.close()
    (tape,) = tap.recordings
    frames = tape.frames()
    greeting = [(frame.message, len(frame.data)) for frame in frames if frame.message is not None]
    assert [kind for kind, _ in greeting] == list(MessageType)[:5]
    records = [len(frame.data) for frame in frames if frame.message is None]
    overhead = 4 + limits.TAG_SIZE
    assert {(size - overhead) % limits.RECORD_PADDING for size in records} == {0}
    assert len(set(records)) <= 5
