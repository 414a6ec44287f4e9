"""Vectors of SPEC.md section 4: whole handshakes, and messages that must be refused."""

from dataclasses import dataclass
from typing import Final

from tests.independent.handshake import Dial, Host, Initiator, Responder
from tests.independent.schedule import Common, Schedule
from tests.vectors.dice import Dice, drawn
from tests.vectors.sotto_people import NOW, Json, person

LABELS: Final = ("continue", "knock", "lane", "seal sid", "seal A>B", "seal B>A", "relay")
MESSAGES: Final = {1: "M1", 2: "M2", 3: "M3", 4: "M4", 5: "M5", 6: "RETRY"}


@dataclass(frozen=True)
class Case:
    """One way to shake hands.

    Attributes:
        name: Of the file.
        about: What is special.
        initiator: Name of the person who calls; None for nobody in particular.
        responder: Name of the person who answers.
        door: I knows an address only.
        bits: Of the puzzle that R asks for.
        secret: Of the invite that I uses.
        knock: The knock secret of the two.
        relay: Fingerprint of the relay that carries the link.
        continues: What I says to continue.
        features: I's.
    """

    name: str
    about: str
    initiator: str | None
    responder: str
    door: bool = False
    bits: int | None = None
    secret: bytes = b""
    knock: bytes = b""
    relay: bytes = b""
    continues: bytes = b""
    features: int = 0

    def initiator_dice(self) -> Json:
        """What I draws, in order; a tag only without a knock secret, an OAEP seed always."""
        names = ["xwing_seed", "nonce"]
        values: Json = {name: drawn(f"{self.name} I {name}") for name in names}
        if not self.knock:
            values["tag"] = drawn(f"{self.name} I tag", 16)
        values |= {name: drawn(f"{self.name} I {name}") for name in ("s_i", "oaep_seed")}
        return values | ({"pss_salt": drawn(f"{self.name} I salt")} if self.initiator else {})

    def responder_dice(self) -> Json:
        """What R draws, in order."""
        values: Json = {"retry_seed": drawn(f"{self.name} R seed")} if self.bits is not None else {}
        values |= {"nonce": drawn(f"{self.name} R nonce"), "coins": drawn(f"{self.name} R coins", 64)}
        if self.initiator:
            values |= {name: drawn(f"{self.name} R {name}") for name in ("s_r", "oaep_seed")}
        return values | {"pss_salt": drawn(f"{self.name} R salt")}


CASES: Final = [
    Case("contact", "I knows R's fingerprint, and R knows I", "alice", "bob", features=5),
    Case("open-door", "I knows an address only; keys of 4096 and of 3072 bits", "dora", "carol", door=True),
    Case("invite", "I holds an invite of R", "carol", "alice", secret=drawn("invite", 16)),
    Case("retry", "R is under load and asks for work first", "bob", "dora", bits=9),
    Case("knock", "as contact, with a knock secret", "alice", "bob", knock=drawn("knock")),
    Case(
        "relayed",
        "through a relay, in place of another link",
        "alice",
        "bob",
        relay=drawn("relay"),
        continues=drawn("continues"),
    ),
    Case("anonymous", "the client of a relay", None, "dora"),
]


def load(dice: Json) -> Dice:
    """Dice that draw these values."""
    names = ("xwing_seed", "retry_seed", "nonce", "tag", "s_i", "s_r")
    return Dice(
        random=[dice[name] for name in names if name in dice],
        coins=[dice["coins"]] if "coins" in dice else [],
        seeds=[dice["oaep_seed"]] if "oaep_seed" in dice else [],
        salts=[dice["pss_salt"]] if "pss_salt" in dice else [],
    )


def initiator_of(case: Case, dice: Dice) -> Dial:
    """How I calls."""
    return Dial(
        Common(NOW, chance=dice, relay=case.relay),
        person(case.initiator) if case.initiator else None,
        None if case.door else person(case.responder).fingerprint,
        knock=case.knock,
        secret=case.secret,
        continues=case.continues,
        features=case.features,
    )


def responder_of(case: Case, dice: Dice) -> Host:
    """How R answers."""
    return Host(
        Common(NOW, chance=dice, relay=case.relay),
        person(case.responder),
        door=case.door,
        anonymous=case.initiator is None,
        retry=case.bits,
        knocks=[case.knock] if case.knock else [],
    )


@dataclass(frozen=True)
class Run:
    """A handshake as it went: the messages in order, and what both computed."""

    messages: list[bytes]
    schedule: Schedule
    exporters: list[Json]


def run(case: Case) -> Run:
    """Shake hands with loaded dice."""
    dice = load(case.initiator_dice()), load(case.responder_dice())
    one, other = Initiator(initiator_of(case, dice[0])), Responder(responder_of(case, dice[1]))
    messages: list[bytes] = []
    while data := one.sent() or other.sent():
        (one if len(messages) % 2 else other).receive(data)
        messages.append(data)
    assert one.session is not None
    assert other.session is not None
    assert vars(one.session.schedule) == vars(other.session.schedule)
    assert dice[0].left == dice[1].left == 0
    session = one.session
    exporters = [
        {"label": label, "ctx": ctx, "value": session.exporter(label, ctx)}
        for label, ctx in [*((label, b"") for label in LABELS), ("relay", b"ctx")]
    ]
    return Run(messages, session.schedule, exporters)


def handshake(case: Case) -> Json:
    """The file of one handshake."""
    went = run(case)
    values = {name: value for name, value in vars(went.schedule).items() if value}
    return {
        "about": case.about,
        "now": NOW,
        "initiator": {
            "name": case.initiator,
            "bundle": person(case.initiator).bundle if case.initiator else b"",
            "dials": b"" if case.door else person(case.responder).fingerprint,
            "knock": case.knock,
            "invite secret": case.secret,
            "relay": case.relay,
            "continues": case.continues,
            "features": case.features,
            "draws": case.initiator_dice(),
        },
        "responder": {
            "name": case.responder,
            "bundle": person(case.responder).bundle,
            "open door": case.door,
            "anonymous": case.initiator is None,
            "bits": case.bits,
            "knocks": [case.knock] if case.knock else [],
            "relay": case.relay,
            "draws": case.responder_dice(),
        },
        "messages": [
            {"from": "IR"[at % 2], "type": MESSAGES[message[0]], "message": message}
            for at, message in enumerate(went.messages)
        ],
        "values": values,
        "exporters": went.exporters,
    }
