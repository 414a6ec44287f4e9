"""Export, import and recovery through the vault process and its client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core.errors import InputError, InputProblem, RecoveryNeeded, VaultError, WrongPassphrase
from messenger.crypto import keystore
from messenger.crypto.vault import Protection, Vault
from tests.helpers.keys import belongs_to, make_profile


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    vault = await Vault.start()
    yield vault
    await vault.close()


def lose(kept: Path) -> None:
    """The keyring is empty from now on."""
    kept.write_text("{}")


async def test_out_and_in(vault: Vault, tmp_path: Path) -> None:
    await asyncio.to_thread(make_profile, tmp_path / "old", "alice")
    with pytest.raises(VaultError):
        await vault.export("words")
    old = await vault.open(tmp_path / "old")
    with pytest.raises(InputError) as caught:
        await vault.export("")
    assert caught.value.problem is InputProblem.EMPTY
    made = await vault.export("words")
    for secret in (made.stream, made.db_key):
        assert repr(secret) not in repr(made)
    with pytest.raises(VaultError):
        await vault.finish_import()
    with pytest.raises(WrongPassphrase):
        await vault.read_export(made.head, "other words")
    with pytest.raises(InputError):
        await vault.read_export(made.head[:-1], "words")
    read = await vault.read_export(made.head, "words")
    assert (read.head, read.stream, read.db_key) == (b"", made.stream, made.db_key)
    key = await vault.prepare_import(tmp_path / "new", Protection.FILE)
    new = await vault.finish_import()
    assert (new.db_key, new.bundle, new.protection) == (key, old.bundle, Protection.FILE)
    assert key != old.db_key
    assert belongs_to(await asyncio.to_thread(keystore.unlock, tmp_path / "new"), "alice")


async def test_recovery(tmp_path: Path, kept: Path) -> None:
    await asyncio.to_thread(make_profile, tmp_path / "profile", "alice", None, Protection.KEYRING)
    vault = await Vault.start()
    try:
        opened = await vault.open(tmp_path / "profile")
        await vault.set_recovery("way back")
        lose(kept)
        with pytest.raises(RecoveryNeeded):
            await vault.open(tmp_path / "profile")
        again = await vault.open(tmp_path / "profile", "way back")
        assert again.db_key == opened.db_key
    finally:
        await vault.close()
