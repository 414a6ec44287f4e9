"""A full disk and one that cannot be written to, both real: small file systems of their own."""

from pathlib import Path

import pytest

from messenger.core.errors import DiskFull
from messenger.storage.store import Store
from tests.helpers.namespaces import own_namespace
from tests.helpers.storage import add_contact, message_id, program

__all__ = ["own_namespace"]


def output(
    name: str, folder: Path, key: bytes, *prefix: str, module: str = "tests.helpers.storage"
) -> list[str]:
    with program(name, folder, key, *prefix, module=module) as child:
        out, err = child.communicate()
    assert child.returncode == 0, err
    return out.splitlines()


def test_a_full_disk(tmp_path: Path, key: bytes, own_namespace: tuple[str, ...]) -> None:
    assert output("fill_disk", tmp_path, key, *own_namespace) == [
        "writing DiskFull",
        "kept 0",
        "making DiskFull",
        "left over []",
        "kept 0",
        "pending 0",
        "goes on",
    ]


def test_a_disk_that_cannot_be_written_to(tmp_path: Path, key: bytes, own_namespace: tuple[str, ...]) -> None:
    assert output("read_only", tmp_path, key, *own_namespace) == [
        "opening DiskReadOnly",
        "restricting DiskReadOnly",
        "making DiskReadOnly",
        "locking DiskReadOnly",
        "new folder DiskReadOnly",
    ]


FULL = "tests.helpers.full_disk"


def test_backups_on_a_full_disk(tmp_path: Path, key: bytes, own_namespace: tuple[str, ...]) -> None:
    assert output("back_up", tmp_path, key, *own_namespace, module=FULL) == [
        "first backup fine",
        "full",
        "second backup DiskFull",
        "written file DiskFull",
        "left over [] []",
        "restoring DiskFull",
        "found 500",
        "third backup fine",
        "backups 2",
    ]


def test_no_room_for_the_copy_before_a_migration(
    tmp_path: Path, key: bytes, own_namespace: tuple[str, ...]
) -> None:
    assert output("migrate", tmp_path, key, *own_namespace, module=FULL) == [
        "full",
        "migrating DiskFull",
        "as before True, left over []",
        "migrating fine",
        "kept 2",
    ]


def test_backups_on_a_disk_that_cannot_be_written_to(
    tmp_path: Path, key: bytes, own_namespace: tuple[str, ...]
) -> None:
    assert output("only_read", tmp_path, key, *own_namespace, module=FULL) == [
        "migrating DiskReadOnly",
        "backup DiskReadOnly",
        "restoring DiskReadOnly",
        "removing DiskReadOnly",
        "written file DiskReadOnly",
        "backups 1",
    ]


def test_a_database_that_may_not_grow(store: Store) -> None:
    """As a full disk, on every system."""
    contact = add_contact(store)
    connection = store._database._connection
    connection.pragma("max_page_count", connection.pragma("page_count") + 10)
    stored = 0

    def write() -> None:
        nonlocal stored
        while True:
            store.messages.add_outgoing(contact.id, message_id(stored), "x" * 2000, stored, stored)
            stored += 1

    with pytest.raises(DiskFull):
        write()
    assert stored > 1
    assert len(store.messages.page(contact.id, None, 1000)) == stored
    assert len(store.messages.pending(contact.id, 0, 1000)) == stored
    store.integrity_check()
    connection.pragma("max_page_count", 10**6)
    outgoing = store.messages.add_outgoing(contact.id, message_id(stored), "goes on", 1, 1)
    assert outgoing.seq == stored + 1
