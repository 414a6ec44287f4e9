"""RSA keys: one kind signs (PSS), the other opens (OAEP). SPEC.md sections 1 and 2.

On the wire a public key is its bare modulus, 384 or 512 bytes; the exponent is 65537
for everybody. Nothing that a peer sends is ever given to a general key parser.
"""

import functools
import hashlib
import math
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import HASH_SIZE, PREFIX, lp, vec

if TYPE_CHECKING:
    from messenger.crypto.pycryptodome import RSA

EXPONENT: Final = 65537
SALT_SIZE: Final = 32
"""PSS salt: exactly the hash length, at both ends."""

_SPKI_PREFIX: Final = {
    384: bytes.fromhex("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100"),
    512: bytes.fromhex("30820222300d06092a864886f70d01010105000382020f003082020a0282020100"),
}
"""DER of SubjectPublicKeyInfo (RFC 8017 A.1, RFC 5280) before the modulus, by its size in bytes."""

_SPKI_SUFFIX: Final = bytes.fromhex("0203010001")
"""DER after the modulus: INTEGER 65537."""

_TBS_PAD: Final = b" " * 64
"""As in TLS 1.3 section 4.4.3: keeps a signature from ever fitting another protocol's structure."""


class Label(StrEnum):
    """What a signature says. The list is closed: a signature under one label is worthless under another."""

    KEXCERT = "kexcert"  # this exchange key is mine
    LINK_I = "link I"  # I opened this link to you
    LINK_R = "link R"  # I answered this link from you
    PREKEYS = "prekeys"  # these are my prekeys
    SEAL_INIT = "seal init"  # I opened this sealed session to you
    GROUP = "group"  # I made this entry of the group log
    SUCCESSION = "succession"  # this is my next key
    DIRECTORY = "directory"  # this is what I show of myself at that relay


def to_be_signed(label: Label, fields: Sequence[bytes]) -> bytes:
    """The bytes that a signature covers: 64 spaces, PREFIX, label, 0x00, lp(fields)."""
    return _TBS_PAD + PREFIX + label.value.encode("ascii") + b"\x00" + lp(*fields)


OAEP_DIRECTIONS: Final = ("oaep I>R", "oaep R>I", "oaep seal")
"""Who wraps for whom: initiator, responder, sender of a sealed message."""


def oaep_label(direction: str, transcript: bytes) -> bytes:
    """The OAEP label that binds a wrapped secret to its place: direction, 0x00, 32-byte transcript hash.

    Raises:
        CryptoError: The direction is not one of OAEP_DIRECTIONS, or the hash has not 32 bytes.
    """
    if direction not in OAEP_DIRECTIONS or len(transcript) != HASH_SIZE:
        raise CryptoError("not an OAEP label")
    return direction.encode("ascii") + b"\x00" + transcript


class PublicKey:
    """An RSA public key that passed every check; immutable, equal and hashed by its modulus.

    Make one with `from_modulus` only. The library is loaded when a key is first used for anything but
    its name: a window starts without.
    """

    __slots__ = ("_fingerprint", "_made", "_modulus")

    def __init__(self, modulus: bytes) -> None:
        self._modulus = modulus
        self._made: RSA.RsaKey | None = None
        self._fingerprint = Fingerprint(hashlib.sha256(self.spki).digest())

    @classmethod
    def from_modulus(cls, modulus: bytes) -> Self:
        """Accept a modulus from a peer: strict and cheap, about 0.1 ms in all.

        Checked: 3072 or 4096 bits exactly, odd, no prime factor below
        limits.RSA_SMALL_PRIMES, not a perfect square. Not checked: that it is the product
        of two large primes, which nobody can check; whoever sends another number harms
        nobody but themselves, and a verification costs us the same.

        Raises:
            CryptoError: Any of these does not hold.
        """
        if len(modulus) not in limits.RSA_SIZES:
            raise CryptoError("an RSA modulus has 384 or 512 bytes")
        if not modulus[0] & 0x80 or not modulus[-1] & 1:
            raise CryptoError("an RSA modulus fills its bytes and is odd")
        n = int.from_bytes(modulus, "big")
        if math.gcd(n, _small_primes()) != 1 or math.isqrt(n) ** 2 == n:
            raise CryptoError("an RSA modulus has two large prime factors")
        return cls(bytes(modulus))

    @property
    def modulus(self) -> bytes:
        """The modulus, 384 or 512 bytes: the wire form."""
        return self._modulus

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo, always encoded by us, so that one key has one encoding."""
        return _SPKI_PREFIX[len(self._modulus)] + self._modulus + _SPKI_SUFFIX

    @property
    def fingerprint(self) -> Fingerprint:
        """SHA-256 of `spki`."""
        return self._fingerprint

    def verify(self, label: Label, fields: Sequence[bytes], signature: bytes) -> None:
        """Check a signature over `to_be_signed(label, fields)`: PSS, SHA-256, MGF1-SHA-256, salt of 32 bytes.

        Raises:
            CryptoError: It is not this key's signature over exactly that.
        """
        _verify(self._key(), to_be_signed(label, fields), signature)

    def wrap(self, label: bytes, secret: bytes) -> bytes:
        """Encrypt a short secret to this key: OAEP, SHA-256, MGF1-SHA-256.

        Args:
            label: From `oaep_label`; the owner must give the same one to open it.
            secret: 32 bytes in every use of the protocol.

        Returns:
            As many bytes as the modulus has.

        Raises:
            CryptoError: The secret is too long for the key.
        """
        from messenger.crypto.pycryptodome import SHA256, oaep

        try:
            return oaep.new(self._key(), hashmod=SHA256, label=label).encrypt(secret)
        except ValueError as e:
            raise CryptoError("the secret is too long to be wrapped") from e

    def _key(self) -> "RSA.RsaKey":
        """The key of the library, made when it is first needed; that two threads make it harms nobody."""
        if self._made is None:
            from messenger.crypto.pycryptodome import RSA

            modulus = int.from_bytes(self._modulus, "big")
            self._made = RSA.construct((modulus, EXPONENT), consistency_check=False)
        return self._made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self._modulus == other._modulus

    def __hash__(self) -> int:
        return hash(self._modulus)

    def __repr__(self) -> str:
        return f"PublicKey({len(self._modulus) * 8}, {self._fingerprint.hex()[:8]})"


class PrivateKey:
    """An RSA private key. Lives in the vault process only; cannot be printed, pickled or compared.

    Make one with `generate` or `from_bytes`.
    """

    __slots__ = ("_key", "public")

    def __init__(self, key: "RSA.RsaKey") -> None:
        self._key = key
        self.public: PublicKey = PublicKey.from_modulus(key.n.to_bytes(key.size_in_bytes(), "big"))
        """The public half."""

    @classmethod
    def generate(cls, bits: int) -> Self:
        """Make a new key, in 0.4 to 6 s (3072 bits) that keep the interpreter busy.

        Args:
            bits: 3072 or 4096.

        Raises:
            CryptoError: Another size is asked for.
        """
        if bits // 8 not in limits.RSA_SIZES or bits % 8:
            raise CryptoError("an RSA key has 3072 or 4096 bits")
        from messenger.crypto.pycryptodome import RSA

        return cls(RSA.generate(bits, e=EXPONENT))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote; for our own authenticated key file only.

        Raises:
            CryptoError: Sizes or numbers cannot be those of a key. (That both factors are
                prime is not tried again: 25 ms, and the file's tag has just been checked.)
        """
        size = int.from_bytes(data[:2], "big")
        if (
            size * 2 not in limits.RSA_SIZES
            or len(data) != 2 * (2 + size)
            or data[2 + size : 4 + size] != data[:2]
        ):
            raise CryptoError("not a private key")
        p, q = int.from_bytes(data[2 : 2 + size], "big"), int.from_bytes(data[4 + size :], "big")
        if p == q or p * q >> (size * 16 - 1) != 1:
            raise CryptoError("not the factors of an RSA modulus")
        from messenger.crypto.pycryptodome import RSA

        try:
            d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
            return cls(RSA.construct((p * q, EXPONENT, d, p, q), consistency_check=False))
        except ValueError as e:  # 65537 divides p - 1 or q - 1, or p and q share a factor
            raise CryptoError("not the factors of an RSA modulus") from e

    def to_bytes(self) -> bytes:
        """The secret form: vec(p) vec(q), each half the modulus long; everything else follows from them."""
        size = len(self.public.modulus) // 2
        return vec(self._key.p.to_bytes(size, "big")) + vec(self._key.q.to_bytes(size, "big"))

    def sign(self, label: Label, fields: Sequence[bytes]) -> bytes:
        """Sign `to_be_signed(label, fields)`; returns as many bytes as the modulus has (7 to 16 ms).

        Raises:
            CryptoError: The computation went wrong; the library checks its own result, so that
                a faulty signature, which would give the key away, never leaves.
        """
        from messenger.crypto.pycryptodome import SHA256, pss

        try:
            return pss.new(self._key, salt_bytes=SALT_SIZE).sign(SHA256.new(to_be_signed(label, fields)))
        except ValueError as e:
            raise CryptoError("the signature could not be made") from e

    def unwrap(self, label: bytes, ciphertext: bytes, size: int = 32) -> bytes:
        """Open what `PublicKey.wrap` made, with implicit rejection (SPEC.md section 1).

        Whatever is wrong (label, padding, range, length of ciphertext or of content), the
        answer is ``size`` fresh random bytes and never an error: the box that is opened
        with the secret is the only judge, so nobody learns why it failed.

        Args:
            label: The one given to `wrap`.
            ciphertext: From a peer.
            size: Bytes that the secret must have.
        """
        rejected = secrets.token_bytes(size)
        try:
            secret = _open(self._key, label, ciphertext)
        except CryptoError:
            return rejected
        return secret if len(secret) == size else rejected

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")

    def __repr__(self) -> str:
        return f"PrivateKey({self.public!r})"


def _verify(key: "RSA.RsaKey", message: bytes, signature: bytes) -> None:
    """RSASSA-PSS-VERIFY of RFC 8017 with our parameters, and for a key of any size."""
    from messenger.crypto.pycryptodome import SHA256, pss

    try:
        pss.new(key, salt_bytes=SALT_SIZE).verify(SHA256.new(message), signature)
    except ValueError as e:
        raise CryptoError("the signature does not hold") from e


def _open(key: "RSA.RsaKey", label: bytes, ciphertext: bytes) -> bytes:
    """RSAES-OAEP-DECRYPT of RFC 8017 with our parameters; `PrivateKey.unwrap` hides its error."""
    from messenger.crypto.pycryptodome import SHA256, oaep

    try:
        return oaep.new(key, hashmod=SHA256, label=label).decrypt(ciphertext)
    except ValueError as e:
        raise CryptoError("the ciphertext does not open") from e


@functools.cache
def _small_primes() -> int:
    """The product of all odd primes below limits.RSA_SMALL_PRIMES."""
    sieve = bytearray(b"\x01") * limits.RSA_SMALL_PRIMES
    for number in range(3, math.isqrt(limits.RSA_SMALL_PRIMES) + 1, 2):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, len(sieve), number)))
    return math.prod(number for number in range(3, len(sieve), 2) if sieve[number])
