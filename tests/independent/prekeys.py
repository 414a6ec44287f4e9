"""Section 10.6: prekeys and the signed list of them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tests.independent.identity import (
    BUNDLE_MAX,
    DAY,
    Bundle,
    Identity,
    check_modulus,
    fingerprint,
    read_bundle,
)
from tests.independent.primitives import XWING_PUBLIC, Chance, H, Reader, check, number, v, verify

VERSION: Final = 1
LAST_RESORT: Final = 1
ID: Final = 16
COUNT_MAX: Final = 65
LATE: Final = DAY
AHEAD: Final = 15 * DAY
LIFE: Final = 42 * DAY


@dataclass(frozen=True)
class Prekey:
    """What is published of a prekey."""

    id: bytes
    flags: int
    pk: bytes

    def write(self) -> bytes:
        """1233 bytes."""
        return self.id + number(self.flags, 1) + self.pk

    @property
    def hash(self) -> bytes:
        """What a list names it by."""
        return H(self.write())

    @property
    def last_resort(self) -> bool:
        """Whether it may be used more than once."""
        return self.flags == LAST_RESORT


def read_prekey(raw: bytes) -> Prekey:
    """A prekey in the right form."""
    reader = Reader(raw)
    prekey = Prekey(reader.take(ID), reader.number(1), reader.take(XWING_PUBLIC))
    reader.done()
    check(prekey.flags in {0, LAST_RESORT}, "flags")
    return prekey


def _signed(person: bytes, bundle: bytes, serial: int, not_after: int, hashes: list[bytes]) -> list[bytes]:
    return [person, bundle, number(serial, 8), number(not_after, 8), b"".join(hashes)]


def write_list(me: Identity, serial: int, not_after: int, prekeys: list[Prekey], chance: Chance) -> bytes:
    """A signed list."""
    hashes = sorted(prekey.hash for prekey in prekeys)
    return assemble(me, serial, not_after, hashes, chance)


def assemble(me: Identity, serial: int, not_after: int, hashes: list[bytes], chance: Chance) -> bytes:
    """A signed list of these hashes as they come."""
    fields = _signed(me.fingerprint, me.bundle, serial, not_after, hashes)
    signature = chance.sign(me.signing, "prekeys", *fields)
    head = number(VERSION, 1) + v(me.bundle) + number(serial, 8) + number(not_after, 8)
    return head + number(len(hashes), 1) + b"".join(hashes) + v(signature)


class Shelf:
    """Judges lists and prekeys from relays, and remembers the highest serial of each person."""

    def __init__(self) -> None:
        self.highest: dict[bytes, int] = {}

    def take(self, whom: bytes, raw_list: bytes, raw_prekey: bytes, now: float) -> tuple[Bundle, Prekey]:
        """The bundle and the prekey to write to this person with."""
        reader = Reader(raw_list)
        check(reader.number(1) == VERSION, "version")
        bundle, serial, not_after = reader.v(BUNDLE_MAX), reader.number(8), reader.number(8)
        count = reader.number(1)
        check(1 <= count <= COUNT_MAX, "count")
        hashes = [reader.take(32) for _ in range(count)]
        signature = reader.v(512)
        reader.done()
        check(all(a < b for a, b in pairwise(hashes)), "order")
        prekey = read_prekey(raw_prekey)
        check(fingerprint(check_modulus(Reader(bundle).v(512))) == whom, "another person")
        check(serial >= self.highest.get(whom, 0), "rolled back")
        check(not_after + LATE >= now and not_after <= now + AHEAD, "not_after")
        check(prekey.hash in hashes, "not in the list")
        person = read_bundle(bundle, now, {})
        check(len(signature) == len(person.signing), "length of the signature")
        verify(person.signing, "prekeys", signature, *_signed(whom, bundle, serial, not_after, hashes))
        self.highest[whom] = serial
        return person, prekey
