"""Both implementations against the vectors of tests/vectors/sotto: primitives, people, invites, packets."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from messenger.core.errors import AddressError, CryptoError, RemoteProtocolError
from messenger.core.ids import Fingerprint, format_fingerprint, parse_fingerprint
from messenger.crypto import hkdf, xwing
from messenger.crypto.box import open_box, seal_box
from messenger.crypto.identity import Bundle
from messenger.crypto.identity import safety_number as our_safety_number
from messenger.crypto.rsa import Label, PublicKey, oaep_label, to_be_signed
from messenger.engine.chained import chained_of
from messenger.protocol import invite as our_invites
from messenger.protocol import packets as our_packets
from messenger.protocol import portraits as our_portraits
from messenger.protocol import puzzle as our_puzzle
from messenger.protocol.relay_invite import RelayInvite
from messenger.storage.chain import chain_hash
from tests.independent import identity, invites, packets, primitives, relay_links, schedule
from tests.independent.loaded import binary, loaded, vectors
from tests.independent.primitives import Refused
from tests.vectors import make_sotto
from tests.vectors.dice import Dice

Json = dict[str, Any]


def each(name: str, key: str) -> pytest.MarkDecorator:
    """One test for each entry of a list in a file."""
    entries = vectors(name)[key]
    ids = [str(entry.get("why") or entry.get("what") or entry.get("name") or "") for entry in entries]
    return pytest.mark.parametrize("entry", entries, ids=ids if all(ids) else None)


def test_the_script_writes_these_files() -> None:
    """A second run, with the second implementation alone, gives every byte again."""
    written = dict(make_sotto.files())
    stored = {path.stem for path in make_sotto.FOLDER.glob("*.json")} - {"keys"}
    assert set(written) == stored
    for name, content in written.items():
        assert make_sotto.text(content) == (make_sotto.FOLDER / f"{name}.json").read_text("utf-8"), name
        assert len(make_sotto.text(content)) < 300_000


def test_every_file_has_its_row() -> None:
    """Whoever looks for what a file is finds its name in one of the two lists."""
    folder = make_sotto.FOLDER.parent
    lists = [(place / "README.md").read_text("utf-8") for place in (folder, make_sotto.FOLDER)]
    files = [path for path in folder.rglob("*") if path.suffix in {".json", ".gz", ".txt"}]
    assert len(files) > 40
    for path in files:
        name = path.name.removesuffix(".gz").removesuffix(".json").removesuffix("_test")
        names = name, path.name, path.relative_to(folder).as_posix()
        assert any(f"`{one}`" in each for each in lists for one in names), path


MINE = (
    *("primitives", "identity", "invites", "stream", "schedule", "handshake", "channel", "lanes", "packets"),
    *("sealed", "ratchet", "sessions", "prekeys", "first"),
    *("relays", "relay_links", "circuits", "finding", "files"),
)


@pytest.mark.parametrize("name", MINE)
def test_the_second_implementation_is_one(name: str) -> None:
    """It uses neither the program nor the library that the program does its RSA with."""
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text("utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not {module.split(".")[0] for module in modules} & {"messenger", "Crypto"}
    assert all(module.split(".")[2] in MINE for module in modules if module.startswith("tests."))


def test_the_vectors_of_the_draft() -> None:
    path = make_sotto.FOLDER.parent / "drafts" / "xwing_test-vectors.json"
    for entry in json.loads(path.read_text("utf-8")):
        seed, coins, pk, ct, ss = (binary(entry[key]) for key in ("seed", "eseed", "pk", "ct", "ss"))
        assert primitives.xwing_public(seed) == pk
        assert primitives.xwing_decapsulate(seed, ct) == ss
        assert Dice(coins=[coins]).encapsulate(pk) == (ct, ss)
        found, secret = primitives.Chance().encapsulate(pk)
        assert primitives.xwing_decapsulate(seed, found) == secret


def test_primitives() -> None:
    data = vectors("primitives")
    for entry in data["lp"]:
        fields, result = [binary(field) for field in entry["fields"]], binary(entry["result"])
        assert primitives.lp(*fields) == hkdf.lp(*fields) == result
    for entry in data["Extract"]:
        salt, ikm, result = (binary(entry[key]) for key in ("salt", "ikm", "result"))
        assert primitives.extract(salt, ikm) == hkdf.extract(salt, ikm) == result
    for entry in data["Expand"]:
        k, ctx, result = (binary(entry[key]) for key in ("k", "ctx", "result"))
        n, label = entry["n"], entry["label"]
        assert primitives.expand(k, label, ctx, n) == hkdf.expand(k, label, ctx, n) == result
    for entry in data["box"]:
        k, th, pt, result = (binary(entry[key]) for key in ("k", "th", "pt", "result"))
        label = entry["label"]
        assert primitives.box(k, label, th, pt) == result
        assert primitives.unbox(k, label, th, result) == open_box(k, label, th, result) == pt
    for entry in data["TBS"]:
        fields, result = [binary(field) for field in entry["fields"]], binary(entry["result"])
        assert (
            primitives.TBS(entry["label"], *fields) == to_be_signed(Label(entry["label"]), fields) == result
        )
    for entry in data["OAEP label"]:
        th, result = binary(entry["th"]), binary(entry["result"])
        assert primitives.oaep_label(entry["label"], th) == oaep_label(entry["label"], th) == result


def test_each_box_has_a_key_of_its_own() -> None:
    (entry,) = [entry for entry in vectors("primitives")["box"] if entry["pt"]]
    k, th, pt, result = (binary(entry[key]) for key in ("k", "th", "pt", "result"))
    assert seal_box(k, entry["label"], th, pt) == result
    assert seal_box(k, "i0", th, pt) != result


@each("primitives", "XWing")
def test_xwing(entry: Json) -> None:
    seed, coins, pk, ct, ss = (binary(entry[key]) for key in ("seed", "coins", "pk", "ct", "ss"))
    pair = xwing.KeyPair.from_seed(seed)
    assert primitives.xwing_public(seed) == pair.public == pk
    assert primitives.xwing_decapsulate(seed, ct) == pair.decapsulate(ct) == ss
    with loaded(coins=[coins]):
        assert xwing.encapsulate(pk) == (ct, ss)


@each("primitives", "puzzle")
def test_puzzles(entry: Json) -> None:
    seed, m1, material = (binary(entry[key]) for key in ("seed", "m1", "material"))
    solution, bits = binary(entry["least solution"]), entry["bits"]
    assert schedule.puzzle(seed, m1) == our_puzzle.material(seed, m1) == material
    assert schedule.solve(material, bits) == our_puzzle.solve(material, bits).to_bytes(8, "big") == solution
    assert schedule.solves(material, bits, solution)
    assert our_puzzle.holds(material, bits, solution)


@each("identities", "people")
def test_people(entry: Json) -> None:
    now = vectors("identities")["now"]
    signing, exchange, raw = (binary(entry[key]) for key in ("signing modulus", "exchange modulus", "bundle"))
    fingerprint, written = binary(entry["fingerprint"]), entry["written"]
    assert identity.fingerprint(signing) == PublicKey.from_modulus(signing).fingerprint == fingerprint
    assert identity.write_fingerprint(fingerprint) == format_fingerprint(Fingerprint(fingerprint)) == written
    assert identity.read_fingerprint(written) == parse_fingerprint(written) == fingerprint
    mine, ours = identity.read_bundle(raw, now, {}), Bundle.decode(raw)
    ours.verify(now)
    assert ours.encode() == raw
    assert (
        (mine.signing, mine.exchange) == (ours.signing.modulus, ours.exchange.modulus) == (signing, exchange)
    )
    assert mine.not_before == ours.not_before == entry["not_before"]


def test_fingerprints_as_people_write_them() -> None:
    data = vectors("identities")
    fingerprint = binary(data["people"][0]["fingerprint"])
    for written in data["other ways to write the first fingerprint"]:
        assert identity.read_fingerprint(written) == parse_fingerprint(written) == fingerprint


@each("identities", "refused fingerprints")
def test_fingerprints_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        identity.read_fingerprint(entry["written"])
    with pytest.raises(AddressError):
        parse_fingerprint(entry["written"])


@each("identities", "safety numbers")
def test_safety_numbers(entry: Json) -> None:
    one, other = binary(entry["one"]), binary(entry["other"])
    assert identity.safety_number(one, other) == identity.safety_number(other, one) == entry["number"]
    assert our_safety_number(Fingerprint(one), Fingerprint(other)) == entry["number"]


@each("identities", "refused moduli")
def test_moduli_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        identity.check_modulus(binary(entry["modulus"]))
    with pytest.raises(CryptoError):
        PublicKey.from_modulus(binary(entry["modulus"]))


@each("identities", "good bundles")
def test_bundles(entry: Json) -> None:
    now, raw = vectors("identities")["now"], binary(entry["bundle"])
    identity.read_bundle(raw, now, {})
    Bundle.decode(raw).verify(now)


@each("identities", "refused bundles")
def test_bundles_that_are_none(entry: Json) -> None:
    now, raw = vectors("identities")["now"], binary(entry["bundle"])
    with pytest.raises(Refused):
        identity.read_bundle(raw, now, {})
    with pytest.raises(CryptoError):  # noqa: PT012 -- either of the two refuses
        bundle = Bundle.decode(raw)
        bundle.verify(now)


def test_an_older_certificate_than_was_seen() -> None:
    now, raw = vectors("identities")["now"], binary(vectors("identities")["people"][0]["bundle"])
    bundle = identity.read_bundle(raw, now, {})
    identity.read_bundle(raw, now, {bundle.fingerprint: bundle.not_before})
    with pytest.raises(Refused):
        identity.read_bundle(raw, now, {bundle.fingerprint: bundle.not_before + 1})


@each("invites", "good")
def test_invites(entry: Json) -> None:
    data = vectors("invites")
    fingerprint, secret = binary(data["fingerprint"]), binary(data["secret"])
    hints = tuple((hint["kind"], binary(hint["content"])) for hint in entry["hints"])
    mine = invites.Invite(fingerprint, secret, hints)
    assert invites.write_invite(mine) == entry["link"]
    assert invites.read_invite(entry["link"]) == mine
    assert mine.addresses == entry["addresses"]
    ours = our_invites.read_invite(entry["link"])
    assert (ours.fingerprint, ours.secret) == (fingerprint, secret)
    assert [str(address) for address in ours.addresses] == entry["addresses"]
    assert [place.encode() for place in ours.places] == [content for kind, content in hints if kind == 3]
    if len(hints) == len(entry["addresses"]) + len(ours.places):
        assert our_invites.write_invite(ours) == entry["link"]


def test_invites_as_programs_break_them() -> None:
    data = vectors("invites")
    link = data["good"][1]["link"]
    for other in data["other ways to write the second"]:
        assert invites.read_invite(other) == invites.read_invite(link)
        assert our_invites.read_invite(other) == our_invites.read_invite(link)


@each("relay-links", "good")
def test_links_of_relays(entry: Json) -> None:
    addresses = tuple(binary(each) for each in entry["addresses"])
    mine = relay_links.RelayLink(binary(entry["fingerprint"]), addresses)
    assert relay_links.write_relay_link(mine) == entry["link"]
    assert relay_links.read_relay_link(entry["link"]) == mine
    ours = RelayInvite.decode(entry["link"])
    assert (bytes(ours.fingerprint), tuple(str(each).encode() for each in ours.addresses)) == (
        mine.fingerprint,
        mine.addresses,
    )
    assert ours.encode() == entry["link"]


@each("relay-links", "refused")
def test_links_of_relays_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        relay_links.read_relay_link(entry["link"])
    with pytest.raises(AddressError):
        RelayInvite.decode(entry["link"])


@each("invites", "refused")
def test_invites_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        invites.read_invite(entry["link"])
    with pytest.raises(AddressError):
        our_invites.read_invite(entry["link"])


OUR_KINDS: dict[int, Any] = {
    1: our_packets.Hello,
    2: our_packets.Text,
    3: our_packets.Delivered,
    4: our_packets.Read,
    7: our_packets.Seed,
    8: our_packets.SeedAck,
    9: our_packets.LaneTicket,
    10: our_packets.Mailboxes,
    11: our_packets.Edit,
    12: our_packets.Delete,
    13: our_packets.React,
    14: our_packets.Typing,
    15: our_packets.Timer,
    16: our_packets.Offer,
    17: our_packets.Wish,
    30: our_packets.Addresses,
    31: our_portraits.PortraitNews,
    32: our_portraits.PortraitWanted,
    33: our_portraits.Portrait,
}
MY_KINDS: dict[int, Any] = {
    1: packets.Hello,
    2: packets.Text,
    3: packets.Delivered,
    4: packets.Read,
    7: packets.Seed,
    8: packets.SeedAck,
    9: packets.LaneTicket,
    10: packets.Mailboxes,
    11: packets.Edit,
    12: packets.Delete,
    13: packets.React,
    14: packets.Typing,
    15: packets.Timer,
    16: packets.Offer,
    17: packets.Wish,
    30: packets.Addresses,
    31: packets.PortraitNews,
    32: packets.PortraitWanted,
    33: packets.Portrait,
}
BINARY = {
    *((2, place) for place in (0, 2, 6)),
    *((kind, place) for kind in (11, 12, 13) for place in (0, 2, 4)),
    *((7, 0), (9, 0), (9, 1), (15, 0), (15, 2)),
    *((16, 0), (16, 2), (16, 4), (17, 0), (17, 6), (31, 0), (32, 0), (33, 0)),
}
"""Kind and place of the fields that are bytes; the ids of kinds 3 and 4, and places, are lists of them."""


def field(kind: int, place: int, value: Any) -> Any:  # noqa: ANN401 -- from JSON
    """A field as a packet holds it."""
    if kind in (3, 4, 10):
        return [binary(each) for each in value]
    return binary(value) if (kind, place) in BINARY else value


@each("packets", "good")
def test_packets(entry: Json) -> None:
    kind, content = entry["kind"], binary(entry["content"])
    fields = [field(kind, place, value) for place, value in enumerate(entry["fields"])]
    mine, ours = MY_KINDS[kind](*fields), OUR_KINDS[kind](*fields)
    assert packets.write_packet(mine) == our_packets.encode(ours) == content
    assert packets.read_packet(content) == mine
    assert our_packets.decode(content) == ours


def test_packets_of_later_versions() -> None:
    data = vectors("packets")
    first = next(binary(each["fields"][0][0]) for each in data["good"] if each["kind"] == 3)
    for content in map(binary, data["read like a Delivered with the first id"]):
        assert packets.read_packet(content) == packets.Delivered([first])
        assert our_packets.decode(content) == our_packets.Delivered([first])
    for content in map(binary, data["ignored"]):
        assert packets.read_packet(content) is None
        assert our_packets.decode(content) is None


@each("packets", "refused")
def test_packets_that_are_none(entry: Json) -> None:
    with pytest.raises(Refused):
        packets.read_packet(binary(entry["content"]))
    with pytest.raises(RemoteProtocolError):
        our_packets.decode(binary(entry["content"]))


@each("packets", "hashes of a chain")
def test_hashes_of_a_chain(entry: Json) -> None:
    mine, ours = packets.read_packet(binary(entry["content"])), our_packets.decode(binary(entry["content"]))
    assert isinstance(mine, packets.Chain)
    assert isinstance(ours, our_packets.ChainedPacket)
    assert mine.hash() == binary(entry["hash"])
    assert chain_hash(chained_of(ours)) == mine.hash()
