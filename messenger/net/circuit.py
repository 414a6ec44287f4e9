"""One end of a circuit: a stream that a relay joins with that of somebody else (SPEC.md section 12).

The relay's answer is read on a bare socket and to the byte. So what is inside can be a link, for which it
becomes a `Stream`, or a lane, which takes the socket as it is.
"""

import asyncio
import contextlib
import socket

import msgspec

from messenger.core import carrier_limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.net.dial import Stream, dial_bare, read_exactly, wrap
from messenger.net.lanes import first_byte
from messenger.protocol.circuits import ANSWER_SIZE, CircuitEnd, JoinCode


async def join(address: Address, secret: bytes) -> socket.socket:
    """Open a stream to a relay, show a pass, and wait until the other end is there.

    Args:
        address: Where the relay wants the stream: IP address and port.
        secret: The pass, 32 bytes.

    Returns:
        The socket, not blocking; what is written is read by the other end. Close it.

    Raises:
        ConnectError: As for `dial_bare`; or SILENT, REFUSED, BUSY or BROKEN: the relay has not joined it.
    """
    sock = await dial_bare(address)
    try:
        await _show(sock, secret, str(address))
    except BaseException:
        sock.close()
        raise
    return sock


async def as_stream(sock: socket.socket, relay: Fingerprint) -> Stream:
    """Make a stream of a circuit, for a link.

    Args:
        sock: From `join`; closed if this fails.
        relay: Whose circuit it is.

    Raises:
        ConnectError: It has ended already.
    """
    try:
        return msgspec.structs.replace(await wrap(sock), through=relay)
    except OSError as e:
        sock.close()
        raise ConnectError(Reason.REFUSED) from e
    except BaseException:
        sock.close()
        raise


async def _show(sock: socket.socket, secret: bytes, where: str) -> None:
    end = CircuitEnd(secret)
    try:
        async with asyncio.timeout(carrier_limits.JOIN_WAIT):
            await asyncio.get_running_loop().sock_sendall(sock, end.data_to_send())
            end.receive_data(await read_exactly(sock, ANSWER_SIZE))
    except TimeoutError as e:
        raise ConnectError(Reason.SILENT, where) from e
    except OSError as e:
        raise ConnectError(Reason.REFUSED, where) from e
    except RemoteProtocolError as e:
        raise ConnectError(Reason.BROKEN, where) from e
    if end.joined is None or end.joined.code is not JoinCode.JOINED:
        raise ConnectError(Reason.REFUSED, where)


async def begins(sock: socket.socket) -> int | None:
    """The first byte that the other end says, which stays in the stream: by it a link is told from a lane.

    None if it has hung up, or says nothing for too long.
    """
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(carrier_limits.JOIN_WAIT):
            return await first_byte(sock)
    return None
