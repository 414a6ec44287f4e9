"""The head of an export: the keys of a person under a passphrase."""

import functools
import os
import struct

import pytest

from messenger.core import limits
from messenger.core.errors import CryptoError, InputError, InputProblem, WrongPassphrase
from messenger.crypto import aead
from messenger.crypto.export import HEADER_SIZE, head_size, seal, unseal
from messenger.crypto.hkdf import digest, expand, extract
from messenger.crypto.keycontent import KeyContent, OldKey
from messenger.crypto.protection import Cost, stretched
from tests.helpers.keys import CHEAP, identity

NOW = 1_800_000_000
WORDS = "correct horse"


@functools.cache
def content(*, old: bool = False) -> KeyContent:
    keys = identity("alice")
    older = (OldKey(NOW, identity("bob").exchange),) if old else ()
    return KeyContent(keys.signing, keys.exchange, keys.bundle(NOW), older)


@pytest.fixture(scope="module")
def head() -> bytes:
    return seal(content(), WORDS, CHEAP)[0]


def resealed(data: bytes) -> bytes:
    """With a checksum that fits, as an attacker writes it."""
    return data + digest(data)


@pytest.mark.parametrize("old", [False, True])
def test_what_goes_in_comes_out(old: bool) -> None:
    made, opened = seal(content(old=old), WORDS, CHEAP)
    again = unseal(made, WORDS)
    assert (again.stream, again.db_key) == (opened.stream, opened.db_key)
    assert again.content.encode() == content(old=old).encode()
    assert len(made) == head_size(made[:HEADER_SIZE]) <= limits.KEY_FILE_MAX
    assert again.stream != again.db_key


def test_the_head_to_the_byte(head: bytes) -> None:
    assert HEADER_SIZE == 61
    assert head[:13] == b"sotto export\x01"
    assert struct.unpack(">III", head[13:25]) == (64 * 1024, 2, 4)
    salt, size = head[25:57], int.from_bytes(head[57:61], "big")
    assert len(head) == 61 + size + 32
    assert head[-32:] == digest(head[:-32])
    secret = extract(salt, stretched(WORDS, salt, CHEAP))
    both = expand(secret, "export keys", head[:61], 44)
    plain = aead.open_once(both[:32], both[32:], head[61:-32], head[:61])
    assert plain == b"\x00" + content().encode()
    opened = unseal(head, WORDS)
    assert opened.stream == expand(secret, "export stream", digest(head), 32)
    assert opened.db_key == expand(secret, "export database", digest(head), 32)


def test_each_export_has_keys_of_its_own(head: bytes) -> None:
    other, opened = seal(content(), WORDS, CHEAP)
    first = unseal(head, WORDS)
    assert other != head
    assert len({first.stream, first.db_key, opened.stream, opened.db_key}) == 4


@pytest.mark.parametrize("wrong", ["", "Correct horse", "correct horse ", "x" * 2000, "\ud800"])
def test_another_passphrase(head: bytes, wrong: str) -> None:
    with pytest.raises(WrongPassphrase):
        unseal(head, wrong)


@pytest.mark.parametrize(
    ("passphrase", "problem"), [("", InputProblem.EMPTY), ("x" * 2000, InputProblem.TOO_LONG)]
)
def test_impossible_passphrases(passphrase: str, problem: InputProblem) -> None:
    with pytest.raises(InputError) as caught:
        seal(content(), passphrase, CHEAP)
    assert caught.value.problem is problem


@pytest.mark.parametrize("part", range(12))
def test_a_damaged_head_is_not_a_wrong_passphrase(head: bytes, part: int) -> None:
    data = bytearray(head)
    data[part * (len(head) - 1) // 11] ^= 0x10
    with pytest.raises(InputError):
        unseal(bytes(data), WORDS)


def test_cut_longer_or_something_else(head: bytes) -> None:
    for data in (b"", head[:20], head[:61], head[:-1], head + b"x", os.urandom(len(head)), b"x" * 61):
        with pytest.raises(InputError) as caught:
            unseal(data, WORDS)
        assert caught.value.problem is InputProblem.NOT_EXPORT


@pytest.mark.parametrize("version", [0, 2, 255])
def test_other_versions(head: bytes, version: int) -> None:
    with pytest.raises(InputError) as caught:
        unseal(resealed(head[:12] + bytes((version,)) + head[13:-32]), WORDS)
    later = version > 1
    assert caught.value.problem is (InputProblem.EXPORT_VERSION if later else InputProblem.NOT_EXPORT)


@pytest.mark.parametrize(
    "cost", [(64 * 1024 * 1024, 3, 4), (8, 3, 4), (64 * 1024, 2**31, 4), (64 * 1024, 1, 4), (64 * 1024, 3, 9)]
)
def test_hostile_costs_are_refused_before_any_work(head: bytes, cost: tuple[int, int, int]) -> None:
    data = head[:13] + struct.pack(">III", *cost) + head[25:-32]
    with pytest.raises(InputError) as caught:
        unseal(resealed(data), WORDS)
    assert caught.value.problem is InputProblem.NOT_EXPORT
    assert not Cost(*cost).acceptable()


@pytest.mark.parametrize("size", [0, 16, limits.KEY_FILE_MAX + 1, 2**32 - 1])
def test_hostile_lengths(head: bytes, size: int) -> None:
    with pytest.raises(InputError):
        head_size(head[:57] + size.to_bytes(4, "big"))


def test_the_header_is_bound_to_the_keys(head: bytes) -> None:
    """Another salt, whatever checksum goes with it."""
    with pytest.raises(WrongPassphrase):
        unseal(resealed(head[:25] + os.urandom(32) + head[57:-32]), WORDS)


def test_nothing_secret_is_shown(head: bytes) -> None:
    opened = unseal(head, WORDS)
    for secret in (opened.stream, opened.db_key):
        assert repr(secret) not in repr(opened)
        assert secret.hex() not in repr(opened)
    assert len(repr(opened)) < 2000, "no key is written out"


def test_keys_that_do_not_belong_together() -> None:
    """Whoever knows the passphrase can seal anything."""
    keys = identity("alice")
    foreign = KeyContent(keys.signing, identity("bob").exchange, keys.bundle(NOW))
    with pytest.raises(InputError) as caught:
        unseal(seal(foreign, WORDS, CHEAP)[0], WORDS)
    assert caught.value.problem is InputProblem.NOT_EXPORT


def test_nothing_follows_the_keys() -> None:
    data = content().encode()
    assert KeyContent.decode(data, with_old=False).encode() == data
    for wrong in (data + b"x", data[:-1]):
        with pytest.raises(CryptoError):
            KeyContent.decode(wrong, with_old=False)
    with pytest.raises(CryptoError):
        KeyContent.decode(data, with_old=True)
