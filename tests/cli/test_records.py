"""The commands that need no conversation: what a profile holds, backups, and the way to a new computer."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.main import get_command

from messenger.cli.app import app
from messenger.cli.exits import Exit
from messenger.core.errors import ProfileMissing
from messenger.core.ids import format_fingerprint
from messenger.core.models import Standing
from messenger.crypto import keystore
from messenger.protocol.invite import read_invite
from messenger.storage import backup
from messenger.storage.lock import ProfileLock
from messenger.storage.store import Store
from messenger.text import explain, records
from messenger.text import terminal as words
from tests.helpers.engines import DATABASE, prepare
from tests.helpers.keys import identity
from tests.helpers.storage import ZEROS, add_contact, message_id
from tests.helpers.terminal import ROOT, Program, Result, run

DAY = 24 * 3600 * 1000
FIRST = round(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1000)
"""When the first message was sent and stored; each later one is a day younger."""

TEXTS = ["good morning", "line one\nline two \u202e\x1b[2J", "good night"]


def opened(folder: Path) -> Store:
    return Store.open(folder / DATABASE, keystore.unlock(folder, "").db_key)


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    """Alice's profile: Bob, who wrote three messages, had one answer; and two people of one name."""
    folder = prepare(tmp_path / "alice", "alice")
    store = opened(folder)
    bob = store.contacts.add(
        identity("bob").fingerprint, name="Bob", standing=Standing.ACCEPTED, now_ms=FIRST
    )
    for number, text in enumerate(TEXTS):
        at = FIRST + number * DAY
        store.messages.add_incoming(bob.id, message_id(number), number + 1, ZEROS, text, at, at)
    store.messages.add_outgoing(bob.id, message_id(9), "good idea", FIRST + 3 * DAY, FIRST + 3 * DAY)
    for number in (1, 2):
        add_contact(store, number, standing=Standing.REQUEST)
        store._database.rows(
            "UPDATE contacts SET name = 'Twin' WHERE fingerprint = ?", (bytes(31) + bytes([number]),)
        )
    store.close()
    return folder


def sotto(folder: Path, *arguments: str) -> Result:
    return run(*arguments, "--profile", str(folder), extra={"TZ": "UTC"})


def objects(result: Result) -> list[dict[str, object]]:
    assert (result.code, result.err) == (Exit.OK, "")
    assert result.out.isascii()
    return [json.loads(line) for line in result.out.splitlines()]


def test_contacts(alice: Path) -> None:
    done = sotto(alice, "contacts")
    assert (done.code, done.err) == (Exit.OK, "")
    assert words.fingerprint_lines(identity("bob").fingerprint) in done.out
    assert "Bob · contact · 3 unread" in done.out
    found = {str(each["fingerprint"]): each for each in objects(sotto(alice, "contacts", "--json"))}
    assert len(found) == 3
    bob = found[format_fingerprint(identity("bob").fingerprint)]
    assert (bob["name"], bob["standing"], bob["verified"], bob["unread"]) == ("Bob", "accepted", False, 3)


def test_history_for_people(alice: Path) -> None:
    done = sotto(alice, "history", "bob")
    assert (done.code, done.err) == (Exit.OK, "")
    lines = done.out.splitlines()
    assert [line.partition(" ")[2].partition(" ")[2] for line in lines if not line.startswith(" ")] == [
        "Bob: good morning", "Bob: line one", "Bob: good night", "You: good idea",
    ]  # fmt: skip
    assert "    | line two \ufffd␛[2J" in lines, "nobody's words command the terminal"


@pytest.mark.parametrize("peer", ["Bob", "BOB", format_fingerprint(identity("bob").fingerprint)])
def test_history_for_programs(alice: Path, peer: str) -> None:
    found = objects(sotto(alice, "history", peer, "--json"))
    assert [each["text"] for each in found] == [*TEXTS, "good idea"]
    assert [each["from"] for each in found] == ["contact"] * 3 + ["me"]
    assert objects(sotto(alice, "contacts", "--json"))[0]["unread"] == 3, "nobody has read them by that"


@pytest.mark.parametrize(("since", "count"), [("2026-03-03", 2), ("2026-03-03T13:00", 1), ("2026-04-01", 0)])
def test_history_since_a_day(alice: Path, since: str, count: int) -> None:
    found = objects(sotto(alice, "history", "Bob", "--json", "--since", since))
    assert len(found) == count


def test_search(alice: Path) -> None:
    assert [each["text"] for each in objects(sotto(alice, "search", "good", "--json"))] == [
        "good idea", "good night", "good morning",
    ]  # fmt: skip
    assert [each["text"] for each in objects(sotto(alice, "search", "mor", "good", "--json"))] == [
        "good morning"
    ]
    assert "You to Bob: good idea" in sotto(alice, "search", "idea").out
    assert sotto(alice, "search", "nothing").out == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("history", "carol"), records.nobody("carol")),
        (("verify", "twin"), records.several("twin")),
        (("restore", "20260101-000000.db", "--yes"), records.no_backup("20260101-000000.db")),
        (("import", "file"), records.PROFILE_THERE),
        (("export", "file"), records.NEEDS_EXPORT),
    ],
)
def test_what_cannot_be_done_is_said(alice: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = sotto(alice, *arguments)
    assert done.code == Exit.USAGE
    assert done.sentence() == sentence


def test_a_day_that_is_none(alice: Path) -> None:
    done = sotto(alice, "history", "Bob", "--since", "yesterday")
    assert done.code == Exit.USAGE
    assert records.NOT_A_DAY in done.err


@pytest.mark.parametrize(
    "command", [("contacts",), ("history", "Bob"), ("search", "x"), ("invite",), ("verify", "x")]
)
def test_nobody_is_there_or_somebody_else_has_it(
    alice: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = sotto(tmp_path / "new", *command)
    assert (done.code, done.sentence()) == (Exit.FAILED, explain(ProfileMissing()))
    with ProfileLock(alice):
        done = sotto(alice, *command)
    assert (done.code, done.sentence()) == (Exit.FAILED, words.in_use(command[0], window=False))


def test_an_invite(alice: Path) -> None:
    done = sotto(alice, "invite")
    assert (done.code, done.err) == (Exit.OK, "")
    invite = read_invite(done.out.strip())
    assert invite.fingerprint == identity("alice").fingerprint
    assert invite.addresses


def test_the_safety_number(alice: Path) -> None:
    """A program only gets it; a person is asked about it."""
    number = sotto(alice, "verify", "Bob")
    assert number.code == Exit.OK
    for answer, code, verified in (("y", Exit.OK, True), ("n", Exit.DECLINED, False)):
        with Program("verify", "Bob", "--profile", str(alice)) as program:
            program.expect(number.out.splitlines()[0].strip())
            program.expect(words.ASK_VERIFIED.strip())
            program.answer(answer)
            assert program.wait() == code
        found = objects(sotto(alice, "contacts", "--json"))
        assert [each["verified"] for each in found if each["name"] == "Bob"] == [verified]


def test_backups_and_the_way_back(alice: Path) -> None:
    key = keystore.unlock(alice, "").db_key
    made = backup.make(alice / DATABASE, key, FIRST)
    store = opened(alice)
    store.messages.add_outgoing(store.conversations()[0].id, message_id(10), "later", 1, 1)
    store.close()
    assert sotto(alice, "backups").out.startswith(f"{made.name}  ")
    assert objects(sotto(alice, "backups", "--json")) == [
        {"name": made.name, "made_ms": made.made_ms, "bytes": made.bytes}
    ]
    asked = sotto(alice, "restore", made.name)
    assert (asked.code, asked.sentence()) == (Exit.DECLINED, records.CANNOT_ASK_RESTORE)
    assert len(objects(sotto(alice, "history", "Bob", "--json"))) == 5
    done = sotto(alice, "restore", made.name, "--yes")
    assert (done.code, done.sentence()) == (Exit.OK, records.RESTORED)
    assert len(objects(sotto(alice, "history", "Bob", "--json"))) == 4


def test_to_a_new_computer(alice: Path, tmp_path: Path) -> None:
    file, folder = tmp_path / "moved.sotto", tmp_path / "new"
    with Program("export", str(file), "--profile", str(alice)) as program:
        program.expect(records.ASK_EXPORT.strip())
        program.answer("correct horse")
        program.expect(words.ASK_AGAIN.strip())
        program.answer("correct horse")
        program.expect("The profile is in")
        assert program.wait() == Exit.OK
    shutil.rmtree(alice)
    with Program("import", str(file), "--profile", str(folder)) as program:
        program.expect(records.ASK_IMPORT.strip())
        program.answer("correct horse")
        program.expect(records.IMPORTED[:30])
        assert program.wait() == Exit.OK
    assert len(objects(sotto(folder, "history", "Bob", "--json"))) == 4


def test_the_starter_knows_every_command_that_opens_no_window() -> None:
    script = (ROOT / "packaging" / "run.sh").read_text()
    listed = script[script.index(" listen | ") :].partition(")")[0].replace("\\\n", "")
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert {name.strip() for name in listed.split("|")} == commands - {"demo"}
