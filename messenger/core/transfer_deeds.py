"""What a person can do with a transfer of files as it stands; the same in window and terminal."""

from enum import StrEnum

from messenger.core.transfers import ENDS, Transfer, TransferState, Wish

_S = TransferState


class FileDeed(StrEnum):
    """Something that a person can do with a transfer."""

    ACCEPT = "accept"
    SAVE_TO = "save to"
    """Take it into a folder that is still to be chosen."""
    DECLINE = "decline"
    PAUSE = "pause"
    RESUME = "resume"
    FIRST = "first"
    """Let it go before others of ours that wait."""
    CANCEL = "cancel"
    OPEN = "open"
    """Open the one file or folder that it is."""
    SHOW = "show"
    """Show the folder that it is in."""
    AGAIN = "again"
    """Offer the same files anew."""


_D = FileDeed


def possible(transfer: Transfer) -> tuple[FileDeed, ...]:
    """What can be done, the most likely first."""
    match transfer.state:
        case _S.OFFERED if transfer.outgoing:
            return (_D.CANCEL,)
        case _S.OFFERED:
            return (_D.ACCEPT, _D.SAVE_TO, _D.DECLINE)
        case _S.WAITING if transfer.queued:
            return (_D.FIRST, _D.PAUSE, _D.CANCEL)
        case _S.WAITING | _S.RUNNING:
            return (_D.PAUSE, _D.CANCEL)
        case _S.PAUSED if transfer.mine is Wish.PAUSED:
            return (_D.RESUME, _D.CANCEL)
        case _S.PAUSED:
            return (_D.CANCEL,)
        case _S.DONE if transfer.placed:
            return (_D.OPEN, _D.SHOW) if transfer.tops == 1 else (_D.SHOW,)
        case state if state in ENDS and state is not _S.DONE and transfer.outgoing and transfer.placed:
            return (_D.AGAIN,)
    return ()
