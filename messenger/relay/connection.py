"""One stream at the relay: a handshake, then a link; or one end of a circuit."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, cast

from messenger.core import limits, relay_limits
from messenger.core.errors import ProtocolError, RemoteProtocolError
from messenger.net.doors import host_of, take_socket
from messenger.protocol import keyschedule
from messenger.protocol.channel import Channel, ChannelState, CloseCode
from messenger.protocol.circuits import C1, CircuitEntrance, Joined
from messenger.protocol.handshake import Established
from messenger.protocol.rekey import Epoch
from messenger.protocol.relay_wire import EXPORT, contents
from messenger.relay.client import Client
from messenger.relay.doorkeeper import Doorkeeper
from messenger.relay.greeting import Greeting
from messenger.relay.house import House
from messenger.relay.rates import Network

_NEVER: Final = -1
_OPEN: Final = ChannelState.OPEN
_EXACT: Final = 0.1
"""Seconds by which a link may be behind the clock: all that it times is in seconds."""


class Connection(asyncio.Protocol):
    """A stream, from its first byte to its last.

    Args:
        house: The relay.
        doorkeeper: Who counts all of them.
    """

    __slots__ = (
        "_begun", "_channel", "_client", "_door", "_entrance", "_flows", "_greeting", "_heard", "_house",
        "_kept", "_network", "_number", "_record", "_stalled", "_throttle",
        "_told", "_transport",
    )  # fmt: skip

    def __init__(self, house: House, doorkeeper: Doorkeeper) -> None:
        self._house = house
        self._door = doorkeeper
        self._transport: asyncio.Transport
        self._network: Network | None = None
        self._number = 0
        self._greeting: Greeting | None = None
        self._entrance: _Entrance | None = None
        self._channel: Channel | None = None
        self._client: Client | None = None
        self._heard = self._begun = self._told = 0.0
        self._record = _NEVER
        self._flows = False
        self._kept = 0
        self._stalled: float | None = None
        self._throttle: asyncio.TimerHandle | None = None

    # --- what the loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A stream is there; it may be turned away at once."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self._heard = self._begun = self._house.clock()
        network = None if name is None else self._door.enter(self, host_of(name))
        if network is None:
            self._transport.abort()
            return
        self._network = network
        self._number = self._door.number()
        self._transport.set_write_buffer_limits(high=relay_limits.CLIENT_WAITING)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        network, house = self._network, self._house
        if network is None or self._transport.is_closing():
            return
        now = self._heard = house.clock()
        channel, client = self._channel, self._client
        if channel is None or client is None:
            self._first(data, now)
            return
        try:
            if now - self._told >= _EXACT:
                self._told = now
                channel.advance(now)
            asked = self._read(channel, client, data, now)
        except ProtocolError:
            self._drop()
        else:
            if client.service.said or channel.sealed:
                house.rouse(self)
            house.counters.requests += asked
            wait = network.spend(len(data), asked, now)
            if wait and self._throttle is None:
                self._slow_down(wait)
        house.flush()

    def eof_received(self) -> bool:
        """Nothing more comes: nothing more is said either."""
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """The stream has ended."""
        if self._network is None:
            return
        if self._throttle is not None:
            self._throttle.cancel()
        if self._greeting is not None:
            self._greeting.cancel()
            self._greeting = None
            self._door.greeted(self, self._network, completed=False)
        if self._entrance is not None:
            self._entrance.gone()
        self._door.leave(self, self._network, kept=self._kept, up=self._client is not None)
        if self._client is not None:
            self._client.close()
            self._house.flush()
        self._network = self._client = self._channel = None

    def pause_writing(self) -> None:
        """Too much waits for the other end: read nothing more from it, bring nothing more to it."""
        self._stalled = self._house.clock()
        if self._client is not None:
            self._client.slow = True
        self._transport.pause_reading()
        if self._network is not None:
            self._door.stalls(self, self._network, self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It has taken enough."""
        self._stalled = None
        if self._network is None:
            return
        self._door.moves(self, self._network)
        if self._throttle is None:
            self._transport.resume_reading()
        if self._client is not None and self._channel is not None and not self._channel.holding:
            self._client.resume()
            self._house.flush()

    # --- what the house calls ---

    def flush(self) -> None:
        """Send what the client has to be told."""
        channel, client = self._channel, self._client
        if channel is None or client is None:
            return
        try:
            said = client.service.take()
            if said and channel.state is _OPEN:
                now = self._house.clock()
                if now - self._told >= _EXACT:
                    self._told = now
                    channel.advance(now)
                size = sum(map(len, said))
                if size > limits.RECORD_CONTENT_MAX:
                    for content in contents(said):
                        channel.send(content)
                    client.slow = client.slow or channel.holding
                elif not channel.send_parts(said, size):
                    client.slow = True
                if not self._flows:
                    self._flow()
        except RemoteProtocolError:
            self._drop()
            return
        if channel.sealed:
            self._transport.write(channel.data_to_send())
        if channel.close_code is not None:
            self._transport.close()

    def tick(self, now: float) -> bool:
        """Tell the link the time; returns whether that is to be done again soon."""
        channel = self._channel
        if channel is None:
            return False
        try:
            channel.advance(now)
        except RemoteProtocolError:
            self._drop()
            return False
        self.flush()
        self._flows = not channel.resting
        return self._flows

    def check(self, now: float) -> None:
        """Drop a stream that is silent, does not finish what it began, or does not take what waits for it."""
        greeting, channel = self._greeting, self._channel
        if channel is None:
            late = now - self._begun > limits.HANDSHAKE_FIRST if greeting is None else greeting.late(now)
            if late and self._entrance is None:
                self._drop()
            return
        number = channel.record_in_progress
        if number is None and self._client is not None and self._client.service.messages.waiting:
            number = _NEVER - self._client.service.messages.waiting  # a message that has begun, and no record
        if number is None or number != self._record:
            self._record = _NEVER if number is None else number
            self._begun = now
        stuck = number is not None and now - self._begun > relay_limits.RECORD_DEADLINE
        stalled = self._stalled is not None and now - self._stalled > relay_limits.CLIENT_STALL
        paused = self._stalled is not None or self._throttle is not None
        silent = not paused and now - self._heard > limits.KEEPALIVE_TIMEOUT
        if stuck or stalled or silent:
            self._drop()
        elif (
            not paused
            and channel.state is ChannelState.OPEN
            and now - self._heard >= limits.KEEPALIVE_INTERVAL
        ):
            channel.ping()
            self.flush()

    def give_up(self) -> None:
        """Too much waits for it, and for others of its network."""
        self._drop()

    def say_goodbye(self) -> None:
        """The relay is being stopped."""
        if self._channel is not None and self._client is not None:
            self.flush()
            self._channel.close(CloseCode.BYE)
            self._transport.write(self._channel.data_to_send())
            self._transport.close()
        else:
            self._transport.abort()

    # --- what a handshake calls ---

    def write(self, data: bytes) -> None:
        """Send bytes of a handshake."""
        self._transport.write(data)

    def established(self, event: Established, rest: bytes) -> None:
        """The link is up."""
        house, network, now = self._house, self._network, self._house.clock()
        if network is None:
            return
        exported = keyschedule.export(event.secrets.exporter, EXPORT, b"")
        self._greeting = None
        self._door.greeted(self, network, completed=True)
        channel = Channel(
            Epoch(event.secrets.from_initiator, event.secrets.from_responder),
            event.secrets.rekey,
            initiator=False,
        )
        channel.begin(now)
        self._channel = channel
        client = self._client = Client(house, exported, network, f"{self._number:x}", house.rouser(self))
        try:
            self._read(channel, client, rest, now)
        except ProtocolError:
            self._drop()
            return
        house.rouse(self)
        house.flush()

    def refused(self) -> None:
        """The caller is refused; how long that takes does not tell why."""
        self._transport.pause_reading()
        jitter = secrets.randbelow(1000) / 1000 * limits.HANDSHAKE_FAILURE_JITTER
        wait = limits.HANDSHAKE_FAILURE_DELAY + jitter - (self._house.clock() - self._heard)
        asyncio.get_running_loop().call_later(max(wait, 0.0), self._transport.abort)

    # --- inside ---

    def _flow(self) -> None:
        """The link has to be told the time for a while."""
        self._flows = True
        self._door.flows(self)

    def _first(self, data: bytes, now: float) -> None:
        """Bytes before there is a link."""
        if self._entrance is not None:
            self._entrance.receive(data)
        elif self._greeting is not None:
            self._greeting.receive(data, now)
        elif data[0] == C1:
            self._entrance = _Entrance(self._house, self._transport)
            self._entrance.receive(data)
        else:
            network = cast("Network", self._network)
            crowded = self._door.greet(network, now)
            if crowded is None:
                self._transport.abort()
                return
            self._greeting = Greeting(self._house, self._door.vaulting, self, now, crowded=crowded)
            self._greeting.receive(data, now)

    def _read(self, channel: Channel, client: Client, data: bytes, now: float) -> int:
        asked = 0
        for content in channel.receive_data(data):
            asked += client.receive(content, now)
        if not self._flows and (asked or not channel.resting):
            self._flow()
        if client.slow and self._stalled is None and not channel.holding:
            client.resume()
        kept = channel.unread + client.service.messages.waiting
        if kept != self._kept:
            network = cast("Network", self._network)
            if not self._door.keeps(network, kept - self._kept) and kept > relay_limits.PARTIAL_SMALL:
                self._kept = kept
                raise RemoteProtocolError("too much has begun on all links together")
            self._kept = kept
        return asked

    def _slow_down(self, wait: float) -> None:
        """What comes too fast is not read for a while."""
        self._house.counters.throttled += 1
        self._transport.pause_reading()
        self._throttle = asyncio.get_running_loop().call_later(min(wait, 5.0), self._unthrottle)

    def _unthrottle(self) -> None:
        self._throttle = None
        self._heard = self._house.clock()
        if self._network is not None and self._stalled is None:
            self._transport.resume_reading()

    def _drop(self) -> None:
        if self._client is not None:
            self._house.counters.clients_dropped += 1
        self._transport.abort()


class _Entrance:
    """One end of a circuit, from its pass to the circuit; see `messenger.relay.circuits.End`."""

    def __init__(self, house: House, transport: asyncio.Transport) -> None:
        self._house = house
        self._transport = transport
        self._reads: CircuitEntrance | None = CircuitEntrance()
        self._gone: Callable[[], None] | None = None
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(limits.HANDSHAKE_FIRST, transport.abort)

    def receive(self, data: bytes) -> None:
        """Take bytes; any after the pass are refused."""
        reads = self._reads
        if reads is None:
            self._transport.abort()
            return
        try:
            reads.receive_data(data)
        except RemoteProtocolError:
            self._transport.abort()
            return
        if reads.secret is not None:
            self._reads = None
            self._timer.cancel()
            self._gone = self._house.circuits.show(reads.secret, self)
            self._house.flush()

    def gone(self) -> None:
        """The stream has ended."""
        self._timer.cancel()
        if self._gone is not None:
            self._gone()

    def refuse(self, joined: Joined) -> None:
        """Say why there is no circuit, and close."""
        self._transport.write(joined.encode())
        self._transport.close()

    def release(self) -> int:
        """Give up the socket."""
        self._gone = None
        self._transport.pause_reading()
        try:
            return take_socket(self._transport)
        finally:
            self._transport.abort()
