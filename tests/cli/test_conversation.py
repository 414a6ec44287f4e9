"""Two people at two terminals, each a real process on a pseudo-terminal of its own."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from messenger.cli.exits import Exit
from messenger.core.errors import ConnectError, Reason
from messenger.core.models import Standing
from messenger.engine.events import MessageAdded
from messenger.text import PROTECTION, explain
from messenger.text import terminal as words
from tests.helpers.engines import fresh_port, people_in, prepare
from tests.helpers.keys import identity
from tests.helpers.terminal import Program, acquaint

CTRL_C, CTRL_D = "\x03", "\x04"


class Pair:
    """Two profiles, and a port for the one who listens."""

    def __init__(self, folder: Path, *, reconnect: bool = True) -> None:
        self.alice = prepare(folder / "alice", "alice", reconnect=reconnect)
        self.bob = prepare(folder / "bob", "bob")
        self.port = fresh_port()

    def listen(self, *arguments: str) -> Program:
        """Bob, waiting."""
        return Program("listen", "--port", str(self.port), "--profile", str(self.bob), *arguments)

    def chat(self, *arguments: str) -> Program:
        """Alice, calling."""
        return Program("chat", f"127.0.0.1:{self.port}", "--profile", str(self.alice), *arguments)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two people who have never met."""
    return Pair(tmp_path)


@contextmanager
def in_conversation(pair: Pair) -> Iterator[tuple[Program, Program]]:
    acquaint(pair.alice, pair.bob)
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat() as alice:
            alice.expect("You are talking to Bob")
            bob.expect("You are talking to Alice")
            for program in (alice, bob):
                program.expect(words.PROMPT.strip())
            yield alice, bob


@pytest.fixture
def parting(pair: Pair) -> Iterator[tuple[Program, Program]]:
    """Alice and Bob, who know each other, in a conversation that is about to end."""
    with in_conversation(pair) as both:
        yield both


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Program]]:
    """Alice and Bob in a conversation that goes on from test to test."""
    with in_conversation(Pair(tmp_path_factory.mktemp("talking"))) as both:
        yield both


def digits(program: Program) -> str:
    """The safety number on a terminal."""
    program.answer("/safety")
    program.expect("Read them to each other:")
    return "".join("".join(program.expect("  ").split()) for _ in range(3))


def test_two_strangers_meet_talk_and_part(pair: Pair) -> None:
    with pair.listen() as bob:
        assert str(pair.port) in bob.expect("sotto chat ")
        bob.expect(words.OWN_FINGERPRINT)
        with pair.chat() as alice:
            alice.expect(words.stranger_answers(f"127.0.0.1:{pair.port}"))
            alice.expect(words.fingerprint_lines(identity("bob").fingerprint))
            alice.expect(words.ASK_PEER.strip())
            assert "Alice" not in bob.text
            alice.answer("y")
            bob.expect(words.wants_to_talk("Alice"))
            bob.expect(words.fingerprint_lines(identity("alice").fingerprint))
            alice.expect(words.awaiting("Bob"))
            alice.answer("too early?")
            bob.expect(words.ASK_REQUEST.strip())
            bob.answer("a")
            alice.expect("too early? ✓")
            bob.expect("Alice: too early?")
            bob.answer("not at all 👍 שלום")
            alice.expect("Bob: not at all 👍 שלום")
            bob.expect("not at all 👍 שלום ✓")
            assert digits(alice) == digits(bob)
            alice.answer("/quit")
            bob.expect(words.has_left("Alice"))
            assert alice.wait() == Exit.OK
            assert bob.wait() == Exit.OK


def test_the_dialler_may_refuse_the_fingerprint(pair: Pair) -> None:
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat() as alice:
            alice.expect(words.ASK_PEER.strip())
            alice.answer("")
            alice.expect(explain(ConnectError(Reason.DECLINED)))
            assert alice.wait() == Exit.DECLINED
        bob.press(CTRL_C)
        assert bob.wait() == Exit.INTERRUPTED
        assert "Alice" not in bob.text


@pytest.mark.parametrize("answer", ["b", "d"])
def test_the_listener_may_refuse_the_request(pair: Pair, answer: str) -> None:
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat("--yes") as alice:
            alice.expect(words.awaiting("Bob"))
            bob.expect(words.ASK_REQUEST.strip())
            bob.answer(answer)
            alice.expect(words.has_left("Bob"))
            assert alice.wait() == Exit.OK


def test_a_request_may_wait(pair: Pair) -> None:
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat("--yes") as alice:
            bob.expect(words.ASK_REQUEST.strip())
            bob.answer("")
            alice.expect(words.awaiting("Bob"))
            alice.answer("shall we talk?")
            alice.press(CTRL_D)
            alice.expect(words.still_waiting(1))
            assert alice.wait() == Exit.OK
        with pair.chat() as alice:
            bob.expect(words.ASK_REQUEST.strip())
            bob.answer("a")
            bob.expect("Alice: shall we talk?")
            alice.expect("Bob has accepted you.")


def test_people_who_know_each_other_are_not_asked(talking: tuple[Program, Program]) -> None:
    alice, bob = talking
    assert words.ASK_PEER.strip() not in alice.text
    assert words.ASK_REQUEST.strip() not in bob.text


def test_commands(talking: tuple[Program, Program]) -> None:
    alice, bob = talking
    alice.answer("/help")
    for command, meaning in words.COMMANDS.items():
        alice.expect(command)
        alice.expect(meaning)
    alice.answer("/nonsense")
    alice.expect(words.unknown_command("/nonsense"))
    alice.answer("//etc/passwd")
    bob.expect("Alice: /etc/passwd")
    alice.answer("/verify")
    alice.expect(words.ASK_VERIFIED.strip())
    alice.answer("y")
    alice.expect(words.VERIFIED)
    bob.answer("/verify")
    bob.expect(words.ASK_VERIFIED.strip())
    bob.answer("n")
    bob.expect(words.NOT_VERIFIED)
    assert "nonsense" not in bob.text


def test_a_terminal_that_cannot_draw_gets_plain_lines(pair: Pair) -> None:
    acquaint(pair.alice, pair.bob)
    waiting = ("listen", "--port", str(pair.port), "--profile", str(pair.bob))
    with Program(*waiting, extra={"TERM": "dumb"}) as bob:
        bob.expect("Your fingerprint")
        with pair.chat() as alice:
            alice.expect(words.PROMPT.strip())
            alice.answer("hello")
            bob.expect("hello")
            alice.press("\x04")
            assert alice.wait() == Exit.OK
        assert bob.wait() == Exit.OK
        assert b"\x1b" not in bob.raw


def test_an_empty_line_sends_nothing(talking: tuple[Program, Program]) -> None:
    alice, bob = talking
    alice.answer("")
    alice.answer("   ")
    alice.answer("first words")
    assert bob.expect("Alice: ").endswith("Alice: first words")


def test_what_comes_in_does_not_disturb_what_is_typed(talking: tuple[Program, Program]) -> None:
    alice, bob = talking
    alice.press("half of a sen")
    alice.expect("half of a sen")
    bob.answer("an interruption")
    alice.expect("Bob: an interruption")
    alice.answer("tence")
    bob.expect("Alice: half of a sentence")


@pytest.mark.parametrize(("key", "code"), [(CTRL_C, Exit.INTERRUPTED), (CTRL_D, Exit.OK)])
def test_leaving_by_key_is_a_goodbye_in_time(parting: tuple[Program, Program], key: str, code: Exit) -> None:
    """Nobody needs the deadline for it, which is later here than anybody waits (`PATIENT`)."""
    alice, bob = parting
    bob.press(key)
    assert bob.wait() == code
    alice.expect(words.has_left("Bob"))
    assert alice.wait() == Exit.OK


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_leaving_by_signal_is_a_goodbye(parting: tuple[Program, Program], number: signal.Signals) -> None:
    alice, bob = parting
    bob.process.send_signal(number)
    assert bob.wait() == 128 + number
    alice.expect(words.has_left("Bob"))


def test_a_cut_is_not_a_goodbye(parting: tuple[Program, Program]) -> None:
    alice, bob = parting
    bob.process.kill()
    alice.expect(words.cut(tries_again=True))
    alice.answer("are you there?")
    alice.press(CTRL_D)
    alice.expect(words.still_waiting(1))
    assert alice.wait() == Exit.OK


def test_nothing_is_promised_that_the_settings_do_not_hold(tmp_path: Path) -> None:
    """With “Reconnect by itself” off nobody calls until they are told to."""
    with in_conversation(Pair(tmp_path, reconnect=False)) as (alice, bob):
        bob.process.kill()
        alice.expect(words.cut(tries_again=False))
        alice.answer("/reconnect")
        alice.answer("are you there?")
        alice.press(CTRL_D)
        alice.expect(words.still_waiting(1))
        assert alice.wait() == Exit.OK


def test_ctrl_c_ends_the_waiting(pair: Pair) -> None:
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        bob.press(CTRL_C)
        assert bob.wait() == Exit.INTERRUPTED


def test_ctrl_c_ends_a_call(pair: Pair) -> None:
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat() as alice:
            alice.expect(words.ASK_PEER.strip())
            alice.press(CTRL_C)
            assert alice.wait() == Exit.INTERRUPTED


def test_an_invite_opens_the_door_without_a_question(pair: Pair) -> None:
    with pair.listen("--invite") as bob:
        bob.expect(words.INVITE)
        link = bob.expect("sotto://invite/")
        with Program("chat", link, "--profile", str(pair.alice)) as alice:
            bob.expect("You are talking to Alice")
            alice.expect("You are talking to Bob")
            assert words.ASK_PEER.strip() not in alice.text
            assert words.ASK_REQUEST.strip() not in bob.text


def test_a_new_name_is_told(pair: Pair) -> None:
    acquaint(pair.alice, pair.bob)
    with pair.listen() as bob:
        bob.expect(words.LISTENING_HINT)
        with pair.chat("--name", "Alicia") as alice:
            bob.expect("You are talking to Alicia")
            alice.expect("You are talking to Bob")
            alice.press(CTRL_D)
            assert alice.wait() == Exit.OK


async def test_escape_sequences_of_a_peer_do_not_reach_the_terminal(pair: Pair, tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07\x1b[8mhidden\x9b31m\u202edrowrof"
    async with people_in(tmp_path) as people:
        mallory = people.asleep("mallory")
        await mallory.start()
        # Her own program would clean the name; a hostile one does not.
        mallory.engine._now().context.me = type(await mallory.engine.me())(
            name="Mal\x1b[8mlory", fingerprint=mallory.fingerprint, protection="file"
        )
        with pair.listen() as bob:
            await asyncio.to_thread(bob.expect, words.LISTENING_HINT)
            contact = await mallory.connect(f"127.0.0.1:{pair.port}")
            await asyncio.to_thread(bob.expect, words.wants_to_talk("Mal[8mlory"))
            await mallory.engine.send_text(contact.id, hostile)
            await asyncio.to_thread(bob.expect, words.ASK_REQUEST.strip())
            bob.answer("a")
            await asyncio.to_thread(bob.expect, "␛]0;owned␇␛[8mhidden\ufffd31m\ufffddrowrof")
            assert b"\x1b]0;" not in bob.raw
            assert b"\x1b[8m" not in bob.raw
            assert "\x9b".encode() not in bob.raw
            assert "\u202e".encode() not in bob.raw


async def test_others_who_write_are_mentioned_once(pair: Pair, tmp_path: Path) -> None:
    acquaint(pair.alice, pair.bob)
    async with people_in(tmp_path) as people:
        carol = await people("carol")
        with pair.listen() as bob:
            await asyncio.to_thread(bob.expect, words.LISTENING_HINT)
            with pair.chat() as alice:
                await asyncio.to_thread(bob.expect, "You are talking to Alice")
                contact = await carol.connect(f"127.0.0.1:{pair.port}")
                for text in ("secret one", "secret two"):
                    await carol.engine.send_text(contact.id, text)
                await asyncio.to_thread(bob.expect, words.somebody_else("Carol"))
                await asyncio.to_thread(alice.expect, "You are talking to Bob")
                alice.answer("only you")
                await asyncio.to_thread(bob.expect, "Alice: only you")
                assert "secret" not in bob.text
                assert bob.text.count(words.somebody_else("Carol")) == 1


async def test_what_was_said_is_kept(pair: Pair, tmp_path: Path) -> None:
    """A conversation at the terminal is in the profile, for the window or the next time."""
    acquaint(pair.alice, pair.bob)
    with pair.listen() as bob:
        await asyncio.to_thread(bob.expect, words.LISTENING_HINT)
        with pair.chat() as alice:
            await asyncio.to_thread(alice.expect, "You are talking to Bob")
            alice.answer("for later")
            await asyncio.to_thread(alice.expect, "for later ✓")
            alice.press(CTRL_D)
            assert await asyncio.to_thread(alice.wait) == Exit.OK
            assert await asyncio.to_thread(bob.wait) == Exit.OK
    async with people_in(tmp_path) as people:
        for folder, who, other in ((pair.alice, "alice", "bob"), (pair.bob, "bob", "alice")):
            person = people.in_folder(folder, who)
            await person.start()
            conversation = await person.conversation(other)
            assert await person.texts(conversation.id) == ["for later"]
            assert conversation.unread == 0
            assert conversation.contact.standing is Standing.ACCEPTED
            assert not person.count(MessageAdded)


def test_first_use_makes_a_profile_and_later_use_opens_it(tmp_path: Path) -> None:
    folder, port = tmp_path / "new", str(fresh_port())
    arguments = ("listen", "--port", port, "--profile", str(folder))
    with Program(*arguments, "--ask-passphrase") as program:
        program.expect(words.ASK_NAME.strip())
        program.answer("Zoë")
        program.expect(words.ASK_NEW_PASSPHRASE.strip())
        program.answer("first try")
        program.expect(words.ASK_AGAIN.strip())
        program.answer("second try")
        program.expect(words.PASSPHRASES_DIFFER)
        for question in (words.ASK_NEW_PASSPHRASE, words.ASK_AGAIN):
            program.expect(question.strip())
            program.answer("correct horse")
        program.expect(words.welcome("Zoë"))
        program.expect(PROTECTION["passphrase"])
        program.expect(words.LISTENING)
        program.expect(words.OWN_FINGERPRINT)
        fingerprint = program.expect("    ")
        program.press(CTRL_C)
        assert program.wait() == Exit.INTERRUPTED
        assert "horse" not in program.text
    with Program(*arguments) as program:
        program.expect(words.ASK_PASSPHRASE.strip())
        program.answer("correct horse")
        program.expect(words.OWN_FINGERPRINT)
        assert program.expect("    ") == fingerprint
    assert folder.stat().st_mode & 0o777 == 0o700


def test_messages_disappear_when_somebody_says_so(parting: tuple[Program, Program]) -> None:
    alice, bob = parting
    alice.answer("/disappear")
    alice.expect(words.timer_now(0))
    for wrong in ("1", "3s", "5w", "soon", "1h 1h"):
        alice.answer(f"/disappear {wrong}")
        alice.expect(words.NO_TIMER[:40])
    alice.answer("/disappear 1h")
    alice.expect("You set messages to disappear after 1 hour")
    bob.expect("Alice set messages to disappear after 1 hour")
    bob.answer("/disappear 1h")
    bob.expect(words.timer_now(3600))
    bob.answer("/disappear OFF")
    bob.expect("You turned disappearing messages off")
    alice.expect("Bob turned disappearing messages off")
    alice.answer("//disappear is a command")
    bob.expect("Alice: /disappear is a command")
