"""Section 3: invite links."""

import base64
import re
from dataclasses import dataclass
from typing import Final

from tests.independent.primitives import H, Reader, check, number
from tests.independent.relays import read_place

PREFIX: Final = "sotto://invite/"
LINK_MAX: Final = 1024
HINTS_MAX: Final = 8
DIRECT: Final = 1
PLACE: Final = 3
ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\[\]:\s]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Invite:
    """What an invite link says; `hints` are (kind, content) as they stand in the link."""

    fingerprint: bytes
    secret: bytes
    hints: tuple[tuple[int, bytes], ...] = ()

    @property
    def addresses(self) -> list[str]:
        """The direct addresses; other kinds are passed over."""
        return [content.decode("ascii") for kind, content in self.hints if kind == DIRECT]


def write_invite(invite: Invite) -> str:
    """The link."""
    hints = b"".join(number(k, 1) + number(len(c), 1) + c for k, c in invite.hints)
    start = b"\x01" + invite.fingerprint + invite.secret + number(len(invite.hints), 1) + hints
    raw = start + H(b"sotto invite" + start)[:4]
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The bytes of unpadded base64url, if it is written in the one way."""
    check(re.fullmatch(r"[A-Za-z0-9_-]*", text) is not None, "alphabet")
    check(len(text) % 4 != 1, "length of base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    check(base64.urlsafe_b64encode(raw).decode().rstrip("=") == text, "bits after the end")
    return raw


def read_invite(link: str) -> Invite:
    """What the link says, if every byte of it is right."""
    link = "".join(link.split())
    check(len(link) <= LINK_MAX, "length")
    check(link[: len(PREFIX)].lower() == PREFIX, "prefix")
    text = link[len(PREFIX) :]
    raw = decode(text)
    check(len(raw) >= 54 and raw[0] == 1, "version")
    check(H(b"sotto invite" + raw[:-4])[:4] == raw[-4:], "check")
    reader = Reader(raw[1:-4])
    fp, secret, count = reader.take(32), reader.take(16), reader.number(1)
    hints = []
    for _ in range(count):
        kind = reader.number(1)
        hints.append((kind, reader.take(reader.number(1))))
    reader.done()
    for kind, content in hints:
        if kind == DIRECT:
            check(content.isascii(), "ASCII")
            found = ADDRESS.fullmatch(content.decode("ascii"))
            check(found is not None and 0 < int(found[2]) <= 65535, "address")
        if kind == PLACE:
            read_place(content)
    return Invite(fp, secret, tuple(hints))
