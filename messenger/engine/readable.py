"""A conversation written out for people (HTML) or for other programs (JSON).

The HTML holds nothing active, loads nothing, and says so to the browser by a policy that allows
its one style sheet and nothing else. Whatever a person wrote is escaped and kept within its own
direction of writing.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from messenger.core import limits
from messenger.core.ids import ConversationId, format_fingerprint
from messenger.core.models import Contact, ExportForm, ExportWords, Me, Message
from messenger.storage.files import written
from messenger.storage.reader import Reader

JSON_FORMAT: Final = "sotto conversation"
JSON_VERSION: Final = 1
_LATEST_MS: Final = 253_402_000_000_000
"""The end of the year 9999, which is as far as calendars go here."""

_STYLE: Final = """
body { font: 16px/1.45 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }
h2 { font-size: 1em; text-align: center; color: #666; margin: 2em 0 1em; }
article { margin: 0.6em 0; padding: 0.5em 0.9em; border-radius: 12px; background: #eee; color: #111; }
article.ours { margin-inline-start: 5em; background: #dbe9ff; }
article.theirs { margin-inline-end: 5em; }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
p.who { font-size: 0.8em; color: #555; }
@media (prefers-color-scheme: dark) {
    body { background: #16181c; color: #e8e8e8; }
    article { background: #2a2d33; color: #f0f0f0; }
    article.ours { background: #1f3a63; }
    p.who, h2 { color: #aaa; }
}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
_HEAD: Final = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1><bdi>{title}</bdi></h1>
"""
_ARTICLE: Final = """<article class="{side}">
<p class="who"><bdi>{who}</bdi> <time datetime="{at}">{clock}</time>{state}</p>
<p dir="auto">{text}</p>
</article>
"""


def write_conversation(
    reader: Reader, contact: Contact, me: Me, path: Path, form: ExportForm, words: ExportWords
) -> int:
    """Write the messages of a conversation, oldest first, into a file; one page of them in memory at a time.

    Those that disappear one day are left out: nobody would delete them there.

    Args:
        reader: Where they are; for this thread alone.
        contact: Whose conversation.
        me: Who we are.
        path: The file, replaced when it is there.
        form: How.
        words: For the HTML.

    Returns:
        How many messages were written.

    Raises:
        StorageError: Or one of its kinds; no file was written.
    """
    count = 0
    with written(path) as file:
        pieces = _html(contact, words) if form is ExportForm.HTML else _json(contact, me)
        file.write(next(pieces))
        for message in _messages(reader, contact.id):
            file.write(pieces.send(message))
            count += 1
        file.write(pieces.send(None))
    return count


def _messages(reader: Reader, conversation: ConversationId) -> Iterator[Message]:
    after = 0
    while page := reader.messages(conversation, after=after, count=limits.PAGE):
        yield from (message for message in page if not message.timer and not message.notice)
        after = page[-1].position


_Pieces = Generator[bytes, Message | None, None]
"""Is sent one message after the other, and None after the last; gives what is to be written."""


def _html(contact: Contact, words: ExportWords) -> _Pieces:
    day = ""
    message = yield _HEAD.format(
        language=_shown(words.language), policy=_POLICY, title=_shown(words.title), style=_STYLE
    ).encode()
    while message is not None:
        at = _local(message.sent_ms)
        written = _ARTICLE.format(
            side="ours" if message.outgoing else "theirs",
            who=_shown(words.you if message.outgoing else contact.title),
            at=at.isoformat(timespec="seconds"),
            clock=at.strftime("%H:%M"),
            state="".join(f" · {_shown(each)}" for each in _beside(message, words) if each),
            text=_shown(words.deleted if message.deleted else message.text),
        )
        if at.date().isoformat() != day:
            day = at.date().isoformat()
            written = f"<h2>{day}</h2>\n{written}"
        message = yield written.encode()
    yield b"</body>\n</html>\n"


def _json(contact: Contact, me: Me) -> _Pieces:
    head = {
        "format": JSON_FORMAT,
        "version": JSON_VERSION,
        "me": {"name": me.name, "fingerprint": format_fingerprint(me.fingerprint)},
        "contact": {
            "name": contact.name,
            "alias": contact.alias,
            "fingerprint": format_fingerprint(contact.fingerprint),
            "verified": contact.verified,
        },
    }
    message = yield msgspec.json.encode(head)[:-1] + b',"messages":['
    separator = b"\n"
    while message is not None:
        message = yield separator + msgspec.json.encode(message_object(message))
        separator = b",\n"
    yield b"\n]}\n"


def message_object(message: Message) -> dict[str, object]:
    """A message as it is written for other programs; `json` and `msgspec` can encode it."""
    return {
        "id": message.id.hex(),
        "from": "me" if message.outgoing else "contact",
        "state": message.state.name.lower(),
        "reason": message.reason.value,
        "text": message.text,
        "sent": _utc(message.sent_ms),
        "sent_ms": message.sent_ms,
        "stored": _utc(message.stored_ms),
        "stored_ms": message.stored_ms,
        "reply_to": None if message.reply_to is None else message.reply_to.hex(),
        "edited_ms": message.edited_ms,
        "deleted": message.deleted,
        "reactions": [
            {"from": "me" if reaction.outgoing else "contact", "emoji": reaction.emoji}
            for reaction in message.reactions
        ],
    }


def _beside(message: Message, words: ExportWords) -> list[str]:
    """What stands beside a message in small letters; some may be empty."""
    reactions = [reaction.emoji for reaction in message.reactions]
    edited = words.edited if message.edited_ms is not None else ""
    return [*reactions, edited, words.states.get(message.state, "")]


def _shown(text: str) -> str:
    """Text as HTML shows it literally; what no HTML may hold becomes a mark that something was there."""
    kept = "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else "\ufffd" for c in text
    )
    import html

    return html.escape(kept)


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(min(max(ms, 0), _LATEST_MS) / 1000, UTC).isoformat(timespec="milliseconds")


def _local(ms: int) -> datetime:
    day = 24 * 3600 * 1000  # some systems know no local time before the first day
    return datetime.fromtimestamp(min(max(ms, day), _LATEST_MS) / 1000).astimezone()
