"""The addresses that others can type."""

from messenger.core.address import parse_address
from messenger.core.models import AddressKind
from messenger.net.dial import Stream, dial
from messenger.net.interfaces import reachable_addresses
from messenger.net.listen import Listener, Slot


def test_every_address_can_be_typed() -> None:
    addresses = reachable_addresses(42)
    assert addresses
    assert len({address.text for address in addresses}) == len(addresses)
    for address in addresses:
        parsed = parse_address(address.text)
        assert (str(parsed), parsed.port) == (address.text, 42)
        assert address.interface


def test_the_most_useful_first() -> None:
    kinds = [list(AddressKind).index(address.kind) for address in reachable_addresses(42)]
    assert kinds == sorted(kinds)
    (loopback,) = [a for a in reachable_addresses(42) if a.text == "127.0.0.1:42"]
    assert loopback.kind is AddressKind.LOOPBACK


async def test_they_are_true() -> None:
    """Whoever listens on all interfaces can be reached at each of them."""

    async def hang_up(stream: Stream, _: Slot) -> None:
        stream.abort()

    listener = await Listener.open(hang_up, 0)
    for address in reachable_addresses(listener.port):
        (await dial(parse_address(address.text))).abort()
    await listener.close()
