"""Envelopes, payloads, prekeys (SPEC.md 10.2, 10.8, 10.6): the program against the second implementation."""

import os
from dataclasses import replace

import pytest

from messenger.core.errors import LocalProtocolError
from messenger.core.ids import MessageId
from messenger.crypto.identity import Bundle as OurBundle
from messenger.protocol import packets as our_packets
from messenger.protocol import payload, sealed_opening
from messenger.protocol.prekeys import Prekey as OurPrekey
from messenger.protocol.prekeys import PrekeyList
from messenger.protocol.seal import Kind, disclose, enclose
from tests.helpers.sealing import bad_publics
from tests.independent import packets
from tests.independent.first import Letter, write_first
from tests.independent.identity import Identity
from tests.independent.meeting import FAULTS, identity, private_key
from tests.independent.prekeys import Shelf, assemble, write_list
from tests.independent.primitives import Chance, H, Refused, number
from tests.independent.sealed import (
    join,
    read_envelope,
    read_payload,
    seal_inside,
    write_envelope,
    write_payload,
)
from tests.independent.two_letters import (
    DAY,
    LAST,
    MSG_ID,
    NOW,
    ONCE,
    QUEUE,
    SERIAL,
    our_choice,
    our_fingerprint,
    our_list,
)

# --- envelopes

CONTENTS = (0, 1, 4064, 4065, 16352, 16353, 65504, 65505, 262112)


@pytest.mark.parametrize("size", CONTENTS)
@pytest.mark.parametrize("kind", [1, 2])
def test_envelopes(kind: int, size: int) -> None:
    content = os.urandom(size)
    mine = write_envelope(QUEUE, kind, content, Chance())
    ours = enclose(QUEUE, Kind(kind), content)
    assert len(mine) == len(ours)
    assert disclose(QUEUE, mine) == read_envelope(QUEUE, ours) == (kind, content)


def test_larger_envelopes_than_needed() -> None:
    for size in (4096, 16384, 65536, 262144):
        envelope = seal_inside(QUEUE, b"\x01\0\0\x01x" + bytes(size - 33), Chance())
        assert disclose(QUEUE, envelope) == read_envelope(QUEUE, envelope) == (1, b"x")


@pytest.mark.parametrize(
    "inside",
    [
        b"\x01\0\0\0" + bytes(4064 + 256),
        b"\x01\0\0\0" + bytes(4063),
        b"\x00\0\0\0" + bytes(4064),
        b"\x03\0\0\0" + bytes(4064),
        b"\x01\x00\x0f\xe1" + bytes(4064),
        b"\x01\0\0\0" + bytes(4063) + b"\x01",
        b"\x01\0\0\x01" + bytes(1) + b"\x01" + bytes(4062),
    ],
)
def test_envelopes_that_are_dropped(inside: bytes) -> None:
    envelope = seal_inside(QUEUE, inside, Chance())
    with pytest.raises(FAULTS):
        disclose(QUEUE, envelope)
    with pytest.raises(FAULTS):
        read_envelope(QUEUE, envelope)


def test_no_envelope_for_what_is_too_long() -> None:
    with pytest.raises(Refused):
        write_envelope(QUEUE, 1, bytes(262113), Chance())
    with pytest.raises(LocalProtocolError):
        enclose(QUEUE, Kind.MESSAGE, bytes(262113))


# --- payloads

ID, HASH = bytes(range(16)), bytes(range(32))
SAID: list[tuple[packets.Packet, payload.Sealable]] = [
    (packets.Hello("Zoë", 0, True, 2**63 - 1), our_packets.Hello("Zoë", 0, True, 2**63 - 1)),  # noqa: FBT003
    (packets.Text(ID, 1, HASH, 2**53, "é", 0, b"", 0), our_packets.Text(ID, 1, HASH, 2**53, "é", 0, b"", 0)),
    (packets.Delivered([ID] * 512), our_packets.Delivered([ID] * 512)),
    (packets.Read([ID]), our_packets.Read([ID])),
]


@pytest.mark.parametrize("count", [1, 4, 16])
def test_payloads(count: int) -> None:
    mine, ours = ([pair[at] for pair in (SAID * 4)[:count]] for at in (0, 1))
    raw = write_payload(mine)  # type: ignore[arg-type]
    assert payload.encode(ours) == raw  # type: ignore[arg-type]
    assert read_payload(raw) == mine
    assert payload.decode(raw) == ours


def test_unknown_packets_in_a_payload() -> None:
    raw = join([b"\x80\xff", packets.write_packet(SAID[0][0]), b"\xff"])
    assert read_payload(raw) == [SAID[0][0]]
    assert payload.decode(raw) == [SAID[0][1]]
    assert not read_payload(join([b"\x80"]))
    assert not payload.decode(join([b"\x80"]))


READ = packets.write_packet(SAID[3][0])
BAD_PAYLOADS = {
    "nothing": b"",
    "17 packets": join([READ] * 17),
    "17, of which all but one are ignored": join([b"\x80"] * 16 + [READ]),
    "a packet without a byte": join([b""]),
    "an unknown kind": join([b"\x7f\x90"]),
    "a Seed": join([packets.write_packet(packets.Seed(bytes(1216), 0))]),
    "a SeedAck": join([packets.write_packet(packets.SeedAck())]),
    "a LaneTicket": join([packets.write_packet(packets.LaneTicket(ID, HASH, by_initiator=True, port=0))]),
    "a Succession": join([b"\x05\x91\xc4\x01x"]),
    "a SuccessionSeen": join([b"\x06\x91\x01"]),
    "a size beyond the end": join([READ])[:2] + b"\xff" + join([READ])[3:],
    "a byte missing": join([READ])[:-1],
    "a byte left over": join([READ]) + b"\0",
}


@pytest.mark.parametrize("what", BAD_PAYLOADS)
def test_payloads_that_are_dropped(what: str) -> None:
    for read in (read_payload, payload.decode):
        with pytest.raises(FAULTS):
            read(BAD_PAYLOADS[what])


# --- prekeys


@pytest.mark.parametrize("who", ["bob", "dora"])
def test_prekey_lists(who: str) -> None:
    me = identity(who)
    mine = write_list(me, SERIAL, NOW + 14 * DAY, [ONCE[0].prekey, LAST[0].prekey], Chance())
    ours = our_list(who)
    assert len(mine) == len(ours)
    for listed in (mine, ours):
        for held in (ONCE[0], LAST[0]):
            raw = held.prekey.write()
            assert our_choice(listed, raw, me.fingerprint, NOW) == me.bundle
            assert Shelf().take(me.fingerprint, listed, raw, NOW)[0].raw == me.bundle


TIMES = [(-DAY, True), (-DAY - 1, False), (15 * DAY, True), (15 * DAY + 1, False)]


def judged(raw: bytes, prekey: bytes, whom: bytes, pinned: int = 0) -> list[bool]:
    """Whether each of the two takes a list and a prekey."""
    shelf, verdicts = Shelf(), []
    shelf.highest[whom] = pinned
    for look in (
        lambda: our_choice(raw, prekey, whom, NOW, pinned),
        lambda: shelf.take(whom, raw, prekey, NOW),
    ):
        try:
            look()
        except FAULTS:
            verdicts.append(False)
        else:
            verdicts.append(True)
    assert shelf.highest[whom] == (SERIAL if verdicts[1] else pinned), "only a good list is remembered"
    return verdicts


@pytest.mark.parametrize(("ahead", "good"), TIMES)
def test_how_long_a_list_is_good(ahead: int, good: bool) -> None:
    me = identity("bob")
    listed = write_list(me, SERIAL, NOW + ahead, [ONCE[0].prekey], Chance())
    assert judged(listed, ONCE[0].prekey.write(), me.fingerprint) == [good, good]


def lists() -> dict[str, tuple[bytes, bytes]]:
    """Lists and prekeys that nobody may use, by what is wrong with them."""
    me, chance = identity("bob"), Chance()
    one, last = ONCE[0].prekey, LAST[0].prekey
    hashes, good = sorted([one.hash, last.hash]), our_list()
    after = NOW + 14 * DAY
    forged = Identity(private_key("mallory", "signing"), private_key("bob", "exchange"), NOW - 60, Chance())
    forged.fingerprint, forged.bundle = me.fingerprint, me.bundle
    return {
        "another version": (b"\x02" + good[1:], one.write()),
        "of somebody else": (our_list("carol"), one.write()),
        "signed by somebody else": (assemble(forged, SERIAL, after, hashes, chance), one.write()),
        "rolled back": (our_list(serial=SERIAL - 1), one.write()),
        "out of order": (assemble(me, SERIAL, after, hashes[::-1], chance), one.write()),
        "twice the same": (assemble(me, SERIAL, after, [one.hash] * 2, chance), one.write()),
        "empty": (assemble(me, SERIAL, after, [], chance), one.write()),
        "66 prekeys": (
            assemble(me, SERIAL, after, sorted([one.hash, *(H(number(n, 2)) for n in range(65))]), chance),
            one.write(),
        ),
        "a byte left over": (good + b"\0", one.write()),
        "a byte missing": (good[:-1], one.write()),
        "a changed serial": (good.replace(number(SERIAL, 8), number(SERIAL + 1, 8)), one.write()),
        "not in the list": (good, replace(one, id=bytes(16)).write()),
        "with another flag": (good, replace(one, flags=1).write()),
        "with an unknown flag": (
            write_list(me, SERIAL, after, [replace(one, flags=2)], chance),
            replace(one, flags=2).write(),
        ),
        "a prekey with a byte left over": (good, one.write() + b"\0"),
    }


@pytest.mark.parametrize("what", lists())
def test_prekeys_that_nobody_uses(what: str) -> None:
    listed, raw = lists()[what]
    assert judged(listed, raw, identity("bob").fingerprint, pinned=SERIAL) == [False, False]
    assert judged(our_list(), ONCE[0].prekey.write(), identity("bob").fingerprint, SERIAL) == [True, True]


@pytest.mark.parametrize("what", bad_publics())
def test_prekeys_that_nobody_can_encapsulate_to(what: str) -> None:
    me, bad = identity("bob"), replace(ONCE[0].prekey, pk=bad_publics()[what])
    listed = write_list(me, SERIAL, NOW + DAY, [bad], Chance())
    person, chosen = Shelf().take(me.fingerprint, listed, bad.write(), NOW)
    with pytest.raises(FAULTS):
        write_first(identity("alice"), person, chosen, Letter(b"", MSG_ID, NOW * 1000, 0), Chance())
    recipient = PrekeyList.decode(listed).choose(OurPrekey.decode(bad.write()), our_fingerprint("bob"), NOW)
    with pytest.raises(FAULTS):
        sealed_opening.begin(
            OurBundle.decode(identity("alice").bundle),
            recipient,
            message_id=MessageId(MSG_ID),
            sent_ms=NOW * 1000,
            rank=0,
            payload=b"",
        )
