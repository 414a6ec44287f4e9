"""Section 1: the notation, the strict reader and every primitive, on `cryptography` and hashlib."""

import hashlib
import hmac as hmac_lib
import secrets
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

P: Final = b"sotto/1 "
EXPONENT: Final = 65537
XWING_PUBLIC: Final = 1216
XWING_CIPHERTEXT: Final = 1120
MLKEM_PUBLIC: Final = 1184
MLKEM_CIPHERTEXT: Final = 1088
XWING_LABEL: Final = rb"\.//^" + b"\\"
"""The label at the end of the combiner, the last of its five inputs, since revision 03 of the draft."""


class Refused(Exception):
    """What arrived must be refused; there is one way to refuse."""


def check(good: bool, what: str) -> None:
    """Refuse unless `good`."""
    if not good:
        raise Refused(what)


def number(value: int, width: int) -> bytes:
    """`u8` … `u64`: `width` bytes, big-endian."""
    return value.to_bytes(width, "big")


def v(x: bytes) -> bytes:
    """A variable field: u16 length, then the bytes."""
    return number(len(x), 2) + x


def lp(*fields: bytes) -> bytes:
    """Each field after its u32 length; only inside hashes, signatures and key derivation."""
    return b"".join(number(len(field), 4) + field for field in fields)


class Reader:
    """Reads one structure strictly from its first byte to its last."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        check(self._at + size <= len(self._data), "a byte is missing")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, width: int) -> int:
        """An integer of `width` bytes."""
        return int.from_bytes(self.take(width), "big")

    def v(self, maximum: int) -> bytes:
        """A variable field of at most `maximum` bytes."""
        size = self.number(2)
        check(size <= maximum, "a field is too long")
        return self.take(size)

    @property
    def left(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._data) - self._at)

    def done(self) -> None:
        """Refuse what is left over."""
        check(self._at == len(self._data), "bytes are left over")


def H(x: bytes) -> bytes:  # noqa: N802
    """SHA-256."""
    return hashlib.sha256(x).digest()


def HMAC(k: bytes, x: bytes) -> bytes:  # noqa: N802
    """HMAC-SHA-256."""
    return hmac_lib.digest(k, x, "sha256")


def same(a: bytes, b: bytes) -> bool:
    """Whether two strings are equal, in constant time."""
    return hmac_lib.compare_digest(a, b)


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract; RFC 5869 defines it as HMAC keyed with the salt."""
    return HMAC(salt, ikm)


def expand(k: bytes, label: str, ctx: bytes = b"", n: int = 32) -> bytes:
    """HKDF-Expand with the info of this protocol."""
    info = P + label.encode() + b"\0" + lp(ctx) + number(n, 2)
    return HKDFExpand(hashes.SHA256(), n, info).derive(k)


def gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-256-GCM: ciphertext and tag."""
    return AESGCM(key).encrypt(nonce, plaintext, aad)


def gcm_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The plaintext, if the tag is right."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except (InvalidTag, ValueError) as error:
        raise Refused("does not open") from error


def box(k: bytes, label: str, th: bytes, pt: bytes) -> bytes:
    """A box of the handshake."""
    return gcm_seal(expand(k, label + " key", th), expand(k, label + " iv", th, 12), pt, th)


def unbox(k: bytes, label: str, th: bytes, sealed: bytes) -> bytes:
    """What a box of the handshake holds."""
    return gcm_open(expand(k, label + " key", th), expand(k, label + " iv", th, 12), sealed, th)


def _expanded(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    stream = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(stream[:64]), X25519PrivateKey.from_private_bytes(stream[64:])


def xwing_public(seed: bytes) -> bytes:
    """The public key of a 32-byte seed."""
    lattice, curve = _expanded(seed)
    return lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    """The combiner of X-Wing."""
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + XWING_LABEL).digest()


def agree(secret: X25519PrivateKey, public: bytes) -> bytes:
    """X25519; an all-zero result is refused."""
    try:
        return secret.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Refused("a low-order point") from error


def xwing_decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    """The secret of a ciphertext to the key of `seed`."""
    lattice, curve = _expanded(seed)
    ct_m, ct_x = ciphertext[:MLKEM_CIPHERTEXT], ciphertext[MLKEM_CIPHERTEXT:]
    pk_x = curve.public_key().public_bytes_raw()
    return combine(lattice.decapsulate(ct_m), agree(curve, ct_x), ct_x, pk_x)


def _pss() -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), 32)


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)


def public_key(modulus: bytes) -> rsa.RSAPublicKey:
    """The key of a bare modulus."""
    return rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(modulus, "big")).public_key()


def modulus_of(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> bytes:
    """The bare modulus, 384 or 512 bytes."""
    public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    return number(public.public_numbers().n, public.key_size // 8)


def TBS(label: str, *fields: bytes) -> bytes:  # noqa: N802
    """What a signature is made over."""
    return b"\x20" * 64 + P + label.encode() + b"\0" + lp(*fields)


def verify(modulus: bytes, label: str, signature: bytes, *fields: bytes) -> None:
    """Refuse a signature that is not that of the key with this modulus over these fields."""
    try:
        public_key(modulus).verify(signature, TBS(label, *fields), _pss(), hashes.SHA256())
    except InvalidSignature as error:
        raise Refused("signature") from error


def oaep_label(label: str, th: bytes) -> bytes:
    """The label of an OAEP encryption."""
    return label.encode() + b"\0" + th


class Chance:
    """Everything that draws lots; the maker of the test vectors gives one that draws what it is told."""

    def random(self, n: int) -> bytes:
        """Return n random bytes."""
        return secrets.token_bytes(n)

    def encapsulate(self, pk: bytes) -> tuple[bytes, bytes]:
        """X-Wing: (ciphertext, secret). ML-KEM keys that fail the modulus check are refused."""
        pk_m, pk_x = pk[:MLKEM_PUBLIC], pk[MLKEM_PUBLIC:]
        try:
            lattice = MLKEM768PublicKey.from_public_bytes(pk_m)
        except ValueError as error:
            raise Refused("ML-KEM modulus check") from error
        ephemeral = X25519PrivateKey.generate()
        ss_m, ct_m = lattice.encapsulate()
        ct_x = ephemeral.public_key().public_bytes_raw()
        return ct_m + ct_x, combine(ss_m, agree(ephemeral, pk_x), ct_x, pk_x)

    def sign(self, key: rsa.RSAPrivateKey, label: str, *fields: bytes) -> bytes:
        """`Sign(label, fields)`."""
        return key.sign(TBS(label, *fields), _pss(), hashes.SHA256())

    def oaep(self, modulus: bytes, label: str, th: bytes, m: bytes) -> bytes:
        """`OAEP(key, label, m)` to the exchange key with this modulus."""
        return public_key(modulus).encrypt(m, _oaep(oaep_label(label, th)))


def oaep_open(key: rsa.RSAPrivateKey, label: str, th: bytes, ciphertext: bytes) -> bytes:
    """The 32 bytes inside, or 32 random ones: the box that follows is the only judge."""
    instead = secrets.token_bytes(32)
    try:
        found = key.decrypt(ciphertext, _oaep(oaep_label(label, th)))
    except ValueError:
        return instead
    return found if len(found) == 32 else instead
