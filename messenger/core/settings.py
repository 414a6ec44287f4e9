"""The settings of a profile, declared once: the dialog, the terminal and the stored form follow from here."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from messenger.core import deed_limits, limits, store_limits, transfer_limits, window_limits
from messenger.core.errors import InputProblem, SettingError


class OpenDoor(StrEnum):
    """Who may connect by address alone, without having our fingerprint or an invite."""

    LOCAL = "local"
    """People on the local network and on this computer."""
    EVERYBODY = "everybody"
    NOBODY = "nobody"


class Theme(StrEnum):
    """The colours of the window."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Notify(StrEnum):
    """What a notification tells whoever sees the screen."""

    TEXT = "text"
    """Who wrote, and what."""
    NAME = "name"
    """Who wrote."""
    BARE = "bare"
    """That something came."""
    NONE = "none"
    """There are none."""


class NewTimer(StrEnum):
    """After how long messages disappear where neither of the two has chosen anything."""

    OFF = "off"
    HOUR = "1 hour"
    DAY = "1 day"
    WEEK = "1 week"
    FOUR_WEEKS = "4 weeks"

    @property
    def seconds(self) -> int:
        """As a timer; 0 for never."""
        return _SECONDS[self]


_SECONDS: Final = {
    NewTimer.OFF: 0,
    NewTimer.HOUR: 3600,
    NewTimer.DAY: 24 * 3600,
    NewTimer.WEEK: 7 * 24 * 3600,
    NewTimer.FOUR_WEEKS: deed_limits.TIMER_MAX,
}


class TakeFiles(StrEnum):
    """Whose files are taken without asking."""

    ASK = "ask"
    """Nobody's."""
    VERIFIED = "verified"
    """Those of contacts whose safety number was compared."""
    CONTACTS = "contacts"
    """Those of all contacts."""


class LogLevel(StrEnum):
    """How much the program writes into its log: what happened when, never who, what or where to."""

    OFF = "no log"
    FAULTS = "faults"
    """What went wrong."""
    STEPS = "steps"
    """Links, relays and transfers as well: when they come up and go down."""
    EVERYTHING = "everything"
    """That something happened, whatever it was."""


class Page(StrEnum):
    """The page of the settings dialog on which a setting stands."""

    NETWORK = "network"
    PRIVACY = "privacy"
    NOTIFICATIONS = "notifications"
    APPEARANCE = "appearance"
    FILES = "files"
    STORAGE = "storage and backup"
    ADVANCED = "advanced"


_PAGE: Final = "page"
_LEAST: Final = "least"
_MOST: Final = "most"


def setting(page: Page, *, default: Any, least: int | None = None, most: int | None = None) -> Any:  # noqa: ANN401 -- typed by the field
    """Declare one setting.

    Args:
        page: Where it stands in the dialog.
        default: Its value in a new profile, of the field's type.
        least: Smallest number allowed.
        most: Largest number allowed.
    """
    return field(default=default, metadata={_PAGE: page, _LEAST: least, _MOST: most})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a profile. Labels and explanations stand in `messenger.text`."""

    listen: bool = setting(Page.NETWORK, default=True)
    """Let others connect to this computer."""
    port: int = setting(Page.NETWORK, default=limits.DEFAULT_PORT, least=1, most=65535)
    """Port to listen on; the next free one is taken when it is in use."""
    open_door: OpenDoor = setting(Page.NETWORK, default=OpenDoor.LOCAL)
    """Who may connect with the address alone."""
    reconnect: bool = setting(Page.NETWORK, default=True)
    """Reach contacts again by itself."""
    read_receipts: bool = setting(Page.PRIVACY, default=True)
    """Tell others when their messages were read."""
    typing: bool = setting(Page.PRIVACY, default=True)
    """Tell others while something is written to them, and show when they write."""
    new_timer: NewTimer = setting(Page.PRIVACY, default=NewTimer.OFF)
    """Messages disappear after so long where neither of the two has chosen a timer."""
    tell_addresses: bool = setting(Page.PRIVACY, default=False)
    """Tell contacts who are reached through a relay where this computer is, for a direct connection."""
    lock_after: int = setting(Page.PRIVACY, default=0, least=0, most=store_limits.LOCK_MINUTES_MAX)
    """Lock the profile when nobody has used it for so many minutes; 0 for never. Needs a passphrase."""
    notify: Notify = setting(Page.NOTIFICATIONS, default=Notify.TEXT)
    """What notifications tell."""
    sound: bool = setting(Page.NOTIFICATIONS, default=True)
    """A short sound with a notification."""
    close_to_tray: bool = setting(Page.NOTIFICATIONS, default=False)
    """Closing the window leaves the program in the tray, where there is one."""
    start_minimised: bool = setting(Page.NOTIFICATIONS, default=False)
    """Begin in the tray, or where there is none in the task bar."""
    autostart: bool = setting(Page.NOTIFICATIONS, default=False)
    """Start when the person logs in to this computer."""
    theme: Theme = setting(Page.APPEARANCE, default=Theme.SYSTEM)
    """Colours of the window."""
    zoom: int = setting(
        Page.APPEARANCE, default=100, least=window_limits.ZOOM_MIN, most=window_limits.ZOOM_MAX
    )
    """Size of everything in the window, in percent."""
    enter_sends: bool = setting(Page.APPEARANCE, default=True)
    """Enter sends and Shift+Enter breaks the line; otherwise Ctrl+Enter sends."""
    spelling: bool = setting(Page.APPEARANCE, default=True)
    """Mark words that may be misspelt while they are written."""
    take_files: TakeFiles = setting(Page.FILES, default=TakeFiles.ASK)
    """Whose files are taken without asking."""
    take_files_mib: int = setting(Page.FILES, default=100, least=1, most=transfer_limits.ACCEPT_MIB_MAX)
    """Up to which size, in MiB."""
    previews: bool = setting(Page.FILES, default=True)
    """Show small pictures of pictures."""
    lanes: int = setting(Page.FILES, default=2, least=1, most=transfer_limits.LANES_MAX)
    """Transfers that run at once, each way."""
    send_limit: int = setting(Page.FILES, default=0, least=0, most=transfer_limits.SPEED_LIMIT_MAX)
    """Speed of all files that are sent together, KiB/s; 0 for no limit."""
    receive_limit: int = setting(Page.FILES, default=0, least=0, most=transfer_limits.SPEED_LIMIT_MAX)
    """Speed of all files that are received together, KiB/s; 0 for no limit."""
    keep_days: int = setting(Page.STORAGE, default=0, least=0, most=store_limits.KEEP_DAYS_MAX)
    """Delete messages that are older than so many days; 0 for never. A conversation may differ."""
    backups_kept: int = setting(Page.STORAGE, default=3, least=0, most=store_limits.BACKUPS_MAX)
    """Daily backups that are kept; 0 for none."""
    log: LogLevel = setting(Page.ADVANCED, default=LogLevel.FAULTS)
    """What the program writes into its log."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the dialog needs to know about one setting."""

    name: str
    kind: type
    page: Page
    least: int | None
    most: int | None


def declared() -> list[Declared]:
    """All settings in the order of their declaration."""
    return [
        Declared(f.name, type(f.default), f.metadata[_PAGE], f.metadata[_LEAST], f.metadata[_MOST])
        for f in fields(Settings)
    ]


def changed(settings: Settings, changes: dict[str, object]) -> Settings:
    """Apply changes, each checked; all or none.

    Args:
        settings: The settings as they are.
        changes: New values by name; enumerations as members or as their text.

    Raises:
        SettingError: A name is unknown, or a value has the wrong type or is out of bounds.
    """
    known = {item.name: item for item in declared()}
    checked: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in known:
            raise SettingError(InputProblem.UNKNOWN, name)
        checked[name] = _checked(known[name], value)
    return replace(settings, **checked)


def to_plain(settings: Settings) -> dict[str, object]:
    """The settings as plain values, for storing; `changed` on the defaults reads them back."""
    return {
        item.name: value.value if isinstance(value := getattr(settings, item.name), StrEnum) else value
        for item in declared()
    }


def _checked(item: Declared, value: object) -> object:
    if issubclass(item.kind, StrEnum):
        try:
            return item.kind(str(value))
        except ValueError as e:
            raise SettingError(InputProblem.BAD_VALUE, item.name) from e
    if type(value) is not item.kind:
        raise SettingError(InputProblem.BAD_VALUE, item.name)
    if isinstance(value, int) and (
        (item.least is not None and value < item.least) or (item.most is not None and value > item.most)
    ):
        raise SettingError(InputProblem.BAD_VALUE, item.name)
    return value
