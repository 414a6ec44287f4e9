"""Sleep, pulled cables and other addresses: what is dead is noticed at once, and who waits calls now."""

import pytest

from messenger.core import limits, outlook_limits
from messenger.core.address import Address
from messenger.core.errors import Reason
from messenger.core.ids import ConversationId
from messenger.core.models import AddressKind, MessageState, Offline, ReachableAddress
from messenger.core.relays import RelayUnreachable
from messenger.crypto import keystore
from messenger.engine import host, outlook, reconnect
from messenger.engine.events import (
    EngineFault,
    ListeningChanged,
    MessageChanged,
    PresenceChanged,
    RelayChanged,
)
from messenger.engine.outlook import Clocks
from messenger.engine.running import Running
from messenger.net.connection import Connection
from messenger.net.interfaces import own_hosts
from messenger.storage.store import Store
from tests.helpers.cable import cable_to
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.patience import PATIENCE
from tests.helpers.relay_users import linked, uses
from tests.helpers.small_relay import SmallRelay


def running(person: Person) -> Running:
    assert person.engine._running is not None
    return person.engine._running


def sleeps(person: Person, seconds: float = 3600.0) -> None:
    """The computer of somebody has slept: the clock of timers stood still meanwhile."""
    look = running(person).outlook.look
    asleep: list[float] = []

    def later() -> Clocks:
        now = look()
        asleep.append(seconds)
        return Clocks(now.timers, None if now.boot is None else now.boot + seconds, now.wall + seconds)

    running(person).outlook.look = later


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook_limits, "OUTLOOK_INTERVAL", 0.1)


@pytest.mark.parametrize(
    ("timers", "boot", "wall", "slept"),
    [
        (5.0, 5.0, 5.0, False),
        (5.1, 5.1, 5.1, False),
        (30.0, 30.0, 30.0, False),  # only busy: the clocks agree
        (5.0, 3605.0, 3605.0, True),
        (5.0, 3605.0, 5.0, True),  # slept, and the clock on the wall was set back
        (5.0, 5.0, 3605.0, True),  # a machine within a machine that was stopped
        (5.0, 5.0, -3595.0, True),
        (3605.0, None, 3605.0, True),  # where timers go on in sleep, they come late
        (5.0, None, 5.0, False),
    ],
)
def test_what_the_clocks_say(timers: float, boot: float | None, wall: float, slept: bool) -> None:
    before = Clocks(1000.0, None if boot is None else 2000.0, 1_700_000_000.0)
    after = Clocks(1000.0 + timers, None if boot is None else 2000.0 + boot, before.wall + wall)
    assert after.slept(before, 5.0) is slept


def test_the_clocks_of_this_computer_agree() -> None:
    one = outlook.clocks(lambda: 0)
    two = outlook.clocks(lambda: 0)
    assert two.timers >= one.timers
    assert (one.boot is None) == (outlook._BOOT is None)


@pytest.mark.usefixtures("often")
async def test_after_sleep_a_dead_link_is_noticed_at_once(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the 25 s of silence, for which no test here would wait."""
    monkeypatch.setattr(outlook_limits, "PROBE_PATIENCE", 0.3)
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, there = await friends(alice, bob)
    await alice.engine.stop()
    async with cable_to(await bob.port()) as cable:
        _only_by(alice, cable.port)
        await alice.start()
        await alice.online(here)
        cable.pull()
        message = await alice.engine.send_text(here, "into the dark")
        mark = alice.mark
        sleeps(alice)
        assert (await alice.offline(here, since=mark)).reason is Reason.INTERRUPTED
        assert await alice.states(here) == [MessageState.QUEUED]
        assert alice.count(MessageChanged) == 0, "never shown as delivered"
        mark = alice.mark
        cable.plug()
        await alice.sees(message.id, MessageState.DELIVERED)
    assert await bob.texts(there) == ["into the dark"]


def _only_by(person: Person, port: int) -> None:
    """Let somebody whose engine does not run know their contacts at one port alone."""
    store = Store.open(person.folder / DATABASE, keystore.unlock(person.folder, "").db_key)
    store._database.rows("UPDATE contacts SET addresses = x'90'")
    for contact in store.contacts.all():
        store.contacts.note_address(contact.id, f"127.0.0.1:{port}")
    store.close()


@pytest.mark.usefixtures("often")
async def test_a_link_that_lives_outlives_sleep(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged by hand, when the answer is there: a busy machine may take its time for that."""
    monkeypatch.setattr(outlook_limits, "PROBE_PATIENCE", PATIENCE)
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    mark = alice.mark
    session = running(alice).peers.session(here)
    assert session is not None
    sleeps(alice)
    while not _probing(alice, here):
        await bob.engine.send_text(there, "more")
    handle = session.connection._probing
    assert handle is not None
    session.connection.probe()
    assert session.connection._probing is handle, "one question at a time"
    await _answered(alice, here)  # and the question before
    _judge(session.connection)
    assert not _probing(alice, here)
    await _answered(alice, here)
    assert running(alice).peers.session(here) is session
    assert alice.count(PresenceChanged, lambda e: isinstance(e.presence, Offline), since=mark) == 0
    assert alice.count(EngineFault) == 0


def _judge(connection: Connection) -> None:
    """Let it find now whether its question has been answered."""
    handle = connection._probing
    assert handle is not None
    handle.cancel()
    connection._judge(handle.when() - outlook_limits.PROBE_PATIENCE)


async def _answered(person: Person, conversation: ConversationId) -> None:
    message = await person.engine.send_text(conversation, "are you there?")
    await person.sees(message.id, MessageState.DELIVERED)


def _probing(person: Person, conversation: ConversationId) -> bool:
    session = running(person).peers.session(conversation)
    return session is not None and session.connection._probing is not None


@pytest.mark.usefixtures("often")
async def test_sleep_cuts_short_every_pause(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses here are hours long, and only alice calls."""
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, _ = await friends(alice, bob)
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 7200.0)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 14400.0)
    mark = alice.mark
    await bob.engine.stop()
    waiting = await alice.offline(here, since=mark)
    mark = alice.mark
    await bob.start()
    sleeps(alice)
    await alice.online(here, since=mark)
    assert waiting.reason is Reason.CLOSED


async def test_pauses_have_jitter_and_bounds() -> None:
    for pause in (0.05, limits.RECONNECT_FIRST, 60.0):
        seen = {reconnect.jittered(pause) for _ in range(200)}
        assert pause / 2 <= min(seen)
        assert max(seen) <= pause
        assert max(seen) - min(seen) > pause / 4, "not all beat in time"
        assert len(seen) > 50


async def test_pauses_grow_and_begin_small_again(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await people("alice"), await people("bob")
    await friends(alice, bob)
    pauses: list[float] = []

    def noted(pause: float) -> float:
        pauses.append(pause)
        return pause

    monkeypatch.setattr(reconnect, "jittered", noted)
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 0.01)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 0.16)
    await bob.engine.stop()
    grown = [0.01, 0.02, 0.04, 0.08, 0.16, 0.16]
    await alice.wait_for(  # a pause has just begun: in the middle of an attempt another one follows at once
        PresenceChanged,
        lambda e: isinstance(e.presence, Offline) and len(pauses) >= len(grown),
        since=alice.mark,
    )
    assert pauses[: len(grown)] == grown
    running(alice).reconnector.hurry()
    del pauses[:]
    await alice.wait_for(PresenceChanged, lambda _: 0.01 in pauses, since=alice.mark)


@pytest.mark.usefixtures("often")
async def test_after_sleep_a_dead_link_with_a_relay_is_noticed_at_once(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook_limits, "PROBE_PATIENCE", PATIENCE)
    alice, relay = await people("alice"), await SmallRelay.open()
    async with cable_to(relay.port) as cable:
        await uses(alice, relay.target.replace(str(relay.port), str(cable.port)))
        mark = alice.mark
        link = running(alice).relays.link(relay.fingerprint)
        assert link is not None
        sleeps(alice)
        while link._connection._probing is None:
            await alice.engine.find_people(relay.fingerprint)
        await alice.engine.find_people(relay.fingerprint)  # whose answer comes after that to the question
        _judge(link._connection)
        await alice.engine.find_people(relay.fingerprint)
        assert alice.count(RelayChanged, _unreachable, since=mark) == 0, "a link that lives outlives sleep"
        monkeypatch.setattr(outlook_limits, "PROBE_PATIENCE", 0.3)
        cable.pull()
        sleeps(alice)
        await alice.wait_for(RelayChanged, _unreachable, since=mark)
        mark = alice.mark
        cable.plug()
        await linked(alice, since=mark)
        running(alice).relays.probe({"127.0.0.1"})  # an address that is gone
        await alice.wait_for(RelayChanged, _unreachable, since=mark)
        await linked(alice, since=alice.mark)
    await relay.stop()


@pytest.mark.usefixtures("often")
async def test_sleep_cuts_short_the_pause_before_a_relay_is_called(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, relay = await people("alice"), await SmallRelay.open()
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 7200.0)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 14400.0)
    await uses(alice, relay.target)
    mark = alice.mark
    await relay.stop()
    await alice.wait_for(RelayChanged, _unreachable, since=mark)
    await relay.start()
    mark = alice.mark
    sleeps(alice)
    await linked(alice, since=mark)
    await relay.stop()


def _unreachable(event: RelayChanged) -> bool:
    return isinstance(event.relay.state, RelayUnreachable)


async def test_a_link_from_an_address_that_is_gone_is_dropped(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    mark = alice.mark
    alice_outlook = running(alice).outlook
    alice_outlook._hosts |= {"127.0.0.1"}  # which is not counted among the addresses, so now it is gone
    alice_outlook.look_around()
    assert (await alice.offline(here, since=mark)).reason is Reason.INTERRUPTED
    await alice.online(here, since=mark)
    await alice.engine.send_text(here, "back")
    await bob.hears("back")


async def test_new_addresses_are_told(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await people("alice")
    port, mark = await alice.port(), alice.mark
    look = running(alice).outlook.look_around
    look()
    assert alice.count(ListeningChanged, since=mark) == 0, "nothing has changed"
    new = ReachableAddress(text=str(Address("192.0.2.7", port)), kind=AddressKind.LAN, interface="new0")
    hosts = own_hosts()
    monkeypatch.setattr(outlook, "own_hosts", lambda: hosts | {"192.0.2.7"})
    monkeypatch.setattr(host, "reachable_addresses", lambda _port: (new,))
    look()
    event = await alice.wait_for(ListeningChanged, since=mark)
    assert event.listening is not None
    assert event.listening.addresses == (new,)
    look()
    assert alice.count(ListeningChanged, since=mark) == 1


async def test_a_cable_that_went_in_calls_everybody(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system tells, handed over by hand: the pauses are hours long."""
    monkeypatch.setattr(outlook_limits, "OUTLOOK_SETTLE", 0.0)
    alice, bob = await people("alice"), await people("bob", reconnect=False)
    here, _ = await friends(alice, bob)
    monkeypatch.setattr(limits, "RECONNECT_FIRST", 7200.0)
    monkeypatch.setattr(limits, "RECONNECT_MAX", 14400.0)
    mark = alice.mark
    await bob.engine.stop()
    await alice.offline(here, since=mark)
    await bob.start()
    mark = alice.mark
    running(alice).outlook._on_change(True)  # noqa: FBT003
    await alice.online(here, since=mark)
