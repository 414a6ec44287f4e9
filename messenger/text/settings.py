"""Words for everything that can be chosen or set."""

from enum import StrEnum
from typing import Final

from messenger.core.models import AddressKind
from messenger.core.settings import LogLevel, NewTimer, Notify, OpenDoor, Page, TakeFiles, Theme
from messenger.text.catalogue import _

PAGES: Final[dict[Page, str]] = {
    Page.NETWORK: _("Network"),
    Page.PRIVACY: _("Privacy"),
    Page.NOTIFICATIONS: _("Notifications"),
    Page.APPEARANCE: _("Appearance"),
    Page.FILES: _("Files"),
    Page.STORAGE: _("Storage and backup"),
    Page.ADVANCED: _("Advanced"),
}

SETTINGS: Final[dict[str, tuple[str, str]]] = {
    "listen": (
        _("Let others connect to this computer"),
        _("Switched off, only you can start a conversation; it works both ways all the same."),
    ),
    "port": (_("Port"), _("Others need it to reach you. If it is taken, the next free one is used.")),
    "open_door": (
        _("Who may connect with your address alone"),
        _("Contacts and people with an invite always may. Anybody else can see your fingerprint and knock."),
    ),
    "reconnect": (_("Reconnect by itself"), _("Reach contacts again when the connection was lost.")),
    "read_receipts": (
        _("Tell others when you have read their messages"),
        _("Switched off, they still see that a message arrived."),
    ),
    "typing": (
        _("Tell others while you write to them"),
        _("Switched off, you do not see either when they write."),
    ),
    "new_timer": (
        _("Messages disappear in new conversations"),
        _(
            "Where neither of you has chosen a time. They are in no backup and no export either."
            " Files that you have received stay."
        ),
    ),
    "tell_addresses": (
        _("Tell contacts your address for a direct connection"),
        _("For those reached through a relay, who have it switched on too. They then see where you are."),
    ),
    "lock_after": (
        _("Lock after so many minutes without use"),
        _("0 never locks. While locked nobody can read here, and nothing is received. Needs a passphrase."),
    ),
    "notify": (
        _("What notifications show"),
        _("Never messages that disappear, nor requests of strangers. Muted conversations are silent."),
    ),
    "sound": (_("Play a sound"), _("With a notification, at most every few seconds.")),
    "close_to_tray": (
        _("Stay in the tray when the window is closed"),
        _("Messages still arrive. Without a tray, closing the window ends Sotto; Ctrl+Q always does."),
    ),
    "start_minimised": (
        _("Start minimised"),
        _("In the tray; in the task bar where there is no tray."),
    ),
    "autostart": (_("Start when you log in"), _("On this computer, for your user account only.")),
    "theme": (_("Colours"), _("System follows the light and dark mode of your desktop.")),
    "zoom": (
        _("Size of everything, in percent"),
        _("80 to 200. Ctrl and + or − change it from anywhere, Ctrl+0 sets it back."),
    ),
    "enter_sends": (
        _("Enter sends the message"),
        _("Shift+Enter breaks the line. Switched off, Enter breaks the line and Ctrl+Enter sends."),
    ),
    "spelling": (
        _("Check spelling while you write"),
        _("With the dictionaries of this computer, which nothing leaves. F7 goes from word to word."),
    ),
    "take_files": (
        _("Take files without asking, from"),
        _("They are saved and never opened. Other people's files wait until you accept them."),
    ),
    "take_files_mib": (_("Up to so many megabytes"), _("Larger ones wait until you accept them.")),
    "previews": (
        _("Show small pictures of pictures"),
        _("They are read by a program of their own, which can do nothing else here."),
    ),
    "lanes": (_("Transfers at once, each way"), _("Others wait for their turn.")),
    "send_limit": (
        _("Send files with at most so many KiB a second"),
        _("0 is no limit. Messages are never slowed down."),
    ),
    "receive_limit": (
        _("Receive files with at most so many KiB a second"),
        _("0 is no limit. Messages are never slowed down."),
    ),
    "keep_days": (
        _("Delete messages after so many days"),
        _("0 keeps them for ever. What waits to be sent or read stays. Each conversation can differ."),
    ),
    "backups_kept": (
        _("Daily backups to keep"),
        _(
            "They are encrypted like your messages. Deleted messages stay in them until they are replaced;"
            " messages that disappear are never in them."
        ),
    ),
    "log": (
        _("What the log tells"),
        _(
            "For whoever looks for a fault: when something happened here, and what kind of thing. Never"
            " messages, names, addresses, file names, keys or passphrases. It is not encrypted."
        ),
    ),
}
"""Label and help of every declared setting."""

CHOICES: Final[dict[StrEnum, str]] = {
    OpenDoor.LOCAL: _("People on my network"),
    OpenDoor.EVERYBODY: _("Everybody"),
    OpenDoor.NOBODY: _("Nobody"),
    Notify.TEXT: _("Name and text"),
    Notify.NAME: _("Name"),
    Notify.BARE: _("No name"),
    Notify.NONE: _("Off"),
    NewTimer.OFF: _("Never"),
    NewTimer.HOUR: _("1 hour"),
    NewTimer.DAY: _("1 day"),
    NewTimer.WEEK: _("1 week"),
    NewTimer.FOUR_WEEKS: _("4 weeks"),
    TakeFiles.ASK: _("Nobody"),
    TakeFiles.VERIFIED: _("Verified people"),
    TakeFiles.CONTACTS: _("All contacts"),
    LogLevel.OFF: _("Nothing"),
    LogLevel.FAULTS: _("Faults"),
    LogLevel.STEPS: _("Connections"),
    LogLevel.EVERYTHING: _("Everything"),
    Theme.SYSTEM: _("System"),
    Theme.LIGHT: _("Light"),
    Theme.DARK: _("Dark"),
}
"""The words for every choice of a setting."""

PROTECTION: Final[dict[str, str]] = {
    "passphrase": _("Your keys are locked with your passphrase."),
    "keyring": _("Your keys are locked by the keyring of this system."),
    "file": _("Your keys are in a file that only your user account may read. A passphrase protects better."),
}
"""How the keys are kept, by `Me.protection`."""

ADDRESS_KINDS: Final[dict[AddressKind, str]] = {
    AddressKind.LAN: _("Local network"),
    AddressKind.LINK_LOCAL: _("This cable or Wi-Fi only"),
    AddressKind.GLOBAL: _("Internet"),
    AddressKind.LOOPBACK: _("This computer only"),
}
