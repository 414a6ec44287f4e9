"""Exchange keys that were replaced, in a real vault process."""

import time
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import VaultError
from messenger.crypto import keystore
from messenger.crypto.rsa import oaep_label
from messenger.crypto.vault import Vault
from tests.helpers.keys import identity, make_profile

LABEL = oaep_label("oaep seal", bytes(32))


def renewed(folder: Path, ago: int) -> bytes:
    """Make a profile whose exchange key was replaced so many seconds ago; returns what the old one opens."""
    now = int(time.time())
    keys = make_profile(folder, "alice", now=now - ago - 1000)
    keystore.renew(folder, keys, identity("bob").exchange, now=now - ago)
    return keys.exchange.public.wrap(LABEL, b"s" * 32)


async def test_a_key_that_is_not_old_enough_outlives_forget_old(tmp_path: Path) -> None:
    ciphertext = renewed(tmp_path, ago=1000)
    vault = await Vault.start()
    try:
        with pytest.raises(VaultError, match="no profile"):
            await vault.forget_old()
        await vault.open(tmp_path)
        await vault.forget_old()
        assert await vault.unwrap(LABEL, ciphertext, older=1) == b"s" * 32
        assert await vault.unwrap(LABEL, ciphertext) != b"s" * 32
    finally:
        await vault.close()
    assert len(keystore.unlock(tmp_path).older) == 1


async def test_a_key_that_is_too_old_is_gone_when_the_profile_is_open(tmp_path: Path) -> None:
    ciphertext = renewed(tmp_path, ago=limits.PREKEY_KEPT + 1000)
    vault = await Vault.start()
    try:
        await vault.open(tmp_path)
        assert await vault.unwrap(LABEL, ciphertext, older=1) != b"s" * 32
    finally:
        await vault.close()
    assert keystore.unlock(tmp_path).older == ()
