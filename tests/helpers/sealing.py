"""Sealed sessions for tests: pairs of them, and two people with a bad network between them."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import pytest

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.hkdf import digest
from messenger.crypto.xwing import KeyPair
from messenger.protocol import ratchet
from messenger.protocol.ratchet_state import OwnKey, Receiving, Sending, Session
from messenger.protocol.sealed_header import Message
from messenger.protocol.sealed_sessions import Sessions

Side = Literal[0, 1]

ALICE: Final = Fingerprint(digest(b"alice"))
BOB: Final = Fingerprint(digest(b"bob"))
PEOPLE: Final = (min(ALICE, BOB), max(ALICE, BOB))
"""Both of them, in the order of their fingerprints."""

NOW: Final = 1_800_000_000
DAY: Final = 24 * 3600


LOW_ORDER: Final = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]
"""Points of X25519 that give no secret (RFC 7748 section 6.1)."""


def bad_publics() -> dict[str, bytes]:
    """X-Wing keys that nobody can encapsulate to, by what is wrong with them."""
    good = KeyPair.generate().public
    bad = {f"low order {n}": good[:-32] + point for n, point in enumerate(LOW_ORDER)}
    return bad | {"ML-KEM modulus": b"\xff" * 96 + good[96:]}


def linked(
    name: bytes = b"link", own: Fingerprint = ALICE, peer: Fingerprint = BOB
) -> tuple[Session, Session]:
    """The two sides of a session that a link has seeded; the first one was its initiator."""

    def export(label: str, context: bytes) -> bytes:
        return digest(name + label.encode() + context)

    seeds = digest(name + b"seed A"), digest(name + b"seed B")
    publics = [KeyPair.from_seed(seed).public for seed in seeds]
    one = ratchet.seeded(export, initiator=True, own=own, peer=peer, seed=seeds[0], public=publics[1])
    two = ratchet.seeded(export, initiator=False, own=peer, peer=own, seed=seeds[1], public=publics[0])
    return one, two


def opened(name: bytes, own: Fingerprint = ALICE, peer: Fingerprint = BOB) -> tuple[Session, Session]:
    """The two sides of a session as a first contact makes it; the first one wrote."""
    seed = digest(name + b"seed")
    one, two = (digest(name + label) for label in (b"A>B", b"B>A"))
    sid = digest(name)
    return (
        Session(sid, own, peer, Sending(one), Receiving(two, b"", (OwnKey(ratchet.FIRST_KEY, seed),))),
        Session(sid, peer, own, Sending(two), Receiving(one, KeyPair.from_seed(seed).public, ())),
    )


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    """The data with one bit changed."""
    return data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]


def refused(session: Session, data: bytes, now: int = NOW) -> None:
    """The message is refused with the one error there is, and the session holds as it was."""
    before = session.encode()
    with pytest.raises(RemoteProtocolError):
        ratchet.unseal(session, data, now)
    assert session.encode() == before


def several(session: Session, count: int) -> tuple[Session, list[bytes]]:
    """Seal a number of messages that say which one they are."""
    messages = []
    for number in range(count):
        session, message = ratchet.seal(session, str(number).encode())
        messages.append(message)
    return session, messages


def turn(one: Session, two: Session) -> tuple[Session, Session]:
    """The first one writes, the other reads."""
    one, message = ratchet.seal(one, b"turn")
    two, _ = ratchet.unseal(two, message, NOW)
    return one, two


def numbers(*values: int) -> bytes:
    """Epoch, key id, number, previous and ack as they travel."""
    return b"".join(value.to_bytes(4, "big") for value in values)


def instead(one: Session, **changes: object) -> bytes:
    """A message of a new epoch by a peer who does not keep to the rules, authentic all the same."""
    begun, _ = ratchet.seal(one, b"")
    return ratchet.seal(with_sending(begun, **changes), b"instead")[1]


@dataclass
class Sent:
    """Something on its way.

    Attributes:
        sender: Who sent it.
        data: A message, or nothing for a first contact.
        payload: What is in it.
        opens: For a first contact, the recipient's side of the new session.
    """

    sender: Side
    data: bytes
    payload: bytes
    opens: Session | None = None


BAD_NETWORK: Final = {
    "send": 400,
    "deliver": 380,
    "lose": 30,
    "deliver_twice": 30,
    "tamper": 40,
    "restart": 40,
    "wait": 4,
}
"""What happens to one session."""

EVERYTHING: Final = BAD_NETWORK | {"link": 3, "open": 3, "back_up": 3, "restore": 1}
"""And what happens to people."""


@dataclass
class World:
    """Two people, their disks, and a network that loses, doubles, changes and reorders.

    Every step checks what must hold after it; `finish` checks that nothing is missing without
    a reason that can be named.

    Attributes:
        seed: Decides everything but the keys that the library draws by itself.
        weights: What may happen, and how often.
        happened: What did happen, and how often.
    """

    seed: int
    weights: dict[str, int] = field(default_factory=lambda: EVERYTHING)
    sides: list[Sessions] = field(default_factory=lambda: [Sessions(), Sessions()])
    now: int = NOW
    network: list[Sent] = field(default_factory=list)
    arrived: list[Sent] = field(default_factory=list)
    delivered: set[bytes] = field(default_factory=set)
    lost: list[Sent] = field(default_factory=list)
    excused: list[Sent] = field(default_factory=list)
    sent: int = 0
    restores: int = 0
    made: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.backups = [side.encode() for side in self.sides]
        self.names = 0
        self.link()

    def run(self, steps: int) -> None:
        """Let things happen."""
        actions: list[Callable[[], None]] = [getattr(self, name) for name in self.weights]
        for _ in range(steps):
            chosen = self.random.choices(actions, list(self.weights.values()))[0]
            chosen()
            self.happened[chosen.__name__] += 1
            self.check()

    def check(self) -> None:
        """What holds at any time."""
        for sessions in self.sides:
            waiting = [held for held in sessions.held if held.waiting]
            assert len(waiting) <= limits.OPENINGS_WAITING_MAX
            assert len(sessions.held) - len(waiting) <= limits.SESSIONS_OLD_MAX + 1
            for held in sessions.held:
                receiving = held.session.receiving
                assert len(receiving.keys) <= limits.RATCHET_KEYS_MAX
                assert len(receiving.skipped) <= limits.RATCHET_SKIP_SESSION

    def send(self) -> None:
        """Somebody writes, or first makes it possible."""
        side = self._somebody()
        if not self.sides[side].ready:
            self.random.choice((self.open, self.link))()
            return
        self.sent += 1
        payload = f"message {self.sent}".encode() + bytes(self.random.randrange(40))
        self.sides[side], data = self.sides[side].seal(payload)
        self.network.append(Sent(side, data, payload))

    def deliver(self) -> None:
        """Something arrives: mostly the oldest, often any."""
        if not self.network:
            return
        at = 0 if self.random.random() < 0.6 else self.random.randrange(len(self.network))
        sent = self.network.pop(at)
        receiver = _other(sent.sender)
        self.arrived.append(sent)
        if sent.opens is not None:
            rank = int(sent.payload)
            sessions = self.sides[receiver].add(sent.opens, rank, self.now, acknowledged=True, opening=True)
            self.sides[receiver] = sessions
            return
        excuse = self._excuse(receiver, sent.data)
        try:
            received = self.sides[receiver].unseal(sent.data, self.now)
        except RemoteProtocolError:
            assert excuse, f"{sent.payload!r} does not open"
            self.excused.append(sent)
            return
        assert received.payload == sent.payload
        assert sent.payload not in self.delivered
        self.delivered.add(sent.payload)
        self.sides[receiver] = received.sessions

    def _excuse(self, receiver: Side, data: bytes) -> bool:
        """Whether a message may fail to open: a disk has died, or too many newer sessions have come."""
        sid = Message.decode(data).sid
        restores, rank = self.made[sid]
        kept = [held for held in self.sides[receiver].held if not held.waiting]
        crowded = len(kept) > limits.SESSIONS_OLD_MAX and all(held.rank >= rank for held in kept)
        return self.restores > restores or (crowded and all(held.session.sid != sid for held in kept))

    def deliver_twice(self) -> None:
        """A copy of something arrives once more."""
        copies = [sent for sent in self.arrived[-50:] if sent.payload in self.delivered]
        if copies:
            sent = self.random.choice(copies)
            self._refused(_other(sent.sender), sent.data)

    def tamper(self) -> None:
        """A changed copy of something that is on its way arrives before it."""
        genuine = [sent for sent in self.network if sent.data]
        if genuine:
            sent = self.random.choice(genuine)
            at, bit = self.random.randrange(len(sent.data)), self.random.randrange(8)
            self._refused(_other(sent.sender), flipped(sent.data, at, bit))

    def _refused(self, side: Side, data: bytes) -> None:
        before = self.sides[side].encode()
        with pytest.raises(RemoteProtocolError):
            self.sides[side].unseal(data, self.now)
        assert self.sides[side].encode() == before

    def lose(self) -> None:
        """Something is lost."""
        if self.network:
            self.lost.append(self.network.pop(self.random.randrange(len(self.network))))

    def restart(self) -> None:
        """A program ends and starts again."""
        side = self._somebody()
        data = self.sides[side].encode()
        self.sides[side] = Sessions.decode(data)
        assert self.sides[side].encode() == data

    def wait(self) -> None:
        """Time passes."""
        self.now += self.random.choice((60, 3600, DAY))
        self.sides = [sessions.expire(self.now) for sessions in self.sides]

    def link(self) -> None:
        """They meet, exchange seeds, and perhaps one of the acknowledgements is cut off."""
        self.names += 1
        first = self._somebody()
        own, peer = PEOPLE[first], PEOPLE[_other(first)]
        both = linked(f"{self.seed}.{self.names}".encode(), own, peer)
        rank = max(sessions.rank(self.now * 1000) for sessions in self.sides)
        self.made[both[0].sid] = self.restores, rank
        for side, session in zip((first, _other(first)), both, strict=True):
            self.sides[side] = self.sides[side].add(
                session, rank, self.now, acknowledged=False, opening=False
            )
        for side in (0, 1):
            if self.names == 1 or self.random.random() < 0.8:
                self.sides[side] = self.sides[side].acknowledge(both[0].sid, self.now)

    def open(self) -> None:
        """Somebody writes to the other's prekey."""
        side = self._somebody()
        if not self.sides[side].may_open:
            return
        self.names += 1
        name = f"{self.seed}.{self.names}".encode()
        ours, theirs = opened(name, PEOPLE[side], PEOPLE[_other(side)])
        rank = self.sides[side].rank(self.now * 1000)
        self.made[ours.sid] = self.restores, rank
        self.sides[side] = self.sides[side].add(ours, rank, self.now, acknowledged=False, opening=True)
        self.network.append(Sent(side, b"", str(rank).encode(), theirs))

    def back_up(self) -> None:
        """Somebody makes a backup."""
        side = self._somebody()
        self.backups[side] = self.sides[side].encode()

    def restore(self) -> None:
        """Somebody's disk dies: the backup is back, with all that it does not know."""
        side = self._somebody()
        self.restores += 1
        self.sides[side] = Sessions.decode(self.backups[side]).restored(self.now)
        assert not self.sides[side].ready
        # What had arrived since is gone with the disk, and would open again.
        self.arrived = [sent for sent in self.arrived if sent.sender == side]

    def finish(self) -> None:
        """Everything that is on its way arrives; then everything is there, or known to be missing."""
        while self.network:
            self.deliver()
        for sent in self.lost:
            if sent.opens is None and not self._excuse(_other(sent.sender), sent.data):
                assert self._is_missing(self.sides[_other(sent.sender)], sent), "lost without a trace"

    def talk(self) -> None:
        """Both write and read a few times on a network that works."""
        for side in (0, 1, 0, 1):
            self.sides[side], data = self.sides[side].seal(b"well?")
            self.sides[_other(side)] = self.sides[_other(side)].unseal(data, self.now).sessions

    def _is_missing(self, sessions: Sessions, sent: Sent) -> bool:
        """Whether the receiver's session, if it is not gone by now, says that this has not come yet."""
        message = Message.decode(sent.data)
        here = [held.session for held in sessions.held if held.session.sid == message.sid]
        place = (message.header.epoch, message.header.number)
        return all(
            place in session.missing or place >= (session.receiving.epoch, session.receiving.number)
            for session in here
        )

    def _somebody(self) -> Side:
        return self.random.choice((0, 1))


def _other(side: Side) -> Side:
    return 1 if side == 0 else 0


def with_receiving(session: Session, **changes: object) -> Session:
    """The session with another state of its receiving chain."""
    return replace(session, receiving=replace(session.receiving, **changes))  # type: ignore[arg-type]


def with_sending(session: Session, **changes: object) -> Session:
    """The session with another state of its sending chain."""
    return replace(session, sending=replace(session.sending, **changes))  # type: ignore[arg-type]
