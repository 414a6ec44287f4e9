"""Profile pictures for tests that need no window."""

import base64
from typing import Final

_GREY: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEAZABkAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7"
    "gYKBTmCNl4x9lnN+gXz/wAALCAAIAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF"
    "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi"
    "4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AH1//9k="
)
"""Eight by eight pixels, as the process that reads pictures writes them."""

_TABLE: Final = _GREY.index(b"\xff\xdb") + 5
"""Where the numbers of the quantisation begin."""


def portrait(number: int = 0) -> bytes:
    """A small portrait, another one for each number from 0 to 200."""
    return _GREY[:_TABLE] + bytes((_GREY[_TABLE] + number,)) + _GREY[_TABLE + 1 :]


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def with_segment(marker: int, body: bytes) -> bytes:
    """A portrait that says more than its pixels do."""
    return _GREY[:2] + segment(marker, body) + _GREY[2:]
