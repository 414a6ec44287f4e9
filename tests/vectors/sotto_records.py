"""Vectors of SPEC.md sections 5 and 6: records through two exchanges of keys, bad records, a lane."""

from dataclasses import dataclass, field
from typing import Final

from tests.independent.channel import (
    ACCEPT,
    CLOSE,
    DONE,
    OFFER,
    PACKET,
    PADDING,
    PING,
    PONG,
    Channel,
    Direction,
    Secrets,
)
from tests.independent.lanes import Acceptor, Opener, Ticket, Tickets
from tests.independent.primitives import HMAC, H, expand, extract, number, xwing_decapsulate, xwing_public
from tests.independent.stream import End, Steps
from tests.vectors.dice import Dice, drawn
from tests.vectors.sotto_people import Json

BAD_SIZES: Final = (0, 15, 16, 20, 271, 273, 262415, 262417, 262672, 2**24 - 1)
"""Sizes that no ciphertext has: each is 16 more than a multiple of 256, from 272 to 262416."""

SECRETS: Final = Secrets(drawn("ts_I"), drawn("ts_R"), drawn("rk"))


class Logged(Channel):
    """A channel that keeps what it sends, record by record."""

    def __init__(
        self, secrets: Secrets, *, initiator: bool, out: bytearray, dice: Dice, now: list[float]
    ) -> None:
        self.log: list[Json] = []
        self.keys = 0
        super().__init__(secrets, initiator, out, dice, lambda: now[0])

    def _send(self, kind: int, content: bytes = b"") -> None:
        number_, before = self._sending.records, len(self._out)
        super()._send(kind, content)
        record = bytes(self._out[before:])
        self.log.append(
            {"type": kind, "content": content, "key": self.keys, "number": number_, "record": record}
        )

    def _switch_sending(self) -> None:
        self.keys += 1
        super()._switch_sending()


class Side(End):
    """One side of a channel without a handshake before it."""

    def __init__(self, *, initiator: bool, dice: Dice, now: list[float]) -> None:
        self._make = initiator, dice, now
        super().__init__()

    def run(self) -> Steps[None]:
        """Records from the first byte on."""
        initiator, dice, now = self._make
        self.channel = Logged(SECRETS, initiator=initiator, out=self.out, dice=dice, now=now)
        yield from self.channel.reading()


@dataclass
class Talk:
    """Two sides, what is on its way, and the steps so far."""

    now: list[float] = field(default_factory=lambda: [0.0])
    steps: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = {
            "I": Dice(random=[drawn("seed I 1"), drawn("seed I 2")]),
            "R": Dice(random=[drawn("seed R 2")], coins=[drawn("coins R 1", 64), drawn("coins R 2", 64)]),
        }
        self.sides = {role: Side(initiator=role == "I", dice=dice[role], now=self.now) for role in "IR"}
        self.wire: dict[str, list[bytes]] = {"I": [], "R": []}
        self.dice = dice

    def do(self, role: str, what: str, content: bytes = b"") -> None:
        """One step of one side, and what it sends in consequence."""
        side, channel = self.sides[role], self.sides[role].channel
        step: Json = {"at": int(self.now[0]), "side": role, "do": what}
        match what:
            case "receive":
                side.receive(self.wire["R" if role == "I" else "I"].pop(0))
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
        if what in {"packet", "ping", "close"}:
            step["content"] = content
        assert side.sent() == b"".join(record["record"] for record in channel.log)
        self.wire[role] += [record["record"] for record in channel.log]
        self.steps.append(step | {"sends": channel.log})
        channel.log = []

    def settle(self) -> None:
        """Both receive what is on its way, in turn."""
        while self.wire["I"] or self.wire["R"]:
            for role, other in (("R", "I"), ("I", "R")):
                while self.wire[other]:
                    self.do(role, "receive")


def channel() -> Json:
    """Packets, pings, padding, two exchanges of keys (the second in glare), goodbyes."""
    talk = Talk()
    for size in (0, 1, 252, 253, 1000):
        talk.do("I", "packet", drawn(f"packet {size}", size))
    talk.do("R", "packet", b"from R")
    talk.do("R", "ping", b"")
    talk.do("I", "ping", b"12345678")
    talk.do("I", "padding")
    talk.settle()
    talk.now[0] = 5
    talk.do("I", "offer")
    talk.do("R", "packet", b"R, before it knows of the offer")
    talk.do("R", "receive")
    talk.do("R", "packet", b"R, under its new key")
    talk.do("I", "packet", b"I, before it knows of the acceptance")
    talk.settle()
    talk.do("I", "packet", b"I, under its new key")
    talk.settle()
    talk.now[0] = 12
    talk.do("R", "offer")
    talk.do("I", "offer")
    talk.do("I", "packet", b"I, while both have offered")
    talk.settle()
    talk.do("R", "packet", b"R, under its third key")
    talk.do("I", "packet", b"I, under its third key")
    talk.settle()
    talk.do("R", "close", b"\x01")
    talk.do("I", "packet", b"I, before it knows of the goodbye")
    talk.settle()
    assert all(side.closed for side in talk.sides.values())
    secrets = exchanges(talk)
    return {
        "initiator draws": {"xwing seeds": [drawn("seed I 1"), drawn("seed I 2")]},
        "responder draws": {
            "xwing seeds": [drawn("seed R 2")],
            "coins": [drawn("coins R 1", 64), drawn("coins R 2", 64)],
        },
        "secrets": secrets,
        "steps": talk.steps,
    }


def exchanges(talk: Talk) -> list[Json]:
    """The secrets of the beginning and after each exchange, computed once more from what was said."""
    sent = [record for step in talk.steps for record in step["sends"]]
    found = SECRETS
    result: list[Json] = [about(found)]
    for accept in (record for record in sent if record["type"] == ACCEPT):
        generation, ct = accept["content"][:4], accept["content"][4:]
        seed = drawn(f"seed I {int.from_bytes(generation, 'big')}")
        pk = xwing_public(seed)
        ss = xwing_decapsulate(seed, ct)
        root = extract(found.rk, ss + H(generation + pk + ct))
        found = found.fresh(ss, int.from_bytes(generation, "big"), pk, ct)
        assert found.ts_i == expand(root, "ap I")
        result.append({"ss": ss, "root": root} | about(found))
    assert all(side.channel.secrets == found for side in talk.sides.values())
    assert all(dice.left == 0 for dice in talk.dice.values())
    return result


def about(secrets: Secrets) -> Json:
    """Secrets, and the keys of both directions."""
    result: Json = {"ts_I": secrets.ts_i, "ts_R": secrets.ts_r, "rk": secrets.rk}
    for role, ts in (("I", secrets.ts_i), ("R", secrets.ts_r)):
        result |= {f"key {role}": expand(ts, "key"), f"iv {role}": expand(ts, "iv", n=12)}
    return result


def inside(kind: int, content: bytes = b"", size: int | None = None, pad: int | None = None) -> bytes:
    """The inside of a record with anything in it."""
    whole = number(kind, 1) + number(len(content) if size is None else size, 3) + content
    return whole + bytes(-len(whole) % 256 if pad is None else pad)


def refused() -> Json:
    """Records from I that R takes first of all, and must refuse: the last of each list; or must take."""
    pk = xwing_public(drawn("xwing seed"))
    nothing = inside(PADDING)
    bad: dict[str, list[bytes]] = {
        "type 8": [inside(8)],
        "type 255": [inside(255)],
        "size beyond the end": [inside(PACKET, b"x", size=253)],
        "padding that is not zero": [inside(PACKET, b"x")[:-1] + b"\x01"],
        "padding that is not zero, at its beginning": [inside(PACKET, b"xx", size=1)],
        "PADDING with content": [inside(PADDING, b"\0")],
        "33 times PADDING": [nothing] * 33,
        "PING of 9 bytes": [inside(PING, bytes(9))],
        "PONG of 9 bytes": [inside(PONG, bytes(9))],
        "CLOSE without a code": [inside(CLOSE)],
        "CLOSE of 2 bytes": [inside(CLOSE, bytes(2))],
        "OFFER of generation 0": [inside(OFFER, number(0, 4) + pk)],
        "OFFER of generation 2": [inside(OFFER, number(2, 4) + pk)],
        "OFFER a byte short": [inside(OFFER, number(1, 4) + pk[:-1])],
        "OFFER a byte too long": [inside(OFFER, number(1, 4) + pk + b"\0")],
        "OFFER, ML-KEM coefficient outside the modulus": [
            inside(OFFER, number(1, 4) + b"\xff" * 1184 + pk[1184:])
        ],
        "OFFER, X25519 key of low order": [inside(OFFER, number(1, 4) + pk[:1184] + bytes(32))],
        "OFFER while ACCEPT is out": [inside(OFFER, number(1, 4) + pk)] * 2,
        "ACCEPT of nothing": [inside(ACCEPT, number(1, 4) + bytes(1120))],
        "DONE with nothing": [inside(DONE, number(1, 4))],
    }
    good = {
        "a PACKET with more padding than it needs": inside(PACKET, b"x", pad=256 * 3 - 5),
        "a PACKET of 1000 bytes": inside(PACKET, bytes(1000)),
        "a PONG that was not asked for": inside(PONG, b"12345678"),
        "CLOSE with an unknown code": inside(CLOSE, b"\xc8"),
    }
    ours = Direction(SECRETS.ts_i)
    one = ours.seal(inside(PACKET, b"x"))
    heads = {
        "another first byte": b"\x16" + one[1:],
        "one bit of the length": one[:3] + bytes((one[3] ^ 1,)) + one[4:] + b"\0",
        "one bit of the ciphertext": one[:4] + bytes((one[4] ^ 1,)) + one[5:],
        "one bit of the tag": one[:-1] + bytes((one[-1] ^ 1,)),
        "number 1 before number 0": ours.seal(inside(PACKET, b"x")),
        "under R's key": Direction(SECRETS.ts_r).seal(inside(PACKET, b"x")),
        **{f"a ciphertext of {size} bytes, head only": b"\x17" + number(size, 3) for size in BAD_SIZES},
    }
    return {
        "ts_I": SECRETS.ts_i,
        "ts_R": SECRETS.ts_r,
        "rk": SECRETS.rk,
        "good": [{"what": what, "inside": each, "record": sealed([each])[0]} for what, each in good.items()],
        "refused": [
            *({"why": why, "insides": each, "records": sealed(each)} for why, each in bad.items()),
            *({"why": why, "records": [record]} for why, record in heads.items()),
        ],
    }


def sealed(insides: list[bytes]) -> list[bytes]:
    """Records of I from number 0 on."""
    direction = Direction(SECRETS.ts_i)
    return [direction.seal(each) for each in insides]


def lane() -> Json:
    """A lane that the link's responder opens, to its initiator."""
    exporter, fp_i, fp_r = drawn("lane exporter"), drawn("FP_I"), drawn("FP_R")
    ticket = Ticket(drawn("ticket id", 16), drawn("ticket secret"), "R")
    ctx = ticket.id + fp_i + fp_r + b"R"
    tk = expand(extract(exporter, ticket.secret), "lane", ctx)
    tickets = Tickets()
    tickets.add(ticket, tk)
    draws = drawn("opener seed"), drawn("opener nonce"), drawn("acceptor nonce"), drawn("acceptor coins", 64)
    opener = Opener(ticket, tk, Dice(random=draws[:2]), lambda: 0.0)
    acceptor = Acceptor(tickets, Dice(random=[draws[2]], coins=[draws[3]]), lambda: 0.0)
    b1 = opener.sent()
    acceptor.receive(b1)
    b2 = acceptor.sent()
    opener.receive(b2)
    b3 = opener.sent()
    acceptor.receive(b3)
    assert opener.channel is not None
    assert acceptor.channel is not None
    opener.channel.send_packet(b"from the opener")
    acceptor.channel.send_packet(b"from the acceptor")
    records = opener.sent(), acceptor.sent()
    opener.receive(records[1])
    acceptor.receive(records[0])
    both = b1[4:] + b2[4:]
    ss = xwing_decapsulate(draws[0], b2[36 : 36 + 1120])
    ls = extract(tk, ss + H(both))
    assert b3[4:] == HMAC(expand(ls, "b3"), H(both))
    return {
        "exporter": exporter,
        "FP_I": fp_i,
        "FP_R": fp_r,
        "ticket": {"id": ticket.id, "secret": ticket.secret, "role": ticket.role},
        "opener draws": {"xwing_seed": draws[0], "nonce": draws[1]},
        "acceptor draws": {"nonce": draws[2], "coins": draws[3]},
        "tk": tk,
        "B1": b1,
        "B2": b2,
        "B3": b3,
        "ss": ss,
        "ls": ls,
        **about(opener.channel.secrets),
        "first packet of the opener": {"content": b"from the opener", "record": records[0]},
        "first packet of the acceptor": {"content": b"from the acceptor", "record": records[1]},
    }
