"""All sealed sessions with one contact, as one value for storage (SPEC.md section "Sealed messages").

There are several because each link seeds a new one, because each first contact makes one,
and because both people may write first at once. Each has a rank that both sides know, and
of those that the other side is known to have stored the highest is for sending; so both
come to use the same one, whatever is lost or late.
"""

import os
from dataclasses import dataclass, field, replace
from typing import Final, Self

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.protocol import ratchet
from messenger.protocol.handshake import Entropy
from messenger.protocol.ratchet_state import Session, flags_of, reading
from messenger.protocol.sealed_header import SID_SIZE
from messenger.protocol.wire import Fields

_VERSION: Final = 1
_ACKNOWLEDGED: Final = 1
_OPENING: Final = 2


@dataclass(frozen=True, slots=True)
class Held:
    """A session and its standing among the others.

    Attributes:
        session: The session.
        rank: Agreed between both sides when it was made.
        acknowledged: The peer has shown that they have stored it, so it may be used for sending.
        opening: It comes from a first contact, not from a link.
        since: Unix seconds of its arrival, or of the moment when another one took over the sending.
    """

    session: Session
    rank: int
    acknowledged: bool
    opening: bool
    since: int

    @property
    def waiting(self) -> bool:
        """Whether it is a first contact of ours that may still be answered."""
        return self.opening and not self.acknowledged and not self.session.receive_only


@dataclass(frozen=True, slots=True)
class Received:
    """A payload that was opened; store everything in one transaction.

    Attributes:
        sessions: What takes the place of the sessions so far.
        payload: What the peer sealed.
    """

    sessions: "Sessions"
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions with one contact.

    Attributes:
        held: In the order of their arrival.
    """

    held: tuple[Held, ...] = ()

    @property
    def current(self) -> Session | None:
        """The session for sending, or None: then a link or a first contact must make one."""
        held = self._current()
        return held.session if held else None

    @property
    def ready(self) -> bool:
        """Whether `seal` may be called; if not, payloads wait for the peer, a link or a first contact."""
        return self.room > 0

    @property
    def room(self) -> int:
        """How many messages can be sealed without a word from the peer."""
        current = self.current
        return 0 if current is None else ratchet.room(current)

    @property
    def may_open(self) -> bool:
        """Whether another first contact may be sent before one has been answered."""
        return sum(held.waiting for held in self.held) < limits.OPENINGS_WAITING_MAX

    def wants_seed(self, now: int) -> bool:
        """Whether to send a SEED in a link by oneself; whoever gets one answers with their own in any case.

        Args:
            now: Unix time in seconds.
        """
        current = self._current()
        return current is None or current.opening or now - current.since >= limits.SEED_INTERVAL

    def rank(self, now_ms: int) -> int:
        """The rank to give to a new session: in our SEED, or in a first contact.

        Args:
            now_ms: Unix time in milliseconds. So the order holds after a backup was restored too.
        """
        return min(max(now_ms, *(held.rank + 1 for held in self.held), 0), limits.SESSION_RANK_MAX)

    def add(self, session: Session, rank: int, now: int, *, acknowledged: bool, opening: bool) -> Self:
        """Take a new session.

        Args:
            session: From a link, from a first contact of ours, or from one of theirs.
            rank: The greater one of both SEEDs, or that of the first contact.
            now: Unix time in seconds.
            acknowledged: True for a first contact of theirs, who have stored it before they sent it.
                False for the others: the peer's SEED_ACK, or any message in it, makes them fit.
            opening: Whether it comes from a first contact.

        Raises:
            RemoteProtocolError: It is here already (a first contact that was repeated), or the rank
                exceeds `limits.SESSION_RANK_MAX`.
            LocalProtocolError: It is a first contact of ours and too many wait: see `may_open`.
        """
        new = Held(session, rank, acknowledged, opening, now)
        if new.waiting and not self.may_open:
            raise LocalProtocolError("too many first contacts without an answer")
        if rank > limits.SESSION_RANK_MAX or any(held.session.sid == session.sid for held in self.held):
            raise RemoteProtocolError("a session that cannot be, or is here already")
        return self._settle((*self.held, new), now)

    def acknowledge(self, sid: bytes, now: int) -> Self:
        """The peer has confirmed a session with SEED_ACK: it is for sending from now on.

        Nothing changes if a message in it, by another way, has said so before.

        Raises:
            RemoteProtocolError: There is no such session.
        """
        held = self._find(sid)
        return self._settle(self._put(held, replace(held, acknowledged=True)), now)

    def seal(self, payload: bytes, entropy: Entropy = os.urandom) -> tuple[Self, bytes]:
        """Seal a payload in the session for sending; see `ratchet.seal`.

        Raises:
            LocalProtocolError: They are not `ready`, or the payload is too long.
        """
        held = self._current()
        if held is None:
            raise LocalProtocolError("no session to seal in")
        session, message = ratchet.seal(held.session, payload, entropy)
        return replace(self, held=self._put(held, replace(held, session=session))), message

    def unseal(self, data: bytes, now: int) -> Received:
        """Open a message in whichever session it names; see `ratchet.unseal`.

        Raises:
            RemoteProtocolError: It names none of these, or does not open; they hold as they were.
        """
        held = self._find(data[:SID_SIZE])
        session, payload = ratchet.unseal(held.session, data, now)
        new = replace(held, session=session, acknowledged=True)
        return Received(self._settle(self._put(held, new), now), payload)

    def expire(self, now: int) -> Self:
        """Forget what is too old: sessions that are not for sending, and keys of missing messages."""
        current = self._current()
        kept = (
            replace(held, session=ratchet.expire(held.session, now))
            for held in self.held
            if held is current or now - held.since <= _kept(held)
        )
        return replace(self, held=tuple(kept))

    def restored(self, now: int) -> Self:
        """A backup was restored: all of these can be received in and never sealed in again."""
        held = (
            replace(held, session=replace(held.session, receive_only=True), since=now) for held in self.held
        )
        return self._settle(tuple(held), now)

    def encode(self) -> bytes:
        """The sessions for storage; full of secrets."""
        return bytes((_VERSION, len(self.held))) + b"".join(_write(held) for held in self.held)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            DatabaseTooNew: A later version of the program wrote it.
            DatabaseDamaged: It cannot be read.
        """
        return reading(data, _VERSION, lambda fields: cls(_read(fields)))

    def _current(self) -> Held | None:
        fit = [held for held in self.held if held.acknowledged and not held.session.receive_only]
        return max(fit, key=_standing, default=None)

    def _settle(self, new: tuple[Held, ...], now: int) -> Self:
        """Take new sessions: note when the one for sending was replaced, and keep no more than allowed."""
        before, current = self.current, replace(self, held=new).current
        if before is not None and current is not None and before.sid != current.sid:
            new = tuple(replace(held, since=now) if held.session.sid == before.sid else held for held in new)
        old = [held for held in new if held.session is not current and not held.waiting]
        surplus = sorted(old, key=_standing)[: max(0, len(old) - limits.SESSIONS_OLD_MAX)]
        return replace(self, held=tuple(held for held in new if held not in surplus))

    def _find(self, sid: bytes) -> Held:
        for held in self.held:
            if held.session.sid == sid:
                return held
        raise RemoteProtocolError("no such session")

    def _put(self, old: Held, new: Held) -> tuple[Held, ...]:
        return tuple(new if held is old else held for held in self.held)


def _standing(held: Held) -> tuple[int, bytes]:
    return held.rank, held.session.sid


def _kept(held: Held) -> int:
    return limits.OPENINGS_WAITING_KEPT if held.waiting else limits.SESSIONS_OLD_KEPT


def _write(held: Held) -> bytes:
    flags = (_ACKNOWLEDGED if held.acknowledged else 0) | (_OPENING if held.opening else 0)
    session = held.session.encode()
    head = bytes((flags,)) + held.rank.to_bytes(8, "big") + held.since.to_bytes(8, "big")
    return head + len(session).to_bytes(4, "big") + session


def _read(fields: Fields) -> tuple[Held, ...]:
    held: list[Held] = []
    for _ in range(fields.number(1)):
        flags = flags_of(fields, _ACKNOWLEDGED | _OPENING)
        rank, since = fields.number(8), fields.number(8)
        session = Session.decode(fields.fixed(fields.number(4)))
        held.append(Held(session, rank, bool(flags & _ACKNOWLEDGED), bool(flags & _OPENING), since))
    return tuple(held)
