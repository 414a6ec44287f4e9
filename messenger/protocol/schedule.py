"""When a link takes fresh keys (SPEC.md section 5.5). A value: the caller brings the time."""

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError


class Schedule:
    """Decides when to offer a key exchange, and whether the peer's come at sensible times.

    Args:
        initiator: Whether we are the initiator of the link; the responder waits a little
            longer, so that both rarely offer at once.
        interval: Seconds between exchanges while packets flow, 1 to 60.
    """

    __slots__ = ("_asked", "_flowing", "_fresh", "_heard", "_interval", "_last", "_now")

    def __init__(self, *, initiator: bool, interval: float = limits.REKEY_INTERVAL) -> None:
        self._interval = interval if initiator else interval + limits.REKEY_STAGGER
        self._now = 0.0
        self._fresh = 0.0
        self._last = 0.0
        self._asked: float | None = None
        self._heard: float | None = None
        self._flowing = False

    def advance(self, now: float) -> None:
        """The time is now this many seconds, from any starting point, never less than before.

        Raises:
            RemoteProtocolError: An OFFER or ACCEPT of ours has not been answered for too long.
        """
        self._now = now
        if self._asked is not None and now - self._asked > limits.REKEY_ANSWER:
            raise RemoteProtocolError("a key exchange was not answered")

    def packet(self) -> None:
        """A packet was sent or received."""
        self._last = self._now
        self._flowing = True

    def sends(self) -> bool:
        """A packet is to be sent; returns False, and notes nothing, if the link is `stale`."""
        if self._now - self._last >= limits.REKEY_IDLE:
            return False
        self._last = self._now
        self._flowing = True
        return True

    def asked(self) -> None:
        """We have sent an OFFER or an ACCEPT, which wants an answer."""
        self._asked = self._now

    def peer_offered(self) -> None:
        """The peer has made an offer.

        Raises:
            RemoteProtocolError: It came less than `limits.REKEY_LEAST` seconds after their last one.
        """
        if self._heard is not None and self._now - self._heard < limits.REKEY_LEAST:
            raise RemoteProtocolError("key exchanges too often")
        self._heard = self._now

    def renewed(self) -> None:
        """An exchange is complete."""
        self._fresh = self._last = self._now
        self._asked = None
        self._flowing = False

    def dropped(self) -> None:
        """Our offer gave way to the peer's."""
        self._asked = None

    def due(self, records: int, size: int) -> bool:
        """Whether to make an offer now.

        Args:
            records: Records sealed under the present key.
            size: Bytes sealed under it.
        """
        if self._asked is not None:
            return False
        timed = self._flowing and self._now - self._fresh >= self._interval
        return timed or records >= limits.REKEY_RECORDS or size >= limits.REKEY_BYTES

    @property
    def resting(self) -> bool:
        """Whether time alone brings nothing: no packet since the last exchange, and none is asked for."""
        return not self._flowing and self._asked is None

    def stale(self) -> bool:
        """Whether the link has been idle for so long that the next packet waits for fresh keys."""
        return self._now - self._last >= limits.REKEY_IDLE
