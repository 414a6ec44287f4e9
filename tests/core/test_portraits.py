"""The form of a profile picture: nothing beside the pixels has a place in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.portraits import PORTRAIT_EDGE, PORTRAIT_MAX, is_portrait
from tests.helpers.portraits import portrait, with_segment

GOOD = portrait()
FRAME = GOOD.index(b"\xff\xc0")
SCAN = GOOD.index(b"\xff\xda")


def test_pixels_alone() -> None:
    assert is_portrait(GOOD)
    assert is_portrait(portrait(1))
    assert portrait(1) != GOOD


@pytest.mark.parametrize(
    ("marker", "body"),
    [
        (0xE1, b"Exif\0\0where it was taken"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xED, b"Photoshop 3.0\0"),
        (0xEE, b"Adobe\0"),
        (0xFE, b"a comment"),
        (0xE0, b"JFXX\0\x10a small picture"),
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01rgb"),
        (0xC2, GOOD[FRAME + 4 : FRAME + 13]),
        (0xD8, b""),
    ],
)
def test_whatever_says_more_is_refused(marker: int, body: bytes) -> None:
    assert not is_portrait(with_segment(marker, body))


def test_what_stands_after_the_end_is_refused() -> None:
    assert not is_portrait(GOOD + b"hidden")
    assert not is_portrait(GOOD + b"hidden\xff\xd9")
    assert not is_portrait(GOOD[:-2] + GOOD[FRAME:])
    assert not is_portrait(GOOD[:-2] + b"\xff\xfe\0\x08hidden\xff\xd9")
    assert not is_portrait(GOOD[:-2] + b"\xff\xff\xd9")


@pytest.mark.parametrize("place", [FRAME + 5, FRAME + 7])
def test_too_many_pixels(place: int) -> None:
    for edge, good in ((0, False), (1, True), (PORTRAIT_EDGE, True), (PORTRAIT_EDGE + 1, False)):
        assert is_portrait(GOOD[:place] + edge.to_bytes(2, "big") + GOOD[place + 2 :]) is good


def test_two_frames_or_none() -> None:
    frame = GOOD[FRAME : FRAME + 2 + int.from_bytes(GOOD[FRAME + 2 : FRAME + 4], "big")]
    assert is_portrait(GOOD[:FRAME] + frame + GOOD[FRAME + len(frame) :])
    assert not is_portrait(GOOD[:FRAME] + frame + GOOD[FRAME:])
    assert not is_portrait(GOOD[:FRAME] + GOOD[FRAME + len(frame) :])


def test_too_long() -> None:
    padding = b"\xff\x00" * ((PORTRAIT_MAX - len(GOOD)) // 2)
    assert is_portrait(GOOD[:-2] + padding + GOOD[-2:])
    assert not is_portrait(GOOD[:-2] + padding + b"\xff\x00" + GOOD[-2:])


def test_cut_short() -> None:
    for end in range(len(GOOD)):
        assert not is_portrait(GOOD[:end])
        assert not is_portrait(GOOD[:end] + b"\xff\xd9") or end > SCAN


@given(st.binary(max_size=200))
def test_garbage(data: bytes) -> None:
    assert not is_portrait(data)
    assert not is_portrait(b"\xff\xd8" + data + b"\xff\xd9")
