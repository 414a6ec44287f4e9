"""Section 6: lanes, both roles."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.independent.channel import Channel, Secrets
from tests.independent.primitives import (
    HMAC,
    XWING_CIPHERTEXT,
    XWING_PUBLIC,
    Chance,
    H,
    Reader,
    check,
    expand,
    extract,
    same,
    xwing_decapsulate,
    xwing_public,
)
from tests.independent.schedule import Session
from tests.independent.stream import End, Steps

B1, B2, B3 = 0x21, 0x22, 0x23
SIZES: Final = {B1: 1296, B2: 1184, B3: 32}
TICKET_LIFE: Final = 60.0


@dataclass(frozen=True)
class Ticket:
    """A ticket; `role` is that of the two roles of the link which opens the lane's stream."""

    id: bytes
    secret: bytes
    role: str
    made_at: float = 0.0

    def key(self, link: Session) -> bytes:
        """tk, from the link in which the ticket travelled."""
        ctx = self.id + link.fp_i + link.fp_r + self.role.encode()
        return expand(extract(link.exporter("lane"), self.secret), "lane", ctx)


class _Lane(End):
    """What both roles share. Records are padded as those of a link are."""

    def __init__(self, chance: Chance, clock: Callable[[], float]) -> None:
        self.chance, self.clock = chance, clock
        self.channel: Channel | None = None
        super().__init__()

    def run(self) -> Steps[None]:
        """Three messages, then records."""
        secrets, opener = yield from self.shake()
        self.channel = Channel(secrets, opener, self.out, self.chance, self.clock)
        yield from self.channel.reading()

    def shake(self) -> Steps[tuple[Secrets, bool]]:
        """The three messages; gives the secrets and whether this side opened the stream."""
        raise NotImplementedError

    def exact(self, kind: int, last: bool = False) -> Steps[bytes]:
        """Read a message of this type, which has one size only."""
        _, body = yield from self.read_message({kind: SIZES[kind]}, last)
        check(len(body) == SIZES[kind], "size")
        return body


def _secrets(tk: bytes, ss: bytes, b1: bytes, b2: bytes) -> tuple[Secrets, bytes]:
    ls = extract(tk, ss + H(b1 + b2))
    fin = HMAC(expand(ls, "b3"), H(b1 + b2))
    return Secrets(expand(ls, "ap I"), expand(ls, "ap R"), expand(ls, "rekey")), fin


class Opener(_Lane):
    """Whoever opens the lane's stream."""

    def __init__(self, ticket: Ticket, tk: bytes, chance: Chance, clock: Callable[[], float]) -> None:
        self._ticket, self._tk = ticket, tk
        super().__init__(chance, clock)

    def shake(self) -> Steps[tuple[Secrets, bool]]:
        """B1, B2, B3."""
        seed = self.chance.random(32)
        start = self._ticket.id + self.chance.random(32) + xwing_public(seed)
        b1 = start + HMAC(expand(self._tk, "b1"), start)
        self.write_message(B1, b1)
        b2 = yield from self.exact(B2)
        check(same(b2[-32:], HMAC(expand(self._tk, "b2"), H(b1 + b2[:-32]))), "mac of B2")
        secrets, fin = _secrets(self._tk, xwing_decapsulate(seed, b2[32 : 32 + XWING_CIPHERTEXT]), b1, b2)
        self.write_message(B3, fin)
        return secrets, True


@dataclass
class Tickets:
    """The tickets that wait for their lane: id to (tk, time at which it was made)."""

    waiting: dict[bytes, tuple[bytes, float]] = field(default_factory=dict)

    def add(self, ticket: Ticket, tk: bytes) -> None:
        """Wait for the lane of this ticket."""
        self.waiting[ticket.id] = (tk, ticket.made_at)

    def use(self, b1: bytes, now: float) -> bytes:
        """The tk of a B1 with a valid mac, which uses the ticket up."""
        tk, made_at = self.waiting.get(b1[:16], (bytes(32), float("-inf")))
        good = same(b1[-32:], HMAC(expand(tk, "b1"), b1[:-32])) and now - made_at <= TICKET_LIFE
        check(good, "unknown ticket or wrong mac")
        del self.waiting[b1[:16]]
        return tk


class Acceptor(_Lane):
    """Whoever is called."""

    def __init__(self, tickets: Tickets, chance: Chance, clock: Callable[[], float]) -> None:
        self._tickets = tickets
        super().__init__(chance, clock)

    def shake(self) -> Steps[tuple[Secrets, bool]]:
        """B1, B2, B3."""
        b1 = yield from self.exact(B1)
        tk = self._tickets.use(b1, self.clock())
        reader = Reader(b1[48:-32])
        ct, ss = self.chance.encapsulate(reader.take(XWING_PUBLIC))
        start = self.chance.random(32) + ct
        b2 = start + HMAC(expand(tk, "b2"), H(b1 + start))
        self.write_message(B2, b2)
        secrets, fin = _secrets(tk, ss, b1, b2)
        check(same((yield from self.exact(B3, last=True)), fin), "fin")
        return secrets, False
