"""What the window says of relays: the question about a contact's, the list of all, the way that is in use."""

from collections.abc import Sequence
from typing import Final

from messenger.core.ids import format_fingerprint
from messenger.core.models import MessageState, Online, Presence, Route
from messenger.core.relays import Relay, RelayOnline, RelayUnreachable, RelayUse
from messenger.text.catalogue import _
from messenger.text.relays import state_words

TITLE: Final = _("Relays")
OPEN: Final = _("Relays…")
ABOUT: Final = _("Where people can write to you while you are away, or where you have no way to each other.")
TRAVEL: Final = _(
    "When you are both there, messages go from computer to computer, or through a relay if there is no other"
    " way. When one of you is away, they wait at a relay, sealed so that only the other can open them."
)
"""How messages travel."""
NONE: Final = _("You use no relay. Paste the link of one: its owner has it.")
LIST: Final = _("Relays that you know")
LINK: Final = _("Link of a relay")
TOKEN: Final = _("Token")
TOKEN_HINT: Final = _("Token, only if its owner gave you one")
ADD: Final = _("Add")
ADD_TITLE: Final = _("Use this relay?")
ADD_WORDS: Final = _(
    "Contacts and new invites are told that people can write to you there. The relay sees from where you"
    " call, when, and how much; it cannot read anything."
)
ADD_ACTION: Final = _("Use it")
NOT_NOW: Final = _("Not now")
NOT_A_RELAY: Final = _("That is no link of a relay. It begins with sotto://relay/")
REMOVE: Final = _("Remove…")
REMOVE_ACTION: Final = _("Remove")
REMOVE_WORDS: Final = _(
    "Nobody is told of it any more. What waits there is fetched first, and so is what is still written to you"
    " there, until nothing has come for three weeks. Who knows you from an old invite only cannot leave"
    " anything for you afterwards."
)
FORGET: Final = _("Forget now…")
FORGET_ACTION: Final = _("Forget it")
FORGET_WORDS: Final = _(
    "What still waits for you there, and what contacts write there before they hear of it, does not reach"
    " you."
)
ALLOW: Final = _("Use it")
REFUSE: Final = _("Do not use it")

_USES: Final[dict[RelayUse, str]] = {
    RelayUse.UNASKED: _("A contact can be reached there. You have not decided whether to use it"),
    RelayUse.ALLOWED: _("A contact can be reached there, and you use it for that"),
    RelayUse.REFUSED: _("A contact can be reached there. You do not use it"),
    RelayUse.OWN: _("People write to you there"),
    RelayUse.LEAVING: _("Removed; what is still written to you there is fetched"),
}

_PATHS: Final[dict[Route, str]] = {
    Route.DIRECT: _("Straight from computer to computer. Whoever runs a network between sees that you talk."),
    Route.LOCAL: _("Straight from computer to computer, inside your network."),
    Route.RELAY: _(
        "Through the relay {relay}. It sees from where you both call, when, and how much; it cannot read"
        " anything."
    ),
}
_WAITS: Final = _(
    "There is no link right now. What you write waits at the relay {relay}, which cannot read it."
)

_SILENT: Final = _(
    "There is no link right now, and the relay {relay} does not answer. What you write waits on this computer"
    " until it does."
)

STATE_WORDS: Final[dict[MessageState, str]] = {
    MessageState.QUEUED: _("Waiting to be sent. It is safe on this computer; Sotto tries again by itself."),
    MessageState.SENT: _(
        "Sent: it waits at a relay, which cannot read it. One tick. Nobody has it yet but the relay."
    ),
    MessageState.DELIVERED: _("Delivered: it is on their disk, and their computer said so. Two ticks."),
    MessageState.READ: _("Read: they have seen it. Two coloured ticks."),
}
"""What the tick beside a message of ours means, in the message info."""


def question(name: str, relay: Relay) -> str:
    """Ask whether a contact's relay may be connected to.

    Args:
        name: Of the contact, as shown.
        relay: Which.
    """
    words = _(
        "{name} can be reached through a relay that you have not used: {address}, fingerprint {fingerprint}."
        " The relay sees from where you call; it cannot read anything."
    )
    return words.format(name=name, address=relay.address, fingerprint=format_fingerprint(relay.fingerprint))


def standing(relay: Relay) -> str:
    """What a relay is to the person here, and whether there is a link with it."""
    use = _USES[relay.use]
    if relay.use in (RelayUse.OWN, RelayUse.LEAVING):
        return f"{use} · {state_words(relay.state)}"
    if relay.use is RelayUse.ALLOWED and isinstance(relay.state, RelayOnline):
        return f"{use} · {state_words(relay.state)}"
    return use


def sentence(relay: Relay) -> str:
    """A relay of the list as one sentence, for people who listen to the screen."""
    return f"{relay.address}: {standing(relay)}"


def removal(relay: Relay) -> str:
    """Ask whether a relay shall not be used any more."""
    return _("Stop using the relay {address}?").format(address=relay.address)


def forgetting(relay: Relay) -> str:
    """Ask whether a relay shall be forgotten with what lies there."""
    return _("Forget the relay {address} now?").format(address=relay.address)


def about_one(words: str, relay: Relay) -> str:
    """What a button beside a relay does, for people who listen to the screen.

    Args:
        words: What stands on it.
        relay: Beside which.
    """
    return f"{words.removesuffix('…')}: {relay.address}"


def added(relay: Relay) -> str:
    """Say how it stands with a relay that was just added."""
    if isinstance(relay.state, RelayOnline) and relay.state.refused is None:
        return _("Connected to {address}. People can write to you there from now on.").format(
            address=relay.address
        )
    return _("{address} is in your list. {state}").format(
        address=relay.address, state=state_words(relay.state)
    )


def path(presence: Presence, relays: Sequence[Relay]) -> tuple[str, str]:
    """The way that messages to somebody take right now: a picture, and what it means.

    Args:
        presence: Whether there is a link with them.
        relays: Where they can be written to.

    Returns:
        The name of the icon and a sentence or two; both empty if there is no way.
    """
    match presence:
        case Online(route=Route.RELAY, relay=relay):
            return "relay", _PATHS[Route.RELAY].format(relay=relay)
        case Online(route=route):
            return ("home" if route is Route.LOCAL else "connect"), _PATHS[route]
    waits = waiting_at(relays)
    usable = [relay.state for relay in relays if relay.use.connects]
    silent = all(isinstance(state, RelayUnreachable) and state.reason is not None for state in usable)
    return ("relay", (_SILENT if silent else _WAITS).format(relay=waits)) if waits else ("", "")


def waiting_at(relays: Sequence[Relay]) -> str:
    """The address of the relay where messages wait for somebody; empty if there is none."""
    usable = [relay for relay in relays if relay.use.connects]
    linked = [relay for relay in usable if isinstance(relay.state, RelayOnline)]
    return (linked or usable)[0].address if usable else ""


def left_at(name: str, address: str) -> str:
    """Say that somebody is away, and what becomes of messages to them.

    Args:
        name: Who, as shown.
        address: Of the relay that their invite names.
    """
    return _("{name} is not there right now. Your message waits at the relay {address}.").format(
        name=name, address=address
    )
