"""The program's sealed sessions behind the same methods as the second implementation's, and a bad network."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from messenger.core.ids import Fingerprint
from messenger.protocol import ratchet as our_ratchet
from messenger.protocol.ratchet_state import Session
from tests.independent.meeting import FAULTS
from tests.independent.primitives import Chance, H, xwing_public
from tests.independent.ratchet import (
    Ratchet,
    session_of_link,
    session_of_reader,
    session_of_writer,
)

NOW = 1_800_000_000
ALICE, BOB = H(b"alice"), H(b"bob")


@dataclass
class Ours:
    """A session of the program that changes where it stands."""

    session: Session

    @property
    def can_seal(self) -> bool:
        """Whether a payload need not wait."""
        return our_ratchet.ready(self.session)

    def seal(self, payload: bytes) -> bytes:
        """The next message."""
        self.session, message = our_ratchet.seal(self.session, payload)
        return message

    def open(self, message: bytes, now: int) -> bytes:
        """The payload."""
        self.session, payload = our_ratchet.unseal(self.session, message, now)
        return payload

    def state(self) -> object:
        """Everything that a dropped message must leave as it is."""
        return self.session

    def counters(self) -> tuple[int, ...]:
        """Where both chains are, and how many keys wait."""
        sending, receiving = self.session.sending, self.session.receiving
        keys = len(receiving.keys), len(receiving.skipped)
        return sending.epoch, sending.number, receiving.epoch, receiving.number, *keys


@dataclass
class Mine:
    """A session of the second implementation."""

    ratchet: Ratchet

    @property
    def can_seal(self) -> bool:
        """Whether a payload need not wait."""
        return self.ratchet.can_seal

    def seal(self, payload: bytes) -> bytes:
        """The next message."""
        return self.ratchet.seal(payload, Chance())

    def open(self, message: bytes, now: int) -> bytes:
        """The payload."""
        return self.ratchet.open(message, now)

    def state(self) -> object:
        """Everything that a dropped message must leave as it is."""
        return replace(self.ratchet, keys=dict(self.ratchet.keys), skipped=dict(self.ratchet.skipped))

    def counters(self) -> tuple[int, ...]:
        """Where both chains are, and how many keys wait."""
        mine = self.ratchet
        return mine.e_s, mine.n_s, mine.e_r, mine.n_r, len(mine.keys), len(mine.skipped)


Side = Mine | Ours


def by_link(*, mine_calls: bool) -> tuple[Mine, Ours]:
    """Both sides of a session as a link makes it, each by its own implementation."""
    chance = Chance()
    secrets = {label: chance.random(32) for label in ("seal sid", "seal A>B", "seal B>A")}
    seeds = chance.random(32), chance.random(32)
    publics = [xwing_public(seed) for seed in seeds]
    mine = session_of_link(secrets.__getitem__, ALICE, BOB, seeds[0], publics[1], initiator=mine_calls)
    ours = our_ratchet.seeded(
        lambda label, _: secrets[label],
        initiator=not mine_calls,
        own=Fingerprint(BOB),
        peer=Fingerprint(ALICE),
        seed=seeds[1],
        public=publics[0],
    )
    return Mine(mine), Ours(ours)


def mine_of(session: Session) -> Ratchet:
    """The same side of the same session, in the second implementation."""
    sending, receiving = session.sending, session.receiving
    return Ratchet(
        sid=session.sid,
        own=session.own,
        peer=session.peer,
        root_s=sending.root,
        root_r=receiving.root,
        keys={key.id: key.seed for key in receiving.keys},
        pk_r=receiving.public or None,
        e_s=sending.epoch,
        n_s=sending.number,
        p_s=sending.previous,
        ck_s=sending.chain,
        k_s=sending.key_id,
        pk_s=sending.public,
        ct_s=sending.ciphertext,
        acked=sending.acknowledged,
        e_r=receiving.epoch,
        n_r=receiving.number,
        ck_r=receiving.chain,
        skipped={(one.epoch, one.number): (one.since, one.key) for one in receiving.skipped},
        receive_only=session.receive_only,
    )


def writer_and_reader(k0: bytes, seed: bytes) -> tuple[Ratchet, Ratchet]:
    """Both sides of a first contact from Alice to Bob."""
    return (
        session_of_writer(k0, ALICE, BOB, seed),
        session_of_reader(k0, BOB, ALICE, xwing_public(seed)),
    )


@dataclass
class Wire:
    """What is on its way between the two, losing, doubling, changing and reordering it.

    Args:
        sides: Both ends.
        seed: Decides what happens.
    """

    sides: tuple[Side, Side]
    seed: int
    now: int = NOW
    flying: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    opened: list[tuple[int, bytes]] = field(default_factory=list)
    sent: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def run(self, steps: int) -> None:
        """Let things happen."""
        doing = {self.send: 40, self.deliver: 38, self.lose: 3, self.repeat: 3, self.change: 4, self.wait: 1}
        for chosen in self.random.choices(list(doing), list(doing.values()), k=steps):
            chosen()
        while self.flying:
            self.deliver()

    def send(self) -> None:
        """Somebody writes."""
        at = self.random.randrange(2)
        if self.sides[at].can_seal:
            self.sent += 1
            payload = f"{self.sent} ".encode() + bytes(self.random.randrange(50))
            self.flying.append((1 - at, self.sides[at].seal(payload), payload))

    def deliver(self) -> None:
        """Something arrives: mostly the oldest, often any."""
        if self.flying:
            one = 0 if self.random.random() < 0.6 else self.random.randrange(len(self.flying))
            to, message, payload = self.flying.pop(one)
            assert self.sides[to].open(message, self.now) == payload
            self.opened.append((to, message))

    def lose(self) -> None:
        """Something is lost."""
        if self.flying:
            self.flying.pop(self.random.randrange(len(self.flying)))
            self.lost += 1

    def repeat(self) -> None:
        """Something arrives again."""
        if self.opened:
            self.dropped(*self.random.choice(self.opened[-50:]))

    def change(self) -> None:
        """A changed copy of something arrives before it."""
        if self.flying:
            to, message, _ = self.random.choice(self.flying)
            broken = bytearray(message)
            broken[self.random.randrange(len(message))] ^= 1 << self.random.randrange(8)
            self.dropped(to, bytes(broken))

    def wait(self) -> None:
        """Time passes, not enough for anything to become too old."""
        self.now += self.random.randrange(600)

    def dropped(self, to: int, message: bytes) -> None:
        """One side drops it, and is as it was."""
        before = self.sides[to].state()
        with pytest.raises(FAULTS):
            self.sides[to].open(message, self.now)
        assert self.sides[to].state() == before


def counters(message: bytes) -> Iterator[int]:
    """The five numbers of a header."""
    return (int.from_bytes(message[at : at + 4], "big") for at in range(32, 52, 4))
