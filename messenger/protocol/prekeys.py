"""Prekeys: first contact with somebody who is absent (SPEC.md section "Sealed messages").

A person leaves a signed list with a relay, and the prekeys that it names. The relay hands
the list and one prekey to whoever asks, and each prekey once, except the one of last
resort. Only hashes are in the list, so it is short, and it says nothing about which
prekeys have been handed out.
"""

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto import xwing
from messenger.crypto.hkdf import HASH_SIZE, digest, equal, vec
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label
from messenger.protocol.handshake import Entropy, SignNeeded
from messenger.protocol.ratchet_state import reading
from messenger.protocol.wire import Fields

PREKEY_ID_SIZE: Final = 16
LAST_RESORT: Final = 1
"""Flag of the prekey that is handed out again and again when the others are used up."""

_LIST_VERSION: Final = 1
_STORED_VERSION: Final = 1


class Prekey(msgspec.Struct, frozen=True):
    """A public prekey as the relay hands it out: id[16], u8 flags, xw_pk[1216]."""

    id: bytes
    """Random, so that it tells nothing of when it was made."""
    flags: int
    public: bytes

    @property
    def last_resort(self) -> bool:
        """Whether it is handed out more than once."""
        return bool(self.flags & LAST_RESORT)

    @property
    def hash(self) -> bytes:
        """SHA-256 of the prekey as it travels: what the list holds, and what an opening signs."""
        return digest(self.encode())

    def encode(self) -> bytes:
        """The prekey as it travels."""
        return self.id + bytes((self.flags,)) + self.public

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote. Whether the key is one shows when it is used.

        Raises:
            RemoteProtocolError: It has another size or an unknown flag.
        """
        fields = Fields(data)
        prekey = cls(fields.fixed(PREKEY_ID_SIZE), fields.number(1), fields.fixed(limits.XWING_PUBLIC_SIZE))
        fields.finish()
        if prekey.flags & ~LAST_RESORT:
            raise RemoteProtocolError("a prekey with an unknown flag")
        return prekey


@dataclass(frozen=True, slots=True)
class SecretPrekey:
    """A prekey of ours. Store it before its public half leaves; delete it when `Accepted` says so.

    Attributes:
        id: 16 random bytes.
        flags: LAST_RESORT or 0.
        seed: 32 bytes of `xwing.KeyPair`.
        made: Unix seconds.
    """

    id: bytes
    flags: int
    seed: bytes = field(repr=False)
    made: int

    @property
    def last_resort(self) -> bool:
        """Whether it stays after it was used."""
        return bool(self.flags & LAST_RESORT)

    @property
    def public(self) -> Prekey:
        """The half that others get (0.2 ms)."""
        return Prekey(self.id, self.flags, xwing.KeyPair.from_seed(self.seed).public)

    def listed(self, now: int) -> bool:
        """Whether it may be put into a list now: for `limits.PREKEY_LISTED` after it was made."""
        return now - self.made <= limits.PREKEY_LISTED

    def expired(self, now: int) -> bool:
        """Whether it must be deleted: nothing that was sealed to it can still be on its way."""
        return now - self.made > limits.PREKEY_KEPT

    def encode(self) -> bytes:
        """The prekey for storage; secret."""
        return (
            bytes((_STORED_VERSION,))
            + self.id
            + bytes((self.flags,))
            + self.seed
            + self.made.to_bytes(8, "big")
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            DatabaseTooNew: A later version of the program wrote it.
            DatabaseDamaged: It cannot be read.
        """
        return reading(data, _STORED_VERSION, cls._read)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        identity, flags = fields.fixed(PREKEY_ID_SIZE), fields.number(1)
        return cls(identity, flags, fields.fixed(xwing.SEED_SIZE), fields.number(8))


def make_prekeys(
    count: int, now: int, *, last_resort: bool = False, entropy: Entropy = os.urandom
) -> tuple[SecretPrekey, ...]:
    """Make prekeys.

    Args:
        count: How many.
        now: Unix time in seconds.
        last_resort: Whether they are of last resort.
        entropy: Source of ids and seeds.
    """
    flags = LAST_RESORT if last_resort else 0
    return tuple(
        SecretPrekey(entropy(PREKEY_ID_SIZE), flags, entropy(xwing.SEED_SIZE), now) for _ in range(count)
    )


class Recipient(msgspec.Struct, frozen=True):
    """Somebody who can be written to; made by `PrekeyList.choose`, which has checked it."""

    bundle: Bundle
    prekey: Prekey
    serial: int
    """Pin this for the person, in the transaction that stores what is sent: an older list is a roll-back."""


class PrekeyList(msgspec.Struct, frozen=True):
    """A person's list.

    Wire form: u8 version = 1, v(bundle), u64 serial, u64 not_after, u8 count, hashes, v(signature).
    """

    bundle: Bundle
    serial: int
    """Greater in every later list of the same person."""
    not_after: int
    """Last second of validity, Unix time."""
    hashes: tuple[bytes, ...]
    """`Prekey.hash` of each, ascending."""
    signature: bytes

    def signed_fields(self) -> tuple[bytes, ...]:
        """What the signature with label ``prekeys`` covers."""
        numbers = self.serial.to_bytes(8, "big"), self.not_after.to_bytes(8, "big")
        return self.bundle.fingerprint, self.bundle.encode(), *numbers, b"".join(self.hashes)

    def encode(self) -> bytes:
        """The list as it travels."""
        _, bundle, serial, not_after, hashes = self.signed_fields()
        head = bytes((_LIST_VERSION,)) + vec(bundle) + serial + not_after
        return head + bytes((len(self.hashes),)) + hashes + vec(self.signature)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote; `choose` judges it.

        Raises:
            RemoteProtocolError: It has another form, names no prekey or too many, or not in order.
        """
        fields = Fields(data)
        if fields.number(1) != _LIST_VERSION:
            raise RemoteProtocolError("a prekey list of another version")
        raw = fields.vector(limits.BUNDLE_MAX)
        serial, not_after, count = fields.number(8), fields.number(8), fields.number(1)
        if not 1 <= count <= limits.PREKEYS_MAX + 1:
            raise RemoteProtocolError("a prekey list with too many prekeys or none")
        hashes = tuple(fields.fixed(HASH_SIZE) for _ in range(count))
        signature = fields.vector(max(limits.RSA_SIZES))
        fields.finish()
        if any(one >= other for one, other in itertools.pairwise(hashes)):
            raise RemoteProtocolError("a prekey list out of order")
        try:
            return cls(Bundle.decode(raw), serial, not_after, hashes, signature)
        except CryptoError as e:
            raise RemoteProtocolError("a prekey list without an identity") from e

    def choose(self, prekey: Prekey, expected: Fingerprint, now: int, pinned: int = 0) -> Recipient:
        """Check the list and that it names a prekey; the cheap reasons to refuse come first.

        Args:
            prekey: The one that the relay gave with it.
            expected: Whom we want to write to.
            now: Unix time in seconds.
            pinned: The serial of the newest list seen of this person, or 0.

        Raises:
            RemoteProtocolError: It is another person's, rolled back, expired, valid for too long,
                not theirs, or does not name the prekey.
        """
        if not equal(self.bundle.fingerprint, expected):
            raise RemoteProtocolError("a prekey list of somebody else", Reason.WRONG_PERSON)
        if self.serial < pinned:
            raise RemoteProtocolError("a prekey list older than one seen before")
        if not -limits.CLOCK_SKEW <= self.not_after - now <= limits.PREKEY_LIST_LIFETIME + limits.CLOCK_SKEW:
            raise RemoteProtocolError("a prekey list that has expired, or never does")
        if prekey.hash not in self.hashes:
            raise RemoteProtocolError("a prekey that is not in the list")
        try:
            self.bundle.verify(now)
            self.bundle.signing.verify(Label.PREKEYS, self.signed_fields(), self.signature)
        except CryptoError as e:
            raise RemoteProtocolError("a prekey list that is not theirs") from e
        return Recipient(self.bundle, prekey, self.serial)


class PrekeyDraft(msgspec.Struct, frozen=True):
    """A list that waits for its signature."""

    unsigned: PrekeyList

    @property
    def needed(self) -> SignNeeded:
        """What the vault must sign; give the signature to `signed`."""
        return SignNeeded(Label.PREKEYS, self.unsigned.signed_fields())

    def signed(self, signature: bytes) -> PrekeyList:
        """The list with its signature."""
        return msgspec.structs.replace(self.unsigned, signature=signature)


def draft_list(bundle: Bundle, serial: int, prekeys: Iterable[SecretPrekey], now: int) -> PrekeyDraft:
    """Begin a list that is valid for `limits.PREKEY_LIST_LIFETIME`.

    Args:
        bundle: Our identity, with the exchange key that others shall wrap to.
        serial: Greater than in every list before; not less than the Unix time, so that it stays
            greater when a backup is restored.
        prekeys: At most `limits.PREKEYS_MAX` that are used once, and one of last resort.
        now: Unix time in seconds.

    Raises:
        LocalProtocolError: There are too many, not exactly one of last resort, or one that is too
            old to be listed.
    """
    prekeys = tuple(prekeys)
    last = sum(prekey.last_resort for prekey in prekeys)
    if last != 1 or len(prekeys) > limits.PREKEYS_MAX + 1:
        raise LocalProtocolError("a prekey list has one prekey of last resort and not too many others")
    if not all(prekey.listed(now) for prekey in prekeys):
        raise LocalProtocolError("a prekey that is too old to be listed")
    hashes = tuple(sorted(prekey.public.hash for prekey in prekeys))
    return PrekeyDraft(PrekeyList(bundle, serial, now + limits.PREKEY_LIST_LIFETIME, hashes, b""))
