"""What the project says of itself holds: versions, pins, locks, and what the built distributions carry."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import messenger

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
Locked = dict[str, tuple[Requirement, frozenset[str]]]


def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def read_lock(name: str) -> Locked:
    """Requirement and hashes for each package; anything that is not of this form fails."""
    text = (ROOT / "packaging" / name).read_text(encoding="ascii").replace("\\\n", " ")
    locked: Locked = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), line
        parsed = Requirement(requirement)
        locked[canonicalize_name(parsed.name)] = (parsed, frozenset(hashes))
    return locked


def version(locked: Locked, name: str) -> Version:
    return Version(str(locked[canonicalize_name(name)][0].specifier).removeprefix("=="))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel")))


def build(target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


def source_files(folder: str) -> set[str]:
    """Every file below a folder of the checkout, as paths from there, without what Python leaves behind."""
    files = (path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {file.as_posix() for file in files if "__pycache__" not in file.parts}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_one_version_and_hashes(name: str) -> None:
    locked = read_lock(name)
    assert locked
    for requirement, hashes in locked.values():
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert hashes, requirement


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_no_address_no_option_and_no_path(name: str) -> None:
    text = (ROOT / "packaging" / name).read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert not [line for line in lines if re.search(r"[/@]|file:|\s-[^-]|--(?!hash=)", line)]


def test_hashes_cover_the_files_of_other_platforms() -> None:
    # x86-64 and ARM Linux, macOS, x86-64 and ARM Windows
    assert len(read_lock("requirements.lock")["pyside6-essentials"][1]) >= 5
    assert "winloop" in read_lock("requirements.lock")


def test_the_development_lock_adds_to_the_other_and_changes_nothing() -> None:
    runtime, development = (read_lock(name) for name in LOCKS)
    assert {name: development[name][1] for name in runtime} == {name: runtime[name][1] for name in runtime}
    assert {name: version(development, name) for name in runtime} == {
        name: version(runtime, name) for name in runtime
    }
    assert {"pytest", "ruff", "mypy", "hatchling"} <= development.keys() - runtime.keys()


@pytest.mark.parametrize("name", LOCKS)
def test_locks_satisfy_the_project(name: str) -> None:
    wanted = project()["dependencies"] + (project()["optional-dependencies"]["dev"] if "dev" in name else [])
    locked = read_lock(name)
    for requirement in map(Requirement, wanted):
        assert version(locked, requirement.name) in requirement.specifier, requirement


@pytest.mark.parametrize("name", LOCKS)
def test_pyside_stays_before_the_release_that_aborts_on_python_3_11(name: str) -> None:
    (requirement,) = (r for r in map(Requirement, project()["dependencies"]) if "PySide6" in r.name)
    assert "6.11.3" in requirement.specifier
    assert "6.12.0" not in requirement.specifier
    assert version(read_lock(name), "pyside6-essentials") < Version("6.12")


def test_the_version_is_the_same_everywhere() -> None:
    assert project()["version"] == messenger.__version__
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert all(Version(heading) <= Version(messenger.__version__) for heading in headings[1:])


def test_the_folder_of_scripts_does_not_hide_the_library_of_the_same_name() -> None:
    # A plain folder gives way to an installed package of the same name; a package would not.
    assert not (ROOT / "packaging" / "__init__.py").exists()
    assert not (ROOT / "tests" / "__init__.py").exists()


def test_the_wheel_carries_the_package_its_resources_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    info = f"sotto-{messenger.__version__}.dist-info/"
    assert {name.partition("/")[0] for name in names} == {"messenger", info.rstrip("/")}
    assert {f"messenger/{file}" for file in source_files("messenger")} <= names
    assert {f"messenger/resources/{file}" for file in source_files("resources")} <= names
    assert {"messenger/py.typed", "messenger/resources/style.qss", f"{info}licenses/LICENSE"} <= names


def test_the_wheel_has_the_commands_and_the_licence_in_its_metadata(wheel: zipfile.ZipFile) -> None:
    info = f"sotto-{messenger.__version__}.dist-info/"
    assert "sotto = messenger.__main__:main" in wheel.read(f"{info}entry_points.txt").decode().splitlines()
    metadata = wheel.read(f"{info}METADATA").decode().splitlines()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_resources_are_found_in_an_unpacked_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    shutil.unpack_archive(str(wheel.filename), tmp_path, "zip")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from messenger import assets; print(assets.path('style.qss')); assets.read_text('style.qss')"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / "messenger" / "resources" / "style.qss"


def test_the_source_distribution_is_complete(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("messenger", "resources", "packaging"):
        assert {f"{folder}/{file}" for file in source_files(folder)} <= names
    assert {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "tests/packaging/test_project.py",
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Copyright 2026 The Sotto authors" in text
    assert "[yyyy]" not in text
