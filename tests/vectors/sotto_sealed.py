"""Vectors of SPEC.md 10.2 to 10.4: envelopes, a session with loss and reordering."""

from dataclasses import replace
from typing import Final

from tests.independent.primitives import Refused, expand, xwing_public
from tests.independent.ratchet import Ratchet, session_of_link
from tests.independent.sealed import seal_inside, write_envelope
from tests.vectors.dice import Dice, drawn
from tests.vectors.sotto_people import NOW, Json, person

DAY: Final = 86400
QUEUE: Final = drawn("queue key")

# --- envelopes


def envelopes() -> Json:
    """Section 10.2."""
    contents = {
        "a message without content": (1, b""),
        "what just fits": (1, drawn("content", 4064)),
        "a byte more": (2, drawn("content", 4065)),
    }
    rest = 4096 - 28 - 4
    bad = {
        "kind 0": b"\x00\0\0\x01x" + bytes(rest - 1),
        "kind 3": b"\x03\0\0\x01x" + bytes(rest - 1),
        "a size beyond the inside": b"\x01\x00\x0f\xe1" + bytes(rest),
        "padding that is not zero": b"\x01\0\0\x01x" + bytes(rest - 2) + b"\x01",
        "padding that is not zero, at its beginning": b"\x01\0\0\0x" + bytes(rest - 1),
        "a byte less than 4096": b"\x01\0\0\x01x" + bytes(rest - 2),
        "a byte more than 4096": b"\x01\0\0\x01x" + bytes(rest),
    }
    good = write_envelope(QUEUE, 1, b"x", _nonce("changed"))
    refused = [{"why": why, "envelope": seal_inside(QUEUE, each, _nonce(why))} for why, each in bad.items()]
    refused.append({"why": "one bit of the nonce", "envelope": bytes((good[0] ^ 1,)) + good[1:]})
    refused.append({"why": "one bit of the tag", "envelope": good[:-1] + bytes((good[-1] ^ 1,))})
    refused.append(
        {"why": "for another queue", "envelope": write_envelope(drawn("other"), 1, b"x", _nonce("o"))}
    )
    larger = b"\x01\0\0\x01x" + bytes(16384 - 28 - 5)
    return {
        "queue key": QUEUE,
        "key": expand(QUEUE, "envelope"),
        "sizes": [
            {"content": content, "envelope": envelope}
            for content, envelope in zip(
                (0, 4064, 4065, 16352, 16353, 65504, 65505, 262112),
                (4096, 4096, 16384, 16384, 65536, 65536, 262144, 262144),
                strict=True,
            )
        ],
        "good": [
            {
                "what": what,
                "kind": kind,
                "nonce": _drawn_nonce(what),
                "content": content,
                "envelope": write_envelope(QUEUE, kind, content, _nonce(what)),
            }
            for what, (kind, content) in contents.items()
        ],
        "good, though larger than needed": {
            "kind": 1,
            "content": b"x",
            "envelope": seal_inside(QUEUE, larger, _nonce("larger")),
        },
        "refused": refused,
    }


def _drawn_nonce(name: str) -> bytes:
    return drawn(f"nonce {name}", 12)


def _nonce(name: str) -> Dice:
    return Dice(random=[_drawn_nonce(name)])


# --- a session


def state(ratchet: Ratchet) -> Json:
    """What one side keeps, under the names of section 10.4."""
    return {
        "e_s": ratchet.e_s,
        "n_s": ratchet.n_s,
        "p_s": ratchet.p_s,
        "k_s": ratchet.k_s,
        "acked": ratchet.acked,
        "root_s": ratchet.root_s,
        "ck_s": ratchet.ck_s,
        "e_r": ratchet.e_r,
        "n_r": ratchet.n_r,
        "root_r": ratchet.root_r,
        "ck_r": ratchet.ck_r,
        "keys": sorted(ratchet.keys),
        "skipped": [[*place] for place in sorted(ratchet.skipped)],
    }


Changes = dict[str, int | bytes]
"""What a forger says of itself, under the names of section 10.4."""


class Play:
    """Two sides of a session, their messages, and the steps so far."""

    def __init__(self, alice: Ratchet, bob: Ratchet, name: str) -> None:
        self.sides = {"A": alice, "B": bob}
        self.name = name
        self.now = NOW
        self.messages: list[bytes] = []
        self.steps: list[Json] = []

    def seal(self, side: str, payload: bytes) -> None:
        """One side seals; the message gets the next number."""
        ratchet, name = self.sides[side], f"{self.name} {len(self.messages)}"
        draws: Json = {"nonce": _drawn_nonce(name)}
        dice = Dice(random=[draws["nonce"]])
        if ratchet.begins:
            draws |= {"coins": drawn(f"coins {name}", 64), "xwing_seed": drawn(f"seed {name}")}
            dice = Dice(random=[draws["xwing_seed"], draws["nonce"]], coins=[draws["coins"]])
        message = ratchet.seal(payload, dice)
        assert dice.left == 0
        self.messages.append(message)
        self._note(side, {"do": "seal", "payload": payload, "draws": draws, "message": message})

    def open(self, side: str, number_: int) -> None:
        """A message arrives and opens."""
        payload = self.sides[side].open(self.messages[number_], self.now)
        self._note(side, {"do": "open", "number": number_, "payload": payload})

    def drop(self, side: str, number_: int, why: str, at: int | None = None, new: bytes = b"") -> None:
        """A message arrives and is dropped, perhaps because bytes of it were changed on the way."""
        message = self.messages[number_]
        step: Json = {"do": "drop", "number": number_, "why": why}
        if at is not None:
            at %= len(message)
            new = new or bytes((message[at] ^ 1,))
            message = message[:at] + new + message[at + len(new) :]
            step |= {"changed at": at, "to": new}
        before = state(self.sides[side])
        try:
            self.sides[side].open(message, self.now)
        except Refused:
            assert state(self.sides[side]) == before
            self._note(side, step)
            return
        raise AssertionError(why)

    def forge(self, side: str, why: str, changes: Changes, advance: int = 0) -> None:
        """One side seals an authentic message of an epoch that nobody else has yet; the other drops it."""
        ratchet = self.sides[side]
        forger = replace(ratchet, keys=dict(ratchet.keys), skipped=dict(ratchet.skipped))
        for _ in range(advance):
            forger.ck_s = expand(forger.ck_s, "ck")
        forger = replace(forger, **changes)  # type: ignore[arg-type]
        message = forger.seal_regardless(b"forged", _nonce(f"{self.name} {why}"))
        other = "B" if side == "A" else "A"
        before = state(self.sides[other])
        try:
            self.sides[other].open(message, self.now)
        except Refused:
            assert state(self.sides[other]) == before
            self._note(other, {"do": "drop", "message": message, "why": why})
            return
        raise AssertionError(why)

    def _note(self, side: str, step: Json) -> None:
        self.steps.append({"at": self.now, "side": side} | step | {"state": state(self.sides[side])})


FORGED: Final[list[tuple[str, Changes]]] = [
    ("epoch 0", {"e_s": 0}),
    ("epoch 2^31", {"e_s": 2**31}),
    ("an epoch that is not next", {"e_s": 5}),
    ("key_id 2^31", {"k_s": 2**31}),
    ("a key that B does not have", {"k_s": 3}),
    ("previous 1001", {"p_s": 1001}),
    ("previous is less than B has", {"p_s": 0}),
    ("ack 2^31", {"e_r": 2**31}),
]
"""What A says of itself in authentic messages; whoever does not look at it takes some of them."""


def session() -> Json:
    """Sections 10.3 and 10.4: one session from the secrets of its link."""
    fp_a, fp_b = person("alice").fingerprint, person("bob").fingerprint
    secrets = {label: drawn(label) for label in ("seal sid", "seal A>B", "seal B>A")}
    seeds = drawn("SEED of A"), drawn("SEED of B")
    publics = [xwing_public(seed) for seed in seeds]
    play = Play(
        session_of_link(secrets.__getitem__, fp_a, fp_b, seeds[0], publics[1], initiator=True),
        session_of_link(secrets.__getitem__, fp_b, fp_a, seeds[1], publics[0], initiator=False),
        "session",
    )
    start = {side: state(ratchet) for side, ratchet in play.sides.items()}
    _first_turns(play)
    for why, changes in FORGED:
        play.forge("A", why, changes)
    play.forge("A", "number 1000", {"n_s": 1000}, advance=999)
    pk = play.sides["A"].pk_s
    play.forge("A", "a coefficient of pk outside the modulus", {"pk_s": b"\xff" * 3 + pk[3:]})
    play.forge("A", "an X25519 key of low order in pk", {"pk_s": pk[:1184] + bytes(32)})
    play.drop("B", 6, "one bit of the sid", 0)
    play.drop("B", 6, "an X25519 key of low order in ct", 52 + 1216 + 1088, bytes(32))
    play.drop("B", 6, "one bit of ct", 52 + 1216)
    play.drop("B", 6, "one bit of the nonce", 52 + 1216 + 1120)
    play.drop("B", 6, "one bit of the payload", 2400)
    play.drop("B", 6, "one bit of the tag", -1)
    play.drop("A", 6, "turned back to its sender")
    _last_turns(play)
    return {
        "sid": secrets["seal sid"],
        "FP_A": fp_a,
        "FP_B": fp_b,
        "seeds": {"A": seeds[0], "B": seeds[1]},
    } | {
        "root A>B": secrets["seal A>B"],
        "root B>A": secrets["seal B>A"],
        "states at the beginning": start,
        "steps": play.steps,
    }


def _first_turns(play: Play) -> None:
    """Messages 0 to 6: overtaken, late, lost; both begin epochs of their own at once."""
    for payload in (b"", b"one", b"two"):
        play.seal("A", payload)
    play.seal("B", b"three, before any of A's")
    play.open("B", 2)
    play.open("B", 0)
    play.drop("B", 2, "again")
    play.open("A", 3)
    play.seal("B", b"four: B still waits for the acknowledgement of its first epoch")
    play.seal("A", b"five: A has seen B's first epoch, and B has not shown that it has A's")
    play.open("A", 4)
    play.seal("A", b"six: B has A's first epoch, so this begins A's second")


def _last_turns(play: Play) -> None:
    """Messages from 7 on: the second epochs, more loss, and what is too late."""
    play.open("B", 6)
    play.drop("B", 6, "again")
    play.open("B", 1)
    play.seal("B", b"seven: begins B's second epoch")
    play.seal("B", b"eight")
    play.open("A", 8)
    play.seal("A", drawn("payload nine", 300))
    play.seal("A", b"ten")
    play.now += 60
    play.open("B", 10)
    play.now += 30 * DAY
    play.open("B", 9)
    play.now += 1
    play.drop("B", 5, "31 days late: its key is gone")
    play.seal("B", b"eleven")
    play.open("A", 11)
