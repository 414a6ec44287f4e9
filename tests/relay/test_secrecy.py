"""What a relay has of a conversation: nothing that anybody could read, and no key that opens it."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from messenger.core import limits
from messenger.crypto.hkdf import expand
from messenger.protocol.relay_answers import Done
from messenger.protocol.seal import Kind, disclose, enclose
from tests.helpers.engines import fresh_port
from tests.helpers.relay_process import process_in

WORDS: Final = b"the cat sleeps under the kitchen table, nobody else knows where"
"""What they say to each other."""


def memory_of(pid: int) -> bytes:
    """All memory of a process that it can write to."""
    found = []
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", 0) as file:
        for line in maps.splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if match is None:
                continue
            begin, end = (int(each, 16) for each in match.groups())
            file.seek(begin)
            try:
                found.append(file.read(end - begin))
            except OSError:  # parts of it belong to devices
                continue
    return b"".join(found)


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is looked into through /proc")
async def test_neither_words_nor_keys_are_in_memory_database_or_log(folder: Path) -> None:
    queue_key = os.urandom(32)
    envelope_key = expand(queue_key, "envelope", b"", 32)
    sealed = [enclose(queue_key, Kind.MESSAGE, WORDS + bytes((number,))) for number in range(60)]
    async with process_in(folder, fresh_port(), "--show-traffic", "--traffic-bytes", "4096") as relay:
        owner, writer = await relay.visitor(), await relay.visitor()
        box, other = await owner.make(), await owner.make()
        tag = await owner.subscribe(box)
        for number, envelope in enumerate(sealed):
            sent = await writer.send(other if number % 2 else box, envelope)
            assert isinstance(sent, Done)
        for envelope in sealed[::2]:
            came = await owner.arrived(tag)
            assert came == envelope
            assert WORDS in disclose(queue_key, came)[1]
        while not any(f'"hex": "{sealed[-1][:64].hex()}' in line for line in relay.told):
            await relay.line('"event"')
        memory = memory_of(relay.process.pid)
        assert box.send_key in memory, "this is not its memory"
        for name, piece in {"words": WORDS, "key": queue_key, "derived key": envelope_key}.items():
            assert piece not in memory, name
        code, error = await relay.end()
        assert code == 0
        await owner.close()
        await writer.close()
        files = await asyncio.to_thread(_files, folder)
        log = "".join(relay.told).encode() + error.encode()
        for piece in (WORDS, queue_key, envelope_key, box.recv_key, box.send_key, box.recv_id, box.send_id):
            assert piece not in files
            assert piece not in log
        shown = log.decode().partition("sotto://relay/")[2]
        for secret in (queue_key, box.recv_key, box.send_key, box.recv_id, box.send_id):
            assert secret.hex() not in shown
        assert "127.0.0.1" not in shown, "where clients are"
    assert len(sealed[0]) == min(limits.ENVELOPE_BUCKETS)
