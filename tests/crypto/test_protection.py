"""Wrapping of the root key."""

import json
import os
import struct
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from messenger.core import limits
from messenger.core.errors import (
    InputError,
    InputProblem,
    KeyFileError,
    KeyringMissing,
    SottoError,
    WrongPassphrase,
)
from messenger.crypto import aead, protection
from messenger.crypto.hkdf import digest, expand, extract
from messenger.crypto.protection import Cost, Protection, RootFile, passphrase_bytes, unwrap, wrap
from tests.helpers.keys import CHEAP

ROOT, PROFILE = os.urandom(32), os.urandom(16)


@pytest.fixture(scope="module")
def locked() -> RootFile:
    return wrap(ROOT, PROFILE, Protection.PASSPHRASE, "correct horse", CHEAP)


def sealed(content: bytes) -> bytes:
    """A file with a checksum that fits, as an attacker writes it."""
    return content + digest(content)


def test_passphrase(locked: RootFile) -> None:
    again = RootFile.decode(locked.encode())
    assert again == locked
    assert unwrap(again, "correct horse") == ROOT
    for wrong in ("", "Correct horse", "correct horse ", "x" * 2000, "\ud800"):
        with pytest.raises(WrongPassphrase):
            unwrap(again, wrong)


def test_the_file_to_the_byte() -> None:
    file = wrap(ROOT, PROFILE, Protection.FILE, "", Cost())
    data = file.encode()
    assert len(data) == 164
    assert data[:12] == b"sotto root\x01\x03"
    assert data[12:28] == PROFILE
    assert data[28:40] == bytes(12)
    header, salt, nonce, wrapped = data[:84], data[40:72], data[72:84], data[84:132]
    key = expand(extract(salt, salt), "root wrap", header, 32)
    assert aead.open_once(key, nonce, wrapped, header) == ROOT
    assert data[132:] == digest(data[:132])


def test_passphrase_parameters_to_the_byte(locked: RootFile) -> None:
    data = locked.encode()
    assert data[11] == 1
    assert struct.unpack(">III", data[28:40]) == (64 * 1024, 2, 4)


def test_each_wrapping_is_new() -> None:
    first, second = (wrap(ROOT, PROFILE, Protection.FILE, "", CHEAP) for _ in range(2))
    assert first.salt != second.salt
    assert first.nonce != second.nonce
    assert first.wrapped != second.wrapped
    assert unwrap(first, "") == unwrap(second, "whatever") == ROOT


def test_the_default_cost_is_what_the_limits_say() -> None:
    assert Cost() == Cost(256 * 1024, 3, 4)
    assert Cost().acceptable()


@pytest.mark.parametrize("position", [*range(0, 164, 5), 163])
def test_a_damaged_file_is_not_a_wrong_passphrase(locked: RootFile, position: int) -> None:
    data = bytearray(locked.encode())
    data[position] ^= 0x10
    with pytest.raises(KeyFileError):
        RootFile.decode(bytes(data))


def test_truncated_extended_empty(locked: RootFile) -> None:
    data = locked.encode()
    for damaged in (b"", data[:-1], data[:32], data + b"\x00", sealed(data[:100]), sealed(b"")):
        with pytest.raises(KeyFileError):
            RootFile.decode(damaged)


HOSTILE = [
    (64 * 1024 * 1024, 3, 4),  # 64 GiB
    (1024 * 1024 + 1, 3, 4),
    (64 * 1024 - 1, 3, 4),
    (8, 3, 4),
    (0, 0, 0),
    (2**32 - 1, 3, 4),
    (64 * 1024, 2**31, 4),
    (64 * 1024, 11, 4),
    (64 * 1024, 1, 4),
    (64 * 1024, 3, 9),
    (64 * 1024, 3, 0),
    (64 * 1024, 3, 2**32 - 1),
]


@pytest.mark.parametrize("cost", HOSTILE, ids=str)
def test_hostile_parameters_are_refused_before_any_work(locked: RootFile, cost: tuple[int, int, int]) -> None:
    data = locked.encode()[:-32]
    with pytest.raises(KeyFileError):
        RootFile.decode(sealed(data[:28] + struct.pack(">III", *cost) + data[40:]))


def test_parameters_where_none_belong_are_refused() -> None:
    data = wrap(ROOT, PROFILE, Protection.FILE, "", CHEAP).encode()[:-32]
    with pytest.raises(KeyFileError):
        RootFile.decode(sealed(data[:28] + struct.pack(">III", 64 * 1024, 3, 4) + data[40:]))


@pytest.mark.parametrize(
    ("position", "value"), [(0, b"S"), (10, b"\x00"), (10, b"\x02"), (11, b"\x00"), (11, b"\x04")]
)
def test_other_kinds_and_versions_are_refused(locked: RootFile, position: int, value: bytes) -> None:
    data = locked.encode()[:-32]
    with pytest.raises(KeyFileError):
        RootFile.decode(sealed(data[:position] + value + data[position + 1 :]))


@pytest.mark.parametrize("field", ["profile", "salt", "nonce", "wrapped"])
def test_the_header_is_bound_to_the_key(field: str) -> None:
    data = bytearray(wrap(ROOT, PROFILE, Protection.FILE, "", CHEAP).encode()[:-32])
    data[{"profile": 12, "salt": 40, "nonce": 72, "wrapped": 84}[field]] ^= 1
    with pytest.raises(KeyFileError):
        unwrap(RootFile.decode(sealed(bytes(data))), "")


def test_swapped_salt_under_a_passphrase(locked: RootFile) -> None:
    with pytest.raises(WrongPassphrase):
        unwrap(replace(locked, salt=os.urandom(32)), "correct horse")


def test_another_protection_byte_does_not_help(locked: RootFile) -> None:
    data = locked.encode()[:-32]
    file = RootFile.decode(sealed(data[:11] + b"\x03" + data[12:28] + bytes(12) + data[40:]))
    assert file.protection is Protection.FILE
    with pytest.raises(KeyFileError):
        unwrap(file, "correct horse")


def test_passphrases_are_normalised() -> None:
    composed, decomposed = unicodedata.normalize("NFC", "Zoë ÅÉ"), unicodedata.normalize("NFD", "Zoë ÅÉ")
    assert composed != decomposed
    assert passphrase_bytes(composed) == passphrase_bytes(decomposed) == composed.encode()
    assert passphrase_bytes(" a ") == b" a "
    assert passphrase_bytes("ﬁ") == "ﬁ".encode()  # compatibility forms stay as they are


@pytest.mark.parametrize(
    ("passphrase", "problem"),
    [
        ("", InputProblem.EMPTY),
        ("x" * (limits.PASSPHRASE_MAX + 1), InputProblem.TOO_LONG),
        ("é" * (limits.PASSPHRASE_MAX // 2 + 1), InputProblem.TOO_LONG),
        ("secret\ud800secret", InputProblem.BAD_VALUE),
    ],
)
def test_impossible_passphrases(passphrase: str, problem: InputProblem) -> None:
    with pytest.raises(InputError) as caught:
        wrap(ROOT, PROFILE, Protection.PASSPHRASE, passphrase, CHEAP)
    assert caught.value.problem is problem
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


def test_the_longest_passphrase_works() -> None:
    assert len(passphrase_bytes("x" * limits.PASSPHRASE_MAX)) == limits.PASSPHRASE_MAX


def test_keyring(kept: Path) -> None:
    file = wrap(ROOT, PROFILE, Protection.KEYRING, "", Cost())
    (entry,) = json.loads(kept.read_text()).items()
    assert entry[0] == f"sotto {PROFILE.hex()}-{file.salt[:8].hex()}"
    assert ROOT.hex() not in kept.read_text()
    assert unwrap(RootFile.decode(file.encode()), "") == ROOT
    kept.write_text(json.dumps({entry[0]: "00" * 32}))
    with pytest.raises(KeyFileError):
        unwrap(file, "")
    kept.write_text(json.dumps({entry[0]: entry[1]}))
    protection.forget(file)
    assert json.loads(kept.read_text()) == {}
    with pytest.raises(KeyringMissing):
        unwrap(file, "")


def test_forgetting_touches_the_keyring_only_where_it_is_used(locked: RootFile, kept: Path) -> None:
    protection.forget(locked)
    assert not kept.exists()


def test_repr_shows_nothing(locked: RootFile) -> None:
    file = wrap(ROOT, PROFILE, Protection.FILE, "", CHEAP)
    for each in (file, locked):
        assert repr(each) == f"RootFile({each.protection.value}, {PROFILE.hex()})"
        for secret in (each.salt, each.wrapped):
            assert secret.hex() not in repr(each)
            assert repr(secret) not in repr(each)


def test_every_error_is_ours(locked: RootFile) -> None:
    for data in (os.urandom(164), sealed(os.urandom(132)), locked.encode()[::-1]):
        with pytest.raises(SottoError):
            RootFile.decode(data)
