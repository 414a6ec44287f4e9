"""Both implementations against the vectors of tests/vectors/sotto: handshakes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from messenger.core.ids import Fingerprint
from messenger.crypto.identity import Bundle
from messenger.protocol import initiator, keyschedule, responder
from messenger.protocol.messages import Caps
from tests.helpers.keys import identity as our_identity
from tests.independent.handshake import Dial, Host, Initiator, Responder
from tests.independent.loaded import Drawer, Party, binary, loaded, vectors
from tests.independent.meeting import FAULTS
from tests.independent.primitives import Chance
from tests.independent.schedule import Common
from tests.vectors.sotto_links import CASES, load
from tests.vectors.sotto_people import person

Json = dict[str, Any]
DRAWS = ("retry_seed", "xwing_seed", "nonce", "tag", "s_i", "s_r")


def draws(side: Json) -> dict[str, bytes]:
    """What a side draws."""
    return {name: binary(value) for name, value in side["draws"].items()}


def my_initiator(data: Json) -> Initiator:
    side = data["initiator"]
    common = Common(data["now"], chance=load(draws(side)), relay=binary(side["relay"]))
    me = person(side["name"]) if side["name"] else None
    assert (me.bundle if me else b"") == binary(side["bundle"])
    return Initiator(
        Dial(
            common,
            me,
            binary(side["dials"]) or None,
            knock=binary(side["knock"]),
            secret=binary(side["invite secret"]),
            continues=binary(side["continues"]),
            features=side["features"],
        )
    )


def my_responder(data: Json) -> Responder:
    side = data["responder"]
    common = Common(data["now"], chance=load(draws(side)), relay=binary(side["relay"]))
    host = Host(common, person(side["name"]), side["open door"], side["anonymous"], side["bits"])
    host.knocks = [binary(knock) for knock in side["knocks"]]
    assert host.me.bundle == binary(side["bundle"])
    return Responder(host)


def drawer(side: Json) -> Drawer:
    """Those draws of a side that the program's handshake asks its own entropy for."""
    found = draws(side)
    return Drawer(found[name] for name in DRAWS if name in found)


def our_initiator(data: Json) -> Party:
    side = data["initiator"]
    handshake = initiator.Initiator(
        Bundle.decode(binary(side["bundle"])) if side["name"] else None,
        data["now"],
        expected=Fingerprint(binary(side["dials"])) if side["dials"] else None,
        caps=Caps(
            relay=binary(side["relay"]), features=side["features"], continues=binary(side["continues"])
        ),
        invite_secret=binary(side["invite secret"]),
        knock=binary(side["knock"]),
        entropy=drawer(side),
    )
    keys = our_identity(side["name"]) if side["name"] else None
    return Party(handshake, keys, binary(data["values"].get("sig_i", "")))


def our_responder(data: Json) -> Party:
    side = data["responder"]
    handshake = responder.Responder(
        Bundle.decode(binary(side["bundle"])),
        data["now"],
        open_door=side["open door"],
        caps=Caps(relay=binary(side["relay"])),
        anonymous=side["anonymous"],
        puzzle_bits=side["bits"] or 0,
        knocks=[binary(knock) for knock in side["knocks"]],
        entropy=drawer(side),
    )
    return Party(handshake, our_identity(side["name"]), binary(data["values"]["sig_r"]))


@contextmanager
def dice_of(data: Json, *sides: str) -> Iterator[None]:
    """What the libraries draw for the program in these roles, in the order in which they draw it."""
    found = [draws(data[side]) for side in sides]
    with loaded(
        [each["coins"] for each in found if "coins" in each],
        [each["oaep_seed"] for each in found if "oaep_seed" in each],
    ):
        yield


HANDSHAKES = pytest.mark.parametrize("name", [f"handshake-{case.name}" for case in CASES])


def replay(party: Party | Initiator | Responder, role: str, messages: list[Json]) -> None:
    """Give a party what the other says; it must say the rest."""
    for entry in messages:
        message = binary(entry["message"])
        if entry["from"] == role:
            assert party.sent() == message
        else:
            party.receive(message)
    assert party.sent() == b""


@HANDSHAKES
def test_my_handshakes(name: str) -> None:
    data = vectors(name)
    one, other = my_initiator(data), my_responder(data)
    replay(one, "I", data["messages"])
    replay(other, "R", data["messages"])
    for party in (one, other):
        assert party.session is not None
        for value, expected in data["values"].items():
            assert getattr(party.session.schedule, value) == binary(expected), value
        for entry in data["exporters"]:
            assert party.session.exporter(entry["label"], binary(entry["ctx"])) == binary(entry["value"])


@HANDSHAKES
def test_our_handshakes(name: str) -> None:
    data = vectors(name)
    with dice_of(data, "initiator"):
        one = our_initiator(data)
        replay(one, "I", data["messages"])
    with dice_of(data, "responder"):
        other = our_responder(data)
        replay(other, "R", data["messages"])
    values = {name: binary(value) for name, value in data["values"].items()}
    for party in (one, other):
        assert party.established is not None
        secrets = party.established.secrets
        assert secrets.from_initiator == values["ts_i"]
        assert secrets.from_responder == values["ts_r"]
        assert secrets.rekey == values["rk"]
        assert secrets.exporter == values["exp"]
        for entry in data["exporters"]:
            exported = keyschedule.export(secrets.exporter, entry["label"], binary(entry["ctx"]))
            assert exported == binary(entry["value"])


@HANDSHAKES
def test_our_key_schedule(name: str) -> None:
    """Every value between, from the functions that the program's handshake is made of."""
    data = vectors(name)
    values = {name: binary(value) for name, value in data["values"].items()}
    bodies = [binary(entry["message"])[4:] for entry in data["messages"]]
    first, retried = bodies[0], b""
    if data["messages"][1]["type"] == "RETRY":
        retried, first = keyschedule.retried(*bodies[:2]), bodies[2]
        bodies = bodies[2:]
    th1 = keyschedule.after_hello(first, bodies[1][: 35 + 1120], retried)
    th2 = keyschedule.after(th1, values["box0"])
    th3 = keyschedule.after(th2, values["boxa"])
    th4 = keyschedule.after(th3, values["boxb"])
    th5 = keyschedule.after(th4, values["boxc"])
    th6 = keyschedule.after(th5, values["fin_r"])
    for number, th in enumerate((th1, th2, th3, th4, th5, th6), 1):
        assert th == values[f"th{number}"]
    hs0 = keyschedule.first_secret(th1, values["ss"])
    hs1 = keyschedule.next_secret(hs0, values["s_i"], th3)
    ms = keyschedule.next_secret(hs1, values["s_r"], th5)
    assert (hs0, hs1, ms) == (values["hs0"], values["hs1"], values["ms"])
    fin_r, fin_i = keyschedule.finished(ms, "R", th5), keyschedule.finished(ms, "I", th6)
    assert (fin_r, fin_i) == (values["fin_r"], values["fin_i"])
    assert keyschedule.link_secrets(ms, th6).exporter == values["exp"]


def entries(kind: str) -> list[Any]:
    """Number of a message, and what stands in its place."""
    return [
        pytest.param(number, entry, id=f"M{number + 1} {entry.get('why') or entry['what']}")
        for number in range(5)
        for entry in vectors(f"refused-M{number + 1}")[kind]
    ]


def in_its_place(number: int) -> tuple[Initiator | Responder, Party]:
    """Whoever gets a message, in both implementations, just before it comes."""
    data = vectors("handshake-contact")
    role = "IR"[number % 2 == 0]
    mine = my_responder(data) if role == "R" else my_initiator(data)
    ours = our_responder(data) if role == "R" else our_initiator(data)
    with dice_of(data, "responder" if role == "R" else "initiator"):
        for party in (mine, ours):
            replay(party, role, data["messages"][:number])
    mine.common.chance = Chance()
    ours.signature = b""
    return mine, ours


@pytest.mark.parametrize(("number", "entry"), entries("refused"))
def test_messages_that_are_refused(number: int, entry: Json) -> None:
    mine, ours = in_its_place(number)
    for party in (mine, ours):
        with pytest.raises(FAULTS):
            party.receive(binary(entry["message"]))
        assert party.sent() == b""
    assert mine.session is None
    assert ours.established is None


@pytest.mark.parametrize(("number", "entry"), entries("good"))
def test_messages_that_are_odd(number: int, entry: Json) -> None:
    """What the makers of bad messages make is good as long as nothing is bad on purpose."""
    mine, ours = in_its_place(number)
    for party in (mine, ours):
        party.receive(binary(entry["message"]))
    if number < 4:
        assert mine.sent()[:1] == ours.sent()[:1] == bytes((number + 2,))
    else:
        assert mine.session
        assert ours.established


@pytest.mark.parametrize("entry", vectors("refused-M1")["heads"], ids=lambda entry: str(entry["why"]))
def test_heads_that_are_refused(entry: Json) -> None:
    for party in in_its_place(0):
        with pytest.raises(FAULTS):
            party.receive(binary(entry["head"]))
