"""The program against a second implementation that was written from SPEC.md alone, both ways round."""

import os
from collections.abc import Callable

import pytest

from messenger.core.ids import format_fingerprint, parse_fingerprint
from messenger.crypto.identity import safety_number as our_safety_number
from messenger.protocol.initiator import Initiator as OurInitiator
from messenger.protocol.invite import Invite as OurInvite
from messenger.protocol.invite import read_invite as our_read_invite
from messenger.protocol.invite import write_invite as our_write_invite
from messenger.protocol.keyschedule import invite_proof
from messenger.protocol.link import Link, LinkState, PeerAnonymous, PeerIdentified
from messenger.protocol.messages import Caps
from tests.helpers.keys import SIZES
from tests.helpers.keys import identity as our_identity
from tests.helpers.links import NOW
from tests.helpers.links import End as Ours
from tests.independent import invites
from tests.independent.handshake import Initiator, Responder
from tests.independent.identity import read_fingerprint, safety_number, write_fingerprint
from tests.independent.meeting import FAULTS, answering, calling, common, identity, join
from tests.independent.schedule import Session

LABELS = ["continue", "knock", "lane", "seal sid", "seal A>B", "seal B>A", "relay"]
SECRET = b"sixteen bytes ok"
RELAY = bytes(range(32))


def session(mine: Initiator | Responder) -> Session:
    assert mine.session is not None
    return mine.session


def up(mine: Initiator | Responder, ours: Ours) -> None:
    """Carry the handshake; both must agree on everything that it leaves."""
    join(mine, ours)
    assert ours.link.state is LinkState.OPEN
    for label in LABELS:
        assert session(mine).exporter(label, b"ctx") == ours.link.export(label, b"ctx")


def refused(mine: Initiator | Responder, ours: Ours) -> None:
    with pytest.raises(FAULTS):
        join(mine, ours)
    assert mine.session is None
    assert not ours.up
    assert mine.sent() == ours.sent() == b"", "whoever refuses sends nothing more"


PAIRS = pytest.mark.parametrize(("caller", "host"), [("alice", "bob"), ("alice", "dora"), ("dora", "carol")])


@PAIRS
def test_contact_mode(caller: str, host: str) -> None:
    mine, ours = calling(caller, host), Ours.answering(host)
    up(mine, ours)
    assert session(mine).fp_r == our_identity(host).fingerprint
    mine2, ours2 = answering(host), Ours.calling(caller, host)
    up(mine2, ours2)
    assert session(mine2).fp_i == our_identity(caller).fingerprint


@PAIRS
def test_open_door(caller: str, host: str) -> None:
    seen: list[bytes] = []

    def decide(fingerprint: bytes) -> bool:
        seen.append(fingerprint)
        return True

    mine = calling(caller, None, decide=decide)
    ours = Ours.answering(host, open_door=True)
    up(mine, ours)
    assert seen == [our_identity(host).fingerprint]
    assert [question.by_address for question in ours.asked if isinstance(question, PeerIdentified)] == [True]
    up(answering(host, door=True, welcome=lambda guest: guest.open_door), Ours.calling(caller, None))


def test_a_contact_is_let_in_while_the_door_is_open() -> None:
    up(calling("alice", "bob"), Ours.answering("bob", open_door=True))
    up(answering("bob", door=True), Ours.calling("alice", "bob"))


def test_a_closed_door_stays_closed() -> None:
    refused(calling("alice", None), Ours.answering("bob"))
    refused(answering("bob"), Ours.calling("alice", None))


def test_somebody_else_answers() -> None:
    refused(calling("alice", "carol"), Ours.answering("bob", open_door=True))
    refused(answering("bob", door=True), Ours.calling("alice", "carol"))


def test_own_key() -> None:
    refused(calling("bob", None), Ours.answering("bob", open_door=True))
    refused(answering("bob", door=True), Ours.calling("bob", None))


def test_somebody_unwelcome_hears_nothing() -> None:
    mine, ours = calling("alice", "bob"), Ours.answering("bob", admit=lambda _: False)
    join(mine, ours)
    assert mine.session is None
    assert not ours.up
    refused(answering("bob", welcome=lambda _: False), Ours.calling("alice", "bob"))


@pytest.mark.parametrize("good", [True, False])
def test_invite_proof(good: bool) -> None:
    secret = SECRET if good else SECRET[::-1]
    proved: list[bool] = []

    def admit(question: PeerIdentified | PeerAnonymous) -> bool:
        assert isinstance(question, PeerIdentified)
        proved.append(question.caps.invite_proof == invite_proof(SECRET, question.transcript))
        return True

    up(calling("alice", "bob", secret=secret), Ours.answering("bob", admit=admit))
    assert proved == [good]
    mine = answering("bob", welcome=lambda guest: guest.proves(SECRET) is good)
    up(mine, Ours.calling("alice", "bob", invite_secret=secret))


@pytest.mark.parametrize("bits", [1, 8, 12])
def test_puzzles_under_load(bits: int) -> None:
    mine, ours = calling("alice", "bob"), Ours.answering("bob", puzzle_bits=bits)
    assert len(join(mine, ours)) == 7
    assert ours.up
    mine2, ours2 = answering("bob", retry=bits), Ours.calling("alice", "bob")
    assert len(join(mine2, ours2)) == 7
    assert ours2.up


def test_puzzles_at_an_open_door() -> None:
    up(calling("alice", None), Ours.answering("bob", puzzle_bits=4, open_door=True))
    up(answering("bob", retry=4, door=True), Ours.calling("alice", None))


def test_a_puzzle_too_hard() -> None:
    refused(calling("alice", "bob"), Ours.answering("bob", puzzle_bits=21))
    refused(answering("bob", retry=21), Ours.calling("alice", "bob"))


def test_contacts_knock_and_get_no_puzzle() -> None:
    first, ours = calling("alice", "bob"), Ours.answering("bob")
    up(first, ours)
    knock = session(first).exporter("knock")
    again = calling("alice", "bob", knock=knock)
    assert len(join(again, Ours.answering("bob", puzzle_bits=30, knocks=[os.urandom(32), knock]))) == 5
    mine = answering("bob", retry=30, knocks=[os.urandom(32), knock])
    assert len(join(mine, Ours.calling("alice", "bob", knock=knock))) == 5


def test_anonymous_at_a_relay() -> None:
    mine, ours = calling(None, "dora"), Ours.answering("dora", anonymous=True)
    up(mine, ours)
    assert ours.count(PeerAnonymous) == 1
    mine2 = answering("dora", anonymous=True)
    up(mine2, Ours.anonymous("dora"))
    assert session(mine2).peer is None


def test_anonymous_where_it_must_not_be() -> None:
    refused(calling(None, "bob"), Ours.answering("bob"))
    refused(answering("bob"), Ours.anonymous("bob"))
    refused(calling("alice", "bob"), Ours.answering("bob", anonymous=True))
    refused(answering("bob", anonymous=True), Ours.calling("alice", "bob"))


def test_anonymous_callers_prove_nothing() -> None:
    refused(calling(None, "dora", secret=SECRET), Ours.answering("dora", anonymous=True))
    refused(calling(None, "dora", continues=RELAY), Ours.answering("dora", anonymous=True))
    whom = our_identity("dora").fingerprint
    for proof in ({"invite_secret": SECRET}, {"caps": Caps(continues=RELAY)}):
        caller = OurInitiator(None, NOW, expected=whom, **proof)
        refused(answering("dora", anonymous=True), Ours(Link(caller), None))


def test_both_must_name_the_same_relay() -> None:
    for mine_relay, our_relay, verdict in [(RELAY, RELAY, up), (RELAY, b"", refused), (b"", RELAY, refused)]:
        caps = Caps(relay=our_relay)
        verdict(calling("alice", "bob", common=common(relay=mine_relay)), Ours.answering("bob", caps=caps))
        verdict(answering("bob", common=common(relay=mine_relay)), Ours.calling("alice", "bob", caps=caps))


def test_a_link_that_replaces_another() -> None:
    first, ours = calling("alice", "bob"), Ours.answering("bob")
    up(first, ours)
    continues = session(first).exporter("continue")
    mine = answering("bob", welcome=lambda guest: guest.caps.continues == continues)
    up(mine, Ours.calling("alice", "bob", caps=Caps(continues=continues, features=0xFFFFFFFF)))

    def admit(question: PeerIdentified | PeerAnonymous) -> bool:
        return (question.caps.features, question.caps.continues) == (5, ours.link.export("continue", b""))

    up(calling("alice", "bob", continues=continues, features=5), Ours.answering("bob", admit=admit))


def damage(number: int, place: int) -> Callable[[int, bytes], bytes]:
    """Turn one bit of one message."""

    def change(at: int, data: bytes) -> bytes:
        broken = bytearray(data)
        broken[place] ^= 0x40 if place == 0 else 0x01
        return bytes(broken) if at == number else data

    return change


@pytest.mark.parametrize("place", [0, 1, 4, 20, -20, -1])
@pytest.mark.parametrize("message", range(5))
def test_every_message_is_judged(message: int, place: int) -> None:
    """Whoever gets a damaged message refuses it; only I, who speaks last, may be up by then."""
    refuse_damaged(calling("alice", "bob"), Ours.answering("bob"), damage(message, place))
    refuse_damaged(Ours.calling("alice", "bob"), answering("bob"), damage(message, place))


def refuse_damaged(
    caller: Initiator | Ours, host: Responder | Ours, change: Callable[[int, bytes], bytes]
) -> None:
    with pytest.raises(FAULTS):
        join(caller, host, change)
    assert not (host.up if isinstance(host, Ours) else host.session)
    assert caller.sent() == host.sent() == b""


@pytest.mark.parametrize("message", range(4))
def test_nothing_may_come_too_early(message: int) -> None:
    """Whoever has something before it may be there refuses, and what was to be answered is not sent."""

    def change(at: int, data: bytes) -> bytes:
        return data + bytes.fromhex("17000110") if at == message else data

    refuse_damaged(calling("alice", "bob"), Ours.answering("bob"), change)
    refuse_damaged(Ours.calling("alice", "bob"), answering("bob"), change)


@pytest.mark.parametrize("name", SIZES)
def test_fingerprints(name: str) -> None:
    fingerprint = our_identity(name).fingerprint
    assert identity(name).fingerprint == fingerprint
    assert write_fingerprint(fingerprint) == format_fingerprint(fingerprint)
    typed = format_fingerprint(fingerprint).upper().replace(" ", "-\t")
    assert read_fingerprint(typed) == parse_fingerprint(typed) == fingerprint


def test_safety_numbers() -> None:
    names = list(SIZES)
    for one in names:
        for other in names:
            ours, theirs = our_identity(one).fingerprint, our_identity(other).fingerprint
            number = safety_number(ours, theirs)
            assert number == our_safety_number(ours, theirs) == our_safety_number(theirs, ours)
            assert len(number) == 60


def test_invites() -> None:
    fingerprint = our_identity("alice").fingerprint
    hints = ((1, b"192.168.1.5:42000"), (1, b"[fe80::1]:7"), (1, b"home.example.org:65535"))
    link = invites.write_invite(invites.Invite(fingerprint, SECRET, hints))
    ours = our_read_invite(link)
    assert (ours.fingerprint, ours.secret) == (fingerprint, SECRET)
    assert [str(address) for address in ours.addresses] == [content.decode() for _, content in hints]
    assert our_write_invite(ours) == link
    assert invites.read_invite(our_write_invite(ours)) == invites.Invite(fingerprint, SECRET, hints)
    bare = our_write_invite(OurInvite(fingerprint, SECRET))
    assert invites.read_invite(bare).hints == ()
    strange = invites.write_invite(
        invites.Invite(fingerprint, SECRET, ((9, b"\xff" * 255), *hints, (0, b"")))
    )
    torn = "\n\t ".join(("SOTTO" + strange[5:])[at : at + 10] for at in range(0, len(strange), 10))
    assert our_read_invite(torn) == ours
    assert invites.read_invite(torn).addresses == [str(address) for address in ours.addresses]
