"""First contact with somebody absent (SPEC.md section "Sealed messages"): the message that opens a session.

It is sealed to one of their prekeys and to their exchange key, so that both exchanges of
a link protect it, and signed, the only thing of a sealed session that is. Each step of
making and of reading one is a value of its own that only the step before can give, so
nothing can be done in another order.
"""

import os
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import MESSAGE_ID_SIZE, Fingerprint, MessageId
from messenger.crypto import xwing
from messenger.crypto.box import open_box, seal_box
from messenger.crypto.hkdf import HASH_SIZE, digest, equal, expand, extract, vec
from messenger.crypto.identity import Bundle
from messenger.crypto.rsa import Label, oaep_label
from messenger.protocol import keyschedule, ratchet
from messenger.protocol.handshake import Entropy, SignNeeded, UnwrapNeeded
from messenger.protocol.prekeys import PREKEY_ID_SIZE, Prekey, Recipient, SecretPrekey
from messenger.protocol.ratchet_state import SECRET_SIZE, OwnKey, Receiving, Sending, Session
from messenger.protocol.seal import CONTENT_MAX
from messenger.protocol.wire import Fields

_WRAP_SIZE: Final = 32


class Letter(msgspec.Struct, frozen=True):
    """A first contact as it travels: prekey id[16], ct[1120], v(ow), and the box as the rest."""

    prekey_id: bytes
    """Which prekey it was sealed to: look it up, then call `unwrapping`."""
    ciphertext: bytes
    """X-Wing ciphertext for the prekey."""
    wrapped: bytes
    """OAEP ciphertext for the exchange key, as long as its modulus."""
    box: bytes

    def encode(self) -> bytes:
        """The first contact as it travels."""
        return self.prekey_id + self.ciphertext + vec(self.wrapped) + self.box

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            RemoteProtocolError: It is too short or too long.
        """
        fields = Fields(data)
        identity, ciphertext = fields.fixed(PREKEY_ID_SIZE), fields.fixed(limits.XWING_CIPHERTEXT_SIZE)
        wrapped = fields.vector(max(limits.RSA_SIZES))
        start = PREKEY_ID_SIZE + limits.XWING_CIPHERTEXT_SIZE + 2 + len(wrapped)
        if len(wrapped) not in limits.RSA_SIZES or len(data) > CONTENT_MAX:
            raise RemoteProtocolError("a first contact of impossible size")
        return cls(identity, ciphertext, wrapped, data[start:])

    def unwrapping(self, prekey: SecretPrekey, own: Fingerprint, now: int) -> "Unwrapping":
        """Begin to open it.

        Args:
            prekey: The one that it names.
            own: Our fingerprint.
            now: Unix time in seconds.

        Raises:
            RemoteProtocolError: It names another prekey, one that should be deleted by now, or
                its ciphertext is not one.
        """
        if prekey.id != self.prekey_id or prekey.expired(now):
            raise RemoteProtocolError("a first contact for a prekey that is gone")
        try:
            shared = xwing.KeyPair.from_seed(prekey.seed).decapsulate(self.ciphertext)
        except CryptoError as e:
            raise RemoteProtocolError("a first contact does not open") from e
        return Unwrapping(self, prekey, own, now, shared)


@dataclass(slots=True)
class OpeningDraft:
    """A first contact that waits for its signature; it takes one, for its key seals one box only."""

    needed: SignNeeded
    """What the vault must sign; give the signature to `signed`."""
    session: Session
    """The session that it opens, not acknowledged yet: store it before the message leaves."""
    _secret: bytes = field(repr=False)
    _letter: Letter = field(repr=False)
    _content: bytes = field(repr=False)

    def signed(self, signature: bytes) -> bytes:
        """The first contact with its signature, as an envelope of kind OPENING takes it.

        Raises:
            LocalProtocolError: It has been called before. Signatures differ each time, and two
                different boxes under one key would give both away.
        """
        secret, self._secret = self._secret, b""
        if not secret:
            raise LocalProtocolError("a first contact is signed once")
        letter = self._letter
        box = seal_box(secret, "seal", _after_wrap(letter), self._content + vec(signature))
        return msgspec.structs.replace(letter, box=box).encode()


@dataclass(frozen=True, slots=True)
class Unwrapping:
    """A first contact whose OAEP ciphertext must be opened by the vault."""

    _letter: Letter = field(repr=False)
    _prekey: SecretPrekey = field(repr=False)
    _own: Fingerprint = field(repr=False)
    _now: int = field(repr=False)
    _shared: bytes = field(repr=False)

    @property
    def needed(self) -> UnwrapNeeded:
        """What the vault must open; give the 32 bytes to `unwrapped`."""
        return UnwrapNeeded(_wrap_label(self._letter), self._letter.wrapped)

    def unwrapped(self, secret: bytes) -> "Claim":
        """Open the box, then check what is in it: form, identity, signature, key.

        If it fails and the exchange key has been replaced lately, the old one may be the right
        one: let it open the same ciphertext and call this again.

        Raises:
            RemoteProtocolError: It was not sealed to us by whom it names. The prekey stays.
        """
        letter, transcript = self._letter, _after_wrap(self._letter)
        root = _first_root(self._shared, secret, transcript)
        try:
            content = _Content.decode(open_box(root, "seal", transcript, letter.box))
            sender = Bundle.decode(content.bundle)
            if sender.fingerprint == self._own:
                raise RemoteProtocolError("own key", Reason.OWN_KEY)
            self._verify(sender, content)
        except CryptoError as e:
            raise RemoteProtocolError("a first contact does not open") from e
        ratchet.check_public(content.public)
        return Claim(sender, content, self._prekey, self._own, self._now, root, transcript)

    def _verify(self, sender: Bundle, content: "_Content") -> None:
        sent = content.sent_ms // 1000
        if not -limits.CLOCK_SKEW <= self._now - sent <= limits.PREKEY_KEPT + limits.CLOCK_SKEW:
            raise RemoteProtocolError("a first contact from another time")
        # Their certificate may have ended while the message lay at the relay.
        sender.verify(sent)
        prekey = self._prekey.public
        fields = _signed_fields(sender.fingerprint, self._own, prekey, self._letter, content)
        sender.signing.verify(Label.SEAL_INIT, fields, content.signature)


class _Content(msgspec.Struct, frozen=True):
    """What is in the box."""

    bundle: bytes
    public: bytes
    message_id: MessageId
    sent_ms: int
    rank: int
    proof: bytes
    payload: bytes
    signature: bytes = b""

    def unsigned(self) -> bytes:
        """Everything but v(signature)."""
        numbers = self.sent_ms.to_bytes(8, "big") + self.rank.to_bytes(8, "big")
        head = vec(self.bundle) + self.public + self.message_id + numbers
        return head + vec(self.proof) + len(self.payload).to_bytes(4, "big") + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read `unsigned` and v(signature).

        Raises:
            RemoteProtocolError: It does not follow that order and those sizes.
        """
        fields = Fields(data)
        content = cls(
            bundle=fields.vector(limits.BUNDLE_MAX),
            public=fields.fixed(limits.XWING_PUBLIC_SIZE),
            message_id=MessageId(fields.fixed(MESSAGE_ID_SIZE)),
            sent_ms=fields.number(8),
            rank=fields.number(8),
            proof=fields.vector(HASH_SIZE),
            payload=fields.fixed(fields.number(4)),
            signature=fields.vector(max(limits.RSA_SIZES)),
        )
        fields.finish()
        if (
            len(content.proof) not in (0, HASH_SIZE)
            or len(content.payload) > limits.SEALED_PAYLOAD_MAX
            or content.rank > limits.SESSION_RANK_MAX
        ):
            raise RemoteProtocolError("bad content of a first contact")
        return content

    def __repr__(self) -> str:
        return "_Content()"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A first contact that was let in. Store all of it in one transaction, then tell the relay to forget it.

    Attributes:
        sender: Who wrote.
        session: Add it to the sessions with them, as acknowledged, with `rank`.
        rank: Its standing among the sessions with them.
        message_id: Chosen by the sender.
        sent_ms: When it was written, Unix milliseconds by the sender's clock.
        payload: What they wrote.
        used_prekey: Id of the prekey to delete; None for the one of last resort, which stays.
        remember_until: Unix time until which `dedupe_key` must be remembered.
    """

    sender: Bundle
    session: Session
    rank: int
    message_id: MessageId
    sent_ms: int
    payload: bytes = field(repr=False)
    used_prekey: bytes | None
    remember_until: int

    @property
    def dedupe_key(self) -> tuple[Fingerprint, MessageId]:
        """If this is remembered already, the message is a repeated one: change nothing."""
        return self.sender.fingerprint, self.message_id


@dataclass(frozen=True, slots=True)
class Claim:
    """A first contact that is what it says. Decide whether to let its sender in."""

    sender: Bundle
    """Who wrote; the signature has been checked."""
    _content: _Content = field(repr=False)
    _prekey: SecretPrekey = field(repr=False)
    _own: Fingerprint = field(repr=False)
    _now: int = field(repr=False)
    _root: bytes = field(repr=False)
    _transcript: bytes = field(repr=False)

    def invited(self, secret: bytes) -> bool:
        """Whether the sender holds the invite with this secret, 16 bytes."""
        return equal(self._content.proof, keyschedule.invite_proof(secret, self._transcript))

    def accept(self, *, stranger: bool) -> Accepted:
        """Let the sender in.

        Args:
            stranger: They are neither an accepted contact nor invited.

        Raises:
            RemoteProtocolError: It is longer than what strangers may send.
        """
        content = self._content
        if stranger and len(content.payload) > limits.STRANGER_PAYLOAD_MAX:
            raise RemoteProtocolError("too long for a first contact of a stranger")
        sid, theirs, ours = _session_secrets(self._root)
        session = Session(
            sid, self._own, self.sender.fingerprint, Sending(ours), Receiving(theirs, content.public, ())
        )
        return Accepted(
            sender=self.sender,
            session=session,
            rank=content.rank,
            message_id=content.message_id,
            sent_ms=content.sent_ms,
            payload=content.payload,
            used_prekey=None if self._prekey.last_resort else self._prekey.id,
            remember_until=self._now + limits.PREKEY_KEPT,
        )


def begin(
    own: Bundle,
    recipient: Recipient,
    *,
    message_id: MessageId,
    sent_ms: int,
    rank: int,
    payload: bytes,
    invite_secret: bytes = b"",
    entropy: Entropy = os.urandom,
) -> OpeningDraft:
    """Begin a first contact.

    Args:
        own: Our identity.
        recipient: Whom to write to, from `PrekeyList.choose`.
        message_id: 16 random bytes; of the message in the payload, if it is one.
        sent_ms: Unix time in milliseconds.
        rank: From `Sessions.rank`; add the session of the draft with it, as not acknowledged.
        payload: At most `limits.SEALED_PAYLOAD_MAX` bytes, or `limits.STRANGER_PAYLOAD_MAX` to
            somebody who has not accepted us.
        invite_secret: Secret of their invite, or empty.
        entropy: Source of random bytes.

    Raises:
        LocalProtocolError: The payload is too long, or we are the recipient.
        RemoteProtocolError: The prekey is not a key.
    """
    peer = recipient.bundle
    if len(payload) > limits.SEALED_PAYLOAD_MAX or own.fingerprint == peer.fingerprint:
        raise LocalProtocolError("not a first contact that could be sent")
    try:
        ciphertext, shared = xwing.encapsulate(recipient.prekey.public)
    except CryptoError as e:
        raise RemoteProtocolError("not a prekey") from e
    secret, seed = entropy(_WRAP_SIZE), entropy(xwing.SEED_SIZE)
    letter = Letter(recipient.prekey.id, ciphertext, b"", b"")
    letter = msgspec.structs.replace(letter, wrapped=peer.exchange.wrap(_wrap_label(letter), secret))
    transcript = _after_wrap(letter)
    root = _first_root(shared, secret, transcript)
    proof = keyschedule.invite_proof(invite_secret, transcript) if invite_secret else b""
    public = xwing.KeyPair.from_seed(seed).public
    content = _Content(own.encode(), public, message_id, sent_ms, rank, proof, payload)
    fields = _signed_fields(own.fingerprint, peer.fingerprint, recipient.prekey, letter, content)
    sid, ours, theirs = _session_secrets(root)
    receiving = Receiving(theirs, b"", (OwnKey(ratchet.FIRST_KEY, seed),))
    session = Session(sid, own.fingerprint, peer.fingerprint, Sending(ours), receiving)
    return OpeningDraft(SignNeeded(Label.SEAL_INIT, fields), session, root, letter, content.unsigned())


def _wrap_label(letter: Letter) -> bytes:
    return oaep_label("oaep seal", digest(letter.prekey_id + letter.ciphertext))


def _after_wrap(letter: Letter) -> bytes:
    """Hash of everything before the box."""
    return digest(letter.prekey_id + letter.ciphertext + letter.wrapped)


def _first_root(shared: bytes, wrapped: bytes, transcript: bytes) -> bytes:
    """k0: from both exchanges and what carried them."""
    return extract(shared, wrapped + transcript)


def _session_secrets(root: bytes) -> tuple[bytes, bytes, bytes]:
    """Id of the session, root of the sender's chain, root of the recipient's."""
    sid, ours, theirs = (
        expand(root, label, b"", SECRET_SIZE) for label in ("seal sid", "seal A>B", "seal B>A")
    )
    return sid, ours, theirs


def _signed_fields(
    sender: Fingerprint, recipient: Fingerprint, prekey: Prekey, letter: Letter, content: _Content
) -> tuple[bytes, ...]:
    """What the signature with label ``seal init`` covers."""
    return (
        sender,
        recipient,
        prekey.id,
        prekey.hash,
        digest(letter.ciphertext),
        digest(letter.wrapped),
        digest(content.public),
        content.message_id,
        content.sent_ms.to_bytes(8, "big"),
        content.rank.to_bytes(8, "big"),
        digest(content.payload),
    )
