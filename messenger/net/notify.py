"""Tells the service manager how we are: sd_notify(3), a datagram to the socket that it names."""

import contextlib
import os
import socket
import sys

_NAME = "NOTIFY_SOCKET"


def notify(state: str) -> None:
    """Tell the service manager something, if there is one.

    Args:
        state: As sd_notify(3) has it: ``READY=1``, ``STOPPING=1``.
    """
    name = os.environ.get(_NAME, "")
    if sys.platform == "win32" or not name:
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), address)
