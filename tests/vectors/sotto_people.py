"""Vectors of SPEC.md sections 1, 2 and 3: primitives, identities, invites."""

import base64
import math
from functools import cache
from itertools import pairwise
from typing import Any, Final

from tests.helpers.keys import SIZES
from tests.independent import identity as people
from tests.independent.identity import LONGEST, Identity, safety_number, write_fingerprint
from tests.independent.invites import PREFIX, Invite, write_invite
from tests.independent.meeting import private_key
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


FAR: Final = (b"b" * 63 + b".") * 3 + b"a" * 61 + b":65535"
"""The longest address."""


def a_place() -> Place:
    """A place at a relay, for invites and Mailboxes."""
    return Place(drawn("relay"), drawn("send_id", 24), drawn("send_key"), drawn("queue_key"), b"192.0.2.7:1")


def _bad_places(start: bytes) -> dict[str, str]:
    """Invites with a hint that is no place."""
    queue = a_place().write()
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
        "a place, then an address": ((3, a_place().write()), (1, b"127.0.0.1:42001")),
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
