"""Words for people, messages and what is going on between them."""

from typing import Final

import msgspec

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
from messenger.text.timers import life_words, line_words, short_timer
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
    Reason.RELAY_SILENT: _("the relay does not answer"),
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
    FailReason.NONE: _("Not sent."),
    FailReason.BLOCKED: _("Not sent, because you blocked this person."),
}

TRY_AGAIN: Final = _("Try again")
"""On the button that sends once more what was not sent."""


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
        case Online(relay=relay) if relay:
            return _("Online · through the relay {relay}").format(relay=relay)
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


GONE: Final = _("A message that is not here any more")
"""In place of what is answered, when that has disappeared."""


def shown_text(message: Message, name: str = "") -> str:
    """The text of a message as it is shown; what stands in its place if it was deleted, or is a line of ours.

    Args:
        message: The message.
        name: Of the other person, for lines about what they did.
    """
    if message.notice:
        return line_words(message, name)
    if not message.deleted:
        return message.text
    return _("You deleted this message") if message.outgoing else _("This message was deleted")


def marks(message: Message, clock: str) -> str:
    """What stands in small letters at a message: reactions, whether edited, how long it stays, when sent.

    Args:
        message: The message.
        clock: When, as it is shown.
    """
    reactions = " ".join(reaction.emoji for reaction in message.reactions)
    edited = _("edited") if message.edited_ms is not None else ""
    timer = short_timer(message.timer) if message.timer and not message.deleted else ""
    return " · ".join(filter(None, (timer, reactions, edited, clock)))


def message_sentence(message: Message, author: str, now_ms: int, quote: str = "") -> str:
    """Read a message as one sentence, for people who listen to the screen.

    Args:
        message: The message.
        author: Who wrote it, as shown.
        now_ms: The time now, Unix milliseconds.
        quote: The beginning of what it answers, with its author.
    """
    if message.notice:
        return f"{moment(message.sent_ms, now_ms)}: {shown_text(message, author)}"
    state = STATES[message.state]
    if message.state is MessageState.FAILED:
        state = failure(message.reason).rstrip(".")
    answers = ", " + _("in reply to {quote}").format(quote=quote) if quote else ""
    words = " ".join(shown_text(message).split())  # line breaks would end the sentence
    body = f"{author}, {moment(message.sent_ms, now_ms)}{answers}: {words}"
    untimed = marks(msgspec.structs.replace(message, timer=0), "")
    return ", ".join(filter(None, (body, untimed, life_words(message), state)))


def conversation_sentence(
    conversation: Conversation, presence: Presence, now_ms: int, *, draft: str = "", typing: bool = False
) -> str:
    """Read a row of the conversation list as one sentence.

    Args:
        conversation: What is known of it.
        presence: Whether they can be reached.
        now_ms: The time now, Unix milliseconds.
        draft: What was begun and not sent.
        typing: They are writing right now.
    """
    contact = conversation.contact
    parts = [contact.title, presence_words(presence, now_ms)]
    told = (
        (typing, typing_words()),
        (contact.pinned, _("pinned")),
        (contact.muted, _("muted")),
        (contact.archived, _("archived")),
    )
    parts += [words for holds, words in told if holds]
    if contact.verified:
        parts.append(_("verified"))
    if conversation.missing:
        parts.append(_("messages missing"))
    if conversation.unread:
        parts.append(unread_words(conversation.unread))
    if draft:
        parts.append(_("draft: {text}").format(text=one_line(draft)))
    elif conversation.last is not None:
        parts.append(
            f"{moment(conversation.last.sent_ms, now_ms)}:"
            f" {one_line(shown_text(conversation.last, contact.title))}"
        )
    return ", ".join(parts)


def chain_words(conversation: Conversation) -> str:
    """Say what of theirs is missing or does not fit together, and what to do; nothing if all is well."""
    name, missing = conversation.contact.title, conversation.missing
    parts = []
    if missing:
        words = ngettext(
            "{count} message of {name} has not arrived. It usually comes by itself; if it does not, ask them"
            " to send it again.",
            "{count} messages of {name} have not arrived. They usually come by themselves; if they do not,"
            " ask them to send them again.",
            missing,
        )
        parts.append(words.format(count=missing, name=name))
    if conversation.forked:
        words = _(
            "Messages of {name} do not fit together. Perhaps they went back to an old backup, or use one"
            " profile on two computers: ask them. If neither is true, compare the safety number."
        )
        parts.append(words.format(name=name))
    return "\n".join(parts)


def typing_words(name: str = "") -> str:
    """Say that somebody is writing; without the name where it stands beside it."""
    return _("{name} is writing…").format(name=name) if name else _("is writing…")


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

_UPDATING: Final = _("Bringing the history up to date… {percent} %")


def updating(percent: int) -> str:
    """Say how far the history of an earlier version has been brought up to date."""
    return _UPDATING.format(percent=percent)


_LOG_DAMAGED: Final = _(
    "Sotto did not end as it should, and what was written to the disk last is damaged: the last messages,"
    " received or written, may be missing here. What arrived nowhere is sent again by itself; ask your"
    " contacts for what else is missing. Going back to a backup would not bring back more."
)
_LOG_KEPT: Final = _("What was damaged is kept for 30 days as {name}, beside your messages.")


def log_damaged(kept: str) -> str:
    """Say that what was written last may be lost, and what to do.

    Args:
        kept: Name of the file in which it is kept; empty if it is not.
    """
    return f"{_LOG_DAMAGED} {_LOG_KEPT.format(name=kept)}" if kept else _LOG_DAMAGED


SETUP_STEPS: Final[dict[str, str]] = {
    "signing key": _("Making the key that is you"),
    "exchange key": _("Making the key that opens what is sent to you"),
    "saving": _("Locking both keys away"),
    "done": _("Done"),
}
"""The steps of making a profile, in order, by the text of `engine.events.SetupStep`."""
