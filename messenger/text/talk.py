"""Words for people, messages and what is going on between them."""

from typing import Final

from messenger.core.errors import Reason
from messenger.core.models import (
    Conversation,
    FailReason,
    Message,
    MessageState,
    Offline,
    Online,
    Presence,
    Route,
)
from messenger.text.catalogue import _, ngettext
from messenger.text.times import moment

_ROUTES: Final[dict[Route, str]] = {
    Route.DIRECT: _("direct"),
    Route.LOCAL: _("local network"),
    Route.RELAY: _("through a relay"),
}

_OFFLINE: Final[dict[Reason, str]] = {
    Reason.UNRESOLVED: _("name not found"),
    Reason.UNREACHABLE: _("no network there"),
    Reason.NOBODY: _("not running there"),
    Reason.TIMEOUT: _("no answer"),
    Reason.SILENT: _("no answer"),
    Reason.NOT_SOTTO: _("something else answers there"),
    Reason.REFUSED: _("turned away"),
    Reason.WRONG_PERSON: _("somebody else answers there"),
    Reason.BLOCKED: _("blocked"),
    Reason.BUSY: _("too busy"),
    Reason.VERSION: _("other version"),
    Reason.CLOSED: _("said goodbye"),
    Reason.INTERRUPTED: _("connection lost"),
    Reason.BROKEN: _("connection damaged"),
    Reason.STOPPING: _("closing"),
}

STATES: Final[dict[MessageState, str]] = {
    MessageState.QUEUED: _("waiting to be sent"),
    MessageState.SENT: _("sent"),
    MessageState.DELIVERED: _("delivered"),
    MessageState.READ: _("read"),
    MessageState.FAILED: _("not sent"),
    MessageState.UNREAD: _("new"),
    MessageState.SEEN: "",
}
"""What the tick beside a message means."""

_FAILURES: Final[dict[FailReason, str]] = {
    FailReason.NONE: _("Not sent. Try again from the menu of the message."),
    FailReason.BLOCKED: _("Not sent, because you blocked this person."),
}


def failure(reason: FailReason) -> str:
    """Say why a message was not sent."""
    return _FAILURES[reason]


def presence_words(presence: Presence, now_ms: int, seen_ms: int | None = None) -> str:
    """Say whether somebody can be reached, by which way, and if not why and when it is tried again.

    Args:
        presence: As the engine published it.
        now_ms: The time now, Unix milliseconds.
        seen_ms: When they were last reached, Unix milliseconds.
    """
    match presence:
        case Online(route=route):
            return _("Online · {route}").format(route=_ROUTES[route])
        case Offline(retry_ms=retry_ms, reason=reason):
            parts = [_("Offline")]
            if reason in _OFFLINE:
                parts.append(_OFFLINE[reason])
            if retry_ms is not None:
                seconds = max(0, -(-(retry_ms - now_ms) // 1000))
                parts.append(
                    _("next try in {seconds} s").format(seconds=seconds) if seconds else _("trying now")
                )
            elif seen_ms is not None:
                parts.append(_("last seen {when}").format(when=moment(seen_ms, now_ms)))
            return " · ".join(parts)
    return _("Connecting…")


def shown_text(message: Message) -> str:
    """The text of a message as it is shown; what stands in its place if it was deleted."""
    if not message.deleted:
        return message.text
    return _("You deleted this message") if message.outgoing else _("This message was deleted")


def marks(message: Message, clock: str) -> str:
    """What stands in small letters at a message: reactions, whether it was edited, when it was sent.

    Args:
        message: The message.
        clock: When, as it is shown.
    """
    reactions = " ".join(reaction.emoji for reaction in message.reactions)
    edited = _("edited") if message.edited_ms is not None else ""
    return " · ".join(filter(None, (reactions, edited, clock)))


def message_sentence(message: Message, author: str, now_ms: int) -> str:
    """Read a message as one sentence, for people who listen to the screen.

    Args:
        message: The message.
        author: Who wrote it, as shown.
        now_ms: The time now, Unix milliseconds.
    """
    state = STATES[message.state]
    body = f"{author}, {moment(message.sent_ms, now_ms)}: {shown_text(message)}"
    return ", ".join(filter(None, (body, marks(message, ""), state)))


def conversation_sentence(conversation: Conversation, presence: Presence, now_ms: int) -> str:
    """Read a row of the conversation list as one sentence."""
    contact = conversation.contact
    parts = [contact.title, presence_words(presence, now_ms)]
    if contact.verified:
        parts.append(_("verified"))
    if conversation.unread:
        parts.append(unread_words(conversation.unread))
    if conversation.last is not None:
        parts.append(
            f"{moment(conversation.last.sent_ms, now_ms)}: {one_line(shown_text(conversation.last))}"
        )
    return ", ".join(parts)


def unread_words(count: int) -> str:
    """Say how many messages are unread."""
    return ngettext("{count} unread message", "{count} unread messages", count).format(count=count)


def one_line(text: str, most: int = 120) -> str:
    """The beginning of a text as one line.

    Args:
        text: Any text.
        most: Characters kept.
    """
    return " ".join(text[: 2 * most].split())[:most]


# --- steps ---

CONNECT_STEPS: Final[dict[str, str]] = {
    "resolving": _("Looking up the address"),
    "connecting": _("Calling the other computer"),
    "greeting": _("Exchanging fresh keys"),
    "confirming": _("Checking who it is"),
    "proving": _("Both sides prove their keys"),
    "secured": _("Encrypted conversation is open"),
    "leaving": _("Nobody answers: what you write waits at their relay"),
}
"""The steps of opening a conversation, in order, by the text of `engine.events.ConnectStep`."""

SETUP_STEPS: Final[dict[str, str]] = {
    "signing key": _("Making the key that is you"),
    "exchange key": _("Making the key that opens what is sent to you"),
    "saving": _("Locking both keys away"),
    "done": _("Done"),
}
"""The steps of making a profile, in order, by the text of `engine.events.SetupStep`."""
