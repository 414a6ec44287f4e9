"""Section 2: moduli, fingerprints, certificates, bundles, and what people read aloud."""

import base64
import hashlib
import math
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.independent.primitives import Chance, H, Reader, check, modulus_of, number, same, v, verify

MODULUS_SIZES: Final = (384, 512)
DAY: Final = 86400
LONGEST: Final = 90 * DAY
BUNDLE_MAX: Final = 3 * 512 + 16 + 4 * 2
_SPKI: Final = {
    384: "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100",
    512: "30820222300d06092a864886f70d01010105000382020f003082020a0282020100",
}
_SMALL_PRIMES: Final = math.prod(
    p for p in range(3, 10000, 2) if all(p % q for q in range(3, math.isqrt(p) + 1, 2))
)


def check_modulus(modulus: bytes) -> bytes:
    """The modulus itself, unless it must be refused."""
    n = int.from_bytes(modulus, "big")
    check(len(modulus) in MODULUS_SIZES, "modulus size")
    check(modulus[0] >= 0x80 and n % 2 == 1, "modulus bits")
    check(math.gcd(n, _SMALL_PRIMES) == 1, "small factor")
    check(math.isqrt(n) ** 2 != n, "perfect square")
    return modulus


def fingerprint(modulus: bytes) -> bytes:
    """The 32 bytes that name a person."""
    return H(bytes.fromhex(_SPKI[len(modulus)]) + modulus + bytes.fromhex("0203010001"))


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been checked."""

    raw: bytes
    signing: bytes
    exchange: bytes
    not_before: int
    fingerprint: bytes


def read_bundle(raw: bytes, now: float, newest: dict[bytes, int]) -> Bundle:
    """Check a bundle and its certificate against the clock and the contacts' newest `not_before`."""
    reader = Reader(raw)
    signing = check_modulus(reader.v(512))
    body, signature = reader.v(16 + 2 + 512), reader.v(512)
    reader.done()
    inner = Reader(body)
    not_before, not_after = inner.number(8), inner.number(8)
    exchange = check_modulus(inner.v(512))
    inner.done()
    check(signing != exchange, "one key for both")
    check(len(signature) == len(signing), "length of the signature")
    check(0 < not_after - not_before <= LONGEST, "span of the certificate")
    check(not_before - DAY <= now <= not_after + DAY, "time of the certificate")
    person = fingerprint(signing)
    verify(signing, "kexcert", signature, person, body)
    check(not_before >= newest.get(person, 0), "older than the newest certificate")
    return Bundle(raw, signing, exchange, not_before, person)


class Identity:
    """A person's two keys and the bundle that shows them."""

    def __init__(
        self, signing: rsa.RSAPrivateKey, exchange: rsa.RSAPrivateKey, not_before: int, chance: Chance
    ) -> None:
        self.signing, self.exchange = signing, exchange
        modulus = modulus_of(signing)
        self.fingerprint = fingerprint(modulus)
        body = number(not_before, 8) + number(not_before + LONGEST, 8) + v(modulus_of(exchange))
        signature = chance.sign(signing, "kexcert", self.fingerprint, body)
        self.bundle = v(modulus) + v(body) + v(signature)


def _base32(x: bytes) -> str:
    return base64.b32encode(x).decode().lower().rstrip("=")


def write_fingerprint(fp: bytes) -> str:
    """52 characters and 4 of checksum, in 14 groups of 4."""
    text = _base32(fp) + _base32(H(b"sotto fingerprint" + fp))[:4]
    return " ".join(text[at : at + 4] for at in range(0, 56, 4))


def read_fingerprint(text: str) -> bytes:
    """The fingerprint that a person typed; a wrong checksum is refused."""
    letters = "".join(text.split()).replace("-", "").lower()
    check(len(letters) == 56 and set(letters) <= set("abcdefghijklmnopqrstuvwxyz234567"), "letters")
    fp = base64.b32decode(letters[:52].upper() + "====")
    check(_base32(fp) == letters[:52], "bits after the end")
    check(same(_base32(H(b"sotto fingerprint" + fp))[:4].encode(), letters[52:].encode()), "checksum")
    return fp


def _thirty_digits(fp: bytes) -> str:
    h = b"\x00\x01" + fp
    for _ in range(5200):
        h = hashlib.sha512(h + fp).digest()
    return "".join(f"{int.from_bytes(h[at : at + 5], 'big') % 100000:05}" for at in range(0, 30, 5))


def safety_number(one: bytes, other: bytes) -> str:
    """The 60 digits that two people compare."""
    return "".join(sorted([_thirty_digits(one), _thirty_digits(other)]))
