"""A million messages: the newest page, any date, any word, as the window reads them.

``open_ms``: the newest page of a conversation. ``page_ms``: the slowest of some jumps to dates between
the first and the last day. ``search_ms``: the slowest of some searches, from a word that nobody wrote to
one that is in half of the messages, in all conversations, in a small one, and in an old span of days.
``bytes_per_message``: size of the file; a message has 76 bytes of text on average. ``rss_mib``: memory of
the process that reads.

Making the messages takes two minutes; all runs read the same ones.
"""

import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from messenger.core import limits
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import SearchQuery, Standing
from messenger.storage.reader import Reader
from messenger.storage.store import Store
from tests.bench.report import Case, Sample, measure, options

MESSAGES: Final = 1_000_000
SMALL_ONES: Final = 19
"""Conversations that share a tenth of the messages; the first one has all others."""

START_MS: Final = 1_600_000_000_000
APART_MS: Final = 60_000
KEY: Final = bytes(range(32))
BATCH: Final = 500
VOCABULARY: Final = 20_000
JUMPS: Final = 9
_LETTERS: Final = "etaoinshrdlucmfwypvbgkjqxz"
_FREQUENCIES: Final = (12, 9, 8, 7.5, 7, 6.7, 6.3, 6.1, 6, 4.2, 4, 2.8, 2.8, 2.4, 2.4, 2.2, 2.2, 2, 1.9, 1.5,
                       1, 0.8, 0.15, 0.15, 0.1, 0.1)  # fmt: skip


def words() -> list[str]:
    """The same words every time, the most frequent first."""
    dice, found = random.Random(1), dict[str, None]()
    while len(found) < VOCABULARY:
        found["".join(dice.choices(_LETTERS, _FREQUENCIES, k=dice.randint(2, 9)))] = None
    return list(found)


def texts() -> Iterator[str]:
    """Messages without end: a word of rank n is written 1/n times as often as the first."""
    dice, known = random.Random(2), words()
    ranks = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    while True:
        yield " ".join(dice.choices(known, cum_weights=ranks, k=dice.randint(3, 20)))


def build(path: Path) -> None:
    """Make the database."""
    store = Store.open(path, KEY)
    store._database.rows("PRAGMA synchronous = OFF")
    people = [
        store.contacts.add(Fingerprint(bytes((n,)) * 32), name=f"{n}", standing=Standing.ACCEPTED, now_ms=n)
        for n in range(1, SMALL_ONES + 2)
    ]
    numbered, dice = enumerate(texts()), random.Random(3)
    for _ in range(MESSAGES // BATCH):
        with store.transaction():
            for number, text in itertools.islice(numbered, BATCH):
                to = people[0] if number % 10 else people[1 + number // 10 % SMALL_ONES]
                at = START_MS + number * APART_MS
                id_ = MessageId(dice.randbytes(16))
                store.messages.add_incoming(to.id, id_, number + 1, bytes(32), text, at, at, at)
    for person in people:
        store.messages.mark_seen(person.id, 2**63 - 1)
    store.close()


def queries() -> list[SearchQuery]:
    """What is searched for."""
    known = words()
    wanted = [known[rank] for rank in (0, 10, 100, 1_000, 10_000, VOCABULARY - 1)]
    wanted += [known[0][:2], known[5][:3], "th", "st", "zzzzzz", f"{known[0]} {known[200]}", "s t"]
    wanted += [f'"{known[0]} {known[1]}"']
    old = (START_MS, START_MS + MESSAGES // 50 * APART_MS)
    return [
        query
        for text in wanted
        for query in (
            SearchQuery(text=text),
            SearchQuery(text=text, conversation=ConversationId(5)),
            SearchQuery(text=text, since_ms=old[0], until_ms=old[1]),
        )
    ]


def read(path: Path) -> Sample:
    """Do everything once, on a connection of its own."""
    reader = Reader.open(path, KEY)
    long = ConversationId(1)

    def jump(share: float) -> None:
        at = START_MS + round(MESSAGES * share) * APART_MS
        position = reader.position_at(long, at)
        reader.around(long, position or 0, limits.PAGE)

    sample = {
        "open_ms": _ms(lambda: reader.messages(long, count=limits.PAGE)),
        "page_ms": max(_ms(lambda n=n: jump(n / (JUMPS + 1))) for n in range(1, JUMPS + 1)),  # type: ignore[misc]
        "search_ms": max(_ms(lambda query=query: reader.find(query)) for query in queries()),  # type: ignore[misc]
        "bytes_per_message": path.stat().st_size / MESSAGES,
    }
    reader.close()
    if (memory := _memory_mib()) is not None:
        sample["rss_mib"] = memory
    return sample


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _memory_mib() -> float | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Make the messages in a process of their own, and read them in this one."""
    chosen = options(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        subprocess.run([sys.executable, "-m", "tests.bench.history", "build", str(path)], check=True)
        measure(
            [Case("sotto", lambda: read(path))],
            {
                "open_ms": "ms",
                "page_ms": "ms",
                "search_ms": "ms",
                "bytes_per_message": "bytes",
                "rss_mib": "MiB",
            },
            runs=chosen.runs,
            as_json=chosen.json,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["build"]:
        build(Path(sys.argv[2]))
    else:
        main()
