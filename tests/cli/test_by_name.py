"""`sotto chat` with somebody who is known, and what `sotto listen` says of those who come through a relay."""

import asyncio
from pathlib import Path

from messenger.cli.exits import Exit
from messenger.core.ids import format_fingerprint
from messenger.core.models import MessageState
from messenger.protocol.invite import NO_SECRET, Invite, read_invite, write_invite
from messenger.text import terminal as words
from tests.helpers.engines import People, Person
from tests.helpers.relay_users import acquainted, strangers_can_write, uses
from tests.helpers.small_relay import SmallRelay
from tests.helpers.terminal import Piped, Result, run


async def _chat(folder: Path, target: str, typed: bytes, *more: str) -> Result:
    return await asyncio.to_thread(run, "chat", target, "--profile", str(folder), *more, typed=typed)


async def _friends(people: People, relay: SmallRelay) -> tuple[Person, Person]:
    """Alice and Bob, who know each other by a relay and by no address; Alice is off."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    await acquainted(alice, bob, relay.target)
    await alice.engine.stop()
    return alice, bob


async def test_a_contact_is_called_by_name_or_fingerprint(people: People, relay: SmallRelay) -> None:
    alice, bob = await _friends(people, relay)
    for number, target in enumerate(("bob", format_fingerprint(bob.fingerprint))):
        done = await _chat(alice.folder, target, f"by relay {number}\n".encode())
        assert done.code == Exit.OK, done.err
        assert "You are talking to Bob" in done.err
        await bob.hears(f"by relay {number}")


async def test_a_contact_who_is_away_has_it_left_at_their_relay(people: People, relay: SmallRelay) -> None:
    alice, bob = await _friends(people, relay)
    await bob.engine.stop()
    done = await _chat(alice.folder, "Bob", b"when you are back\n")
    assert done.code == Exit.OK, done.err
    assert words.waits_at_relay("Bob") in done.err
    await bob.start()
    heard = await bob.hears("when you are back")
    assert heard.state is MessageState.UNREAD


async def test_a_contact_with_another_key_than_expected_is_not_called(
    people: People, relay: SmallRelay
) -> None:
    alice, _bob = await _friends(people, relay)
    done = await _chat(alice.folder, "bob", b"hm\n", "--expect", format_fingerprint(alice.fingerprint))
    assert done.code == Exit.DECLINED, done.err


async def test_a_name_that_looks_like_an_address_calls_nobody(people: People, relay: SmallRelay) -> None:
    """Else whoever takes the name of an address would be called in its place."""
    alice, bob = await _friends(people, relay)
    await bob.engine.set_name("no-such-host.invalid")
    message = await bob.engine.send_text(await bob.with_(alice), "my new name")
    await bob.sees(message.id, MessageState.SENT)
    await alice.start()
    await alice.hears("my new name")
    await alice.engine.stop()
    done = await _chat(alice.folder, "no-such-host.invalid", b"to whom?\n")
    assert done.code == Exit.UNREACHABLE, done.err


async def test_a_request_that_a_relay_brings_is_decided_about(people: People, relay: SmallRelay) -> None:
    """Who listens hears of it, and both talk as soon as it is accepted."""
    bob = await people("bob", listen=False)
    await uses(bob, relay.target)
    await strangers_can_write(bob)
    await relay.until(lambda: any(queue.prekeys for queue in relay.queues))
    invite = read_invite(await bob.engine.lasting_link())
    await bob.engine.stop()
    listening = asyncio.create_task(
        asyncio.to_thread(run, "listen", "--yes", "--profile", str(bob.folder), typed=b"welcome\n")
    )
    alice = await people("alice", listen=False)
    link = write_invite(Invite(invite.fingerprint, NO_SECRET, (), invite.places))
    contact = await alice.connect(link)
    message = await alice.engine.send_text(contact.id, "may I?")
    await alice.sees(message.id, MessageState.DELIVERED)
    await alice.hears("welcome")
    await alice.engine.disconnect(contact.id)
    done = await listening
    assert done.code == Exit.OK, done.err
    assert words.wants_to_talk("Alice") in done.err
    assert "may I?" in done.out


async def test_a_relay_that_cannot_be_reached_is_told_of(people: People, relay: SmallRelay) -> None:
    """Else what waits here would be believed to wait there."""
    alice, _bob = await _friends(people, relay)
    await relay.stop()

    def told() -> str:
        with Piped("chat", "bob", "--profile", str(alice.folder)) as program:
            program.write(b"is it there yet?\n")
            return program.said("cannot be reached")

    assert f"127.0.0.1:{relay.port}" in await asyncio.to_thread(told)
