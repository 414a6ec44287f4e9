"""Shared by the tests of messenger.crypto."""

from pathlib import Path

import pytest


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a working system keyring keeps its entries; the file appears with the first one."""
    path = tmp_path / "keyring.json"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.helpers.keyrings.FileKeyring")
    monkeypatch.setenv("SOTTO_TEST_KEYRING", str(path))
    return path
