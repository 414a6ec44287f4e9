"""Being reachable: ports, addresses, and the settings that move them."""

import asyncio
import contextlib
import gc

import pytest

from messenger.core import limits
from messenger.core.errors import (
    ConnectError,
    InputError,
    InputProblem,
    Reason,
    SettingError,
    StorageError,
)
from messenger.core.models import AddressKind, Online
from messenger.engine.events import ListeningChanged, SettingsChanged
from messenger.net.listen import free_ports
from messenger.protocol.invite import read_invite
from tests.helpers.engines import People, fresh_port, fresh_ports, friends
from tests.helpers.servers import serving, silence


async def _listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_it_listens_where_the_settings_say(people: People) -> None:
    port = fresh_port()
    bob = await people("bob", port=port)
    listening = await bob.engine.listening()
    assert listening is not None
    assert listening.port == listening.wanted == port
    assert await _listens(port)
    told = await bob.wait_for(ListeningChanged)
    assert told.listening == listening
    assert told.reason is None
    kinds = [address.kind for address in listening.addresses]
    assert kinds == sorted(kinds, key=list(AddressKind).index)
    assert f"127.0.0.1:{port}" in [address.text for address in listening.addresses]


async def test_the_next_free_port(people: People) -> None:
    async with serving(silence, "0.0.0.0") as taken:  # noqa: S104 -- every interface is what is taken
        bob = await people("bob", port=taken)
        listening = await bob.engine.listening()
        assert listening is not None
        assert listening.wanted == taken
        assert listening.port != taken
        assert await _listens(listening.port)


async def test_a_taken_port(people: People) -> None:
    bob = await people("bob")
    before = await bob.port()
    async with serving(silence, "0.0.0.0") as taken:  # noqa: S104
        with pytest.raises(ConnectError) as caught:
            await bob.engine.listen(taken, exact=True)
    assert caught.value.reason is Reason.PORT_TAKEN
    assert caught.value.detail == str(taken)
    assert await bob.port() == before
    assert await _listens(before)
    told = await bob.wait_for(ListeningChanged, lambda event: event.reason is not None)
    assert told.reason is Reason.PORT_TAKEN
    assert told.listening is not None
    assert told.listening.port == before


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
async def test_no_ports(people: People, port: int) -> None:
    bob = await people("bob")
    before = await bob.port()
    with pytest.raises(InputError) as caught:
        await bob.engine.listen(port)
    assert caught.value.problem is InputProblem.BAD_PORT
    with pytest.raises(SettingError):
        await bob.engine.change_settings({"port": port})
    assert await bob.port() == before
    assert (await bob.engine.settings()).port == before


async def test_moving_keeps_links(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    before, after = await bob.port(), fresh_port()
    await bob.engine.change_settings({"port": after})
    assert await bob.port() == after
    assert not await _listens(before)
    assert await _listens(after)
    assert isinstance(await bob.engine.presence(there), Online)
    await alice.engine.send_text(here, "still here")
    await bob.hears("still here")
    assert (await bob.wait_for(SettingsChanged)).settings.port == after


async def test_listening_again_on_the_same_port_changes_nothing(people: People) -> None:
    bob = await people("bob")
    port = await bob.port()
    assert (await bob.engine.listen(port, exact=True)).port == port
    assert (await bob.engine.listen()).port == port
    assert await _listens(port)


async def test_not_listening(people: People) -> None:
    alice, bob = await people("alice"), await people("bob", listen=False)
    assert await bob.engine.listening() is None
    contact = await bob.connect(await alice.address())
    assert (await alice.named(bob)).addresses == ()
    assert isinstance(await bob.engine.presence(contact.id), Online)
    assert read_invite(await bob.engine.make_invite()).addresses == ()
    mark = bob.mark
    await bob.engine.change_settings({"listen": True})
    told = await bob.wait_for(ListeningChanged, since=mark)
    assert told.listening is not None
    await alice.named(bob)
    assert await _listens(told.listening.port)
    await bob.engine.stop_listening()
    assert not await _listens(told.listening.port)
    assert (await bob.wait_for(ListeningChanged, lambda event: event.listening is None)).reason is None
    assert isinstance(await bob.engine.presence(contact.id), Online)
    await bob.engine.stop_listening()


@pytest.mark.parametrize("turns", [1, 2, 3, 5])
async def test_a_port_that_nobody_waits_for_any_more_is_given_back(people: People, turns: int) -> None:
    bob = await people("bob")
    before, port = await bob.port(), fresh_port()
    moving = asyncio.create_task(bob.engine.listen(port, exact=False))
    for _ in range(turns):
        await asyncio.sleep(0)
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    listening = await bob.engine.listening()
    assert listening is not None
    assert listening.port == (before if moving.cancelled() else port)
    await bob.engine.stop()
    assert free_ports(port, port) == [port]
    gc.collect()  # a socket that was forgotten warns here


async def test_who_stops_does_not_begin_to_listen(people: People) -> None:
    bob = await people("bob")
    port = fresh_port()
    moving = asyncio.create_task(bob.engine.listen(port, exact=False))
    await asyncio.sleep(0)
    await bob.engine.stop()
    with contextlib.suppress(ConnectError, StorageError):
        await moving
    assert free_ports(port, port) == [port]
    gc.collect()


async def test_free_ports(people: People) -> None:
    bob = await people("bob")
    free = fresh_ports(4)
    async with serving(silence, "0.0.0.0") as taken:  # noqa: S104
        assert taken not in await bob.engine.free_ports(taken, taken)
    assert await bob.engine.free_ports(free[0], free[-1]) == free
    own = await bob.port()
    assert await bob.engine.free_ports(own, own) == []


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (0, 5, InputProblem.BAD_PORT),
        (5, 4, InputProblem.BAD_PORT),
        (1, 65536, InputProblem.BAD_PORT),
        (1, limits.PORT_SCAN_MAX + 1, InputProblem.BAD_VALUE),
    ],
)
async def test_no_ranges(people: People, first: int, last: int, problem: InputProblem) -> None:
    bob = await people("bob")
    with pytest.raises(InputError) as caught:
        await bob.engine.free_ports(first, last)
    assert caught.value.problem is problem


async def test_settings_are_kept(people: People) -> None:
    bob = await people("bob")
    await bob.engine.change_settings({"read_receipts": False, "theme": "dark"})
    with pytest.raises(SettingError):
        await bob.engine.change_settings({"read_receipts": True, "theme": "pink"})
    await bob.restart()
    settings = await bob.engine.settings()
    assert (settings.read_receipts, settings.theme.value) == (False, "dark")
