"""First contacts (SPEC.md 10.7): the program against the second implementation."""

from collections.abc import Callable

import pytest

from messenger.crypto.rsa import PublicKey
from messenger.protocol.seal import Kind, disclose, enclose
from messenger.protocol.sealed_opening import Accepted
from tests.independent.first import Letter, write_first
from tests.independent.identity import Identity
from tests.independent.meeting import FAULTS, private_key
from tests.independent.primitives import Chance, number, v
from tests.independent.sealed import read_envelope, write_envelope
from tests.independent.two_letters import (
    DAY,
    LAST,
    MSG_ID,
    NOW,
    ONCE,
    PAYLOAD,
    QUEUE,
    SECRET,
    bundle_of,
    mailbox,
    my_letter,
    our_claim,
    our_fingerprint,
    our_letter,
)
from tests.independent.two_sealers import Mine, Ours, Wire

PEOPLE = pytest.mark.parametrize(("writer", "reader"), [("alice", "bob"), ("alice", "dora"), ("dora", "bob")])


@PEOPLE
@pytest.mark.parametrize("size", [0, 1, 196608])
def test_first_contacts_of_mine(writer: str, reader: str, size: int) -> None:
    contact, mine = my_letter(writer, reader, payload=bytes(size), secret=SECRET)
    claim = our_claim(contact, reader)
    assert claim.sender.fingerprint == our_fingerprint(writer)
    assert claim.invited(SECRET)
    assert not claim.invited(SECRET[::-1])
    accepted = claim.accept(stranger=False)
    assert (accepted.payload, accepted.rank, accepted.sent_ms) == (bytes(size), 5, NOW * 1000)
    assert (accepted.message_id, accepted.used_prekey) == (MSG_ID, ONCE[1].id)
    answered(mine, Ours(accepted.session))


@PEOPLE
@pytest.mark.parametrize("size", [0, 1, 196608])
def test_first_contacts_of_ours(writer: str, reader: str, size: int) -> None:
    contact, ours = our_letter(writer, reader, payload=bytes(size), secret=SECRET)
    box = mailbox(reader)
    opened = box.take(contact, NOW)
    assert opened is not None
    assert opened.letter == Letter(bytes(size), MSG_ID, NOW * 1000, 5)
    assert opened.proves(SECRET)
    assert not opened.proves(SECRET[::-1])
    assert opened.writer.fingerprint == our_fingerprint(writer)
    answered(ours, Mine(opened.session))
    with pytest.raises(FAULTS):
        box.take(contact, NOW)


def answered(writer: Mine | Ours, reader: Mine | Ours) -> None:
    """The session works in both directions, after the reader's first word."""
    assert not writer.can_seal
    assert reader.can_seal
    wire = Wire((writer, reader), 3)
    wire.run(60)
    assert wire.opened


def test_the_prekey_of_last_resort_stays_and_copies_are_known() -> None:
    contact, _ = our_letter(held=LAST[1])
    box = mailbox()
    assert box.take(contact, NOW) is not None
    assert box.take(contact, NOW) is None
    accepted: Accepted = our_claim(my_letter(held=LAST[0])[0], held=LAST[1]).accept(stranger=True)
    assert accepted.used_prekey is None
    assert accepted.dedupe_key == (our_fingerprint("alice"), MSG_ID)


def test_what_strangers_may_send() -> None:
    for size, good in ((5120, True), (5121, False)):
        claim = our_claim(my_letter(payload=bytes(size))[0])
        if good:
            claim.accept(stranger=True)
        else:
            with pytest.raises(FAULTS):
                claim.accept(stranger=True)


def dropped(contact: bytes, reader: str = "bob", now: int = NOW) -> None:
    """Neither opens it, and the prekey stays."""
    box = mailbox(reader)
    with pytest.raises(FAULTS):
        box.take(contact, now)
    assert len(box.held) == 2
    with pytest.raises(FAULTS):
        our_claim(contact, reader, now=now)


MAKERS: list[Callable[[], bytes]] = [lambda: my_letter()[0], lambda: our_letter()[0]]


@pytest.mark.parametrize("make", MAKERS, ids=["mine", "ours"])
def test_every_part_is_judged(make: Callable[[], bytes]) -> None:
    contact = make()
    for at in (0, 15, 16, 900, 1135, 1136, 1137, 1138, 1500, 1522, len(contact) - 17, len(contact) - 1):
        dropped(contact[:at] + bytes((contact[at] ^ 1,)) + contact[at + 1 :])
    for cut in (0, 15, 1136, 1138, 1521, 1522, 1537, len(contact) - 1):
        dropped(contact[:cut])
    dropped(contact + b"\0")
    dropped(contact, "carol")


SENT = [(DAY, True), (DAY + 1, False), (-41 * DAY, True), (-43 * DAY - 1, False)]


@pytest.mark.parametrize(("when", "good"), SENT)
def test_when_it_was_sent(when: int, good: bool) -> None:
    """The certificate must have held then (the ones of these tests begin just before now)."""
    me = Identity(private_key("alice", "signing"), private_key("alice", "exchange"), NOW - 50 * DAY, Chance())
    said = Letter(PAYLOAD, MSG_ID, (NOW + when) * 1000 + 999, 5)
    contact, _ = write_first(me, bundle_of("bob"), ONCE[0].prekey, said, Chance())
    if good:
        assert mailbox().take(contact, NOW) is not None
        assert our_claim(contact).accept(stranger=False).sent_ms == said.sent_ms
    else:
        dropped(contact)


def test_the_certificate_is_judged_by_the_time_of_writing() -> None:
    ended = Identity(
        private_key("alice", "signing"), private_key("alice", "exchange"), NOW - 100 * DAY, Chance()
    )
    for sent, good in ((NOW - 9 * DAY, True), (NOW - 9 * DAY + 1, False), (NOW, False)):
        said = Letter(PAYLOAD, MSG_ID, sent * 1000, 5)
        contact, _ = write_first(ended, bundle_of("bob"), ONCE[0].prekey, said, Chance())
        if good:
            assert mailbox().take(contact, NOW) is not None
            our_claim(contact)
        else:
            dropped(contact)


@pytest.mark.parametrize(("age", "good"), [(42 * DAY, True), (42 * DAY + 1, False)])
def test_how_long_a_prekey_lives(age: int, good: bool) -> None:
    now = NOW + age
    contact, _ = my_letter(sent_ms=now * 1000)
    if good:
        assert mailbox().take(contact, now) is not None
        our_claim(contact, now=now)
    else:
        dropped(contact, now=now)


@pytest.mark.parametrize("rank", [0, 2**53, 2**53 + 1])
def test_ranks(rank: int) -> None:
    contact, _ = my_letter(rank=rank)
    if rank <= 2**53:
        assert our_claim(contact).accept(stranger=False).rank == rank
    else:
        dropped(contact)


def test_to_oneself() -> None:
    dropped(my_letter("bob", "bob")[0])


def test_an_exchange_key_that_was_replaced() -> None:
    """Bob's mailbox tries two keys, the second of which fits; the program is given one after the other."""
    contact, _ = our_letter()
    assert mailbox().take(contact, NOW) is not None
    with pytest.raises(FAULTS):
        our_claim(contact, key="carol")
    with pytest.raises(FAULTS):
        our_claim(contact, key="dora")
    our_claim(contact, key="bob")


def test_in_an_envelope() -> None:
    contact, _ = my_letter(payload=bytes(196608), secret=SECRET)
    kind, content = disclose(QUEUE, write_envelope(QUEUE, 2, contact, Chance()))
    assert kind is Kind.OPENING
    assert our_claim(content).accept(stranger=False).payload == bytes(196608)
    kept, content = read_envelope(QUEUE, enclose(QUEUE, Kind.OPENING, our_letter()[0]))
    assert kept == 2
    assert mailbox().take(content, NOW) is not None


def test_v_of_an_oaep_ciphertext() -> None:
    """A first contact to a key of 4096 bits is 128 bytes longer, and its length is read strictly."""
    contact, _ = my_letter("alice", "dora")
    assert contact[1136:1138] == number(512, 2)
    assert len(PublicKey.from_modulus(bundle_of("dora").exchange).modulus) == 512
    for wrong in (383, 384, 511, 513):
        dropped(contact[:1136] + v(bytes(wrong)) + contact[1138 + 512 :], "dora")
