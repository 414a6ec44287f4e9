"""`sotto contacts`, `sotto history` and `sotto search`: what a profile holds, for people or for programs."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from messenger.cli.exits import Exit
from messenger.cli.options import Options
from messenger.cli.people import find_peer, looking
from messenger.cli.terminal import Terminal
from messenger.core.ids import ConversationId, format_fingerprint
from messenger.core.models import Contact, Message, SearchQuery
from messenger.engine.engine import Engine
from messenger.engine.readable import message_object
from messenger.text import records
from messenger.text import terminal as words


async def contacts(terminal: Terminal, options: Options, *, as_json: bool) -> Exit:
    """List everybody, whoever wrote last first.

    Raises:
        SottoError: The profile cannot be opened.
    """
    async with looking(terminal, options) as engine:
        for row in await engine.conversations():
            contact = row.contact
            if as_json:
                print_object(terminal, _person(contact) | {"unread": row.unread})
            else:
                terminal.out(records.contact_line(contact, row.unread))
                terminal.out(words.fingerprint_lines(contact.fingerprint))
        return Exit.OK


async def history(
    terminal: Terminal, options: Options, peer: str, since: datetime | None, *, as_json: bool
) -> Exit:
    """Print a conversation, oldest first; nothing counts as read by that.

    Args:
        terminal: Where it is printed.
        options: From the command line.
        peer: Whose conversation, see `find_peer`.
        since: Only what is not older, by the clock of whoever wrote here; None for all.
        as_json: One object a line.

    Raises:
        SottoError: There is no such contact, or the profile cannot be opened.
    """
    async with looking(terminal, options) as engine:
        contact = (await find_peer(engine, peer)).contact
        after = -1
        if since is not None:
            first = await engine.position_at(contact.id, round(since.timestamp() * 1000))
            if first is None:
                return Exit.OK
            after = first - 1
        while page := await engine.messages(contact.id, after=after):
            after = page[-1].position
            await _print(terminal, page, {contact.id: contact}, as_json=as_json)
        return Exit.OK


async def search(terminal: Terminal, options: Options, text: str, *, as_json: bool) -> Exit:
    """Print the messages that have all words, newest first.

    Raises:
        SottoError: The profile cannot be opened, or its index is damaged.
    """
    async with looking(terminal, options) as engine:
        people = await _people(engine)
        query, before = SearchQuery(text=text), None
        while True:
            found = await engine.find(query, before)
            await _print(terminal, found.messages, people, as_json=as_json)
            before = found.next
            if before is None:
                return Exit.OK


async def _people(engine: Engine) -> dict[ConversationId, Contact]:
    return {row.id: row.contact for row in await engine.conversations()}


async def _print(
    terminal: Terminal,
    messages: Iterable[Message],
    people: Mapping[ConversationId, Contact],
    *,
    as_json: bool,
) -> None:
    for message in messages:
        contact = people[message.conversation]
        if as_json:
            print_object(terminal, {"contact": _person(contact)["fingerprint"]} | message_object(message))
        else:
            terminal.out(records.message_line(message, contact.title, among_others=len(people) > 1))
        await terminal.room()


def _person(contact: Contact) -> dict[str, object]:
    return {
        "name": contact.name,
        "alias": contact.alias,
        "fingerprint": format_fingerprint(contact.fingerprint),
        "standing": contact.standing.name.lower(),
        "verified": contact.verified,
        "addresses": list(contact.addresses),
    }


def print_object(terminal: Terminal, content: dict[str, object]) -> None:
    """Print one line of ASCII: nothing in it can command a terminal, and nothing has to be replaced."""
    terminal.out(json.dumps(content))
