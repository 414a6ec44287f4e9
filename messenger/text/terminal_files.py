"""Sentences of the terminal about files: of `sotto send`, `sotto receive`, and of commands while talking."""

from typing import Final

from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer
from messenger.text.catalogue import _
from messenger.text.files import amount_words, files_title, program_words, size_words

HELP_SEND: Final = _(
    "Send files and folders to somebody, and wait until they have them. PEER is as for chat. Without PATH,"
    " go on with what was begun and not finished."
)
HELP_RECEIVE: Final = _(
    "Wait for files and take them. With PEER, connect there and take only theirs. The path of everything"
    " that has come whole is written to the output."
)
OPTION_JSON: Final = _("Print one JSON object a line for each change, for programs.")
OPTION_ACCEPT: Final = _("Whose files to take: all, verified, or ask about each.")
OPTION_FOLDER: Final = _("Folder for what comes; made if need be.")
OPTION_ONCE: Final = _("End when one transfer has ended.")
OPTION_LIMIT: Final = _(
    "Bound the speed of each transfer, in KiB a second; 0 is no limit but that of the settings."
)

ASK_FILES: Final = _("Take it? [y/N] ")
CANNOT_ASK_FILES: Final = _(
    "There is no terminal to ask you on: choose with --accept all or --accept verified."
)
WAITING_FOR_FILES: Final = _("Waiting for files. Ctrl-C ends it; what has come of a file stays.")
NOTHING_WAITS: Final = _("Nothing that was begun waits to be sent to them. Name files or folders.")
SEND_STOPPED: Final = _(
    "Stopped; what has arrived stays there. To go on, run sotto send again with the same peer and no files,"
    " or open the window. To give it up, type /cancel in sotto chat."
)
RECEIVE_STOPPED: Final = _(
    "Stopped; what has come stays here. It goes on when Sotto runs with this profile and they are there."
)
NOTHING_TO_SEND: Final = _("Nothing of this can be sent.")
LEFT_OUT: Final = _("Not sent:")

COMMANDS: Final[dict[str, str]] = {
    "/send": _("send a file or folder: /send PATH"),
    "/accept": _("take the files that are offered; /accept FOLDER puts them there"),
    "/decline": _("do not take them"),
    "/pause": _("go on with the files later"),
    "/resume": _("go on with the files now"),
    "/next": _("send the files before all others that wait"),
    "/cancel": _("give the files up"),
    "/limit": _("bound the speed of the files: /limit 500 for 500 KiB a second, /limit 0 for no limit"),
}
"""What can be typed about files in a conversation."""

DEED_OF: Final[dict[str, FileDeed]] = {
    "/accept": FileDeed.ACCEPT,
    "/decline": FileDeed.DECLINE,
    "/pause": FileDeed.PAUSE,
    "/resume": FileDeed.RESUME,
    "/next": FileDeed.FIRST,
    "/cancel": FileDeed.CANCEL,
}
"""What each of them does with a transfer."""

SEND_WHAT: Final = _("Say what to send: /send PATH")
LIMIT_WHAT: Final = _("Say how fast at most, in KiB a second: /limit 500")
NO_SUCH_TRANSFER: Final = _("There are no files here with which that could be done.")


def offer_words(transfer: Transfer, name: str) -> str:
    """Say that files are offered.

    Args:
        transfer: What.
        name: By whom.
    """
    parts = (files_title(transfer), amount_words(transfer), program_words(transfer))
    return _("{name} offers {files}.").format(name=name, files=", ".join(filter(None, parts)))


def on_its_way(transfer: Transfer) -> str:
    """Say that files have begun to move."""
    return _("{files}: on its way").format(files=files_title(transfer))


def accept_hint() -> str:
    """Say how an offer is answered in a conversation."""
    return _("/accept takes it, /decline does not.")


def not_by_rule(name: str) -> str:
    """Say that an offer was not taken because of the rule on the command line."""
    return _("{name} is not verified, so it was not taken; the offer is kept.").format(name=name)


def left_waiting(name: str) -> str:
    """Say that the other has left before everything had arrived."""
    return _("{name} has left; the rest waits in your profile and goes on when you meet again.").format(
        name=name
    )


def bar_words(transfer: Transfer) -> str:
    """What stands beside a progress bar: how much of how much."""
    return f"{size_words(transfer.done)} / {size_words(transfer.size)}"
