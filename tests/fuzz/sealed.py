"""The readers of sealed messages: what a relay, or whoever writes to a queue, may hand to us."""

import functools
from collections.abc import Callable
from typing import Final

from messenger.core.errors import CryptoError, RemoteProtocolError, SottoError, StorageError
from messenger.core.ids import MessageId
from messenger.crypto.hkdf import vec
from messenger.protocol import ratchet
from messenger.protocol.prekeys import Prekey, PrekeyList, draft_list, make_prekeys
from messenger.protocol.ratchet_state import Session
from messenger.protocol.sealed_header import HEADER_SIZE, SID_SIZE, Message
from messenger.protocol.sealed_opening import Letter, _Content
from messenger.protocol.sealed_sessions import Sessions
from tests.helpers.links import NOW, bundle
from tests.helpers.sealing import linked

Again = Callable[[bytes], bytes]
"""Reads an input and writes what it read."""


def _message(data: bytes) -> bytes:
    message = Message.decode(data)
    assert message.header.encode() == message.raw
    return message.sid + message.raw + message.body


def _content(data: bytes) -> bytes:
    content = _Content.decode(data)
    return content.unsigned() + vec(content.signature)


_READERS: Final[list[tuple[Again, type[SottoError]]]] = [
    (_message, RemoteProtocolError),
    (_content, RemoteProtocolError),
    (lambda data: Prekey.decode(data).encode(), RemoteProtocolError),
    (lambda data: PrekeyList.decode(data).encode(), RemoteProtocolError),
    (lambda data: Letter.decode(data).encode(), RemoteProtocolError),
    (lambda data: Session.decode(data).encode(), StorageError),
    (lambda data: Sessions.decode(data).encode(), StorageError),
]


@functools.cache
def _session() -> Session:
    return linked()[1]


def run_sealed(data: bytes) -> None:
    """Messages, first contacts, prekeys and their lists, and sessions as they are stored."""
    for read, error in _READERS:
        try:
            again = read(data)
        except error:
            continue
        assert again == data
    try:
        ratchet.unseal(_session(), data, NOW)
    except (RemoteProtocolError, CryptoError):
        return
    assert data[SID_SIZE : SID_SIZE + HEADER_SIZE] == Message.decode(data).raw


def seeds_sealed() -> dict[str, bytes]:
    """One of each."""
    one, two = linked()
    sender, message = ratchet.seal(one, b"hello")
    prekeys = make_prekeys(2, NOW) + make_prekeys(1, NOW, last_resort=True)
    last = prekeys[-1].public
    draft = draft_list(bundle("alice"), NOW, prekeys, NOW).signed(bytes(384))
    content = _Content(bundle("bob").encode(), last.public, MessageId(bytes(16)), 1, 1, b"", b"hello")
    sessions = Sessions().add(two, 1, NOW, acknowledged=False, opening=False)
    return {
        "message": message,
        "prekey": last.encode(),
        "list": draft.encode(),
        "letter": Letter(bytes(16), bytes(1120), bytes(384), bytes(100)).encode(),
        "content": content.unsigned() + vec(bytes(384)),
        "session": sender.encode(),
        "sessions": sessions.encode(),
    }
