"""Two people before two real windows, in two processes, on one display."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.person import Person, prepare

pytestmark = pytest.mark.xdist_group("display")

EMOJI: Final = "Tea at five? 🫖👩‍👩‍👧‍👦"
RIGHT_TO_LEFT: Final = "שלום, מה שלומך?"
LONG: Final = "word " * 2_000
BACK: Final = "Yes, gladly"


@contextmanager
def both(folder: Path) -> Iterator[tuple[Person, Person]]:
    with ExitStack() as stack:
        alice, bob = (
            stack.enter_context(Person(folder / who, folder / f"{who}.log")) for who in ("alice", "bob")
        )
        yield alice, bob


def address_of(person: Person) -> str:
    person.do("click", "Host")
    seen = person.do("read", "127.0.0.1:")
    person.do("click", "Done")
    return next(found.group() for text in seen if (found := re.search(r"127\.0\.0\.1:\d+", text)))


def send(person: Person, text: str) -> None:
    person.do("write", "Write a message", text)
    person.do("press", "Write a message", "Return")


def test_two_people_meet_by_address_and_talk_and_find_it_all_after_a_restart(tmp_path: Path) -> None:
    prepare(tmp_path / "alice", "alice", "Alice")
    prepare(tmp_path / "bob", "bob", "Bob")
    with both(tmp_path) as (alice, bob):
        address = address_of(bob)
        alice.do("click", "Connect")
        alice.do("write", "Address or invite link", address)
        alice.do("press", "Address or invite link", "Return")
        alice.do("read", "Is this the person you expect")
        alice.do("click", "It is them, go on")
        bob.do("choose", "Conversations", "Alice")
        bob.do("read", "Alice wants to talk to you")
        bob.do("click", "Accept")
        alice.do("rows", "Conversations", "Bob")

        send(alice, EMOJI)
        send(alice, RIGHT_TO_LEFT)
        bob.do("rows", "Messages", EMOJI, RIGHT_TO_LEFT)
        send(bob, BACK)
        send(bob, LONG)
        alice.do("rows", "Messages", BACK, LONG.strip())
        send(alice, "   ")  # empty: refused, and nothing is lost or sent
        before = [row for row in alice.do("rows", "Messages") if row]
        alice.leave()
        bob.leave()
    with both(tmp_path) as (alice, bob):
        for person, other in ((alice, "Bob"), (bob, "Alice")):
            person.do("choose", "Conversations", other)
            person.do("rows", "Messages", EMOJI, RIGHT_TO_LEFT, BACK, LONG.strip())
        assert len([row for row in alice.do("rows", "Messages") if row]) == len(before)
        send(bob, "Back again")
        alice.do("rows", "Messages", "Back again")
        alice.leave()
        bob.leave()
