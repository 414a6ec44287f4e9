"""AES-256-GCM: numbered records of a stream, and single boxes.

All use of the cipher in this program goes through this file. A key belongs to one
direction of one epoch; its nonces are counted, never chosen (SPEC.md section 5.1), or,
for single boxes, derived or drawn together with a key that is used once.
"""

from collections.abc import Callable
from typing import ClassVar, Final, NoReturn, Protocol

from messenger.core import limits
from messenger.core.errors import CryptoError

KEY_SIZE: Final = 32
IV_SIZE: Final = 12
Buffer = bytes | bytearray | memoryview


class BoxCipher(Protocol):
    """What single boxes need of a cipher."""

    def encrypt(self, nonce: bytes, data: Buffer, associated_data: Buffer) -> bytes:
        """Ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: Buffer, associated_data: Buffer) -> bytes:
        """Plaintext, or InvalidTag of `cryptography`, or CryptoError."""


class Cipher(BoxCipher, Protocol):
    """What we use of `cryptography`'s AESGCM; see there."""

    def encrypt_into(self, nonce: bytes, data: Buffer, associated_data: Buffer, buf: memoryview) -> int:
        """Ciphertext and tag, into a buffer of exactly their length."""

    def decrypt_into(self, nonce: bytes, data: Buffer, associated_data: Buffer, buf: memoryview) -> int:
        """Plaintext, or InvalidTag and anything at all in the buffer."""


def _of_cryptography(key: bytes) -> Cipher:
    """A cipher of `cryptography`, which is loaded for the first one: a window that has no link needs none."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _refusals() -> tuple[type[Exception], ...]:
    """What such a cipher raises if a tag does not hold; to be asked for when something was raised."""
    from cryptography.exceptions import InvalidTag

    return (InvalidTag,)


class Aes:
    """The one place where bytes become an AES-256-GCM cipher."""

    factory: ClassVar[Callable[[bytes], Cipher]] = _of_cryptography
    """Called with each 32-byte key. Tests put a recorder here that refuses a repeated (key, nonce)."""
    box_factory: ClassVar[Callable[[bytes], BoxCipher] | None] = None
    """The same for single boxes, if they are made otherwise: as in the vault process, see `vault_cipher`."""

    @classmethod
    def cipher(cls, key: bytes) -> Cipher:
        """Make a cipher for one key.

        Raises:
            CryptoError: The key is not 32 bytes; shorter AES keys are not used here.
        """
        if len(key) != KEY_SIZE:
            raise CryptoError("an AES-256 key has 32 bytes")
        return cls.factory(key)

    @classmethod
    def box_cipher(cls, key: bytes) -> BoxCipher:
        """Make a cipher for one box; raises CryptoError as `cipher` does."""
        if cls.box_factory is None:
            return cls.cipher(key)
        if len(key) != KEY_SIZE:
            raise CryptoError("an AES-256 key has 32 bytes")
        return cls.box_factory(key)


def seal_once(key: bytes, nonce: bytes, plaintext: Buffer, aad: bytes) -> bytes:
    """Encrypt one message: ciphertext and 16-byte tag. The (key, nonce) pair must never be used again."""
    if len(nonce) != IV_SIZE:
        raise CryptoError("a nonce has 12 bytes")
    return Aes.box_cipher(key).encrypt(nonce, plaintext, aad)


def open_once(key: bytes, nonce: bytes, sealed: Buffer, aad: bytes) -> bytes:
    """Decrypt what `seal_once` made.

    Raises:
        CryptoError: Key, nonce, ciphertext, tag or aad is not the one it was sealed with.
    """
    if len(nonce) != IV_SIZE:
        raise CryptoError("a nonce has 12 bytes")
    try:
        return Aes.box_cipher(key).decrypt(nonce, sealed, aad)
    except _refusals() as e:
        raise CryptoError("a sealed box does not open") from e


class _Direction:
    """Key, iv and counters of one direction in one epoch."""

    __slots__ = ("_alive", "_cipher", "_iv", "bytes", "count")

    def __init__(self, key: bytes, iv: bytes) -> None:
        if len(iv) != IV_SIZE:
            raise CryptoError("an iv has 12 bytes")
        self._cipher = Aes.cipher(key)
        self._iv = int.from_bytes(iv, "big")
        self._alive = True
        self.count: int = 0
        """Records so far; the sequence number of the next one."""
        self.bytes: int = 0
        """Plaintext bytes so far."""

    def _next(self, size: int) -> bytes:
        """Nonce of the next record: iv XOR u64 sequence number, right-aligned in 12 bytes."""
        if not self._alive:
            raise CryptoError("this direction has failed before")
        if self.count >= limits.RECORDS_PER_KEY or self.bytes + size > limits.BYTES_PER_KEY:
            raise CryptoError("this key has been used for too long")
        return (self._iv ^ self.count).to_bytes(IV_SIZE, "big")

    def _done(self, size: int) -> None:
        self.count += 1
        self.bytes += size

    def __repr__(self) -> str:
        return f"{type(self).__name__}(count={self.count}, bytes={self.bytes})"


class Sealer(_Direction):
    """Encrypts the records of one direction in order.

    Args:
        key: 32 bytes, used for this direction of this epoch only.
        iv: 12 bytes from the same derivation.

    Raises:
        CryptoError: A length is wrong; from any method also: the key has reached
            limits.RECORDS_PER_KEY or limits.BYTES_PER_KEY and must be replaced.
    """

    __slots__ = ()

    def seal(self, plaintext: Buffer, aad: Buffer) -> bytes:
        """Encrypt the next record; returns ciphertext and tag, 16 bytes longer than the plaintext."""
        count, size = self.count, len(plaintext)
        done = self.bytes + size
        if count >= limits.RECORDS_PER_KEY or done > limits.BYTES_PER_KEY or not self._alive:
            self._next(size)  # `_next`, spelled out: every message passes here
        nonce = (self._iv ^ count).to_bytes(IV_SIZE, "big")
        sealed = self._cipher.encrypt(nonce, plaintext, aad)
        self.count, self.bytes = count + 1, done
        return sealed

    def seal_into(self, plaintext: Buffer, aad: Buffer, out: bytearray | memoryview) -> int:
        """Encrypt the next record into the caller's buffer, without a copy.

        Args:
            plaintext: May be the beginning of ``out`` itself (in place).
            aad: Authenticated but not encrypted.
            out: Writable, at least 16 bytes longer than the plaintext.

        Returns:
            How many bytes of ``out`` were written: length of the plaintext plus 16.

        Raises:
            CryptoError: ``out`` is too short, or the key has been used for too long.
        """
        size = len(plaintext)
        end = size + limits.TAG_SIZE
        if len(out) < end:
            raise CryptoError("output buffer too short")
        nonce = self._next(size)
        if len(out) == end and isinstance(out, memoryview):  # bulk data: nothing has to be cut out
            self._cipher.encrypt_into(nonce, plaintext, aad, out)
        else:
            with memoryview(out) as whole, whole[:end] as view:
                self._cipher.encrypt_into(nonce, plaintext, aad, view)
        self.count += 1
        self.bytes += size
        return end


class Opener(_Direction):
    """Decrypts the records of one direction in order; after one failure it refuses everything.

    Args:
        key: 32 bytes, the sealing side's.
        iv: 12 bytes, the sealing side's.

    Raises:
        CryptoError: A length is wrong; from any method also: the record is not the next
            one of that sealer, byte for byte; or an earlier one was not.
    """

    __slots__ = ()

    def open(self, ciphertext: Buffer, aad: Buffer) -> bytes:
        """Decrypt the next record."""
        size = len(ciphertext) - limits.TAG_SIZE
        if size < 0:
            self._too_short()
        count, done = self.count, self.bytes + size
        if count >= limits.RECORDS_PER_KEY or done > limits.BYTES_PER_KEY or not self._alive:
            self._next(size)  # as in `Sealer.seal`
        nonce = (self._iv ^ count).to_bytes(IV_SIZE, "big")
        try:
            plaintext = self._cipher.decrypt(nonce, ciphertext, aad)
        except _refusals() as e:
            self._alive = False
            raise CryptoError("a record does not open") from e
        self.count, self.bytes = count + 1, done
        return plaintext

    def open_into(self, ciphertext: Buffer, aad: Buffer, out: bytearray | memoryview) -> int:
        """Decrypt the next record into the caller's buffer, without a copy.

        The cipher writes before it knows whether the tag holds, so on failure the buffer
        is zeroed before the error leaves; look at it only after this has returned.

        Args:
            ciphertext: Ciphertext and tag; may begin where ``out`` begins (in place).
            aad: As given to the sealer.
            out: Writable, at least as long as the plaintext (ciphertext minus 16).

        Returns:
            Bytes of plaintext at the beginning of ``out``.
        """
        size = len(ciphertext) - limits.TAG_SIZE
        if size < 0:
            self._too_short()
        if len(out) < size:
            raise CryptoError("output buffer too short")
        if len(out) != size or not isinstance(out, memoryview):
            with memoryview(out) as whole, whole[:size] as view:
                return self.open_into(ciphertext, aad, view)
        nonce = self._next(size)  # bulk data: nothing has to be cut out
        try:
            self._cipher.decrypt_into(nonce, ciphertext, aad, out)
        except _refusals() as e:
            self._alive = False
            out[:] = bytes(size)
            raise CryptoError("a record does not open") from e
        self.count += 1
        self.bytes += size
        return size

    def _too_short(self) -> NoReturn:
        """A record too short to hold a tag counts as a failure."""
        self._alive = False
        raise CryptoError("a record is shorter than its tag")
