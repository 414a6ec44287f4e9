"""Files between two people who reach each other only through a relay, a real one on a real disk."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from messenger.core.address import Address
from messenger.core.models import MessageState
from messenger.core.transfers import Transfer, TransferState, Wish
from messenger.engine.events import TransferChanged
from messenger.net import lanes as net_lanes
from messenger.net.dial import dial_bare
from messenger.storage import landing
from tests.engine.test_files import MIB, file, hesitates, names, runs, stands
from tests.helpers.carrier import settled
from tests.helpers.engines import People, Person, fresh_port
from tests.helpers.relay_users import acquainted, direct, linked, relayed
from tests.helpers.relays import Site, prepare, relay_in


class House:
    """A relay that can be stopped, and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self.site: Site

    async def start(self, port: int = 0) -> None:
        """Let it run, on a port that the system gives to nobody else when it does not."""
        self.site = await self._stack.enter_async_context(relay_in(self._folder, port=port or fresh_port()))

    async def stop(self) -> None:
        """Let it not run."""
        await self._stack.aclose()

    @property
    def lanes(self) -> int:
        """Circuits that were ever joined since it was started."""
        return self.site.relay.house.counters.circuits_joined


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A relay that runs."""
    house = House(prepare(tmp_path / "relay", "mallory"))
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


@pytest.fixture
async def pair(people: People, house: House) -> tuple[Person, Person]:
    """Alice and Bob, who have accepted each other, and nowhere to call but at the relay."""
    alice, bob = await people("alice", listen=False), await people("bob", listen=False)
    await acquainted(alice, bob, house.site.started.link)
    return alice, bob


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Address]:
    """Where lanes are opened over TCP."""
    addresses: list[Address] = []

    async def dialling(address: Address) -> net_lanes.Socket:
        addresses.append(address)
        return await dial_bare(address)

    monkeypatch.setattr(net_lanes, "dial_bare", dialling)
    return addresses


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what is written of files that come."""
    sizes: list[int] = []
    write = landing.Landing.write

    def count(self: landing.Landing, offset: int, *pieces: memoryview) -> None:
        sizes.extend(map(len, pieces))
        write(self, offset, *pieces)

    monkeypatch.setattr(landing.Landing, "write", count)
    return sizes


async def offered(sender: Person, taker: Person, path: Path) -> Transfer:
    """One offers a file; the transfer as the other sees it."""
    since = taker.mark
    await sender.engine.offer_files(await sender.with_(taker), [path])
    return await stands(taker, TransferState.OFFERED, since=since)


def same(tmp_path: Path, name: str) -> bool:
    """Whether what has come is what was sent, and nothing else is there."""
    there = tmp_path / "there"
    return names(there) == [name] and (there / name).read_bytes() == (tmp_path / name).read_bytes()


async def half_way(sender: Person, taker: Person, tmp_path: Path) -> Transfer:
    """A transfer of 12 MiB that waits to be interrupted; as its taker sees it."""
    await hesitates(sender, 5 * MIB + MIB // 2)
    offer = await offered(sender, taker, file(tmp_path / "film", 12 * MIB))
    await taker.engine.accept_files(offer.id, tmp_path / "there")
    return await runs(taker, 5 * MIB)


@pytest.mark.parametrize("caller", [0, 1])
@pytest.mark.parametrize("size", [0, 9 * MIB + 1])
async def test_a_file(
    pair: tuple[Person, Person],
    house: House,
    dialled: list[Address],
    tmp_path: Path,
    caller: int,
    size: int,
) -> None:
    """Whoever has called: the lane is a circuit of its own, and nobody dials the relay as if it were them."""
    alice, bob = pair
    here, there = await alice.with_(bob), await bob.with_(alice)
    await pair[caller].engine.reconnect((here, there)[caller])
    await relayed(alice, here)
    await relayed(bob, there)
    await settled(alice, here, bob, there)  # if both have called, one of the circuits has been given up
    joined = house.lanes
    offer = await offered(alice, bob, file(tmp_path / "letter", size))
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    await stands(bob, TransferState.DONE)
    await stands(alice, TransferState.DONE)
    assert same(tmp_path, "letter")
    assert house.lanes == joined + 1
    assert not dialled


async def test_the_relay_stops_in_the_middle_and_comes_back(
    pair: tuple[Person, Person],
    house: House,
    written: list[int],
    tmp_path: Path,
) -> None:
    """Nobody does anything: they call each other again because a file waits, and no byte comes twice."""
    alice, bob = pair
    await half_way(alice, bob, tmp_path)
    since = (alice.mark, bob.mark)
    port = house.site.started.port
    await house.stop()
    await alice.offline(await alice.with_(bob), since=since[0])
    await bob.offline(await bob.with_(alice), since=since[1])
    await alice.engine.change_settings({"send_limit": 0})
    await house.start(port)
    await linked(alice, since=since[0])
    await stands(bob, TransferState.DONE, since=since[1])
    await stands(alice, TransferState.DONE, since=since[0])
    assert same(tmp_path, "film")
    assert sum(written) == 12 * MIB, "what has come is not sent again"


@pytest.mark.parametrize("lingers", [False, True])
async def test_a_direct_way_takes_over_in_the_middle(
    pair: tuple[Person, Person],
    house: House,
    dialled: list[Address],
    written: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lingers: bool,
) -> None:
    """Also if the link through the relay has not ended when the other is there already."""
    alice, bob = pair
    if lingers:
        for person in pair:
            monkeypatch.setattr(person.engine._now().transfers, "leave", lambda _connection: None)
    await half_way(alice, bob, tmp_path)
    assert not dialled
    joined = house.lanes
    await bob.engine.listen()
    since = (alice.mark, bob.mark)
    await alice.connect(await bob.address())
    await direct(alice, await alice.with_(bob), since=since[0])
    await alice.engine.change_settings({"send_limit": 0})
    await stands(bob, TransferState.DONE, since=since[1])
    await stands(alice, TransferState.DONE, since=since[0])
    assert same(tmp_path, "film")
    assert [str(address) for address in dialled] == [await bob.address()], "it goes on without the relay"
    assert house.lanes == joined
    assert sum(written) == 12 * MIB


async def test_the_direct_way_is_lost_in_the_middle(
    pair: tuple[Person, Person], house: House, written: list[int], tmp_path: Path
) -> None:
    alice, bob = pair
    await bob.engine.listen()
    await alice.connect(await bob.address())
    await direct(bob, await bob.with_(alice))
    await half_way(alice, bob, tmp_path)
    joined, since = house.lanes, (alice.mark, bob.mark)
    await bob.engine.stop_listening()
    talk = bob.engine._now().peers.session(await bob.with_(alice))
    assert talk is not None
    talk.connection.stream.abort()
    await relayed(alice, await alice.with_(bob), since=since[0])
    await alice.engine.change_settings({"send_limit": 0})
    await stands(bob, TransferState.DONE, since=since[1])
    await stands(alice, TransferState.DONE, since=since[0])
    assert same(tmp_path, "film")
    assert house.lanes > joined
    assert sum(written) <= 13 * MIB


async def test_paused_and_resumed_and_cancelled_through_the_relay(
    pair: tuple[Person, Person], tmp_path: Path
) -> None:
    """What one wants is told to the other over the link through the relay."""
    alice, bob = pair
    transfer = await half_way(alice, bob, tmp_path)
    await bob.engine.pause_transfer(transfer.id)
    assert (await stands(alice, TransferState.PAUSED)).paused_by_them
    since = alice.mark
    await bob.engine.resume_transfer(transfer.id)
    await stands(alice, TransferState.RUNNING, since=since)
    await alice.engine.cancel_transfer((await alice.engine.transfers())[0].id)
    assert (await stands(bob, TransferState.CANCELLED)).theirs is Wish.CANCELLED
    await alice.engine.stop()
    await bob.engine.stop()
    assert not names(tmp_path / "there")


def of(state: TransferState) -> Callable[[TransferChanged], bool]:
    """Tells whether a transfer stands somehow."""
    return lambda e: e.transfer.state is state


async def test_offered_while_the_other_is_off(pair: tuple[Person, Person], tmp_path: Path) -> None:
    """The offer waits sealed at the relay; it is accepted when the one who offers is off, and comes later."""
    alice, bob = pair
    await bob.engine.stop()
    message, _ = await alice.engine.offer_files(await alice.with_(bob), [file(tmp_path / "letter", 5 * MIB)])
    await alice.sees(message.id, MessageState.SENT)
    mine = (await alice.engine.transfers())[0]
    assert (mine.state, mine.mine, mine.theirs) == (TransferState.OFFERED, Wish.GO, Wish.OPEN)
    await alice.engine.stop()

    await bob.start()
    offer = await stands(bob, TransferState.OFFERED)
    waiting = await bob.engine.accept_files(offer.id, tmp_path / "there")
    assert (waiting.state, waiting.mine) == (TransferState.WAITING, Wish.GO)
    assert not bob.count(TransferChanged, of(TransferState.RUNNING)), "nobody is there who could send"

    await alice.start()
    await alice.wait_for(TransferChanged, lambda e: e.transfer.theirs is Wish.GO)
    await stands(bob, TransferState.DONE)
    await stands(alice, TransferState.DONE)
    assert same(tmp_path, "letter")


async def test_withdrawn_while_the_other_is_off(pair: tuple[Person, Person], tmp_path: Path) -> None:
    """Whoever accepts what was given up meanwhile learns it as soon as both are there."""
    alice, bob = pair
    offer = await offered(alice, bob, file(tmp_path / "letter", 5))
    await bob.engine.stop()
    await alice.engine.cancel_transfer((await alice.engine.transfers())[0].id)
    await bob.start()
    await bob.engine.accept_files(offer.id, tmp_path / "there")
    gone = await stands(bob, TransferState.CANCELLED)
    assert gone.theirs is Wish.CANCELLED
    assert not (tmp_path / "there").exists() or not names(tmp_path / "there")
