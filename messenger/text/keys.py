"""Words about new keys: a contact's, our own, and two people of one name."""

from typing import Final

from messenger.core.models import Contact, KeyNews
from messenger.text.catalogue import _


def new_key(contact: Contact) -> str:
    """Say that a contact has a new key, and what that means; nothing if there is nothing to say."""
    match contact.key_news:
        case KeyNews.NOTICE:
            words = _(
                "{name} goes on with a new key, which their old key has signed: often a new computer. Compare"
                " the safety number to be sure."
            )
        case KeyNews.STOP:
            words = _(
                "{name}, whom you have verified, has a new key. Nothing is sent to them until you decide:"
                " compare the safety number anew, or trust it. Whoever took their old key could do this."
            )
        case KeyNews.NONE:
            return ""
    return words.format(name=contact.title)


def trust_title(name: str) -> str:
    """Ask whether a key shall be trusted unseen."""
    return _("Trust the new key of {name} without comparing?").format(name=name)


TRUST_WORDS: Final = _(
    "Everything that waits is sent to whoever holds that key. If somebody has taken the old key, that is not"
    " the person you know. Ask them by phone or face to face if you can."
)
TRUST: Final = _("Trust it")
COMPARE: Final = _("Compare…")
TRUST_UNSEEN: Final = _("Trust without comparing…")
DISMISS: Final = _("All right")


def namesake(name: str) -> str:
    """Say that two people have one name."""
    return _("Another of your contacts is called {name}, too. This is somebody with another key.").format(
        name=name
    )


ELSEWHERE: Final = _(
    "Another computer seems to use your identity, too, and contacts talk with whichever called last. Go on"
    " with one of them, and close Sotto on the other. If there is no other that you know of, make a new key."
)
NEW_KEY: Final = _("Make a new key…")
NEW_KEY_TITLE: Final = _("Make a new key for yourself?")
NEW_KEY_WORDS: Final = _(
    "Do this if somebody may have had access to your computer or your key files. You stay the same person:"
    " your old key signs the new one, and your contacts keep the conversation. To all of them you are not"
    " verified any more, and those who had verified you are asked before they write to you. Invites that you"
    " have given out and nobody has used become void. It cannot be taken back."
)
NEW_KEY_ACTION: Final = _("Make a new key")
NEW_KEY_DONE: Final = _("You have a new key. Your contacts learn of it as soon as they can be reached.")
NEW_KEY_FINGERPRINT: Final = _("Your fingerprint from now on:")
