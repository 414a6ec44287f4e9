"""A process that takes sealed messages, killed at any moment: each message is there once, none is lost."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from messenger.core.models import Standing
from messenger.engine.sealed_store import Desk, load
from messenger.protocol import payload, ratchet
from messenger.protocol.packets import Text
from messenger.protocol.sealed_sessions import Sessions
from messenger.storage.store import Store
from tests.helpers.engines import DATABASE
from tests.helpers.sealing import ALICE, BOB, NOW, linked

COUNT = 150


def prepared(folder: Path, key: bytes, chance: random.Random) -> None:
    """Bob's database with a session, and what Alice has sealed in it, in a bad order."""
    alice, bob = linked()
    store = Store.open(folder / DATABASE, key)
    contact = store.contacts.add(ALICE, standing=Standing.ACCEPTED, now_ms=1)
    sessions = Sessions().add(bob, 1, NOW, acknowledged=False, opening=False)
    store.sealed.put(contact.id, BOB, sessions.encode(), [bob.sid])
    store.close()
    order = list(range(COUNT))
    chance.shuffle(order)
    for number in range(COUNT):
        text = Text(number.to_bytes(16, "big"), number + 1, bytes(32), 5, f"text {number}", 0, b"", 0)
        alice, sealed = ratchet.seal(alice, payload.encode([text]))
        (folder / f"{order[number]:04}.sealed").write_bytes(sealed)


def run(folder: Path, key: bytes, lines: int) -> list[str]:
    """Let it run and kill it after so many lines; what it has reported."""
    command = [sys.executable, "-m", "tests.helpers.taker", str(folder), key.hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        reported = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        reported += child.stdout.readlines()
    return [line.removesuffix("\n") for line in reported if line.endswith("\n")]


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_taking(seed: int, tmp_path: Path) -> None:
    chance, key = random.Random(seed), os.urandom(32)
    prepared(tmp_path, key, chance)
    reported: list[str] = []
    for _ in range(6):
        reported += run(tmp_path, key, chance.randint(1, 25))
    reported += run(tmp_path, key, COUNT)
    assert reported[-1] == "done"
    texts = reported[:-1]
    assert len(set(texts)) == len(texts), "none was new twice"
    store = Store.open(tmp_path / DATABASE, key)
    store.integrity_check()
    contact = store.contacts.by_fingerprint(ALICE)
    assert contact is not None
    stored = [message.text for message in store.messages.page(contact.id, None, 10 * COUNT)]
    assert sorted(stored) == sorted(f"text {number}" for number in range(COUNT))
    assert set(texts) <= set(stored)
    assert len(stored) - len(texts) <= 6, "at most the one that was not reported any more, each time"
    assert len(store.sealed.receipts(contact.id, 10 * COUNT)) == COUNT
    (held,) = load(Desk(store, BOB, NOW * 1000), contact.id).held
    assert held.session.missing == ()
    assert held.session.receiving.number == COUNT
    store.close()
