"""What a relay says to its client (SPEC.md section "Relays"): answers by tag, and news of subscriptions."""

from struct import Struct
from typing import ClassVar, Final, Self

from messenger.core import limits, relay_limits
from messenger.core.address import is_literal, parse_address
from messenger.core.errors import AddressError, LocalProtocolError, RemoteProtocolError
from messenger.core.ids import FINGERPRINT_SIZE
from messenger.protocol.relay_finding import Status, take_status
from messenger.protocol.relay_queues import PREKEY_SIZE
from messenger.protocol.relay_request import ID_SIZE, VECTOR
from messenger.protocol.relay_wire import (
    TAG_SIZE,
    put,
    put_number,
    put_tag,
    put_vector,
    take_choice,
    take_tag,
)
from messenger.protocol.relay_word import Code, EndReason, Tagged, Welcome
from messenger.protocol.wire import Fields

_SEED: Final = 32
_ADDRESS_MAX: Final = 64
"""Longest IP address with a port, and room."""


class Done(Tagged, frozen=True):
    """DONE: it is durable."""

    KIND: ClassVar = 0x41
    BOUNDS: ClassVar = (TAG_SIZE, TAG_SIZE)

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        return cls(take_tag(fields))


class Failed(Tagged, frozen=True):
    """FAILED: it was not done."""

    KIND: ClassVar = 0x42
    BOUNDS: ClassVar = (TAG_SIZE + 3, TAG_SIZE + 3)

    code: Code
    seconds: int = 0
    """Try again no sooner; 0 if that would not help."""

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag) + bytes((self.code,)) + put_number(self.seconds, 2)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        tag, code, seconds = take_tag(fields), fields.number(1), fields.number(2)
        return cls(tag, Code(code) if code in set(Code) else Code.TROUBLE, seconds)

    def __repr__(self) -> str:
        return f"Failed({self.tag}, {self.code.name}, {self.seconds} s)"


class QueueMade(Tagged, frozen=True):
    """QUEUE: the ids of a new queue."""

    KIND: ClassVar = 0x43
    BOUNDS: ClassVar = (TAG_SIZE + 2 * ID_SIZE, TAG_SIZE + 2 * ID_SIZE)

    recv_id: bytes
    send_id: bytes

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag) + put(self.recv_id, ID_SIZE) + put(self.send_id, ID_SIZE)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        return cls(take_tag(fields), fields.fixed(ID_SIZE), fields.fixed(ID_SIZE))


class Subscribed(Tagged, frozen=True):
    """SUBSCRIBED: its messages follow."""

    KIND: ClassVar = 0x44
    BOUNDS: ClassVar = (TAG_SIZE + 5, TAG_SIZE + 5)

    waiting: int
    """Messages in the queue."""
    prekeys: int = 0
    """Prekeys that are used once and have not been handed out."""

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag) + put_number(self.waiting, 4) + put_number(self.prekeys, 1)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        return cls(take_tag(fields), fields.number(4), fields.number(1))


class Task(Tagged, frozen=True):
    """TASK: a puzzle; `puzzle.material(seed, x)` with x the send_id for GetPrekey, the envelope for Send."""

    KIND: ClassVar = 0x45
    BOUNDS: ClassVar = (TAG_SIZE + 1 + _SEED, TAG_SIZE + 1 + _SEED)

    bits: int
    seed: bytes

    def body(self) -> bytes:
        """The body as it travels."""
        if self.bits > limits.PUZZLE_BITS_MAX:
            raise LocalProtocolError("a puzzle that nobody would solve")
        return put_tag(self.tag) + put_number(self.bits, 1) + put(self.seed, _SEED)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        tag, bits, seed = take_tag(fields), fields.number(1), fields.fixed(_SEED)
        if bits > limits.PUZZLE_BITS_MAX:
            raise RemoteProtocolError("a puzzle too hard to be meant")
        return cls(tag, bits, seed)


class PrekeyGiven(Tagged, frozen=True):
    """PREKEY: somebody's list and one prekey of it; judge them with `PrekeyList.choose`."""

    KIND: ClassVar = 0x46
    BOUNDS: ClassVar = (
        TAG_SIZE + VECTOR + PREKEY_SIZE,
        TAG_SIZE + VECTOR + relay_limits.PREKEY_LIST_MAX + PREKEY_SIZE,
    )

    prekeys: bytes
    """An encoded `prekeys.PrekeyList`."""
    prekey: bytes
    """An encoded `prekeys.Prekey`."""

    def body(self) -> bytes:
        """The body as it travels."""
        prekeys = put_vector(self.prekeys, relay_limits.PREKEY_LIST_MAX)
        return put_tag(self.tag) + prekeys + put(self.prekey, PREKEY_SIZE)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        tag, prekeys = take_tag(fields), fields.vector(relay_limits.PREKEY_LIST_MAX)
        return cls(tag, prekeys, fields.fixed(PREKEY_SIZE))


class _WithPass(Tagged, frozen=True):
    BOUNDS: ClassVar = (
        TAG_SIZE + relay_limits.PASS_SIZE + VECTOR,
        TAG_SIZE + relay_limits.PASS_SIZE + VECTOR + _ADDRESS_MAX,
    )

    secret: bytes
    """The pass, 32 bytes, for `circuits.CircuitEnd`."""
    address: str = ""
    """Where to open the stream; empty for the address of this link. Always an IP address and a port."""

    def body(self) -> bytes:
        """The body as it travels."""
        address = self.address.encode()
        try:
            _number_address(address)
        except RemoteProtocolError as e:
            raise LocalProtocolError("a circuit to a name, or to nothing") from e
        secret = put(self.secret, relay_limits.PASS_SIZE)
        return put_tag(self.tag) + secret + put_vector(address, _ADDRESS_MAX)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        tag, secret = take_tag(fields), fields.fixed(relay_limits.PASS_SIZE)
        return cls(tag, secret, _number_address(fields.vector(_ADDRESS_MAX)))


class Pass(_WithPass, frozen=True):
    """PASS: open a circuit with this."""

    KIND: ClassVar = 0x47


class Page(Tagged, frozen=True):
    """PAGE: entries of the directory; read them with `directory.read_page`."""

    KIND: ClassVar = 0x48
    BOUNDS: ClassVar = (
        TAG_SIZE + VECTOR + 1,
        TAG_SIZE
        + VECTOR
        + FINGERPRINT_SIZE
        + 1
        + relay_limits.PAGE_MAX * (1 + VECTOR + relay_limits.ENTRY_MAX),
    )

    entries: tuple[tuple[Status, bytes], ...]
    """Each with its status and an encoded `directory.Entry`."""
    next: bytes = b""
    """The last fingerprint of this page, which is `Browse.after` of the next one; empty if there is none."""

    def body(self) -> bytes:
        """The body as it travels."""
        if len(self.entries) > relay_limits.PAGE_MAX:
            raise LocalProtocolError("too many entries in a page")
        put(self.next, 0, FINGERPRINT_SIZE)
        start = put_tag(self.tag) + put_vector(self.next, FINGERPRINT_SIZE) + bytes((len(self.entries),))
        return start + b"".join(
            bytes((status,)) + put_vector(entry, relay_limits.ENTRY_MAX) for status, entry in self.entries
        )

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        tag, following, count = take_tag(fields), take_choice(fields, (0, FINGERPRINT_SIZE)), fields.number(1)
        if count > relay_limits.PAGE_MAX:
            raise RemoteProtocolError("too many entries in a page")
        entries = [(take_status(fields), fields.vector(relay_limits.ENTRY_MAX)) for _ in range(count)]
        return cls(tag, tuple(entries), following)


class Arrived(Tagged, frozen=True):
    """MESSAGE: an envelope of a queue; store it or drop it, then acknowledge its hash."""

    KIND: ClassVar = 0x49
    BOUNDS: ClassVar = (TAG_SIZE + min(limits.ENVELOPE_BUCKETS), TAG_SIZE + max(limits.ENVELOPE_BUCKETS))

    envelope: bytes

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag) + put(self.envelope, *limits.ENVELOPE_BUCKETS)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        arrived = cls(take_tag(fields), fields.rest())
        if len(arrived.envelope) not in limits.ENVELOPE_BUCKETS:
            raise RemoteProtocolError("an envelope of another size")
        return arrived


class Ring(_WithPass, frozen=True):
    """RING: somebody who may write to the queue opens a circuit to its owner."""

    KIND: ClassVar = 0x4A


class Ended(Tagged, frozen=True):
    """ENDED: nothing more comes for this subscription."""

    KIND: ClassVar = 0x4B
    BOUNDS: ClassVar = (TAG_SIZE + 1, TAG_SIZE + 1)

    reason: EndReason

    def body(self) -> bytes:
        """The body as it travels."""
        return put_tag(self.tag) + bytes((self.reason,))

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read a body."""
        tag, reason = take_tag(fields), fields.number(1)
        return cls(tag, EndReason.TAKEN if reason == EndReason.TAKEN else EndReason.GONE)


_ALL: Final[tuple[type[Welcome | Tagged], ...]] = (
    Welcome,
    Done,
    Failed,
    QueueMade,
    Subscribed,
    Task,
    PrekeyGiven,
    Pass,
    Page,
    Arrived,
    Ring,
    Ended,
)
ANSWERS: Final = {each.KIND: each for each in _ALL}
"""Everything that a relay says, by its type."""

_IGNORABLE: Final = 0x80
"""Types with this bit may be ignored by those who do not know them."""

_WITH_TAG: Final = Struct(">II")
"""Header of a message and the tag after it."""

_ENVELOPES: Final = frozenset(limits.ENVELOPE_BUCKETS)


def done(tag: int) -> bytes:
    """A `Done` with a tag that was asked for, encoded."""
    return _WITH_TAG.pack(Done.KIND << 24 | TAG_SIZE, tag)


def arrived(tag: int, envelope: bytes) -> tuple[bytes, bytes]:
    """An `Arrived` with the tag of a subscription, encoded: in two parts, so that no envelope is copied.

    Raises:
        LocalProtocolError: The envelope is of another size.
    """
    if len(envelope) not in _ENVELOPES:
        raise LocalProtocolError("an envelope of another size")
    return _WITH_TAG.pack(Arrived.KIND << 24 | TAG_SIZE + len(envelope), tag), envelope


def answer_bounds(kind: int) -> tuple[int, int]:
    """The least and the greatest length of what a relay says.

    Raises:
        RemoteProtocolError: The type is not known, and may not be ignored.
    """
    known = ANSWERS.get(kind)
    if known is not None:
        return known.BOUNDS
    if kind & _IGNORABLE:
        return 0, relay_limits.UNKNOWN_MAX
    raise RemoteProtocolError("an unknown word of a relay")


def decode_answer(kind: int, body: bytes) -> Welcome | Tagged | None:
    """Read what a relay says.

    Args:
        kind: Its type, for which `answer_bounds` raised nothing.
        body: Of a length within those bounds.

    Returns:
        None for something of a later version that may be ignored.

    Raises:
        RemoteProtocolError: It is not what the type says.
    """
    known = ANSWERS.get(kind)
    if known is None:
        return None
    fields = Fields(body)
    answer = known.read(fields)
    fields.finish()
    return answer


def _number_address(raw: bytes) -> str:
    """An IP address with its port in the one form that it has, or nothing."""
    if not raw:
        return ""
    try:
        text = raw.decode("ascii")
        address = parse_address(text)
    except (UnicodeDecodeError, AddressError) as e:
        raise RemoteProtocolError("not an address") from e
    if str(address) != text or not is_literal(address.host) or "%" in address.host:
        raise RemoteProtocolError("not an IP address as it is written")
    return text
