"""The private keys of a person as bytes: what `identity.key` and an export hold under encryption.

    vec(signing key) vec(exchange key) vec(bundle)

and, where there are exchange keys that have been replaced and are still kept (SPEC.md 10.6): u8 count,
then for each, the newest first, u64 time at which it was replaced (Unix seconds) and vec(key).
"""

from dataclasses import dataclass
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError
from messenger.crypto.hkdf import vec
from messenger.crypto.identity import Bundle, take
from messenger.crypto.rsa import PrivateKey

_TIME_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class OldKey:
    """An exchange key that has been replaced; what was sealed to it may still be on its way.

    Attributes:
        replaced: When, Unix seconds.
        key: The key.
    """

    replaced: int
    key: PrivateKey

    def kept(self, now: int) -> bool:
        """Whether it may still be used: for `limits.PREKEY_KEPT` after it was replaced."""
        return now - self.replaced <= limits.PREKEY_KEPT


@dataclass(frozen=True, slots=True)
class KeyContent:
    """The keys of a person.

    Attributes:
        signing: The signing key.
        exchange: The current exchange key.
        bundle: What others are given, certified.
        older: Exchange keys from before, the newest first, at most `limits.EXCHANGE_KEYS_OLD`.
    """

    signing: PrivateKey
    exchange: PrivateKey
    bundle: Bundle
    older: tuple[OldKey, ...] = ()

    def encode(self) -> bytes:
        """Write them; to be encrypted."""
        keys = (self.signing.to_bytes(), self.exchange.to_bytes(), self.bundle.encode())
        return b"".join(vec(part) for part in keys) + _write_old(self.older)

    @classmethod
    def decode(cls, data: bytes, *, with_old: bool) -> "KeyContent":
        """Read what `encode` wrote.

        Args:
            data: After decryption.
            with_old: Whether old keys follow; without them nothing may.

        Raises:
            CryptoError: It is not exactly that, or the bundle is not for these keys.
        """
        signing, rest = take(data)
        exchange, rest = take(rest)
        bundle, rest = take(rest)
        if rest and not with_old:
            raise CryptoError("something follows the keys")
        older = _read_old(rest) if with_old else ()
        content = cls(
            PrivateKey.from_bytes(signing), PrivateKey.from_bytes(exchange), Bundle.decode(bundle), older
        )
        public = content.signing.public, content.exchange.public
        if public != (content.bundle.signing, content.bundle.exchange):
            raise CryptoError("the certificate is not for these keys")
        return content


def _write_old(older: tuple[OldKey, ...]) -> bytes:
    written = (one.replaced.to_bytes(_TIME_SIZE, "big") + vec(one.key.to_bytes()) for one in older)
    return bytes((len(older),)) + b"".join(written) if older else b""


def _read_old(data: bytes) -> tuple[OldKey, ...]:
    """Read what `_write_old` wrote.

    Raises:
        CryptoError: It is not exactly that.
    """
    older: list[OldKey] = []
    count, rest = data[:1], data[1:]
    for _ in range(int.from_bytes(count, "big")):
        key, after = take(rest[_TIME_SIZE:])
        older.append(OldKey(int.from_bytes(rest[:_TIME_SIZE], "big"), PrivateKey.from_bytes(key)))
        rest = after
    if rest or not 0 < len(older) <= limits.EXCHANGE_KEYS_OLD:
        raise CryptoError("not a list of old keys")
    return tuple(older)
