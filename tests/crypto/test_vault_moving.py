"""Keys on their way to another machine, and a keyring that is gone, with real vault processes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.core.errors import (
    CryptoError,
    InputError,
    InputProblem,
    KeyringMissing,
    VaultError,
    WrongPassphrase,
)
from messenger.crypto import aead
from messenger.crypto.export import HEADER_SIZE, seal, unseal
from messenger.crypto.hkdf import digest, expand, extract
from messenger.crypto.keycontent import KeyContent
from messenger.crypto.protection import Protection, stretched
from messenger.crypto.vault import Vault
from tests.helpers.keys import CHEAP, identity, make_profile

NOW = 1_800_000_000
ALICE = identity("alice")
CONTENT = KeyContent(ALICE.signing, ALICE.exchange, ALICE.bundle(NOW), ())


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    vault = await Vault.start()
    yield vault
    await vault.close()


async def test_from_one_process_into_another(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path / "old", "alice")
    with pytest.raises(VaultError, match="no profile"):
        await vault.export("words")
    old = await vault.open(tmp_path / "old")
    made = await vault.export("words")
    other = await Vault.start()
    try:
        with pytest.raises(WrongPassphrase):
            await other.read_export(made.head, "other words")
        with pytest.raises(VaultError, match="no import"):
            await other.finish_import()
        read = await other.read_export(made.head, "words")
        assert (read.head, read.stream, read.db_key) == (b"", made.stream, made.db_key)
        key = await other.prepare_import(tmp_path / "new", Protection.FILE)
        opened = await other.finish_import()
    finally:
        await other.close()
    assert (opened.bundle, opened.db_key) == (old.bundle, key)
    assert key not in (old.db_key, made.db_key)
    assert made.stream.hex() not in repr(made)


async def test_a_recovery_passphrase(kept: Path, tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path, "alice", protection=Protection.KEYRING)
    with pytest.raises(VaultError, match="no profile"):
        await vault.set_recovery("way back")
    made = await vault.open(tmp_path)
    await vault.set_recovery("way back")
    await asyncio.to_thread(kept.write_text, "{}")
    with pytest.raises(KeyringMissing):
        await vault.open(tmp_path)
    assert (await vault.open(tmp_path, "way back")).db_key == made.db_key


async def test_no_recovery_passphrase_without_a_keyring(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path, "alice")
    await vault.open(tmp_path)
    with pytest.raises(InputError) as refused:
        await vault.set_recovery("way back")
    assert refused.value.problem is InputProblem.NOT_ALLOWED


def test_strange_keys_under_the_right_passphrase() -> None:
    """Whoever made the file knew the words, and still is not believed."""
    made, salt = seal(CONTENT, "words", CHEAP)[0], b"s" * 32
    header = made[:25] + salt + made[57:HEADER_SIZE]
    both = expand(extract(salt, stretched("words", salt, CHEAP)), "export keys", header, 44)
    strange = aead.seal_once(both[:32], both[32:], bytes(len(made) - HEADER_SIZE - 32 - 16), header)
    with pytest.raises(InputError) as refused:
        unseal(header + strange + digest(header + strange), "words")
    assert refused.value.problem is InputProblem.NOT_EXPORT


def test_nothing_follows_the_keys_where_no_old_ones_are_told() -> None:
    data = CONTENT.encode()
    assert KeyContent.decode(data, with_old=False).bundle == CONTENT.bundle
    with pytest.raises(CryptoError, match="follows"):
        KeyContent.decode(data + b"\0", with_old=False)
