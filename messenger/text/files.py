"""Words for files that are offered, sent and received."""

from typing import Final

from messenger.core.file_choice import Choice, LeftOut, WhyNot
from messenger.core.file_names import runnable_suffix, shown_name
from messenger.core.models import Message
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer, TransferState, Trouble, Wish
from messenger.text.catalogue import _, ngettext
from messenger.text.times import moment

_S = TransferState
_K: Final = 1000
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * 3600

DEEDS: Final[dict[FileDeed, str]] = {
    FileDeed.ACCEPT: _("Accept"),
    FileDeed.SAVE_TO: _("Save to…"),
    FileDeed.DECLINE: _("Decline"),
    FileDeed.PAUSE: _("Pause"),
    FileDeed.RESUME: _("Resume"),
    FileDeed.FIRST: _("Send next"),
    FileDeed.CANCEL: _("Cancel"),
    FileDeed.OPEN: _("Open"),
    FileDeed.SHOW: _("Show in folder"),
    FileDeed.AGAIN: _("Send again"),
}
"""What the buttons of a transfer say."""

_TROUBLES: Final[dict[Trouble, tuple[str, str]]] = {
    Trouble.SOURCE_CHANGED: (
        _("A file was changed while it was being sent. Send it again."),
        _("A file was changed at {name}'s end while it was being sent. Ask them to send it again."),
    ),
    Trouble.SOURCE_GONE: (
        _("A file is no longer where it was, or cannot be read. Put it back and send it again."),
        _("A file is no longer where it was at {name}'s end. Ask them to send it again."),
    ),
    Trouble.NO_ROOM: (
        _("The disk is full. Free some space; it goes on by itself."),
        _("The disk of {name} is full. It goes on by itself when there is room."),
    ),
    Trouble.READ_ONLY: (
        _("That folder cannot be written to. Check its permissions, then resume."),
        _("{name} cannot write to the folder that they chose. They have to check it and resume."),
    ),
    Trouble.DISK: (
        _("The disk did not do what was asked. Check it, then resume."),
        _("The disk of {name} has a fault. They have to check it and resume."),
    ),
    Trouble.BROKEN: (
        _("What came was not what had been offered; nothing of it was kept. Ask {name} to send it again."),
        _("The transfer broke its rules and was stopped. Send it again; if it stays, update both programs."),
    ),
    Trouble.OTHER: (_("Something went wrong here. Try again."), _("Something went wrong at {name}'s end.")),
}
"""Why it failed or pauses: if it is for us to do something, and if it is for them."""

_WHY_NOT: Final[dict[WhyNot, str]] = {
    WhyNot.LINK: _("a link that could lead elsewhere"),
    WhyNot.SPECIAL: _("not a file"),
    WhyNot.UNREADABLE: _("cannot be read"),
    WhyNot.GONE: _("not there any more"),
}


def size_words(size: int) -> str:
    """A number of bytes as people say it: ``3.2 MB``; units of a thousand, as file managers have them."""
    if size < _K:
        return _("{count} B").format(count=size)
    value, units = float(size), (_("kB"), _("MB"), _("GB"), _("TB"), _("PB"))
    for unit in units:
        value /= _K
        if value < _K - 0.5 or unit == units[-1]:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    raise AssertionError  # pragma: no cover -- the last unit has no end


def speed_words(speed: int) -> str:
    """Bytes a second as people say it."""
    return _("{size}/s").format(size=size_words(speed))


def left_words(seconds: int) -> str:
    """How long something still takes, roughly."""
    if seconds < _MINUTE:
        return ngettext("{n} second left", "{n} seconds left", seconds).format(n=seconds)
    if seconds < _HOUR:
        return ngettext("{n} minute left", "{n} minutes left", -(-seconds // _MINUTE)).format(
            n=-(-seconds // _MINUTE)
        )
    if seconds < _DAY:
        return ngettext("{n} hour left", "{n} hours left", -(-seconds // _HOUR)).format(
            n=-(-seconds // _HOUR)
        )
    return ngettext("{n} day left", "{n} days left", -(-seconds // _DAY)).format(n=-(-seconds // _DAY))


def percent(transfer: Transfer) -> int:
    """How much of it is there; 100 only when nothing is missing."""
    if transfer.size <= 0:
        return 100 if transfer.state in {_S.DONE, _S.FINISHING} else 0
    return min(transfer.done * 100 // transfer.size, 100)


def files_title(transfer: Transfer) -> str:
    """The names of what it is."""
    return names_words(transfer.names, transfer.tops)


def names_words(names: tuple[str, ...], tops: int) -> str:
    """The first name, and how many more there are.

    Args:
        names: The first of them, cleaned.
        tops: How many there are.
    """
    more = tops - 1
    if more <= 0:
        return names[0] if names else ""
    return ngettext("{name} and {more} more", "{name} and {more} more", more).format(
        name=names[0] if names else "", more=more
    )


def count_words(files: int, folders: int) -> str:
    """How many files and folders."""
    parts = []
    if files or not folders:
        parts.append(ngettext("{n} file", "{n} files", files).format(n=files))
    if folders:
        parts.append(ngettext("{n} folder", "{n} folders", folders).format(n=folders))
    return ", ".join(parts)


def amount_words(transfer: Transfer) -> str:
    """Its size, and how many files if it is more than one."""
    size = size_words(transfer.size)
    if transfer.files == 1 and not transfer.folders:
        return size
    return f"{size} · {count_words(transfer.files, transfer.folders)}"


def choice_words(choice: Choice) -> str:
    """How much somebody is about to send."""
    return f"{count_words(choice.files, choice.folders)} · {size_words(choice.size)}"


def left_out_words(left: LeftOut) -> str:
    """What is not sent, and why."""
    name = "/".join(shown_name(part) for part in left.name.split("/"))
    return f"{name}: {_WHY_NOT[left.why]}"


def program_words(transfer: Transfer) -> str:
    """A warning if what comes is a program; empty if it is none."""
    found = [suffix for name in transfer.names if (suffix := runnable_suffix(name))]
    if transfer.outgoing or not found:
        return ""
    return _("A program ({suffix}): it could harm this computer").format(suffix=found[0])


def state_words(transfer: Transfer, name: str) -> str:
    """How a transfer stands, with the reason if it does not go on, and what to do then.

    Args:
        transfer: The transfer.
        name: Of the other person.
    """
    out = transfer.outgoing
    match transfer.state:
        case _S.OFFERED:
            return _("Waits until {name} accepts").format(name=name) if out else _("Waits for your answer")
        case _S.WAITING:
            if transfer.queued:
                return _("Waits for its turn")
            return _("Waits for its turn, or for {name}").format(name=name)
        case _S.RUNNING:
            return _running(transfer)
        case _S.PAUSED:
            return _paused(transfer, name)
        case _S.FINISHING:
            return _("Everything is there; it is being put in its place")
        case _S.DONE:
            return _("{name} has it").format(name=name) if out else _("Received and checked")
        case _S.CANCELLED:
            ours = transfer.mine is Wish.CANCELLED
            return _("Cancelled by you") if ours else _("Cancelled by {name}").format(name=name)
        case _S.DECLINED:
            return _("{name} declined it").format(name=name) if out else _("Declined by you")
        case _S.FAILED:
            return trouble_words(transfer, name) or _("It failed. Send it again.")


def trouble_words(transfer: Transfer, name: str) -> str:
    """Why a transfer failed or pauses by itself, and what to do; empty if it does not.

    Args:
        transfer: The transfer.
        name: Of the other person.
    """
    if transfer.trouble is Trouble.NONE:
        return ""
    of_sender = transfer.trouble in {Trouble.SOURCE_CHANGED, Trouble.SOURCE_GONE}
    ours = transfer.outgoing == of_sender
    if transfer.trouble in {Trouble.BROKEN, Trouble.OTHER}:
        ours = not transfer.outgoing
    return _TROUBLES[transfer.trouble][0 if ours else 1].format(name=name)


def _running(transfer: Transfer) -> str:
    parts = [_("{percent} %").format(percent=percent(transfer))]
    if transfer.speed:
        parts.append(speed_words(transfer.speed))
    if transfer.seconds_left is not None:
        parts.append(left_words(transfer.seconds_left))
    return " · ".join(parts)


def _paused(transfer: Transfer, name: str) -> str:
    if trouble := trouble_words(transfer, name):
        return trouble
    done = _("{percent} %").format(percent=percent(transfer))
    if transfer.paused_by_me and transfer.paused_by_them:
        return f"{_('Paused by you and by {name}').format(name=name)} · {done}"
    who = _("Paused by you") if transfer.paused_by_me else _("Paused by {name}").format(name=name)
    return f"{who} · {done}"


def transfer_sentence(transfer: Transfer, name: str) -> str:
    """Read a transfer as one sentence, for people who listen to the screen.

    Args:
        transfer: The transfer.
        name: Of the other person.
    """
    if transfer.outgoing:
        return _("you offer {name} {files}").format(name=name, files=_told(transfer, name))
    return _("{name} offers {files}").format(name=name, files=_told(transfer, name))


def file_sentence(message: Message, transfer: Transfer, author: str, name: str, now_ms: int) -> str:
    """Read a message that offers files as one sentence.

    Args:
        message: The message.
        transfer: What it offers.
        author: Who offers it, as shown.
        name: Of the other person.
        now_ms: The time now, Unix milliseconds.
    """
    words = _("offer {files}") if transfer.outgoing else _("offers {files}")
    return f"{author}, {moment(message.sent_ms, now_ms)}, {words.format(files=_told(transfer, name))}"


def _told(transfer: Transfer, name: str) -> str:
    parts = (
        files_title(transfer),
        amount_words(transfer),
        program_words(transfer),
        state_words(transfer, name),
    )
    return ", ".join(filter(None, parts)).replace(" · ", ", ")


def deed_words(deed: FileDeed, transfer: Transfer) -> str:
    """What a button does, for people who listen to the screen."""
    return f"{DEEDS[deed].rstrip('…')}: {files_title(transfer)}"


def total_words(running: int, waiting: int, speed: int) -> str:
    """How many transfers go on and wait, and their speed together."""
    parts = []
    if running:
        parts.append(ngettext("{n} transfer running", "{n} transfers running", running).format(n=running))
    if waiting:
        parts.append(ngettext("{n} waiting", "{n} waiting", waiting).format(n=waiting))
    if speed:
        parts.append(speed_words(speed))
    return " · ".join(parts)
