"""New keys at a terminal: making one's own, and a stop for somebody who was verified."""

from pathlib import Path

import pytest

from messenger.cli.exits import Exit
from messenger.crypto import keystore
from messenger.storage.store import Store
from messenger.text import keys
from messenger.text import terminal as words
from tests.cli.test_conversation import Pair
from tests.helpers.engines import DATABASE, prepare
from tests.helpers.keys import identity
from tests.helpers.terminal import Program, acquaint, run


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    return prepare(tmp_path / "alice", "alice")


def test_nobody_can_be_asked(alice: Path) -> None:
    assert run("new-key", "--profile", str(alice)).sentence() == words.CANNOT_ASK_NEW_KEY


def test_nobody_is_there(tmp_path: Path) -> None:
    result = run("new-key", "--yes", "--profile", str(tmp_path / "nobody"))
    assert result.code == Exit.FAILED


def test_thinking_better_of_it(alice: Path) -> None:
    with Program("new-key", "--profile", str(alice)) as program:
        program.expect(words.ASK_NEW_KEY.strip())
        program.answer("n")
        program.expect(words.NEW_KEY_LEFT)
        assert program.wait() == Exit.DECLINED


def test_a_new_key_is_made(alice: Path) -> None:
    """Real keys, which takes some seconds."""
    result = run("new-key", "--yes", "--profile", str(alice))
    assert result.code == Exit.OK
    assert keys.NEW_KEY_DONE in result.err
    assert keystore.unlock(alice, "").signing.public.fingerprint != identity("alice").fingerprint


def test_a_stop_is_told_and_ended_by_trust(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    acquaint(pair.alice, pair.bob)
    store = Store.open(pair.alice / DATABASE, keystore.unlock(pair.alice, "").db_key)
    store._database.rows("UPDATE contacts SET key_news = 2")
    store.close()
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat() as program:
            program.expect("Nothing is sent to them")
            program.answer("hello?")
            program.expect("They have a new key, so nothing is sent")
            program.answer("/trust")
            program.expect(words.ASK_TRUST.strip())
            program.answer("y")
            program.expect(words.TRUSTED)
            program.answer("now it goes")
            bob.expect("now it goes")
            program.answer("/trust")
            program.expect(words.NOTHING_TO_TRUST)
