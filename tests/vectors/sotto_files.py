"""Vectors of SPEC.md section 17: offers, lists of files, hashes, wishes, and what is said on lanes."""

from collections.abc import Iterator
from dataclasses import astuple, fields, replace
from itertools import product
from typing import Final

import msgspec

from tests.independent.files import (
    CHUNK,
    DONE,
    MAY_BECOME,
    OF_SENDER,
    OPEN,
    Body,
    Entry,
    Giver,
    Have,
    chunk_hash,
    content_root,
    derive,
    hashes_of,
    offered,
    outcome,
    write_body,
    write_manifest,
)
from tests.independent.packets import Addresses, Offer, Packet, Wish
from tests.independent.primitives import number
from tests.vectors.dice import drawn

Json = dict[str, object]

PERIOD: Final = 251
SIZES: Final = (0, 1, 1024, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 100)
TRANSFER: Final = drawn("id of an offer", 16)
MANY: Final = Entry(["film"], 2 * CHUNK + 100)
"""The file of most lanes here."""


def content(size: int) -> bytes:
    """So many bytes, byte n being n mod 251."""
    return (bytes(range(PERIOD)) * (size // PERIOD + 1))[:size]


ENTRIES: Final = [
    Entry(["letter.txt"], 5, 1_800_000_000_123),
    Entry(["album"], folder=True, modified=253402300799999),
    Entry(["album", "🦉 ünï.jpg"], 0),
    Entry(["album", "empty"], folder=True),
    Entry(["run me"], 2**32, 1, executable=True),
]


def bodies() -> dict[str, Body]:
    """Good ones."""
    body, _ = offered(ENTRIES)
    return {
        "three files and two folders": body,
        "an empty file": offered([Entry(["nothing"])])[0],
        "as much as there can be": Body(
            ["é" * 255] * 5, 100_000, 100_000, 0, 2**53, bytes(32), 33554432, 255, b"picture"
        ),
        "folders only": replace(body, names=["a"], tops=1, files=0, folders=1, size=0, media=4),
    }


def _longer(body: bytes, size: int) -> bytes:
    """The same, with a field of a later version that makes it so long."""
    field = bytes(size - len(body) - 3)
    return bytes([body[0] + 1]) + body[1:] + b"\xc5" + number(len(field), 2) + field


def refused_bodies() -> dict[str, bytes]:
    """By what is wrong."""
    good = list(astuple(bodies()["three files and two folders"]))
    wrong: dict[str, tuple[int, object]] = {
        "no name": (0, []),
        "six names": (0, ["a"] * 6),
        "an empty name": (0, [""]),
        "a name of 256 characters": (0, ["e" * 256]),
        "a name that is bin": (0, [b"a"]),
        "fewer at the top than names": (1, 2),
        "more at the top than in all": (1, 6),
        "100001 files": (2, 100_001),
        "100001 files and folders": (2, 99_999),
        "files is a bool": (2, True),
        "folders -1": (3, -1),
        "size 2^53 + 1": (4, 2**53 + 1),
        "size is a float": (4, 5.0),
        "root of 31 bytes": (5, bytes(31)),
        "an empty manifest": (6, 0),
        "a manifest of 33554433 bytes": (6, 33554433),
        "media 256": (7, 256),
        "a thumbnail of 32769 bytes": (8, bytes(32769)),
        "a thumbnail that is a string": (8, "picture"),
    }
    pack = msgspec.msgpack.encode
    changed = {why: pack([*good[:at], value, *good[at + 1 :]]) for why, (at, value) in wrong.items()}
    return {
        **changed,
        "bytes of no file": pack([["a"], 1, 0, 1, 1, bytes(32), 9, 0, b""]),
        "media is missing": pack(good[:7]),
        "a byte left over": pack(good) + b"\0",
        "a map": pack({"names": ["a"]}),
        "38022 bytes": _longer(pack(good), 38022),
    }


def refused_manifests() -> dict[str, object]:
    """Lists that break a rule, by what is wrong; each is offered as what it says."""
    file = ["a", 5, 0, False, False]

    def entry(path: object, **more: object) -> list[object]:
        values = {"size": 0, "modified": 0, "executable": False, "folder": False} | more
        return [path, *values.values()]

    return {
        "nothing": [],
        "an empty name": [entry([""])],
        "a dot": [entry(["."])],
        "two dots": [entry([".."])],
        "a slash": [entry(["a/b"])],
        "a zero byte": [entry(["a\0"])],
        "a name of 1025 bytes": [entry(["é" * 512 + "x"])],
        "33 names": [entry(["a"] * depth, folder=True) for depth in range(1, 34)],
        "an empty path": [entry([])],
        "a path that is a string": [file],
        "a path twice": [entry(["a"]), entry(["a"])],
        "in no folder": [entry(["a", "b"])],
        "before its folder": [entry(["a", "b"]), entry(["a"], folder=True)],
        "in a file": [entry(["a"]), entry(["a", "b"])],
        "a folder with a size": [entry(["a"], size=1, folder=True)],
        "a folder that can be run": [entry(["a"], executable=True, folder=True)],
        "size -1": [entry(["a"], size=-1)],
        "modified in the year 10000": [entry(["a"], modified=253402300800000)],
        "folder is a number": [entry(["a"], folder=0)],
        "a field is missing": [entry(["a"])[:4]],
        "a field too many": [[*entry(["a"]), 0]],
    }


def _manifests() -> Json:
    body, manifest = offered(ENTRIES)
    pack = msgspec.msgpack.encode
    refused = []
    for why, entries in refused_manifests().items():
        data = pack(entries)
        told = replace(body, names=["a"], tops=1, files=1, folders=0, size=0)
        told = replace(told, root=derive("sotto/1 manifest", data), manifest=len(data))
        refused.append({"why": why, "body": write_body(told), "manifest": data})
    other = manifest.replace(pack(1_800_000_000_123), pack(1_800_000_000_124))
    long = b"\xdc\x00\x05" + manifest[1:]
    lies = {
        "a byte left over": (body, manifest + b"\0"),
        "a byte is missing": (body, manifest[:-1]),
        "another hash": (body, other),
        "an array in a longer form": (
            replace(body, root=derive("sotto/1 manifest", long), manifest=len(long)),
            long,
        ),
        "fewer files than were offered": (replace(body, files=4), manifest),
        "fewer folders than were offered": (replace(body, folders=3), manifest),
        "another size than was offered": (replace(body, size=body.size + 1), manifest),
    }
    for why, (told, data) in lies.items():
        refused.append({"why": why, "body": write_body(told), "manifest": data})
    return {
        "good": [
            {
                "entries": [list(astuple(entry)) for entry in each],
                "manifest": write_manifest(each),
                "root": offered(each)[0].root,
                "body": write_body(offered(each)[0]),
            }
            for each in (ENTRIES, [Entry(["nothing"])], [MANY])
        ],
        "refused": refused,
    }


def _contents() -> list[Json]:
    return [
        {"size": size, "chunks": (hashes := hashes_of(content(size))), "root": content_root(hashes)}
        for size in SIZES
    ]


def said(giver: Giver, told: bytes) -> Iterator[Json]:
    """What S says after a HAVE; bytes of files by their place in the content."""
    at = 0
    for data in giver.answer(told):
        if data[0] == 4 and len(data) == 9:
            at = int.from_bytes(data[1:5], "big") * CHUNK + int.from_bytes(data[5:], "big")
            yield {"content": data}
        elif data in giver.content[at : at + len(data)]:
            yield {"bytes": len(data), "from": at}
            at += len(data)
        else:
            yield {"content": data}


def _lane(about: str, entry: Entry, have: Have) -> Json:
    body, manifest = offered([entry])
    giver = Giver(TRANSFER, body, manifest, content(entry.size))
    return {
        "about": about,
        "body": write_body(body),
        "manifest": manifest,
        "begin": giver.begin(),
        "have": have.write(),
        "then": list(said(giver, have.write())),
    }


def _haves(body: Body) -> Json:
    good = [
        Have(manifest=False, runs=[]),
        Have(manifest=True, runs=[(0, 3)]),
        Have(manifest=True, runs=[(0, 1), (2, 3)], partial=1, begun=CHUNK),
        Have(manifest=True, runs=[], partial=2, begun=100),
    ]
    whole = Have(manifest=True, runs=[(0, 1), (2, 3)]).write()
    wrong: dict[str, bytes] = {
        "manifest 2": Have(manifest=True, runs=[]).write().replace(b"\x02\x01", b"\x02\x02"),
        "an empty run": Have(manifest=True, runs=[(1, 1)]).write(),
        "runs that touch": Have(manifest=True, runs=[(0, 1), (1, 2)]).write(),
        "runs in disorder": Have(manifest=True, runs=[(2, 3), (0, 1)]).write(),
        "a chunk that does not exist": Have(manifest=True, runs=[(2, 4)]).write(),
        "half a run": whole[:-4],
        "a byte left over": whole + b"\0",
        "a part of a chunk that is there": Have(manifest=True, runs=[(0, 1)], partial=0, begun=1).write(),
        "a part of a chunk that does not exist": Have(manifest=True, runs=[], partial=3, begun=1).write(),
        "a part of no bytes": Have(manifest=True, runs=[], partial=1).write(),
        "a part larger than its chunk": Have(manifest=True, runs=[], partial=2, begun=101).write(),
        "bytes of no part": Have(manifest=True, runs=[], begun=1).write(),
        "another word": number(1, 1) + TRANSFER,
        "cut short": whole[:9],
        "nothing": b"",
    }
    return {
        "body": write_body(body),
        "good": [{"have": each.write(), "fields": list(astuple(each))} for each in good],
        "refused": [{"why": why, "have": each} for why, each in wrong.items()],
    }


def _refused_words(body: Body) -> list[Json]:
    """What R refuses as the last of a list of words; the ones before are in order. R has chunk 1 of 3."""
    last = content(body.size)[2 * CHUNK :]
    begin, good_end = bytes.fromhex("040000000200000000"), number(5, 1) + chunk_hash(last)
    root = number(6, 1) + content_root(hashes_of(content(body.size)))
    lists: dict[str, list[bytes]] = {
        "an unknown word": [b"\x07"],
        "an empty word": [b""],
        "BEGIN": [number(1, 1) + TRANSFER],
        "a manifest that was not asked for": [b"\x03x"],
        "a chunk that R has": [bytes.fromhex("040000000100000000")],
        "a chunk that does not exist": [bytes.fromhex("040000000300000000")],
        "a part that R has not": [bytes.fromhex("040000000200000001")],
        "a CHUNK a byte short": [begin[:-1]],
        "a CHUNK a byte too long": [begin + b"\0"],
        "END of nothing": [good_end],
        "FINISH while something is missing": [root],
        "no bytes": [begin, b""],
        "bytes beyond the end": [begin, last + b"\0"],
        "END too early": [begin, last[:-32], good_end],
        "another CHUNK before END": [begin, last, begin],
        "END a byte short": [begin, last, good_end[:-1]],
        "another hash": [begin, last, number(5, 1) + bytes(32)],
        "FINISH in place of END": [begin, last, root],
        "a chunk twice": [begin, last, good_end, begin],
    }
    return [{"why": why, "words": words} for why, words in lists.items()]


def files() -> Json:
    """Section 17."""
    body, _ = offered([MANY])
    wishes = range(OPEN, DONE + 1)
    return {
        "hashes": [
            {"context": f"sotto/1 {name}", "x": x, "hash": derive(f"sotto/1 {name}", x)}
            for name in ("manifest", "chunk", "content")
            for x in (b"", b"x", bytes(range(100)))
        ],
        "bodies": [
            {
                "what": what,
                "fields": [getattr(each, field.name) for field in fields(each)],
                "body": write_body(each),
            }
            for what, each in bodies().items()
        ],
        "refused bodies": [{"why": why, "body": each} for why, each in refused_bodies().items()],
        "manifests": _manifests(),
        "contents": _contents(),
        "outcomes": [
            {"sender": sender, "receiver": receiver, "is": outcome(sender, receiver)}
            for sender, receiver in product(OF_SENDER, wishes)
        ],
        "may become": [{"wish": wish, "next": list(MAY_BECOME.get(wish, ()))} for wish in wishes],
        "HAVE": _haves(body),
        "lanes": [
            _lane("a file, from nothing", Entry(["a"], 1000), Have(manifest=False, runs=[])),
            _lane("an empty file", Entry(["a"]), Have(manifest=False, runs=[])),
            _lane("nothing is missing", MANY, Have(manifest=True, runs=[(0, 3)])),
            _lane("after a cut", MANY, Have(manifest=True, runs=[(0, 1)], partial=1, begun=4_000_000)),
            _lane(
                "a chunk is whole, but not its END",
                MANY,
                Have(manifest=True, runs=[(0, 1), (2, 3)], partial=1, begun=CHUNK),
            ),
        ],
        "refused words": {"body": write_body(body), "has": [1], "lists": _refused_words(body)},
    }


# --- packets of section 7 that speak of files


def offers(ids: list[bytes], seq: int, prev: bytes, at: int) -> tuple[Offer, Offer]:
    """Two links of a chain."""
    first, second = list(bodies().values())[:2]
    one = Offer(ids[0], seq, prev, at, write_body(first), at, 0)
    return one, Offer(ids[1], seq + 1, one.hash(), 0, write_body(second), 2**42 - 1, 2419200)


def good_packets() -> list[Packet]:
    """Those that are in no chain."""
    wish = Wish(TRANSFER, own=False, wish=1, reason=0, count=0, heard=0, proof=b"", busy=False)
    return [
        wish,
        replace(wish, own=True, wish=3, reason=255, count=2**32 - 1, heard=7),
        replace(wish, wish=7, count=2, heard=2**32 - 1, proof=drawn("root of a content"), busy=True),
        Addresses([]),
        Addresses([f"[2001:db8::{last}]:42000" for last in range(7)] + ["e" * 64]),
    ]


def refused_packets() -> dict[str, bytes]:
    """Contents that are no Offer, Wish or Addresses, by what is wrong."""
    pack = msgspec.msgpack.encode
    body = write_body(bodies()["an empty file"])
    offer = [TRANSFER, 1, bytes(32), 0, body, 0, 0]
    wish = [TRANSFER, False, 2, 0, 0, 0, b"", False]

    def changed(kind: bytes, good: list[object], at: int, value: object) -> bytes:
        return kind + pack([*good[:at], value, *good[at + 1 :]])

    offers_wrong: dict[str, tuple[int, object]] = {
        "an offer without id": (0, b""),
        "an offer with seq 0": (1, 0),
        "an offer of nothing": (4, b""),
        "an offer whose body is no array": (4, b"\x01"),
        "an offer whose body is text": (4, "body"),
        "an offer of 10^18 bytes": (4, pack([["a"], 1, 1, 0, 10**18, bytes(32), 9, 0, b""])),
        "an offer with order 2^42": (5, 2**42),
        "an offer with timer 4": (6, 4),
    }
    wishes_wrong: dict[str, tuple[int, object]] = {
        "a wish about 15 bytes": (0, bytes(15)),
        "a wish whose own is a number": (1, 0),
        "wish 0": (2, 0),
        "wish 8": (2, 8),
        "reason 256": (3, 256),
        "count 2^32": (4, 2**32),
        "heard -1": (5, -1),
        "a proof of what is not done": (6, bytes(32)),
        "a wish whose busy is nil": (7, None),
    }
    result = {why: changed(b"\x10", offer, at, value) for why, (at, value) in offers_wrong.items()}
    result |= {why: changed(b"\x11", wish, at, value) for why, (at, value) in wishes_wrong.items()}
    for mine in (1, 5, 7):
        proof = bytes(32) if mine == DONE else b""
        result[f"wish {mine} of an own transfer"] = b"\x11" + pack(
            [TRANSFER, True, mine, 0, 0, 0, proof, False]
        )
    return result | {
        "an offer without timer": b"\x10" + pack(offer[:6]),
        "a wish without busy": b"\x11" + pack(wish[:7]),
        "done without a proof": changed(b"\x11", wish, 2, 7),
        "done with a proof of 31 bytes": b"\x11" + pack([TRANSFER, False, 7, 0, 0, 0, bytes(31), False]),
        "9 addresses": b"\x1e" + pack([["127.0.0.1:1"] * 9]),
        "an empty address": b"\x1e" + pack([[""]]),
        "an address of 65 characters": b"\x1e" + pack([["e" * 65]]),
        "an address that is bin": b"\x1e" + pack([[b"127.0.0.1:1"]]),
        "addresses without an array": b"\x1e" + pack("127.0.0.1:1"),
    }
