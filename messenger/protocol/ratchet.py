"""The ratchet of sealed messages (SPEC.md section "Sealed messages"): two one-way chains.

Each side's messages run along a chain of its own. A chain turns to a new epoch, with an
X-Wing encapsulation to the peer's newest key, as soon as that key is newer than the one
used last and the peer has shown that they have the present epoch. So at most one epoch is
ever on its way. Every message carries all that is needed to open its epoch, so no loss and
no reordering leaves another message undecryptable.

Everything here takes a `Session` and returns the next one. Store that together with what
it was made for, in one transaction: the message that was read, or before it leaves the
one that was sealed.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto import aead, xwing
from messenger.crypto.hkdf import digest, expand, extract
from messenger.protocol.handshake import Entropy
from messenger.protocol.ratchet_state import SECRET_SIZE, OwnKey, Receiving, Sending, Session, Skipped
from messenger.protocol.sealed_header import Header, Message

Export = Callable[[str, bytes], bytes]
"""`Link.export`: a secret bound to a link, by label and context."""

FIRST_KEY: Final = 0
"""Id of the key that a session begins with."""


def seeded(
    export: Export, *, initiator: bool, own: Fingerprint, peer: Fingerprint, seed: bytes, public: bytes
) -> Session:
    """Make a session inside a link, after both sides have sent their SEED.

    Args:
        export: `Link.export` of that link; one session is made of each link.
        initiator: Whether we are the initiator of the link.
        own: Our fingerprint.
        peer: The other side's.
        seed: The 32 random bytes of the key pair whose public half was in our SEED.
        public: The key in their SEED.

    Raises:
        RemoteProtocolError: Their key is not one.
    """
    ours, theirs = ("seal A>B", "seal B>A") if initiator else ("seal B>A", "seal A>B")
    check_public(public)
    receiving = Receiving(export(theirs, b""), public, (OwnKey(FIRST_KEY, seed),))
    return Session(export("seal sid", b""), own, peer, Sending(export(ours, b"")), receiving)


def check_public(public: bytes) -> None:
    """See that a peer's X-Wing key can be encapsulated to, before anything relies on it.

    Raises:
        RemoteProtocolError: It has another length, a coefficient outside the modulus of ML-KEM,
            or an X25519 point of low order.
    """
    try:
        xwing.encapsulate(public)
    except CryptoError as e:
        raise RemoteProtocolError("not a ratchet key") from e


def ready(session: Session) -> bool:
    """Whether `seal` may be called.

    Not for a session out of a backup, not before a key of the peer is known, and not when
    `limits.RATCHET_EPOCH_MESSAGES` have been sealed without a word from the peer.
    """
    return room(session) > 0


def room(session: Session) -> int:
    """How many messages can be sealed without a word from the peer; see `ready`."""
    if session.receive_only:
        return 0
    if _turn_due(session):
        return limits.RATCHET_EPOCH_MESSAGES if session.sending.epoch < limits.RATCHET_COUNTER_MAX else 0
    return limits.RATCHET_EPOCH_MESSAGES - session.sending.number if session.sending.epoch else 0


def seal(session: Session, payload: bytes, entropy: Entropy = os.urandom) -> tuple[Session, bytes]:
    """Seal a payload.

    Returns:
        The session to store before the message leaves, and the message. To send it again, send
        the same bytes.

    Raises:
        LocalProtocolError: The session is not `ready`, or the payload is longer than
            `limits.SEALED_PAYLOAD_MAX`.
    """
    if not ready(session):
        raise LocalProtocolError("this session must not seal now")
    if len(payload) > limits.SEALED_PAYLOAD_MAX:
        raise LocalProtocolError("payload too long")
    if _turn_due(session):
        session = _turn(session, entropy)
    sending = session.sending
    header = Header(
        epoch=sending.epoch,
        key_id=sending.key_id,
        number=sending.number,
        previous=sending.previous,
        ack=session.receiving.epoch,
        public=sending.public,
        ciphertext=sending.ciphertext,
        nonce=entropy(aead.IV_SIZE),
    )
    raw = header.encode()
    key, chain = _message_key(sending.chain)
    body = aead.seal_once(key, header.nonce, payload, session.sid + session.own + session.peer + raw)
    sending = replace(sending, chain=chain, number=sending.number + 1)
    return replace(session, sending=sending), session.sid + raw + body


def unseal(session: Session, data: bytes, now: int) -> tuple[Session, bytes]:
    """Open a message.

    Args:
        session: The one that the message names.
        data: The message.
        now: Unix time in seconds.

    Returns:
        The session to store together with the payload, and the payload.

    Raises:
        RemoteProtocolError: It was changed, has been opened before, is of another session or
            sender, or overtakes too many; the session holds as it was.
    """
    message = Message.decode(data)
    if message.sid != session.sid:
        raise RemoteProtocolError("a message of another session")
    try:
        return _unseal(session, message, now)
    except CryptoError as e:
        raise RemoteProtocolError("a sealed message does not open") from e


def expire(session: Session, now: int) -> Session:
    """Forget the keys of messages that have been missing for longer than `limits.RATCHET_SKIP_KEPT`."""
    kept = tuple(one for one in session.receiving.skipped if now - one.since <= limits.RATCHET_SKIP_KEPT)
    if len(kept) == len(session.receiving.skipped):
        return session
    return replace(session, receiving=replace(session.receiving, skipped=kept))


def _turn_due(session: Session) -> bool:
    """Whether the next message begins a new epoch."""
    sending, receiving = session.sending, session.receiving
    if not sending.epoch:
        return bool(receiving.public)
    return sending.acknowledged and receiving.epoch > sending.key_id


def _turn(session: Session, entropy: Entropy) -> Session:
    """Begin a new epoch of our own, with a new key pair for the peer to answer to."""
    sending, receiving = session.sending, session.receiving
    epoch, key_id = sending.epoch + 1, receiving.epoch
    ciphertext, shared = xwing.encapsulate(receiving.public)
    root, chain = _mix(sending.root, shared, session.sid, session.own, epoch, key_id, ciphertext)
    seed = entropy(xwing.SEED_SIZE)
    public = xwing.KeyPair.from_seed(seed).public
    return replace(
        session,
        sending=Sending(root, epoch, chain, 0, sending.number, key_id, public, ciphertext),
        receiving=replace(receiving, keys=(*receiving.keys, OwnKey(epoch, seed))),
    )


def _unseal(session: Session, message: Message, now: int) -> tuple[Session, bytes]:
    header = message.header
    receiving = expire(session, now).receiving
    if header.epoch == receiving.epoch + 1:
        receiving = _follow(session, receiving, header, now)
    receiving, key = _find_key(receiving, header, now)
    aad = session.sid + session.peer + session.own + message.raw
    payload = aead.open_once(key, header.nonce, message.body, aad)
    sending = session.sending
    if sending.epoch and header.ack == sending.epoch:
        sending = replace(sending, acknowledged=True)
    return replace(session, sending=sending, receiving=receiving), payload


def _follow(session: Session, receiving: Receiving, header: Header, now: int) -> Receiving:
    """Turn to the peer's next epoch; the cheap reasons to refuse come first."""
    if header.previous < receiving.number or (not receiving.epoch and header.previous):
        raise RemoteProtocolError("an epoch that is shorter than it was")
    seed = next((key.seed for key in receiving.keys if key.id == header.key_id), None)
    if seed is None:
        raise RemoteProtocolError("a key that we do not have, or not any more")
    check_public(header.public)
    shared = xwing.KeyPair.from_seed(seed).decapsulate(header.ciphertext)
    place = session.sid, session.peer, header.epoch, header.key_id, header.ciphertext
    root, chain = _mix(receiving.root, shared, *place)
    # The epochs of the peer use ever newer keys, so this one and those before it have done their work.
    keys = tuple(key for key in receiving.keys if key.id > header.key_id)
    skipped = _skip(receiving, header.previous, now).skipped
    return Receiving(root, header.public, keys, header.epoch, chain, 0, skipped)


def _find_key(receiving: Receiving, header: Header, now: int) -> tuple[Receiving, bytes]:
    """The key of a message, and the chain without it."""
    if header.epoch == receiving.epoch and header.number >= receiving.number:
        receiving = _skip(receiving, header.number, now)
        key, chain = _message_key(receiving.chain)
        return replace(receiving, chain=chain, number=header.number + 1), key
    for at, one in enumerate(receiving.skipped):
        if (one.epoch, one.number) == (header.epoch, header.number):
            return replace(receiving, skipped=receiving.skipped[:at] + receiving.skipped[at + 1 :]), one.key
    raise RemoteProtocolError("a message whose key is gone, or not there yet")


def _skip(receiving: Receiving, number: int, now: int) -> Receiving:
    """Keep the keys of the messages before this number of the present epoch."""
    if number == receiving.number:
        return receiving
    chain, new = receiving.chain, list[Skipped]()
    for overtaken in range(receiving.number, number):
        key, chain = _message_key(chain)
        new.append(Skipped(receiving.epoch, overtaken, now, key))
    skipped = (*receiving.skipped, *new)[-limits.RATCHET_SKIP_SESSION :]
    return replace(receiving, chain=chain, number=number, skipped=skipped)


def _mix(
    root: bytes, shared: bytes, sid: bytes, sender: Fingerprint, epoch: int, key_id: int, ciphertext: bytes
) -> tuple[bytes, bytes]:
    """Root and chain key of a new epoch: the old root, the encapsulated secret, and where it belongs."""
    place = sid + sender + epoch.to_bytes(4, "big") + key_id.to_bytes(4, "big") + ciphertext
    mixed = extract(root, shared + digest(place))
    return expand(mixed, "root", b"", SECRET_SIZE), expand(mixed, "chain", b"", SECRET_SIZE)


def _message_key(chain: bytes) -> tuple[bytes, bytes]:
    """Key of the next message, and the chain key after it."""
    return expand(chain, "mk", b"", SECRET_SIZE), expand(chain, "ck", b"", SECRET_SIZE)
