"""Key files while the disk, the power or the keyring fails."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from messenger.core.errors import DiskFull, DiskReadOnly, KeyringMissing, SottoError, StorageError
from messenger.crypto import keyfiles, keystore
from messenger.crypto.keystore import IDENTITY_NAME, ROOT_NAME, Keys, Protection
from tests.helpers.keys import belongs_to, identity, make_profile

NOW = 1_800_000_000


class PowerCut(BaseException):
    """Nothing runs after it: no handler of ours catches it."""


CALLS = ("open", "fsync", "replace", "mkdir", "chmod")


@contextmanager
def failing(at: int, error: BaseException) -> Iterator[list[str]]:
    """Raise an error instead of the ``at``-th call that changes the disk; yields the calls made."""
    made: list[str] = []
    patch = pytest.MonkeyPatch()

    def wrap(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            made.append(name)
            if len(made) == at + 1:
                raise error
            return call(*args, **kwargs)

        return counted

    for name in CALLS:
        patch.setattr(os, name, wrap(name, getattr(os, name)))
    try:
        yield made
    finally:
        patch.undo()


def count_calls(action: Callable[[], object]) -> int:
    with failing(-1, PowerCut()) as made:
        action()
    return len(made)


FAULTS = [
    (OSError(errno.ENOSPC, "full"), DiskFull),
    (OSError(errno.EROFS, "read-only"), DiskReadOnly),
    (OSError(errno.EACCES, "denied"), DiskReadOnly),
    (OSError(errno.EIO, "broken"), StorageError),
]
Fault = tuple[OSError, type[SottoError]]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0].strerror)
def test_a_disk_that_fails_during_create_leaves_nothing(fault: Fault, tmp_path: Path) -> None:
    calls = count_calls(lambda: make_profile(tmp_path / "try", "alice", now=NOW))
    assert calls >= 10
    for at in range(calls):
        folder = tmp_path / str(at)
        with pytest.raises(fault[1]), failing(at, fault[0]):
            make_profile(folder, "alice", now=NOW)
        assert not folder.exists() or not list(folder.iterdir())
        assert keystore.find(folder) is None
        make_profile(folder, "bob", now=NOW)
        assert belongs_to(keystore.unlock(folder), "bob")


def test_a_power_cut_during_create_leaves_all_or_nothing(tmp_path: Path) -> None:
    calls, found = count_calls(lambda: make_profile(tmp_path / "try", "alice", now=NOW)), []
    for at in range(calls):
        folder = tmp_path / str(at)
        with pytest.raises(PowerCut), failing(at, PowerCut()):
            make_profile(folder, "alice", now=NOW)
        found.append(keystore.find(folder))
        if found[-1] is None:
            make_profile(folder, "bob", now=NOW)
            assert belongs_to(keystore.unlock(folder), "bob")
        else:
            assert belongs_to(keystore.unlock(folder), "alice")
    assert found == sorted(found, key=lambda state: state is not None)
    assert {None, Protection.FILE} == set(found)


def test_a_cut_off_create_is_finished_by_unlock_too(tmp_path: Path) -> None:
    make_profile(tmp_path, "alice", now=NOW)
    (tmp_path / ROOT_NAME).rename(keyfiles.staged(tmp_path / ROOT_NAME))
    assert belongs_to(keystore.unlock(tmp_path), "alice")
    assert {path.name for path in tmp_path.iterdir()} == {ROOT_NAME, IDENTITY_NAME}


@pytest.mark.parametrize("error", [FAULTS[0][0], PowerCut()], ids=["disk full", "power cut"])
def test_any_failure_during_a_change_leaves_old_or_new(
    error: BaseException, kept: Path, tmp_path: Path
) -> None:
    def change(folder: Path, keys: Keys) -> None:
        keystore.change_protection(folder, keys, "", Protection.FILE)

    original = tmp_path / "original"
    keys = make_profile(original, "alice", now=NOW)
    rehearsal = Path(shutil.copytree(original, tmp_path / "rehearsal"))
    calls = count_calls(lambda: change(rehearsal, keys))
    for at in range(calls):
        folder = Path(shutil.copytree(original, tmp_path / str(at)))
        with pytest.raises((PowerCut, DiskFull)), failing(at, error):
            change(folder, keys)
        opened = keystore.unlock(folder)
        assert belongs_to(opened, "alice")
        assert opened.db_key == keys.db_key
        change(folder, keys)
        assert belongs_to(keystore.unlock(folder), "alice")
    assert not kept.exists()


@pytest.mark.parametrize("error", [FAULTS[0][0], PowerCut()], ids=["disk full", "power cut"])
def test_any_failure_during_renewal_leaves_old_or_new(error: BaseException, tmp_path: Path) -> None:
    fresh = identity("mallory").exchange
    original = tmp_path / "original"
    keys = make_profile(original, "alice", now=NOW)
    rehearsal = Path(shutil.copytree(original, tmp_path / "rehearsal"))
    calls = count_calls(lambda: keystore.renew(rehearsal, keys, fresh, now=NOW))
    for at in range(calls):
        folder = Path(shutil.copytree(original, tmp_path / str(at)))
        with pytest.raises((PowerCut, DiskFull)), failing(at, error):
            keystore.renew(folder, keys, fresh, now=NOW)
        opened = keystore.unlock(folder)
        assert belongs_to(opened, "alice")
        assert opened.exchange.public in {keys.exchange.public, fresh.public}


def test_a_full_disk_while_moving_to_the_keyring_keeps_no_stray_secret(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    keys = make_profile(folder, "alice", now=NOW)
    with pytest.raises(DiskFull), failing_fsync():
        keystore.change_protection(folder, keys, "", Protection.KEYRING)
    assert json.loads(kept.read_text()) == {}
    assert belongs_to(keystore.unlock(folder), "alice")


def test_a_full_disk_while_creating_with_the_keyring(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(DiskFull), failing_fsync():
        make_profile(tmp_path / "profile", "alice", protection=Protection.KEYRING)
    assert json.loads(kept.read_text()) == {}
    assert keystore.find(tmp_path / "profile") is None


@contextmanager
def failing_fsync() -> Iterator[None]:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        yield


def test_a_keyring_that_forgets_nothing_does_not_keep_anybody_from_leaving_it(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old entry cannot be removed; the change itself has happened and counts."""
    folder = tmp_path / "profile"
    keys = make_profile(folder, "alice", protection=Protection.KEYRING, now=NOW)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.helpers.keyrings.StubbornKeyring")
    keystore.change_protection(folder, keys, "", Protection.FILE)
    assert belongs_to(keystore.unlock(folder), "alice")
    assert len(json.loads(kept.read_text())) == 1


def test_no_keyring_no_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(KeyringMissing):
        make_profile(tmp_path / "profile", "alice", protection=Protection.KEYRING)
    assert keystore.find(tmp_path / "profile") is None
