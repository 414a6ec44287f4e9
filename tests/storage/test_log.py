"""Damage in the log is noticed and told; what only looks like it is not."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from messenger.core import store_limits
from messenger.core.errors import DatabaseDamaged, InputError
from messenger.core.ids import ConversationId
from messenger.storage import backup
from messenger.storage.database import side_files
from messenger.storage.log import Loss, forget, look_after
from messenger.storage.store import Store
from tests.helpers.storage import DATABASE, add_contact, add_theirs, check_index, message_id, program

NOW: Final = 1_800_000_000_000
DAY: Final = 24 * 3600 * 1000
HEADER: Final = 32
PAGE: Final = 4096
FRAME: Final = 24 + PAGE


class Crash:
    """A profile that is in use; each look at it is one at what a crash at that moment would leave."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.key = key
        self.folder = folder
        self.store = Store.open(folder / DATABASE, key)
        self.store.shred()
        self.contact = add_contact(self.store).id
        self._number = self._copies = 0

    def write(self, count: int, size: int = 10) -> None:
        for _ in range(count):
            self._number += 1
            add_theirs(self.store, self.contact, self._number, "x" * size)

    def log(self) -> bytes:
        return side_files(self.folder / DATABASE)[0].read_bytes()

    def left(self, log: bytes | None = None) -> Path:
        """The database as a crash now leaves it, with this log if one is given."""
        self._copies += 1
        folder = self.folder / f"crash{self._copies}"
        folder.mkdir()
        path = folder / DATABASE
        shutil.copy(self.folder / DATABASE, path)
        side_files(path)[0].write_bytes(self.log() if log is None else log)
        return path

    def look(self, path: Path, now_ms: int = NOW) -> Loss | None:
        return look_after(path, self.key, now_ms)


@pytest.fixture
def crash(tmp_path: Path, key: bytes) -> Iterator[Crash]:
    made = Crash(tmp_path, key)
    yield made
    made.store.close()


def messages(path: Path, key: bytes) -> int:
    store = Store.open(path, key)
    check_index(store)
    count = len(store.messages.page(ConversationId(1), None, 10**6))
    store.close()
    return count


def kept_of(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{DATABASE}.log*"))


def spoilt(log: bytes, begin: int, end: int, seed: int = 1) -> bytes:
    """The log with noise in a part of it; what is encrypted there may by chance be that noise already."""
    noise = random.Random(seed).randbytes(end - begin)
    if noise == log[begin:end]:
        noise = bytes([noise[0] ^ 1]) + noise[1:]
    return log[:begin] + noise + log[end:]


def frames(log: bytes) -> int:
    return (len(log) - HEADER) // FRAME


def commits(log: bytes) -> list[int]:
    """The frames that end a transaction."""
    heads = [log[HEADER + n * FRAME :][:24] for n in range(frames(log))]
    return [number for number, head in enumerate(heads) if any(head[4:8])]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (0, 1),
        (8, 12),
        (16, 24),
        (0, HEADER),
        (24, 32),
        (HEADER, HEADER + 24),
        (HEADER + 16, HEADER + 17),
        (HEADER + 100, HEADER + 200),
        (HEADER + FRAME * 20, HEADER + FRAME * 20 + 8),
        (0, 10**9),
    ],
)
def test_spoilt_header_and_frames(crash: Crash, begin: int, end: int) -> None:
    """What was committed after it is lost; it is told, and the log is kept as it was met."""
    crash.write(30)
    log = crash.log()
    path = crash.left(spoiled := spoilt(log, begin, min(end, len(log))))
    loss = crash.look(path)
    assert loss is not None
    (kept,) = kept_of(path)
    assert kept.name == loss.kept
    assert "20270115" in kept.name
    assert kept.read_bytes() == spoiled
    assert kept.stat().st_mode & 0o077 == 0
    store = Store.open(path, crash.key)
    assert store.sealed.restored(), "chains and sessions begin anew: others may know what is lost here"
    store.close()
    assert messages(path, crash.key) < 30
    assert crash.look(path) is None, "told once"


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_is_told_or_loses_nothing(crash: Crash, seed: int) -> None:
    chance = random.Random(seed)
    crash.write(20, chance.choice([10, 9000]))
    log = crash.log()
    begin = chance.randrange(len(log))
    path = crash.left(spoilt(log, begin, min(len(log), begin + chance.choice([1, 100, 9000])), seed))
    loss = crash.look(path)
    assert (messages(path, crash.key) < 20) == (loss is not None)


def test_the_last_message_alone(crash: Crash) -> None:
    """One commit is missing, and no power cut leaves that: nothing of it is empty or old."""
    crash.write(3)
    log = crash.log()
    path = crash.left(spoilt(log, len(log) - 1000, len(log)))
    assert crash.look(path) is not None
    path = crash.left(spoilt(log, len(log) - FRAME, len(log) - PAGE))
    assert crash.look(path) is not None, "the head of the last frame"


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_power_cut_during_a_commit(crash: Crash, seed: int, *, older: bool) -> None:
    """Blocks of the last transaction reach the disk in any order; the others have what was there before."""
    chance = random.Random(seed)
    if older:  # an earlier log stands in the file
        while len(crash.log()) < store_limits.WAL_PAGES * PAGE:
            crash.write(20, 4000)
        crash.write(1)
        assert len(commits(crash.log())) > 50
        crash.write(chance.randint(1, 5))
    else:
        crash.write(chance.randint(1, 5))
    before = crash.log()
    crash.store.messages.add_incoming(
        crash.contact, message_id(9999), 9999, bytes(32), "y" * chance.choice([1, 20_000]), 1, 1
    )
    after = crash.log()
    size = chance.choice([512, 4096])
    padded = before.ljust(len(after), b"\0")
    changed = [at for at in range(0, len(after), size) if padded[at : at + size] != after[at : at + size]]
    log = bytearray(padded)
    for at in changed:
        if chance.random() < 0.5:
            log[at : at + size] = after[at : at + size]
    missing = chance.choice(changed)
    log[missing : missing + size] = padded[missing : missing + size]
    whole = crash.left(before)
    path = crash.left(bytes(log))
    assert crash.look(path) is None
    assert kept_of(path) == []
    assert messages(path, crash.key) == messages(whole, crash.key), "what was acknowledged is there"


@pytest.mark.parametrize("cut", [0, 1, HEADER, HEADER + 24, HEADER + 24 + 512, HEADER + FRAME])
def test_a_log_that_ends_early(crash: Crash, cut: int) -> None:
    crash.write(1)
    path = crash.left(crash.log()[:cut])
    assert crash.look(path) is None
    assert kept_of(path) == []


def test_logs_that_are_whole(crash: Crash) -> None:
    """Also one that began anew after it had been moved into the database, and one that was emptied."""
    for count, size in ((1, 10), (5, 30_000), (300, 4000), (3, 10)):
        crash.write(count, size)
        path = crash.left()
        assert crash.look(path) is None
        assert messages(path, crash.key) == crash._number
    crash.store.shred()
    assert crash.look(crash.left()) is None
    assert crash.look(crash.left(b"")) is None
    crash.write(2)
    assert crash.look(crash.left()) is None


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_writing(tmp_path: Path, key: bytes, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(5):
        with program("write_messages", tmp_path, key) as child:
            assert child.stdout is not None
            for _line in range(chance.randint(3, 250)):
                child.stdout.readline()
            child.kill()
            child.communicate()
        assert look_after(tmp_path / DATABASE, key, NOW) is None
        assert kept_of(tmp_path / DATABASE) == []


def test_killed_while_looking(crash: Crash) -> None:
    """The copy is there already: it counts, unless it is the log that is there."""
    crash.write(10)
    path = crash.left()
    copy = path.with_name(f"{DATABASE}.log")
    copy.write_bytes(crash.log())
    path.with_name(f"{DATABASE}.log.new").write_bytes(b"cut off")
    assert crash.look(path) is None
    forget(path, NOW)
    assert kept_of(path) == []
    path = crash.left(b"")
    path.with_name(f"{DATABASE}.log").write_bytes(crash.log())
    assert crash.look(path) == Loss(f"{DATABASE}.log.aside-20270115-080000")
    path = crash.left()
    path.with_name(f"{DATABASE}.log").write_bytes(b"of a log that is not there any more")
    assert crash.look(path) is None
    assert [kept.name for kept in kept_of(path)] == [f"{DATABASE}.log.aside-20270115-080000"]


def test_what_is_left_is_damaged(crash: Crash) -> None:
    """It is told at every opening, until something else is put in its place; no copy is lost."""
    crash.write(50, 4000)
    path = crash.left(spoilt(crash.log(), HEADER + 100, HEADER + 200))
    made = backup.make(crash.folder / DATABASE, crash.key, NOW)
    shutil.copytree(crash.folder / backup.FOLDER, path.parent / backup.FOLDER)
    crash.store.shred()
    with path.open("rb+") as file, (crash.folder / DATABASE).open("rb") as later:
        later.seek(PAGE)
        file.seek(PAGE)
        file.write(
            later.read(path.stat().st_size // 2)
        )  # as if half of the log had been moved into the database already
    for _ in range(2):
        with pytest.raises(DatabaseDamaged):
            crash.look(path)
        assert [kept.name for kept in kept_of(path)] == [f"{DATABASE}.log"]
    backup.restore(path, crash.key, made.name, NOW)
    assert crash.look(path) is None
    assert messages(path, crash.key) == 50
    assert len(kept_of(path)) == 1


def test_messages_that_disappear_are_not_kept(crash: Crash) -> None:
    crash.store.timers.change(crash.contact, message_id(7000), 60, 1)
    crash.store.shred()
    crash.write(5)
    path = crash.left(spoilt(crash.log(), 0, 8))
    assert crash.look(path) == Loss("")
    assert kept_of(path) == []


def test_copies_are_few_and_not_old(crash: Crash) -> None:
    crash.write(5)
    path = crash.left()
    names = []
    for number in range(store_limits.LOGS_KEPT + 2):
        side_files(path)[0].write_bytes(spoilt(crash.log(), 0, 8))
        loss = crash.look(path, NOW + number * 1000)
        assert loss is not None
        names.append(loss.kept)
    assert [kept.name for kept in kept_of(path)] == names[-store_limits.LOGS_KEPT :]
    backup.keep(path, 1, NOW + 29 * DAY)
    assert len(kept_of(path)) == store_limits.LOGS_KEPT
    backup.keep(path, 1, NOW + 31 * DAY)
    assert kept_of(path) == []


def test_without_a_database_nothing_is_done(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / DATABASE
    assert look_after(path, key, NOW) is None
    side_files(path)[0].write_bytes(bytes(10_000))
    assert look_after(path, key, NOW) is None
    assert kept_of(path) == []
    with pytest.raises((DatabaseDamaged, InputError)):
        Store.open(path, key)
