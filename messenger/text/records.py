"""Words of the commands that show, keep and bring back what a profile holds."""

from typing import Final

from messenger.core.models import Backup, Contact, Message, Standing
from messenger.text.catalogue import _
from messenger.text.talk import shown_text
from messenger.text.times import local, long_moment

HELP_CONTACTS: Final = _("List the people whom this profile knows.")
HELP_HISTORY: Final = _("Print the conversation with PEER: a contact's name, or their fingerprint.")
HELP_SEARCH: Final = _("Find messages that have all these WORDS, in all conversations, newest first.")
HELP_INVITE: Final = _(
    "Print an invite link: it works once, for seven days, while Sotto waits for somebody here."
)
OPTION_LASTING: Final = _(
    "Print a link that lasts: everybody can ask to write to you by it, also while you are off."
)
NO_LASTING_LINK: Final = _("Nobody can write to you at a relay yet. Add one first: sotto relays add LINK")
HELP_VERIFY: Final = _("Show the number that you and PEER compare, and remember whether it is the same.")
HELP_BACKUPS: Final = _("List the backups of this profile, the newest first.")
HELP_RESTORE: Final = _(
    "Go back to the backup NAME, of those that are listed. What is there now is set aside."
)
HELP_EXPORT: Final = _(
    "Write the whole profile, encrypted under a passphrase, into FILE, for a new computer."
)
HELP_IMPORT: Final = _("Make a new profile of FILE, which was exported elsewhere.")
OPTION_JSON: Final = _("Print one JSON object a line, for programs.")
OPTION_SINCE: Final = _("Only messages of this day or later: 2026-01-31, or 2026-01-31T18:00.")
OPTION_GO_BACK: Final = _("Go back without a question.")

NOT_A_DAY: Final = _("this is no day: write it like 2026-01-31.")
CANNOT_ASK_RESTORE: Final = _("There is no terminal to ask you on: --yes goes back without a question.")
ASK_RESTORE: Final = _("Go back to that backup? What came later will be set aside. [y/N] ")
RESTORE_LEFT: Final = _("Nothing was changed.")
RESTORED: Final = _("The profile is as it was then. What came later is set aside.")
ASK_EXPORT: Final = _("Passphrase for the file: ")
NEEDS_EXPORT: Final = _("The passphrase of the file has to be typed at a terminal; nothing was written.")
EXPORTING: Final = _("Writing the profile…")
IMPORTING: Final = _("Taking the profile over…")
ASK_IMPORT: Final = _("Passphrase of the file: ")
NEEDS_IMPORT: Final = _("The passphrase of the file has to be typed at a terminal; nothing was set up.")
PROFILE_THERE: Final = _("There is somebody in this profile already: name another folder with --profile.")
IMPORTED: Final = _("The profile is here now. Do not use it on the other computer any more.")

_STANDING: Final = {
    Standing.REQUEST: _("wants to talk to you"),
    Standing.ACCEPTED: _("contact"),
    Standing.BLOCKED: _("blocked"),
}
_MEGABYTE: Final = 1_000_000


def contact_line(contact: Contact, unread: int) -> str:
    """Somebody in one line; their fingerprint is another."""
    parts = [contact.title, _STANDING[contact.standing]]
    parts += [_("verified")] * contact.verified
    parts += [_("{count} unread").format(count=unread)] * bool(unread)
    return " · ".join(parts)


def message_line(message: Message, name: str, *, among_others: bool) -> str:
    """A message with its day, time and author; later lines of it are set in.

    Args:
        message: The message.
        name: Of the contact.
        among_others: Messages to other people stand beside it.
    """
    author = name
    if message.outgoing:
        author = _("You to {name}").format(name=name) if among_others else _("You")
    at = local(message.sent_ms).strftime("%Y-%m-%d %H:%M")
    return f"{at} {author}: " + shown_text(message, name).replace("\n", "\n    | ")


def backup_line(backup: Backup) -> str:
    """A backup: its name, when it was made, how large it is."""
    size = _("{size} MB").format(size=f"{backup.bytes / _MEGABYTE:.1f}")
    return f"{backup.name}  {long_moment(backup.made_ms)}  {size}"


def nobody(peer: str) -> str:
    """Say that no contact is called like that."""
    return _("No contact is called “{peer}”. “sotto contacts” lists them.").format(peer=peer)


def several(peer: str) -> str:
    """Say that more than one contact is called like that."""
    return _("More than one contact is called “{peer}”: give the fingerprint.").format(peer=peer)


def no_backup(name: str) -> str:
    """Say that there is no such backup."""
    return _("There is no backup “{name}”. “sotto backups” lists them.").format(name=name)


def exported(path: str) -> str:
    """Say where the profile was written."""
    return _("The profile is in {path}. Whoever has it and the passphrase is you.").format(path=path)
