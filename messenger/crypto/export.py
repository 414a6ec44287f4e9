"""The head of an exported profile: the keys of a person under a passphrase, opened by the vault alone.

    magic "sotto export" (12)   version u8 = 1
    Argon2id: memory in KiB u32, passes u32, lanes u32   salt (32)
    length of the sealed keys u32
    sealed keys: AES-256-GCM, content = u8 (1 if old keys follow, else 0) and that of `keycontent`
    SHA-256 of everything before (32)

The first 61 bytes are the header, which is the additional data. With
secret = extract(salt, Argon2id(passphrase, salt)): key and nonce of the sealed keys are the first 32
and the last 12 bytes of expand(secret, "export keys", header, 44); the secret of what follows the head
(`archive`) is expand(secret, "export stream", digest(head), 32), and the key of the database in it
expand(secret, "export database", digest(head), 32). The salt is new for each export, so each key is used
for one file. As in `root.key`, the checksum tells a damaged file from a wrong passphrase.
"""

import secrets
import struct
from dataclasses import dataclass, field
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, InputError, InputProblem, WrongPassphrase
from messenger.crypto import aead
from messenger.crypto.hkdf import HASH_SIZE, digest, equal, expand, extract
from messenger.crypto.keycontent import KeyContent
from messenger.crypto.protection import Cost, stretched

MAGIC: Final = b"sotto export"
VERSION: Final = 1
_HEADER: Final = struct.Struct(f">{len(MAGIC)}sBIII32sI")
_KEY_AND_NONCE: Final = aead.KEY_SIZE + aead.IV_SIZE

HEADER_SIZE: Final = _HEADER.size


@dataclass(frozen=True, slots=True)
class Opened:
    """What a passphrase gives for an export.

    Attributes:
        content: The person's keys.
        stream: Secret of what follows the head, 32 bytes.
        db_key: Key of the database in it, 32 bytes.
    """

    content: KeyContent
    stream: bytes = field(repr=False)
    db_key: bytes = field(repr=False)


def seal(content: KeyContent, passphrase: str, cost: Cost) -> tuple[bytes, Opened]:
    """Make the head of a new export.

    Args:
        content: The person's keys.
        passphrase: What will open it.
        cost: Of Argon2id.

    Raises:
        InputError: The passphrase is empty or too long.
    """
    salt = secrets.token_bytes(HASH_SIZE)
    plain = bytes((bool(content.older),)) + content.encode()
    size = len(plain) + limits.TAG_SIZE
    header = _HEADER.pack(MAGIC, VERSION, cost.memory_kib, cost.passes, cost.lanes, salt, size)
    secret = extract(salt, stretched(passphrase, salt, cost))
    both = expand(secret, "export keys", header, _KEY_AND_NONCE)
    sealed = aead.seal_once(both[: aead.KEY_SIZE], both[aead.KEY_SIZE :], plain, header)
    head = header + sealed
    head += digest(head)
    return head, _opened(content, secret, head)


def head_size(header: bytes) -> int:
    """How many bytes the head has, by its first `HEADER_SIZE` bytes; nothing is computed with them yet.

    Raises:
        InputError: NOT_EXPORT, it is none; EXPORT_VERSION, a later program made it.
    """
    cost, _, size = _read_header(header)
    if not cost.acceptable() or not limits.TAG_SIZE < size <= limits.KEY_FILE_MAX:
        raise InputError(InputProblem.NOT_EXPORT)
    return HEADER_SIZE + size + HASH_SIZE


def unseal(head: bytes, passphrase: str) -> Opened:
    """Open the head of an export.

    Raises:
        InputError: NOT_EXPORT, it is none or damaged; EXPORT_VERSION, a later program made it.
        WrongPassphrase: The passphrase does not open it.
    """
    header, checksum = head[:HEADER_SIZE], head[-HASH_SIZE:]
    if len(head) != head_size(header) or not equal(digest(head[:-HASH_SIZE]), checksum):
        raise InputError(InputProblem.NOT_EXPORT)
    cost, salt, _ = _read_header(header)
    try:
        secret = extract(salt, stretched(passphrase, salt, cost))
    except InputError as e:  # no such passphrase can have been set
        raise WrongPassphrase("the passphrase does not fit") from e
    both = expand(secret, "export keys", header, _KEY_AND_NONCE)
    try:
        plain = aead.open_once(
            both[: aead.KEY_SIZE], both[aead.KEY_SIZE :], head[HEADER_SIZE:-HASH_SIZE], header
        )
    except CryptoError as e:
        raise WrongPassphrase("the passphrase does not fit") from e
    try:
        content = KeyContent.decode(plain[1:], with_old=plain[:1] == b"\x01")
    except CryptoError as e:
        raise InputError(InputProblem.NOT_EXPORT) from e
    return _opened(content, secret, head)


def _read_header(header: bytes) -> tuple[Cost, bytes, int]:
    if len(header) != HEADER_SIZE or not header.startswith(MAGIC):
        raise InputError(InputProblem.NOT_EXPORT)
    _, version, memory, passes, lanes, salt, size = _HEADER.unpack(header)
    if version != VERSION:
        raise InputError(InputProblem.EXPORT_VERSION if version > VERSION else InputProblem.NOT_EXPORT)
    return Cost(memory, passes, lanes), salt, size


def _opened(content: KeyContent, secret: bytes, head: bytes) -> Opened:
    bound = digest(head)
    stream, db_key = (
        expand(secret, f"export {what}", bound, aead.KEY_SIZE) for what in ("stream", "database")
    )
    return Opened(content, stream, db_key)
