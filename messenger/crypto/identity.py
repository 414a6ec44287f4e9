"""Identity bundles and safety numbers (SPEC.md section 2).

A person is a signing key. A bundle is what they hand to others: that key, the exchange
key that it certifies for some weeks, and the certificate's signature.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import vec
from messenger.crypto.rsa import Label, PrivateKey, PublicKey

_TIMES_SIZE: Final = 16
_U64_MAX: Final = 2**64 - 1
_SAFETY_VERSION: Final = b"\x00\x01"
_SAFETY_GROUPS: Final = 6
_SAFETY_GROUP_BYTES: Final = 5
_SAFETY_GROUP_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class KexCert:
    """The body of an exchange certificate.

    Wire form: u64 not_before, u64 not_after (Unix seconds), vec(exchange modulus).

    Attributes:
        not_before: First second of validity.
        not_after: Last second of validity, at most limits.KEXCERT_LIFETIME later.
        exchange: The key that it certifies, for OAEP only.
    """

    not_before: int
    not_after: int
    exchange: PublicKey

    def encode(self) -> bytes:
        """Write the wire form.

        Raises:
            CryptoError: A time does not fit.
        """
        if not 0 <= self.not_before <= self.not_after <= _U64_MAX:
            raise CryptoError("times of a certificate out of order")
        times = self.not_before.to_bytes(8, "big") + self.not_after.to_bytes(8, "big")
        return times + vec(self.exchange.modulus)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the wire form.

        Raises:
            CryptoError: It is not exactly that, the times are out of order or too far
                apart, or the modulus is refused.
        """
        not_before, not_after = int.from_bytes(data[:8], "big"), int.from_bytes(data[8:_TIMES_SIZE], "big")
        modulus, rest = take(data[_TIMES_SIZE:])
        if rest:
            raise CryptoError("trailing bytes in a certificate")
        if not 0 < not_after - not_before <= limits.KEXCERT_LIFETIME:
            raise CryptoError("a certificate for too long a time, or for none")
        return cls(not_before, not_after, PublicKey.from_modulus(modulus))


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a person hands to others: signing key, certified exchange key, signature.

    Wire form: vec(signing modulus) vec(body) vec(signature), where body is `KexCert`'s and
    the signature covers label ``kexcert`` with the fields (fingerprint, body).

    Attributes:
        signing: The signing key; its fingerprint is the person.
        exchange: The exchange key.
        not_before: First second of the certificate, Unix time.
        not_after: Last second of the certificate.
        signature: By the signing key.
    """

    signing: PublicKey
    exchange: PublicKey
    not_before: int
    not_after: int
    signature: bytes = field(repr=False)

    @classmethod
    def issue(cls, signing: PrivateKey, exchange: PublicKey, not_before: int) -> Self:
        """Certify an exchange key for limits.KEXCERT_LIFETIME from ``not_before`` (Unix seconds) on.

        Raises:
            CryptoError: It is the signing key itself, or the time does not fit.
        """
        if signing.public == exchange:
            raise CryptoError("signing and exchange key must differ")
        not_after = not_before + limits.KEXCERT_LIFETIME
        body = KexCert(not_before, not_after, exchange).encode()
        signature = signing.sign(Label.KEXCERT, (signing.public.fingerprint, body))
        return cls(signing.public, exchange, not_before, not_after, signature)

    @property
    def fingerprint(self) -> Fingerprint:
        """Whose bundle it is: SHA-256 of the signing key's SubjectPublicKeyInfo."""
        return self.signing.fingerprint

    def encode(self) -> bytes:
        """Write the wire form: 1176 bytes with two 3072-bit keys, 1560 with two of 4096 bits."""
        return vec(self.signing.modulus) + vec(self._body()) + vec(self.signature)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the wire form; sizes first, then arithmetic. The signature is `verify`'s business.

        Raises:
            CryptoError: It is not exactly that form, a key or time is refused, or both keys
                are the same.
        """
        modulus, rest = take(data)
        body, rest = take(rest)
        signature, rest = take(rest)
        if rest:
            raise CryptoError("trailing bytes in a bundle")
        if len(modulus) not in limits.RSA_SIZES or len(signature) != len(modulus):
            raise CryptoError("sizes in a bundle do not fit")
        certificate = KexCert.decode(body)
        if certificate.exchange.modulus == modulus:
            raise CryptoError("signing and exchange key must differ")
        signing = PublicKey.from_modulus(modulus)
        return cls(signing, certificate.exchange, certificate.not_before, certificate.not_after, signature)

    def verify(self, now: int) -> None:
        """Check validity and signature; the cheap one first.

        Args:
            now: Unix time in seconds; the other clock may differ by limits.CLOCK_SKEW.

        Raises:
            CryptoError: Not yet valid, expired, or not signed by the signing key.
        """
        if now + limits.CLOCK_SKEW < self.not_before:
            raise CryptoError("the exchange key is not valid yet")
        if now - limits.CLOCK_SKEW > self.not_after:
            raise CryptoError("the exchange key has expired")
        self.signing.verify(Label.KEXCERT, (self.fingerprint, self._body()), self.signature)

    def _body(self) -> bytes:
        return KexCert(self.not_before, self.not_after, self.exchange).encode()


def safety_number(ours: Fingerprint, theirs: Fingerprint) -> str:
    """The 60 digits that two people compare; the same at both ends.

    For each fingerprint FP: h = u16 1 (the version of this computation) + FP, then
    limits.SAFETY_ITERATIONS times h = SHA-512(h + FP). Each of the first six groups of five
    bytes of the last h, as a big-endian number modulo 100,000, gives five digits, with
    leading zeros: 30 digits. The two strings of 30 digits are sorted and joined.
    """
    return "".join(sorted((_thirty_digits(ours), _thirty_digits(theirs))))


def _thirty_digits(fingerprint: Fingerprint) -> str:
    value = _SAFETY_VERSION + fingerprint
    for _ in range(limits.SAFETY_ITERATIONS):
        value = hashlib.sha512(value + fingerprint).digest()
    groups = (value[n * _SAFETY_GROUP_BYTES : (n + 1) * _SAFETY_GROUP_BYTES] for n in range(_SAFETY_GROUPS))
    return "".join(f"{int.from_bytes(group, 'big') % 10**_SAFETY_GROUP_DIGITS:05}" for group in groups)


def take(data: bytes) -> tuple[bytes, bytes]:
    """Split off one field written by `vec`; returns it and what follows it.

    Raises:
        CryptoError: The data ends before the field does.
    """
    size = int.from_bytes(data[:2], "big")
    if len(data) < 2 or len(data) - 2 < size:
        raise CryptoError("a field is cut short")
    return data[2 : 2 + size], data[2 + size :]
