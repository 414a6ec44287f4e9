"""A link that is up between the program and the second implementation."""

import os

from messenger.protocol import packets as ours_packets
from messenger.protocol.channel import Channel as OurChannel
from messenger.protocol.link import LinkState
from tests.helpers.links import End as Ours
from tests.independent import packets
from tests.independent.channel import Channel
from tests.independent.handshake import Initiator, Responder
from tests.independent.meeting import Clock, answering, calling, common, join


class Pair:
    """Both ends of a link that is up; `mine` is the second implementation's."""

    def __init__(self, *, mine_calls: bool) -> None:
        self.clock = Clock()
        self.mine: Initiator | Responder
        if mine_calls:
            self.mine, self.ours = calling("alice", "bob", common=common(self.clock)), Ours.answering("bob")
        else:
            self.mine, self.ours = answering("bob", common=common(self.clock)), Ours.calling("alice", "bob")
        self.ours.link.advance(self.clock.now)
        join(self.mine, self.ours)
        assert self.mine.channel is not None
        assert self.ours.link.state is LinkState.OPEN
        self.channel: Channel = self.mine.channel

    @property
    def our_channel(self) -> OurChannel:
        channel = self.ours.link._channel
        assert channel is not None
        return channel

    @property
    def generations(self) -> tuple[int, int]:
        return self.channel.g, self.our_channel.generation

    def carry(self) -> None:
        join(self.mine, self.ours)

    def pass_time(self, seconds: float) -> None:
        """Let time pass for both; nothing is carried."""
        self.clock.now += seconds
        self.channel.tick()
        self.ours.link.advance(self.clock.now)

    def talk(self) -> None:
        """A packet each way, which must arrive."""
        before = len(self.channel.packets), len(self.ours.packets)
        self.channel.send_packet(packets.write_packet(packets.Delivered([os.urandom(16)])))
        self.ours.link.send(ours_packets.Read([os.urandom(16)]))
        self.carry()
        assert (len(self.channel.packets), len(self.ours.packets)) == (before[0] + 1, before[1] + 1)
