import os
import stat
from pathlib import Path

import pytest

from messenger.core.errors import DiskReadOnly, ProfileInUse
from messenger.storage.lock import ProfileLock
from tests.helpers.storage import program


def test_makes_the_folder_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "profile"
    with ProfileLock(folder):
        assert folder.is_dir()
        if os.name == "posix":
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


def test_leaves_the_rights_of_a_folder_that_is_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with ProfileLock(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path: Path) -> None:
    first = ProfileLock(tmp_path)
    with pytest.raises(ProfileInUse):
        ProfileLock(tmp_path)
    with pytest.raises(ProfileInUse):  # the refused one did not take anything with it
        ProfileLock(tmp_path)
    first.release()
    first.release()
    with ProfileLock(tmp_path), pytest.raises(ProfileInUse):
        ProfileLock(tmp_path)


def test_a_refused_lock_leaves_no_file_open(tmp_path: Path) -> None:
    files = Path("/proc/self/fd")
    if not files.exists():
        pytest.skip("needs /proc to count open files")

    def of_ours() -> int:
        """Open files of the profile; what else is open in this process comes and goes."""
        return sum(Path(os.path.realpath(file)).is_relative_to(tmp_path) for file in files.iterdir())

    with ProfileLock(tmp_path):
        before = of_ours()
        assert before
        for _ in range(5):
            with pytest.raises(ProfileInUse):
                ProfileLock(tmp_path)
        assert of_ours() == before


def test_another_process_holds_it_until_it_dies(tmp_path: Path) -> None:
    with program("hold_lock", tmp_path, b"") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(ProfileInUse):
            ProfileLock(tmp_path)
        holder.kill()
        holder.wait()
        ProfileLock(tmp_path).release()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DiskReadOnly):
            ProfileLock(folder)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(DiskReadOnly):
        ProfileLock(tmp_path)
