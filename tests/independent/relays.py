"""Section 11: messages of a link with a relay, by a table; proofs; places."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.independent.primitives import HMAC, H, Reader, Refused, check, number, same, v

Fields = dict[str, Any]
"""Numbers, bytes, lists of bytes (`hashes`, `prekeys`), and a list of (status, entry)."""

ENVELOPES: Final = (4096, 16384, 65536, 262144)
PREKEY: Final = 1233
PACKET_MAX: Final = 262144
UNKNOWN_MAX: Final = 65536
ADDRESS: Final = re.compile(r"(\[[0-9a-f:.%a-zA-Z_-]+\]|[^\[\]:\s]+):([1-9][0-9]{0,4})")

BODIES: Final = {
    "QNEW": (0x01, "tag kind/1 recv_key=32 send_key=32 token<32"),
    "QSUB": (0x02, "tag recv_id=24 flags/1 window/1 proof=32"),
    "QSEND": (0x03, "tag send_id=24 solution<8 proof=32 envelope"),
    "QACK": (0x04, "tag hashes"),
    "QDEL": (0x05, "tag recv_id=24 proof=32"),
    "PUZZLE": (0x06, "tag"),
    "PPUT": (0x07, "tag recv_id=24 list<4174 prekeys proof=32"),
    "PGET": (0x08, "tag send_id=24 solution=8 proof=32"),
    "CONNECT": (0x09, "tag send_id=24 proof=32"),
    "DPUT": (0x0A, "tag recv_id=24 status/1 token<32 entry<2697 proof=32"),
    "DSTAT": (0x0B, "tag recv_id=24 status/1 proof=32"),
    "DDEL": (0x0C, "tag recv_id=24 proof=32"),
    "DGET": (0x0D, "tag fingerprint=32 token<32"),
    "DFIND": (0x0E, "tag after<32 most/1 token<32"),
    "WELCOME": (
        0x40,
        "version/1 flags/1 directory/1 messages/4 bytes/4 ttl/4 queues/2 circuits/2 "  # noqa: ISC004
        "circuit_bytes/8 circuit_seconds/4",
    ),
    "DONE": (0x41, "tag"),
    "FAILED": (0x42, "tag code/1 seconds/2"),
    "QUEUE": (0x43, "tag recv_id=24 send_id=24"),
    "SUBSCRIBED": (0x44, "tag waiting/4 prekeys/1"),
    "TASK": (0x45, "tag bits/1 seed=32"),
    "PREKEY": (0x46, "tag list<4174 prekey=1233"),
    "PASS": (0x47, "tag pass=32 address<64"),
    "PAGE": (0x48, "tag next<32 entries"),
    "MESSAGE": (0x49, "tag envelope"),
    "RING": (0x4A, "tag pass=32 address<64"),
    "ENDED": (0x4B, "tag reason/1"),
}
"""Type and fields: NAME=bytes of that size, NAME<bytes after their length, at most so many, NAME/width."""

NAMES: Final = {kind: name for name, (kind, _) in BODIES.items()}
LAST_REQUEST: Final = 0x3F

BOUNDS: Final = {
    "tag": (1, 2**32 - 1),
    "kind": (1, 2),
    "window": (1, 64),
    "status": (0, 3),
    "most": (1, 16),
    "version": (1, 255),
    "directory": (0, 3),
    "bits": (0, 20),
}
"""Numbers with other bounds than their width."""

SIZES: Final = {"solution": (0, 8), "after": (0, 32), "next": (0, 32)}


def _number(name: str, value: int) -> int:
    least, most = BOUNDS.get(name, (0, 2**64))
    check(least <= value <= most, name)
    return value


def _count(name: str, count: int, least: int, most: int) -> int:
    check(least <= count <= most, name)
    return count


def _write(spec: str, value: Any) -> bytes:  # noqa: ANN401 -- by the table
    name, sign, size = re.fullmatch(r"(\w+)([=</]?)(\d*)", spec).groups()  # type: ignore[union-attr]
    match name, sign:
        case "tag", _:
            return number(_number("tag", value), 4)
        case "envelope", _:
            check(len(value) in ENVELOPES, "envelope")
            return bytes(value)
        case "hashes", _:
            _count(name, len(value), 1, 64)
            return b"".join(value)
        case "prekeys", "":
            return number(_count(name, len(value), 1, 65), 1) + b"".join(value)
        case "entries", _:
            listed = b"".join(number(_number("status", status), 1) + v(entry) for status, entry in value)
            return number(_count(name, len(value), 0, 16), 1) + listed
        case _, "=":
            check(len(value) == int(size), name)
            return bytes(value)
        case _, "<":
            check(len(value) <= int(size) and len(value) in SIZES.get(name, range(65536)), name)
            return v(value)
    return number(_number(name, value), int(size))


def _read(spec: str, reader: Reader) -> Any:  # noqa: ANN401 -- by the table
    name, sign, size = re.fullmatch(r"(\w+)([=</]?)(\d*)", spec).groups()  # type: ignore[union-attr]
    match name, sign:
        case "tag", _:
            return _number("tag", reader.number(4))
        case "envelope", _:
            envelope = reader.rest()
            check(len(envelope) in ENVELOPES, "envelope")
            return envelope
        case "hashes", _:
            raw = reader.rest()
            check(len(raw) % 32 == 0, "half a hash")
            _count(name, len(raw) // 32, 1, 64)
            return [raw[at : at + 32] for at in range(0, len(raw), 32)]
        case "prekeys", "":
            return [reader.take(PREKEY) for _ in range(_count(name, reader.number(1), 1, 65))]
        case "entries", _:
            count = _count(name, reader.number(1), 0, 16)
            return [(_number("status", reader.number(1)), reader.v(2697)) for _ in range(count)]
        case _, "=":
            return reader.take(int(size))
        case _, "<":
            field = reader.v(int(size))
            check(len(field) in SIZES.get(name, range(65536)), name)
            return field
    return _number(name, reader.number(int(size)))


def write_body(name: str, fields: Fields) -> bytes:
    """The body of a message."""
    return b"".join(_write(spec, fields[re.split("[=</]", spec)[0]]) for spec in BODIES[name][1].split())


def write_message(name: str, fields: Fields) -> bytes:
    """A whole message."""
    body = write_body(name, fields)
    return number(BODIES[name][0], 1) + number(len(body), 3) + body


def read_body(name: str, body: bytes) -> Fields:
    """What a body says."""
    reader = Reader(body)
    fields = {re.split("[=</]", spec)[0]: _read(spec, reader) for spec in BODIES[name][1].split()}
    reader.done()
    if name == "QSUB":
        check(fields["flags"] in (0, 1), "flags")
    if fields.get("address"):
        check_number_address(fields["address"])
    return fields


def proof(key: bytes, x: bytes, name: str, fields: Fields) -> bytes:
    """11.3: over what stands before the proof and the hash of what stands after it."""
    specs = BODIES[name][1].split()
    at = specs.index("proof=32")
    parts = [_write(spec, fields[re.split("[=</]", spec)[0]]) for spec in specs if spec != "proof=32"]
    return HMAC(key, x + number(BODIES[name][0], 1) + b"".join(parts[:at]) + H(b"".join(parts[at:])))


def proves(key: bytes, x: bytes, name: str, fields: Fields) -> bool:
    """Whether the proof of a request is right."""
    return same(fields["proof"], proof(key, x, name, fields))


def lengths(name: str) -> tuple[int, int]:
    """The least and the greatest length of a body."""
    least = most = 0
    for spec in BODIES[name][1].split():
        field, sign, size = re.fullmatch(r"(\w+)([=</]?)(\d*)", spec).groups()  # type: ignore[union-attr]
        low, high = {
            "tag": (4, 4),
            "envelope": (4096, 262144),
            "hashes": (32, 2048),
            "entries": (1, 1 + 16 * (3 + 2697)),
        }.get(field, (0, 0))
        if (field, sign) == ("prekeys", ""):
            low, high = 1 + PREKEY, 1 + 65 * PREKEY
        if sign in ("=", "/"):
            low = high = int(size)
        if sign == "<":
            low, high = 2, 2 + int(size)
        least, most = least + low, most + high
    return least, most


class Stream:
    """Reads the messages of one direction out of the contents of PACKETs.

    Args:
        requests: Whether it is the direction from client to relay.
    """

    def __init__(self, *, requests: bool) -> None:
        self._requests, self._data = requests, b""

    def feed(self, content: bytes) -> Iterator[tuple[str, Fields]]:
        """Take one content; an unknown request has no name and its tag alone, what is ignored is left out."""
        check(1 <= len(content) <= PACKET_MAX, "an empty PACKET, or too long a one")
        self._data += content
        while len(self._data) >= 4:
            kind, size = self._data[0], int.from_bytes(self._data[1:4], "big")
            known = NAMES.get(kind) if (kind <= LAST_REQUEST) == self._requests else None
            least, most = lengths(known) if known else self._unknown(kind)
            check(least <= size <= most, "length")
            if len(self._data) < 4 + size:
                return
            body, self._data = self._data[4 : 4 + size], self._data[4 + size :]
            if known:
                yield known, read_body(known, body)
            elif self._requests:
                yield "", {"tag": _number("tag", int.from_bytes(body[:4], "big"))}

    def _unknown(self, kind: int) -> tuple[int, int]:
        if self._requests:
            check(1 <= kind <= LAST_REQUEST, "no request")
            return 4, UNKNOWN_MAX
        check(bool(kind & 0x80), "unknown")
        return 0, UNKNOWN_MAX


def check_number_address(raw: bytes) -> None:
    """Refuse what is not an IP address and a port in the form of section 3, without scope."""
    found = ADDRESS.fullmatch(raw.decode("ascii", "replace"))
    check(found is not None, "address")
    host, port = found.groups() if found else ("", "")
    check(int(port) <= 65535, "port")
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError as error:
        raise Refused("a name") from error
    check(host == (f"[{ip}]" if ip.version == 6 else str(ip)) and "%" not in host, "another form")


@dataclass(frozen=True)
class Place:
    """11.1: what others have to know of a queue."""

    relay: bytes
    send_id: bytes
    send_key: bytes
    queue_key: bytes
    address: bytes

    def write(self) -> bytes:
        """The place."""
        return self.relay + self.send_id + self.send_key + self.queue_key + v(self.address)


def read_place(data: bytes) -> Place:
    """What a place says; the host of an address is not looked into, beyond its form."""
    reader = Reader(data)
    place = Place(reader.take(32), reader.take(24), reader.take(32), reader.take(32), reader.v(259))
    reader.done()
    found = ADDRESS.fullmatch(place.address.decode("ascii", "replace"))
    check(place.address.isascii(), "ASCII")
    check(len(place.address) >= 3 and found is not None and int(found[2]) <= 65535, "address")
    check(place.address == place.address.lower() or b"%" in place.address, "upper case")
    return place
