"""A second start's end of the control socket. Blocking: nothing else runs yet."""

import os
import socket
import sys
from pathlib import Path
from typing import Final

from messenger.control import wire
from messenger.core import limits
from messenger.core.errors import RemoteProtocolError

_LOOPBACK: Final = "127.0.0.1"


def raise_running(folder: Path, link: str = "") -> bool:
    """Ask the program that runs on a profile to raise its window.

    Args:
        folder: The profile folder.
        link: A link that it shall follow, at most `limits.INVITE_TEXT_MAX` characters; or nothing.

    Returns:
        Whether it has; False if no window runs there, or none that answers within
        `limits.CONTROL_TIMEOUT`.
    """
    endpoint = wire.read_endpoint(folder)
    if endpoint is None:
        return False
    try:
        with _dial(endpoint) as sock:
            sock.sendall(wire.frame(wire.Show(endpoint.token, link)))
            size = wire.frame_size(_read(sock, wire.LENGTH_SIZE))
            return isinstance(wire.read_reply(_read(sock, size)), wire.Ok)
    except (OSError, ValueError, RemoteProtocolError):  # ValueError: a path with a zero byte in it
        return False


def has_window(folder: Path) -> bool:
    """Whether the program that runs on a profile is a window: only that answers here.

    Args:
        folder: The profile folder.
    """
    endpoint = wire.read_endpoint(folder)
    if endpoint is None:
        return False
    try:
        _dial(endpoint).close()
    except (OSError, ValueError):
        return False
    return True


def _dial(endpoint: wire.Endpoint) -> socket.socket:
    if not endpoint.path:
        return socket.create_connection((_LOOPBACK, endpoint.port), timeout=limits.CONTROL_TIMEOUT)
    if sys.platform == "win32" or Path(endpoint.path).stat().st_uid != os.getuid():
        raise OSError("not a socket of ours")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(limits.CONTROL_TIMEOUT)
        sock.connect(endpoint.path)
    except OSError:
        sock.close()
        raise
    return sock


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise RemoteProtocolError("the control socket has closed")
        data += piece
    return data
