"""Vectors of SPEC.md sections 11 to 14: messages with a relay, circuits, directory entries, announcements."""

from typing import Any, Final

from tests.independent import circuits as my_circuits
from tests.independent.finding import Entry, write_announcement
from tests.independent.identity import Identity
from tests.independent.primitives import H, number, v
from tests.independent.relays import BODIES, Fields, Place, proof, write_body, write_message
from tests.independent.schedule import puzzle, solve
from tests.vectors.dice import Dice, drawn
from tests.vectors.sotto_people import NOW, Json, person

X: Final = drawn("relay exporter")
RECV_KEY, SEND_KEY, QUEUE_KEY = drawn("recv_key"), drawn("send_key"), drawn("queue_key")
RECV_ID, SEND_ID = drawn("recv_id", 24), drawn("send_id", 24)
SEED, ENVELOPE, TOKEN, PASS = drawn("task"), drawn("envelope", 4096), drawn("token", 16), drawn("pass")
RELAY: Final = drawn("fingerprint of a relay")
BITS: Final = 8
LIST, PREKEYS = drawn("a list", 300), [drawn(f"prekey {count}", 1233) for count in range(2)]
LARGE: Final = ("QSEND", "PPUT", "PREKEY", "MESSAGE")
"""Messages that are long, of which there are fewer examples."""
SOLVED: Final = {what: solve(puzzle(SEED, what), BITS) for what in (SEND_ID, ENVELOPE)}


def requests() -> list[tuple[str, Fields, bytes]]:
    """Requests, and the key with which each is proved."""
    alice = person("alice").fingerprint
    queue, other = {"recv_id": RECV_ID}, {"send_id": SEND_ID}
    keys = {"recv_key": RECV_KEY, "send_key": SEND_KEY}
    return [
        ("QNEW", {"tag": 1, "kind": 1, **keys, "token": b""}, b""),
        ("QNEW", {"tag": 2**32 - 1, "kind": 2, **keys, "token": TOKEN}, b""),
        ("QSUB", {"tag": 2, **queue, "flags": 1, "window": 64}, RECV_KEY),
        ("QSUB", {"tag": 3, **queue, "flags": 0, "window": 1}, RECV_KEY),
        ("QSEND", {"tag": 4, **other, "solution": b"", "envelope": ENVELOPE}, SEND_KEY),
        ("QSEND", {"tag": 5, **other, "solution": SOLVED[ENVELOPE], "envelope": ENVELOPE}, SEND_KEY),
        ("QACK", {"tag": 2, "hashes": [H(ENVELOPE)]}, b""),
        ("QACK", {"tag": 2, "hashes": [drawn(f"hash {count}") for count in range(64)]}, b""),
        ("QDEL", {"tag": 6, **queue}, RECV_KEY),
        ("PUZZLE", {"tag": 7}, b""),
        ("PPUT", {"tag": 8, **queue, "list": LIST, "prekeys": PREKEYS}, RECV_KEY),
        ("PGET", {"tag": 9, **other, "solution": SOLVED[SEND_ID]}, SEND_KEY),
        ("CONNECT", {"tag": 10, **other}, SEND_KEY),
        ("DPUT", {"tag": 11, **queue, "status": 1, "token": TOKEN, "entry": b"an entry"}, RECV_KEY),
        ("DSTAT", {"tag": 12, **queue, "status": 3}, RECV_KEY),
        ("DDEL", {"tag": 13, **queue}, RECV_KEY),
        ("DGET", {"tag": 14, "fingerprint": alice, "token": b""}, b""),
        ("DFIND", {"tag": 15, "after": b"", "most": 16, "token": b""}, b""),
        ("DFIND", {"tag": 16, "after": alice, "most": 1, "token": TOKEN}, b""),
    ]


def answers() -> list[tuple[str, Fields]]:
    """What a relay says."""
    quotas = {"messages": 128, "bytes": 2**24, "ttl": 21 * 86400, "queues": 64, "circuits": 8}
    limits = {"circuit_bytes": 2**30, "circuit_seconds": 7200}
    entries = [(1, b"an entry"), (0, b"another entry")]
    return [
        ("WELCOME", {"version": 1, "flags": 3, "directory": 2, **quotas, **limits}),
        ("WELCOME", {"version": 9, "flags": 0, "directory": 0, **quotas, **limits}),
        ("DONE", {"tag": 4}),
        ("FAILED", {"tag": 5, "code": 3, "seconds": 600}),
        ("QUEUE", {"tag": 1, "recv_id": RECV_ID, "send_id": SEND_ID}),
        ("SUBSCRIBED", {"tag": 2, "waiting": 128, "prekeys": 64}),
        ("TASK", {"tag": 7, "bits": BITS, "seed": SEED}),
        ("PREKEY", {"tag": 9, "list": LIST, "prekey": PREKEYS[0]}),
        ("PASS", {"tag": 10, "pass": PASS, "address": b""}),
        ("PASS", {"tag": 10, "pass": PASS, "address": b"192.0.2.7:42001"}),
        ("PAGE", {"tag": 14, "next": b"", "entries": entries[:1]}),
        ("PAGE", {"tag": 15, "next": person("bob").fingerprint, "entries": entries}),
        ("PAGE", {"tag": 16, "next": b"", "entries": []}),
        ("MESSAGE", {"tag": 2, "envelope": ENVELOPE}),
        ("RING", {"tag": 2, "pass": PASS, "address": b"[2001:db8::7]:42001"}),
        ("ENDED", {"tag": 2, "reason": 1}),
    ]


def proved(name: str, fields: Fields, key: bytes) -> Fields:
    """A request with its proof, if it has one."""
    return fields | ({"proof": proof(key, X, name, fields)} if key else {})


def written(fields: Fields) -> Json:
    """Fields as they stand in a file."""
    entries = [{"status": status, "entry": entry} for status, entry in fields.get("entries", [])]
    return fields | ({"entries": entries} if "entries" in fields else {})


def framed(kind: int, body: bytes) -> bytes:
    """A message with any type and body."""
    return number(kind, 1) + number(len(body), 3) + body


def bad_requests() -> dict[str, bytes]:
    """What a relay refuses."""
    good = {name: write_message(name, proved(name, fields, key)) for name, fields, key in requests()}

    def changed(name: str, at: int, value: bytes) -> bytes:
        body = bytearray(good[name][4:])
        body[at : at + len(value)] = value
        return framed(BODIES[name][0], bytes(body))

    cut = {f"{name} a byte short": framed(whole[0], whole[4:-1]) for name, whole in good.items()}
    more = {
        f"{name} a byte too long": framed(whole[0], whole[4:] + b"\0")
        for name, whole in good.items()
        if name not in LARGE
    }
    return (
        cut
        | more
        | {f"{name} with tag 0": changed(name, 0, bytes(4)) for name in good if name not in LARGE}
        | {
            "QNEW of kind 0": changed("QNEW", 4, b"\0"),
            "QNEW of kind 3": changed("QNEW", 4, b"\x03"),
            "a token of 33 bytes": framed(1, good["QNEW"][4:73] + v(bytes(33))),
            "QSUB with an unknown flag": changed("QSUB", 28, b"\x02"),
            "QSUB with window 0": changed("QSUB", 29, b"\0"),
            "QSUB with window 65": changed("QSUB", 29, b"\x41"),
            "QSEND with a solution of 7 bytes": framed(3, good["QSEND"][4:32] + v(bytes(7)) + bytes(4128)),
            "QACK without a hash": framed(4, number(1, 4)),
            "QACK of 65 hashes": framed(4, number(1, 4) + bytes(32 * 65)),
            "PPUT without a prekey": framed(7, number(1, 4) + RECV_ID + v(bytes(2000)) + b"\0" + bytes(32)),
            "DSTAT with status 4": changed("DSTAT", 28, b"\x04"),
            "DPUT with status 4": changed("DPUT", 28, b"\x04"),
            "DFIND with after of 31 bytes": framed(14, number(1, 4) + v(bytes(31)) + b"\x01" + v(b"")),
            "DFIND of 0 entries": framed(14, number(1, 4) + v(b"") + b"\0" + v(b"")),
            "DFIND of 17 entries": framed(14, number(1, 4) + v(b"") + b"\x11" + v(b"")),
            "an answer": framed(0x41, number(1, 4)),
            "type 0": framed(0, number(1, 4)),
            "type 128": framed(0x80, number(1, 4)),
            "an unknown request without a tag": framed(0x20, b"123"),
            "an unknown request with tag 0": framed(0x20, bytes(4)),
            "an unknown request of 65537 bytes, head only": b"\x20\x01\0\x01",
            "QDEL of 61 bytes, head only": b"\x05\0\0\x3d",
            "QSEND of 262215 bytes, head only": b"\x03\x04\0\x47",
        }
    )


def bad_answers() -> dict[str, bytes]:
    """What a client refuses after a welcome, or instead of one."""
    good = {name: write_message(name, fields) for name, fields in answers()}

    def passed(address: bytes) -> bytes:
        return framed(0x47, number(10, 4) + PASS + v(address))

    cut = {f"{name} a byte short": framed(whole[0], whole[4:-1]) for name, whole in good.items()}
    more = {
        f"{name} a byte too long": framed(whole[0], whole[4:] + b"\0")
        for name, whole in good.items()
        if name not in LARGE
    }
    zero = {
        f"{name} with tag 0": framed(whole[0], bytes(4) + whole[8:])
        for name, whole in good.items()
        if name not in ("WELCOME", *LARGE)
    }
    addresses = {
        "a name": b"relay.example:42000",
        "no port": b"192.0.2.7",
        "port 0": b"192.0.2.7:0",
        "port 65536": b"192.0.2.7:65536",
        "port with a zero before it": b"192.0.2.7:042000",
        "an address in another form": b"[2001:DB8::7]:42000",
        "an address that is longer than it need be": b"[2001:db8:0:0:0:0:0:7]:42000",
        "an address with a scope": b"[fe80::1%eth0]:42000",
        "what is not ASCII": "١٢٧.٠.٠.١:42000".encode(),
    }
    welcome = good["WELCOME"][4:]
    return (
        cut
        | more
        | zero
        | {f"PASS to {what}": passed(address) for what, address in addresses.items()}
        | {
            "a request": framed(0x06, number(1, 4)),
            "an unknown type": framed(0x4C, number(1, 4)),
            "WELCOME of version 0": framed(0x40, b"\0" + welcome[1:]),
            "WELCOME with directory 4": framed(0x40, welcome[:2] + b"\x04" + welcome[3:]),
            "a TASK of 21 bits": framed(0x45, number(1, 4) + b"\x15" + SEED),
            "PAGE of 17 entries": framed(0x48, number(1, 4) + v(b"") + b"\x11" + (b"\0" + v(b"x")) * 17),
            "PAGE with status 4": framed(0x48, number(1, 4) + v(b"") + b"\x01\x04" + v(b"x")),
            "PAGE with next of 31 bytes": framed(0x48, number(1, 4) + v(bytes(31)) + b"\0"),
            "MESSAGE of 4095 bytes": framed(0x49, number(2, 4) + bytes(4095)),
            "DONE of 5 bytes, head only": b"\x41\0\0\x05",
            "an unknown type of 65537 bytes, head only": b"\xf0\x01\0\x01",
        }
    )


def relays() -> Json:
    """Section 11."""
    asked = [(name, proved(name, fields, key)) for name, fields, key in requests()]
    keys = [key for _, _, key in requests()]
    stream = b"".join(write_message(name, fields) for name, fields in asked)
    unknown, ignored = framed(0x3F, number(77, 4) + b"from later"), framed(0xF0, b"from later")
    return {
        "X": X,
        "requests": [
            {"name": name, "fields": fields, "key": key, "message": write_message(name, fields)}
            for (name, fields), key in zip(asked, keys, strict=True)
        ],
        "answers": [
            {"name": name, "fields": written(fields), "message": write_message(name, fields)}
            for name, fields in answers()
        ],
        "all requests in contents": [stream[:1], stream[1:7], stream[7:9000], stream[9000:]],
        "an unknown request": {"tag": 77, "message": unknown},
        "ignored by a client": [ignored, framed(0x80, b"")],
        "codes that mean 10": [
            write_message("FAILED", {"tag": 1, "code": code, "seconds": 0}) for code in (0, 11, 255)
        ],
        "reasons that mean 2": [
            write_message("ENDED", {"tag": 2, "reason": reason}) for reason in (0, 3, 255)
        ],
        "tasks": [
            {"x": x, "bits": BITS, "seed": SEED, "material": puzzle(SEED, x), "least solution": least}
            for x, least in SOLVED.items()
        ],
        "refused by a relay": [{"why": why, "message": each} for why, each in bad_requests().items()],
        "refused by a client": [{"why": why, "message": each} for why, each in bad_answers().items()],
        **places(),
    }


def place(address: bytes = b"relay.example:42000") -> Place:
    """A place with any address."""
    return Place(RELAY, SEND_ID, SEND_KEY, QUEUE_KEY, address)


def places() -> Json:
    """Places of section 11.1."""
    good = [b"relay.example:42000", b"192.0.2.7:1", b"[2001:db8::7]:65535", b"[fe80::1%eth0]:42000"]
    good.append(b".".join([b"a" * 62] * 3 + [b"b" * 59]) + b":42000")
    bad = {
        "no address": b"",
        "no port": b"relay.example",
        "port 0": b"relay.example:0",
        "port 65536": b"relay.example:65536",
        "upper case": b"Relay.example:42000",
        "no host": b":42000",
        "what is not ASCII": "relé.example:42000".encode(),
    }
    whole = place().write()
    refused = {f"an address with {why}": place(address).write() for why, address in bad.items()}
    refused |= {"a byte short": whole[:-1], "a byte too long": whole + b"\0", "nothing": b""}
    refused["an address of 260 bytes"] = whole[:120] + v(b"a" * 254 + b":42000")
    return {
        "places": [
            {
                "relay": RELAY,
                "send_id": SEND_ID,
                "send_key": SEND_KEY,
                "queue_key": QUEUE_KEY,
                "address": address.decode(),
                "place": place(address).write(),
            }
            for address in good
        ],
        "refused places": [{"why": why, "place": each} for why, each in refused.items()],
    }


def circuits() -> Json:
    """Section 12."""
    c1, c2 = my_circuits.write_c1(PASS), my_circuits.write_c2(0, 2**30, 7200)
    answers_ = [(0, 2**30, 7200), (1, 0, 0), (2, 0, 0), (3, 0, 0), (0, 2**64 - 1, 2**32 - 1)]
    bad_c1 = {
        "another type": b"\x32" + c1[1:],
        "a pass of 31 bytes": b"\x31\0\0\x1f" + PASS[:-1],
        "a pass of 33 bytes": b"\x31\0\0\x21" + PASS + b"\0",
        "a byte after the pass": c1 + b"\x01",
    }
    bad_c2 = {"another type": b"\x31" + c2[1:], "14 bytes": b"\x32\0\0\x0e" + c2[4:] + b"\0"}
    return {
        "pass": PASS,
        "C1": c1,
        "C2": [
            {"code": code, "bytes": octets, "seconds": seconds, "means": min(code, 1) if code > 2 else code}
            | {"message": my_circuits.write_c2(code, octets, seconds)}
            for code, octets, seconds in answers_
        ],
        "refused C1": [{"why": why, "message": each} for why, each in bad_c1.items()],
        "refused C2": [{"why": why, "message": each} for why, each in bad_c2.items()],
    }


def entry_of(who: str, **changes: Any) -> Entry:  # noqa: ANN401 -- any field
    """What somebody publishes."""
    common: dict[str, Any] = {
        "bundle": person(who).bundle,
        "serial": NOW,
        "not_after": NOW + 7 * 86400,
        "name": who.title(),
        "about": "",
        "send_id": SEND_ID,
        "send_key": SEND_KEY,
        "queue_key": QUEUE_KEY,
    }
    return Entry(**common | changes)


def signed(entry: Entry, who: Identity, relay: bytes = RELAY) -> bytes:
    """An entry with a signature of anybody."""
    return entry.write(who, relay, Dice(salts=[drawn(f"entry of {entry.name[:20]}")]))


def directory() -> Json:
    """Section 13."""
    alice, carol, dora = person("alice"), person("carol"), person("dora")
    good = [
        (entry_of("alice"), alice),
        (entry_of("carol", about="ünï 🦉", not_after=NOW + 8 * 86400), carol),
        (entry_of("dora", name="é" * 64, about="a" * 256, not_after=NOW - 86400), dora),
        (entry_of("alice", name="🦉" * 64, serial=2**64 - 1), alice),
    ]
    whole = signed(entry_of("alice"), alice)
    body = entry_of("alice").body()
    other = Dice(salts=[drawn("another label")]).sign(
        alice.signing, "prekeys", alice.fingerprint, RELAY, body
    )
    latin = body.replace(b"Alice", b"Al\xffce")
    refused = {
        "version 2": b"\x02" + whole[1:],
        "a byte short": whole[:-1],
        "a byte too long": whole + b"\0",
        "nothing": b"",
        "no name": signed(entry_of("alice", name=""), alice),
        "a name of 65 characters": signed(entry_of("alice", name="e" * 65), alice),
        "a name of 257 bytes": signed(entry_of("alice", name="🦉" * 64 + "e"), alice),
        "a name that is no UTF-8": latin
        + v(Dice(salts=[drawn("latin")]).sign(alice.signing, "directory", alice.fingerprint, RELAY, latin)),
        "about of 257 bytes": signed(entry_of("alice", about="e" * 257), alice),
        "expired": signed(entry_of("alice", not_after=NOW - 86401), alice),
        "valid for too long": signed(entry_of("alice", not_after=NOW + 8 * 86400 + 1), alice),
        "for another relay": signed(entry_of("alice"), alice, drawn("another relay")),
        "signed by somebody else": signed(entry_of("alice"), carol),
        "another label": body + v(other),
        "no signature": body + v(b""),
        "one bit of the queue": whole[: len(body) - 1]
        + bytes((whole[len(body) - 1] ^ 1,))
        + whole[len(body) :],
        "a bundle without an exchange key": b"\x01" + v(alice.bundle[:386]) + whole[3 + len(alice.bundle) :],
    }
    return {
        "now": NOW,
        "relay": RELAY,
        "good": [
            {
                "who": who,
                "salt": drawn(f"entry of {entry.name[:20]}"),
                **{key: getattr(entry, key) for key in Entry.__dataclass_fields__},
                "entry": signed(entry, owner),
            }
            for (entry, owner), who in zip(good, ("alice", "carol", "dora", "alice"), strict=True)
        ],
        "refused": [{"why": why, "entry": each} for why, each in refused.items()],
    }


def nearby() -> Json:
    """Section 14."""
    alice, bob = person("alice").fingerprint, person("bob").fingerprint
    one = write_announcement(alice, "Alice")
    version, fp = one[:10], one[10:70]
    name = one[70:]

    def string(data: bytes) -> bytes:
        return number(len(data), 1) + data

    odd = {
        "no name": version + fp,
        "name without sign": version + fp + string(b"name"),
        "unknown keys": version + string(b"zz=1") + fp + string(b"x") + string(b"") + name + string(b"=y"),
        "keys in upper case": version + fp.replace(b"fp=", b"FP=") + name.replace(b"name", b"Name"),
        "keys twice": one + write_announcement(bob, "Bob")[10:],
        "another order": version + name + fp,
    }
    odd["1024 bytes"] = one + string(b"x" * 255) * 3 + string(b"x" * (1024 - len(one) - 3 * 256 - 1))
    refused = {
        "nothing": b"",
        "one empty string": b"\0",
        "version 2": string(b"txtvers=2") + fp + name,
        "no version": fp + name,
        "the version later": fp + version + name,
        "no fp": version + name,
        "an empty fp": version + string(b"fp=") + name,
        "fp in upper case": version + fp[:4] + fp[4:].upper() + name,
        "fp with a wrong checksum": version + fp[:-1] + (b"a" if fp[-1:] != b"a" else b"b") + name,
        "fp with blanks": version + string(b"fp=" + fp[4:8] + b" " + fp[8:]) + name,
        "a string cut short": one[:-1],
        "a name of 65 characters": version + fp + string(b"name=" + b"e" * 65),
        "a name that is no UTF-8": version + fp + string(b"name=\xff"),
        "1025 bytes": odd["1024 bytes"] + b"\0",
    }
    plain = [(alice, "Alice"), (bob, ""), (alice, "é" * 64), (bob, "🦉" * 62)]
    return {
        "good": [
            {"fingerprint": fingerprint, "name": name_, "txt": write_announcement(fingerprint, name_)}
            for fingerprint, name_ in plain
        ],
        "odd": [
            {
                "what": what,
                "fingerprint": alice,
                "name": "" if what in ("no name", "name without sign") else "Alice",
                "txt": txt,
            }
            for what, txt in odd.items()
        ],
        "passed over": [{"why": why, "txt": txt} for why, txt in refused.items()],
    }


assert write_body("PUZZLE", {"tag": 1}) == b"\0\0\0\x01"
