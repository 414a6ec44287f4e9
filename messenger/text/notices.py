"""What a notification says, which anybody who sees the screen may read."""

from messenger.core import window_limits
from messenger.core.models import Contact, Message, Standing
from messenger.core.settings import Notify
from messenger.text.catalogue import _, ngettext
from messenger.text.talk import one_line, shown_text


def notice_words(contact: Contact, message: Message, count: int, how: Notify) -> tuple[str, str]:
    """Title and text of a notification.

    Args:
        contact: Who wrote.
        message: The last that they wrote.
        count: How many messages of theirs it stands for.
        how: What the person wants to have shown; not NONE.
    """
    some = ngettext("{count} new message", "{count} new messages", count).format(count=count)
    if how is Notify.BARE:
        return "Sotto", some
    if contact.standing is Standing.REQUEST:
        return "Sotto", _("Somebody who is not among your contacts wants to talk to you.")
    lasting = not message.timer and message.expires_ms is None  # the desktop may keep what it shows
    if how is Notify.NAME or not lasting or message.deleted:
        return contact.title, some
    text = one_line(shown_text(message, contact.title), window_limits.NOTICE_TEXT_MAX)
    return contact.title, text if count == 1 else f"{text}\n{some}"


def tray_words(unread: int) -> str:
    """What the picture in the tray says when it is pointed at."""
    if not unread:
        return "Sotto"
    return ngettext("Sotto: {count} unread message", "Sotto: {count} unread messages", unread).format(
        count=unread
    )
