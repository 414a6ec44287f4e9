"""Programs that are not Sotto, for those who dial the wrong port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

Service = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A web server, which answers anything that it does not understand."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


async def shell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An SSH server, which speaks first."""
    writer.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    await reader.read()


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Something that takes everything and says nothing."""
    await reader.read()


async def rudeness(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Something that hangs up at once."""
    writer.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Something that drops the connection once it was spoken to."""
    await reader.read(1)
    writer.transport.abort()


async def stutter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Something that begins like a handshake message and hangs up."""
    await reader.read(1)
    writer.write(b"\x02\x00\x01\x00 and no more")


SERVICES: Final[tuple[Service, ...]] = (web, shell, silence, rudeness, reset, stutter)


@asynccontextmanager
async def serving(service: Service, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Run a service on a free port; at the end everything that it holds is dropped."""
    running: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await service(reader, writer)
        except ConnectionError:
            pass  # the caller has had enough
        finally:
            writer.close()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not server.is_serving():
            writer.transport.abort()
            return
        task = asyncio.create_task(serve(reader, writer))
        running[task] = writer  # now: at the end it may not have begun
        task.add_done_callback(running.pop)

    server = await asyncio.start_server(take, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in running.values():
            writer.transport.abort()  # not cancelled: asyncio would log that
        await asyncio.gather(*running)
        await server.wait_closed()
