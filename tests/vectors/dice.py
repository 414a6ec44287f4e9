"""Loaded dice: everything that a party draws by lot is known beforehand, for test vectors.

`cryptography` cannot be told its randomness, so here `pycryptodome` encapsulates, encrypts and signs.
"""

import hashlib
from collections.abc import Sequence

from Crypto.Cipher import oaep
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA, Hybrid
from Crypto.Signature import pss
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.independent.primitives import EXPONENT, TBS, Chance, oaep_label


def drawn(name: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same whenever the vectors are made."""
    return hashlib.shake_256(b"sotto vectors: " + name.encode()).digest(size)


class Dice(Chance):
    """Draws what it was given, in order.

    Args:
        random: Results of `random`.
        coins: 64 bytes for each encapsulation: the coins of ML-KEM, the private key of X25519.
        seeds: The seed of each OAEP encryption, 32 bytes.
        salts: The salt of each PSS signature, 32 bytes.
    """

    def __init__(
        self,
        random: Sequence[bytes] = (),
        coins: Sequence[bytes] = (),
        seeds: Sequence[bytes] = (),
        salts: Sequence[bytes] = (),
    ) -> None:
        self._random, self._coins, self._seeds, self._salts = map(list, (random, coins, seeds, salts))

    @property
    def left(self) -> int:
        """How much has not been drawn."""
        return sum(map(len, (self._random, self._coins, self._seeds, self._salts)))

    def random(self, n: int) -> bytes:
        """The next of `random`."""
        result = self._random.pop(0)
        assert len(result) == n
        return result

    def encapsulate(self, pk: bytes) -> tuple[bytes, bytes]:
        """X-Wing with the next coins."""
        key = Hybrid._construct(param_set=Hybrid.MLKEM768_X25519, pk=pk)  # not public; its vectors are tested
        ss, ct = key._encaps(self._coins.pop(0))
        return ct, ss

    def sign(self, key: rsa.RSAPrivateKey, label: str, *fields: bytes) -> bytes:
        """`Sign` with the next salt."""
        numbers = key.private_numbers()
        n = numbers.public_numbers.n
        own = RSA.construct((n, EXPONENT, numbers.d, numbers.p, numbers.q), consistency_check=False)
        signer = pss.new(own, salt_bytes=32, rand_func=lambda _: self._salts.pop(0))
        return signer.sign(SHA256.new(TBS(label, *fields)))

    def oaep(self, modulus: bytes, label: str, th: bytes, m: bytes) -> bytes:
        """`OAEP` with the next seed."""
        key = RSA.construct((int.from_bytes(modulus, "big"), EXPONENT), consistency_check=False)
        seeds = self._seeds
        cipher = oaep.new(key, hashmod=SHA256, label=oaep_label(label, th), rand_func=lambda _: seeds.pop(0))
        return cipher.encrypt(m)
