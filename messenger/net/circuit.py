"""One end of a circuit: a stream that a relay joins with that of somebody else (SPEC.md section 12)."""

import asyncio
import contextlib

import msgspec

from messenger.core import carrier_limits
from messenger.core.address import Address
from messenger.core.errors import ConnectError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.net.dial import Stream, dial
from messenger.protocol.circuits import ANSWER_SIZE, CircuitEnd, JoinCode


async def join(address: Address, secret: bytes, relay: Fingerprint) -> Stream:
    """Open a stream to a relay, show a pass, and wait until the other end is there.

    Args:
        address: Where the relay wants the stream.
        secret: The pass, 32 bytes.
        relay: Whose circuit it is.

    Returns:
        The stream; what is written is read by the other end.

    Raises:
        ConnectError: As for `dial`; or SILENT, REFUSED, BUSY or BROKEN: the relay has not joined it.
    """
    stream = await dial(address)
    joined = False
    try:
        await _show(stream, secret)
        joined = True
    finally:
        if not joined:
            stream.abort()
    return msgspec.structs.replace(stream, through=relay)


async def _show(stream: Stream, secret: bytes) -> None:
    end = CircuitEnd(secret)
    where = str(stream.address)
    try:
        stream.writer.write(end.data_to_send())
        async with asyncio.timeout(carrier_limits.JOIN_WAIT):
            end.receive_data(await stream.reader.readexactly(ANSWER_SIZE))
    except TimeoutError as e:
        raise ConnectError(Reason.SILENT, where) from e
    except (OSError, asyncio.IncompleteReadError) as e:
        raise ConnectError(Reason.REFUSED, where) from e
    except RemoteProtocolError as e:
        raise ConnectError(Reason.BROKEN, where) from e
    if end.joined is None or end.joined.code is not JoinCode.JOINED:
        raise ConnectError(Reason.REFUSED, where)


async def first_bytes(stream: Stream) -> bytes:
    """What the other end says first: at least one byte, or none if it has hung up or says nothing.

    By it a link is told from a lane.
    """
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(carrier_limits.JOIN_WAIT):
            return await stream.reader.read(1)
    return b""
