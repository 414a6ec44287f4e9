"""Resources are found in a checkout (an unpacked wheel is tried in tests/packaging/test_project.py)."""

from pathlib import Path

import pytest

from messenger import assets

RESOURCES = Path(__file__).resolve().parents[1] / "resources"


def test_a_name_with_folders_is_found_beside_the_package() -> None:
    assert assets.path("icons/lock.svg") == RESOURCES / "icons" / "lock.svg"


def test_text_is_read_as_utf_8() -> None:
    assert assets.read_text("style.qss") == (RESOURCES / "style.qss").read_bytes().decode()


def test_a_name_that_does_not_exist_is_an_error_that_names_it() -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such-file\.svg"):
        assets.read_text("icons/no-such-file.svg")


def test_a_package_that_carries_its_resources_uses_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "style.qss").write_text("installed", encoding="utf-8")
    monkeypatch.setattr(assets, "_INSTALLED", tmp_path)
    assert assets.read_text("style.qss") == "installed"
