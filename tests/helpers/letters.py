"""First contacts for tests: good ones, and forged ones."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import MessageId
from messenger.crypto.hkdf import expand, vec
from messenger.crypto.rsa import Label
from messenger.protocol import sealed_opening
from messenger.protocol.prekeys import Recipient, SecretPrekey, make_prekeys
from messenger.protocol.sealed_opening import Claim, Letter, OpeningDraft
from tests.helpers.keys import Identity, identity
from tests.helpers.sealing import DAY, NOW

ALICE, BOB, CAROL, MALLORY, DORA = (identity(name) for name in ("alice", "bob", "carol", "mallory", "dora"))

ID: Final = MessageId(b"message id of 16")
PAYLOAD: Final = b"Hello Bob, this is Alice."
SIZE_AND_PAYLOAD: Final = len(PAYLOAD).to_bytes(4, "big") + PAYLOAD

ONCE, LAST = make_prekeys(1, NOW)[0], make_prekeys(1, NOW, last_resort=True)[0]
"""Bob's prekeys."""


def recipient(who: Identity = BOB, prekey: SecretPrekey = ONCE) -> Recipient:
    """What a sender has after looking at a person's list."""
    return Recipient(who.bundle(NOW - DAY), prekey.public, NOW)


def draft(
    sender: Identity = ALICE,
    to: Recipient | None = None,
    payload: bytes = PAYLOAD,
    sent_ms: int = NOW * 1000,
    invite_secret: bytes = b"",
) -> OpeningDraft:
    """A first contact that waits for its signature."""
    return sealed_opening.begin(
        sender.bundle(NOW - DAY),
        to or recipient(),
        message_id=ID,
        sent_ms=sent_ms,
        rank=7,
        payload=payload,
        invite_secret=invite_secret,
    )


def sealed(sender: Identity = ALICE, **changes: object) -> bytes:
    """A first contact as it travels."""
    waiting = draft(sender, **changes)  # type: ignore[arg-type]
    return waiting.signed(sender.signing.sign(waiting.needed.label, waiting.needed.fields))


def opened(data: bytes, who: Identity = BOB, prekey: SecretPrekey = ONCE, now: int = NOW) -> Claim:
    """What a recipient does, up to the decision about the sender."""
    unwrapping = Letter.decode(data).unwrapping(prekey, who.fingerprint, now)
    needed = unwrapping.needed
    return unwrapping.unwrapped(who.exchange.unwrap(needed.label, needed.ciphertext))


def refused(data: bytes, who: Identity = BOB, prekey: SecretPrekey = ONCE, now: int = NOW) -> None:
    """The recipient drops it, with the one error there is."""
    with pytest.raises(RemoteProtocolError):
        opened(data, who, prekey, now)


LETTER: Final = sealed()
"""A good one, from Alice to Bob."""


def forged(waiting: OpeningDraft, content: bytes, signature: bytes) -> bytes:
    """A first contact with anything at all in the box, by somebody who knows its secrets."""
    letter, secret = waiting._letter, waiting._secret
    th = hashlib.sha256(letter.prekey_id + letter.ciphertext + letter.wrapped).digest()
    key, nonce = expand(secret, "seal key", th, 32), expand(secret, "seal iv", th, 12)
    box = AESGCM(key).encrypt(nonce, content + vec(signature), th)
    return msgspec.structs.replace(letter, box=box).encode()


@dataclass
class Forgery:
    """A first contact whose fields and content may be changed before it is signed and sealed."""

    waiting: OpeningDraft = field(default_factory=draft)
    label: Label = Label.SEAL_INIT
    fields: list[bytes] = field(default_factory=list)
    content: bytes = b""

    def __post_init__(self) -> None:
        self.fields = list(self.waiting.needed.fields)
        self.content = self.waiting._content

    def seal(self) -> bytes:
        """What Alice would send with that in it."""
        return forged(self.waiting, self.content, ALICE.signing.sign(self.label, self.fields))


def needed_of(data: bytes) -> tuple[bytes, bytes]:
    """The label and the ciphertext that Bob's vault has to open."""
    needed = Letter.decode(data).unwrapping(ONCE, BOB.fingerprint, NOW).needed
    return needed.label, needed.ciphertext
