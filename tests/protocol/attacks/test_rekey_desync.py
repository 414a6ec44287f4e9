"""Exchanges of keys that are dropped, replayed, reflected, flooded, or meet each other in every order."""

import random
from collections import deque
from itertools import pairwise

import pytest

from messenger.core import limits
from messenger.core.errors import RemoteProtocolError
from messenger.crypto import xwing
from messenger.protocol.channel import ChannelState
from messenger.protocol.records import RecordType
from messenger.protocol.rekey import RekeyStep
from tests.protocol.channels import Pair, Side
from tests.protocol.forge import record_of

SCHEDULES = 1000
PARTS = 4
STEPS = 30


def offer(generation: int = 1) -> bytes:
    return generation.to_bytes(4, "big") + xwing.KeyPair.generate().public


def accept(generation: int = 1) -> bytes:
    return generation.to_bytes(4, "big") + xwing.encapsulate(xwing.KeyPair.generate().public)[0]


def due(pair: Pair) -> bytes:
    """The initiator's OFFER, with a packet before it."""
    pair.one.channel.send(b"x")
    pair.pass_time(5.0)
    return pair.one.sent()


def refused(side: Side, *records: bytes) -> str:
    *good, bad = records
    for record in good:
        side.receive(record)
    with pytest.raises(RemoteProtocolError) as caught:
        side.receive(bad)
    assert side.stands(ChannelState.CLOSED)
    assert side.sent() == b""
    return str(caught.value)


class Wire:
    """One direction: records on their way, each with the time at which it may arrive."""

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()

    def put(self, data: bytes) -> None:
        while data:
            size = 4 + int.from_bytes(data[1:4], "big")
            self.waiting.append(data[:size])
            data = data[size:]


class Run:
    """Two ends that do things at random times, on a network that delivers at random times."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.pair = Pair()
        self.now = self.pair.now
        self.wires = {id(side): Wire() for side in self.pair.sides}
        self.sent: dict[int, list[bytes]] = {id(side): [] for side in self.pair.sides}

    def other(self, side: Side) -> Side:
        return self.pair.two if side is self.pair.one else self.pair.one

    def act(self) -> None:
        side = self.chance.choice(self.pair.sides)
        side.channel.advance(self.now)
        match self.chance.randrange(6):
            case 0 | 1:
                content = self.chance.randbytes(self.chance.randrange(40))
                side.channel.send(content)
                self.sent[id(side)].append(content)
            case 2:
                side.channel.ping()
            case _:
                wire = self.wires[id(self.other(side))]
                for _ in range(self.chance.randrange(1, 5)):
                    if wire.waiting:
                        side.receive(wire.waiting.popleft())
        self.wires[id(side)].put(side.sent())
        self.now += self.chance.choice((0.0, 0.1, 0.5, 1.0, 2.5, 5.0))

    def drain(self) -> None:
        """Let everything arrive that is on its way."""
        while any(wire.waiting for wire in self.wires.values()):
            for side in self.pair.sides:
                side.channel.advance(self.now)
                wire = self.wires[id(self.other(side))]
                while wire.waiting:
                    side.receive(wire.waiting.popleft())
                self.wires[id(side)].put(side.sent())

    def run(self, steps: int) -> int:
        for step in range(steps):
            self.act()
            if step % 10 == 9:
                self.drain()
                self.now += self.chance.choice((0.0, 6.0, 61.0))
        self.drain()
        one, two = self.pair.sides
        assert one.packets == self.sent[id(two)]
        assert two.packets == self.sent[id(one)]
        assert one.channel.generation == two.channel.generation
        assert one.channel.export("x", b"") == two.channel.export("x", b"")
        assert one.channel._rekey.step is two.channel._rekey.step is RekeyStep.IDLE
        return one.channel.generation


@pytest.mark.parametrize("part", range(PARTS))
def test_rekey_desynchronisation_in_random_schedules(part: int) -> None:
    generations = [Run(seed).run(STEPS) for seed in range(part, SCHEDULES, PARTS)]
    assert sum(generations) > SCHEDULES // PARTS, "most schedules had several exchanges"


def test_a_goodbye_in_random_schedules() -> None:
    """Somebody says goodbye while exchanges are under way: everything said before it arrives."""
    for seed in range(200):
        run = Run(seed)
        run.run(10 * run.chance.randrange(2))
        for _ in range(run.chance.randrange(1, 9)):
            run.act()
        side = run.chance.choice(run.pair.sides)
        side.channel.advance(run.now)
        side.channel.close()
        run.wires[id(side)].put(side.sent())
        run.drain()
        assert run.other(side).packets == run.sent[id(side)]
        assert side.packets == run.sent[id(run.other(side))]
        assert side.stands(ChannelState.CLOSED)
        assert run.other(side).stands(ChannelState.CLOSED)


def test_both_offer_in_random_schedules() -> None:
    """Both sides offer at the same moment, and the four messages cross in every order."""
    for seed in range(200):
        run, chance = Run(seed), random.Random(seed)
        for side in run.pair.sides:
            side.channel.send(b"x")
        run.now += 7.0
        for side in chance.sample(run.pair.sides, 2):
            side.channel.advance(run.now)
            run.wires[id(side)].put(side.sent())
            run.sent[id(side)].append(b"x")
        assert [side.channel._rekey.step for side in run.pair.sides] == [RekeyStep.OFFERED] * 2
        for _ in range(6):
            side = chance.choice(run.pair.sides)
            wire = run.wires[id(run.other(side))]
            if wire.waiting:
                side.receive(wire.waiting.popleft())
                run.wires[id(side)].put(side.sent())
        assert run.run(0) == 1


def test_dropping_an_accept_or_a_done() -> None:
    for dropped in ("ACCEPT", "DONE"):
        pair = Pair()
        pair.two.receive(due(pair))
        answer = pair.two.sent()
        if dropped == "ACCEPT":
            pair.two.channel.send(b"under the new key")
            refused(pair.one, pair.two.sent())
        else:
            pair.one.receive(answer)
            pair.one.sent()
            pair.one.channel.send(b"under the new key")
            refused(pair.two, pair.one.sent())


def test_an_exchange_that_is_dropped_ends_the_channel_in_time() -> None:
    pair = Pair()
    due(pair)
    pair.pass_time(limits.REKEY_ANSWER, pair.one)
    with pytest.raises(RemoteProtocolError, match="not answered"):
        pair.pass_time(0.1, pair.one)


def test_a_record_of_the_new_epoch_before_its_time() -> None:
    pair = Pair()
    pair.two.receive(due(pair))
    accept_record = pair.two.sent()
    pair.two.channel.send(b"under the new key")
    early = pair.two.sent()
    refused(pair.one, early + accept_record)
    pair = Pair()
    pair.two.receive(due(pair))
    pair.one.receive(pair.two.sent())
    done = pair.one.sent()
    pair.one.channel.send(b"under the new key")
    refused(pair.two, pair.one.sent() + done)


def test_a_record_of_the_old_epoch_after_its_time() -> None:
    pair = Pair()
    pair.two.receive(due(pair))
    pair.carry()
    assert "does not open" in refused(pair.one, record_of(pair.two.own_secret, 1, RecordType.PACKET, b"x"))
    assert "does not open" in refused(pair.two, record_of(pair.one.own_secret, 3, RecordType.PACKET, b"x"))


def test_rekey_flood() -> None:
    pair = Pair()
    pair.two.receive(due(pair))
    pair.carry()
    writer = pair.one.channel._writer
    pair.pass_time(limits.REKEY_LEAST, pair.two)
    pair.two.receive(bytes(writer.seal(RecordType.OFFER, offer(2))))
    assert len(pair.two.sent()) == 1300, "an ACCEPT"
    pair.pass_time(limits.REKEY_LEAST / 2, pair.two)
    assert "too often" in refused(pair.two, bytes(writer.seal(RecordType.OFFER, offer(2))))
    pair = Pair()
    secret = pair.one.own_secret
    first, second = (record_of(secret, n, RecordType.OFFER, offer()) for n in range(2))
    assert "too often" in refused(pair.two, first, second)


def test_double_offer() -> None:
    pair = Pair()
    secret = pair.one.own_secret
    pair.two.receive(record_of(secret, 0, RecordType.OFFER, offer()))
    pair.pass_time(limits.REKEY_LEAST, pair.two)
    assert "OFFER at ACCEPTED" in refused(pair.two, record_of(secret, 1, RecordType.OFFER, offer()))


@pytest.mark.parametrize("generation", [0, 2, 2**32 - 1])
def test_wrong_generation(generation: int) -> None:
    pair = Pair()
    record = record_of(pair.one.own_secret, 0, RecordType.OFFER, offer(generation))
    assert "another generation" in refused(pair.two, record)
    pair = Pair()
    due(pair)
    record = record_of(pair.two.own_secret, 0, RecordType.ACCEPT, accept(generation))
    assert "another generation" in refused(pair.one, record)
    pair = Pair()
    secret = pair.one.own_secret
    records = (
        record_of(secret, 0, RecordType.OFFER, offer()),
        record_of(secret, 1, RecordType.DONE, generation.to_bytes(4, "big")),
    )
    assert "another generation" in refused(pair.two, *records)


@pytest.mark.parametrize("kind", [RecordType.ACCEPT, RecordType.DONE])
def test_an_answer_to_nothing(kind: RecordType) -> None:
    pair = Pair()
    content = accept() if kind is RecordType.ACCEPT else b"\0\0\0\x01"
    assert "at IDLE" in refused(pair.two, record_of(pair.one.own_secret, 0, kind, content))


def test_a_done_before_it_is_due_or_twice() -> None:
    pair = Pair()
    due(pair)
    done = record_of(pair.two.own_secret, 0, RecordType.DONE, b"\0\0\0\x01")
    assert "DONE at OFFERED" in refused(pair.one, done)
    pair = Pair()
    pair.two.receive(due(pair))
    pair.carry()
    again = bytes(pair.one.channel._writer.seal(RecordType.DONE, b"\0\0\0\x02"))
    assert "DONE at IDLE" in refused(pair.two, again)


def test_an_offer_reflected_to_its_sender() -> None:
    pair = Pair()
    assert "does not open" in refused(pair.one, due(pair))
    pair = Pair()
    pair.two.receive(due(pair))
    assert "does not open" in refused(pair.two, pair.two.sent())


def test_an_exchange_replayed_in_the_next_epoch() -> None:
    pair = Pair()
    stream = due(pair)
    pair.two.receive(stream)
    pair.carry()
    refused(pair.two, stream)


def test_a_public_key_that_is_replaced_on_the_way_gives_nobody_the_keys() -> None:
    """A peer who answers an OFFER with a ciphertext for another key has cut themselves off."""
    pair = Pair()
    due(pair)
    pair.one.receive(record_of(pair.two.own_secret, 0, RecordType.ACCEPT, accept()))
    pair.one.sent()
    pair.one.channel.send(b"x")
    refused(pair.two, pair.one.sent())


def test_every_epoch_has_other_secrets() -> None:
    pair, seen = Pair(), []
    for _ in range(5):
        pair.two.receive(due(pair))
        pair.carry()
        seen.append(pair.one.channel.export("x", b""))
    assert len(set(seen)) == 5
    assert all(one != two for one, two in pairwise(seen))
