"""A link with a relay that has ended: whoever still holds it is told so, and waits for nothing."""

import asyncio

import pytest

from messenger.core import relay_limits
from messenger.core.errors import ConnectError, DiskFull, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.core.models import MessageState
from messenger.core.relays import Relay, RelayUnreachable
from messenger.engine.events import EngineFault, RelayChanged
from messenger.engine.relay_link import RelayLink
from messenger.protocol.relay_queues import AskPuzzle
from messenger.protocol.relay_request import Request
from messenger.protocol.relay_service import RelayService
from messenger.storage.relays import RelayTable
from tests.helpers.engines import People, Person
from tests.helpers.patience import PATIENCE
from tests.helpers.relay_users import linked, users_apart, uses
from tests.helpers.small_relay import Client, SmallRelay


def link_of(person: Person) -> RelayLink:
    """The link of somebody with their only relay."""
    running = person.engine._running
    assert running is not None
    (link,) = running.relays._links.values()
    return link


def break_stream(link: RelayLink) -> None:
    """Let a link meet what it meets when a relay is killed: a reset, of which its protocol hears nothing."""
    link._connection.stream.reader.set_exception(ConnectionResetError())


async def unreachable(person: Person, since: int) -> None:
    """Wait until somebody has no link with a relay."""
    await person.wait_for(RelayChanged, lambda e: isinstance(e.relay.state, RelayUnreachable), since=since)


async def test_an_old_link_answers_at_once(people: People) -> None:
    """It broke without a goodbye, so that its protocol was never told."""
    relay = await SmallRelay.open()
    alice = await people("alice", reconnect=False)
    await uses(alice, relay.target)
    link, since = link_of(alice), alice.mark
    assert (await link.ask(AskPuzzle(0))).tag
    break_stream(link)
    await unreachable(alice, since)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectError) as caught:
            await link.ask(AskPuzzle(0))
    assert caught.value.reason is Reason.INTERRUPTED
    await relay.stop()


class Mute(SmallRelay):
    """Answers no questions about work."""

    def answer(self, client: Client, service: RelayService, request: Request) -> None:
        if not isinstance(request, AskPuzzle):
            super().answer(client, service, request)


async def test_a_link_that_is_being_given_up_takes_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the moment in which a relay has been silent for too long and the end of the link."""
    relay = await Mute.open()
    alice = await people("alice", reconnect=False)
    await uses(alice, relay.target)
    link = link_of(alice)
    asking = asyncio.create_task(link.ask(AskPuzzle(0)))
    await relay.until(lambda: any(isinstance(each, AskPuzzle) for each in relay.asked))
    assert link._client is not None
    with monkeypatch.context() as patched:
        patched.setattr(relay_limits, "ANSWER_WAIT", 0.0)
        with pytest.raises(RemoteProtocolError):
            link._client.advance(asyncio.get_running_loop().time() + 1)
    with pytest.raises(ConnectError) as caught:
        await link.ask(AskPuzzle(0))
    assert caught.value.reason is Reason.INTERRUPTED
    link.abort()
    with pytest.raises(ConnectError):
        await asking
    await relay.stop()


async def test_a_disk_that_cannot_be_read_for_a_moment_ends_no_relay(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = await SmallRelay.open()
    alice = await people("alice", reconnect=False)
    await uses(alice, relay.target)
    await alice.engine.opened_relay(relay.fingerprint)
    genuine, failed, running = RelayTable.get, list[bool](), alice.engine._running
    assert running is not None

    def failing(self: RelayTable, fingerprint: Fingerprint) -> Relay | None:
        if not failed and isinstance(running.relays._states.get(fingerprint), RelayUnreachable):
            failed.append(True)
            raise DiskFull
        return genuine(self, fingerprint)

    monkeypatch.setattr(RelayTable, "get", failing)
    since = alice.mark
    break_stream(link_of(alice))
    await alice.wait_for(EngineFault, lambda e: (e.where, e.error) == ("relay", "DiskFull"), since=since)
    await linked(alice, since=since)
    await relay.stop()


async def test_a_link_that_ends_while_something_is_sealed_for_it(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed for the old link goes by the new one."""
    relay = await SmallRelay.open()
    alice, here, bob, _there = await users_apart(people, relay.target)
    running = alice.engine._running
    assert running is not None
    sealed_for, cut = running.sealing.sealed_for, asyncio.Event()

    async def slowly(*arguments: object) -> bytes | None:
        sealed = await sealed_for(*arguments)  # type: ignore[arg-type]
        if not cut.is_set():
            link, since = link_of(alice), alice.mark
            break_stream(link)
            await unreachable(alice, since)
            cut.set()
        return sealed

    monkeypatch.setattr(running.sealing, "sealed_for", slowly)
    message = await alice.engine.send_text(here, "by the next link")
    await bob.hears("by the next link")
    await alice.sees(message.id, MessageState.DELIVERED)
    await relay.stop()
