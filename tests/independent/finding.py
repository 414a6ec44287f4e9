"""Sections 13 and 14: directory entries and what is announced nearby."""

from dataclasses import dataclass
from typing import Final

from tests.independent.identity import Bundle, Identity, read_bundle, read_fingerprint, write_fingerprint
from tests.independent.primitives import Chance, Reader, Refused, check, number, v, verify

DAY: Final = 86400


@dataclass(frozen=True)
class Entry:
    """What somebody publishes."""

    bundle: bytes
    serial: int
    not_after: int
    name: str
    about: str
    send_id: bytes
    send_key: bytes
    queue_key: bytes

    def body(self) -> bytes:
        """Everything but the signature."""
        times = number(self.serial, 8) + number(self.not_after, 8)
        texts = v(self.name.encode()) + v(self.about.encode())
        return b"\x01" + v(self.bundle) + times + texts + self.send_id + self.send_key + self.queue_key

    def write(self, who: Identity, relay: bytes, chance: Chance) -> bytes:
        """The entry, signed for a relay."""
        body = self.body()
        return body + v(chance.sign(who.signing, "directory", who.fingerprint, relay, body))


def read_entry(data: bytes, relay: bytes, now: int) -> tuple[Entry, Bundle]:
    """An entry that a relay shows, if it holds."""
    reader = Reader(data)
    check(reader.number(1) == 1, "version")
    raw, serial, not_after = reader.v(1560), reader.number(8), reader.number(8)
    texts = reader.v(256), reader.v(256)
    queue = reader.take(24), reader.take(32), reader.take(32)
    body = data[: 1 + 2 + len(raw) + 16 + 4 + len(texts[0]) + len(texts[1]) + 88]
    signature = reader.v(512)
    reader.done()
    try:
        name, about = (text.decode() for text in texts)
    except UnicodeDecodeError as error:
        raise Refused("no UTF-8") from error
    check(bool(texts[0]) and len(name) <= 64, "name")
    check(-DAY <= not_after - now <= 8 * DAY, "not_after")
    bundle = read_bundle(raw, now, {})
    check(len(signature) == len(bundle.signing), "length of the signature")
    verify(bundle.signing, "directory", signature, bundle.fingerprint, relay, body)
    return Entry(raw, serial, not_after, name, about, *queue), bundle


def write_announcement(fingerprint: bytes, name: str) -> bytes:
    """The data of the TXT record."""
    written = write_fingerprint(fingerprint).replace(" ", "").encode()
    strings = b"txtvers=1", b"fp=" + written, b"name=" + name.encode()
    return b"".join(number(len(each), 1) + each for each in strings)


def read_announcement(data: bytes) -> tuple[bytes, str]:
    """Fingerprint and name; Refused means that it is passed over."""
    check(1 <= len(data) <= 1024, "size")
    reader, strings, left = Reader(data), list[bytes](), len(data)
    while left:
        strings.append(reader.take(reader.number(1)))
        left -= 1 + len(strings[-1])
    check(strings[0] == b"txtvers=1", "version")
    found: dict[bytes, bytes] = {}
    for key, sign, value in (each.partition(b"=") for each in strings):
        if sign and key.lower() not in found:
            found[key.lower()] = value
    try:
        written, name = found.get(b"fp", b"").decode("ascii"), found.get(b"name", b"").decode()
    except UnicodeDecodeError as error:
        raise Refused("no text") from error
    check(len(written) == 56 and written == written.lower() and written.isalnum(), "how fp is written")
    check(len(name) <= 64, "name")
    return read_fingerprint(written), name
