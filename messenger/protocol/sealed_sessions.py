"""All sealed sessions with one contact, as one value for storage (SPEC.md section "Sealed messages").

There are several because each link seeds a new one, because each first contact makes one,
and because both people may write first at once. Exactly one is for sending.
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
        acknowledged: The peer has shown that they have stored it, so it may be used for sending.
        opening: It comes from a first contact, not from a link.
        since: Unix seconds of its arrival, or of the moment when another one took over the sending.
    """

    session: Session
    acknowledged: bool
    opening: bool
    since: int


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
        held: In the order of their arrival, but for those in which we have followed the peer. The
            last one that is acknowledged, and not out of a backup, is for sending.
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
        current = self.current
        return current is not None and ratchet.ready(current)

    @property
    def may_open(self) -> bool:
        """Whether another first contact may be sent before one has been answered."""
        waiting = sum(held.opening and not held.acknowledged for held in self.held)
        return waiting < limits.OPENINGS_WAITING_MAX

    def add(self, session: Session, now: int, *, acknowledged: bool, opening: bool) -> Self:
        """Take a new session.

        Args:
            session: From a link, from a first contact of ours, or from one of theirs.
            now: Unix time in seconds.
            acknowledged: True for a first contact of theirs, who have stored it before they sent it.
                False for the others: the peer's SEED_ACK, or any message in it, makes them fit.
            opening: Whether it comes from a first contact.

        Raises:
            RemoteProtocolError: It is here already: a first contact that was repeated.
            LocalProtocolError: It is a first contact of ours, and too many wait for an answer: see `may_open`.
        """
        if opening and not acknowledged and not self.may_open:
            raise LocalProtocolError("too many first contacts without an answer")
        if any(held.session.sid == session.sid for held in self.held):
            raise RemoteProtocolError("a session that is here already")
        return self._settle((*self.held, Held(session, acknowledged, opening, now)), now)

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
        # When both people wrote first at once, each could go on in the other's session for ever, and
        # neither chain would turn. So the one with the greater fingerprint follows the other.
        follows = session.own > session.peer
        order = (*self._put(held), new) if follows else self._put(held, new)
        return Received(self._settle(order, now), payload)

    def expire(self, now: int) -> Self:
        """Forget what is too old: sessions that are not for sending, and keys of missing messages."""
        current = self._current()
        kept = (
            replace(held, session=ratchet.expire(held.session, now))
            for held in self.held
            if held is current or now - held.since <= limits.SESSIONS_OLD_KEPT
        )
        return replace(self, held=tuple(kept))

    def restored(self, now: int) -> Self:
        """A backup was restored: all of these can be received in and never sealed in again."""
        held = (
            replace(held, session=replace(held.session, receive_only=True), since=now) for held in self.held
        )
        return replace(self, held=tuple(held))

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
        return fit[-1] if fit else None

    def _settle(self, order: tuple[Held, ...], now: int) -> Self:
        """Take a new order: note when the session for sending was replaced, and keep no more than allowed."""
        old, new = self.current, replace(self, held=order).current
        if old is not None and new is not None and old.sid != new.sid:
            order = tuple(replace(held, since=now) if held.session.sid == old.sid else held for held in order)
        others = [held.session.sid for held in order if held.session is not new]
        surplus = others[: max(0, len(others) - limits.SESSIONS_OLD_MAX)]
        return replace(self, held=tuple(held for held in order if held.session.sid not in surplus))

    def _find(self, sid: bytes) -> Held:
        for held in self.held:
            if held.session.sid == sid:
                return held
        raise RemoteProtocolError("no such session")

    def _put(self, old: Held, *new: Held) -> tuple[Held, ...]:
        """The order with something else, or nothing, in the place of a session."""
        at = self.held.index(old)
        return (*self.held[:at], *new, *self.held[at + 1 :])


def _write(held: Held) -> bytes:
    flags = (_ACKNOWLEDGED if held.acknowledged else 0) | (_OPENING if held.opening else 0)
    session = held.session.encode()
    return bytes((flags,)) + held.since.to_bytes(8, "big") + len(session).to_bytes(4, "big") + session


def _read(fields: Fields) -> tuple[Held, ...]:
    held: list[Held] = []
    for _ in range(fields.number(1)):
        flags, since = flags_of(fields, _ACKNOWLEDGED | _OPENING), fields.number(8)
        session = Session.decode(fields.fixed(fields.number(4)))
        held.append(Held(session, bool(flags & _ACKNOWLEDGED), bool(flags & _OPENING), since))
    return tuple(held)
