"""The same conversation without a terminal: lines in, lines out, and an exit code that says how it went."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from messenger.cli.exits import Exit
from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import format_fingerprint
from messenger.core.models import MessageState, Standing
from messenger.text import explain
from messenger.text import terminal as words
from tests.helpers.engines import Person, fresh_port, people_in, prepare
from tests.helpers.keys import identity
from tests.helpers.patience import PATIENCE
from tests.helpers.terminal import Piped, acquaint, environment, run, sotto


class Pair:
    """Two profiles, and a port for the one who listens."""

    def __init__(self, folder: Path) -> None:
        self.alice = prepare(folder / "alice", "alice")
        self.bob = prepare(folder / "bob", "bob")
        self.port = fresh_port()
        self.where = f"127.0.0.1:{self.port}"

    def listen(self, *arguments: str, redirect: str = "") -> Piped:
        """Bob, waiting; perhaps with redirections of a shell."""
        prefix = ("sh", "-c", f'exec "$@" {redirect}', "sh") if redirect else ()
        return Piped(
            "listen", "--port", str(self.port), "--profile", str(self.bob), *arguments, prefix=prefix
        )

    def chat(self, *arguments: str) -> Piped:
        """Alice, calling."""
        return Piped("chat", self.where, "--profile", str(self.alice), *arguments)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.fixture
def friends(pair: Pair) -> Pair:
    acquaint(pair.alice, pair.bob)
    return pair


def test_lines_go_through(pair: Pair) -> None:
    with pair.listen("--yes") as bob:
        bob.said("Your fingerprint")
        with pair.chat("--yes") as alice:
            alice.write("one\n\ntwo שלום\r\nlast line without an end".encode())
            result = alice.end()
            assert (result.code, result.out) == (Exit.OK, "")
            assert words.fingerprint_lines(identity("bob").fingerprint) in result.err
        result = bob.end()
        assert (result.code, result.out) == (Exit.OK, "one\ntwo שלום\nlast line without an end\n")
        assert words.has_left("Alice") in result.err


def test_answers_come_back(friends: Pair) -> None:
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        with friends.chat() as alice:
            alice.write(b"question\n")
            assert bob.line() == "question"
            bob.write(b"/quit is just a text here\n")
            assert alice.line() == "/quit is just a text here"
            assert alice.end().code == Exit.OK
        assert bob.end().code == Exit.OK


def test_the_expected_fingerprint_is_accepted_on_both_sides(pair: Pair) -> None:
    with pair.listen("--expect", format_fingerprint(identity("alice").fingerprint)) as bob:
        bob.said("Your fingerprint")
        with pair.chat("--expect", format_fingerprint(identity("bob").fingerprint).upper()) as alice:
            alice.write(b"it is me\n")
            assert bob.line() == "it is me"
            assert alice.end().code == Exit.OK


def test_somebody_else_than_the_expected_one_is_sent_away(pair: Pair) -> None:
    with pair.listen("--expect", format_fingerprint(identity("carol").fingerprint)) as bob:
        bob.said("Your fingerprint")
        with pair.chat("--yes") as alice:
            alice.write(b"not for you\n")
            bob.said(words.not_expected("Alice"))
            assert alice.end().code == Exit.UNDELIVERED
        assert bob.process.poll() is None
        bob.process.send_signal(signal.SIGTERM)
        result = bob.end()
        assert (result.code, result.out) == (Exit.TERMINATED, "")


def test_a_known_person_who_is_not_the_expected_one_is_hung_up_on(friends: Pair) -> None:
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        carol = format_fingerprint(identity("carol").fingerprint)
        result = run("chat", friends.where, "--profile", str(friends.alice), "--expect", carol, typed=b"no\n")
        assert (result.code, result.out) == (Exit.DECLINED, "")
        bob.process.kill()


def test_a_request_that_nobody_can_answer_is_kept(pair: Pair) -> None:
    with pair.listen() as bob:
        bob.said("Your fingerprint")
        with pair.chat("--yes") as alice:
            alice.write(b"anybody?\n")
            assert alice.process.stdin is not None
            alice.process.stdin.close()
            alice.process.stdin = None
            bob.said(words.undecided("Alice"))
            bob.process.send_signal(signal.SIGTERM)
            assert bob.end().code == Exit.TERMINATED
            assert alice.end().code == Exit.UNDELIVERED


def test_input_that_was_not_read_before_they_left_is_told(friends: Pair) -> None:
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        with friends.chat() as alice:
            alice.write(b"one\n")
            assert bob.line() == "one"
            bob.process.send_signal(signal.SIGTERM)
            assert alice.process.wait(PATIENCE) == Exit.UNDELIVERED
            result = alice.end()
            assert result.err.splitlines()[-1] == words.INPUT_LEFT


def test_a_line_that_is_too_long_is_refused_and_the_rest_is_sent(friends: Pair) -> None:
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        with friends.chat() as alice:
            alice.write(b"before\n" + b"x" * (limits.TEXT_MAX + 1) + b"\nafter\n")
            result = alice.end()
            assert result.code == Exit.FAILED
            too_long = explain(InputError(InputProblem.TOO_LONG, str(limits.TEXT_MAX)))
            assert too_long in result.err.splitlines()
        assert bob.end().out == "before\nafter\n"


def test_the_input_may_be_a_file(friends: Pair, tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(500)]
    (tmp_path / "input").write_text("\n".join(lines) + "\n")
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        with (tmp_path / "input").open("rb") as source:
            done = subprocess.run(
                sotto("chat", friends.where, "--profile", str(friends.alice)),
                stdin=source, env=environment(), timeout=PATIENCE, check=False, capture_output=True,
            )  # fmt: skip
        assert done.returncode == Exit.OK, done.stderr
        assert bob.end().out.splitlines() == lines


def test_a_listener_without_input_stays_until_the_other_leaves(friends: Pair) -> None:
    with friends.listen() as bob:
        assert bob.process.stdin is not None
        bob.process.stdin.close()
        bob.process.stdin = None
        bob.said("Your fingerprint")
        with friends.chat() as alice:
            alice.write(b"hello\n")
            assert bob.line() == "hello"
            assert alice.end().code == Exit.OK
        assert bob.end().code == Exit.OK


def test_when_nobody_reads_the_output_any_more_it_ends_without_noise(friends: Pair) -> None:
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        assert bob.process.stdout is not None
        bob.process.stdout.close()
        with friends.chat() as alice:
            alice.write(b"hello\n")
            assert bob.process.wait(PATIENCE) == Exit.FAILED
            assert bob.process.stderr is not None
            assert b"Traceback" not in bob.process.stderr.read()
            bob.process.stdout = None
            alice.process.kill()


def test_a_web_browser_that_calls_is_told_nothing_and_disturbs_nobody(friends: Pair) -> None:
    with friends.listen() as bob:
        bob.said("Your fingerprint")
        with socket.create_connection(("127.0.0.1", friends.port), PATIENCE) as browser:
            browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert _rest(browser) == b""
        with friends.chat() as alice:
            alice.write(b"hello\n")
            assert alice.end().code == Exit.OK
        result = bob.end()
    assert (result.code, result.out) == (Exit.OK, "hello\n")
    assert "Traceback" not in result.err


def _rest(sock: socket.socket) -> bytes:
    """What still comes before the connection ends, in whichever way."""
    try:
        return sock.recv(1024)
    except ConnectionError:
        return b""


def test_an_output_that_cannot_be_written_is_said_and_the_message_is_kept(friends: Pair) -> None:
    with friends.listen(redirect=">/dev/full") as bob:
        bob.said("Your fingerprint")
        with friends.chat() as alice:
            alice.write(b"hello\n")
            assert alice.end().code == Exit.OK
        result = bob.end()
    assert result.code == Exit.FAILED
    assert result.err.splitlines()[-1] == words.output_failed(os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("redirect", ["<&-", ">&-", "<&- >&-"])
def test_a_stream_that_was_closed_is_an_empty_file(redirect: str, friends: Pair) -> None:
    with friends.listen(redirect=redirect) as bob:
        bob.said("Your fingerprint")
        with friends.chat() as alice:
            alice.write(b"hello\n")
            assert alice.end().code == Exit.OK
        result = bob.end()
    assert (result.code, result.out) == (Exit.OK, "" if ">" in redirect else "hello\n")


def test_without_any_stream_the_exit_code_tells(friends: Pair) -> None:
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    done = run("chat", friends.where, "--profile", str(friends.alice), prefix=closed)
    assert done.code == Exit.UNREACHABLE


async def test_escape_sequences_are_harmless_in_a_pipe_too(pair: Pair, tmp_path: Path) -> None:
    async with people_in(tmp_path) as people:
        mallory = await people("mallory")
        with pair.listen("--yes") as bob:
            await asyncio.to_thread(bob.said, "Your fingerprint")
            contact = await mallory.connect(pair.where)
            await mallory.engine.send_text(contact.id, "\x1b[8mhidden\nsecond line")
            assert await asyncio.to_thread(bob.line) == "␛[8mhidden"
            assert await asyncio.to_thread(bob.line) == "second line"


async def test_what_is_not_accepted_is_waited_for(pair: Pair, tmp_path: Path) -> None:
    """Messages to somebody who has not accepted yet are not delivered, so the program stays."""
    async with people_in(tmp_path) as people:
        carol = await people("carol")
        arguments = ("chat", await carol.address(), "--yes", "--profile", str(pair.alice))
        with Piped(*arguments) as alice:
            alice.write(b"please\n")
            ending = asyncio.create_task(asyncio.to_thread(alice.end))
            await carol.hears("please")
            assert not ending.done()
            request = await carol.contact("alice")
            assert request.standing is Standing.REQUEST
            await carol.engine.accept(request.id)
            assert (await ending).code == Exit.OK


async def test_a_slow_reader_of_the_output_does_not_hold_up_the_link(friends: Pair, tmp_path: Path) -> None:
    """More than a pipe takes arrives while nobody reads; then every line is there, also after the end."""
    async with people_in(tmp_path) as people:
        alice = people.in_folder(friends.alice, "alice")
        with friends.listen() as bob:
            texts = await _flood(alice, bob, friends.where)
            await alice.engine.stop()
            result = await asyncio.to_thread(bob.end)
    assert (result.code, result.out.splitlines()) == (Exit.OK, texts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_although_nobody_reads(
    friends: Pair, tmp_path: Path, number: signal.Signals
) -> None:
    async with people_in(tmp_path) as people:
        alice = people.in_folder(friends.alice, "alice")
        with friends.listen() as bob:
            await _flood(alice, bob, friends.where)
            bob.process.send_signal(number)
            assert await asyncio.to_thread(bob.process.wait, PATIENCE) == 128 + number
            assert bob.process.stderr is not None
            assert b"Traceback" not in bob.process.stderr.read()


async def _flood(writer: Person, reader: Piped, where: str) -> list[str]:
    """Write much to somebody whose output nobody reads; all of it is delivered all the same."""
    await asyncio.to_thread(reader.said, "Your fingerprint")
    await writer.start()
    contact = await writer.connect(where)
    texts = [f"{number} " + "x" * 10_000 for number in range(60)]
    sent = [await writer.engine.send_text(contact.id, text) for text in texts]
    await writer.sees(sent[-1].id, MessageState.DELIVERED)
    return texts
