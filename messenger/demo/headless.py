"""The demonstration without windows, over a tapped cable, with a look at the tape and at the disks."""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.address import Address
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.core.models import Contact
from messenger.demo.relayed import Apart, EnginePlug
from messenger.demo.scenario import Memory, Person, Report, Scenario, Step, call_here, make_keys, step
from messenger.engine.engine import Engine
from messenger.net.wiretap import Frame, Recording, Wiretap
from messenger.text import demo as words

_FILES: Final = "files"
"""Folder beside the profiles, for the file that is sent."""
_LOOPBACK: Final = "127.0.0.1"
_HEX_WIDTH: Final = 32
_SHORT: Final = 5
"""Words of so few characters may stand in random bytes by chance."""
_RECORD_HEADER: Final = 4
_NAMES: Final = (("alice", words.ALICE), ("bob", words.BOB))
_HANDSHAKE: Final = [("M1", True), ("M2", False), ("M3", True), ("M4", False), ("M5", True)]
"""The handshake as it must be on the cable, and whether the dialler sends it."""


async def run_headless(report: Report) -> None:
    """Run everything with throw-away profiles, and check what the tap and the disks hold.

    Raises:
        SottoError: A step could not be done.
    """
    with tempfile.TemporaryDirectory(prefix="sotto-demo-") as name:
        async with contextlib.AsyncExitStack() as stack:
            people = [_arrive(stack, Path(name) / part, full) for part, full in _NAMES]
            await make_keys(people, report)
            contacts = await play(people[0], people[1], Path(name), report)
            alice, bob = (Path(name) / part for part, _ in _NAMES)
            plugs = EnginePlug(people[0], alice, stack), EnginePlug(people[1], bob, stack)
            await Apart((people[0], people[1]), contacts, plugs, report).play(Path(name), stack)


async def play(alice: Person, bob: Person, folder: Path, report: Report) -> list[Contact]:
    """Let two people meet over a tapped cable, talk and part, and look at the tape and the disks.

    Args:
        alice: Calls; her engine is open.
        bob: Is called; his engine is open.
        folder: Holds both profiles.
        report: Told about every step.

    Returns:
        Bob in Alice's book, Alice in Bob's.

    Raises:
        SottoError: A step could not be done.
    """
    async with step(words.LISTENING, report) as now:
        listening = await bob.engine.listening() or await bob.engine.listen()
        tap = await Wiretap.open(Address(_LOOPBACK, listening.port))
        now.lines.append(words.listening_line(str(listening.port), str(tap.address)))
    try:
        scenario = Scenario(alice, bob, report)
        await scenario.meet(str(tap.address))
        greeted = len(tap.recordings[-1].frames())
        await scenario.compare()
        await scenario.talk()
        talked = len(tap.recordings) - 1  # what follows is the file's own
        await scenario.send_file(folder / _FILES)
        await scenario.part()
    finally:
        await tap.close()
    people = (alice, bob)
    await inspect_wire(people, tap.recordings, greeted, report, talked=talked)
    await inspect_disk(people, scenario.contacts, folder, report, sent=(words.FILE_NAME,))
    return scenario.contacts


def _arrive(stack: contextlib.AsyncExitStack, folder: Path, name: str) -> Person:
    memory = Memory()
    engine = Engine(folder, memory.take)
    stack.push_async_callback(engine.stop)
    return Person(name, engine, memory, call_here)


async def inspect_wire(
    people: Sequence[Person],
    recordings: Sequence[Recording],
    greeted: int,
    report: Report,
    *,
    talked: int = -1,
) -> None:
    """Show what an eavesdropper has, and look in it for what must not be there.

    Args:
        people: Whose words, names and keys are looked for.
        recordings: Of the call that only looked who is there, of the conversation, and of files.
        greeted: Frames that had passed when the conversation could begin.
        report: Told about the step.
        talked: Which recording is that of the conversation.
    """
    async with step(words.WIRE, report) as now:
        looked, spoke = recordings[0].frames(), recordings[talked].frames()
        handshake = [frame for frame in spoke if frame.message is not None]
        records = [frame for frame in spoke if frame.message is None]
        seen = b"".join(tape.sent(from_dialler=side) for tape in recordings for side in (True, False))
        now.lines += [_message_line(frame, spoke[0].at, people) for frame in handshake]
        now.lines.append(words.total_line(len(recordings), len(seen), len(records)))
        spoken = next(frame for frame in spoke[greeted:] if frame.from_dialler and frame.message is None)
        now.lines += [words.RECORD, *_hex(spoken.data)]
        now.check(words.ONLY_LOOKED, holds=[f.message and f.message.name for f in looked] == ["M1", "M2"])
        order = [(f.message.name, f.from_dialler) for f in handshake if f.message is not None]
        now.check(words.FIVE_MESSAGES, holds=order == _HANDSHAKE and spoke[:5] == handshake)
        now.check(words.ONLY_RECORDS, holds=all(_is_padded(frame) for frame in records))
        await look_for(people, seen, now)


async def look_for(people: Sequence[Person], seen: bytes, now: Step) -> None:
    """Look in recorded bytes for everything that the two have and no eavesdropper may get."""
    me = [await who.engine.me() for who in people]
    keys = [key for who in people for key in await who.engine.moduli()]
    fingerprints = [form for one in me for form in _forms(one.fingerprint)]
    now.check(
        words.NO_WORDS, holds=not any(form in seen for _, text in words.CONVERSATION for form in _text(text))
    )
    now.check(words.NO_FILE, holds=not any(form in seen for form in _text(words.FILE_LINE)))
    now.check(words.NO_NAMES, holds=not any(form in seen for who in people for form in _text(who.name)))
    now.check(words.NO_FINGERPRINTS, holds=not any(form in seen for form in fingerprints))
    now.check(words.NO_KEYS, holds=not any(part in seen for key in keys for part in _parts(key)))


async def inspect_disk(
    people: Sequence[Person],
    contacts: Sequence[Contact],
    folder: Path,
    report: Report,
    *,
    sent: Sequence[str] = (),
) -> None:
    """Read both databases anew, and look at the files as somebody who finds them would.

    Args:
        people: Whose.
        contacts: Each in the other's book.
        folder: Holds both profiles.
        report: Told about the step.
        sent: Names of files that were sent after the conversation.
    """
    async with step(words.DISK, report) as now:
        histories = []
        for who, contact in zip(people, contacts, strict=True):
            with contextlib.closing(who.engine.reader()) as reader:
                histories.append(reader.messages(contact.id, count=limits.PAGE))
        told = [*(text for _, text in words.CONVERSATION), *sent]
        same = [[m.id for m in history] for history in histories]
        now.check(
            words.SAME_HISTORY,
            holds=same[0] == same[1] and all([m.text for m in history] == told for history in histories),
        )
        files = _contents(folder)
        now.lines.append(words.disk_line(len(told), sum(map(len, files))))
        hidden = [*told, *(who.name for who in people)]
        readable = any(form in data for data in files for text in hidden for form in _text(text))
        now.check(words.NOT_READABLE, holds=not readable)


def _contents(folder: Path) -> list[bytes]:
    """What is in every file below a folder."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def _message_line(frame: Frame, start: float, people: Sequence[Person]) -> str:
    sender = people[0 if frame.from_dialler else 1].name.partition(" ")[0]
    name = frame.message.name if frame.message is not None else ""
    return words.message_line(name, sender, len(frame.data), (frame.at - start) * 1000)


def _is_padded(frame: Frame) -> bool:
    """Whether a record tells nothing of its content's size but the next multiple of the padding."""
    return (len(frame.data) - _RECORD_HEADER - limits.TAG_SIZE) % limits.RECORD_PADDING == 0


def _text(text: str) -> list[bytes]:
    """The forms in which a text might be found: whole, and each long word of it, in two encodings."""
    pieces = [text, *(word for word in text.split() if len(word) > _SHORT)]
    return [piece.encode(code) for piece in pieces for code in ("utf-8", "utf-16-le")]


def _forms(fingerprint: bytes) -> list[bytes]:
    """The forms in which a fingerprint might be found: bytes, hexadecimal, and as people read it."""
    shown = format_fingerprint(Fingerprint(fingerprint))
    return [fingerprint, fingerprint.hex().encode(), shown.encode(), shown.replace(" ", "").encode()]


def _parts(modulus: bytes) -> list[bytes]:
    """Every 16 bytes of a key, so that no part of it goes unseen; also backwards, as some write numbers."""
    return [number[at : at + 16] for number in (modulus, modulus[::-1]) for at in range(0, len(modulus), 16)]


def _hex(data: bytes) -> list[str]:
    return [data[at : at + _HEX_WIDTH].hex() for at in range(0, len(data), _HEX_WIDTH)]
