"""Words of a conversation that is written into a file."""

from messenger.core.models import Contact, ExportWords, MessageState
from messenger.text.catalogue import _
from messenger.text.talk import STATES


def export_words(contact: Contact) -> ExportWords:
    """The words for writing out the conversation with somebody.

    Args:
        contact: Whose conversation.
    """
    told: dict[MessageState, str] = dict(STATES)
    told[MessageState.UNREAD] = ""
    return ExportWords(
        title=_("Conversation with {name}").format(name=contact.title),
        you=_("You"),
        language="en",
        states=told,
        edited=_("edited"),
        deleted=_("This message was deleted"),
    )
