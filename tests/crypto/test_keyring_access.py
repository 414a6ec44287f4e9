"""The system keyring, reached through a process of its own."""

import json
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import KeyringMissing
from messenger.crypto import keyring_access, process

SECRET = bytes(range(32))


def test_store_load_delete(kept: Path) -> None:
    keyring_access.store("entry", SECRET)
    assert json.loads(kept.read_text()) == {"sotto entry": SECRET.hex()}
    assert keyring_access.load("entry") == SECRET
    keyring_access.delete("entry")
    for gone in (keyring_access.load, keyring_access.delete):
        with pytest.raises(KeyringMissing):
            gone("entry")


def test_an_entry_that_is_not_ours(kept: Path) -> None:
    kept.write_text(json.dumps({"sotto entry": "not hexadecimal"}))
    with pytest.raises(KeyringMissing):
        keyring_access.load("entry")


@pytest.mark.parametrize(
    "backend",
    [
        "keyring.backends.fail.Keyring",
        "keyring.backends.null.Keyring",
        "tests.helpers.keyrings.ExplodingKeyring",
        "no.such.Backend",
    ],
)
def test_a_keyring_that_does_not_work(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    for attempt in (lambda: keyring_access.store("entry", SECRET), lambda: keyring_access.load("entry")):
        with pytest.raises(KeyringMissing) as caught:
            attempt()
        assert SECRET.hex() not in str(caught.value)


def test_what_went_wrong_is_named_without_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.helpers.keyrings.ExplodingKeyring")
    with pytest.raises(KeyringMissing, match="Surprise") as caught:
        keyring_access.store("entry", SECRET)
    for value in (SECRET.hex(), "with sotto entry"):
        assert value not in str(caught.value)


def test_a_keyring_that_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.helpers.keyrings.HangingKeyring")
    monkeypatch.setattr(limits, "KEYRING_TIMEOUT", 1.0)
    with pytest.raises(KeyringMissing, match="TimeoutExpired"):
        keyring_access.load("entry")


def test_a_program_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "command", lambda *_: ["/does/not/exist"])
    with pytest.raises(KeyringMissing, match="FileNotFoundError"):
        keyring_access.load("entry")


def test_serving(kept: Path) -> None:
    """What the other process does, done in this one."""
    import keyring

    from tests.helpers.keyrings import FileKeyring

    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring())  # type: ignore[no-untyped-call]
    try:
        assert keyring_access.serve("load", "entry", "") == (3, "")
        assert keyring_access.serve("store", "entry", "abcd") == (0, "")
        assert keyring_access.serve("load", "entry", "") == (0, "abcd")
        assert keyring_access.serve("delete", "entry", "") == (0, "")
        assert json.loads(kept.read_text()) == {}
    finally:
        keyring.set_keyring(before)


def test_a_check_leaves_nothing_behind(kept: Path) -> None:
    keyring_access.check()
    assert json.loads(kept.read_text()) == {}


def test_a_check_of_a_keyring_that_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(KeyringMissing):
        keyring_access.check()
