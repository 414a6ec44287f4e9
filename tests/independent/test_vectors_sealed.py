"""Both implementations against the vectors of tests/vectors/sotto: sealed messages."""

from typing import Any

import pytest

from messenger.core.ids import Fingerprint, MessageId
from messenger.crypto.hkdf import expand as our_expand
from messenger.crypto.identity import Bundle
from messenger.protocol import payload, sealed_opening
from messenger.protocol import ratchet as our_ratchet
from messenger.protocol.prekeys import LAST_RESORT, Prekey, PrekeyList, Recipient, SecretPrekey, draft_list
from messenger.protocol.ratchet_state import Session
from messenger.protocol.seal import CONTENT_MAX, ENVELOPE_OVERHEAD, Kind, disclose, enclose
from tests.helpers.keys import identity as our_identity
from tests.independent import first, prekeys, sealed
from tests.independent.identity import read_bundle
from tests.independent.loaded import Drawer, binary, loaded, vectors
from tests.independent.meeting import FAULTS, private_key
from tests.independent.primitives import Chance, expand, xwing_public
from tests.independent.ratchet import Ratchet, session_of_link
from tests.independent.two_sealers import mine_of
from tests.vectors import sotto_sealed
from tests.vectors.dice import Dice
from tests.vectors.sotto_people import person

Json = dict[str, Any]


def each(name: str, key: str) -> pytest.MarkDecorator:
    """One test for each entry of a list in a file."""
    entries = vectors(name)[key]
    return pytest.mark.parametrize(
        "entry", entries, ids=[entry.get("why") or entry["what"] for entry in entries]
    )


# --- envelopes


def queue() -> bytes:
    return binary(vectors("envelopes")["queue key"])


def test_the_key_and_the_sizes_of_envelopes() -> None:
    data = vectors("envelopes")
    assert expand(queue(), "envelope") == our_expand(queue(), "envelope", b"", 32) == binary(data["key"])
    for entry in data["sizes"]:
        content, size = bytes(entry["content"]), entry["envelope"]
        assert len(sealed.write_envelope(queue(), 1, content, Chance())) == size
        assert len(enclose(queue(), Kind.MESSAGE, content)) == size
    assert data["sizes"][-1]["content"] == CONTENT_MAX == 262144 - ENVELOPE_OVERHEAD


@each("envelopes", "good")
def test_envelopes(entry: Json) -> None:
    content, nonce, envelope = (binary(entry[key]) for key in ("content", "nonce", "envelope"))
    assert sealed.write_envelope(queue(), entry["kind"], content, Dice(random=[nonce])) == envelope
    assert enclose(queue(), Kind(entry["kind"]), content, Drawer([nonce])) == envelope
    opened = (entry["kind"], content)
    assert sealed.read_envelope(queue(), envelope) == disclose(queue(), envelope) == opened


def test_an_envelope_larger_than_needed() -> None:
    entry = vectors("envelopes")["good, though larger than needed"]
    opened, envelope = (entry["kind"], binary(entry["content"])), binary(entry["envelope"])
    assert sealed.read_envelope(queue(), envelope) == disclose(queue(), envelope) == opened


@each("envelopes", "refused")
def test_envelopes_that_are_dropped(entry: Json) -> None:
    envelope = binary(entry["envelope"])
    with pytest.raises(FAULTS):
        sealed.read_envelope(queue(), envelope)
    with pytest.raises(FAULTS):
        disclose(queue(), envelope)


# --- sessions


def as_written(state: Json) -> Json:
    """A state as it stands in a file."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in state.items()}


def play(data: Json, mine: dict[str, Ratchet], ours: dict[str, Session]) -> None:
    """Both implementations do every step, and are where the file says after it."""
    messages: list[bytes] = []
    check_states(data["states at the beginning"], mine, ours)
    for step in data["steps"]:
        side = step["side"]
        if step["do"] == "seal":
            message = binary(step["message"])
            assert mine_seals(mine[side], step) == message
            ours[side], sent = ours_seals(ours[side], step)
            assert sent == message
            messages.append(message)
        else:
            message = arriving(messages, step)
            ours[side] = opens(mine[side], ours[side], message, step)
        check_states({side: step["state"]}, mine, ours)


def check_states(expected: Json, mine: dict[str, Ratchet], ours: dict[str, Session]) -> None:
    for side, state in expected.items():
        assert as_written(sotto_sealed.state(mine[side])) == state
        assert as_written(sotto_sealed.state(mine_of(ours[side]))) == state


def mine_seals(ratchet: Ratchet, step: Json) -> bytes:
    draws = {name: binary(value) for name, value in step["draws"].items()}
    random = [draws[name] for name in ("xwing_seed", "nonce") if name in draws]
    dice = Dice(random=random, coins=[draws[name] for name in ("coins",) if name in draws])
    message = ratchet.seal(binary(step["payload"]), dice)
    assert dice.left == 0
    return message


def ours_seals(session: Session, step: Json) -> tuple[Session, bytes]:
    draws = {name: binary(value) for name, value in step["draws"].items()}
    drawer = Drawer([draws[name] for name in ("xwing_seed", "nonce") if name in draws])
    with loaded(coins=[draws[name] for name in ("coins",) if name in draws]):
        return our_ratchet.seal(session, binary(step["payload"]), drawer)


def arriving(messages: list[bytes], step: Json) -> bytes:
    """A message as it arrives: a forged one, or one of those sealed, perhaps changed on its way."""
    if "message" in step:
        return binary(step["message"])
    message = messages[step["number"]]
    if "changed at" not in step:
        return message
    at, new = step["changed at"], binary(step["to"])
    return message[:at] + new + message[at + len(new) :]


def opens(mine: Ratchet, ours: Session, message: bytes, step: Json) -> Session:
    """Both open it, or both drop it; returns the program's session."""
    if step["do"] == "open":
        ours, payload = our_ratchet.unseal(ours, message, step["at"])
        assert payload == mine.open(message, step["at"]) == binary(step["payload"])
        return ours
    with pytest.raises(FAULTS):
        mine.open(message, step["at"])
    with pytest.raises(FAULTS):
        our_ratchet.unseal(ours, message, step["at"])
    return ours


def test_a_session_through_loss_and_reordering() -> None:
    data = vectors("sealed-session")
    people = {side: binary(data[f"FP_{side}"]) for side in "AB"}
    secrets = {"seal sid": data["sid"]} | {f"seal {way}": data[f"root {way}"] for way in ("A>B", "B>A")}
    seeds = {side: binary(data["seeds"][side]) for side in "AB"}
    mine, ours = dict[str, Ratchet](), dict[str, Session]()
    for side, other in ("AB", "BA"):
        public, initiator = xwing_public(seeds[other]), side == "A"
        mine[side] = session_of_link(
            lambda label: binary(secrets[label]),
            people[side],
            people[other],
            seeds[side],
            public,
            initiator=initiator,
        )
        ours[side] = our_ratchet.seeded(
            lambda label, _: binary(secrets[label]),
            initiator=initiator,
            own=Fingerprint(people[side]),
            peer=Fingerprint(people[other]),
            seed=seeds[side],
            public=public,
        )
    play(data, mine, ours)
    done = {step["do"] for step in data["steps"]}
    assert done == {"seal", "open", "drop"}
    assert max(ratchet.e_s for ratchet in mine.values()) >= 3


# --- prekeys


def our_prekey(entry: Json, made: int) -> SecretPrekey:
    return SecretPrekey(binary(entry["id"]), entry["flags"], binary(entry["seed"]), made)


def test_a_list_of_prekeys() -> None:
    data = vectors("prekeys")
    listed, me, now = binary(data["list"]), person(data["person"]), data["now"]
    mine, ours = [], []
    for entry in data["prekeys"]:
        id_, seed = binary(entry["id"]), binary(entry["seed"])
        mine.append(prekeys.Prekey(id_, entry["flags"], xwing_public(seed)))
        ours.append(our_prekey(entry, now))
        assert mine[-1].write() == ours[-1].public.encode() == binary(entry["prekey"])
        assert mine[-1].hash == ours[-1].public.hash == binary(entry["hash"])
    dice = Dice(salts=[binary(data["salt"])])
    assert prekeys.write_list(me, data["serial"], data["not_after"], mine, dice) == listed
    draft = draft_list(Bundle.decode(me.bundle), data["serial"], ours, now)
    signature = PrekeyList.decode(listed).signature
    assert draft.signed(signature).encode() == listed
    draft.unsigned.bundle.signing.verify(draft.needed.label, draft.needed.fields, signature)
    for prekey in ours:
        assert takes(listed, prekey.public.encode())
        assert prekey.last_resort == (prekey.flags == LAST_RESORT)


def takes(listed: bytes, prekey: bytes) -> bool:
    """Whether a list and a prekey are taken; both implementations say the same."""
    data = vectors("prekeys")
    who, now, pinned = person(data["person"]).fingerprint, data["now"], data["highest serial seen"]
    shelf = prekeys.Shelf()
    shelf.highest[who] = pinned
    try:
        taken = shelf.take(who, listed, prekey, now)
    except FAULTS:
        with pytest.raises(FAULTS):
            PrekeyList.decode(listed).choose(Prekey.decode(prekey), Fingerprint(who), now, pinned)
        return False
    chosen = PrekeyList.decode(listed).choose(Prekey.decode(prekey), Fingerprint(who), now, pinned)
    assert taken[0].raw == chosen.bundle.encode()
    assert taken[1].write() == chosen.prekey.encode() == prekey
    return True


@each("prekeys", "good")
def test_lists_that_are_good(entry: Json) -> None:
    assert takes(binary(entry["list"]), binary(vectors("prekeys")["prekeys"][0]["prekey"]))


@each("prekeys", "refused")
def test_lists_and_prekeys_that_nobody_uses(entry: Json) -> None:
    assert not takes(binary(entry["list"]), binary(entry["prekey"]))


# --- a first contact


def held() -> tuple[first.Held, SecretPrekey]:
    """The reader's prekey in both implementations."""
    entry = vectors("first-contact")["prekey"]
    id_, seed = binary(entry["id"]), binary(entry["seed"])
    prekey = prekeys.Prekey(id_, entry["flags"], xwing_public(seed))
    return first.Held(prekey, seed, entry["made"]), our_prekey(entry, entry["made"])


def my_mailbox() -> first.Mailbox:
    data, (mine, _) = vectors("first-contact"), held()
    keys = [private_key(data["reader"], "exchange")]
    return first.Mailbox(person(data["reader"]), keys, {mine.prekey.id: mine})


def our_claim(contact: bytes) -> sealed_opening.Claim:
    data = vectors("first-contact")
    me = our_identity(data["reader"])
    unwrapping = sealed_opening.Letter.decode(contact).unwrapping(held()[1], me.fingerprint, data["now"])
    needed = unwrapping.needed
    return unwrapping.unwrapped(me.exchange.unwrap(needed.label, needed.ciphertext))


def my_writing(data: Json) -> tuple[bytes, Ratchet]:
    draws = {name: binary(value) for name, value in data["draws"].items()}
    dice = Dice(
        random=[draws["s"], draws["ratchet_seed"]],
        coins=[draws["coins"]],
        seeds=[draws["oaep_seed"]],
        salts=[draws["salt"]],
    )
    letter = first.Letter(
        binary(data["payload"]),
        binary(data["msg_id"]),
        data["sent_ms"],
        data["rank"],
        binary(data["invite secret"]),
    )
    whom = read_bundle(person(data["reader"]).bundle, data["now"], {})
    return first.write_first(person(data["writer"]), whom, held()[0].prekey, letter, dice)


def our_writing(data: Json) -> tuple[bytes, Session]:
    """The program writes; what it has to sign gets the signature with the salt of the file."""
    draws = {name: binary(value) for name, value in data["draws"].items()}
    with loaded(coins=[draws["coins"]], seeds=[draws["oaep_seed"]]):
        draft = sealed_opening.begin(
            Bundle.decode(person(data["writer"]).bundle),
            Recipient(Bundle.decode(person(data["reader"]).bundle), held()[1].public, 0),
            message_id=MessageId(binary(data["msg_id"])),
            sent_ms=data["sent_ms"],
            rank=data["rank"],
            payload=binary(data["payload"]),
            invite_secret=binary(data["invite secret"]),
            entropy=Drawer([draws["s"], draws["ratchet_seed"]]),
        )
    key = private_key(data["writer"], "signing")
    signature = Dice(salts=[draws["salt"]]).sign(key, draft.needed.label, *draft.needed.fields)
    return draft.signed(signature), draft.session


def test_a_first_contact() -> None:
    data = vectors("first-contact")
    contact = binary(data["first contact"])
    (my_contact, writer), (our_contact, our_writer) = my_writing(data), our_writing(data)
    assert my_contact == our_contact == contact
    opened = my_mailbox().take(contact, data["now"])
    assert opened is not None
    claim, secret = our_claim(contact), binary(data["invite secret"])
    assert opened.proves(secret)
    assert claim.invited(secret)
    assert opened.proof == binary(data["values"]["proof"])
    accepted = claim.accept(stranger=False)
    assert opened.letter.payload == accepted.payload == binary(data["payload"])
    said = [getattr(packet, "text", "") for packet in sealed.read_payload(accepted.payload)]
    assert (
        said == [getattr(packet, "text", "") for packet in payload.decode(accepted.payload)] == data["texts"]
    )
    assert opened.letter.rank == accepted.rank == data["rank"]
    assert accepted.used_prekey == binary(data["prekey"]["id"])
    k0 = binary(data["values"]["k0"])
    for label, value in (("seal sid", "sid"), ("seal A>B", "root A>B"), ("seal B>A", "root B>A")):
        assert expand(k0, label) == binary(data[value])
    play(data, {"A": writer, "B": opened.session}, {"A": our_writer, "B": accepted.session})


@each("first-contact", "good")
def test_first_contacts_at_the_borders_of_time(entry: Json) -> None:
    contact = binary(entry["first contact"])
    assert my_mailbox().take(contact, vectors("first-contact")["now"]) is not None
    our_claim(contact)


@each("first-contact", "refused")
def test_first_contacts_that_are_dropped(entry: Json) -> None:
    box, contact = my_mailbox(), binary(entry["first contact"])
    with pytest.raises(FAULTS):
        box.take(contact, vectors("first-contact")["now"])
    assert len(box.held) == 1, "the prekey stays"
    with pytest.raises(FAULTS):
        our_claim(contact)
