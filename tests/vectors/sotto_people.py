"""Vectors of SPEC.md sections 1, 2, 3 and 7: primitives, identities, invites, packets."""

import base64
import math
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from typing import Any, Final

import msgspec

from tests.helpers.keys import SIZES
from tests.independent import identity as people
from tests.independent.identity import LONGEST, Identity, safety_number, write_fingerprint
from tests.independent.invites import PREFIX, Invite, write_invite
from tests.independent.meeting import private_key
from tests.independent.packets import (
    Delete,
    Delivered,
    Edit,
    Hello,
    LaneTicket,
    Mailboxes,
    Packet,
    Portrait,
    PortraitNews,
    PortraitWanted,
    React,
    Read,
    Seed,
    SeedAck,
    Text,
    Timer,
    Typing,
    write_packet,
)
from tests.independent.primitives import (
    TBS,
    H,
    box,
    expand,
    extract,
    lp,
    modulus_of,
    number,
    oaep_label,
    v,
    xwing_public,
)
from tests.independent.relays import Place
from tests.independent.schedule import puzzle, solve
from tests.vectors.dice import Dice, drawn

Json = dict[str, Any]
"""What a file holds; bytes become hexadecimal when it is written."""

NOW: Final = 1_800_000_000
"""The time of all vectors, Unix seconds."""

AGE: Final = 3600
"""How old everybody's certificate is at that time."""


@cache
def person(name: str) -> Identity:
    """Somebody with the certificate that all vectors use."""
    dice = Dice(salts=[drawn(f"certificate of {name}")])
    return Identity(private_key(name, "signing"), private_key(name, "exchange"), NOW - AGE, dice)


def primitives() -> Json:
    """Section 1."""
    key, th, text = drawn("key"), drawn("transcript"), b"plaintext"
    seed, coins = drawn("xwing seed"), drawn("xwing coins", 64)
    pk = xwing_public(seed)
    ct, ss = Dice(coins=[coins]).encapsulate(pk)
    material = puzzle(drawn("puzzle seed"), b"body of M1")
    return {
        "lp": [{"fields": ["", "61", "6263"], "result": lp(b"", b"a", b"bc")}],
        "Extract": [{"salt": th, "ikm": key, "result": extract(th, key)}],
        "Expand": [
            {
                "k": key,
                "label": label,
                "ctx": ctx,
                "n": n,
                "result": expand(key, label, ctx, n),
            }
            for label, ctx, n in [("mac1", b"", 32), ("iv", b"", 12), ("exporter", th, 32), ("long", th, 100)]
        ],
        "box": [
            {
                "k": key,
                "label": "r0",
                "th": th,
                "pt": pt,
                "result": box(key, "r0", th, pt),
            }
            for pt in (b"", text)
        ],
        "TBS": [{"label": "kexcert", "fields": ["", text], "result": TBS("kexcert", b"", text)}],
        "OAEP label": [{"label": "oaep I>R", "th": th, "result": oaep_label("oaep I>R", th)}],
        "XWing": [{"seed": seed, "coins": coins, "pk": pk, "ct": ct, "ss": ss}],
        "puzzle": [
            {
                "seed": drawn("puzzle seed"),
                "m1": b"body of M1",
                "bits": bits,
                "material": material,
            }
            | {"least solution": solve(material, bits)}
            for bits in (1, 9, 12)
        ],
    }


def refused_moduli() -> list[Json]:
    """Numbers that are no modulus."""
    good = modulus_of(private_key("alice", "signing"))
    n = int.from_bytes(good, "big")
    prime = 9973
    smooth = n - n % prime + (0 if (n - n % prime) % 2 else prime)
    root = math.isqrt(n) | 1
    while any(root % p == 0 for p in range(3, 10000, 2)):
        root += 2
    cases = {
        "2048 bits": drawn("short modulus", 256),
        "top bit 0": bytes((good[0] & 0x7F,)) + good[1:],
        "even": good[:-1] + bytes((good[-1] ^ 1,)),
        "divisible by 9973": number(smooth, 384),
        "a perfect square": number(root * root, 384),
        "a zero byte before it": b"\0" + good,
        "no byte": b"",
        "4096 bits, of which the first is 0": bytes(128) + good,
    }
    return [{"why": why, "modulus": modulus} for why, modulus in cases.items()]


def _bundle(name: str, exchange: str, times: tuple[int, int], signer: str = "", extra: bytes = b"") -> bytes:
    """A bundle with anything in it."""
    key = private_key(name, "signing")
    kex = private_key(*exchange.split("."))
    body = number(times[0], 8) + number(times[1], 8) + v(modulus_of(kex)) + extra
    salt = drawn(f"{name} {exchange} {times} {signer} {extra!r}")
    fingerprint = people.fingerprint(modulus_of(key))
    signature = Dice(salts=[salt]).sign(private_key(signer or name, "signing"), "kexcert", fingerprint, body)
    return v(modulus_of(key)) + v(body) + v(signature)


def bundles() -> tuple[list[Json], list[Json]]:
    """Bundles that are good, and that are not, at NOW."""
    day, kex = 86400, "alice.exchange"
    good = {
        "as everybody's": (NOW - AGE, NOW - AGE + LONGEST),
        "begins in 24 hours": (NOW + day, NOW + day + LONGEST),
        "ended 24 hours ago": (NOW - day - LONGEST, NOW - day),
        "for one second": (NOW, NOW + 1),
    }
    bad = {
        "begins in 24 hours and a second": _bundle("alice", kex, (NOW + day + 1, NOW + 2 * day)),
        "ended 24 hours and a second ago": _bundle("alice", kex, (NOW - 2 * day, NOW - day - 1)),
        "90 days and a second": _bundle("alice", kex, (NOW - AGE, NOW - AGE + LONGEST + 1)),
        "for no time": _bundle("alice", kex, (NOW, NOW)),
        "ends before it begins": _bundle("alice", kex, (NOW + 1, NOW)),
        "one key for both": _bundle("alice", "alice.signing", good["as everybody's"]),
        "signed by somebody else": _bundle("alice", kex, good["as everybody's"], "bob"),
        "a longer signature than the modulus": _bundle("alice", kex, good["as everybody's"], "dora"),
        "a byte left over in the body": _bundle("alice", kex, good["as everybody's"], "", b"\0"),
        "a byte left over": _bundle("alice", kex, good["as everybody's"]) + b"\0",
        "a byte missing": _bundle("alice", kex, good["as everybody's"])[:-1],
        "empty": b"",
    }
    return (
        [{"what": what, "bundle": _bundle("alice", kex, times)} for what, times in good.items()],
        [{"why": why, "bundle": bundle} for why, bundle in bad.items()],
    )


def identities() -> Json:
    """Section 2."""
    good, bad = bundles()
    everybody = [(name, person(name)) for name in SIZES]
    written = write_fingerprint(everybody[0][1].fingerprint)
    other = "b" if written[0] == "a" else "a"
    first, *rest = (me.fingerprint for _, me in everybody)
    pairs = [*pairwise([first, *rest]), (first, first), (bytes(32), b"\xff" * 32)]
    return {
        "now": NOW,
        "people": [
            {
                "name": name,
                "signing modulus": modulus_of(me.signing),
                "exchange modulus": modulus_of(me.exchange),
                "fingerprint": me.fingerprint,
                "written": write_fingerprint(me.fingerprint),
                "not_before": NOW - AGE,
                "salt": drawn(f"certificate of {name}"),
                "bundle": me.bundle,
            }
            for name, me in everybody
        ],
        "other ways to write the first fingerprint": [
            written.upper(),
            written.replace(" ", ""),
            " " + written.replace(" ", "-\n\t") + " ",
        ],
        "refused fingerprints": [
            {"why": "one letter differs", "written": other + written[1:]},
            {"why": "no checksum", "written": written.replace(" ", "")[:52]},
            {"why": "a letter missing", "written": written[:-1]},
            {"why": "a letter too many", "written": written + "a"},
            {"why": "letters that base32 has not", "written": written[:-4] + "0189"},
            {"why": "unused bits that are not zero", "written": _unused_bits(written)},
        ],
        "safety numbers": [
            {"one": one, "other": two, "number": safety_number(one, two)} for one, two in pairs
        ],
        "refused moduli": refused_moduli(),
        "good bundles": good,
        "refused bundles": bad,
    }


def _unused_bits(written: str) -> str:
    letters = written.replace(" ", "")
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    return letters[:51] + alphabet[alphabet.index(letters[51]) + 1] + letters[52:]


def _link(raw: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _checked(start: bytes) -> str:
    return _link(start + H(b"sotto invite" + start)[:4])


_FAR: Final = (b"b" * 63 + b".") * 3 + b"a" * 61 + b":65535"
"""The longest address."""


def _place() -> Place:
    """A place at a relay, for invites and Mailboxes."""
    return Place(drawn("relay"), drawn("send_id", 24), drawn("send_key"), drawn("queue_key"), b"192.0.2.7:1")


def _bad_places(start: bytes) -> dict[str, str]:
    """Invites with a hint that is no place."""
    queue = _place().write()
    bad = {
        "a place a byte short": queue[:-1],
        "a place a byte too long": queue + b"\0",
        "an empty place": b"",
    }
    return {why: _checked(start + b"\x01\x03" + number(len(each), 1) + each) for why, each in bad.items()}


def invites() -> Json:
    """Section 3."""
    fp, secret = drawn("whom an invite names"), drawn("secret of an invite", 16)
    start = b"\x01" + fp + secret
    hints = {
        "no hint": (),
        "one address": ((1, b"192.168.1.5:42000"),),
        "several": ((1, b"10.0.0.1:1"), (1, b"[fe80::1]:42000"), (1, b"home.example.org:65535")),
        "unknown kinds": ((2, b""), (1, b"127.0.0.1:42001"), (255, b"\xff\x00" * 100)),
        "a place, then an address": ((3, _place().write()), (1, b"127.0.0.1:42001")),
        "eight": tuple((1, f"10.0.0.{last}:42000".encode()) for last in range(8)),
    }
    one = write_invite(Invite(fp, secret, hints["one address"]))
    body = one[len(PREFIX) :]
    flipped = "B" if body[40] == "A" else "A"
    dashes = write_invite(Invite(b"\xff" * 2 + b"\xfb\xef\xbe" * 10, secret))[len(PREFIX) :]
    assert len(body) % 4
    assert "-" in dashes
    assert "_" in dashes
    refused = {
        "version 2": _checked(b"\x02" + fp + secret + b"\0"),
        "one letter differs": PREFIX + body[:40] + flipped + body[41:],
        "a letter missing": one[:-1],
        "wrong check": _link(start + b"\0" + bytes(4)),
        "a byte left over": _checked(start + b"\0\0"),
        "a hint is missing": _checked(start + b"\x01"),
        "a hint is cut short": _checked(start + b"\x01\x01\x09127.0.0"),
        "cut short": _checked(start),
        "nothing": PREFIX,
        "another prefix": "https://invite/" + body,
        "more than 1024 characters": _checked(start + b"\x04" + (b"\x02\xff" + bytes(255)) * 4),
        "a character that is not in the alphabet": PREFIX + body[:10] + "!" + body[11:],
        "padding": one + "=" * (-len(body) % 4),
        "the other alphabet": PREFIX + dashes.replace("-", "+").replace("_", "/"),
        "unused bits that are not zero": one[:-1] + chr(ord(one[-1]) + 1),
        "a hint with port 0": _checked(start + b"\x01\x01\x0b127.0.0.1:0"),
        "a hint with port 65536": _checked(start + b"\x01\x01\x0f127.0.0.1:65536"),
        "a hint without a host": _checked(start + b"\x01\x01\x03:80"),
        "an empty hint": _checked(start + b"\x01\x01\x00"),
        "a hint that is not ASCII": _checked(start + b"\x01\x01\x05\xc3\xa9x:1"),
        **_bad_places(start),
    }
    return {
        "fingerprint": fp,
        "secret": secret,
        "good": [
            {
                "what": what,
                "hints": [{"kind": kind, "content": content} for kind, content in each],
                "addresses": [content.decode() for kind, content in each if kind == 1],
                "link": write_invite(Invite(fp, secret, each)),
            }
            for what, each in hints.items()
        ],
        "other ways to write the second": [
            "SOTTO://Invite/" + body,
            "\t " + "\r\n".join(one[at : at + 7] for at in range(0, len(one), 7)) + " ",
        ],
        "refused": [{"why": why, "link": link} for why, link in refused.items()],
    }


def _refused_actions(ids: list[bytes]) -> dict[str, bytes]:
    """Contents that are no edit, deletion, reaction or typing, by what is wrong."""
    pack = msgspec.msgpack.encode
    return {
        "an edit of nothing": b"\x0b" + pack([ids[0], 1, bytes(32), 0, b"", "x", 0]),
        "an edit to no text": b"\x0b" + pack([ids[0], 1, bytes(32), 0, ids[1], "", 0]),
        "an edit to 65537 bytes": b"\x0b" + pack([ids[0], 1, bytes(32), 0, ids[1], "é" * 32768 + "x", 0]),
        "an edit with seq 0": b"\x0b" + pack([ids[0], 0, bytes(32), 0, ids[1], "x", 0]),
        "a deletion of 17 bytes": b"\x0c" + pack([ids[0], 1, bytes(32), 0, bytes(17), 0]),
        "a deletion with order 2^42": b"\x0c" + pack([ids[0], 1, bytes(32), 0, ids[1], 2**42]),
        "a reaction of 33 bytes": b"\x0d" + pack([ids[0], 1, bytes(32), 0, ids[1], "é" * 16 + "x", 0]),
        "a reaction without order": b"\x0d" + pack([ids[0], 1, bytes(32), 0, ids[1], "x"]),
        "typing without an array": b"\x0e",
    }


def _refused_timers(ids: list[bytes]) -> dict[str, bytes]:
    """Contents that are no Text or Timer, because of the timer."""
    pack, refused = msgspec.msgpack.encode, dict[str, bytes]()
    for wrong in (-1, 1, 4, 2419201, 5.0, True, None, "60"):
        text, timer = [ids[0], 1, bytes(32), 0, "x", 0, b"", wrong], [ids[0], 1, bytes(32), 0, wrong, 0]
        refused[f"a text with timer {wrong!r}"] = b"\x02" + pack(text)
        refused[f"timer {wrong!r}"] = b"\x0f" + pack(timer)
    return refused | {"a timer without order": b"\x0f" + pack([ids[0], 1, bytes(32), 0, 60])}


def _refused_packets(ids: list[bytes], pk: bytes, place: Place) -> dict[str, bytes]:
    """Contents that are no packet, by what is wrong."""
    pack = msgspec.msgpack.encode
    return {
        "an unknown kind": b"\x7f" + pack([]),
        "kind 0": b"\x00" + pack([]),
        "no byte": b"",
        "kind only": b"\x01",
        "a field is missing": b"\x01" + pack(["Alice", 42000, True]),
        "a map": b"\x03" + pack({"ids": ids}),
        "a byte left over": b"\x03" + pack([ids]) + b"\0",
        "name of 65 characters": b"\x01" + pack(["e" * 65, 1, True, 0]),
        "port 65536": b"\x01" + pack(["e", 65536, True, 0]),
        "port -1": b"\x01" + pack(["e", -1, True, 0]),
        "port is a bool": b"\x01" + pack(["e", True, True, 0]),
        "port is a float": b"\x01" + pack(["e", 1.0, True, 0]),
        "accepted is a number": b"\x01" + pack(["e", 1, 1, 0]),
        "read_seq 2^63": b"\x01" + pack(["e", 1, True, 2**63]),
        "name is bin": b"\x01" + pack([b"e", 1, True, 0]),
        "name is no UTF-8": b"\x01\x94\xa1\xff\x01\xc3\x00",
        "id of 15 bytes": b"\x02" + pack([bytes(15), 1, bytes(32), 0, "x", 0, b"", 0]),
        "id is a string": b"\x02" + pack(["x" * 16, 1, bytes(32), 0, "x", 0, b"", 0]),
        "seq 0": b"\x02" + pack([ids[0], 0, bytes(32), 0, "x", 0, b"", 0]),
        "prev of 31 bytes": b"\x02" + pack([ids[0], 1, bytes(31), 0, "x", 0, b"", 0]),
        "sent_ms 2^53 + 1": b"\x02" + pack([ids[0], 1, bytes(32), 2**53 + 1, "x", 0, b"", 0]),
        "order 2^42": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 2**42, b"", 0]),
        "no text": b"\x02" + pack([ids[0], 1, bytes(32), 0, "", 0, b"", 0]),
        "a text without reply": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0]),
        "a reply to 15 bytes": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0, bytes(15), 0]),
        "a text without timer": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0, b""]),
        **_refused_timers(ids),
        "a reply to 17 bytes": b"\x02" + pack([ids[0], 1, bytes(32), 0, "x", 0, bytes(17), 0]),
        **_refused_actions(ids),
        "no id": b"\x03" + pack([[]]),
        "513 ids": b"\x04" + pack([[bytes(16)] * 513]),
        "nil among the ids": b"\x04" + pack([[ids[0], None]]),
        "pk of 1215 bytes": b"\x07" + pack([pk[:-1], 0]),
        "pk of 1217 bytes": b"\x07" + pack([pk + b"\0", 0]),
        "no rank": b"\x07" + pack([pk]),
        "rank 2^53 + 1": b"\x07" + pack([pk, 2**53 + 1]),
        "rank -1": b"\x07" + pack([pk, -1]),
        "a SeedAck without an array": b"\x08",
        "a SeedAck that is a map": b"\x08\x80",
        "ticket id of 15 bytes": b"\x09" + pack([bytes(15), bytes(32), True, 0]),
        "ticket secret of 33 bytes": b"\x09" + pack([bytes(16), bytes(33), True, 0]),
        "by_initiator is a number": b"\x09" + pack([bytes(16), bytes(32), 1, 0]),
        "ticket port 65536": b"\x09" + pack([bytes(16), bytes(32), True, 65536]),
        "a ticket without port": b"\x09" + pack([bytes(16), bytes(32), True]),
        "5 places": b"\x0a" + pack([[replace(place, relay=drawn(f"relay {n}")).write() for n in range(5)]]),
        "an empty place": b"\x0a" + pack([[b""]]),
        "a place of 382 bytes": b"\x0a" + pack([[bytes(382)]]),
        "two places at one relay": b"\x0a" + pack([[place.write()] * 2]),
        "a place a byte short": b"\x0a" + pack([[place.write()[:-1]]]),
        "news of 31 bytes": b"\x1f" + pack([bytes(31)]),
        "news of nothing": b"\x1f" + pack([None]),
        "an empty hash is wanted": b"\x20" + pack([b""]),
        "an empty picture": b"\x21" + pack([b""]),
        "a picture of 24577 bytes": b"\x21" + pack([bytes(24577)]),
        "a place that is text": b"\x0a" + pack([["place"]]),
    }


def _chain(about: bytes, last: Text) -> list[Text | Edit | Delete | React | Timer]:
    """What follows a text: a reply, edits, reactions, a deletion, and timers."""
    ids = [drawn(f"id in the chain {count}", 16) for count in range(9)]
    at = 1_800_000_001_000
    reply = Text(ids[0], 3, last.hash(), at, "yes", 0, about, 5)
    edit = Edit(ids[1], 4, reply.hash(), at + 1, about, "Hallo", 1)
    react = React(ids[2], 5, edit.hash(), at + 2, about, "👩‍👩‍👧‍👦", at)
    undo = React(ids[3], 6, react.hash(), 0, about, "", at + 1)
    delete = Delete(ids[4], 7, undo.hash(), 2**53, about, 2**42 - 1)
    timer = Timer(ids[6], 8, delete.hash(), at + 3, 2419200, 2**42 - 1)
    timed = Text(ids[7], 9, timer.hash(), at + 4, "gone soon", at + 4, b"", 2419200)
    off = Timer(ids[8], 10, timed.hash(), at + 5, 0, at + 5)
    last_of_all = Edit(ids[5], 2**63 - 1, off.hash(), 0, ids[0], "é" * 200, 0)
    return [reply, edit, react, undo, delete, timer, timed, off, last_of_all]


def packets() -> Json:
    """Section 7."""
    ids = [drawn(f"id {count}", 16) for count in range(3)]
    first = Text(ids[0], 1, bytes(32), 1_800_000_000_123, "Hello", 1_800_000_000_124, b"", 0)
    second = Text(ids[1], 2, first.hash(), 2**53, "ünï\n🦉", 2**42 - 1, b"", 0)
    chain = _chain(ids[0], second)
    pk = xwing_public(drawn("key of a Seed"))
    place = _place()
    good: list[Packet] = [
        Hello("Alice", 42000, True, 0),  # noqa: FBT003
        Hello("", 0, False, 2**63 - 1),  # noqa: FBT003
        Hello("é" * 64, 65535, True, 70000),  # noqa: FBT003
        first,
        second,
        *chain,
        Typing(),
        Seed(pk, 0),
        Seed(pk, 2**53),
        SeedAck(),
        LaneTicket(ids[2], drawn("secret of a ticket"), True, 0),  # noqa: FBT003
        LaneTicket(ids[2], drawn("secret of a ticket"), False, 65535),  # noqa: FBT003
        Mailboxes([]),
        Mailboxes([place.write(), replace(place, relay=drawn("a far relay"), address=_FAR).write()]),
        PortraitNews(drawn("a picture")),
        PortraitNews(b""),
        PortraitWanted(drawn("a picture")),
        Portrait(drawn("pixels", 60)),
        Delivered(ids),
        Read(ids[:1]),
    ]
    pack = msgspec.msgpack.encode
    extra = b"\x03" + pack([[ids[0]], "a later field", {"a": 1}])
    wide = b"\x91\x91\xc5\x00\x10" + ids[0]
    return {
        "good": [
            {
                "kind": packet.KIND,
                "fields": [getattr(packet, field.name) for field in fields(packet)],
                "content": write_packet(packet),
            }
            for packet in good
        ],
        "read like a Delivered with the first id": [extra, (b"\x03" + wide)],
        "ignored": [b"\x80", b"\xff\x00", b"\xc1\xc1"],
        "hashes of a chain": [
            {"content": write_packet(each), "hash": each.hash()} for each in (first, second, *chain)
        ],
        "refused": [
            {"why": why, "content": content} for why, content in _refused_packets(ids, pk, place).items()
        ],
    }
