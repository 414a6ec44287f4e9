"""Sentences about relays that one uses: `sotto relays`, `/relay` in a conversation, and the window."""

from typing import Final

from messenger.core.errors import ConnectError, Reason, RelayError
from messenger.core.ids import format_fingerprint
from messenger.core.relays import Relay, RelayConnecting, RelayOnline, RelayState, RelayUnreachable, RelayUse
from messenger.text.catalogue import _
from messenger.text.errors import explain

HELP: Final = _("The relays at which people write to you while you are away, or that you have no way to.")
HELP_ADD: Final = _(
    "Use a relay from now on. LINK is what its owner gave you; contacts are told that they can write to you"
    " there."
)
HELP_LIST: Final = _("Show the relays that you use, and those of your contacts.")
HELP_REMOVE: Final = _(
    "Do not use a relay any more. What is still written to you there is fetched for three weeks. RELAY is its"
    " address or its fingerprint, as the list shows them."
)
OPTION_TOKEN: Final = _("What the owner of the relay asks for, if anything.")
OPTION_NOW: Final = _("Forget it at once, with whatever may lie there.")

NONE: Final = _("You use no relay. Add one with: sotto relays add LINK")
UNKNOWN: Final = _("There is no such relay in the list.")
AMBIGUOUS: Final = _("More than one relay has this address: give the fingerprint.")
CHAT_USAGE: Final = _("Type /relay add and the link of the relay, which its owner has.")
COMMAND: Final = _("use a relay: /relay add and its link")

USES: Final[dict[RelayUse, str]] = {
    RelayUse.UNASKED: _("a contact's; you have not decided whether to use it"),
    RelayUse.ALLOWED: _("a contact's"),
    RelayUse.REFUSED: _("a contact's; you do not use it"),
    RelayUse.OWN: _("yours"),
    RelayUse.LEAVING: _("was yours; what is still written to you there is fetched"),
}
"""What a relay is to whoever reads this."""


_OTHER: Final = _(
    "Something else answers there. Check address and fingerprint, or ask its owner for the link."
)
_SILENT: Final[dict[Reason, str]] = {
    Reason.NOBODY: _("Nobody answers there: the relay is off, or its address has changed. Ask its owner."),
    Reason.TIMEOUT: _("It does not answer: the relay is off, or a firewall is in the way. Ask its owner."),
    Reason.UNREACHABLE: _("There is no way to it from here. Check that this computer is on a network."),
    Reason.REFUSED: _(
        "It hung up: it is full, or it is another one. Check address and fingerprint, or ask its owner for"
        " the link."
    ),
    Reason.NOT_SOTTO: _OTHER,
    Reason.WRONG_PERSON: _OTHER,
    Reason.BUSY: _("It has no room for more connections right now."),
    Reason.BROKEN: _("What comes from it does not hold. Check date and time of this computer."),
    Reason.CLOSED: _("It was stopped."),
    Reason.INTERRUPTED: _("The connection was cut."),
}
"""Why there is no link with a relay."""
_AGAIN: Final = _("Sotto tries again by itself.")


def state_words(state: RelayState) -> str:
    """Say whether there is a link with a relay, and if not, why."""
    match state:
        case RelayOnline(refused=problem) if problem is not None:
            return explain(RelayError(problem))
        case RelayOnline():
            return _("Connected")
        case RelayConnecting():
            return _("Connecting…")
        case RelayUnreachable(reason=reason) if reason is not None:
            return " ".join((_SILENT.get(reason) or explain(ConnectError(reason)), _AGAIN))
    return _("Not connected")


def row(relay: Relay) -> str:
    """A relay of the list."""
    head = f"{relay.address}  {USES[relay.use]}"
    if relay.use in (RelayUse.OWN, RelayUse.LEAVING):
        head = f"{head}  {state_words(relay.state)}"
    return f"{head}\n    {format_fingerprint(relay.fingerprint)}"


def added(relay: Relay, *, opened: bool = True) -> str:
    """Say that a relay is used from now on, and whether there is a link with it.

    Args:
        relay: As it stands.
        opened: Whether it has made a place for what strangers write.
    """
    if isinstance(relay.state, RelayOnline) and relay.state.refused is None and not opened:
        return _(
            "Connected to {address}, but it has made no place for invites yet. Sotto tries again by itself"
            " while it runs."
        ).format(address=relay.address)
    if isinstance(relay.state, RelayOnline) and relay.state.refused is None:
        return _("Connected to {address}. People can write to you there from now on.").format(
            address=relay.address
        )
    if isinstance(relay.state, RelayOnline):
        return _("{address} is in your list, but nobody can write to you there yet: {why}").format(
            address=relay.address, why=state_words(relay.state)
        )
    return _("{address} is in your list, but it does not answer yet: {why}").format(
        address=relay.address, why=state_words(relay.state)
    )


def unreached(relay: Relay) -> str:
    """Say that what is written to somebody does not even leave for the relay where it would wait for them."""
    return _("The relay {address}, where they are written to, cannot be reached: {why}").format(
        address=relay.address, why=state_words(relay.state)
    )


def removed(relay: Relay, *, at_once: bool) -> str:
    """Say that a relay is not used any more."""
    if at_once:
        return _("{address} is forgotten.").format(address=relay.address)
    return _("Nobody is told of {address} any more; what is still written to you there is fetched.").format(
        address=relay.address
    )


def asked(name: str, relay: Relay) -> str:
    """Ask whether a contact's relay may be connected to."""
    return _(
        "{name} is written to at the relay {address}. Whoever runs it would see from where you call."
        " To allow that, type: /relay add {address} {fingerprint}"
    ).format(name=name, address=relay.address, fingerprint=format_fingerprint(relay.fingerprint))
