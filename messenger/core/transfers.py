"""Transfers of files: what each side wants of one, and what comes of both (SPEC.md section 17).

Nothing else is stored about the life of a transfer: each side keeps its own wish and the last one that it
heard of the other, and both come to the same from these two.
"""

from enum import IntEnum, StrEnum
from typing import Final, NewType

import msgspec

from messenger.core.ids import ConversationId, MessageId

TransferId = NewType("TransferId", int)
"""Number of a transfer in this profile's database; never leaves it."""


class Wish(IntEnum):
    """What one side wants of a transfer. Numbers are stored and sent: never reuse one."""

    OPEN = 1
    """The receiver has not decided."""
    GO = 2
    """Wants it now; with this the sender begins."""
    PAUSED = 3
    """Wants it later."""
    CANCELLED = 4
    """Does not want it any more."""
    DECLINED = 5
    """The receiver has not wanted it."""
    FAILED = 6
    """Cannot do it; the reason says more."""
    DONE = 7
    """The receiver has all of it, durably and in its place."""


_W = Wish
AFTER: Final[dict[Wish, frozenset[Wish]]] = {
    _W.OPEN: frozenset({_W.GO, _W.DECLINED, _W.CANCELLED, _W.FAILED}),
    _W.GO: frozenset({_W.PAUSED, _W.CANCELLED, _W.FAILED, _W.DONE}),
    _W.PAUSED: frozenset({_W.GO, _W.CANCELLED, _W.FAILED, _W.DONE}),
    _W.CANCELLED: frozenset(),
    _W.DECLINED: frozenset(),
    _W.FAILED: frozenset(),
    _W.DONE: frozenset(),
}
"""The wishes that may follow each wish of ours; every other change is refused.

PAUSED may become DONE: the last bytes may come while somebody presses a button.
"""

OF_SENDER: Final = frozenset({_W.GO, _W.PAUSED, _W.CANCELLED, _W.FAILED})
OF_RECEIVER: Final = frozenset(_W)
"""What each side can want at all."""


class Trouble(IntEnum):
    """Why a transfer pauses by itself, or failed. Numbers are stored and sent: never reuse one.

    A number of a peer that is not here means OTHER.
    """

    NONE = 0
    SOURCE_CHANGED = 1
    """A file is not any more what was offered: another size, time, or file."""
    SOURCE_GONE = 2
    """A file is not there any more, or must not be read."""
    NO_ROOM = 3
    """The receiver's disk is full."""
    READ_ONLY = 4
    """The receiver must not write there."""
    DISK = 5
    """Another fault of the receiver's disk."""
    BROKEN = 6
    """The other side broke the rules of a transfer."""
    OTHER = 7


class TransferState(StrEnum):
    """How a transfer stands, as a person sees it."""

    OFFERED = "offered"
    """The receiver has not decided."""
    WAITING = "waiting"
    """For the other person to be there, or for its turn."""
    RUNNING = "running"
    PAUSED = "paused"
    """By one or both; their wishes say by whom."""
    FINISHING = "finishing"
    """Everything has arrived, and is being made durable and put in its place."""
    DONE = "done"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    FAILED = "failed"


_S = TransferState
ENDS: Final = frozenset({_S.DONE, _S.CANCELLED, _S.DECLINED, _S.FAILED})
"""The states in which nothing happens any more."""


def outcome(sender: Wish, receiver: Wish) -> TransferState:
    """What comes of two wishes; the same at both ends once they know both.

    What is done is done, whatever anybody wished meanwhile; else whoever wants it least decides.
    """
    wishes = (sender, receiver)
    for wish, state in (
        (_W.DONE, _S.DONE),
        (_W.FAILED, _S.FAILED),
        (_W.DECLINED, _S.DECLINED),
        (_W.CANCELLED, _S.CANCELLED),
        (_W.OPEN, _S.OFFERED),
        (_W.PAUSED, _S.PAUSED),
    ):
        if wish in wishes:
            return state
    return _S.WAITING


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as it stands; for windows and terminals."""

    id: TransferId
    conversation: ConversationId
    message: MessageId
    """The message that offers it."""
    outgoing: bool
    """We offered it."""
    names: tuple[str, ...]
    """Of the first files and folders at its top, cleaned."""
    tops: int
    """Files and folders at its top."""
    files: int
    folders: int
    size: int
    """Bytes in all."""
    media: str
    """One of `messenger.core.offering.MEDIA`."""
    state: TransferState
    mine: Wish
    theirs: Wish
    trouble: Trouble = Trouble.NONE
    """Why it failed or pauses by itself."""
    folder: str = ""
    """Where it goes, of theirs; empty until it was accepted."""
    placed: tuple[str, ...] = ()
    """Paths of what stands at its top, once it is done; of ours where it comes from."""
    done: int = 0
    """Bytes that are at the other end, or here."""
    speed: int = 0
    """Bytes a second, while it is running."""
    seconds_left: int | None = None
    """While it is running, if that can be told."""
    queued: bool = False
    """It is ours, and waits until others have gone."""

    @property
    def paused_by_me(self) -> bool:
        """We wanted the pause."""
        return self.mine is Wish.PAUSED

    @property
    def paused_by_them(self) -> bool:
        """They wanted the pause."""
        return self.theirs is Wish.PAUSED
