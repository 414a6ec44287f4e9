"""What the text of a message holds: links, nothing but emoji, more than a bubble should show."""

import re
from typing import Final

_LINK: Final = re.compile(r"https?://[^\s<>\"“”«»]+", re.IGNORECASE)
_TRAILING: Final = ".,;:!?'’)]}…"
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}

SHOWN_CHARACTERS: Final = 3000
SHOWN_LINES: Final = 48
"""A longer message is cut in its bubble and opens in a window of its own, so that no message, whoever
sent it, can make scrolling slow."""

_EMOJI_MOST: Final = 5
_EMOJI: Final = re.compile(
    "(?:[\U0001f1e6-\U0001f1ff]{2}"  # flags
    "|(?:[\u2190-\u21ff\u2300-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
    "[\ufe0f\U0001f3fb-\U0001f3ff]*)"
    "(?:\u200d[\u2190-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*)*"  # joined
    r"|[0-9#*]\ufe0f?\u20e3)\s*"  # key caps
)


def links(text: str) -> list[tuple[int, int]]:
    """Where web links stand in a text, as start and end; closing punctuation does not belong to them."""
    found = []
    for match in _LINK.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in _TRAILING:
            opening = _PAIRS.get(text[end - 1])
            if opening and text.count(opening, match.start(), end) >= text.count(
                text[end - 1], match.start(), end
            ):
                break
            end -= 1
        if end > match.start() + len("https://"):
            found.append((match.start(), end))
    return found


def only_emoji(text: str) -> bool:
    """Whether a text is one to five emoji and nothing else."""
    place = count = 0
    while place < len(text) and count <= _EMOJI_MOST:
        match = _EMOJI.match(text, place)
        if match is None:
            return False
        place, count = match.end(), count + 1
    return 0 < count <= _EMOJI_MOST and place == len(text)


def shown(text: str) -> tuple[str, bool]:
    """The part of a text that stands in its bubble.

    Returns:
        The part, and whether something was left out.
    """
    part = "\n".join(text[: SHOWN_CHARACTERS + 1].split("\n", SHOWN_LINES)[:SHOWN_LINES])[:SHOWN_CHARACTERS]
    return (part.rstrip() + "…", True) if len(part) < len(text) else (text, False)


def units(text: str, place: int) -> int:
    """The UTF-16 units, in which Qt counts, before a character.

    Args:
        text: The text.
        place: Characters before it.
    """
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


def characters(text: str, place: int) -> int:
    """The characters before a place that Qt gave.

    Args:
        text: The text.
        place: UTF-16 units before it.
    """
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * place].decode("utf-16-le", "ignore"))
