"""Search, jumps, retention, sizes and readable export, as a window asks for them."""

import html.parser
import json
import os
import stat
import time
from pathlib import Path

import pytest

from messenger.core.errors import DiskReadOnly, InputError, InputProblem, SettingError, StorageError
from messenger.core.ids import ConversationId, format_fingerprint
from messenger.core.models import ExportForm, Message, MessageState, SearchQuery
from messenger.engine.events import ContactChanged, EngineFault, MessagesRemoved
from messenger.storage.database import side_files
from messenger.text import STATES
from messenger.text.export import export_words
from tests.helpers.engines import DATABASE, People, Person, friends
from tests.helpers.storage import ZEROS, add_contact, message_id

DAY = 86_400_000
NOBODY = ConversationId(4711)
NASTY = (
    "<script>alert('x')</script> & \"quotes\" \u202ereversed \x00\x07 <img src=http://example.org/x>\nline 2"
)


async def told(
    person: Person, conversation: ConversationId, number: int, text: str, ago_ms: int = 0
) -> Message:
    """Store a message of theirs as if it had come some time ago, and see it."""
    running = person.engine._running
    assert running is not None
    at = time.time_ns() // 1_000_000 - ago_ms
    store, stored = running.context.store, running.context.stored
    message = await stored(
        store.messages.add_incoming, conversation, message_id(number), number, ZEROS, text, at, at
    )
    assert message is not None
    await stored(store.messages.mark_seen, conversation, message.position)
    return message


async def stranger(person: Person, number: int = 1) -> ConversationId:
    """Somebody who is only in the database."""
    running = person.engine._running
    assert running is not None
    return (await running.context.stored(add_contact, running.context.store, number)).id


async def test_what_two_people_said_is_found_by_both(people: People) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, there = await friends(alice, bob)
    sent = await alice.engine.send_text(here, "Rendez-vous au CAFÉ demain")
    await bob.hears(sent.text)
    await alice.sees(sent.id, MessageState.DELIVERED)
    for person, conversation in ((alice, here), (bob, there)):
        found = await person.engine.find(SearchQuery(text="cafe rendez"))
        assert [message.text for message in found.messages] == [sent.text]
        (hit,) = found.messages
        assert hit.conversation == conversation
        context = await person.engine.messages(conversation, after=hit.position - 1, count=5)
        assert context[0].id == sent.id, "a window can jump there"
        reader = person.engine.reader()
        assert reader.find(SearchQuery(text="cafe")).messages == found.messages
        reader.close()
    assert (await bob.engine.find(SearchQuery(text="cafe", outgoing=True))).messages == ()


async def test_pages_in_both_directions_and_jumps(people: People) -> None:
    alice = await people("alice")
    bob = await stranger(alice)
    stored = [await told(alice, bob, n, f"text {n}", (10 - n) * DAY) for n in range(1, 11)]
    positions = [message.position for message in stored]

    async def page(before: int | None = None, count: int = 200, after: int | None = None) -> list[int]:
        messages = await alice.engine.messages(bob, before, count, after=after)
        return [message.position for message in messages]

    assert await page() == positions
    assert await page(positions[5], 3) == positions[2:5]
    assert await page(after=positions[5], count=3) == positions[6:9]
    assert await page(positions[8], 9, after=positions[5]) == positions[6:8]
    assert await alice.engine.position_at(bob, stored[4].stored_ms) == positions[4]
    assert await alice.engine.position_at(bob, stored[4].stored_ms + 1) == positions[5]
    assert await alice.engine.position_at(bob, stored[9].stored_ms + 1) is None


async def test_old_messages_go_when_somebody_decides_it(people: People) -> None:
    alice = await people("alice")
    bob, carol = await stranger(alice), await stranger(alice, 2)
    for conversation in (bob, carol):
        await told(alice, conversation, 1, "old", 20 * DAY)
        await told(alice, conversation, 2, "young", 2 * DAY)
    await alice.engine.keep_days(bob, 10)
    await alice.wait_for(MessagesRemoved, lambda e: e.conversation == bob)
    await alice.wait_for(ContactChanged, lambda e: e.contact.id == bob)
    assert await alice.texts(bob) == ["young"]
    assert await alice.texts(carol) == ["old", "young"]
    assert (await alice.engine.find(SearchQuery(text="old"))).messages[0].conversation == carol
    assert (await alice.engine.kept_days(bob), await alice.engine.kept_days(carol)) == (10, None)
    assert alice.count(EngineFault) == 0
    with pytest.raises(InputError):
        await alice.engine.keep_days(NOBODY, 5)


async def test_old_messages_go_when_the_settings_change(people: People) -> None:
    alice = await people("alice")
    bob = await stranger(alice)
    await told(alice, bob, 1, "old", 20 * DAY)
    await told(alice, bob, 2, "young", 2 * DAY)
    with pytest.raises(SettingError):
        await alice.engine.change_settings({"keep_days": -1})
    await alice.engine.change_settings({"keep_days": 10})
    await alice.wait_for(MessagesRemoved, lambda e: e.conversation == bob)
    assert await alice.texts(bob) == ["young"]


async def test_a_disk_that_refuses_to_forget(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = await people("alice")
    bob, running = await stranger(alice), alice.engine._running
    assert running is not None
    await told(alice, bob, 1, "old", 20 * DAY)

    def refuse(_days: int, _now: int) -> None:
        raise StorageError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(running.context.store.retention, "expire", refuse)
        await alice.engine.keep_days(bob, 10)
        await alice.wait_for(EngineFault, lambda e: e.where == "retention")
    await running.housekeeping.tidy()
    assert await alice.texts(bob) == [], "the next round does it"


async def test_what_it_takes_on_the_disk(people: People) -> None:
    alice = await people("alice")
    bob, carol = await stranger(alice), await stranger(alice, 2)
    await told(alice, bob, 1, "äöü")
    await told(alice, carol, 1, "x" * 100)
    await told(alice, carol, 2, "y")
    use = await alice.engine.storage_use()
    assert [(size.conversation, size.messages, size.bytes) for size in use.conversations] == [
        (carol, 2, 101),
        (bob, 1, 6),
    ]
    database = alice.folder / DATABASE
    assert use.database == sum(file.stat().st_size for file in (database, side_files(database)[0]))
    assert use.backups == 0
    made = await alice.engine.back_up()
    keys = sum((alice.folder / name).stat().st_size for name in ("root.key", "identity.key"))
    assert (await alice.engine.storage_use()).backups == made.bytes + keys


class Page(html.parser.HTMLParser):
    """What a browser would make of it: tags, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.policy = ""
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        named = dict(attrs)
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def content(path: Path) -> str:
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text(encoding="utf-8")


async def written(person: Person, conversation: ConversationId, path: Path, form: ExportForm) -> str:
    (contact,) = (c.contact for c in await person.engine.conversations() if c.id == conversation)
    count = await person.engine.export_conversation(conversation, path, form, export_words(contact))
    assert count == len(await person.texts(conversation))
    return content(path)


async def test_a_conversation_to_read_in_a_browser(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    await alice.named(bob)
    await alice.engine.rename(here, "<b>Bob</b>")
    await told(alice, here, 1, NASTY)
    sent = await alice.engine.send_text(here, "ours")
    await alice.sees(sent.id, MessageState.DELIVERED)
    text = await written(alice, here, tmp_path / "chat.html", ExportForm.HTML)
    page = Page(text)
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "article", "p", "bdi", "time"
    }  # fmt: skip
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "datetime", "dir"}
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
    shown = "".join(page.words)
    assert NASTY.replace("\x00", "\ufffd").replace("\x07", "\ufffd") in shown
    for words in ("<b>Bob</b>", "ours", "You", STATES[MessageState.DELIVERED]):
        assert words in shown
    assert "\x00" not in text


async def test_the_style_is_the_one_that_the_policy_allows(people: People, tmp_path: Path) -> None:
    import base64
    import hashlib

    alice = await people("alice")
    text = await written(alice, await stranger(alice), tmp_path / "chat.html", ExportForm.HTML)
    style = text.partition("<style>")[2].partition("</style>")[0]
    expected = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{expected}'" in Page(text).policy


async def test_a_conversation_for_programs(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    await alice.named(bob)
    texts = [NASTY, *(f"text {n}" for n in range(250))]
    for number, text in enumerate(texts, 1):
        await told(alice, here, number, text)
    text = await written_many(alice, here, tmp_path / "chat.json")
    read = json.loads(text)
    assert (read["format"], read["version"]) == ("sotto conversation", 1)
    assert read["me"] == {"name": "Alice", "fingerprint": format_fingerprint(alice.fingerprint)}
    assert (read["contact"]["name"], read["contact"]["verified"]) == ("Bob", False)
    assert [entry["text"] for entry in read["messages"]] == texts
    assert {entry["from"] for entry in read["messages"]} == {"contact"}
    assert {entry["state"] for entry in read["messages"]} == {"seen"}


async def test_what_was_done_to_messages_is_written_out_too(people: People, tmp_path: Path) -> None:
    alice, bob = await people("alice"), await people("bob")
    here, _ = await friends(alice, bob)
    first, second = [await alice.engine.send_text(here, text) for text in ("first", "secret")]
    reply = await alice.engine.send_text(here, "reply", first.id)
    await alice.engine.edit(here, first.id, "changed")
    await alice.engine.react(here, first.id, "👍")
    await alice.engine.delete_message(here, second.id, for_both=True)
    entries = json.loads(await written(alice, here, tmp_path / "a.json", ExportForm.JSON))["messages"]
    assert [entry["text"] for entry in entries] == ["changed", "", "reply"]
    assert [entry["deleted"] for entry in entries] == [False, True, False]
    assert [entry["edited_ms"] is not None for entry in entries] == [True, False, False]
    assert [entry["reply_to"] for entry in entries] == [None, None, first.id.hex()]
    assert entries[0]["reactions"] == [{"from": "me", "emoji": "👍"}]
    assert reply.reply_to == first.id
    shown = "".join(Page(await written(alice, here, tmp_path / "a.html", ExportForm.HTML)).words)
    assert " · 👍 · edited" in shown
    assert "This message was deleted" in shown
    assert "secret" not in shown


async def written_many(person: Person, conversation: ConversationId, path: Path) -> str:
    contact = (await person.engine.conversations())[0].contact
    words = export_words(contact)
    assert await person.engine.export_conversation(conversation, path, ExportForm.JSON, words) == 251
    return content(path)


async def test_an_empty_conversation(people: People, tmp_path: Path) -> None:
    alice = await people("alice")
    nobody = await stranger(alice)
    assert json.loads(await written(alice, nobody, tmp_path / "a.json", ExportForm.JSON))["messages"] == []
    assert "<article" not in await written(alice, nobody, tmp_path / "a.html", ExportForm.HTML)


async def test_what_cannot_be_written_changes_nothing(people: People, tmp_path: Path) -> None:
    alice = await people("alice")
    conversation = await stranger(alice)
    contact = (await alice.engine.conversations())[0].contact
    words = export_words(contact)
    there = tmp_path / "out" / "chat.html"
    with pytest.raises(StorageError):
        await alice.engine.export_conversation(conversation, there, ExportForm.HTML, words)
    there.parent.mkdir()
    there.mkdir()
    with pytest.raises(DiskReadOnly):
        await alice.engine.export_conversation(conversation, there, ExportForm.HTML, words)
    assert list(there.parent.iterdir()) == [there], "no half a file stays"
    with pytest.raises(InputError) as caught:
        await alice.engine.export_conversation(NOBODY, tmp_path / "x", ExportForm.HTML, words)
    assert caught.value.problem is InputProblem.UNKNOWN
