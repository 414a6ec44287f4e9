"""What a link with a relay gets though nothing was handed to it, and when it is told the time."""

from functools import partial

import pytest

from messenger.core import limits
from messenger.net.doors import Door
from messenger.protocol.relay_answers import Done, Failed
from messenger.protocol.relay_queues import AskPuzzle, QueueKind
from messenger.protocol.relay_word import Code, Welcome
from messenger.relay.connection import Connection
from messenger.relay.doorkeeper import Doorkeeper
from tests.helpers.relays import Site, Visitor, envelope

_LATER = 0x3E
"""Type of a request that only later versions know."""


@pytest.fixture
def site(unhurried: Site) -> Site:
    """The relay of these tests."""
    return unhurried


async def test_a_request_of_a_later_version_is_answered_at_once(site: Site) -> None:
    visitor = await site.visitor()
    await visitor.word(Welcome)
    tag = visitor.client.request(AskPuzzle(0))
    (content,) = visitor.client.data_to_send()
    visitor.link.send_content(bytes((_LATER,)) + content[1:])
    visitor.write()
    assert await visitor.answer(tag) == Failed(tag, Code.UNKNOWN, 0)


async def test_a_sign_of_life_is_given_at_once(site: Site) -> None:
    visitor = await site.visitor()
    await visitor.word(Welcome)
    channel = visitor.link._channel
    assert channel is not None
    before = channel._reader.count
    channel.ping()
    visitor.write()
    await visitor.changed(lambda: channel._reader.count > before)


async def test_a_goodbye_ends_the_stream(site: Site) -> None:
    visitor = await site.visitor()
    await visitor.word(Welcome)
    visitor.link.close()
    visitor.write()
    await visitor.ended()
    assert site.relay.house.counters.clients_dropped == 0


async def test_a_link_that_rested_is_told_the_time_again(site: Site) -> None:
    house = site.relay.house
    doorkeeper = Doorkeeper(house, 10)
    door = await Door.open(partial(Connection, house, doorkeeper), 0, "127.0.0.1")
    visitor = await Visitor.call(door.port, site.started.fingerprint)
    try:
        await visitor.up()
        box = await visitor.make(QueueKind.CONTACT)
        (stream,) = doorkeeper._flowing
        late = house.clock() + limits.REKEY_INTERVAL + limits.REKEY_STAGGER + 1
        assert stream.tick(late), "it offers fresh keys and waits for an answer"
        assert visitor.link._channel is not None
        channel = visitor.link._channel
        await visitor.changed(lambda: channel.generation == 1)
        assert not stream.tick(late), "it rests"
        doorkeeper._flowing.discard(stream)
        assert isinstance(await visitor.send(box, envelope(2)), Done)
        assert stream in doorkeeper._flowing
    finally:
        door.close()
        await visitor.close()
        await doorkeeper.close()
