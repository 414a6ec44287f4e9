"""What a relay has of a conversation: nothing that anybody could read, and no key that opens it."""

import asyncio
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from messenger.core import limits
from messenger.core.models import MessageState
from messenger.core.transfers import TransferState
from messenger.crypto.hkdf import expand
from messenger.engine import mailboxes
from messenger.engine.events import TransferChanged
from messenger.protocol import lane, ratchet, seal, sealed_opening
from messenger.protocol.relay_answers import Done
from messenger.protocol.seal import Kind, disclose, enclose
from tests.helpers.carrier import context_of
from tests.helpers.engines import Person, fresh_port, people_in
from tests.helpers.relay_process import process_in
from tests.helpers.relay_users import acquainted, relayed
from tests.helpers.relays import prepare

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


LETTER: Final = b"in the letter it says where the key to the garden lies, line %06d\n"
"""A line of the file that goes through the relay."""

NAME: Final = b"Alice of the garden with the two gates"
"""Too long to be found by chance, as the five letters of a first name once in a hundred thousand runs."""

KEYS_LOOKED_FOR: Final = 20
"""Of each kind of key so many of the first and of the last."""


class Derived:
    """All keys that are derived in this process for what only the two ends may read, by label."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        self.keys: dict[str, list[bytes]] = {}
        for module in modules:
            monkeypatch.setattr(module, "expand", self._expand)

    def _expand(self, key: bytes, label: str, context: bytes, size: int) -> bytes:
        made = expand(key, label, context, size)
        self.keys.setdefault(label, []).append(made)
        return made

    def chosen(self) -> dict[str, bytes]:
        """Those to look for."""
        return {
            f"{label} {number}": key
            for label, keys in self.keys.items()
            for number, key in enumerate(keys[:KEYS_LOOKED_FOR] + keys[-KEYS_LOOKED_FOR:])
        }


async def converse(alice: Person, bob: Person, relay: str, folder: Path) -> dict[str, bytes]:
    """A long conversation by sealed messages, a link through the relay, and a file.

    Returns:
        Keys of the link and of the queues that only the two have.
    """
    here, there = await acquainted(alice, bob, relay)
    said = WORDS.decode()
    await bob.engine.stop()
    for number in range(40):
        waiting = await alice.engine.send_text(here, f"{said} {number}")
    await alice.sees(waiting.id, MessageState.SENT)
    since = alice.mark  # once Bob is back there may be a link before anybody asks for one
    await bob.start()
    await alice.sees(waiting.id, MessageState.DELIVERED)
    await alice.engine.reconnect(here)
    await relayed(alice, here, since=since)
    for number in range(40, 80):
        answer = await bob.engine.send_text(there, f"{said} {number}")
    await bob.sees(answer.id, MessageState.DELIVERED)
    letter = folder / "letter from the gardener.txt"
    letter.write_bytes(b"".join(LETTER % number for number in range(60_000)))
    await alice.engine.offer_files(here, [letter])
    offer = await bob.wait_for(TransferChanged, lambda e: e.transfer.state is TransferState.OFFERED)
    await bob.engine.accept_files(offer.transfer.id, folder / "there")
    for person in (alice, bob):
        await person.wait_for(TransferChanged, lambda e: e.transfer.state is TransferState.DONE)
    assert (folder / "there" / letter.name).read_bytes() == letter.read_bytes()
    session = alice.engine._now().peers.session(here)
    assert session is not None
    assert session.through is not None
    link = session.connection.link
    return {label: link.export(label, b"") for label in ("lane", "continue", "knock")}


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is looked into through /proc")
async def test_nothing_of_a_whole_conversation_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two real ends: what they wrote, what their file says, their names, and their keys are nowhere there."""
    derived = Derived(monkeypatch, lane, ratchet, seal, sealed_opening)
    folder = prepare(tmp_path / "relay", "mallory")
    flags = ("--show-traffic", "--traffic-bytes", "4096")
    async with process_in(folder, fresh_port(), *flags) as relay, people_in(tmp_path) as people:
        alice, bob = await people("alice", listen=False), await people("bob", listen=False)
        await alice.engine.set_name(NAME.decode())
        shown = re.search(r"sotto://relay/\S+", relay.told[-1])
        assert shown is not None
        link_keys = await converse(alice, bob, shown.group(), tmp_path)
        context, here = context_of(alice), await alice.with_(bob)
        place = (await context.stored(mailboxes.places, context.store, here))[0]
        memory = await asyncio.to_thread(memory_of, relay.process.pid)
        await people.stop()
        code, error = await relay.end()
    assert code == 0
    assert set(derived.keys) >= {"envelope", "mk", "ck", "root", "lane", "ap I", "ap R"}
    assert all(key in memory for key in (place.send_key, bytes(bob.fingerprint))), "this is not its memory"
    known = {
        "words": WORDS,
        "file": LETTER[:40],
        "name of the file": b"letter from the gardener",
        "name": NAME,
        "fingerprint": alice.fingerprint,  # Bob's is in the list of the prekeys that he has left there
        **link_keys,
        **derived.chosen(),
    }
    files = await asyncio.to_thread(_files, folder)
    log = "".join(relay.told).encode() + error.encode()
    found = [name for name, piece in known.items() if piece in memory or piece in files]
    found += [name for name, piece in known.items() if piece in log or piece.hex().encode() in log]
    assert not found
