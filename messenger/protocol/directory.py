"""Directory entries: people who want to be found on a relay (SPEC.md section "Directory").

An entry names a person, says where first contacts can be left, and is signed for one relay, so
that no other can show it. The status beside it is the relay's word.
"""

import itertools
from typing import Final, NamedTuple, Self

import msgspec

from messenger.core import limits, relay_limits
from messenger.core.errors import CryptoError, LocalProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import equal, vec
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label
from messenger.protocol.handshake import SignNeeded
from messenger.protocol.relay_answers import Page
from messenger.protocol.relay_finding import Browse, LookUp, Status
from messenger.protocol.wire import Fields

_VERSION: Final = 1
_ID: Final = relay_limits.QUEUE_ID_SIZE
_KEY: Final = relay_limits.QUEUE_KEY_SIZE
_U64_MAX: Final = 2**64 - 1


class Entry(msgspec.Struct, frozen=True):
    """What somebody publishes about themselves.

    Wire form: u8 version = 1, v(bundle), u64 serial, u64 not_after, v(name), v(about), send_id[24],
    send_key[32], queue_key[32], v(signature).
    """

    bundle: Bundle
    serial: int
    """Greater in every later entry of the same person; not less than the Unix time."""
    not_after: int
    """Last second of validity, Unix time."""
    name: str
    """Clean it before it is shown; it proves nothing."""
    about: str
    """Words about themselves; clean them too."""
    send_id: bytes
    send_key: bytes
    queue_key: bytes
    """The request queue at this relay: see `messenger.protocol.places.Place`."""
    signature: bytes = b""

    def __repr__(self) -> str:
        return f"Entry({self.bundle.fingerprint.hex()[:8]}, {self.serial})"

    @property
    def fingerprint(self) -> Fingerprint:
        """Who it is."""
        return self.bundle.fingerprint

    def body(self) -> bytes:
        """Everything but the signature.

        Raises:
            LocalProtocolError: A field is out of bounds.
        """
        name, about = self.name.encode(), self.about.encode()
        queue = self.send_id + self.send_key + self.queue_key
        numbers = self.serial, self.not_after
        if (
            not _is_name(name, self.name)
            or len(about) > relay_limits.ABOUT_MAX
            or len(queue) != _ID + 2 * _KEY
        ):
            raise LocalProtocolError("a directory entry out of bounds")
        if not all(0 <= number <= _U64_MAX for number in numbers):
            raise LocalProtocolError("a number of a directory entry out of bounds")
        times = b"".join(number.to_bytes(8, "big") for number in numbers)
        return bytes((_VERSION,)) + vec(self.bundle.encode()) + times + vec(name) + vec(about) + queue

    def needed(self, relay: Fingerprint) -> SignNeeded:
        """What the vault must sign; give the signature to `signed`.

        Args:
            relay: Where it is to be published.
        """
        return SignNeeded(Label.DIRECTORY, (self.fingerprint, relay, self.body()))

    def signed(self, signature: bytes) -> "Entry":
        """The entry with its signature."""
        return msgspec.structs.replace(self, signature=signature)

    def encode(self) -> bytes:
        """The entry as it travels."""
        return self.body() + vec(self.signature)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote; `verify` judges it.

        Raises:
            RemoteProtocolError: It has another form.
        """
        fields = Fields(data)
        if fields.number(1) != _VERSION:
            raise RemoteProtocolError("a directory entry of another version")
        raw, serial, not_after = fields.vector(limits.BUNDLE_MAX), fields.number(8), fields.number(8)
        name, about = fields.vector(limits.NAME_BYTES_MAX), fields.vector(relay_limits.ABOUT_MAX)
        send_id, send_key, queue_key = fields.fixed(_ID), fields.fixed(_KEY), fields.fixed(_KEY)
        signature = fields.vector(max(limits.RSA_SIZES))
        fields.finish()
        try:
            texts = name.decode(), about.decode()
            bundle = Bundle.decode(raw)
        except (UnicodeDecodeError, CryptoError) as e:
            raise RemoteProtocolError("a directory entry without name or identity") from e
        if not _is_name(name, texts[0]):
            raise RemoteProtocolError("a directory entry with no name, or too long a one")
        return cls(bundle, serial, not_after, *texts, send_id, send_key, queue_key, signature)

    def verify(self, relay: Fingerprint, now: int) -> None:
        """Check times, certificate and signature; the cheap ones first.

        Args:
            relay: The relay that the entry comes from, or is to be published at.
            now: Unix time in seconds; clocks may differ by `limits.CLOCK_SKEW`.

        Raises:
            RemoteProtocolError: It has expired, is valid for too long, is not theirs, or for another relay.
        """
        left = self.not_after - now
        if not -limits.CLOCK_SKEW <= left <= relay_limits.ENTRY_LIFETIME + limits.CLOCK_SKEW:
            raise RemoteProtocolError("a directory entry that has expired, or never does")
        signed = (self.fingerprint, relay, self.body())
        try:
            self.bundle.verify(now)
            self.bundle.signing.verify(Label.DIRECTORY, signed, self.signature)
        except CryptoError as e:
            raise RemoteProtocolError("a directory entry that is not theirs, or not for this relay") from e


class Found(NamedTuple):
    """Somebody in the directory."""

    entry: Entry
    status: Status


def read_page(page: Page, request: LookUp | Browse, relay: Fingerprint, now: int) -> tuple[Found, ...]:
    """Read and check a page of the directory.

    Args:
        page: What the relay answered.
        request: What it was asked.
        relay: The relay's fingerprint.
        now: Unix time in seconds.

    Returns:
        Those who hold; an entry that does not `verify` is left out, so that one cannot hide the others.

    Raises:
        RemoteProtocolError: The page is not what was asked for, or an entry has another form.
    """
    entries = [(Entry.decode(raw), status) for status, raw in page.entries]
    order = [entry.fingerprint for entry, _ in entries]
    if isinstance(request, LookUp):
        if len(order) != 1 or page.next or not equal(order[0], request.fingerprint):
            raise RemoteProtocolError("another directory entry than was asked for", Reason.WRONG_PERSON)
    else:
        rising = all(one < other for one, other in itertools.pairwise([request.after, *order]))
        if not rising or len(order) > request.most or page.next not in (b"", *order[-1:]):
            raise RemoteProtocolError("another page of the directory than was asked for")
    return tuple(Found(entry, status) for entry, status in entries if _holds(entry, relay, now))


def _holds(entry: Entry, relay: Fingerprint, now: int) -> bool:
    try:
        entry.verify(relay, now)
    except RemoteProtocolError:
        return False
    return True


def _is_name(raw: bytes, name: str) -> bool:
    return 0 < len(raw) <= limits.NAME_BYTES_MAX and len(name) <= limits.NAME_MAX
