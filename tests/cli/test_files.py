"""Files from terminal to terminal: `sotto send` and `sotto receive`, and the commands of a conversation."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from messenger.cli.exits import Exit
from messenger.text import terminal as common
from messenger.text import terminal_files as words
from tests.cli.test_conversation import CTRL_C
from tests.helpers.engines import fresh_port, prepare
from tests.helpers.terminal import Piped, Program, acquaint, run

MIB = 1024 * 1024


class Pair:
    """Alice, who sends, and Bob, who listens; they know each other unless said otherwise."""

    def __init__(self, folder: Path, *, strangers: bool = False, limit: int = 0) -> None:
        self.alice = prepare(folder / "alice", "alice", send_limit=limit)
        self.bob = prepare(folder / "bob", "bob")
        self.port = fresh_port()
        self.where = f"127.0.0.1:{self.port}"
        self.got = folder / "got"
        if not strangers:
            acquaint(self.alice, self.bob)

    def sending(self, *more: str) -> list[str]:
        return ["send", self.where, *more, "--profile", str(self.alice)]

    def receiving(self, *more: str) -> list[str]:
        place = ["--port", str(self.port), "--folder", str(self.got), "--profile", str(self.bob)]
        return ["receive", *place, *more]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def file(path: Path, size: int) -> Path:
    path.write_bytes(os.urandom(size))
    return path


def lines(out: str) -> list[dict[str, object]]:
    """JSON, one object a line."""
    return [json.loads(line) for line in out.splitlines()]


def test_files_go_from_one_pipe_to_another(pair: Pair, tmp_path: Path) -> None:
    one, two = file(tmp_path / "one.dat", 2 * MIB), file(tmp_path / "two.txt", 5)
    with Piped(*pair.receiving("--accept", "all", "--once")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        sent = run(*pair.sending(str(one), str(two), str(tmp_path / "missing")))
        assert (sent.code, sent.out) == (Exit.OK, "")
        assert "missing: not there any more" in sent.err
        assert "Bob has it" in sent.err
        got = bob.end()
    assert got.code == Exit.OK
    assert got.out.splitlines() == [str(pair.got / "one.dat"), str(pair.got / "two.txt")]
    assert (pair.got / "one.dat").read_bytes() == one.read_bytes()


def test_programs_read_json(pair: Pair, tmp_path: Path) -> None:
    with Piped(*pair.receiving("--accept", "all", "--once", "--json")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        sent = run(*pair.sending(str(file(tmp_path / "a.dat", MIB)), "--json"))
        got = bob.end()
    there, here = lines(sent.out), lines(got.out)
    assert (sent.code, got.code) == (Exit.OK, Exit.OK)
    assert {line["event"] for line in there + here} == {"transfer"}
    assert (there[0]["state"], there[-1]["state"], here[-1]["state"]) == ("offered", "done", "done")
    assert there[-1]["done"] == there[-1]["size"] == MIB
    assert (there[0]["outgoing"], here[0]["outgoing"]) == (True, False)
    assert here[-1]["paths"] == [str(pair.got / "a.dat")]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names that are text")
def test_programs_read_of_names_that_are_no_text(pair: Pair, tmp_path: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    with Piped(*pair.receiving("--accept", "all", "--once")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        sent = run(*pair.sending(str(file(strange, 5)), "--json"))
        bob.end()
    assert (sent.code, lines(sent.out)[-1]["paths"]) == (Exit.OK, [f"{tmp_path}/caf?"])


def test_only_files_of_verified_people_by_rule(pair: Pair, tmp_path: Path) -> None:
    with Piped(*pair.receiving("--accept", "verified")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        with Piped(*pair.sending(str(file(tmp_path / "a.dat", 5)))) as alice:
            bob.said(words.not_by_rule("Alice"))
            bob.process.send_signal(signal.SIGINT)
            assert bob.end().code == Exit.INTERRUPTED
            result = alice.end()
    assert result.code == Exit.UNDELIVERED
    assert words.left_waiting("Bob") in result.err


def test_a_person_is_asked_and_declines(pair: Pair, tmp_path: Path) -> None:
    with Program(*pair.receiving()) as bob:
        bob.expect(words.WAITING_FOR_FILES)
        with Piped(*pair.sending(str(file(tmp_path / "a.dat", 5)))) as alice:
            bob.expect("Alice offers a.dat, 5 B.")
            bob.expect(words.ASK_FILES.strip())
            bob.answer("n")
            assert alice.end().code == Exit.DECLINED
        bob.press(CTRL_C)
        bob.expect(words.RECEIVE_STOPPED)
        assert bob.wait() == Exit.INTERRUPTED
    assert not pair.got.exists()


def test_a_person_sees_a_bar_and_gets_the_file(pair: Pair, tmp_path: Path) -> None:
    with Program(*pair.receiving("--once")) as bob:
        bob.expect(words.WAITING_FOR_FILES)
        with Program(*pair.sending(str(file(tmp_path / "a.dat", 3 * MIB)))) as alice:
            bob.expect(words.ASK_FILES.strip())
            bob.answer("y")
            bob.expect("a.dat")
            bob.expect("Received and checked")
            assert bob.wait() == Exit.OK
            alice.expect("3.1 MB / 3.1 MB")
            assert alice.wait() == Exit.OK
    assert (pair.got / "a.dat").read_bytes() == (tmp_path / "a.dat").read_bytes()


def test_ctrl_c_keeps_what_has_come_and_says_how_to_go_on(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    source = file(tmp_path / "a.dat", MIB)
    with Piped(*pair.receiving("--accept", "all")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        with Program(*pair.sending(str(source), "--limit", "8")) as alice:  # the whole of it takes minutes
            alice.expect("kB/s")
            alice.press(CTRL_C)
            alice.expect("To go on, run sotto send again")
            assert alice.wait() == Exit.INTERRUPTED
        again = run(*pair.sending())
        assert again.code == Exit.OK
        bob.process.send_signal(signal.SIGINT)
        bob.end()
    assert (pair.got / "a.dat").read_bytes() == source.read_bytes()


def test_nothing_to_go_on_with(pair: Pair) -> None:
    with Piped(*pair.receiving("--accept", "all")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        result = run(*pair.sending())
        assert (result.code, result.sentence()) == (Exit.USAGE, words.NOTHING_WAITS)


def test_a_stranger_sends_once_both_have_said_yes(tmp_path: Path) -> None:
    pair = Pair(tmp_path, strangers=True)
    with Piped(*pair.receiving("--accept", "all", "--once", "--yes")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        sent = run(*pair.sending(str(file(tmp_path / "a.dat", 5)), "--yes"))
        assert sent.code == Exit.OK, sent.err
        assert bob.end().code == Exit.OK


def test_one_transfer_can_be_slower_than_the_settings(pair: Pair, tmp_path: Path) -> None:
    """Nobody waits for its end; without the limit, which is not stored, the rest comes at once."""
    source = file(tmp_path / "a.dat", 4 * MIB)
    with Piped(*pair.receiving("--accept", "all", "--once", "--limit", "1", "--json")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        with Piped(*pair.sending(str(source), "--limit", "1", "--json")) as alice:
            while '"running"' not in (line := alice.line()):
                assert line, "it ran and was over"
            bob.process.send_signal(signal.SIGINT)
            assert bob.end().code == Exit.INTERRUPTED
            assert alice.end().code == Exit.UNDELIVERED
    assert not (pair.got / "a.dat").exists()
    with Piped(*pair.receiving("--accept", "all", "--once")) as bob:
        bob.said(words.WAITING_FOR_FILES)
        assert run(*pair.sending()).code == Exit.OK
        assert bob.end().code == Exit.OK
    assert (pair.got / "a.dat").read_bytes() == source.read_bytes()


def test_a_limit_that_is_none(pair: Pair, tmp_path: Path) -> None:
    assert run(*pair.sending(str(tmp_path), "--limit", "-1")).code == Exit.USAGE
    assert run(*pair.receiving("--limit", "fast")).code == Exit.USAGE


def test_who_is_called_can_send_too(pair: Pair, tmp_path: Path) -> None:
    """Alice receives from Bob, whom she has called."""
    with Program("listen", "--port", str(pair.port), "--profile", str(pair.bob)) as bob:
        bob.expect(common.LISTENING_HINT)
        more = ("--accept", "all", "--once", "--folder", str(pair.got), "--profile", str(pair.alice))
        with Piped("receive", pair.where, *more) as alice:
            bob.expect("You are talking to Alice")
            bob.answer(f"/send {file(tmp_path / 'a.dat', 5)}")
            result = alice.end()
            assert (result.code, result.out) == (Exit.OK, f"{pair.got / 'a.dat'}\n")
            bob.expect("a.dat: Alice has it")


def test_files_in_a_conversation(tmp_path: Path) -> None:
    pair = Pair(tmp_path, limit=64)
    source = file(tmp_path / "a film.dat", 4 * MIB)
    with Program("listen", "--port", str(pair.port), "--profile", str(pair.bob)) as bob:
        bob.expect(common.LISTENING_HINT)
        with Program("chat", pair.where, "--profile", str(pair.alice)) as alice:
            bob.expect("You are talking to Alice")
            alice.expect("You are talking to Bob")
            alice.answer("/accept")
            alice.expect(words.NO_SUCH_TRANSFER)
            alice.answer(f"/send {tmp_path / 'missing'}")
            alice.expect("missing: not there any more")
            alice.expect(words.NOTHING_TO_SEND)
            alice.answer(f"/send {source}")
            bob.expect("Alice offers a film.dat, 4.2 MB. /accept takes it")
            bob.answer(f"/accept {pair.got}")
            alice.expect("a film.dat: on its way")
            alice.answer("/limit much")
            alice.expect(words.LIMIT_WHAT)
            alice.answer("/limit 32")
            alice.answer("/next")
            alice.expect(words.NO_SUCH_TRANSFER)
            alice.answer("/pause")
            bob.expect("a film.dat: Paused by Alice")
            alice.answer("/resume")
            bob.expect("a film.dat: on its way")
            bob.answer("/cancel")
            alice.expect("a film.dat: Cancelled by Bob")
            alice.answer(f"/send '{file(tmp_path / 'small', 5)}'")
            bob.expect("Alice offers small, 5 B.")
            bob.answer("/decline")
            alice.expect("small: Bob declined it")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["receive", "--accept", "ask"], words.CANNOT_ASK_FILES),
        (["receive", "--port", "0"], None),
        (["send", "nowhere::", "x"], None),
    ],
)
def test_wrong_use_is_told_at_once(tmp_path: Path, arguments: list[str], sentence: str | None) -> None:
    result = run(*arguments, "--profile", str(tmp_path))
    assert result.code == Exit.USAGE
    assert sentence in (None, result.sentence())
    assert list(tmp_path.iterdir()) == []
