"""The responder: whom it answers, how little that costs, and whom it lets in."""

import os
from collections.abc import Callable

import msgspec
import pytest

from messenger.core import limits
from messenger.core.errors import Reason, RemoteProtocolError
from messenger.crypto.hkdf import vec
from messenger.crypto.rsa import Label
from messenger.protocol import puzzle
from messenger.protocol.handshake import PeerAnonymous, PeerIdentified, Step
from messenger.protocol.keyschedule import knock_tag
from messenger.protocol.messages import M1, SUITE, Caps, MessageType, Retry, encode_identity, frame
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, exchange, handshake, linked, refused
from tests.protocol.forge import Caller, body
from tests.protocol.steps import session

RELAY = bytes(range(32))


def greeted(caller: Caller | None = None, other: End | None = None) -> tuple[Caller, End]:
    """Alice, by hand, who has bob's M2."""
    caller, other = caller or Caller("alice", "bob"), other or End.answering("bob")
    other.receive(caller.m1())
    caller.take_m2(other.sent())
    return caller, other


def turned_away(m3: Callable[[Caller], bytes], other: End | None = None) -> RemoteProtocolError:
    """How bob refuses an M3; he never signs, and nobody is told who called."""
    caller, end = greeted(other=other)
    error = refused(end, m3(caller))
    assert end.private_operations <= 1
    assert not [asked for asked in end.asked if isinstance(asked, PeerIdentified | PeerAnonymous)]
    return error


@pytest.mark.parametrize("key", [bytes(31) + b"\x01", identity("carol").fingerprint])
@pytest.mark.parametrize("open_door", [True, False])
def test_a_caller_who_does_not_know_whom_they_call(key: bytes, open_door: bool) -> None:
    caller, other = Caller("alice", None), End.answering("bob", open_door=open_door)
    caller.key = key
    assert "does not know" in str(refused(other, caller.m1()))


def test_the_door_is_closed() -> None:
    refused(End.answering("bob"), Caller("alice", None).m1())
    greeted(Caller("alice", None), End.answering("bob", open_door=True))


def test_who_knows_us_is_let_in_while_the_door_is_open() -> None:
    _, other = linked(End.calling("alice", "bob"), End.answering("bob", open_door=True))
    (found,) = [asked for asked in other.asked if isinstance(asked, PeerIdentified)]
    assert not found.by_address


@pytest.mark.parametrize("suites", [(2,), (0xFFFF, 0), tuple(range(2, 18))])
def test_no_suite_in_common(suites: tuple[int, ...]) -> None:
    caller = Caller("alice", "bob")
    hello = msgspec.structs.replace(caller.hello, suites=suites)
    assert refused(End.answering("bob"), caller.m1(hello)).reason is Reason.VERSION


def test_suites_of_a_later_version_are_passed_over() -> None:
    caller, other = Caller("alice", "bob"), End.answering("bob")
    other.receive(caller.m1(msgspec.structs.replace(caller.hello, suites=(9, SUITE, 7))))
    caller.take_m2(other.sent())
    other.receive(caller.m3())
    assert other.private_operations == 2


def test_under_load_strangers_get_a_puzzle() -> None:
    for door in (True, False):
        one = End.calling("alice", None if door else "bob")
        other = End.answering("bob", open_door=door, puzzle_bits=5)
        carried = exchange(one, other)
        assert [data[0] for _, data in carried[:4]] == [1, 6, 1, 2]
        assert one.up
        assert other.up


def retried(bits: int = 8) -> tuple[Caller, End, Retry]:
    caller, other = Caller("alice", "bob"), End.answering("bob", puzzle_bits=bits)
    other.receive(caller.m1())
    return caller, other, Retry.decode(body(other.sent()))


def solved(caller: Caller, retry: Retry) -> M1:
    counter = puzzle.solve(puzzle.material(retry.seed, caller.sent_m1), retry.bits)
    return msgspec.structs.replace(caller.hello, solution=counter.to_bytes(8, "big"))


def test_a_solution_is_taken_once() -> None:
    caller, other, retry = retried()
    other.receive(caller.m1(solved(caller, retry)))
    assert other.sent()[0] == MessageType.M2
    assert handshake(other).step is Step.AWAIT_M3


def test_the_puzzle_is_not_solved() -> None:
    for solution in (b"", bytes(8), b"\xff" * 8):
        caller, other, retry = retried(20)
        while puzzle.holds(puzzle.material(retry.seed, caller.sent_m1), retry.bits, solution):
            caller, other, retry = retried(20)  # it would be solved by chance, once in a million
        hello = msgspec.structs.replace(caller.hello, solution=solution)
        assert "not solved" in str(refused(other, caller.m1(hello)))


def test_no_solution_is_none_however_easy_the_puzzle() -> None:
    for _ in range(30):
        caller, other, _ = retried(1)
        assert "not solved" in str(refused(other, caller.m1()))


def test_every_puzzle_is_another() -> None:
    seeds = {retried()[2].seed for _ in range(5)}
    assert len(seeds) == 5


@pytest.mark.parametrize("bits", [0, 8])
def test_a_solution_without_a_puzzle(bits: int) -> None:
    caller, other = Caller("alice", "bob"), End.answering("bob", puzzle_bits=bits)
    hello = msgspec.structs.replace(caller.hello, solution=bytes(8))
    assert "without a puzzle" in str(refused(other, caller.m1(hello)))


def test_contacts_get_no_puzzle() -> None:
    one, other = linked()
    knock = one.link.export("knock", b"")
    assert knock == other.link.export("knock", b"")
    again = End.calling("alice", "bob", knock=knock)
    carried = exchange(again, End.answering("bob", puzzle_bits=30, knocks=[os.urandom(32), knock]))
    assert [data[0] for _, data in carried] == [1, 2, 3, 4, 5]


def test_a_wrong_knock_costs_a_puzzle_and_nothing_else() -> None:
    caller, other = Caller("alice", "bob"), End.answering("bob", puzzle_bits=1, knocks=[bytes(32)])
    for tag in (bytes(16), knock_tag(b"\x01" * 32, caller.hello.nonce), knock_tag(bytes(32), bytes(32))):
        other = End.answering("bob", puzzle_bits=1, knocks=[bytes(32)])
        other.receive(caller.m1(msgspec.structs.replace(caller.hello, tag=tag)))
        assert other.sent()[0] == MessageType.RETRY


def test_bytes_that_are_no_key() -> None:
    caller = Caller("alice", "bob")
    hello = msgspec.structs.replace(caller.hello, public=b"\xff" * limits.XWING_PUBLIC_SIZE)
    assert "ML-KEM" in str(refused(End.answering("bob"), caller.m1(hello)))


def test_a_caller_with_honest_tools_gets_in() -> None:
    caller, other = greeted()
    other.receive(caller.m3())
    m5, secrets = caller.m5(other.sent())
    other.receive(m5)
    assert other.up
    assert other.link.export("knock", b"") != secrets.exporter


@pytest.mark.parametrize("caps", [Caps(relay=RELAY), Caps(least_version=2, most_version=3)])
def test_capabilities_that_do_not_fit(caps: Caps) -> None:
    turned_away(lambda caller: caller.m3(caps=caps.encode()))


def test_our_own_key_calls() -> None:
    caller, other = greeted(Caller("bob", "bob"))
    assert refused(other, caller.m3()).reason is Reason.OWN_KEY


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        encode_identity(b"", Caps().encode()),
        encode_identity(b"not a bundle", Caps().encode()) + vec(bytes(384)),
        encode_identity(b"", Caps().encode()) + vec(bytes(384)),
        b"\xff\xff" + bytes(100),
    ],
)
def test_a_box_with_something_else_in_it(plaintext: bytes) -> None:
    turned_away(lambda caller: caller.m3(plaintext=plaintext))


def test_a_certificate_out_of_its_time() -> None:
    for not_before in (limits.CLOCK_SKEW + 1, -limits.KEXCERT_LIFETIME - limits.CLOCK_SKEW - 1):
        theirs = identity("alice").bundle(NOW + not_before).encode()
        turned_away(lambda caller, theirs=theirs: caller.m3(identity_bundle=theirs))  # type: ignore[misc]


def test_a_signature_that_does_not_hold() -> None:
    carol = identity("carol").signing
    for sign in (
        lambda *_: b"",
        lambda *_: bytes(384),
        lambda *fields: carol.sign(Label.LINK_I, fields),
    ):
        error = turned_away(lambda caller, sign=sign: caller.m3(sign=sign))  # type: ignore[misc]
        assert "signature" in str(error)


def test_somebody_anonymous_where_nobody_may_be() -> None:
    plaintext = encode_identity(b"", Caps().encode()) + vec(b"")
    assert "anonymous" in str(turned_away(lambda caller: caller.m3(plaintext=plaintext)))


def test_somebody_with_a_name_at_a_relay() -> None:
    error = turned_away(Caller.m3, End.answering("bob", anonymous=True))
    assert "named" in str(error)


@pytest.mark.parametrize("what", ["signature", "invite_proof", "continues"])
def test_proofs_of_nobody(what: str) -> None:
    caps = Caps() if what == "signature" else msgspec.structs.replace(Caps(), **{what: RELAY})
    signature = bytes(384) if what == "signature" else b""
    plaintext = encode_identity(b"", caps.encode()) + vec(signature)
    relay = End.answering("bob", anonymous=True)
    assert "of nobody" in str(turned_away(lambda caller: caller.m3(plaintext=plaintext), relay))


def test_anonymous() -> None:
    one, other = linked(End.anonymous("bob"), End.answering("bob", anonymous=True))
    assert [type(asked) for asked in other.asked if isinstance(asked, PeerAnonymous | PeerIdentified)] == [
        PeerAnonymous
    ]
    assert one.up


@pytest.mark.parametrize("content", [bytes(32), bytes(31), b""])
def test_a_wrong_finished_mac(content: bytes) -> None:
    end = session().message(MessageType.M5).before.again()
    assert "finished" in str(refused(end, frame(MessageType.M5, content)))
    assert not end.up


def test_nobody_is_up_before_m5() -> None:
    m5 = session().message(MessageType.M5)
    end = m5.before.again()
    assert not end.up
    end.receive(m5.data)
    assert end.up


def test_nothing_is_left_of_the_secrets_of_the_greeting() -> None:
    ours = handshake(session().other)
    assert (ours._secret, ours._master) == (b"", b"")  # type: ignore[attr-defined]
