"""Network addresses as people type them."""

import ipaddress
import re
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.errors import AddressError, InputProblem

_HOST_MAX: Final = 253
"""Longest host name (RFC 1035 section 3.1)."""
_SCOPE_MAX: Final = 32
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""No top-level domain looks like this; resolvers take such names for IPv4 addresses in old spellings."""
_SCOPE: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


class Address(msgspec.Struct, frozen=True):
    """A host and a port."""

    host: str
    """IP address (with ``%scope`` for link-local IPv6) or host name in lower case, without brackets."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, default_port: int = limits.DEFAULT_PORT) -> Address:
    """Read ``host``, ``host:port``, ``[v6]:port``, ``[v6%scope]:port`` or a bare IPv6 address.

    Args:
        text: What was typed; white space around it does not matter.
        default_port: The port when none is named.

    Raises:
        AddressError: EMPTY, BAD_ADDRESS, or BAD_PORT (not 1 to 65535).
    """
    text = text.strip()
    if not text:
        raise AddressError(InputProblem.EMPTY)
    if len(text) > _HOST_MAX + _SCOPE_MAX:
        raise AddressError(InputProblem.BAD_ADDRESS, text[:_SCOPE_MAX] + "…")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise AddressError(InputProblem.BAD_ADDRESS, text)
        return Address(_ipv6(host, text), _port(rest[1:], text) if rest else default_port)
    if text.count(":") > 1:
        return Address(_ipv6(text, text), default_port)
    host, colon, port = text.partition(":")
    return Address(_host(host, text), _port(port, text) if colon else default_port)


def is_literal(host: str) -> bool:
    """Whether a host is an IP address, so that no name has to be resolved."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_near(host: str) -> bool:
    """Whether an IP address belongs to this computer, its links, or a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    near = mapped or address
    return near.is_loopback or near.is_link_local or near.is_private


def _port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise AddressError(InputProblem.BAD_PORT, text or whole)
    return int(text)


def _ipv6(text: str, whole: str) -> str:
    address, percent, scope = text.partition("%")
    if percent and (not _SCOPE.fullmatch(scope) or len(scope) > _SCOPE_MAX):
        raise AddressError(InputProblem.BAD_ADDRESS, whole)
    try:
        return str(ipaddress.IPv6Address(address)) + percent + scope
    except ipaddress.AddressValueError as e:
        raise AddressError(InputProblem.BAD_ADDRESS, whole) from e


def _host(text: str, whole: str) -> str:
    try:
        name = text.rstrip(".").encode("idna").decode("ascii").lower()
        if _NUMBER.fullmatch(name.rpartition(".")[2]):  # other digits than ours have become ours by now
            return str(ipaddress.IPv4Address(name))
    except (UnicodeError, ipaddress.AddressValueError) as e:
        raise AddressError(InputProblem.BAD_ADDRESS, whole) from e
    if not name or len(name) > _HOST_MAX or not all(_LABEL.fullmatch(part) for part in name.split(".")):
        raise AddressError(InputProblem.BAD_ADDRESS, whole)
    return name
