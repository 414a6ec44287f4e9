"""Both implementations against the vectors of tests/vectors/sotto: records and lanes."""

from typing import Any

import pytest

from messenger.core.ids import Fingerprint
from messenger.crypto.aead import Buffer
from messenger.protocol import keyschedule, lane
from messenger.protocol.channel import Channel as OurChannel
from messenger.protocol.channel import CloseCode
from messenger.protocol.handshake import Role
from messenger.protocol.records import RecordType
from messenger.protocol.rekey import Epoch
from tests.independent.channel import Channel, Secrets
from tests.independent.lanes import Acceptor, Opener, Ticket, Tickets
from tests.independent.loaded import Drawer, binary, loaded, vectors
from tests.independent.meeting import FAULTS, OurLane
from tests.independent.primitives import Chance, expand, extract
from tests.independent.stream import End, Steps
from tests.vectors.dice import Dice

Json = dict[str, Any]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class MySide(End):
    """A channel of the second implementation without a handshake before it."""

    def __init__(self, secrets: Secrets, *, initiator: bool, chance: Chance) -> None:
        self.clock, self._make = Clock(), (secrets, initiator, chance)
        super().__init__()

    def run(self) -> Steps[None]:
        secrets, initiator, chance = self._make
        self.channel = Channel(secrets, initiator, self.out, chance, self.clock)
        yield from self.channel.reading()


def secrets_of(entry: Json) -> Secrets:
    return Secrets(*(binary(entry[name]) for name in ("ts_I", "ts_R", "rk")))


def our_channel(secrets: Secrets, *, initiator: bool, seeds: list[bytes]) -> OurChannel:
    epoch = Epoch(secrets.ts_i, secrets.ts_r)
    channel = OurChannel(epoch, secrets.rk, initiator=initiator, entropy=Drawer(seeds))
    channel.begin(0)
    return channel


def my_step(side: MySide, step: Json, arriving: bytes) -> bytes:
    """Do one step; returns what is sent."""
    side.clock.now, channel = step["at"], side.channel
    content = binary(step.get("content", ""))
    match step["do"]:
        case "receive":
            side.receive(arriving)
        case "packet":
            channel.send_packet(content)
        case "ping":
            channel.ping(content)
        case "padding":
            channel.pad()
        case "offer":
            channel.offer()
        case _:
            channel.close(content[0])
    return side.sent()


def our_step(channel: OurChannel, step: Json, arriving: bytes) -> Buffer:
    """Do one step; returns what is sent."""
    content = binary(step.get("content", ""))
    channel.advance(step["at"])
    match step["do"]:
        case "receive":
            list(channel.receive_data(arriving))
        case "packet":
            channel.send(content)
        case "ping":
            channel._writer.write(RecordType.PING, content)
        case "padding":
            channel._writer.write(RecordType.PADDING, b"")
        case "close":
            channel.close(CloseCode(content[0]))
    return channel.data_to_send()


def sides(step: Json) -> tuple[str, str]:
    return step["side"], "R" if step["side"] == "I" else "I"


def test_a_channel_through_two_exchanges() -> None:
    data = vectors("channel")
    first, *later = data["secrets"]
    chances = {
        "I": Dice(random=seeds_of(data, "initiator")),
        "R": Dice(random=seeds_of(data, "responder"), coins=coins_of(data)),
    }
    mine = {role: MySide(secrets_of(first), initiator=role == "I", chance=chances[role]) for role in chances}
    ours = {
        "I": our_channel(secrets_of(first), initiator=True, seeds=seeds_of(data, "initiator")),
        "R": our_channel(secrets_of(first), initiator=False, seeds=seeds_of(data, "responder")),
    }
    wire: dict[str, list[bytes]] = {"I": [], "R": []}
    with loaded(coins=coins_of(data)):
        for step in data["steps"]:
            side, other = sides(step)
            arriving = wire[other].pop(0) if step["do"] == "receive" else b""
            records = [binary(record["record"]) for record in step["sends"]]
            assert my_step(mine[side], step, arriving) == b"".join(records), step
            assert our_step(ours[side], step, arriving) == b"".join(records), step
            wire[side] += records
    for side in ("I", "R"):
        assert mine[side].channel.secrets == secrets_of(later[-1])
        assert mine[side].channel.g == ours[side].generation == len(later)
        assert mine[side].closed
        assert mine[side].channel.peer_code == ours[side].close_code


def seeds_of(data: Json, side: str) -> list[bytes]:
    return [binary(seed) for seed in data[f"{side} draws"]["xwing seeds"]]


def coins_of(data: Json) -> list[bytes]:
    return [binary(coins) for coins in data["responder draws"]["coins"]]


def test_the_keys_of_each_exchange() -> None:
    for before, after in zip(vectors("channel")["secrets"], vectors("channel")["secrets"][1:], strict=False):
        root = binary(after["root"])
        assert secrets_of(after) == Secrets(expand(root, "ap I"), expand(root, "ap R"), expand(root, "rekey"))
        assert secrets_of(before) != secrets_of(after)
        for role in "IR":
            key, iv = keyschedule.record_key(binary(after[f"ts_{role}"]))
            assert (key, iv) == (binary(after[f"key {role}"]), binary(after[f"iv {role}"]))


@pytest.fixture
def receivers() -> tuple[MySide, OurChannel]:
    """R in both implementations. What it sends is under secrets that nobody else has."""
    data = vectors("refused-records")
    secrets = Secrets(binary(data["ts_I"]), Chance().random(32), binary(data["rk"]))
    return MySide(secrets, initiator=False, chance=Chance()), our_channel(secrets, initiator=False, seeds=[])


@pytest.mark.parametrize("entry", vectors("refused-records")["refused"], ids=lambda entry: str(entry["why"]))
def test_records_that_are_refused(entry: Json, receivers: tuple[MySide, OurChannel]) -> None:
    mine, ours = receivers
    *good, bad = (binary(record) for record in entry["records"])
    for record in good:
        mine.receive(record)
        mine.clock.now += 2
        ours.advance(mine.clock.now)
        list(ours.receive_data(record))
    with pytest.raises(FAULTS):
        mine.receive(bad)
    with pytest.raises(FAULTS):
        list(ours.receive_data(bad))


@pytest.mark.parametrize("entry", vectors("refused-records")["good"], ids=lambda entry: str(entry["what"]))
def test_records_that_are_odd(entry: Json, receivers: tuple[MySide, OurChannel]) -> None:
    mine, ours = receivers
    mine.receive(binary(entry["record"]))
    contents = [bytes(content) for content in ours.receive_data(binary(entry["record"]))]
    assert contents == mine.channel.packets


# --- lanes


class Book:
    """One ticket of the program."""

    def __init__(self, ticket: lane.Ticket) -> None:
        self.ticket: lane.Ticket | None = ticket

    def find(self, id_: bytes) -> lane.Ticket | None:
        return self.ticket if self.ticket and self.ticket.id == id_ else None

    def use(self, id_: bytes) -> bool:
        found, self.ticket = self.find(id_), None
        return found is not None


def test_a_lane() -> None:
    data = vectors("lane")
    id_, secret, tk = binary(data["ticket"]["id"]), binary(data["ticket"]["secret"]), binary(data["tk"])
    exporter, fp_i, fp_r = (binary(data[name]) for name in ("exporter", "FP_I", "FP_R"))
    role = data["ticket"]["role"]
    people = Fingerprint(fp_i), Fingerprint(fp_r)
    assert lane.ticket_key(exporter, secret, id_, *people, Role(role)) == tk
    assert expand(extract(exporter, secret), "lane", id_ + fp_i + fp_r + role.encode()) == tk
    b1, b2, b3, ls = (binary(data[name]) for name in ("B1", "B2", "B3", "ls"))
    draws_1 = [binary(data["opener draws"][name]) for name in ("xwing_seed", "nonce")]
    nonce, coins = (binary(data["acceptor draws"][name]) for name in ("nonce", "coins"))

    opener = Opener(Ticket(id_, secret, role), tk, Dice(random=draws_1), Clock())
    tickets = Tickets()
    tickets.add(Ticket(id_, secret, role), tk)
    acceptor = Acceptor(tickets, Dice(random=[nonce], coins=[coins]), Clock())
    ticket = lane.Ticket(id_, tk, 60.0)
    our_opener = OurLane(lane.LaneOpener(ticket, Drawer(draws_1)))
    our_acceptor = OurLane(lane.LaneAcceptor(Book(ticket), Drawer([nonce])))
    with loaded(coins=[coins]):
        for one in (opener, our_opener):
            assert one.sent() == b1
            one.receive(b2)
            assert one.sent() == b3
        for other in (acceptor, our_acceptor):
            other.receive(b1)
            assert other.sent() == b2
            other.receive(b3)
    secrets = Secrets(expand(ls, "ap I"), expand(ls, "ap R"), expand(ls, "rekey"))
    assert secrets == secrets_of(data)
    first, answer = data["first packet of the opener"], data["first packet of the acceptor"]
    sides: list[tuple[Side, Side, Json]] = [
        (opener, acceptor, first),
        (acceptor, opener, answer),
        (our_opener, our_acceptor, first),
        (our_acceptor, our_opener, answer),
    ]
    for sends, takes, said in sides:
        content = binary(said["content"])
        assert say(sends, content) == binary(said["record"])
        takes.receive(binary(said["record"]))
        assert (takes.packets if isinstance(takes, OurLane) else channel_of(takes).packets) == [content]


Side = Opener | Acceptor | OurLane


def channel_of(side: Opener | Acceptor) -> Channel:
    assert side.channel is not None
    return side.channel


def say(side: Side, content: bytes) -> bytes:
    """Send a packet; returns the record."""
    if isinstance(side, OurLane):
        assert side.lane.channel is not None
        side.lane.channel.send(content)
    else:
        channel_of(side).send_packet(content)
    return side.sent()
