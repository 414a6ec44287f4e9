"""The addresses of this computer, as others can type them."""

import ipaddress
from typing import Final

import ifaddr

from messenger.core.address import Address
from messenger.core.models import AddressKind, ReachableAddress

_ORDER: Final = list(AddressKind)


def reachable_addresses(port: int) -> tuple[ReachableAddress, ...]:
    """Every address of this computer with a port, the most useful first.

    Args:
        port: The port that is listened on.
    """
    found: dict[str, ReachableAddress] = {}
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text.partition("%")[0])
            kind = _kind(address)
            host = text
            if kind is AddressKind.LINK_LOCAL and address.version == 6:
                host = f"{address}%{adapter.name}"
            typed = str(Address(host, port))
            found[typed] = ReachableAddress(text=typed, kind=kind, interface=adapter.nice_name)
    return tuple(sorted(found.values(), key=_usefulness))


def own_hosts() -> frozenset[str]:
    """Every IP address of this computer but loopback, without scope."""
    found: set[str] = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ipaddress.ip_address((ip.ip if isinstance(ip.ip, str) else ip.ip[0]).partition("%")[0])
            if not address.is_loopback:
                found.add(str(address))
    return frozenset(found)


def _kind(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> AddressKind:
    if address.is_loopback:
        return AddressKind.LOOPBACK
    if address.is_link_local:
        return AddressKind.LINK_LOCAL
    return AddressKind.LAN if address.is_private else AddressKind.GLOBAL


def _usefulness(address: ReachableAddress) -> tuple[int, bool]:
    return _ORDER.index(address.kind), address.text.startswith("[")
