"""Directory entries, and what a relay can try with them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core import limits, relay_limits
from messenger.core.errors import LocalProtocolError, Reason, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.rsa import Label
from messenger.protocol.directory import Entry, Found, read_page
from messenger.protocol.relay_answers import Page
from messenger.protocol.relay_finding import Browse, LookUp, Status
from tests.helpers.keys import identity
from tests.helpers.links import NOW, bundle
from tests.protocol.strategies import plainly

RELAY, OTHER = Fingerprint(b"r" * 32), Fingerprint(b"o" * 32)
DAY = 86400
ID, KEY = b"i" * 24, b"k" * 32


def draft(who: str = "bob", **changes: Any) -> Entry:  # noqa: ANN401 -- any field
    base = Entry(bundle(who), NOW, NOW + 7 * DAY, who.title(), "here", ID, KEY, b"q" * 32)
    return msgspec.structs.replace(base, **changes)


def signed(
    entry: Entry, relay: Fingerprint = RELAY, who: str = "bob", label: Label = Label.DIRECTORY
) -> Entry:
    needed = entry.needed(relay)
    assert needed.label is Label.DIRECTORY
    return entry.signed(identity(who).signing.sign(label, needed.fields))


BOB = signed(draft())


def refused(entry: Entry, relay: Fingerprint = RELAY, now: int = NOW) -> None:
    with pytest.raises(RemoteProtocolError):
        entry.verify(relay, now)


def test_an_entry_byte_for_byte() -> None:
    shown = bundle("bob").encode()
    times = NOW.to_bytes(8, "big") + (NOW + 7 * DAY).to_bytes(8, "big")
    body = (
        b"\x01"
        + len(shown).to_bytes(2, "big")
        + shown
        + times
        + b"\0\x03Bob\0\x04here"
        + ID
        + KEY
        + b"q" * 32
    )
    assert BOB.encode() == body + b"\x01\x80" + BOB.signature
    assert draft().needed(RELAY).fields == (identity("bob").fingerprint, RELAY, body)
    assert Entry.decode(BOB.encode()) == BOB
    BOB.verify(RELAY, NOW)


@plainly
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.integers(0, 2**64 - 1),
)
def test_what_was_written_is_read(name: str, about: str, serial: int) -> None:
    entry = draft(name=name, about=about, serial=serial, signature=bytes(384))
    assert Entry.decode(entry.encode()) == entry
    assert len(entry.encode()) <= relay_limits.ENTRY_MAX


def test_the_largest_entry_is_as_long_as_the_limit_says() -> None:
    entry = draft("dora", name="🦉" * 64, about="a" * 256, signature=bytes(512))
    assert len(entry.encode()) == relay_limits.ENTRY_MAX
    assert Entry.decode(entry.encode()) == entry


def test_every_truncation_and_extension() -> None:
    data = BOB.encode()
    for size in range(len(data)):
        with pytest.raises(RemoteProtocolError):
            Entry.decode(data[:size])
    with pytest.raises(RemoteProtocolError):
        Entry.decode(data + b"\0")


def test_every_flipped_bit_is_refused() -> None:
    data = BOB.encode()
    for at in range(0, len(data), 3):
        changed = data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]
        with pytest.raises(RemoteProtocolError):  # noqa: PT012 -- either of the two refuses
            found = Entry.decode(changed)
            found.verify(RELAY, NOW)


@plainly
@given(st.binary(max_size=300))
def test_garbage_is_one_error(data: bytes) -> None:
    for candidate in (data, b"\x01" + data, BOB.encode()[: 3 + 1176] + data):
        with pytest.raises(RemoteProtocolError):
            Entry.decode(candidate)


@pytest.mark.parametrize(
    "wrong",
    [
        signed(draft(), OTHER),
        signed(draft(), who="carol"),
        *(signed(draft(), label=label) for label in Label if label is not Label.DIRECTORY),
        signed(draft()).signed(b""),
        msgspec.structs.replace(BOB, name="Bobby"),
        msgspec.structs.replace(BOB, bundle=bundle("carol")),
        msgspec.structs.replace(BOB, queue_key=KEY),
    ],
)
def test_an_entry_that_is_not_theirs_or_not_for_this_relay(wrong: Entry) -> None:
    refused(wrong)


@pytest.mark.parametrize(
    ("left", "good"), [(-DAY - 1, False), (-DAY, True), (8 * DAY, True), (8 * DAY + 1, False)]
)
def test_an_entry_holds_for_a_week(left: int, good: bool) -> None:
    entry = signed(draft(not_after=NOW + left))
    if good:
        entry.verify(RELAY, NOW)
    else:
        refused(entry)


def test_an_entry_holds_at_the_relay_that_it_was_signed_for() -> None:
    signed(draft(), OTHER).verify(OTHER, NOW)
    refused(BOB, OTHER)


def test_an_entry_with_an_expired_exchange_key() -> None:
    late = NOW + limits.KEXCERT_LIFETIME + limits.CLOCK_SKEW
    refused(signed(draft(not_after=late)), now=late)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 65},
        {"about": "x" * 257},
        {"send_id": ID[1:]},
        {"send_key": KEY + b"k"},
        {"serial": 2**64},
        {"not_after": -1},
    ],
)
def test_we_do_not_write_what_nobody_takes(change: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError):
        draft(**change).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\x02" + data[1:],
        lambda data: data.replace(b"\0\x03Bob", b"\0\0", 1),
        lambda data: data.replace(b"\0\x03Bob", b"\0\x41" + b"x" * 65, 1),
        lambda data: data.replace(b"\0\x03Bob", b"\0\x03B\xffb", 1),
        lambda data: data.replace(b"\0\x04here", b"\x01\x01" + b"x" * 257, 1),
        lambda data: data.replace(b"\0\x04here", b"\0\x04h\xc3re", 1),
    ],
)
def test_malformed(spoil: Callable[[bytes], bytes]) -> None:
    assert spoil(BOB.encode()) != BOB.encode()
    with pytest.raises(RemoteProtocolError):
        Entry.decode(spoil(BOB.encode()))


# --- pages

EVERYBODY = sorted(
    (signed(draft(who), who=who) for who in ("alice", "bob", "carol", "dora")),
    key=lambda entry: entry.fingerprint,
)


def page(*entries: Entry, following: bytes = b"") -> Page:
    return Page(1, tuple((Status.ONLINE, entry.encode()) for entry in entries), following)


def names(found: tuple[Found, ...]) -> list[str]:
    return [one.entry.name for one in found]


def test_one_person() -> None:
    asked = LookUp(1, BOB.fingerprint)
    assert read_page(page(BOB), asked, RELAY, NOW) == (Found(BOB, Status.ONLINE),)
    for wrong in (page(), page(EVERYBODY[0], BOB), page(BOB, following=BOB.fingerprint)):
        with pytest.raises(RemoteProtocolError):
            read_page(wrong, asked, RELAY, NOW)
    with pytest.raises(RemoteProtocolError) as caught:
        read_page(page(signed(draft("carol"), who="carol")), asked, RELAY, NOW)
    assert caught.value.reason is Reason.WRONG_PERSON


def test_pages_go_on_where_the_last_one_ended() -> None:
    first, second = EVERYBODY[:2], EVERYBODY[2:]
    cursor = first[-1].fingerprint
    assert names(read_page(page(*first, following=cursor), Browse(1, most=2), RELAY, NOW)) == [
        e.name for e in first
    ]
    assert names(read_page(page(*second), Browse(1, cursor), RELAY, NOW)) == [e.name for e in second]
    assert read_page(page(), Browse(1, cursor), RELAY, NOW) == ()


@pytest.mark.parametrize(
    ("wrong", "asked"),
    [
        (page(*EVERYBODY[::-1]), Browse(1)),
        (page(BOB, BOB), Browse(1)),
        (page(*EVERYBODY[:3]), Browse(1, most=2)),
        (page(*EVERYBODY[:2]), Browse(1, EVERYBODY[0].fingerprint)),
        (page(*EVERYBODY[:2], following=EVERYBODY[3].fingerprint), Browse(1)),
        (page(following=EVERYBODY[3].fingerprint), Browse(1)),
        (Page(1, ((Status.ONLINE, b"no entry"),)), Browse(1)),
    ],
)
def test_a_page_that_was_not_asked_for(wrong: Page, asked: Browse) -> None:
    with pytest.raises(RemoteProtocolError):
        read_page(wrong, asked, RELAY, NOW)


def test_an_entry_that_does_not_hold_hides_nobody_else() -> None:
    spoilt = [*EVERYBODY[:2], signed(EVERYBODY[2], OTHER, EVERYBODY[2].name.lower()), EVERYBODY[3]]
    found = names(read_page(page(*spoilt), Browse(1), RELAY, NOW))
    assert found == [entry.name for entry in EVERYBODY if entry is not EVERYBODY[2]]


def test_keys_are_not_shown() -> None:
    assert repr(BOB) == f"Entry({BOB.fingerprint.hex()[:8]}, {NOW})"
