"""What the text of a message holds: links, code, words that are sought, emoji alone, more than is shown."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QUrl

from messenger.core.words import Phrase, folded, terms_of

_LINK: Final = re.compile(r"(?<!\w)(?P<scheme>https?://|mailto:|sotto:)[^\s<>\"“”«»`]+", re.IGNORECASE)
_CODE: Final = re.compile(
    r"```(?:[A-Za-z0-9_+-]*\n)?(?P<block>(?:(?!```).)+)```|(?<!`)`(?P<inline>[^`\n]+)`(?!`)", re.DOTALL
)
_WORD: Final = re.compile(r"\w+|[\u2600-\u27bf\U0001f000-\U0001faff]")
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


_LISTED: Final = 5
"""Links of one message that are listed."""


def links(text: str) -> list[tuple[int, int]]:
    """Where links to the web, to mail and to people stand in a text, as start and end.

    Closing punctuation does not belong to them.
    """
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
        if end > match.start() + len(match["scheme"]):
            found.append((match.start(), end))
    return found


def first_links(text: str) -> tuple[str, ...]:
    """The first links of the part of a text that is shown, each once, for those who use no mouse."""
    shown = text[:SHOWN_CHARACTERS]
    return tuple(dict.fromkeys(shown[start:end] for start, end in links(shown)))[:_LISTED]


def formatted(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Take the marks of code out of a text: one back tick around words, three around lines.

    Lines of code stand alone, whatever stood beside them.

    Returns:
        The text without the marks, and where code stands in it, as start and end.
    """
    parts, codes, size, last = list[str](), list[tuple[int, int]](), 0, 0
    for match in _CODE.finditer(text):
        code = match["inline"] if match["block"] is None else match["block"].strip("\n")
        if not code.strip():
            continue
        before = text[last : match.start()]
        alone = match["block"] is not None
        if alone and (before or parts) and not before.endswith("\n"):
            before += "\n"
        parts += (before, code)
        size += len(before)
        codes.append((size, size + len(code)))
        size += len(code)
        last = match.end()
        if alone and last < len(text) and text[last] != "\n":
            parts.append("\n")
            size += 1
    return "".join((*parts, text[last:])), codes


def sought(text: str, phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Where words that are sought stand in a text, as start and end; near enough to be marked for the eye.

    Args:
        text: The text.
        phrases: What is sought, as search reads it.
    """
    found = []
    for match in _WORD.finditer(text):
        word = folded(match[0])
        terms = [term for group in terms_of(match[0]) for term in group]
        for phrase in phrases:
            for place, term in enumerate(phrase.terms):
                goes_on = phrase.prefix and place == len(phrase.terms) - 1
                if not any(other == term or (goes_on and other.startswith(term)) for other in terms):
                    continue
                start = word.find(term)
                if len(word) == len(match[0]) and start >= 0:
                    found.append((match.start() + start, match.start() + start + len(term)))
                else:
                    found.append(match.span())
    return sorted(set(found))


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


class Target(NamedTuple):
    """Where a link leads."""

    address: str
    """All of it, as a browser would be given it: no letters that look like others."""
    where: str
    """The part that decides: host, mail address, or Sotto itself."""
    odd: bool
    """Something in it is often used to deceive."""


def address(link: str) -> QUrl:
    """What is handed to the program that opens a link."""
    return QUrl(link, QUrl.ParsingMode.TolerantMode)


def target(link: str) -> Target:
    """Say where a link really leads.

    Args:
        link: As `links` found it in a message.
    """
    url = address(link)
    whole = bytes(url.toEncoded().data()).decode("ascii", "replace") or link
    if url.scheme() in {"http", "https"}:
        host = url.host(QUrl.ComponentFormattingOption.FullyEncoded)
        return Target(whole, host or link, bool(url.userInfo()) or "xn--" in host or not host)
    if url.scheme() == "mailto":
        return Target(whole, url.path(QUrl.ComponentFormattingOption.FullyDecoded), odd=False)
    return Target(whole, "Sotto", odd=False)


def may_open(link: str) -> bool:
    """Whether a link is of a kind that may be opened at all."""
    return address(link).scheme() in {"http", "https", "mailto", "sotto"}
