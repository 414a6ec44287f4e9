"""Two people on a line of 10 Mbit/s: three network namespaces, and the one between the two is slow both ways.

``unshare --user --map-root-user --net python -m tests.bench.slow_line FOLDER`` prints what Alice measured.
Nothing of the computer's own network is touched; everything is gone when the processes end.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.bench.file_ends import SLOW
from tests.bench.file_peers import python

RATE: Final = "10mbit"
QUEUE: Final = "100ms"
"""How long a packet may wait in front of the line, as in a box that people have at home."""

ALICE: Final = 1
BOB: Final = 2
"""Numbers of their networks."""

_NAMESPACE: Final = ("unshare", "--user", "--map-root-user", "--net")
_SLOW: Final = f"tbf rate {RATE} burst 32kbit latency {QUEUE}"
_TRY: Final = f"ip link add sotto1 type veth peer name person1 && tc qdisc add dev sotto1 root {_SLOW}"
_CABLE: Final = f"""
set -e
ip link add sotto$1 type veth peer name person$1 netns $2
ip addr add 10.9.$1.1/24 dev sotto$1
ip link set sotto$1 up
tc qdisc add dev sotto$1 root {_SLOW}
"""
_END: Final = """
echo here
read -r go
ip link set lo up
ip addr add 10.9.$1.2/24 dev person$1
ip link set person$1 up
ip route add default via 10.9.$1.1
shift
exec "$@"
"""


def why_not() -> str:
    """Why this system cannot do it; empty if it can."""
    lacking = [name for name in ("unshare", "ip", "tc") if shutil.which(name, path=_path()) is None]
    if lacking:
        return f"there is no {lacking[0]} here"
    tried = subprocess.run(
        [*_NAMESPACE, "sh", "-c", _TRY], env=_environment(), capture_output=True, check=False
    )
    return (
        "the kernel has no namespaces, cables (veth) or slow lines (tbf) for us" if tried.returncode else ""
    )


def measured(folder: Path) -> str:
    """What Alice says, who talks to Bob while a file runs."""
    done = subprocess.run(
        [*_NAMESPACE, *python("tests.bench.slow_line", folder)],
        env=_environment(), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def _path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": _path()}


def _person(number: int, *arguments: object) -> "subprocess.Popen[str]":
    """A process in a network of its own, joined with this one."""
    command = ["sh", "-c", _END, "sh", str(number), *python("tests.bench.file_ends", *arguments)]
    person = subprocess.Popen(
        ["unshare", "--net", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if person.stdin is None or person.stdout is None or not person.stdout.readline():
        raise SystemExit("a namespace did not come up")
    subprocess.run(["sh", "-c", _CABLE, "sh", str(number), str(person.pid)], check=True)
    person.stdin.write("go\n")
    person.stdin.flush()
    return person


def main() -> None:
    """Lay the cables, and let both run."""
    folder = Path(sys.argv[1])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    bob = _person(BOB, "bob", folder)
    assert bob.stdout is not None
    port = bob.stdout.readline().strip()
    alice = _person(ALICE, "alice", folder, f"10.9.{BOB}.2", port, SLOW)
    print(alice.communicate()[0], end="")
    bob.communicate()


if __name__ == "__main__":
    main()
