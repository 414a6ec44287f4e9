"""Both implementations against the vectors of tests/vectors/sotto: relays, circuits, directory, nearby."""

import re
from typing import Any

import pytest

from messenger.core.errors import LocalProtocolError, RemoteProtocolError
from messenger.core.ids import Fingerprint
from messenger.crypto.identity import Bundle
from messenger.protocol import circuits as our_circuits
from messenger.protocol import puzzle
from messenger.protocol.announcement import Announcement
from messenger.protocol.directory import Entry
from messenger.protocol.places import Place
from messenger.protocol.relay_answers import ANSWERS, Ended, Failed, Pass, answer_bounds, decode_answer
from messenger.protocol.relay_commands import REQUESTS, Unknown, decode_request, request_bounds
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_wire import Messages
from messenger.protocol.relay_word import Code, EndReason, FromRelay
from tests.independent import circuits, finding, relays
from tests.independent.loaded import binary, vectors
from tests.independent.primitives import Refused
from tests.independent.schedule import puzzle as my_puzzle
from tests.independent.schedule import solves

Json = dict[str, Any]


def each(name: str, key: str) -> pytest.MarkDecorator:
    """One test for each entry of a list in a file."""
    entries = vectors(name)[key]
    names = [entry.get("why") or entry.get("what") or entry.get("name") or "" for entry in entries]
    ids = [f"{at}-{name}" for at, name in enumerate(names)]
    return pytest.mark.parametrize("entry", entries, ids=ids)


def fields_of(name: str, raw: Json) -> Json:
    """Fields as the second implementation holds them."""
    found: Json = {}
    for key, value in raw.items():
        if key == "entries":
            found[key] = [(each["status"], binary(each["entry"])) for each in value]
        elif isinstance(value, list):
            found[key] = [binary(each) for each in value]
        else:
            found[key] = value if isinstance(value, int) else binary(value)
    assert set(found) == {re.split("[=</]", spec)[0] for spec in relays.BODIES[name][1].split()}
    return found


def flat(value: Request | FromRelay) -> list[Any]:
    """The fields of a message of the program, without order."""
    found: list[Any] = []
    for name in value.__struct_fields__:
        field = getattr(value, name)
        found.append(field.encode() if isinstance(field, str) else field)
    return found


def same_fields(ours: Request | FromRelay, mine: Json) -> bool:
    """Whether both hold the same, whatever they call it."""
    mine_flat = [tuple(value) if isinstance(value, list) else value for value in mine.values()]
    return sorted(map(repr, map(plain, flat(ours)))) == sorted(map(repr, map(plain, mine_flat)))


def plain(value: Any) -> Any:  # noqa: ANN401 -- from either
    """A value without the types that only one of them has."""
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    return int(value) if isinstance(value, int) else value


def our_requests(data: bytes) -> list[Request]:
    return [decode_request(kind, body) for kind, body in Messages(request_bounds).feed(data)]


def our_answers(data: bytes) -> list[FromRelay | None]:
    return [decode_answer(kind, body) for kind, body in Messages(answer_bounds).feed(data)]


def test_every_message_is_in_the_vectors() -> None:
    data = vectors("relays")
    assert {entry["name"] for key in ("requests", "answers") for entry in data[key]} == set(relays.BODIES)
    assert {kind for kind, _ in relays.BODIES.values()} == set(REQUESTS) | set(ANSWERS)


@pytest.mark.parametrize("name", relays.BODIES)
def test_both_bound_the_lengths_alike(name: str) -> None:
    kind = relays.BODIES[name][0]
    ours = request_bounds(kind) if kind in REQUESTS else answer_bounds(kind)
    assert ours == relays.lengths(name)


@each("relays", "requests")
def test_requests(entry: Json) -> None:
    name, message, key = entry["name"], binary(entry["message"]), binary(entry["key"])
    x, mine = binary(vectors("relays")["X"]), fields_of(entry["name"], entry["fields"])
    assert relays.write_message(name, mine) == message
    assert list(relays.Stream(requests=True).feed(message)) == [(name, mine)]
    (ours,) = our_requests(message)
    assert relays.BODIES[name][0] == ours.KIND
    assert ours.encode() == message
    assert same_fields(ours, mine)
    assert bool(key) == isinstance(ours, Proved)
    if isinstance(ours, Proved):
        assert relays.proves(key, x, name, mine)
        assert ours.signed(key, x) == ours
        assert ours.holds(key, x)


@each("relays", "answers")
def test_answers(entry: Json) -> None:
    name, message = entry["name"], binary(entry["message"])
    mine = fields_of(name, entry["fields"])
    assert relays.write_message(name, mine) == message
    assert list(relays.Stream(requests=False).feed(message)) == [(name, mine)]
    (ours,) = our_answers(message)
    assert ours is not None
    assert ours.encode() == message
    assert same_fields(ours, mine)


def test_a_stream_cut_anywhere() -> None:
    data = vectors("relays")
    contents = [binary(content) for content in data["all requests in contents"]]
    mine, ours = relays.Stream(requests=True), Messages(request_bounds)
    names = [name for content in contents for name, _ in mine.feed(content)]
    found = [decode_request(*one).encode() for content in contents for one in ours.feed(content)]
    assert names == [entry["name"] for entry in data["requests"]]
    assert found == [binary(entry["message"]) for entry in data["requests"]]


def test_what_later_versions_say() -> None:
    data = vectors("relays")
    tag, message = data["an unknown request"]["tag"], binary(data["an unknown request"]["message"])
    assert list(relays.Stream(requests=True).feed(message)) == [("", {"tag": tag})]
    assert our_requests(message) == [Unknown(tag)]
    for ignored in map(binary, data["ignored by a client"]):
        assert list(relays.Stream(requests=False).feed(ignored)) == []
        assert our_answers(ignored) == [None]
    for failed in map(binary, data["codes that mean 10"]):
        assert our_answers(failed) == [Failed(1, Code.TROUBLE)]
    for ended in map(binary, data["reasons that mean 2"]):
        assert our_answers(ended) == [Ended(2, EndReason.GONE)]


@each("relays", "refused by a relay")
def test_requests_that_are_refused(entry: Json) -> None:
    with pytest.raises(Refused):
        list(relays.Stream(requests=True).feed(binary(entry["message"])))
    with pytest.raises(RemoteProtocolError):
        our_requests(binary(entry["message"]))


@each("relays", "refused by a client")
def test_answers_that_are_refused(entry: Json) -> None:
    with pytest.raises(Refused):
        list(relays.Stream(requests=False).feed(binary(entry["message"])))
    with pytest.raises(RemoteProtocolError):
        our_answers(binary(entry["message"]))


@pytest.mark.parametrize("entry", vectors("relays")["tasks"])
def test_tasks(entry: Json) -> None:
    seed, x, material = binary(entry["seed"]), binary(entry["x"]), binary(entry["material"])
    least = binary(entry["least solution"])
    assert my_puzzle(seed, x) == puzzle.material(seed, x) == material
    assert solves(material, entry["bits"], least)
    assert puzzle.solve(material, entry["bits"]).to_bytes(8, "big") == least


@pytest.mark.parametrize("entry", vectors("relays")["places"], ids=lambda entry: str(entry["address"]))
def test_places(entry: Json) -> None:
    whole = binary(entry["place"])
    parts = [binary(entry[key]) for key in ("relay", "send_id", "send_key", "queue_key")]
    mine, ours = relays.read_place(whole), Place.decode(whole)
    assert mine == relays.Place(parts[0], parts[1], parts[2], parts[3], entry["address"].encode())
    assert mine.write() == ours.encode() == whole
    assert [ours.relay, ours.send_id, ours.send_key, ours.queue_key] == parts
    assert str(ours.address) == entry["address"]


@each("relays", "refused places")
def test_places_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        relays.read_place(binary(entry["place"]))
    with pytest.raises(RemoteProtocolError):
        Place.decode(binary(entry["place"]))


# --- circuits


def end() -> our_circuits.CircuitEnd:
    return our_circuits.CircuitEnd(binary(vectors("circuits")["pass"]))


def test_a_pass() -> None:
    data = vectors("circuits")
    c1, entrance = binary(data["C1"]), our_circuits.CircuitEntrance()
    assert circuits.write_c1(binary(data["pass"])) == end().data_to_send() == c1
    entrance.receive_data(c1)
    assert circuits.read_c1(c1) == entrance.secret == binary(data["pass"])


@pytest.mark.parametrize("entry", vectors("circuits")["C2"], ids=lambda entry: str(entry["code"]))
def test_answers_to_a_pass(entry: Json) -> None:
    message, ours = binary(entry["message"]), end()
    means = entry["means"], entry["bytes"], entry["seconds"]
    assert circuits.write_c2(entry["code"], entry["bytes"], entry["seconds"]) == message
    assert circuits.read_c2(message) == means
    ours.receive_data(message)
    assert ours.joined == our_circuits.Joined(our_circuits.JoinCode(entry["means"]), *means[1:])
    if entry["code"] == entry["means"]:
        assert ours.joined.encode() == message


@each("circuits", "refused C1")
def test_passes_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        circuits.read_c1(binary(entry["message"]))
    with pytest.raises(RemoteProtocolError):
        our_circuits.CircuitEntrance().receive_data(binary(entry["message"]))


@each("circuits", "refused C2")
def test_answers_to_a_pass_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        circuits.read_c2(binary(entry["message"]))
    with pytest.raises(RemoteProtocolError):
        end().receive_data(binary(entry["message"]))


# --- directory and nearby


@each("directory", "good")
def test_entries(entry: Json) -> None:
    data = vectors("directory")
    raw, relay = binary(entry["entry"]), Fingerprint(binary(data["relay"]))
    queue = [binary(entry[key]) for key in ("send_id", "send_key", "queue_key")]
    texts = entry["serial"], entry["not_after"], entry["name"], entry["about"]
    mine, bundle = finding.read_entry(raw, relay, data["now"])
    assert mine == finding.Entry(binary(entry["bundle"]), *texts, *queue)
    ours = Entry.decode(raw)
    ours.verify(relay, data["now"])
    assert ours.fingerprint == bundle.fingerprint
    assert ours.encode() == raw
    unsigned = Entry(Bundle.decode(binary(entry["bundle"])), *texts, *queue)
    assert unsigned.signed(ours.signature) == ours
    assert unsigned.needed(relay).fields == (ours.fingerprint, relay, mine.body())


@each("directory", "refused")
def test_entries_that_are_none(entry: Json) -> None:
    data = vectors("directory")
    raw, relay = binary(entry["entry"]), Fingerprint(binary(data["relay"]))
    with pytest.raises(Refused):
        finding.read_entry(raw, relay, data["now"])
    with pytest.raises(RemoteProtocolError):  # noqa: PT012 -- either of the two refuses
        found = Entry.decode(raw)
        found.verify(relay, data["now"])


@each("nearby", "good")
def test_announcements(entry: Json) -> None:
    fingerprint, name, txt = Fingerprint(binary(entry["fingerprint"])), entry["name"], binary(entry["txt"])
    assert finding.write_announcement(fingerprint, name) == txt
    assert finding.read_announcement(txt) == (fingerprint, name)
    assert Announcement(fingerprint, name).encode() == txt
    assert Announcement.decode(txt) == Announcement(fingerprint, name)


@each("nearby", "odd")
def test_announcements_of_others(entry: Json) -> None:
    fingerprint, name, txt = Fingerprint(binary(entry["fingerprint"])), entry["name"], binary(entry["txt"])
    assert finding.read_announcement(txt) == (fingerprint, name)
    assert Announcement.decode(txt) == Announcement(fingerprint, name)


@each("nearby", "passed over")
def test_announcements_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        finding.read_announcement(binary(entry["txt"]))
    with pytest.raises(RemoteProtocolError):
        Announcement.decode(binary(entry["txt"]))


@pytest.mark.parametrize("address", ["relay.example:1", "192.0.2.7", "[fe80::1%eth0]:1"])
def test_we_do_not_write_what_nobody_takes(address: str) -> None:
    with pytest.raises(LocalProtocolError):
        Pass(1, bytes(32), address).encode()
