"""The demonstration shows what it claims, and says so when it is not so."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messenger.cli.demo import Transcript
from messenger.cli.exits import Exit
from messenger.cli.terminal import Terminal
from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import format_fingerprint
from messenger.demo.headless import inspect_disk, inspect_wire, look_for, play
from messenger.demo.relay_process import RelayProcess, relay_in
from messenger.demo.relayed import RECIPE, readable
from messenger.demo.scenario import Memory, Person, Scenario, Step, Stuck, call_here, step
from messenger.engine.engine import Engine
from messenger.net.wiretap import Recording
from messenger.protocol.messages import MessageType, frame
from messenger.text import demo as words
from messenger.text import terminal as terminal_words
from tests.helpers.engines import prepare
from tests.helpers.patience import PATIENCE
from tests.helpers.terminal import Piped, environment, run

NAMES = {"alice": words.ALICE, "bob": words.BOB, "carol": "Carol Cooper"}


class Steps:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.begun_titles: list[str] = []
        self.steps: list[Step] = []

    def begun(self, title: str) -> None:
        self.begun_titles.append(title)

    def done(self, step: Step) -> None:
        self.steps.append(step)

    @property
    def failed(self) -> list[str]:
        """What did not hold."""
        return [what for step in self.steps for what, holds in step.checks if not holds]


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[dict[str, Person]]:
    """Everybody, up and listening, with keys that need not be made."""
    everybody = {}
    for who, name in NAMES.items():
        memory = Memory()
        engine = Engine(prepare(tmp_path / who, who), memory.take)
        await engine.open()
        await engine.set_name(name)
        everybody[who] = Person(name, engine, memory, call_here)
    yield everybody
    for person in everybody.values():
        await person.engine.stop()


async def address(person: Person) -> str:
    listening = await person.engine.listening()
    assert listening is not None
    return f"127.0.0.1:{listening.port}"


# --- as a whole ---


def test_from_the_shell(tmp_path: Path) -> None:
    """Two new people, real keys, a real cable: every check passes, and nothing is left behind."""
    done = run("demo", "--headless", extra={"TMPDIR": str(tmp_path)})
    assert done.code == Exit.OK, done.out + done.err
    assert done.err == ""
    assert words.PASSED in done.out.splitlines()
    assert words.BAD not in done.out
    for name in ("M1", "M2", "M3", "M4", "M5"):
        assert f"    {name}  " in done.out
    for shown in (words.RELAY_BLIND, words.RELAY_READ, words.RELAY_WAY, words.RELAY_SAME_FILE):
        assert f"  {words.GOOD} {shown}" in done.out.splitlines()
    assert not list(tmp_path.iterdir())


def test_without_a_display_it_says_so_and_is_text_and_ctrl_c_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Piped("demo") as demo:
        assert demo.said(terminal_words.NO_DISPLAY).endswith(terminal_words.DEMO_AS_TEXT)
        assert demo.line() == ""
        assert demo.line() == words.MAKING_KEYS
        demo.process.send_signal(signal.SIGINT)
        result = demo.end()
        assert result.code == Exit.INTERRUPTED
        assert "Traceback" not in result.err
    assert not list(tmp_path.iterdir())


async def test_every_step_is_told_and_every_check_passes(people: dict[str, Person], tmp_path: Path) -> None:
    steps = Steps()
    await play(people["alice"], people["bob"], tmp_path, steps)
    assert not steps.failed
    assert sum(len(step.checks) for step in steps.steps) == 18
    assert [step.title for step in steps.steps] == steps.begun_titles
    record = steps.steps[-2].lines
    assert words.RECORD in record
    assert bytes.fromhex(record[record.index(words.RECORD) + 1])[:1] == b"\x17"


def test_two_windows_play_the_same(tmp_path: Path) -> None:
    """In a process of its own, without a screen; a signal closes both windows, and all ends in order."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.demo_windows", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"QT_QPA_PLATFORM": "offscreen"}),
    )
    assert program.stdout is not None
    line = program.stdout.readline()
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=PATIENCE)
    assert line, err.decode()
    told = json.loads(line)
    windows, relay, looks = told["windows"], told["relay"], told["looks"]
    before = [*(text for _, text in words.CONVERSATION), words.FILE_NAME]
    for window, name in zip(windows, (words.ALICE, words.BOB), strict=True):
        assert name in window["title"]
        assert window["texts"] == [*before, words.LEFT_BEHIND, RECIPE]
        assert window["notice"] == words.WITH_WINDOWS
    assert windows[0]["x"] < windows[1]["x"]
    off = [{"off": words.switched_off(name)} for name in (words.ALICE, words.BOB)]
    assert looks[words.RELAY_READING] == off, "she has left when he switches on"
    alice, bob = looks[words.RELAY_FILE]
    assert alice == off[0]
    assert bob["texts"] == [*before, words.LEFT_BEHIND]
    assert (relay["shown"], relay["y"] > windows[0]["y"]) == (True, True)
    assert max(int(row[3]) for row in relay["rows"] if row[3]) >= 4096, "an envelope passed"
    assert not [row for row in relay["rows"] if any(word in str(row) for word in ("asleep", "recipe"))]
    assert json.loads(out) == {"passed": True, "ended": True}
    assert program.returncode == 0


# --- what if it were not so ---


async def test_another_key_than_bobs_is_seen_and_refused(people: dict[str, Person]) -> None:
    steps = Steps()
    scenario = Scenario(people["alice"], people["bob"], steps)
    with pytest.raises(ConnectError) as caught:
        await scenario.meet(await address(people["carol"]))
    assert caught.value.reason is Reason.DECLINED
    assert steps.failed == [words.SAME_FINGERPRINT]


async def test_nobody_there_is_an_error_and_not_a_wait(people: dict[str, Person]) -> None:
    where = await address(people["carol"])
    await people["carol"].engine.stop_listening()
    with pytest.raises(ConnectError) as caught:
        await Scenario(people["alice"], people["bob"], Steps()).meet(where)
    assert caught.value.reason is Reason.NOBODY


async def test_a_step_that_does_not_end_is_reported() -> None:
    steps = Steps()
    with pytest.raises(Stuck):
        async with step("waiting", steps, 0.01):
            await asyncio.Event().wait()
    assert [step.title for step in steps.steps] == ["waiting"]


async def test_what_must_not_be_on_the_cable_is_found(people: dict[str, Person]) -> None:
    pair = (people["alice"], people["bob"])
    bob = await people["bob"].engine.me()
    signing, exchange = await people["bob"].engine.moduli()
    noise = bytes(range(256)) * 10
    cases = {
        words.NO_WORDS: ["anybody".encode("utf-16-le"), words.CONVERSATION[0][1].encode()],
        words.NO_FILE: [b"eavesdropper", words.FILE_LINE.encode()],
        words.NO_NAMES: [words.ALICE.encode(), words.BOB.encode()],
        words.NO_FINGERPRINTS: [
            bob.fingerprint,
            bob.fingerprint.hex().encode(),
            format_fingerprint(bob.fingerprint).encode(),
        ],
        words.NO_KEYS: [signing, exchange[::-1], exchange[16:48]],
    }
    clean = Step("")
    await look_for(pair, noise, clean)
    assert dict(clean.checks) == dict.fromkeys(cases, True)
    for what, leaks in cases.items():
        for leak in leaks:
            found = Step("")
            await look_for(pair, noise + leak + noise, found)
            assert dict(found.checks) == dict.fromkeys(cases, True) | {what: False}


async def test_what_a_relay_could_read_is_found(tmp_path: Path) -> None:
    relay = RelayProcess(asyncio.StreamReader())
    relay.lines.append('{"event": "in", "bytes": 5, "hex": "0102030405"}')
    assert readable(relay, tmp_path) == []
    (tmp_path / "relay.db").write_text(f"for {words.BOB}")
    relay.lines.append(f'{{"event": "in", "bytes": 9, "hex": "{b"the recipe".hex()}"}}')
    assert readable(relay, tmp_path) == ["recipe", words.BOB]
    relay.lines.append(words.ALICE)
    assert readable(relay, tmp_path) == ["recipe", words.ALICE, words.BOB]


async def test_a_relay_that_does_not_start_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    (tmp_path / "relay").write_text("no folder")
    with pytest.raises(ConnectError) as caught:
        async with relay_in(tmp_path / "relay"):
            pass
    assert caught.value.reason is Reason.NOBODY


async def test_another_handshake_or_open_records_are_seen(people: dict[str, Person]) -> None:
    looked, talked = Recording(), Recording()
    looked.add(from_dialler=True, data=frame(MessageType.M1, b"") + frame(MessageType.M3, b""))
    for kind in (MessageType.M1, MessageType.M3, MessageType.M5):
        talked.add(from_dialler=True, data=frame(kind, b"x"))
    talked.add(from_dialler=True, data=b"\x17\x00\x00\x05hello")
    steps = Steps()
    await inspect_wire((people["alice"], people["bob"]), (looked, talked), 0, steps)
    assert steps.failed == [words.ONLY_LOOKED, words.FIVE_MESSAGES, words.ONLY_RECORDS]


async def test_a_message_more_on_one_side_or_a_readable_file_is_seen(
    people: dict[str, Person], tmp_path: Path
) -> None:
    alice, bob = people["alice"], people["bob"]
    scenario = Scenario(alice, bob, Steps())
    await scenario.meet(await address(bob))
    await scenario.talk()
    steps = Steps()
    await inspect_disk((alice, bob), scenario.contacts, tmp_path, steps)
    assert not steps.failed
    await bob.engine.disconnect(scenario.contacts[1].id)
    await alice.engine.send_text(scenario.contacts[0].id, "not in the book")
    (tmp_path / "note.txt").write_text(f"for {words.BOB}")
    await inspect_disk((alice, bob), scenario.contacts, tmp_path, steps)
    assert steps.failed == [words.SAME_HISTORY, words.NOT_READABLE]


def test_the_transcript_shows_and_remembers_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    fine, failing = Transcript(Terminal()), Transcript(Terminal())
    fine.begun("a step")
    fine.done(Step("a step", ["a line"], [("this", True)], 1.5))
    failing.done(Step("a step", [], [("that", False), ("those", True)]))
    assert (fine.passed, failing.passed) == (True, False)
    lines = capsys.readouterr().out.splitlines()
    for line in ("a step", "    a line", f"  {words.GOOD} this", f"  {words.BAD} that", "  1.500 s"):
        assert line in lines
