"""The life of a message, and what a contact is called."""

import inspect

import pytest

from messenger.core import errors
from messenger.core.errors import ConnectError, InputError, InputProblem, Reason, SottoError
from messenger.core.ids import ConversationId, Fingerprint, format_fingerprint
from messenger.core.models import AFTER, Contact, MessageState, Standing

OURS = frozenset(MessageState) - {MessageState.UNREAD, MessageState.SEEN}


def test_every_state_has_its_row() -> None:
    assert AFTER.keys() == set(MessageState)


def test_ours_stay_ours_and_theirs_theirs() -> None:
    for state, later in AFTER.items():
        assert (later <= OURS) == (state in OURS) or not later


def test_no_state_follows_itself() -> None:
    assert not [state for state, later in AFTER.items() if state in later]


def test_nothing_that_arrived_is_taken_back() -> None:
    arrived = {MessageState.DELIVERED, MessageState.READ}
    for state in arrived:
        assert AFTER[state] <= arrived


def test_every_state_of_ours_can_end_well() -> None:
    for state in OURS - {MessageState.READ}:
        assert MessageState.READ in AFTER[state]


def _contact(**fields: str) -> Contact:
    return Contact(
        id=ConversationId(1),
        fingerprint=Fingerprint(bytes(32)),
        name=fields.get("name", ""),
        alias=fields.get("alias", ""),
        standing=Standing.ACCEPTED,
        created_ms=0,
    )


def test_title() -> None:
    assert _contact(name="Bob", alias="Bobby").title == "Bobby"
    assert _contact(name="Bob").title == "Bob"
    assert format_fingerprint(Fingerprint(bytes(32))).startswith(_contact().title)
    assert _contact().title


def test_stored_numbers_stay_what_they_are() -> None:
    """They are in people's databases."""
    assert [(state.name, int(state)) for state in MessageState] == [
        ("QUEUED", 1),
        ("SENT", 2),
        ("DELIVERED", 3),
        ("READ", 4),
        ("FAILED", 5),
        ("UNREAD", 6),
        ("SEEN", 7),
    ]
    assert [(standing.name, int(standing)) for standing in Standing] == [
        ("REQUEST", 1),
        ("ACCEPTED", 2),
        ("BLOCKED", 3),
    ]


ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", ERRORS)
def test_one_tree(kind: type[Exception]) -> None:
    assert issubclass(kind, SottoError)
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.__doc__


def test_errors_carry_what_explains_them() -> None:
    assert ConnectError(Reason.NOBODY, "host:1").reason is Reason.NOBODY
    assert str(ConnectError(Reason.NOBODY, "host:1")) == "nobody: host:1"
    assert str(ConnectError(Reason.NOBODY)) == "nobody"
    assert InputError(InputProblem.EMPTY).detail == ""
    assert str(InputError(InputProblem.BAD_PORT, "0")) == "bad port: 0"
