"""Fresh keys: three messages, one at a time, and both ends with the same secrets after them."""

import os
from itertools import product

import pytest

from messenger.core import limits
from messenger.core.errors import CryptoError, LocalProtocolError, RemoteProtocolError
from messenger.crypto import xwing
from messenger.crypto.hkdf import digest, expand, extract
from messenger.protocol.rekey import TRANSITIONS, Epoch, Rekey, RekeyMessage, RekeyStep

SECRET = b"s" * 32


def pair() -> tuple[Rekey, Rekey]:
    """The initiator's and the responder's side."""
    return tuple(Rekey(SECRET, initiator=initiator, seed=os.urandom) for initiator in (True, False))  # type: ignore[return-value]


def at(step: RekeyStep, *, initiator: bool) -> Rekey:
    """One that is at a step."""
    ours, theirs = pair() if initiator else pair()[::-1]
    if step is RekeyStep.OFFERED:
        ours.offer()
    elif step is RekeyStep.ACCEPTED:
        ours.on_offer(theirs.offer())
    assert ours.step is step
    return ours


def content(message: RekeyMessage, generation: int = 1) -> bytes:
    """The content of a message that is in order."""
    public = xwing.KeyPair.generate().public
    rest = {
        RekeyMessage.OFFER: public,
        RekeyMessage.ACCEPT: xwing.encapsulate(public)[0],
        RekeyMessage.DONE: b"",
    }
    return generation.to_bytes(4, "big") + rest[message]


def give(rekey: Rekey, message: RekeyMessage, data: bytes) -> object:
    return getattr(rekey, f"on_{message.name.lower()}")(data)


def exchange(offerer: Rekey, acceptor: Rekey) -> Epoch:
    """A whole exchange; both ends must agree."""
    answer = acceptor.on_offer(offerer.offer())
    assert answer is not None
    accept, theirs = answer
    done, ours = offerer.on_accept(accept)
    assert acceptor.on_done(done) == theirs == ours
    return ours


@pytest.mark.parametrize("initiator", [True, False])
@pytest.mark.parametrize(
    ("step", "message"), sorted(set(product(RekeyStep, RekeyMessage)) - set(TRANSITIONS), key=str)
)
def test_everything_not_in_the_table_is_refused(
    step: RekeyStep, message: RekeyMessage, initiator: bool
) -> None:
    rekey = at(step, initiator=initiator)
    with pytest.raises(RemoteProtocolError, match=f"{message.name} at {step.name}"):
        give(rekey, message, content(message))
    assert rekey.step is step
    assert rekey.generation == 0


@pytest.mark.parametrize("initiator", [True, False])
@pytest.mark.parametrize(("step", "message"), sorted(TRANSITIONS, key=str))
def test_everything_in_the_table_is_taken(step: RekeyStep, message: RekeyMessage, initiator: bool) -> None:
    rekey = at(step, initiator=initiator)
    result = give(rekey, message, content(message))
    if initiator and step is RekeyStep.OFFERED and message is RekeyMessage.OFFER:
        assert result is None
        assert rekey.step is RekeyStep.OFFERED
    else:
        assert result is not None
        assert rekey.step is TRANSITIONS[step, message]


def test_exchanges_in_turn() -> None:
    one, two = pair()
    seen = []
    for generation in range(1, 5):
        offerer, acceptor = (one, two) if generation % 2 else (two, one)
        seen.append(exchange(offerer, acceptor))
        assert one.generation == two.generation == generation
        assert one.step is two.step is RekeyStep.IDLE
        assert one.export("lane", b"x") == two.export("lane", b"x")
    secrets = {secret for epoch in seen for secret in (epoch.from_initiator, epoch.from_responder)}
    assert len(secrets) == 8


def test_the_secrets_are_those_of_the_specification() -> None:
    seed = os.urandom(32)
    ours = Rekey(SECRET, initiator=True, seed=lambda _: seed)
    offer = ours.offer()
    public = xwing.KeyPair.from_seed(seed).public
    assert offer == b"\0\0\0\x01" + public
    ciphertext, shared = xwing.encapsulate(public)
    done, epoch = ours.on_accept(b"\0\0\0\x01" + ciphertext)
    root = extract(SECRET, shared + digest(offer + ciphertext))
    assert epoch == Epoch(expand(root, "ap I", b"", 32), expand(root, "ap R", b"", 32))
    assert done == b"\0\0\0\x01"
    rekey = expand(root, "rekey", b"", 32)
    assert ours.export("label", b"context") == expand(rekey, "label", b"context", 32)


def test_both_offer_and_the_initiators_offer_wins() -> None:
    one, two = pair()
    hers, his = one.offer(), two.offer()
    assert one.on_offer(his) is None
    answer = two.on_offer(hers)
    assert answer is not None
    done, epoch = one.on_accept(answer[0])
    assert two.on_done(done) == epoch == answer[1]
    exchange(two, one)
    assert one.generation == two.generation == 2


@pytest.mark.parametrize("generation", [0, 2, 2**32 - 1])
@pytest.mark.parametrize(("step", "message"), sorted(TRANSITIONS, key=str))
def test_another_generation(step: RekeyStep, message: RekeyMessage, generation: int) -> None:
    rekey = at(step, initiator=False)
    with pytest.raises(RemoteProtocolError, match="another generation"):
        give(rekey, message, content(message, generation))


@pytest.mark.parametrize(("step", "message"), sorted(TRANSITIONS, key=str))
def test_a_missing_byte_or_one_left_over(step: RekeyStep, message: RekeyMessage) -> None:
    good = content(message)
    for bad in (good[:-1], good + b"\0", b"", good[:3]):
        with pytest.raises(RemoteProtocolError):
            give(at(step, initiator=False), message, bad)


def test_one_offer_at_a_time() -> None:
    for step in (RekeyStep.OFFERED, RekeyStep.ACCEPTED):
        with pytest.raises(LocalProtocolError):
            at(step, initiator=True).offer()


def test_a_key_that_is_none() -> None:
    bad_mlkem = b"\xff" * limits.XWING_PUBLIC_SIZE
    with pytest.raises(CryptoError):
        at(RekeyStep.IDLE, initiator=True).on_offer(b"\0\0\0\x01" + bad_mlkem)
    with pytest.raises(CryptoError):
        at(RekeyStep.OFFERED, initiator=True).on_accept(b"\0\0\0\x01" + bytes(limits.XWING_CIPHERTEXT_SIZE))


def test_a_step_that_was_forced_is_our_own_bug() -> None:
    one, two = pair()
    one.step, two.step = RekeyStep.OFFERED, RekeyStep.ACCEPTED
    with pytest.raises(LocalProtocolError):
        one.on_accept(content(RekeyMessage.ACCEPT))
    with pytest.raises(LocalProtocolError):
        two.on_done(content(RekeyMessage.DONE))


def test_the_key_of_an_offer_that_gave_way_is_forgotten() -> None:
    one, two = pair()
    his = two.offer()
    two.on_offer(one.offer())
    stale = xwing.encapsulate(his[4:])[0]
    with pytest.raises(RemoteProtocolError):
        two.on_accept(b"\0\0\0\x01" + stale)
    assert two._own is None


def test_secrets_are_not_shown() -> None:
    one, two = pair()
    epoch = exchange(one, two)
    assert repr(epoch) == "Epoch()"
    assert "Rekey object" in repr(one)
