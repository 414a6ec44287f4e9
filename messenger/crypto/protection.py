"""How the root key of a profile is wrapped: by a passphrase, by the system keyring, or by the file alone.

`root.key` is 164 bytes:

    magic "sotto root" (10)   version u8 = 1   protection u8   profile id (16)
    Argon2id: memory in KiB u32, passes u32, lanes u32 (all zero unless a passphrase protects)
    salt (32)   nonce (12)   wrapped root key (48)   SHA-256 of everything before (32)

The first 84 bytes are the header. wrapped = AES-256-GCM(wrapping key, nonce, root key,
aad = header), wrapping key = expand(extract(salt, secret), "root wrap", header, 32), and
secret = Argon2id(passphrase, salt) | 32 bytes kept in the keyring | the salt itself. With
the last one the file protects nothing but itself: whoever can read it has the keys.

The checksum has no key. It tells a damaged file from a wrong passphrase, so that a person
is not sent looking for the wrong mistake.
"""

import secrets
import struct
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from messenger.core import limits
from messenger.core.errors import CryptoError, InputError, InputProblem, KeyFileError, WrongPassphrase
from messenger.crypto import aead, keyring_access
from messenger.crypto.hkdf import HASH_SIZE, digest, equal, expand, extract

ROOT_SIZE: Final = 32
PROFILE_ID_SIZE: Final = 16

_MAGIC: Final = b"sotto root"
_VERSION: Final = 1
_HEADER: Final = struct.Struct(f">{len(_MAGIC)}sBB{PROFILE_ID_SIZE}sIII32s{aead.IV_SIZE}s")
_SIZE: Final = _HEADER.size + ROOT_SIZE + limits.TAG_SIZE + HASH_SIZE


class Protection(StrEnum):
    """What stands between the key files and whoever holds the disk."""

    PASSPHRASE = "passphrase"  # noqa: S105  (Argon2id of something the person remembers)
    KEYRING = "keyring"  # a secret that the system keyring holds while the person is logged in
    FILE = "file"  # nothing but the file's permissions


_CODES: Final = {Protection.PASSPHRASE: 1, Protection.KEYRING: 2, Protection.FILE: 3}
_PROTECTIONS: Final = {code: protection for protection, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of Argon2id.

    Attributes:
        memory_kib: Memory in KiB.
        passes: Passes over it.
        lanes: Lanes that run in parallel.
    """

    memory_kib: int = limits.ARGON2_MEMORY_KIB
    passes: int = limits.ARGON2_TIME
    lanes: int = limits.ARGON2_LANES

    def acceptable(self) -> bool:
        """Whether it lies within what is accepted from a file."""
        ranges = (limits.ARGON2_MEMORY_KIB_RANGE, limits.ARGON2_TIME_RANGE, limits.ARGON2_LANES_RANGE)
        return all(
            low <= value <= high
            for value, (low, high) in zip((self.memory_kib, self.passes, self.lanes), ranges, strict=True)
        )


_NO_COST: Final = Cost(0, 0, 0)


@dataclass(frozen=True, slots=True)
class RootFile:
    """The parsed content of `root.key`; nothing in it is secret except the salt under Protection.FILE.

    Attributes:
        protection: What wraps the root key.
        profile: 16 random bytes that name the profile.
        cost: Argon2id parameters, checked against limits; zero without a passphrase.
        salt: 32 random bytes, new with each wrapping.
        nonce: 12 random bytes, new with each wrapping.
        wrapped: The root key, encrypted.
    """

    protection: Protection
    profile: bytes
    cost: Cost
    salt: bytes
    nonce: bytes
    wrapped: bytes = b""

    def header(self) -> bytes:
        """The bytes before the wrapped key: additional data of the wrapping."""
        cost = (self.cost.memory_kib, self.cost.passes, self.cost.lanes)
        code = _CODES[self.protection]
        return _HEADER.pack(_MAGIC, _VERSION, code, self.profile, *cost, self.salt, self.nonce)

    def encode(self) -> bytes:
        """Write the file."""
        content = self.header() + self.wrapped
        return content + digest(content)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the file; every number is checked before anything is computed with it.

        Raises:
            KeyFileError: It is damaged, of a later version, or asks for an Argon2id cost outside the limits.
        """
        if len(data) != _SIZE or not equal(digest(data[:-HASH_SIZE]), data[-HASH_SIZE:]):
            raise KeyFileError("root.key is damaged")
        magic, version, code, profile, memory, passes, lanes, salt, nonce = _HEADER.unpack_from(data)
        protection = _PROTECTIONS.get(code)
        if magic != _MAGIC or version != _VERSION or protection is None:
            raise KeyFileError("root.key is of another kind or version")
        cost = Cost(memory, passes, lanes)
        if not (cost.acceptable() if protection is Protection.PASSPHRASE else cost == _NO_COST):
            raise KeyFileError("root.key asks for an unreasonable cost")
        return cls(protection, profile, cost, salt, nonce, data[_HEADER.size : -HASH_SIZE])

    def __repr__(self) -> str:
        return f"RootFile({self.protection.value}, {self.profile.hex()})"


def wrap(root: bytes, profile: bytes, protection: Protection, passphrase: str, cost: Cost) -> RootFile:
    """Wrap a root key anew; with Protection.KEYRING this makes a new entry in the keyring.

    Raises:
        InputError: The passphrase is empty or too long.
        KeyringMissing: The keyring cannot keep a secret.
    """
    if protection is not Protection.PASSPHRASE:
        cost = _NO_COST
    bare = RootFile(
        protection, profile, cost, secrets.token_bytes(HASH_SIZE), secrets.token_bytes(aead.IV_SIZE)
    )
    if protection is Protection.KEYRING:
        secret = secrets.token_bytes(HASH_SIZE)
        keyring_access.store(_entry(bare), secret)
    else:
        secret = _secret(bare, passphrase)
    header = bare.header()
    wrapped = aead.seal_once(_wrapping_key(bare, secret), bare.nonce, root, header)
    return RootFile(protection, profile, cost, bare.salt, bare.nonce, wrapped)


def unwrap(file: RootFile, passphrase: str) -> bytes:
    """Recover the root key; the passphrase matters with Protection.PASSPHRASE only.

    Raises:
        WrongPassphrase: It does not open this file.
        KeyFileError: The file was changed on purpose, or the keyring holds another secret.
        KeyringMissing: The keyring cannot be reached or has no such entry.
    """
    if file.protection is Protection.PASSPHRASE:
        try:
            secret = _secret(file, passphrase)
        except InputError as e:  # no such passphrase can have been set
            raise WrongPassphrase("the passphrase does not fit") from e
    elif file.protection is Protection.KEYRING:
        secret = keyring_access.load(_entry(file))
    else:
        secret = _secret(file, "")
    try:
        return aead.open_once(_wrapping_key(file, secret), file.nonce, file.wrapped, file.header())
    except CryptoError as e:
        if file.protection is Protection.PASSPHRASE:
            raise WrongPassphrase("the passphrase does not fit") from e
        raise KeyFileError("root.key does not open") from e


def forget(file: RootFile) -> None:
    """Remove what a wrapping left outside its file: the keyring entry, if there is one.

    Raises:
        KeyringMissing: It could not be removed.
    """
    if file.protection is Protection.KEYRING:
        keyring_access.delete(_entry(file))


def passphrase_bytes(passphrase: str) -> bytes:
    """The bytes that Argon2id sees: Unicode NFC, then UTF-8.

    The same passphrase typed on another system, where accents arrive as separate
    characters, gives the same bytes. Nothing else is changed: case, spaces at the ends and
    compatibility forms all count, as in the OpaqueString profile of RFC 8265.

    Raises:
        InputError: It is empty, longer than limits.PASSPHRASE_MAX bytes, or not text.
    """
    if not passphrase:
        raise InputError(InputProblem.EMPTY)
    try:
        data = unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeEncodeError:
        raise InputError(InputProblem.BAD_VALUE) from None  # the cause would quote it
    if len(data) > limits.PASSPHRASE_MAX:
        raise InputError(InputProblem.TOO_LONG)
    return data


def stretched(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """32 bytes by Argon2id; takes a second and much memory.

    Args:
        passphrase: As it was typed.
        salt: 32 bytes.
        cost: Within what is accepted.

    Raises:
        InputError: See `passphrase_bytes`.
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(
        salt=salt,
        length=HASH_SIZE,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return kdf.derive(passphrase_bytes(passphrase))


def _secret(file: RootFile, passphrase: str) -> bytes:
    return file.salt if file.protection is Protection.FILE else stretched(passphrase, file.salt, file.cost)


def _wrapping_key(file: RootFile, secret: bytes) -> bytes:
    return expand(extract(file.salt, secret), "root wrap", file.header(), aead.KEY_SIZE)


def _entry(file: RootFile) -> str:
    """Name of the keyring entry, new with each wrapping, so that the old one stays until it is not needed."""
    return f"{file.profile.hex()}-{file.salt[:8].hex()}"
