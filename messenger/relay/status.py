"""How a relay is, for its owner: /metrics as Prometheus reads them, and /health, on this computer alone."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from messenger.core import limits
from messenger.net.doors import serve_loopback
from messenger.relay.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

_NOW: Final = (
    "streams", "greeting", "clients", "circuits",
    "queues", "messages_kept", "octets_kept", "entries", "disk_room",
)  # fmt: skip
"""What goes up and down."""

_HEAD: Final = 4096


class MetricsMissing(ImportError):
    """The package that writes metrics is not installed."""


class _Collector:
    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> "Iterator[CounterMetricFamily | GaugeMetricFamily]":
        """All counters, as they are now."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for each in fields(Counters):
            kind = GaugeMetricFamily if each.name in _NOW else CounterMetricFamily
            name = f"sotto_relay_{each.name}"
            yield kind(name, each.name.replace("_", " "), value=getattr(self._counters, each.name))


class StatusServer:
    """Answers ``GET /health`` and ``GET /metrics``.

    Args:
        counters: Of the relay.
        ailing: What it cannot do right now, in a word, or an empty text.

    Raises:
        MetricsMissing: `prometheus_client` is not installed.
    """

    def __init__(self, counters: Counters, ailing: Callable[[], str]) -> None:
        try:
            from prometheus_client import CollectorRegistry
        except ImportError as e:
            raise MetricsMissing("prometheus_client") from e
        self._registry: CollectorRegistry = CollectorRegistry()
        self._registry.register(_Collector(counters))
        self._ailing = ailing
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen on a port of this computer.

        Raises:
            ConnectError: PORT_TAKEN, PORT_FORBIDDEN.
        """
        self._server = await serve_loopback(self._serve, port)

    async def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from prometheus_client import generate_latest

        try:
            async with asyncio.timeout(limits.CONTROL_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
                path = head[:_HEAD].split(b" ")[1:2]
                if path == [b"/metrics"]:
                    _answer(writer, "200 OK", generate_latest(self._registry))
                elif path == [b"/health"]:
                    ailing = self._ailing()
                    status = "503 Service Unavailable" if ailing else "200 OK"
                    _answer(writer, status, f"{ailing or 'ok'}\n".encode())
                else:
                    _answer(writer, "404 Not Found", b"")
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks in another way hears nothing
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _answer(writer: asyncio.StreamWriter, status: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
