import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import StorageBug
from messenger.storage.store import Store


def test_open_until_they_expire(store: Store) -> None:
    first = store.invites.add(b"a" * limits.INVITE_SECRET_SIZE, now_ms=0, expires_ms=100)
    second = store.invites.add(b"b" * limits.INVITE_SECRET_SIZE, now_ms=1, expires_ms=200)
    assert store.invites.open(99) == [(first, b"a" * 16), (second, b"b" * 16)]
    assert store.invites.open(100) == [(second, b"b" * 16)]
    assert store.invites.open(200) == []


def test_each_is_used_once(store: Store) -> None:
    first, second = (store.invites.add(os.urandom(16), 0, 100) for _ in range(2))
    assert store.invites.use(first)
    assert not store.invites.use(first)
    assert [number for number, _ in store.invites.open(0)] == [second]
    assert not store.invites.use(12345)


def test_a_number_is_never_given_twice(store: Store) -> None:
    first = store.invites.add(os.urandom(16), 0, 100)
    store.invites.use(first)
    assert store.invites.add(os.urandom(16), 0, 100) > first


def test_purge(store: Store) -> None:
    for expires_ms in (10, 20, 30):
        store.invites.add(os.urandom(16), 0, expires_ms)
    assert store.invites.purge(20) == 2
    assert len(store.invites.open(0)) == 1
    assert store.invites.purge(20) == 0


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_secret_of_another_length_is_a_bug(store: Store, size: int) -> None:
    with pytest.raises(StorageBug):
        store.invites.add(bytes(size), 0, 100)
    assert store.invites.open(0) == []


def test_of_many_who_use_one_at_once_one_wins(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    others = [Store.open(path, key) for _ in range(4)]
    together = threading.Barrier(len(others))

    def use(other: Store, number: int) -> bool:
        together.wait()
        return other.invites.use(number)

    with ThreadPoolExecutor(len(others)) as threads:
        for _ in range(10):
            number = store.invites.add(os.urandom(16), 0, 100)
            assert sum(threads.map(use, others, [number] * len(others))) == 1
    for each in (store, *others):
        each.close()
