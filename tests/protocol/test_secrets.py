"""No secret in any repr, string or exception text of the protocol, whatever it goes through."""

import gc
import inspect
import os
import pkgutil
import traceback
import types
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

import msgspec
import pytest

import messenger.protocol
from messenger.core.errors import SottoError
from messenger.crypto import hkdf, xwing
from messenger.protocol import keyschedule, lane, rekey
from messenger.protocol.invite import Invite, read_invite, write_invite
from messenger.protocol.messages import Caps, MessageType
from messenger.protocol.packets import Hello, Text
from messenger.protocol.records import RecordType
from tests.helpers.keys import identity
from tests.helpers.links import End, exchange, messages
from tests.protocol.channels import Pair
from tests.protocol.tickets import Book, lanes, ticket

WORDS: Final = "nobody else may read these words"
INVITE_SECRET: Final = b"\xa1\xb2\xc3\xd4invite-secret"[:16]
RUNNING: Final = b"\xee\xddthe exporter value of a link"[:32].ljust(32, b"\x9c")

PUBLIC: Final = {
    "M1": "everything of it is seen on the wire",
    "M2": "seen on the wire",
    "M3": "seen on the wire",
    "M4": "seen on the wire",
    "Retry": "seen on the wire",
    "UnwrapNeeded": "a label and a ciphertext, for which one needs the key",
    "PuzzleNeeded": "a seed seen on the wire and the hash of a message",
    "PeerIdentified": "a bundle and a hash of what was seen on the wire",
    "Delivered": "ids of messages",
    "Read": "ids of messages",
    "PacketReceived": "a packet",
    "Succession": "a signed statement that is for everybody",
    "Hello": "a name, which people tell everybody",
    "Announcement": "told to everybody in the local network",
}
"""Structs of the protocol that may show their bytes, and why."""

SEALED: Final = ("prekeys", "ratchet", "ratchet_state", "seal", "sealed_")
"""Modules whose values are not frozen messages of a link; they have tests of their own."""


class Ear:
    """Keeps every secret that is derived, drawn or agreed on while it listens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secrets: set[bytes] = set()
        monkeypatch.setattr(hkdf, "_expand", self.listening(hkdf._expand))
        for module in (keyschedule, lane, rekey):
            monkeypatch.setattr(module, "extract", self.listening(module.extract))
        monkeypatch.setattr(xwing, "_combine", self.listening(xwing._combine))

    def listening(self, function: Callable[..., bytes]) -> Callable[..., bytes]:
        def listen(*args: Any) -> bytes:  # noqa: ANN401 -- passed on
            result = function(*args)
            self.secrets.add(result)
            return result

        return listen

    def entropy(self, size: int) -> bytes:
        """Random bytes, each of which is a secret too unless it is sent."""
        drawn = os.urandom(size)
        self.secrets.add(drawn)
        return drawn


def shown(secret: bytes) -> tuple[str, ...]:
    """How a secret would look in a text: its beginning in hexadecimal, as bytes, as a list, as a number."""
    head = secret[:8]
    return head.hex(), repr(head)[2:-1], ", ".join(map(str, head)), str(int.from_bytes(secret, "big"))[:16]


def private_numbers(*people: str) -> set[bytes]:
    found: set[bytes] = set()
    for person in people:
        for key in (identity(person).signing, identity(person).exchange):
            numbers = (key._key.p, key._key.q, key._key.d)
            found |= {int(number).to_bytes(512, "big").lstrip(b"\0") for number in numbers}
    return found


def belongings(*roots: object) -> Iterator[object]:
    """Every value of ours that is alive and known to the collector, or hangs on these."""
    ours = ("messenger.protocol", "messenger.crypto", "messenger.core")
    waiting, seen = [*roots, *gc.get_objects()], {0}
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(thing))
        if type(thing).__module__.startswith(ours):
            yield thing
            waiting += gc.get_referents(thing)


def texts(thing: object) -> list[str]:
    return [repr(thing), str(thing), f"{thing}"]


def faults(acts: list[Callable[[], object]]) -> list[str]:
    """Run each; the whole traceback of each error, causes included."""
    found = []
    for act in acts:
        try:
            act()
        except SottoError as e:
            found.append("".join(traceback.format_exception(e)))
            found += [repr(e), repr(e.args)]
        else:
            raise AssertionError("it did not fail")
    return found


def everything_that_goes_wrong(one: End, other: End) -> list[str]:
    """Errors from every corner, with the words and the secrets near."""
    fresh_one, fresh_other = End.calling("alice", "bob"), End.answering("bob")
    m1 = fresh_one.sent()
    fresh_other.receive(m1)
    m2 = fresh_other.sent()
    fresh_one.receive(m2)
    m3 = fresh_one.sent()
    one.link.send(Text(bytes(16), 9, bytes(32), 0, WORDS, 0, b"", 0))
    record = one.sent()
    channel = one.link._channel
    assert channel is not None
    bad_text = b"\x02\x95" + WORDS.encode() + INVITE_SECRET
    no_packet = bytes(channel._writer.seal(RecordType.PACKET, bad_text))
    shown_ticket = ticket()
    opener, acceptor = lanes(Book(), shown_ticket)
    pair = Pair()
    link = write_invite(Invite(identity("bob").fingerprint, INVITE_SECRET))
    return faults(
        [
            lambda: End.answering("carol", open_door=True).receive(m1),
            lambda: End.calling("alice", "bob").receive(m2),
            lambda: fresh_other.receive(m3[:-1] + bytes((m3[-1] ^ 1,))),
            lambda: other.receive(record + no_packet),
            lambda: one.receive(record),
            lambda: acceptor.receive_data(opener.data_to_send()),
            lambda: opener.receive_data(b"\x22\0\x04\xa0" + bytes(1184)),
            lambda: pair.two.receive(record),
            lambda: read_invite(link[:-1]),
            lambda: read_invite(link + "AAAA"),
            lambda: Caps.decode(Caps(continues=RUNNING).encode()[:-1]),
            lambda: End.calling("alice", "bob").link.export("knock", RUNNING),
        ]
    )


def test_nothing_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = Ear(monkeypatch)
    caps = Caps(continues=RUNNING)
    one = End.calling("alice", "bob", invite_secret=INVITE_SECRET, caps=caps, entropy=ear.entropy)
    other = End.answering("bob", entropy=ear.entropy)
    wire = b"".join(data for _, data in exchange(one, other))
    for end in (one, other):
        end.link.advance(100.0)
        end.link.send(Hello("Alice", 1, accepted=True, read_seq=0))
        end.link.send(Text(bytes(16), 1, bytes(32), 0, WORDS, 0, b"", 0))
    exchange(one, other)
    for end in (one, other):
        end.link.advance(107.0)
    exchange(one, other)
    knock = one.link.export("knock", b"")
    roots = [*one.asked, *other.asked, *one.events, *other.events, caps]
    said = [text for thing in belongings(*roots) for text in texts(thing)]
    said += everything_that_goes_wrong(one, other)
    assert {type(question).__name__ for question in roots} <= {text.partition("(")[0] for text in said}
    private = private_numbers("alice", "bob")
    secrets = {s for s in ear.secrets if s not in wire} | private | {INVITE_SECRET, RUNNING, knock}
    assert len(secrets) > 60
    haystack = "\n".join(said)
    leaked = [needle for secret in secrets for needle in shown(secret) if needle in haystack]
    assert leaked == []
    assert WORDS not in haystack


def test_the_search_finds_what_is_there() -> None:
    secret = bytes(range(200, 232))
    for text in (repr(secret), secret.hex(), str(list(secret)), str(int.from_bytes(secret, "big"))):
        assert any(needle in text for needle in shown(secret))


def structs() -> list[type[msgspec.Struct]]:
    found: list[type[msgspec.Struct]] = []
    for module in pkgutil.iter_modules(messenger.protocol.__path__):
        if module.name.startswith(SEALED):
            continue
        members = vars(import_module(f"messenger.protocol.{module.name}")).values()
        found += [
            kind
            for kind in members
            if inspect.isclass(kind)
            and issubclass(kind, msgspec.Struct)
            and kind.__module__.endswith(f".{module.name}")
        ]
    return found


@pytest.mark.parametrize("kind", structs(), ids=lambda kind: kind.__name__)
def test_a_struct_that_shows_bytes_or_text_says_why(kind: type[msgspec.Struct]) -> None:
    own = kind.__repr__ is not msgspec.Struct.__repr__
    hidden = own or not any("bytes" in str(t) or "str" in str(t) for t in kind.__annotations__.values())
    assert hidden or kind.__name__ in PUBLIC


def test_what_travels_in_the_open_is_all_that_m1_and_m2_show() -> None:
    one, other = End.calling("alice", "bob"), End.answering("bob")
    (kind, m1), *_ = messages(one.sent())
    assert kind is MessageType.M1
    other.receive(m1)
    m2, bob = other.sent(), identity("bob")
    for piece in (bytes(bob.fingerprint), bob.signing.public.modulus[:32], bob.exchange.public.modulus[:32]):
        assert piece not in m1 + m2
