"""Being told by the system that a network interface or an address of this computer has changed.

Linux tells it on a netlink socket (rtnetlink(7)), which costs nothing while nothing changes. Elsewhere
nobody tells, and whoever wants to know looks now and then.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final

_GROUPS: Final = 0x1 | 0x10 | 0x100
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR of linux/rtnetlink.h."""

_LINKS: Final = (16, 17)
"""RTM_NEWLINK and RTM_DELLINK."""
_ADDRESSES: Final = (20, 21)
"""RTM_NEWADDR and RTM_DELADDR."""

_HEADER: Final = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port."""
_LINK: Final = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type, index, flags, change."""

_UP: Final = 0x1 | 0x40
"""IFF_UP and IFF_RUNNING: it is switched on, and the cable is in."""

_READ: Final = 64 * 1024
_MESSAGES_MAX: Final = 1024
"""Messages looked at in one go."""


class NetworkChanges:
    """Calls back whenever something has changed, until `close`.

    Args:
        on_change: Called in the thread of the running loop; True if an interface, or its cable, went up or
            down, False if it may be only that an address was confirmed. Several calls may tell one change.
    """

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        self._on_change = on_change
        self._links: dict[int, int] = {}
        self._socket: socket.socket | None = None
        self._loop = asyncio.get_running_loop()

    def open(self) -> bool:
        """Begin; returns False where the system tells nothing."""
        if sys.platform != "linux":
            return False
        try:
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        except OSError:  # not every container has it
            return False
        try:
            sock.bind((0, _GROUPS))
            self._loop.add_reader(sock.fileno(), self._on_readable)
        except (OSError, NotImplementedError):
            sock.close()
            return False
        self._socket = sock
        return True

    def close(self) -> None:
        """Stop; a second call does nothing."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _on_readable(self) -> None:
        sock = self._socket
        if sock is None:  # pragma: no cover -- closed in this very round of the loop
            return
        changed: list[bool] = []
        try:
            while len(changed) < _MESSAGES_MAX:
                changed += self.read(sock.recv(_READ))
        except BlockingIOError:  # that was all
            pass
        except OSError:  # more came than the system keeps for us
            changed.append(True)
        if changed:
            self._on_change(any(changed))

    def read(self, data: bytes) -> list[bool]:
        """What a datagram says, for each message that matters; see `on_change`.

        Args:
            data: From the system; what does not fit its own lengths is left out.
        """
        found: list[bool] = []
        while len(data) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(data)
            if not _HEADER.size <= length <= len(data):
                break
            if kind in _ADDRESSES:
                found.append(False)
            elif kind in _LINKS and length >= _HEADER.size + _LINK.size:
                found += self._link(kind, data[_HEADER.size :])
            data = data[(length + 3) & ~3 :]
        return found

    def _link(self, kind: int, data: bytes) -> list[bool]:
        """A wireless card tells much that changes neither flag."""
        _, _, index, flags, _ = _LINK.unpack_from(data)
        now = flags & _UP if kind == _LINKS[0] else 0
        if self._links.get(index) == now:
            return []
        self._links[index] = now
        return [True]
