"""What the window says of the directory of a relay: finding people there, and being found."""

from typing import Final

from messenger.core.ids import short_fingerprint
from messenger.core.relays import Listed, PersonStatus
from messenger.text.catalogue import _

TITLE: Final = _("Find people at a relay")
ACTION: Final = _("Find people at a relay…")
WORDS: Final = _(
    "Whoever wants to be found leaves an entry in the directory of a relay. Names prove nothing: compare the"
    " safety number with whoever you meet here."
)
RELAY: Final = _("Relay")
NO_RELAY: Final = _("You use no relay yet. Add one, then look for people there.")
BE_FOUND: Final = _("Be found here")
ABOUT: Final = _("A few words about you, if you like")
STATUS: Final = _("Your status")
SEARCH: Final = _("Search by name")
PEOPLE: Final = _("People who can be found there")
NOBODY: Final = _("Nobody can be found here right now.")
NO_MATCH: Final = _("Nobody here fits that.")
CLOSED: Final = _("This relay has no directory, or does not show it to you.")
NOT_TAKEN: Final = _(
    "This relay does not let you be found: it has no directory, or only for people whom its owner has chosen."
    " Ask its owner."
)
CONNECTING: Final = _("Connecting to the relay…")
LOOK_AGAIN: Final = _("Look again")
MORE: Final = _("Show more")
TALK: Final = _("Start talking")
WITHDRAWN: Final = _("You cannot be found here any more.")
PUBLISHED: Final = _("You can be found here now.")

FOLLOWS: Final = _("The relay takes one change at a time. Yours follows by itself in a few seconds.")

STATUSES: Final[dict[PersonStatus, str]] = {
    PersonStatus.ONLINE: _("free"),
    PersonStatus.BUSY: _("busy"),
    PersonStatus.AWAY: _("away"),
    PersonStatus.OFFLINE: _("not there"),
}


def be_found_words(name: str) -> str:
    """Say what others see of somebody who can be found.

    Args:
        name: The name of the person here.
    """
    return _(
        "Everybody who may look there sees the name “{name}”, your fingerprint and your status, and can send"
        " you a message request."
    ).format(name=name)


def row(person: Listed, *, me: bool) -> str:
    """Somebody in the list, in two lines.

    Args:
        person: As they describe themselves.
        me: It is the person here.
    """
    name = person.name or short_fingerprint(person.fingerprint)
    first = _("{name} (you)").format(name=name) if me else name
    parts = [STATUSES[person.status], short_fingerprint(person.fingerprint)]
    if person.conversation is not None:
        parts.append(_("in your conversations"))
    if person.about:
        parts.append(person.about)
    return f"{first}\n{' · '.join(parts)}"
