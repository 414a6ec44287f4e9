"""Prekeys and first contacts by either of the two implementations, for the tests that carry them over."""

from collections.abc import Sequence
from dataclasses import replace

from messenger.core.ids import Fingerprint, MessageId
from messenger.crypto.identity import Bundle as OurBundle
from messenger.crypto.rsa import PrivateKey
from messenger.protocol import sealed_opening
from messenger.protocol.prekeys import Prekey as OurPrekey
from messenger.protocol.prekeys import PrekeyList, Recipient, SecretPrekey, draft_list
from messenger.protocol.sealed_opening import Claim
from tests.helpers.keys import identity as our_identity
from tests.helpers.links import NOW as CERTIFIED
from tests.independent.first import Held, Letter, Mailbox, write_first
from tests.independent.identity import Bundle, read_bundle
from tests.independent.meeting import identity, private_key
from tests.independent.prekeys import Prekey
from tests.independent.primitives import Chance, H, xwing_public
from tests.independent.two_sealers import Mine, Ours

DAY = 86400
NOW = int(CERTIFIED)
SERIAL = NOW
SECRET = b"sixteen bytes ok"
MSG_ID = bytes(range(16))
QUEUE = bytes(range(32))
PAYLOAD = b"Hello, whoever you are."


def prekey(name: str, flags: int = 0) -> tuple[Held, SecretPrekey]:
    """The same prekey in both implementations."""
    id_, seed = H(name.encode())[:16], H(b"seed of " + name.encode())
    mine = Held(Prekey(id_, flags, xwing_public(seed)), seed, NOW)
    ours = SecretPrekey(id_, flags, seed, NOW)
    assert ours.public.encode() == mine.prekey.write()
    return mine, ours


ONCE, LAST = prekey("once"), prekey("last resort", flags=1)


def our_list(who: str = "bob", serial: int = SERIAL) -> bytes:
    """The program's list of both."""
    draft = draft_list(OurBundle.decode(identity(who).bundle), serial, [ONCE[1], LAST[1]], NOW)
    return draft.signed(our_identity(who).signing.sign(draft.needed.label, draft.needed.fields)).encode()


def our_choice(raw: bytes, prekey: bytes, whom: bytes, now: int, pinned: int = 0) -> bytes:
    """What the program makes of a list and a prekey: the bundle."""
    chosen = PrekeyList.decode(raw).choose(OurPrekey.decode(prekey), Fingerprint(whom), now, pinned)
    return chosen.bundle.encode()


def our_fingerprint(who: str) -> Fingerprint:
    return our_identity(who).fingerprint


def my_letter(
    writer: str = "alice", reader: str = "bob", held: Held = ONCE[0], **letter: object
) -> tuple[bytes, Mine]:
    """A first contact by the second implementation, and its side of the session."""
    values: dict[str, object] = {"payload": PAYLOAD, "msg_id": MSG_ID, "sent_ms": NOW * 1000, "rank": 5}
    said = Letter(**values | letter)  # type: ignore[arg-type]
    person = bundle_of(reader)
    contact, session = write_first(identity(writer), person, held.prekey, said, Chance())
    return contact, Mine(session)


def bundle_of(who: str) -> Bundle:
    return read_bundle(identity(who).bundle, NOW, {})


def our_letter(
    writer: str = "alice",
    reader: str = "bob",
    held: SecretPrekey = ONCE[1],
    payload: bytes = PAYLOAD,
    secret: bytes = b"",
) -> tuple[bytes, Ours]:
    """A first contact by the program, and its side of the session."""
    draft = sealed_opening.begin(
        OurBundle.decode(identity(writer).bundle),
        Recipient(OurBundle.decode(identity(reader).bundle), held.public, SERIAL),
        message_id=MessageId(MSG_ID),
        sent_ms=NOW * 1000,
        rank=5,
        payload=payload,
        invite_secret=secret,
    )
    signature = our_identity(writer).signing.sign(draft.needed.label, draft.needed.fields)
    return draft.signed(signature), Ours(draft.session)


def our_claim(
    contact: bytes, reader: str = "bob", held: SecretPrekey = ONCE[1], now: int = NOW, key: str = ""
) -> Claim:
    """What the program makes of it, up to the decision."""
    letter = sealed_opening.Letter.decode(contact)
    unwrapping = letter.unwrapping(held, our_fingerprint(reader), now)
    exchange: PrivateKey = our_identity(key or reader).exchange
    return unwrapping.unwrapped(exchange.unwrap(unwrapping.needed.label, unwrapping.needed.ciphertext))


def mailbox(reader: str = "bob", held: Sequence[Held] = (ONCE[0], LAST[0])) -> Mailbox:
    keys = [private_key("carol", "exchange"), private_key(reader, "exchange")]
    return Mailbox(identity(reader), keys, {each.prekey.id: replace(each) for each in held})
