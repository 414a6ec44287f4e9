"""Statements by which a person goes on with other keys (SPEC.md section 8.1).

A person is a signing key, so nobody can simply have a new one. What makes the owner of the new
key the same person is a statement that both keys have signed: whoever holds only one of them
can neither give a person away nor claim one.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import vec
from messenger.crypto.identity import take
from messenger.crypto.rsa import Label, PrivateKey, PublicKey

SERIAL_MAX: Final = 2**32 - 1
"""Largest number of a statement: u32 on the wire."""

_SERIAL_SIZE: Final = 4
_TIME_SIZE: Final = 8
_U64_MAX: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Succession:
    """The owner of one signing key goes on with another.

    Wire form: vec(body) vec(signature of the old key) vec(signature of the new key), where body is
    u32 serial, vec(old modulus), vec(new modulus), u64 time, and each signature covers label
    ``succession`` with the one field body. 1558 bytes with two 3072-bit keys,
    `limits.SUCCESSION_MAX` with two of 4096 bits.

    Attributes:
        serial: Counts the statements of a person, from 1 to `SERIAL_MAX`.
        old_key: The signing key until now.
        new_key: The signing key from now on.
        time: When it was made, Unix seconds.
        old_signature: By the old key.
        new_signature: By the new key.
    """

    serial: int
    old_key: PublicKey
    new_key: PublicKey
    time: int
    old_signature: bytes = field(repr=False)
    new_signature: bytes = field(repr=False)

    @classmethod
    def issue(cls, serial: int, old: PrivateKey, new: PrivateKey, time: int) -> Self:
        """Make and sign a statement.

        Args:
            serial: Greater than that of every statement of this person before.
            old: The key that they had.
            new: The key that they have from now on.
            time: Unix seconds.

        Raises:
            CryptoError: A number does not fit, or the keys are the same.
        """
        body = _body(serial, old.public, new.public, time)
        signatures = [key.sign(Label.SUCCESSION, (body,)) for key in (old, new)]
        return cls(serial, old.public, new.public, time, *signatures)

    @property
    def old(self) -> Fingerprint:
        """Who they were."""
        return self.old_key.fingerprint

    @property
    def new(self) -> Fingerprint:
        """Who they are."""
        return self.new_key.fingerprint

    def encode(self) -> bytes:
        """Write the wire form."""
        body = _body(self.serial, self.old_key, self.new_key, self.time)
        return vec(body) + vec(self.old_signature) + vec(self.new_signature)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the wire form; sizes first, then arithmetic. The signatures are `verify`'s business.

        Raises:
            CryptoError: It is not exactly that form, the serial is 0, a key is refused, or both keys
                are the same.
        """
        if len(data) > limits.SUCCESSION_MAX:
            raise CryptoError("a statement of succession that is too long")
        body, rest = take(data)
        old_signature, rest = take(rest)
        new_signature, rest = take(rest)
        old, tail = take(body[_SERIAL_SIZE:])
        new, time = take(tail)
        if rest or len(time) != _TIME_SIZE:
            raise CryptoError("sizes in a statement of succession do not fit")
        for modulus, signature in ((old, old_signature), (new, new_signature)):
            if len(modulus) not in limits.RSA_SIZES or len(signature) != len(modulus):
                raise CryptoError("sizes in a statement of succession do not fit")
        serial = int.from_bytes(body[:_SERIAL_SIZE], "big")
        if serial == 0 or old == new:
            raise CryptoError("a statement of succession that says nothing")
        keys = PublicKey.from_modulus(old), PublicKey.from_modulus(new)
        return cls(serial, *keys, int.from_bytes(time, "big"), old_signature, new_signature)

    def verify(self, now: int) -> None:
        """Check the time and both signatures; the cheap one first.

        Args:
            now: Unix time in seconds; the other clock may be ahead by limits.CLOCK_SKEW. However long
                ago it was made, a statement holds.

        Raises:
            CryptoError: It comes from the future, or one of the keys has not signed it.
        """
        if self.time > now + limits.CLOCK_SKEW:
            raise CryptoError("a statement of succession from the future")
        body = _body(self.serial, self.old_key, self.new_key, self.time)
        self.old_key.verify(Label.SUCCESSION, (body,), self.old_signature)
        self.new_key.verify(Label.SUCCESSION, (body,), self.new_signature)


def _body(serial: int, old: PublicKey, new: PublicKey, time: int) -> bytes:
    if not 1 <= serial <= SERIAL_MAX or not 0 <= time <= _U64_MAX:
        raise CryptoError("a number in a statement of succession does not fit")
    if old == new:
        raise CryptoError("old and new key must differ")
    numbers = serial.to_bytes(_SERIAL_SIZE, "big"), time.to_bytes(_TIME_SIZE, "big")
    return numbers[0] + vec(old.modulus) + vec(new.modulus) + numbers[1]
