"""No key meets a nonce twice, and no key is used for too long."""

import os

import pytest

from messenger.core import limits
from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.crypto.aead import Aes
from messenger.protocol.keyschedule import record_key
from messenger.protocol.records import RecordReader, RecordType, RecordWriter
from tests.helpers.nonces import NonceOracle
from tests.protocol.channels import Pair
from tests.protocol.tickets import open_lane, opened, ticket


class Notes(NonceOracle):
    """Notes the key and nonce of every encryption, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[tuple[bytes, bytes]] = []

    def note(self, name: bytes, nonce: bytes, plaintext: object, aad: object) -> None:
        super().note(name, nonce, plaintext, aad)  # type: ignore[arg-type]
        self.order.append((name, bytes(nonce)))


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    """Every encryption of this test, and no other."""
    found = Notes()
    monkeypatch.setattr(Aes, "factory", found)
    return found


def test_the_witness_is_there_in_every_test(nonce_oracle: NonceOracle) -> None:
    assert Aes.factory is nonce_oracle
    writer = RecordWriter(os.urandom(32))
    before = len(nonce_oracle.seen)
    writer.seal(RecordType.PACKET, b"x")
    assert len(nonce_oracle.seen) == before + 1


def test_the_nonce_is_the_iv_and_the_number_of_the_record(notes: Notes) -> None:
    secret = os.urandom(32)
    writer = RecordWriter(secret)
    for _ in range(5):
        writer.seal(RecordType.PACKET, b"the same words")
    iv = int.from_bytes(record_key(secret)[1], "big")
    assert [nonce for _, nonce in notes.order] == [(iv ^ n).to_bytes(12, "big") for n in range(5)]


def test_a_number_begins_again_only_with_a_new_key(notes: Notes) -> None:
    pair = Pair()
    for _ in range(6):
        for side in pair.sides:
            side.channel.send(b"the same words")
        pair.pass_time(5.0)
        pair.carry()
    for side in pair.sides:
        side.channel.send(b"the same words")
    assert pair.one.channel.generation == 6
    assert len(set(notes.order)) == len(notes.order)
    assert len({name for name, _ in notes.order}) == 2 * 7


def test_no_two_lanes_and_no_two_directions_share_a_key(notes: Notes) -> None:
    shown = ticket()
    for used in (shown, shown, ticket()):
        opener, acceptor = open_lane(used)
        for lane in (opener, acceptor):
            opened(lane).send(b"the same words")
    assert len({name for name, _ in notes.order}) == len(notes.order) == 6


def test_a_key_cannot_be_used_up_by_a_peer_who_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REKEY_RECORDS", 4)
    monkeypatch.setattr(limits, "RECORDS_PER_KEY", 8)
    pair = Pair()
    for _ in range(7):
        pair.pass_time(0.1)
        pair.one.channel.send(b"x")
    with pytest.raises(LocalProtocolError, match="must not seal more"):
        pair.one.channel.send(b"x")
    assert len(pair.one.sent()) == 7 * 276 + 1300, "seven packets and one OFFER"


def test_a_peer_who_goes_beyond_the_end_of_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = os.urandom(32)
    writer = RecordWriter(secret)
    records = [bytes(writer.seal(RecordType.PACKET, b"x")) for _ in range(9)]
    monkeypatch.setattr(limits, "RECORDS_PER_KEY", 8)
    reader = RecordReader(secret)
    for record in records[:8]:
        assert len(list(reader.feed(record))) == 1
    with pytest.raises(RemoteProtocolError):
        list(reader.feed(records[8]))


def test_nothing_opens_after_a_record_that_did_not() -> None:
    secret = os.urandom(32)
    writer, reader = RecordWriter(secret), RecordReader(secret)
    first, second = (bytes(writer.seal(RecordType.PACKET, b"x")) for _ in range(2))
    with pytest.raises(RemoteProtocolError):
        list(reader.feed(second))
    with pytest.raises(RemoteProtocolError):
        list(reader.feed(first))
