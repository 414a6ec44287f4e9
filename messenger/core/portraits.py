"""Profile pictures: one form for all, checked before anything is stored, sent or decoded (SPEC.md 8.7).

A portrait is a baseline JPEG of its pixels alone. What cameras and programs put beside pixels (places,
times, names, smaller pictures) has no segment here in which it could stand.
"""

from typing import Final

PORTRAIT_MAX: Final = 24 * 1024
"""Bytes of a portrait."""

PORTRAIT_EDGE: Final = 256
"""Most pixels of a portrait on each side."""

PORTRAIT_HASH_SIZE: Final = 32

_BEGIN: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_JFIF: Final = b"\x00\x10JFIF\x00"
"""Length of a head without a smaller picture, and its name (ITU-T T.871)."""
_APP0, _FRAME, _SCAN = 0xE0, 0xC0, 0xDA
_PLAIN: Final = frozenset({_APP0, _FRAME, _SCAN, 0xC4, 0xDB, 0xDD})
"""Markers (ITU-T T.81, table B.1): head, baseline frame, scan, tables of codes and quantisation, restarts."""
_IN_SCAN: Final = frozenset({0x00, *range(0xD0, 0xD8)})
"""What may follow FF within a scan: a byte of the content, restarts."""
_FRAME_LEAST: Final = 8


def is_portrait(data: bytes) -> bool:
    """Whether data of anybody has the form of a portrait; the pixels are not looked at.

    Args:
        data: At most `PORTRAIT_MAX` bytes, else it is none.
    """
    if len(data) > PORTRAIT_MAX or data[:2] != _BEGIN or data[-2:] != _END:
        return False
    place, framed = len(_BEGIN), False
    while place + 4 <= len(data):
        marker, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 2 : place + 2 + size]
        if data[place] != 0xFF or marker not in _PLAIN or len(body) != size or size < len(b"ln"):
            return False
        if marker == _APP0 and not (size == _JFIF[1] and body.startswith(_JFIF) and body[-2:] == b"\0\0"):
            return False
        if marker == _FRAME:
            if framed or not _fits(body):
                return False
            framed = True
        place += 2 + size
        if marker == _SCAN:
            return framed and _is_one_scan(data[place:])
    return False


def _fits(frame: bytes) -> bool:
    """Whether a frame has no more pixels than a portrait."""
    if len(frame) < _FRAME_LEAST:
        return False
    high, wide = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[5:7], "big")
    return 0 < high <= PORTRAIT_EDGE and 0 < wide <= PORTRAIT_EDGE


def _is_one_scan(rest: bytes) -> bool:
    """Whether nothing but the content of a scan stands before the end."""
    content = rest[: -len(_END)]
    place = content.find(b"\xff")
    while place >= 0:
        if place + 1 >= len(content) or content[place + 1] not in _IN_SCAN:
            return False
        place = content.find(b"\xff", place + 2)
    return True
