"""/metrics and /health, and what is said where the package for them is missing."""

import asyncio
import importlib.util
import sys

import pytest

from messenger.relay.counters import Counters
from messenger.relay.status import MetricsMissing, StatusServer
from tests.helpers.engines import fresh_port
from tests.helpers.patience import PATIENCE

MISSING = importlib.util.find_spec("prometheus_client") is None


async def _get(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        answer = (await reader.read()).decode()
    writer.close()
    return answer


@pytest.mark.skipif(MISSING, reason="prometheus-client is an extra of its own")
async def test_numbers_without_names() -> None:
    counters, port = Counters(streams=7, messages_in=3), fresh_port()
    ailing = [""]
    server = StatusServer(counters, lambda: ailing[0])
    await server.start(port)
    assert (await _get(port, "/health")).endswith("ok\n")
    ailing[0] = "disk"
    answer = await _get(port, "/health")
    assert answer.startswith("HTTP/1.1 503")
    assert answer.endswith("disk\n")
    metrics = await _get(port, "/metrics")
    assert "sotto_relay_streams 7.0" in metrics
    assert "sotto_relay_messages_in_total 3.0" in metrics
    assert (await _get(port, "/other")).startswith("HTTP/1.1 404")
    await server.close()


def test_a_missing_package_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MetricsMissing):
        StatusServer(Counters(), str)
