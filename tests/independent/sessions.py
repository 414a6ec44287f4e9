"""Section 10.5: all sessions with one contact, and which of them is used for sending."""

from dataclasses import dataclass, field
from typing import Final

from tests.independent.primitives import check
from tests.independent.ratchet import Ratchet, read_message

DAY: Final = 86400
OTHERS_MAX: Final = 5
REPLACED_LIFE: Final = 30 * DAY
WAITING_MAX: Final = 5
WAITING_LIFE: Final = 42 * DAY
RANK_MAX: Final = 2**53


@dataclass
class Kept:
    """A session and what is known of it."""

    ratchet: Ratchet
    rank: int
    made_at: float
    fit: bool = False
    waits: bool = False
    """One's own first contact that has not been answered."""
    replaced_at: float | None = None

    @property
    def sends(self) -> bool:
        """Whether it may be the one for sending."""
        return self.fit and not self.ratchet.receive_only

    @property
    def order(self) -> tuple[int, bytes]:
        """The highest is used."""
        return self.rank, self.ratchet.sid


@dataclass
class Sessions:
    """Those with one contact."""

    kept: dict[bytes, Kept] = field(default_factory=dict)

    def add(self, ratchet: Ratchet, rank: int, now: float, *, fit: bool = False, waits: bool = False) -> None:
        """A new session: from a link (fit at the SEED_ACK), read (fit) or written (waits for an answer)."""
        check(0 <= rank <= RANK_MAX, "rank")
        if ratchet.sid in self.kept:
            return
        waiting = [each for each in self.kept.values() if each.waits and now - each.made_at <= WAITING_LIFE]
        check(not waits or len(waiting) < WAITING_MAX, "too many first contacts wait")
        before = self.current
        self.kept[ratchet.sid] = Kept(ratchet, rank, now, fit, waits)
        self._settle(before, now)

    def acknowledged(self, sid: bytes, now: float) -> None:
        """SEED_ACK has come."""
        self._become_fit(self.kept[sid], now)

    def open(self, message: bytes, now: float) -> bytes:
        """Open a message in the session that it names."""
        kept = self.kept.get(read_message(message)[0])
        check(kept is not None, "unknown session")
        assert kept is not None
        payload = kept.ratchet.open(message, now)
        self._become_fit(kept, now)
        return payload

    @property
    def current(self) -> Kept | None:
        """The session for sending."""
        return max((each for each in self.kept.values() if each.sends), key=lambda e: e.order, default=None)

    def next_rank(self, now: float) -> int:
        """The rank of the next session."""
        highest = max((each.rank for each in self.kept.values()), default=-1)
        return min(RANK_MAX, max(int(now * 1000), highest + 1))

    def expire(self, now: float) -> None:
        """Erase what has been kept long enough."""
        for sid, kept in list(self.kept.items()):
            if kept is self.current:
                continue
            life, since = REPLACED_LIFE, kept.made_at if kept.replaced_at is None else kept.replaced_at
            if kept.waits:
                life = WAITING_LIFE
            if now - since > life:
                del self.kept[sid]

    def restored(self, now: float) -> None:
        """These come out of a backup."""
        for kept in self.kept.values():
            kept.ratchet.receive_only, kept.waits, kept.replaced_at = True, False, now
        self._settle(None, now)

    def _become_fit(self, kept: Kept, now: float) -> None:
        before = self.current
        kept.fit, kept.waits = True, False
        self._settle(before, now)

    def _settle(self, before: Kept | None, now: float) -> None:
        current = self.current
        if before is not None and before is not current:
            before.replaced_at = now
        spare = [each for each in self.kept.values() if each is not current and not each.waits]
        for each in sorted(spare, key=lambda e: e.order)[: max(0, len(spare) - OTHERS_MAX)]:
            del self.kept[each.ratchet.sid]
