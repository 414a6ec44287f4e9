"""Sentences of the terminal: of `sotto listen`, `sotto chat` and `sotto demo`, and of their help."""

from typing import Final

from messenger.core import errors
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.core.models import Contact
from messenger.text.catalogue import _, ngettext
from messenger.text.errors import explain, unexpected
from messenger.text.relays import COMMAND
from messenger.text.timers import timer_words

_SAFETY_GROUP: Final = 5
_SAFETY_COLUMNS: Final = 4
_FINGERPRINT_COLUMNS: Final = 7

# --- starting ---

NO_DISPLAY: Final = _(
    "There is no display to open a window on; sotto listen, sotto chat and sotto demo --headless need none."
)
DEMO_AS_TEXT: Final = _("The demonstration runs as text instead.")
LINK_TOO_LONG: Final = _("This link is too long for one of Sotto.")
RAISED: Final = _("Sotto is already running with this profile; its window has been raised.")
_IN_USE: Final = _("Sotto is already running with this profile. {instead}")
_OTHERWISE: Final = _("Or close it there (Ctrl+Q), and run this again.")
_IN_A_TERMINAL: Final = _("That is in another terminal: end it there (Ctrl-C), and run this again.")
_INSTEAD: Final = {
    "listen": _("Its window takes connections and messages already."),
    "chat": _("Write in its window."),
    "send": _("Drop the files on the conversation in its window."),
    "receive": _("Its window receives files already."),
    "contacts": _("Its window lists everybody."),
    "history": _(
        "Its window shows the conversation, and writes it into a file (menu, “Export conversation…”)."
    ),
    "search": _("Its window searches all conversations (Ctrl+Shift+F)."),
    "invite": _("Its window makes one (Ctrl+Shift+I copies it)."),
    "verify": _("Its window has it in the menu of the conversation (“Compare safety number…”)."),
    "relays": _("Its window has them in Settings (Ctrl+,), “Network”."),
    "backups": _("Its window has them in Settings (Ctrl+,), “Storage and backup”."),
    "restore": _("Its window does it in Settings (Ctrl+,), “Storage and backup”."),
    "export": _("Its window does it in Settings (Ctrl+,), “Storage and backup”."),
    "new-key": _("Its window does it in Settings (Ctrl+,), “Profile”."),
}
"""What to do in the window instead of a command."""

DISPLAY_GONE: Final = _("The display has gone away, so Sotto has ended. What you wrote is kept.")

_NO_QT: Final = _(
    "The window needs a part of this system that is missing ({what}): install it, for example with"
    " “sh packaging/run.sh”, or use sotto listen and sotto chat, which do without."
)

HELP: Final = _("Encrypted conversations between computers. Without a command, the window opens.")
HELP_LISTEN: Final = _("Wait until somebody connects, and talk with them here.")
HELP_CHAT: Final = _(
    "Connect to somebody and talk with them here. TARGET is HOST, HOST:PORT, [IPv6]:PORT, an invite link, or"
    " the name or fingerprint of a contact, who is reached by any way there is."
    " Without a terminal, each line of the input is sent as a message, incoming messages are written to the"
    " output, and at the end of the input this waits until everything is delivered."
)
HELP_NEW_KEY: Final = _(
    "Make new keys and go on as the same person: contacts keep their conversations and have to"
    " compare with you anew."
)
OPTION_SURE: Final = _("Do it without a question.")
ASK_NEW_KEY: Final = _("Make a new key now? [y/N] ")
NEW_KEY_LEFT: Final = _("Nothing was changed.")
CANNOT_ASK_NEW_KEY: Final = _(
    "There is no terminal to ask you on: --yes makes the new key without a question."
)
HELP_DEMO: Final = _(
    "Show two people who connect and talk, with profiles that are thrown away: in two windows, or as text."
)
OPTION_PROFILE: Final = _("Folder of the profile.")
OPTION_VERSION: Final = _("Show the version and exit.")
OPTION_NAME: Final = _("The name that others see; changes it if the profile has another one.")
OPTION_PORT: Final = _("Listen on this port and no other.")
OPTION_INVITE: Final = _(
    "Also print an invite link: it works once, for seven days, and opens the door without a question."
)
OPTION_ASK: Final = _("Protect a new profile with a passphrase.")
OPTION_YES: Final = _("Accept whoever it is without a question; the fingerprint is printed.")
OPTION_EXPECT: Final = _("Accept the person with this fingerprint, and nobody else.")
NO_SUCH_PLACE: Final = _("there is no such place, or its name is not UTF-8: give the full path of another.")
NOT_A_FINGERPRINT: Final = _(
    "this is not a whole fingerprint: type all fourteen groups of four letters and digits."
)
OPTION_HEADLESS: Final = _("No windows: print what happens, and check each step.")

EXIT_CODES: Final[dict[int, str]] = {
    0: _("all went well"),
    1: _("something failed: disk, keys, port, profile in use"),
    2: _("the command cannot be used like this, or there is no display for a window"),
    3: _("nobody could be reached there"),
    4: _("the key was not accepted, or not the one that was expected, or files were not wanted"),
    5: _("they left before everything was delivered; the rest waits in the profile"),
    129: _("ended by the terminal that closed"),
    130: _("ended by Ctrl-C"),
    143: _("ended by a signal to terminate"),
}
"""What each exit code says; the table of the help, complete by test."""

_EXIT_CODES_HEADING: Final = _("Exit codes:")


def in_use(command: str, *, window: bool) -> str:
    """A profile is open in another program, so a command cannot have it; what to do instead.

    Args:
        command: The first word of it, as in `messenger.cli.app`.
        window: The other program has a window; otherwise it is in a terminal.
    """
    instead = f"{_INSTEAD.get(command, '')} {_OTHERWISE}".strip() if window else _IN_A_TERMINAL
    return _IN_USE.format(instead=instead)


def exit_code_table() -> str:
    """The exit codes and their meanings, a line each, for the end of the help."""
    rows = [f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join((_EXIT_CODES_HEADING, *rows))


def output_failed(why: str) -> str:
    """Say that standard output or standard error cannot be written to.

    Args:
        why: In the words of the system.
    """
    return _("The output cannot be written: {why}.").format(why=why)


def no_qt(what: str) -> str:
    """Say that Qt cannot be loaded.

    Args:
        what: The library or module that is missing.
    """
    return _NO_QT.format(what=what)


# --- setting up ---

ASK_NAME: Final = _("Your name, as others will see it: ")
ASK_PASSPHRASE: Final = _("Passphrase of this profile: ")
ASK_NEW_PASSPHRASE: Final = _("New passphrase: ")
ASK_AGAIN: Final = _("The same again: ")
PASSPHRASES_DIFFER: Final = _("The two were not the same. Try again.")
NEEDS_NAME: Final = _("Nobody has been set up here yet: give your name with --name.")
NEEDS_PASSPHRASE: Final = _("This profile is locked with a passphrase, which has to be typed at a terminal.")
NEEDS_NEW_PASSPHRASE: Final = _("A new passphrase has to be typed at a terminal; nothing was set up.")


def welcome(name: str) -> str:
    """Greet somebody whose profile is about to be made."""
    return _("Welcome, {name}. Your keys are being made; this happens once.").format(name=name)


def fingerprint_lines(fingerprint: Fingerprint) -> str:
    """A fingerprint in two lines of seven groups."""
    return _in_rows(format_fingerprint(fingerprint).split(" "), _FINGERPRINT_COLUMNS)


def safety_lines(number: str) -> str:
    """A safety number in three lines of four groups of five digits."""
    groups = [number[start : start + _SAFETY_GROUP] for start in range(0, len(number), _SAFETY_GROUP)]
    return _in_rows(groups, _SAFETY_COLUMNS)


# --- meeting ---

OWN_FINGERPRINT: Final = _("Your fingerprint:")
LISTENING: Final = _("Waiting for somebody. Others reach you with one of these:")
LISTENING_HINT: Final = _("Ctrl-C ends the waiting.")
INVITE: Final = _("Invite link, for one person:")
ASK_REQUEST: Final = _("[a]ccept, [b]lock, [d]elete, or Enter to decide later: ")
REQUEST_ANSWERS: Final = _("abd")
"""The letters for accept, block and delete, in this order."""
ASK_PEER: Final = _("Is this the right person? [y/N] ")
YES_ANSWERS: Final = _("y yes")
"""Words that mean yes, separated by spaces."""
CANNOT_ASK: Final = _(
    "There is no terminal to ask you on: accept that fingerprint with --expect, or anybody with --yes."
)
COMPARE: Final = _("Ask them, by phone or face to face, whether this is their fingerprint.")


def stranger_answers(address: str) -> str:
    """Say that somebody unknown answered at an address."""
    return _("Somebody whom you have not met answers at {address}. Their fingerprint:").format(
        address=address
    )


def wants_to_talk(name: str) -> str:
    """Say that a stranger wants to talk; their fingerprint follows."""
    return _("{name} wants to talk to you. Anybody can choose any name; their fingerprint is:").format(
        name=name
    )


def undecided(name: str) -> str:
    """Say that nobody here can answer a request."""
    return _(
        "{name} wants to talk, but nobody here can be asked: --yes accepts whoever comes, --expect one"
        " fingerprint. The request is kept."
    ).format(name=name)


def not_expected(name: str) -> str:
    """Say that somebody else than the expected person came, and was sent away."""
    return _("{name} is not the person you expected, and was sent away.").format(name=name)


def gone_meanwhile(name: str) -> str:
    """Say that somebody hung up before the question about them was answered."""
    return _("{name} has left meanwhile.").format(name=name)


# --- talking ---

YOU: Final = _("You")
TICK: Final = "✓"
AT_RELAY: Final = _("(at the relay)")
PENDING: Final = "…"
PROMPT: Final = "> "
CONTINUED: Final = "      | "
"""Before every line of a message but the first, so that none of them can pass for another message."""

COMMANDS: Final[dict[str, str]] = {
    "/safety": _("show the safety number, to compare it with theirs"),
    "/verify": _("remember that you have compared it"),
    "/trust": _("go on with their new key without comparing"),
    "/reconnect": _("call them now, if you are not connected"),
    "/disappear": _("let messages disappear, for example after 30s, 5m, 1h, 1d, 4w, or off"),
    "/relay": COMMAND,
    "/quit": _("say goodbye and leave; Ctrl-D does the same"),
    "/help": _("show this"),
}
"""What can be typed in a conversation besides messages."""

COMMANDS_HINT: Final = _("Two slashes send a text that begins with one.")
ASK_TRUST: Final = _("Trust that key? [y/N] ")
NOTHING_TO_TRUST: Final = _("They have no new key about which you would have to decide.")
KEY_COMMANDS: Final = _("/verify compares the safety number, /trust goes on without.")
TRUSTED: Final = _("What waits is sent now.")
ASK_VERIFIED: Final = _("Do both of you see the same number? [y/N] ")
VERIFIED: Final = _("Remembered: you have compared the number, and it was the same.")
NOT_VERIFIED: Final = _(
    "Then somebody may stand between you. Do not trust this conversation until you know why."
)


NO_TIMER: Final = _(
    "Say after how long messages disappear, 5 seconds to 4 weeks: /disappear 30s, 5m, 1h, 1d, 4w, or off."
)

INPUT_LEFT: Final = _("They left before the input had ended; what was not read was not sent.")


def unknown_command(command: str) -> str:
    """Say that there is no such command."""
    return _("{command} is no command; /help lists them. {hint}").format(command=command, hint=COMMANDS_HINT)


def timer_now(seconds: int) -> str:
    """Say after how long messages disappear, in seconds; 0 for never."""
    if not seconds:
        return _("Messages do not disappear.")
    return _("Messages disappear after {time}.").format(time=timer_words(seconds))


def introduction(contact: Contact) -> str:
    """Say with whom a conversation has begun."""
    if contact.verified:
        return _("You are talking to {name}, whom you have verified. /help lists what you can type.").format(
            name=contact.title
        )
    return _(
        "You are talking to {name}. /safety tells whether anybody is between you; /help lists the rest."
    ).format(name=contact.title)


def awaiting(name: str) -> str:
    """Say that the other has not accepted yet."""
    waits = _("{name} has not accepted you yet. They see what you write as a message request.")
    return waits.format(name=name)


def has_accepted(name: str) -> str:
    """Say that the other has accepted."""
    return _("{name} has accepted you.").format(name=name)


def renamed(before: str, after: str) -> str:
    """Say that the other has taken another name."""
    return _("{before} is now called {after}.").format(before=before, after=after)


def waits_at_relay(name: str) -> str:
    """Say that what is written to somebody who is away lies at a relay until they come."""
    return _("{name} is not there now. What you write waits for them at a relay.").format(name=name)


def waits_here(name: str) -> str:
    """Say that what is written to somebody who is away waits for them here."""
    return _("{name} is not there now. What you write waits here until you meet.").format(name=name)


def has_written(name: str) -> str:
    """Say that somebody has left a message at a relay."""
    return _("{name} has left you a message. To answer: sotto chat and their name.").format(name=name)


def has_left(name: str) -> str:
    """Say that the other said goodbye."""
    return _("{name} has left.").format(name=name)


def cut(*, tries_again: bool) -> str:
    """Say that the link was cut, and what happens now.

    Args:
        tries_again: Whether contacts are called again without being asked.
    """
    if tries_again:
        return _("The connection was cut. Sotto tries again by itself; nothing is lost.")
    return _("The connection was cut; what you write waits here. /reconnect calls them again.")


def is_back(name: str) -> str:
    """Say that a link that was cut is up again."""
    return _("{name} is there again.").format(name=name)


def somebody_else(name: str) -> str:
    """Say that another contact wrote, whose conversation is not the one on the screen."""
    return _("{name} has written to you, too; the message is kept.").format(name=name)


def compare_number(name: str) -> str:
    """Say what to do with the safety number that follows."""
    return _(
        "{name} sees the same digits with /safety if nobody is between you. Read them to each other:"
    ).format(name=name)


def still_waiting(count: int) -> str:
    """Say how many messages were not delivered before the end."""
    return ngettext(
        "{count} message is not delivered yet; it waits in your profile and leaves when you meet again.",
        "{count} messages are not delivered yet; they wait in your profile and leave when you meet again.",
        count,
    ).format(count=count)


def toolbar(name: str, presence: str, *, verified: bool) -> str:
    """The line below the prompt."""
    return " · ".join((name, presence, _("verified") if verified else _("not verified")))


def fault(kind: str) -> str:
    """Say that a part of the engine failed.

    Args:
        kind: Name of the error's class, as `EngineFault` carries it.
    """
    found = getattr(errors, kind, None)
    if isinstance(found, type) and issubclass(found, errors.StorageError | errors.VaultError):
        return explain(found())
    return unexpected(kind)


def _in_rows(groups: list[str], columns: int) -> str:
    rows = (groups[start : start + columns] for start in range(0, len(groups), columns))
    return "\n".join("    " + "  ".join(row) for row in rows)
