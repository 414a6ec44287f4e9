"""Two channels without a handshake before them, a clock, and a network that may be slow."""

import os

from messenger.protocol.channel import Channel, ChannelState
from messenger.protocol.rekey import Epoch


class Side:
    """One end of a channel.

    Args:
        initiator: Whether it is the initiator's.
        epoch: The first traffic secrets.
        secret: The first rekey secret.
    """

    def __init__(self, epoch: Epoch, secret: bytes, *, initiator: bool) -> None:
        self.channel = Channel(epoch, secret, initiator=initiator)
        self.epoch = epoch
        self.packets: list[bytes] = []

    @property
    def own_secret(self) -> bytes:
        """The traffic secret under which it began to send."""
        return self.epoch.from_initiator if self.channel._initiator else self.epoch.from_responder

    def stands(self, state: ChannelState) -> bool:
        """Whether it is in that state now."""
        return self.channel.state is state

    def sent(self) -> bytes:
        """What it wants to send now."""
        return bytes(self.channel.data_to_send())

    def receive(self, data: bytes) -> None:
        """Take bytes; packets are kept, also those before a fault."""
        for content in self.channel.receive_data(data):
            self.packets.append(bytes(content))


class Pair:
    """Both ends, at the same time."""

    def __init__(self, now: float = 1000.0) -> None:
        epoch, secret = Epoch(os.urandom(32), os.urandom(32)), os.urandom(32)
        self.one = Side(epoch, secret, initiator=True)
        self.two = Side(epoch, secret, initiator=False)
        self.now = now
        for side in self.sides:
            side.channel.begin(now)

    @property
    def sides(self) -> tuple[Side, Side]:
        """The initiator's and the responder's."""
        return self.one, self.two

    def pass_time(self, seconds: float, *sides: Side) -> None:
        """Let some seconds pass, and tell both ends, or only some."""
        self.now += seconds
        for side in sides or self.sides:
            side.channel.advance(self.now)

    def carry(self) -> None:
        """Carry bytes both ways until neither has more to say."""
        moved = True
        while moved:
            moved = False
            for sender, receiver in ((self.one, self.two), (self.two, self.one)):
                if data := sender.sent():
                    moved = True
                    receiver.receive(data)
