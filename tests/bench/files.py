"""Cost of files: ours between two running engines, and what else moves files, on a memory disk over the
loopback.

``cpu_s_per_gb``: CPU seconds of both ends for 10^9 bytes of one file of 1 GiB, of all processes that have to
do with it. ``wall_mb_s``: 10^6 bytes a second, ours from the offer to the moment when the sender knows that
all of it is there. ``small_files_s``: seconds for 10,000 files of 1 KiB. ``rss_mib``: most memory of one end
above what it has when it is idle. ``chat_rtt_ms``, ``chat_rtt_p99_ms``: from the writing of a message to its
receipt, durable at both ends, while a file runs at full speed; ``chat_rtt_slow_ms``: the same on a line of 10
Mbit/s, which namespaces and `tc` make.

SOTTO_BENCH_MIB says how large the file is, SOTTO_BENCH_SMALL how many small ones there are.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.bench import slow_line
from tests.bench.file_ends import FILE, SMALL, TALK
from tests.bench.file_peers import GCM, Server, Ssh, Web, finished, missing, python, scratch
from tests.bench.report import Case, Sample, measure, options

SIZE: Final = int(os.environ.get("SOTTO_BENCH_MIB", "1024")) * 1024 * 1024
BLOCK: Final = 4 * 1024 * 1024
FILES: Final = int(os.environ.get("SOTTO_BENCH_SMALL", "10000"))
EACH: Final = 1024
ROOM: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
ENDS: Final = "tests.bench.file_ends"

UNITS: Final = {
    "cpu_s_per_gb": "s/GB",
    "wall_mb_s": "MB/s",
    "small_files_s": "s",
    "rss_mib": "MiB",
    "chat_rtt_ms": "ms",
    "chat_rtt_p99_ms": "ms",
    "chat_rtt_slow_ms": "ms",
}


def fill(source: Path) -> None:
    """Write what is to be sent: no two blocks, and no two small files, are alike."""
    block = os.urandom(BLOCK)
    with (source / FILE).open("wb") as file:
        for number in range(SIZE // BLOCK):
            file.write(number.to_bytes(8, "big") + block[8:])
    (source / SMALL).mkdir()
    for number in range(FILES):
        (source / SMALL / f"{number:05}.bin").write_bytes(os.urandom(EACH))


def cost(cpu: float, wall: float) -> Sample:
    """The figures of one file."""
    return {"cpu_s_per_gb": cpu / SIZE * 1e9, "wall_mb_s": SIZE / wall / 1e6}


def ends(receiver: Sequence[object], sender: Callable[[str], Sequence[object]]) -> list[list[Sample]]:
    """Run two processes of ours to their end; what the receiver said, and what the sender said."""
    there = subprocess.Popen(
        python(ENDS, *receiver), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert there.stdout is not None
    port = there.stdout.readline().strip()
    here = subprocess.run(python(ENDS, *sender(port)), stdout=subprocess.PIPE, text=True, check=True)
    said, _ = there.communicate()
    return [[json.loads(line) for line in text.splitlines()] for text in (said, here.stdout)]


def sotto(source: Path, *, slow: bool) -> Sample:
    """Two engines: a file, many small ones, a file beside which they talk, and the same on a slow line."""
    with scratch(ROOM) as folder:
        for name in (FILE, SMALL):
            (folder / name).symlink_to(source / name)
        tasks = (FILE, SMALL, TALK)
        there, here = ends(("bob", folder), lambda port: ("alice", folder, "127.0.0.1", port, *tasks))
        figures = cost(here[0]["cpu"] + there[0]["cpu"], here[0]["wall"])
        figures["rss_mib"] = max(said["rss"] for said in (*there[:2], *here[:2]))
        figures["small_files_s"] = here[1]["wall"]
        figures["chat_rtt_ms"], figures["chat_rtt_p99_ms"] = here[2]["median"], here[2]["p99"]
    if slow:
        with scratch(ROOM) as folder:
            (folder / FILE).symlink_to(source / FILE)
            figures["chat_rtt_slow_ms"] = json.loads(slow_line.measured(folder))["median"]
    return figures


def pump(source: Path, *, sealed: bool) -> Sample:
    """Two processes that do nothing but move a file, sealed or as it is."""
    how = ("sealed",) if sealed else ()
    with scratch(ROOM) as folder:
        (folder / FILE).symlink_to(source / FILE)
        (there,), (here,) = ends(("receive", folder, *how), lambda port: ("send", folder, port, *how))
        return cost(here["cpu"] + there["cpu"], here["wall"]) | {"rss_mib": max(here["rss"], there["rss"])}


def peer(server: Callable[[], Server], *commands: Callable[[Path], list[str]]) -> Sample:
    """Another program: a file, and if there is a second command, many small ones."""
    with scratch(ROOM) as folder:
        figures = Sample()
        for number, command in enumerate(commands):
            with server() as running:
                began = time.monotonic()
                cpu = finished(command(folder / "there"))
                wall = time.monotonic() - began
            if number:
                figures["small_files_s"] = wall
            else:
                figures = cost(cpu + running.cpu, wall)
        assert (folder / "there" / FILE).stat().st_size == SIZE
        return figures


def peers(source: Path, folder: Path) -> list[Case]:
    """All others; those that are not installed cannot run."""
    both = (source / FILE, source / SMALL)
    cases = {name: Case(name, None) for name in ("scp-gcm128", "scp", "rsync-gcm128", "nginx-curl")}

    def through_ssh(name: str, command: Callable[[Path, Path], list[str]]) -> None:
        commands = [functools.partial(command, each) for each in both]
        cases[name] = Case(name, lambda: peer(ssh.server, *commands))

    if not missing("ssh", "sshd", "scp", "ssh-keygen"):
        ssh = Ssh(folder)
        through_ssh("scp-gcm128", functools.partial(ssh.scp, GCM))
        through_ssh("scp", functools.partial(ssh.scp, ""))
        if not missing("rsync"):
            through_ssh("rsync-gcm128", functools.partial(ssh.rsync, GCM))
    if not missing("nginx", "curl"):
        web = Web(folder, source)
        cases["nginx-curl"] = Case(
            "nginx-curl", lambda: peer(web.server, lambda there: web.curl(FILE, there / FILE))
        )
    return list(cases.values())


def main() -> None:
    """Measure."""
    chosen = options(__doc__ or "")
    if reason := slow_line.why_not():
        print(f"chat_rtt_slow_ms is skipped: {reason}", file=sys.stderr)
    with scratch(ROOM) as folder:
        source = folder / "source"
        source.mkdir()
        fill(source)
        cases = [
            Case("sotto", lambda: sotto(source, slow=not reason)),
            Case("bare-gcm", lambda: pump(source, sealed=True)),
            Case("tcp-raw", lambda: pump(source, sealed=False)),
            *peers(source, folder),
        ]
        measure(cases, UNITS, runs=chosen.runs, as_json=chosen.json)


if __name__ == "__main__":
    main()
