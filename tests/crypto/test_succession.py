"""Statements of succession, and the vault that makes and adopts a new identity."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger.core import limits
from messenger.core.errors import CryptoError, DiskFull, StorageError, VaultError
from messenger.crypto import keyfiles, keystore, process, vault_wire
from messenger.crypto.hkdf import vec
from messenger.crypto.keystore import IDENTITY_NAME, Keys, Protection
from messenger.crypto.rsa import Label, PrivateKey, oaep_label
from messenger.crypto.succession import SERIAL_MAX, Succession
from messenger.crypto.vault import Vault
from tests.crypto.test_keystore_faults import FAULTS, PowerCut, count_calls, failing
from tests.crypto.test_vault_server import failed, talking
from tests.helpers import spare_keys
from tests.helpers.keys import belongs_to, identity, make_profile

NOW = 1_800_000_000
OLD, NEW, OTHER = identity("alice").signing, identity("bob").signing, identity("mallory").signing
LARGE = identity("dora").signing
GOOD = Succession.issue(1, OLD, NEW, NOW)
DATA = GOOD.encode()
BODY = DATA[2:786]


def refused(data: bytes) -> None:
    """Neither read nor believed."""
    with pytest.raises(CryptoError):
        Succession.decode(data).verify(NOW)


def statement(body: bytes, *signatures: bytes) -> bytes:
    return vec(body) + b"".join(vec(signature) for signature in signatures)


def signed(body: bytes, *keys: PrivateKey) -> bytes:
    return statement(body, *(key.sign(Label.SUCCESSION, (body,)) for key in keys))


def body_of(old: bytes, new: bytes, serial: int = 1, time: int = NOW) -> bytes:
    return serial.to_bytes(4, "big") + vec(old) + vec(new) + time.to_bytes(8, "big")


def test_what_it_says() -> None:
    again = Succession.decode(DATA)
    again.verify(NOW)
    assert again == GOOD
    assert (again.serial, again.time) == (1, NOW)
    assert (again.old, again.new) == (OLD.public.fingerprint, NEW.public.fingerprint)
    assert body_of(OLD.public.modulus, NEW.public.modulus) == BODY
    assert statement(BODY, GOOD.old_signature, GOOD.new_signature) == DATA


@pytest.mark.parametrize(
    ("old", "new", "size"),
    [(OLD, NEW, 1558), (OLD, LARGE, 1814), (LARGE, OLD, 1814)],
    ids=["small", "larger", "smaller"],
)
def test_keys_of_either_size(old: PrivateKey, new: PrivateKey, size: int) -> None:
    made = Succession.issue(SERIAL_MAX, old, new, 0)
    assert len(made.encode()) == size
    Succession.decode(made.encode()).verify(NOW)


def test_the_largest_is_as_large_as_the_limit() -> None:
    other = identity("dora").exchange
    data = Succession.issue(7, LARGE, other, NOW).encode()
    assert len(data) == limits.SUCCESSION_MAX
    Succession.decode(data).verify(NOW)
    refused(data + b"\0")


@pytest.mark.parametrize("late", [0, 1, limits.CLOCK_SKEW, 10**9])
def test_one_from_the_past_holds(late: int) -> None:
    Succession.decode(DATA).verify(NOW + late)


def test_one_from_the_future_does_not() -> None:
    found = Succession.decode(DATA)
    found.verify(NOW - limits.CLOCK_SKEW)
    with pytest.raises(CryptoError, match="future"):
        found.verify(NOW - limits.CLOCK_SKEW - 1)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_any_byte_changed(at: int, flip: int) -> None:
    refused(DATA[:at] + bytes([DATA[at] ^ flip]) + DATA[at + 1 :])


FRAME = [0, 1, 2, 3, 4, 5, 6, 7, 8, 391, 392, 393, 394, 777, 778, 785, 786, 787, 788, 1172, 1173, 1174, 1557]
"""Where lengths, numbers and moduli begin and end."""


@pytest.mark.parametrize("at", FRAME)
def test_every_bit_of_the_frame_counts(at: int) -> None:
    for bit in range(8):
        refused(DATA[:at] + bytes([DATA[at] ^ 1 << bit]) + DATA[at + 1 :])


def test_cut_or_extended_anywhere() -> None:
    for end in range(len(DATA)):
        with pytest.raises(CryptoError):
            Succession.decode(DATA[:end])
    for extended in (DATA + b"\0", b"\0" + DATA, DATA + DATA, signed(BODY + b"\0", OLD, NEW)):
        with pytest.raises(CryptoError):
            Succession.decode(extended)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=limits.SUCCESSION_MAX + 10))
def test_garbage_is_one_error(data: bytes) -> None:
    for candidate in (data, DATA[:2] + data, DATA[:10] + data, DATA[:786] + data):
        with pytest.raises(CryptoError):
            Succession.decode(candidate).verify(NOW)


def test_both_keys_must_have_signed() -> None:
    ours, theirs = GOOD.old_signature, GOOD.new_signature
    for signatures in (
        (theirs, ours),
        (ours, ours),
        (theirs, theirs),
        (ours, bytes(384)),
        (bytes(384), theirs),
    ):
        refused(statement(BODY, *signatures))
    for keys in ((OTHER, NEW), (OLD, OTHER), (OTHER, OTHER), (OLD, OLD), (NEW, NEW)):
        refused(signed(BODY, *keys))
    Succession.decode(signed(BODY, OLD, NEW)).verify(NOW)


def test_a_signature_under_another_label_or_over_other_fields() -> None:
    for label in Label:
        if label is not Label.SUCCESSION:
            refused(statement(BODY, OLD.sign(label, (BODY,)), GOOD.new_signature))
            refused(statement(BODY, GOOD.old_signature, NEW.sign(label, (BODY,))))
    for fields in ((), (BODY, b""), (BODY[:4], BODY[4:]), (OLD.public.fingerprint, BODY)):
        refused(statement(BODY, OLD.sign(Label.SUCCESSION, fields), GOOD.new_signature))


def test_one_that_says_nothing() -> None:
    refused(signed(body_of(OLD.public.modulus, OLD.public.modulus), OLD, OLD))
    refused(signed(body_of(OLD.public.modulus, NEW.public.modulus, serial=0), OLD, NEW))
    for serial, new, time in (
        (0, NEW, NOW),
        (SERIAL_MAX + 1, NEW, NOW),
        (1, OLD, NOW),
        (1, NEW, -1),
        (1, NEW, 2**64),
    ):
        with pytest.raises(CryptoError):
            Succession.issue(serial, OLD, new, time)


def test_keys_that_are_none() -> None:
    good = NEW.public.modulus
    for bad in (
        good[:-1] + b"\0",
        b"\0" + good[1:],
        b"\x7f" + good[1:],
        good[:-1],
        b"\0" + good,
        good[:256],
        b"",
    ):
        refused(signed(body_of(OLD.public.modulus, bad), OLD, NEW))
        refused(signed(body_of(bad, good), OLD, NEW))


def test_sizes_are_judged_before_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(_: bytes) -> None:
        raise AssertionError("arithmetic on something that cannot be a statement")

    monkeypatch.setattr("messenger.crypto.succession.PublicKey.from_modulus", touched)
    for data in (
        statement(BODY, GOOD.old_signature, GOOD.new_signature[:-1]),
        statement(BODY, GOOD.old_signature + b"\0", GOOD.new_signature),
        statement(BODY + b"\0", GOOD.old_signature, GOOD.new_signature),
        statement(body_of(OLD.public.modulus[:256], NEW.public.modulus), bytes(256), bytes(384)),
        bytes(limits.SUCCESSION_MAX + 1),
    ):
        with pytest.raises(CryptoError):
            Succession.decode(data)


def test_the_signatures_are_not_shown() -> None:
    assert "signature" not in repr(GOOD)


# --- the vault ---


@pytest.fixture
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vaults of this test are handed their new keys."""
    spare_keys.use(monkeypatch, tmp_path / "taken")


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    vault = await Vault.start()
    yield vault
    await vault.close()


async def who(folder: Path, passphrase: str = "") -> bytes:
    """Whose keys open, in a process of its own."""
    vault = await Vault.start()
    try:
        return (await vault.open(folder, passphrase)).bundle.fingerprint
    finally:
        await vault.close()


async def test_a_new_identity_with_real_keys(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path, "alice")
    before, steps = await vault.open(tmp_path), list[str]()
    data = await vault.succeed(3, steps.append)
    assert steps == [vault_wire.Step.SIGNING_KEY, vault_wire.Step.EXCHANGE_KEY]
    found = Succession.decode(data)
    found.verify(found.time)
    assert (found.serial, found.old) == (3, before.bundle.fingerprint)
    assert await who(tmp_path) == found.old, "nothing is written before it is adopted"
    OLD.public.verify(Label.GROUP, [b"x"], await vault.sign(Label.GROUP, [b"x"]))

    bundle = await vault.adopt()
    assert bundle.fingerprint == found.new
    assert len(bundle.signing.modulus) == len(bundle.exchange.modulus) == 384
    bundle.verify(bundle.not_before)
    found.new_key.verify(Label.GROUP, [b"x"], await vault.sign(Label.GROUP, [b"x"]))
    label = oaep_label("oaep seal", bytes(32))
    assert await vault.unwrap(label, bundle.exchange.wrap(label, b"s" * 32)) == b"s" * 32
    again = await vault.open(tmp_path)
    assert (again.bundle, again.db_key, again.protection) == (bundle, before.db_key, before.protection)


@pytest.mark.usefixtures("handed")
async def test_the_passphrase_stays(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path / "alice", "alice", "correct horse")
    before = await vault.open(tmp_path / "alice", "correct horse")
    found = Succession.decode(await vault.succeed(1))
    await vault.adopt()
    assert await who(tmp_path / "alice", "correct horse") == found.new
    assert (await vault.open(tmp_path / "alice", "correct horse")).db_key == before.db_key
    await vault.change_protection("correct horse", Protection.FILE)
    assert (await vault.renew()).fingerprint == found.new
    assert await who(tmp_path / "alice") == found.new


@pytest.mark.usefixtures("handed")
async def test_one_after_the_other(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path / "alice", "alice")
    await vault.open(tmp_path / "alice")
    chain = []
    for serial in (1, 2):
        chain.append(Succession.decode(await vault.succeed(serial)))
        assert (await vault.adopt()).fingerprint == chain[-1].new
    assert chain[0].new == chain[1].old
    for each in chain:
        each.verify(each.time)


@pytest.mark.usefixtures("handed")
async def test_only_the_latest_new_keys_are_adopted_and_only_once(tmp_path: Path, vault: Vault) -> None:
    make_profile(tmp_path / "alice", "alice")
    await vault.open(tmp_path / "alice")
    with pytest.raises(VaultError, match="no new identity"):
        await vault.adopt()
    first, second = [Succession.decode(await vault.succeed(1)) for _ in range(2)]
    assert first.new != second.new
    assert (await vault.adopt()).fingerprint == second.new
    with pytest.raises(VaultError, match="no new identity"):
        await vault.adopt()
    await vault.succeed(2)
    await vault.open(tmp_path / "alice")
    with pytest.raises(VaultError, match="no new identity"):
        await vault.adopt()
    assert await who(tmp_path / "alice") == second.new


async def test_what_cannot_be_asked(tmp_path: Path, vault: Vault) -> None:
    for call in (vault.succeed(1), vault.adopt()):
        with pytest.raises(VaultError, match="no profile"):
            await call
    make_profile(tmp_path, "alice")
    await vault.open(tmp_path)
    for serial in (0, -1, SERIAL_MAX + 1):
        with pytest.raises(VaultError, match="serial"):
            await vault.succeed(serial)


def test_the_new_keys_are_as_large_as_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_profile(tmp_path, "dora", now=NOW)
    asked: list[tuple[str, ...]] = []

    def nothing(*arguments: str) -> list[str]:
        asked.append(arguments)
        return ["false"]

    with talking(NOW) as talk:
        talk.ask(vault_wire.Open(1, os.fsencode(tmp_path), b""))
        monkeypatch.setattr(process, "command", nothing)
        assert failed(talk.ask(vault_wire.Succeed(2, 1))) == "VaultError"
        assert failed(talk.ask(vault_wire.Adopt(3))) == "VaultError"
    assert asked == [("--generate", "4096")] * 2


@pytest.mark.usefixtures("handed")
async def test_a_disk_that_fails_leaves_the_old_identity(tmp_path: Path, vault: Vault) -> None:
    folder = tmp_path / "alice"
    make_profile(folder, "alice")
    await vault.open(folder)
    await vault.succeed(1)
    obstacle = folder / f"{IDENTITY_NAME}.new"
    obstacle.mkdir()
    with pytest.raises(StorageError):
        await vault.adopt()
    OLD.public.verify(Label.GROUP, [b"x"], await vault.sign(Label.GROUP, [b"x"]))
    obstacle.rmdir()
    assert await who(folder) == OLD.public.fingerprint
    found = Succession.decode(await vault.succeed(1))
    assert (await vault.adopt()).fingerprint == found.new == await who(folder)


def watch(come: Callable[[], bool]) -> None:
    """Return as soon as something has come about."""
    while not come():
        pass


MOMENTS = ("never asked", "asked", "new file there", "new file in place")


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is being written cannot be looked at there")
@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_at_any_moment(moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it was doing, the old or the new identity is there, and whole."""
    spare_keys.use(monkeypatch, tmp_path / "taken")
    folder = tmp_path / "alice"
    make_profile(folder, "alice")
    file = folder / IDENTITY_NAME
    before, new = file.read_bytes(), keyfiles.staged(file)
    vault = await Vault.start()
    await vault.open(folder)
    found = Succession.decode(await vault.succeed(1))
    come: dict[str, Callable[[], bool]] = {
        "asked": lambda: True,
        "new file there": new.exists,
        "new file in place": lambda: file.read_bytes() != before,
    }
    if moment in come:
        adopting = asyncio.create_task(vault.adopt())
        await asyncio.to_thread(watch, lambda: come[moment]() or adopting.done())
        vault._child.kill()
        with contextlib.suppress(VaultError):
            assert (await adopting).fingerprint == found.new
    else:
        vault._child.kill()
    await vault.close()
    opened = await who(folder)
    possible = {"never asked": {found.old}, "new file in place": {found.new}}
    assert opened in possible.get(moment, {found.old, found.new})


@pytest.mark.parametrize("error", [FAULTS[0][0], PowerCut()], ids=["disk full", "power cut"])
def test_any_failure_during_adoption_leaves_old_or_new(error: BaseException, tmp_path: Path) -> None:
    keys, bob = make_profile(tmp_path / "alice", "alice", now=NOW), identity("bob")

    def adopt(folder: Path) -> Keys:
        return keystore.adopt(folder, keys, bob.signing, bob.exchange, now=NOW + 5)

    rehearsal = Path(shutil.copytree(tmp_path / "alice", tmp_path / "rehearsal"))
    calls, found = count_calls(lambda: adopt(rehearsal)), set()
    for at in range(calls):
        folder = Path(shutil.copytree(tmp_path / "alice", tmp_path / str(at)))
        with pytest.raises((PowerCut, DiskFull)), failing(at, error):
            adopt(folder)
        found.add(keystore.unlock(folder).bundle.fingerprint)
        new = adopt(folder)
        assert belongs_to(new, "bob")
        assert new.bundle.not_before == NOW + 5
        assert (new.db_key, new.vault_key, new.profile) == (keys.db_key, keys.vault_key, keys.profile)
        assert keystore.unlock(folder).bundle == new.bundle
    assert found == {OLD.public.fingerprint, NEW.public.fingerprint}
