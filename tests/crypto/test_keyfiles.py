"""Key files on disk: whole or not at all."""

import errno
import os
import resource
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import DiskFull, DiskReadOnly, KeyFileError, StorageError
from messenger.crypto import keyfiles


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    old_mask = os.umask(0)
    try:
        keyfiles.replace(path, b"first")
        keyfiles.replace(path, b"second")
    finally:
        os.umask(old_mask)
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]


def test_a_left_over_is_taken_over_with_the_right_mode(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    keyfiles.staged(path).write_bytes(b"much longer than what comes")
    keyfiles.staged(path).chmod(0o644)
    keyfiles.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_symbolic_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious")
    path = tmp_path / "root.key"
    keyfiles.staged(path).symlink_to(target)
    with pytest.raises(StorageError):
        keyfiles.stage(path, b"secret")
    assert target.read_bytes() == b"precious"


def test_folders_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    keyfiles.make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    keyfiles.make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        keyfiles.make_folder(tmp_path / "file" / "folder")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "long").write_bytes(bytes(limits.KEY_FILE_MAX + 1))
    (tmp_path / "fits").write_bytes(bytes(limits.KEY_FILE_MAX))
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "folder", "long", "pipe"):
        with pytest.raises(KeyFileError, match=name):
            keyfiles.read(tmp_path / name)
    assert len(keyfiles.read(tmp_path / "fits")) == limits.KEY_FILE_MAX


def test_a_name_too_long_to_look_for(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        keyfiles.read(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, DiskReadOnly),
        (errno.EACCES, DiskReadOnly),
        (errno.EPERM, DiskReadOnly),
        (errno.EIO, StorageError),
        (None, StorageError),
    ],
)
def test_errors_of_the_system_become_ours(number: int | None, kind: type[StorageError]) -> None:
    error = OSError() if number is None else OSError(number, os.strerror(number))
    assert type(keyfiles.storage_error(error)) is kind


def test_a_disk_that_takes_only_a_part(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    keyfiles.replace(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StorageError):
            keyfiles.replace(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]


def test_a_target_that_cannot_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    (path / "full").mkdir(parents=True)
    with pytest.raises(StorageError):
        keyfiles.replace(path, b"new")
    assert not keyfiles.staged(path).exists()


def test_systems_without_synced_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_DIRECTORY")
    keyfiles.replace(tmp_path / "root.key", b"content")
    assert (tmp_path / "root.key").read_bytes() == b"content"
