"""Two engines meet: by address, by invite, or not at all, and then with the right reason."""

import asyncio
from collections.abc import Sequence

import pytest

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.errors import AddressError, ConnectError, InputError, InputProblem, Reason
from messenger.core.ids import AttemptId
from messenger.core.models import Online, Route, Standing
from messenger.core.settings import OpenDoor
from messenger.engine.events import ConfirmPeer, ConnectStep, ContactChanged
from messenger.protocol.initiator import Initiator
from messenger.protocol.invite import Invite, read_invite, write_invite
from messenger.protocol.link import Link
from messenger.protocol.packets import Hello, Text
from tests.helpers import servers
from tests.helpers.engines import People, Person, fresh_port, friends
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End
from tests.helpers.servers import Service, serving
from tests.helpers.wire import calling


async def test_by_address_with_the_key_shown(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    contact = await alice.connect(await bob.address())
    assert contact.fingerprint == bob.fingerprint
    assert contact.standing is Standing.ACCEPTED
    question = await alice.wait_for(ConfirmPeer)
    assert question.fingerprint == bob.fingerprint
    assert question.address == await bob.address()
    presence = await alice.engine.presence(contact.id)
    assert isinstance(presence, Online)
    assert presence.route is Route.LOCAL
    theirs = await bob.named(alice)
    assert theirs.standing is Standing.REQUEST
    named = await alice.named(bob)
    assert named.awaiting
    assert named.addresses == (await bob.address(),)
    assert theirs.addresses == (await alice.address(),)
    assert list(dict.fromkeys(alice.steps())) == [
        ConnectStep.RESOLVING,
        ConnectStep.CONNECTING,
        ConnectStep.GREETING,
        ConnectStep.CONFIRMING,
        ConnectStep.PROVING,
        ConnectStep.SECURED,
    ]


async def test_a_declined_key_leaves_no_trace(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    with pytest.raises(ConnectError) as caught:
        await alice.connect(await bob.address(), accept=False)
    assert caught.value.reason is Reason.DECLINED
    assert await alice.engine.conversations() == await bob.engine.conversations() == []
    assert bob.count(ContactChanged) == 0
    assert ConnectStep.PROVING not in alice.steps()


async def test_a_question_that_nobody_answers_is_given_up(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONFIRM_PEER", 0.01)
    alice, bob = await people("alice"), await people("bob")
    with pytest.raises(ConnectError) as caught:
        await alice.engine.connect(await bob.address(), AttemptId(1))
    assert caught.value.reason is Reason.DECLINED
    await alice.engine.confirm_peer(AttemptId(1), accepted=True)
    assert await alice.engine.conversations() == []


async def test_answers_to_other_questions_do_not_count(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    connecting = asyncio.create_task(alice.engine.connect(await bob.address(), AttemptId(5)))
    await alice.wait_for(ConfirmPeer)
    await alice.engine.confirm_peer(AttemptId(4), accepted=True)
    await alice.engine.confirm_peer(AttemptId(5), accepted=True)
    await alice.engine.confirm_peer(AttemptId(5), accepted=False)
    assert (await connecting).fingerprint == bob.fingerprint


async def test_giving_up_while_the_key_is_shown(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    connecting = asyncio.create_task(alice.engine.connect(await bob.address(), AttemptId(1)))
    await alice.wait_for(ConfirmPeer)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert await alice.engine.conversations() == await bob.engine.conversations() == []


async def test_stopping_while_the_key_is_shown(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    connecting = asyncio.create_task(alice.engine.connect(await bob.address(), AttemptId(1)))
    await alice.wait_for(ConfirmPeer)
    await alice.engine.stop()
    with pytest.raises(ConnectError) as caught:
        await connecting
    assert caught.value.reason is Reason.STOPPING


async def test_a_contact_is_not_asked_about_again(people: People) -> None:
    alice, bob = await people("alice"), await people("bob", open_door=OpenDoor.LOCAL)
    first = await alice.connect(await bob.address())
    mark = alice.mark
    again = await alice.connect(await bob.address())
    assert again.id == first.id
    assert alice.count(ConfirmPeer, since=mark) == 0
    assert len(await alice.engine.conversations()) == len(await bob.engine.conversations()) == 1


async def test_somebody_who_asked_us_is_looked_at_before_they_are_accepted(people: People) -> None:
    """Their request lies here, but nobody has looked at their key yet."""
    alice, bob = await people("alice"), await people("bob")
    await alice.connect(await bob.address())
    await bob.named(alice)
    with pytest.raises(ConnectError):
        await bob.connect(await alice.address(), accept=False)
    assert (await bob.wait_for(ConfirmPeer)).fingerprint == alice.fingerprint
    contact = await bob.contact(alice)
    assert contact.standing is Standing.REQUEST
    accepted = await bob.connect(await alice.address())
    assert accepted.standing is Standing.ACCEPTED
    await alice.wait_for(ContactChanged, lambda event: not event.contact.awaiting)


async def test_with_the_door_closed_only_contacts_come_in(people: People) -> None:
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    await friends(alice, bob)
    await bob.engine.change_settings({"open_door": "nobody"})
    with pytest.raises(ConnectError) as caught:
        await carol.connect(await bob.address())
    assert caught.value.reason is Reason.REFUSED
    assert (await alice.connect(await bob.address())).fingerprint == bob.fingerprint


async def test_by_invite(people: People) -> None:
    alice, bob = await people("alice"), await people("bob", open_door=OpenDoor.NOBODY)
    contact = await alice.connect(await bob.engine.make_invite())
    assert contact.fingerprint == bob.fingerprint
    assert alice.count(ConfirmPeer) == 0
    assert (await bob.knows(alice, Standing.ACCEPTED)).fingerprint == alice.fingerprint
    named = await alice.named(bob)
    assert not named.awaiting
    message = await bob.engine.send_text(await bob.with_(alice), "welcome")
    assert message.outgoing
    await alice.hears("welcome")


async def test_an_invite_works_once(people: People) -> None:
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    invite = await bob.engine.make_invite()
    await alice.connect(invite)
    await bob.knows(alice, Standing.ACCEPTED)
    await carol.connect(invite)
    await bob.knows(carol, Standing.REQUEST)
    contact = await bob.contact(carol)
    assert contact.standing is Standing.REQUEST


async def test_an_invite_accepts_a_request_that_is_there(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    await alice.connect(await bob.address())
    await bob.knows(alice, Standing.REQUEST)
    mark = bob.mark
    await alice.connect(await bob.engine.make_invite())
    await bob.knows(alice, Standing.ACCEPTED, since=mark)


async def test_an_expired_invite_is_worth_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INVITE_LIFETIME", -1.0)
    alice, bob = await people("alice"), await people("bob")
    await alice.connect(await bob.engine.make_invite())
    await bob.knows(alice, Standing.REQUEST)


async def test_an_invite_says_where_and_whom(people: People) -> None:
    bob = await people("bob")
    invite = read_invite(await bob.engine.make_invite())
    assert invite.fingerprint == bob.fingerprint
    assert {address.port for address in invite.addresses} == {await bob.port()}
    assert read_invite(await bob.engine.make_invite()).secret != invite.secret


async def test_too_many_invites(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INVITES_OPEN_MAX", 2)
    alice, bob = await people("alice"), await people("bob")
    first = await bob.engine.make_invite()
    await bob.engine.make_invite()
    with pytest.raises(InputError) as caught:
        await bob.engine.make_invite()
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    await alice.connect(first)
    await bob.knows(alice, Standing.ACCEPTED)
    await bob.engine.make_invite()


async def test_another_person_at_the_address_of_an_invite(people: People) -> None:
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    for where in ([carol], [None, carol], [carol, None]):
        invite = await _moved(await bob.engine.make_invite(), where)
        with pytest.raises(ConnectError) as caught:
            await alice.connect(invite)
        assert caught.value.reason is Reason.WRONG_PERSON
    assert await alice.engine.conversations() == await carol.engine.conversations() == []


async def test_an_invite_whose_address_leads_back_to_oneself(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    with pytest.raises(ConnectError) as caught:
        await alice.connect(await _moved(await bob.engine.make_invite(), [alice]))
    assert caught.value.reason is Reason.OWN_KEY


async def _moved(link: str, people: Sequence[Person | None]) -> str:
    """An invite that says other addresses than it should; None is one where nobody listens."""
    invite = read_invite(link)
    ports = [fresh_port() if person is None else await person.port() for person in people]
    addresses = tuple(Address("127.0.0.1", port) for port in ports)
    return write_invite(Invite(invite.fingerprint, invite.secret, addresses))


async def test_ones_own_invite(people: People) -> None:
    alice = await people("alice")
    with pytest.raises(AddressError) as caught:
        await alice.connect(await alice.engine.make_invite())
    assert caught.value.problem is InputProblem.OWN_ADDRESS


async def test_calling_oneself(people: People) -> None:
    alice = await people("alice")
    with pytest.raises(ConnectError) as caught:
        await alice.connect(await alice.address())
    assert caught.value.reason is Reason.OWN_KEY
    assert await alice.engine.conversations() == []


@pytest.mark.parametrize(
    "target", ["", "a b", "host:0", "host:99999", "sotto://invite/AAAA", "sotto://invite/"]
)
async def test_targets_that_cannot_be_read(people: People, target: str) -> None:
    alice = await people("alice")
    with pytest.raises(AddressError):
        await alice.engine.connect(target, AttemptId(1))


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (servers.web, Reason.NOT_SOTTO),
        (servers.shell, Reason.NOT_SOTTO),
        (servers.silence, Reason.SILENT),
        (servers.rudeness, Reason.REFUSED),
        (servers.reset, Reason.REFUSED),
        (servers.stutter, Reason.INTERRUPTED),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_something_else_at_the_address(
    people: People, service: Service, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason is Reason.SILENT:  # the others answer, however long that takes
        monkeypatch.setattr(limits, "HANDSHAKE_FIRST", 0.2)
    alice = await people("alice")
    async with serving(service) as port:
        with pytest.raises(ConnectError) as caught:
            await alice.connect(f"127.0.0.1:{port}")
    assert caught.value.reason is reason
    assert caught.value.detail == f"127.0.0.1:{port}"
    assert await alice.engine.conversations() == []


async def test_nobody_at_the_address(people: People) -> None:
    alice = await people("alice")
    with pytest.raises(ConnectError) as caught:
        await alice.connect(f"127.0.0.1:{fresh_port()}")
    assert caught.value.reason is Reason.NOBODY


async def test_a_name_that_does_not_exist(people: People) -> None:
    alice = await people("alice")
    with pytest.raises(ConnectError) as caught:
        await alice.connect("nonexistent.invalid")
    assert caught.value.reason is Reason.UNRESOLVED
    assert caught.value.detail == "nonexistent.invalid"


async def test_an_http_client_calls(people: People) -> None:
    bob = await people("bob")
    reader, writer = await asyncio.open_connection("127.0.0.1", await bob.port())
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
    assert bob.count(ContactChanged) == 0
    alice = await people("alice")
    await alice.connect(await bob.address())


async def test_somebody_who_calls_and_says_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_FIRST", 0.1)
    bob = await people("bob")
    reader, writer = await asyncio.open_connection("127.0.0.1", await bob.port())
    assert await reader.read() == b""
    writer.close()


async def test_many_who_call_and_say_nothing_lock_nobody_out_for_long(people: People) -> None:
    """Four of them at once from one network; when one gives up, the next may come."""
    alice, bob = await people("alice"), await people("bob")
    port = await bob.port()
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(limits.HALF_OPEN_PER_NETWORK)]
    with pytest.raises(ConnectError) as caught:
        await alice.connect(await bob.address())
    assert caught.value.reason is Reason.REFUSED
    for _, writer in silent:
        writer.close()
        await writer.wait_closed()
    contact = None
    while contact is None:  # bob may take a moment to see that they have gone
        try:
            contact = await alice.connect(await bob.address())
        except ConnectError as e:
            assert e.reason is Reason.REFUSED  # noqa: PT017 -- retried until it succeeds


async def test_a_stranger_is_refused_when_the_room_for_requests_is_full(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS_MAX", 1)
    alice, bob, carol = await people("alice"), await people("bob"), await people("carol")
    await alice.connect(await bob.address())
    await bob.knows(alice, Standing.REQUEST)
    with pytest.raises(ConnectError) as caught:
        await carol.connect(await bob.address())
    assert caught.value.reason is Reason.REFUSED
    await carol.connect(await bob.engine.make_invite())
    await bob.knows(carol, Standing.ACCEPTED)


async def test_a_name_from_outside_is_cleaned(people: People) -> None:
    bob = await people("bob")
    async with calling(End.calling("mallory", None), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("\u202eecilA\x00\n <b>")
        await mallory.packet(Hello)
        mallory_there = await bob.wait_for(ContactChanged, lambda event: event.contact.name != "")
    assert mallory_there.contact.name == "ecilA <b>"


async def test_an_older_certificate_is_refused(people: People) -> None:
    """Whoever stole yesterday's exchange key and certificate cannot come back with it."""
    bob = await people("bob")
    newest = identity("mallory").bundle(NOW - 60)
    older = identity("mallory").bundle(NOW - 600)
    for bundle, name in ((newest, "Mallory"), (older, ""), (newest, "Mallory again")):
        end = End(Link(Initiator(bundle, NOW, expected=bob.fingerprint)), identity("mallory"))
        async with calling(end, await bob.port()) as mallory:
            if name:
                await mallory.up()
                mallory.greet(name)
                await bob.named("mallory", name)
            else:
                assert await mallory.ended() is Reason.REFUSED


async def test_meeting_leaves_nothing_on_the_line(people: People) -> None:
    """What a stranger sends in the same breath as the handshake is read, and counted."""
    bob = await people("bob")
    async with calling(End.calling("mallory", "bob"), await bob.port()) as mallory:
        await mallory.up()
        mallory.greet("Mallory")
        mallory.say(Text(bytes(16), 1, bytes(32), 5, "at once", 0, b"", 0))
        mallory.connection.close()
        await bob.hears("at once")
        await mallory.ended()
    await bob.offline(await bob.with_("mallory"))
