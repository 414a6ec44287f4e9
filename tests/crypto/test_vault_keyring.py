"""Profiles whose secret the system keyring keeps, made by the server of the vault process."""

import os
from pathlib import Path

import pytest

from messenger.crypto import keystore
from messenger.crypto import vault_wire as wire
from messenger.crypto.protection import Protection
from tests.crypto.test_vault_server import failed, talking


def test_create_in_the_keyring(kept: Path, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "new")
    with talking() as talk:
        talk.send_bytes(wire.frame(wire.Create(1, folder, 3072, Protection.KEYRING, b"")))
        assert talk.receive() == wire.Progress(1, wire.Step.SIGNING_KEY)
        assert talk.receive() == wire.Progress(1, wire.Step.EXCHANGE_KEY)
        assert isinstance(talk.receive(), wire.Result)
        made = talk.ask(wire.Import(3))
        assert isinstance(made, wire.Opened)
        assert made.protection is Protection.KEYRING
        assert talk.ask(wire.Status(2, folder)) == wire.State(2, wire.VaultState.OPENS)
    assert keystore.unlock(tmp_path / "new").db_key == made.db_key
    kept.write_text("{}")
    with talking() as talk:
        assert failed(talk.ask(wire.Open(3, folder, b""))) == "KeyringMissing"


def test_a_keyring_that_keeps_nothing_is_refused_before_keys_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    folder = os.fsencode(tmp_path / "new")
    with talking() as talk:
        first = talk.ask(wire.Create(1, folder, 3072, Protection.KEYRING, b""))
        assert failed(first) == "KeyringMissing"
        assert talk.ask(wire.Status(2, folder)) == wire.State(2, wire.VaultState.NEW)
