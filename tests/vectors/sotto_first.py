"""Vectors of SPEC.md 10.6 and 10.7: prekeys, a first contact."""

from dataclasses import replace
from typing import Final

from tests.independent.first import Held, Letter, Mailbox, write_first
from tests.independent.identity import Bundle, Identity, read_bundle
from tests.independent.meeting import private_key
from tests.independent.packets import Hello, Text
from tests.independent.prekeys import Prekey, assemble
from tests.independent.primitives import HMAC, H, box, expand, extract, number, v, xwing_public
from tests.independent.ratchet import Ratchet
from tests.independent.sealed import write_payload
from tests.vectors.dice import Dice, drawn
from tests.vectors.sotto_people import NOW, Json, person
from tests.vectors.sotto_sealed import DAY, Play, state

ONCE: Final = Prekey(drawn("prekey id", 16), 0, xwing_public(drawn("prekey seed")))
LAST: Final = Prekey(drawn("last prekey id", 16), 1, xwing_public(drawn("last prekey seed")))
HASHES: Final = sorted([ONCE.hash, LAST.hash])
SECRET: Final = drawn("invite of bob", 16)


def _list(
    why: str,
    who: str = "bob",
    serial: int = NOW,
    after: int = NOW + 14 * DAY,
    hashes: list[bytes] | None = None,
) -> bytes:
    dice = Dice(salts=[drawn(f"list {why}")])
    return assemble(person(who), serial, after, HASHES if hashes is None else hashes, dice)


def prekeys() -> Json:
    """Section 10.6."""
    good = _list("good")
    flagged = replace(ONCE, flags=2)
    bad = {
        "of somebody else": (_list("carol", "carol"), ONCE),
        "a smaller serial than the highest one seen": (_list("old", serial=NOW - 1), ONCE),
        "ended 24 hours and a second ago": (_list("ended", after=NOW - DAY - 1), ONCE),
        "ends in 15 days and a second": (_list("long", after=NOW + 15 * DAY + 1), ONCE),
        "hashes in another order": (_list("order", hashes=HASHES[::-1]), ONCE),
        "one hash twice": (_list("twice", hashes=[ONCE.hash] * 2), ONCE),
        "no hash": (_list("none", hashes=[]), ONCE),
        "66 hashes": (
            _list("many", hashes=sorted([ONCE.hash, *(H(number(n, 2)) for n in range(65))])),
            ONCE,
        ),
        "version 2": (b"\x02" + good[1:], ONCE),
        "one bit of the signature": (good[:-1] + bytes((good[-1] ^ 1,)), ONCE),
        "a byte left over": (good + b"\0", ONCE),
        "a byte missing": (good[:-1], ONCE),
        "a prekey that it does not name": (good, replace(ONCE, id=bytes(16))),
        "a prekey with another flag": (good, replace(ONCE, flags=1)),
        "a flag that nobody knows": (_list("flag", hashes=[flagged.hash]), flagged),
    }
    return {
        "now": NOW,
        "person": "bob",
        "highest serial seen": NOW,
        "prekeys": [
            {
                "id": prekey.id,
                "flags": prekey.flags,
                "seed": drawn(seed),
                "prekey": prekey.write(),
                "hash": prekey.hash,
            }
            for prekey, seed in ((ONCE, "prekey seed"), (LAST, "last prekey seed"))
        ],
        "serial": NOW,
        "not_after": NOW + 14 * DAY,
        "salt": drawn("list good"),
        "list": good,
        "good": [
            {"what": what, "list": _list(what, after=after)}
            for what, after in (("ended 24 hours ago", NOW - DAY), ("ends in 15 days", NOW + 15 * DAY))
        ],
        "refused": [
            {"why": why, "list": listed, "prekey": prekey.write()} for why, (listed, prekey) in bad.items()
        ],
    }


TEXT: Final = Text(
    drawn("message id", 16), 1, bytes(32), NOW * 1000 - 1, "Hello Bob, this is Alice.", 0, b"", 0
)
PAYLOAD: Final = write_payload([Hello("Alice", 0, accepted=True, read_seq=0), TEXT])
LETTER: Final = Letter(PAYLOAD, TEXT.id, TEXT.sent_ms, NOW * 1000 + 7, SECRET)


def _draws(name: str = "first contact") -> Json:
    return {
        "coins": drawn(f"coins {name}", 64),
        "s": drawn(f"s {name}"),
        "oaep_seed": drawn(f"oaep {name}"),
        "ratchet_seed": drawn(f"ratchet {name}"),
        "salt": drawn(f"salt {name}"),
    }


def _dice(draws: Json) -> Dice:
    random, coins = [draws["s"], draws["ratchet_seed"]], [draws["coins"]]
    return Dice(random=random, coins=coins, seeds=[draws["oaep_seed"]], salts=[draws["salt"]])


def _written(
    letter: Letter = LETTER, writer: Identity | None = None, reader: str = "bob", prekey: Prekey = ONCE
) -> tuple[bytes, Ratchet]:
    whom = read_bundle(person(reader).bundle, NOW, {})
    return write_first(writer or person("alice"), whom, prekey, letter, _dice(_draws()))


def _elder() -> Identity:
    """Alice with a certificate that began 50 days ago."""
    keys = private_key("alice", "signing"), private_key("alice", "exchange")
    return Identity(*keys, NOW - 50 * DAY, Dice(salts=[drawn("certificate of the elder alice")]))


def first_contact() -> Json:
    """Section 10.7, and the first messages of the session that it makes."""
    contact, writer = _written()
    bob: Bundle = read_bundle(person("bob").bundle, NOW, {})
    draws = _draws()
    ct, ss = Dice(coins=[draws["coins"]]).encapsulate(ONCE.pk)
    ow = Dice(seeds=[draws["oaep_seed"]]).oaep(bob.exchange, "oaep seal", H(ONCE.id + ct), draws["s"])
    th = H(ONCE.id + ct + ow)
    k0 = extract(ss, draws["s"] + th)
    mailbox = Mailbox(
        person("bob"), [private_key("bob", "exchange")], {ONCE.id: Held(ONCE, drawn("prekey seed"), NOW)}
    )
    opened = mailbox.take(contact, NOW)
    assert opened is not None
    play = Play(writer, opened.session, "first contact")
    start = {"A": state(writer), "B": state(opened.session)}
    play.seal("B", b"Hello Alice.")
    play.open("A", 0)
    play.seal("A", b"So it works.")
    play.open("B", 1)
    values: Json = {"ct": ct, "ss": ss, "label": H(ONCE.id + ct), "ow": ow, "th": th, "k0": k0}
    values["proof"] = HMAC(SECRET, th)
    return {
        "now": NOW,
        "writer": "alice",
        "reader": "bob",
        "prekey": {"id": ONCE.id, "flags": 0, "seed": drawn("prekey seed"), "made": NOW},
        "payload": LETTER.payload,
        "texts": ["", TEXT.text],
        "msg_id": LETTER.msg_id,
        "sent_ms": LETTER.sent_ms,
        "rank": LETTER.rank,
        "invite secret": SECRET,
        "draws": draws,
        "values": values,
        "first contact": contact,
        "sid": writer.sid,
        "root A>B": expand(k0, "seal A>B"),
        "root B>A": expand(k0, "seal B>A"),
        "states at the beginning": start,
        "steps": play.steps,
        "good": [
            {"what": what, "first contact": _written(replace(LETTER, sent_ms=sent * 1000), _elder())[0]}
            for what, sent in (("43 days old", NOW - 43 * DAY), ("24 hours ahead", NOW + DAY))
        ],
        "refused": _refused_contacts(contact, k0, th),
    }


def _refused_contacts(contact: bytes, k0: bytes, th: bytes) -> list[Json]:
    """Each must be dropped by bob at NOW."""
    head = contact[: 1136 + 2 + 384]
    alice = person("alice")
    pk = xwing_public(_draws()["ratchet_seed"])
    fixed = LETTER.msg_id + number(LETTER.sent_ms, 8) + number(LETTER.rank, 8)
    unsigned = v(alice.bundle) + pk + fixed + v(b"") + number(1, 4) + b"x"
    cut = {"nothing": b"", "the first 1537 bytes": contact[:1537], "a byte missing": contact[:-1]}
    places = {"id": 0, "ct, ML-KEM": 16, "ct, X25519": 16 + 1088, "length of ow": 1137, "ow": 1138}
    places |= {"the box": len(head), "the tag": len(contact) - 1}
    late, early = NOW * 1000 - 43 * DAY * 1000 - 1, (NOW + DAY + 1) * 1000
    elder = _elder()
    contacts = {
        **cut,
        **{
            f"one bit of {what}": contact[:at] + bytes((contact[at] ^ 1,)) + contact[at + 1 :]
            for what, at in places.items()
        },
        "for carol": _written(reader="carol")[0],
        "to oneself": _written(writer=person("bob"))[0],
        "43 days and a millisecond old": _written(replace(LETTER, sent_ms=late), elder)[0],
        "24 hours and a second ahead": _written(replace(LETTER, sent_ms=early), elder)[0],
        "rank 2^53 + 1": _written(replace(LETTER, rank=2**53 + 1))[0],
        "43 days old, when its writer's certificate had not begun": _written(
            replace(LETTER, sent_ms=(NOW - 43 * DAY) * 1000)
        )[0],
        "made with another prekey of the same id": _written(prekey=replace(LAST, id=ONCE.id))[0],
        "signed with another flag of the prekey": _written(prekey=replace(ONCE, flags=1))[0],
        "no signature": head + box(k0, "seal", th, unsigned + v(b"")),
        "no content": head + box(k0, "seal", th, b""),
        "the signature of a certificate": head + box(k0, "seal", th, unsigned + alice.bundle[-386:]),
    }
    return [{"why": why, "first contact": each} for why, each in contacts.items()]
