"""Words for files: sizes, times, and how a transfer stands."""

import msgspec
import pytest

from messenger.core.file_choice import LeftOut, WhyNot
from messenger.core.ids import ConversationId, MessageId
from messenger.core.transfer_deeds import FileDeed, possible
from messenger.core.transfers import Transfer, TransferId, TransferState, Trouble, Wish
from messenger.text import (
    DEEDS,
    amount_words,
    files_title,
    left_out_words,
    left_words,
    program_words,
    size_words,
)
from messenger.text.files import percent, state_words, trouble_words

OFFER = Transfer(
    id=TransferId(1),
    conversation=ConversationId(1),
    message=MessageId(bytes(16)),
    outgoing=False,
    names=("report.pdf",),
    tops=1,
    files=1,
    folders=0,
    size=1000,
    media="file",
    state=TransferState.OFFERED,
    mine=Wish.OPEN,
    theirs=Wish.GO,
)
OURS = msgspec.structs.replace(OFFER, outgoing=True, mine=Wish.GO, theirs=Wish.OPEN)


def test_every_deed_has_its_word() -> None:
    assert set(DEEDS) == set(FileDeed)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_960, "10 kB"),
        (999_499, "999 kB"),
        (999_600, "1.0 MB"),
        (3_145_728, "3.1 MB"),
        (2**53, "9.0 PB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    assert size_words(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds left"),
        (1, "1 second left"),
        (59, "59 seconds left"),
        (60, "1 minute left"),
        (61, "2 minutes left"),
        (3600, "1 hour left"),
        (90_000, "2 days left"),
    ],
)
def test_time_left(seconds: int, words: str) -> None:
    assert left_words(seconds) == words


@pytest.mark.parametrize("state", list(TransferState))
@pytest.mark.parametrize("transfer", [OFFER, OURS], ids=["theirs", "ours"])
def test_every_state_is_said_and_offers_what_can_be_done(transfer: Transfer, state: TransferState) -> None:
    now = msgspec.structs.replace(transfer, state=state, placed=("/there/report.pdf",))
    assert state_words(now, "Bob")
    assert set(possible(now)) <= set(FileDeed)
    assert bool(possible(now)) or state is TransferState.FINISHING or not now.outgoing


@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NONE])
def test_whoever_has_to_do_something_is_told_so(trouble: Trouble) -> None:
    here, there = (
        trouble_words(msgspec.structs.replace(transfer, trouble=trouble), "Bob") for transfer in (OFFER, OURS)
    )
    assert here != there
    assert here
    assert there


def test_pauses_are_told_apart() -> None:
    def said(mine: Wish, theirs: Wish) -> str:
        paused = msgspec.structs.replace(
            OFFER, state=TransferState.PAUSED, mine=mine, theirs=theirs, done=400
        )
        return state_words(paused, "Bob")

    assert said(Wish.PAUSED, Wish.GO) == "Paused by you · 40 %"
    assert said(Wish.GO, Wish.PAUSED) == "Paused by Bob · 40 %"
    assert said(Wish.PAUSED, Wish.PAUSED) == "Paused by you and by Bob · 40 %"


def test_running_says_how_far_how_fast_and_how_long() -> None:
    now = msgspec.structs.replace(OFFER, state=TransferState.RUNNING, done=400, speed=5, seconds_left=120)
    assert state_words(now, "Bob") == "40 % · 5 B/s · 2 minutes left"
    assert percent(msgspec.structs.replace(now, done=999)) == 99
    assert percent(msgspec.structs.replace(now, size=0, done=0)) == 0


def test_programs_are_called_so_by_their_real_suffix() -> None:
    program = msgspec.structs.replace(OFFER, names=("holiday.jpg.exe",))
    assert "(.exe)" in program_words(program)
    assert program_words(OFFER) == ""
    assert program_words(msgspec.structs.replace(program, outgoing=True)) == ""


def test_names_and_amounts() -> None:
    many = msgspec.structs.replace(OFFER, names=("a", "b"), tops=7, files=30, folders=2)
    assert files_title(many) == "a and 6 more"
    assert amount_words(many) == "1.0 kB · 30 files, 2 folders"
    assert amount_words(OFFER) == "1.0 kB"
    assert left_out_words(LeftOut("a/b\u202egpj", WhyNot.LINK)) == "a/b_gpj: a link that could lead elsewhere"
