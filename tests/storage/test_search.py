import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messenger.core import store_limits
from messenger.core.errors import DiskFull, StorageError
from messenger.core.models import MessageState, SearchQuery, Standing
from messenger.core.words import occurring, phrases_of
from messenger.storage.reader import Reader
from messenger.storage.search import forgetting
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, add_theirs, check_index, fingerprint, message_id

DAY = 86_400_000


@pytest.fixture
def reader(store: Store, path: Path, key: bytes) -> Iterator[Reader]:
    assert store.contacts.all() == []
    reader = Reader.open(path, key)
    yield reader
    reader.close()


def texts(reader: Reader, text: str, **query: object) -> list[str]:
    asked = SearchQuery(text=text, **query)  # type: ignore[arg-type]
    return [message.text for message in reader.find(asked).messages]


def terms(store: Store) -> set[str]:
    """Every term that the index holds, deleted ones that it still remembers too."""
    store._database.rows(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, search, row)"
    )
    return {row[0] for row in store._database.rows("SELECT term FROM vocabulary")}


def raw(store: Store) -> bytes:
    """The whole content of the index."""
    return b"".join(bytes(row[0]) for row in store._database.rows("SELECT block FROM search_data"))


def test_words_of_all_kinds(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    for number, text in enumerate(["Der Élan vital", "STRASSENBAHN 7", "東京で会いましょう", "naïve 👍"], 1):
        add_theirs(store, contact.id, number, text)
    assert texts(reader, "elan") == ["Der Élan vital"]
    assert texts(reader, "straßen") == ["STRASSENBAHN 7"]
    assert texts(reader, "NAIVE") == ["naïve 👍"]
    assert texts(reader, "東京") == texts(reader, "会") == texts(reader, "会いま") == ["東京で会いましょう"]
    assert texts(reader, "👍") == ["naïve 👍"]
    assert texts(reader, "7 strassenb") == ["STRASSENBAHN 7"]
    assert texts(reader, "elan 7") == texts(reader, "?!") == texts(reader, "") == []


def test_the_newest_stand_first_with_their_positions(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    positions = [add_theirs(store, contact.id, number, f"word {number}") for number in range(1, 8)]
    found = reader.find(SearchQuery(text="word"))
    assert [message.position for message in found.messages] == positions[::-1]
    assert found.next is None
    assert store.find(SearchQuery(text="word"), None, 50) == found


@pytest.mark.parametrize("word", ["needle", "ne"])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_pages_join_without_gap_or_double(
    store: Store, reader: Reader, word: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_limits, "SEARCH_SAMPLE", 5)
    monkeypatch.setattr(store_limits, "SEARCH_NEWEST", 10)
    contact = add_contact(store)
    expected = [
        add_theirs(store, contact.id, number, "needle" if number % 3 else "hay") for number in range(1, 31)
    ]
    expected = [position for number, position in enumerate(expected, 1) if number % 3]
    seen, before, pages = list[int](), None, 0
    while pages < 99:
        found = reader.find(SearchQuery(text=word), before, count)
        seen += [message.position for message in found.messages]
        assert len(found.messages) == count or found.next is None
        pages, before = pages + 1, found.next
        if before is None:
            break
    assert seen == expected[::-1]
    assert pages == -(-len(expected) // count)


def test_no_page_is_larger_than_allowed(
    store: Store, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_limits, "SEARCH_PAGE_MAX", 3)
    contact = add_contact(store)
    for number in range(1, 6):
        add_theirs(store, contact.id, number, "word")
    assert len(reader.find(SearchQuery(text="word"), None, 10**9).messages) == 3
    assert reader.find(SearchQuery(text="word"), None, 0).messages == ()
    assert reader.find(SearchQuery(text="word"), None, -5).messages == ()


def test_by_person_direction_and_date(store: Store, reader: Reader) -> None:
    bob, carol = add_contact(store), add_contact(store, 2)
    for day, contact in ((1, bob), (2, carol), (3, bob), (4, carol)):
        store.messages.add_incoming(
            contact.id, message_id(day), day, ZEROS, f"word theirs {day}", day * DAY, day * DAY
        )
        store.messages.add_outgoing(
            contact.id, message_id(10 + day), f"word ours {day}", day * DAY + DAY // 2, day * DAY + DAY // 2
        )
    assert texts(reader, "word", conversation=bob.id) == [
        "word ours 3",
        "word theirs 3",
        "word ours 1",
        "word theirs 1",
    ]
    assert texts(reader, "word", conversation=carol.id, outgoing=True) == ["word ours 4", "word ours 2"]
    assert texts(reader, "word", since_ms=2 * DAY + 1, until_ms=3 * DAY + 1) == [
        "word theirs 3",
        "word ours 2",
    ]
    assert texts(reader, "wo", since_ms=4 * DAY) == ["word ours 4", "word theirs 4"]
    assert texts(reader, "word", until_ms=2 * DAY, outgoing=False) == ["word theirs 1"]
    assert texts(reader, "word", conversation=bob.id, since_ms=2 * DAY, until_ms=3 * DAY) == []
    assert texts(reader, "word", since_ms=9 * DAY) == []
    assert texts(reader, "1") == ["word ours 1", "word theirs 1"], "and not a number of a conversation"


def test_messages_that_arrive_out_of_order(store: Store, reader: Reader) -> None:
    """Each is found where it stands in the conversation, not where it came."""
    contact = add_contact(store)
    for number, day in enumerate((10, 12, 2, 11), 1):
        store.messages.add_incoming(
            contact.id, message_id(number), number, ZEROS, f"word {day}", day * DAY, 12 * DAY, day * DAY
        )
    assert texts(reader, "word") == ["word 12", "word 11", "word 10", "word 2"]
    assert texts(reader, "word", since_ms=11 * DAY, until_ms=13 * DAY) == ["word 12", "word 11"]
    assert texts(reader, "word", since_ms=1 * DAY, until_ms=11 * DAY) == ["word 10", "word 2"]
    check_index(store)


def test_somebody_elses_words_are_not_found_by_person(store: Store, reader: Reader) -> None:
    """Contact 1 must not be found by the number 1 in the text of another, nor 11 by 1."""
    for number in range(1, 13):
        contact = add_contact(store, number)
        add_theirs(store, contact.id, number, f"word {number}")
    (first,) = (c for c in store.contacts.all() if c.fingerprint == fingerprint(1))
    assert texts(reader, "word", conversation=first.id) == ["word 1"]


def test_the_index_changes_with_the_message(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    add_theirs(store, contact.id, 1, "before")

    def fail() -> None:
        with store._database.write():
            store._database.rows("UPDATE messages SET text = 'never'")
            raise StorageError("a fault")

    with pytest.raises(StorageError):
        fail()
    assert (texts(reader, "before"), texts(reader, "never")) == (["before"], [])
    store._database.rows("UPDATE messages SET text = 'after'")
    assert (texts(reader, "before"), texts(reader, "after")) == ([], ["after"])
    assert terms(store) == {"1", "after"}
    check_index(store)


def test_a_message_that_came_twice_is_found_once(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    add_theirs(store, contact.id, 1, "double")
    assert store.messages.add_incoming(contact.id, message_id(1), 1, ZEROS, "double", 1, 1) is None
    assert texts(reader, "double") == ["double"]
    check_index(store)


def test_states_do_not_touch_the_index(store: Store) -> None:
    contact = add_contact(store)
    store.messages.add_outgoing(contact.id, message_id(1), "word", 1, 1)
    before = raw(store)
    store.messages.advance(contact.id, [message_id(1)], MessageState.DELIVERED)
    assert raw(store) == before


def test_a_merged_conversation_is_found_under_its_person(store: Store, reader: Reader) -> None:
    bob = add_contact(store)
    request = add_contact(store, 2, standing=Standing.REQUEST)
    add_theirs(store, bob.id, 1, "word known")
    add_theirs(store, request.id, 1, "word doubled")
    add_theirs(store, request.id, 2, "word new")
    store.contacts.succeed(bob.id, fingerprint(2), old=fingerprint(1), serial=1)
    assert texts(reader, "word", conversation=bob.id) == ["word new", "word known"]
    check_index(store)


@pytest.mark.parametrize("bulk", [5, 10**9])
def test_nothing_of_a_deleted_conversation_stays(
    store: Store, reader: Reader, bulk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is deleted at once with its index, nor message by message."""
    monkeypatch.setattr(store_limits, "SEARCH_BULK", bulk)
    bob, carol = add_contact(store), add_contact(store, 2)
    for number in range(1, 60):
        add_theirs(store, bob.id, number, f"secretword{number} rendezvous")
        add_theirs(store, carol.id, number, f"harmless{number}")
    assert b"ecretword" in raw(store)
    store.contacts.remove(bob.id)
    assert texts(reader, "rendezvous") == []
    assert len(texts(reader, "harmless")) == store_limits.SEARCH_PAGE
    assert terms(store) == {str(carol.id), *(f"harmless{number}" for number in range(1, 60))}
    for word in (b"ecretword", b"endezvous"):
        assert word not in raw(store)
    check_index(store)
    add_theirs(store, carol.id, 60, "fleeting")
    with store._database.write():
        store._database.rows("DELETE FROM messages WHERE text = 'fleeting'")
    assert b"fleeting" not in raw(store), "what is deleted later is overwritten at once again"


def test_a_great_deletion_that_fails(store: Store, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_limits, "SEARCH_BULK", 1)
    contact = add_contact(store)
    for number in range(1, 10):
        add_theirs(store, contact.id, number, "kept")

    def fail() -> None:
        with forgetting(store._database, 10):
            store._database.rows("DELETE FROM messages WHERE seq > 5")
            raise DiskFull("a fault")

    with pytest.raises(DiskFull):
        fail()
    assert len(texts(reader, "kept")) == 9
    check_index(store)
    store._database.rows("DELETE FROM messages WHERE seq = 3")
    add_theirs(store, contact.id, 20, "fleeting")
    store._database.rows("DELETE FROM messages WHERE text = 'fleeting'")
    assert b"fleeting" not in raw(store)


_words = st.sampled_from(
    ["a", "an", "ant", "anthem", "ants", "日本", "日本語", "本", "é", "eat", "x-y", "👍", "7"]
)
_sentences = st.lists(_words, min_size=1, max_size=5).map(" ".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=st.lists(_sentences, min_size=1, max_size=12),
    asked=_sentences | _words.map(lambda word: f'"{word}"') | _sentences.map(lambda text: f'"{text}"'),
    sample=st.integers(1, 5),
    common=st.sampled_from([0, 1, 2, 1000]),
    frequent=st.sampled_from([0, 1, 3, 1000]),
)
def test_the_index_finds_what_reading_finds(
    store: Store, reader: Reader, stored: list[str], asked: str, sample: int, common: int, frequent: int
) -> None:
    contact = add_contact(store)
    for number, text in enumerate(stored):
        add_theirs(store, contact.id, number, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_limits, "SEARCH_SAMPLE", sample)
        patch.setattr(store_limits, "SEARCH_COMMON", common)
        patch.setattr(store_limits, "SEARCH_FREQUENT", frequent)
        patch.setattr(store_limits, "SEARCH_NEWEST", 2 * sample)
        found = texts(reader, asked)
    assert found == [text for text in reversed(stored) if all(occurring(text, phrases_of(asked)))]
    store.contacts.remove(contact.id)


def test_the_window_searches_while_messages_come(store: Store, path: Path, key: bytes) -> None:
    """In its own thread, with its own connection; it sees each message whole or not at all."""
    contact, wrong, stop = add_contact(store), list[str](), threading.Event()

    def search() -> None:
        reader = Reader.open(path, key)
        last = 0
        while not stop.is_set():
            hits = [m.position for m in reader.find(SearchQuery(text="word"), None, 500).messages]
            if hits != sorted(hits, reverse=True) or len(hits) < last:
                wrong.append(str(hits))
            last = len(hits)
        reader.close()

    thread = threading.Thread(target=search)
    thread.start()
    for number in range(1, 200):
        add_theirs(store, contact.id, number, f"word {number}")
    stop.set()
    thread.join()
    assert wrong == []


def test_a_text_of_the_largest_size(store: Store, reader: Reader) -> None:
    contact = add_contact(store)
    add_theirs(store, contact.id, 1, "x" * 65536)
    add_theirs(store, contact.id, 2, "日" * 20000 + " end")
    add_theirs(store, contact.id, 3, "a\x00hidden")
    assert len(texts(reader, "x" * 64)) == 1
    assert len(texts(reader, "end")) == 1
    assert texts(reader, "hidden") == ["a\x00hidden"]
    check_index(store)
