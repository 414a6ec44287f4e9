"""Other programs that move files: scp and rsync through an ssh server of our own, curl from a web server of
our own.

Keys and configuration are made in a temporary folder, ports are of the loopback, and only what was started
here is ended. CPU seconds are those of all processes at both ends: what the system counted when they ended.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.bench.certificates import server_certificate

GCM: Final = "aes128-gcm@openssh.com"
_ALIAS: Final = "bench"
_PATIENCE: Final = 10.0
_MOMENT: Final = 0.01
_PRIVILEGE_SEPARATION: Final = Path("/run/sshd")
"""Empty folder that an ssh server of root wants; the start of a system makes it."""


def missing(*programs: str) -> bool:
    """Whether one of these programs is not installed; servers lie where not everybody looks."""
    return any(_program(name) is None for name in programs)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def finished(command: Sequence[str]) -> float:
    """Run something to its end; CPU seconds of it and of those that it started.

    Raises:
        SystemExit: It failed.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


class Server:
    """A server on a port of the loopback, for one task.

    Args:
        command: Its program and arguments; it stays in the foreground.
        port: Where it will listen.
    """

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.cpu = 0.0
        """CPU seconds, once it has ended."""
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._port = port

    def __enter__(self) -> "Server":
        """Wait until it listens."""
        end = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self._port)).close()
                break
            if self._process.poll() is not None or time.monotonic() > end:
                raise SystemExit("a server to compare with did not start")
            time.sleep(_MOMENT)
        self._alone()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._alone()
        self._process.terminate()
        _gone, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime

    def _alone(self) -> None:
        """Wait until it has seen the end of those that it started for a connection."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        end = time.monotonic() + _PATIENCE
        while children.exists() and children.read_text().strip() and time.monotonic() < end:
            time.sleep(_MOMENT)


class Ssh:
    """An ssh server, and how it is reached.

    Args:
        folder: For keys and configuration.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        if os.geteuid() == 0:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        for name in ("host", "user"):
            finished(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
        host = (folder / "host.pub").read_text()
        (folder / "known").write_text(f"{_ALIAS} {host}")
        (folder / "sshd").write_text(
            f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\n"
            "Subsystem sftp internal-sftp\nPidFile none\nLogLevel QUIET\nPermitRootLogin yes\n"
        )
        (folder / "ssh").write_text(
            f"Host *\nHostKeyAlias {_ALIAS}\nIdentityFile {folder}/user\nUserKnownHostsFile {folder}/known\n"
            "IdentitiesOnly yes\nStrictHostKeyChecking yes\nLogLevel ERROR\n"
        )

    def server(self) -> Server:
        """It, not ready yet."""
        self._port = _free_port()
        arguments = ["-D", "-e", "-f", f"{self._folder}/sshd", "-o", f"ListenAddress=127.0.0.1:{self._port}"]
        return Server([_program("sshd") or "", *arguments], self._port)

    def scp(self, cipher: str, source: Path, target: Path) -> list[str]:
        """The command that copies something with all that is in it."""
        chosen = ["-F", f"{self._folder}/ssh", "-P", str(self._port), *(["-c", cipher] if cipher else [])]
        return ["scp", "-q", "-r", *chosen, str(source), f"127.0.0.1:{target}"]

    def rsync(self, cipher: str, source: Path, target: Path) -> list[str]:
        """The same with rsync; it compares nothing, because nothing is there."""
        shell = f"ssh -F {self._folder}/ssh -p {self._port} -c {cipher}"
        return ["rsync", "-a", "--whole-file", "-e", shell, str(source), f"127.0.0.1:{target}/"]


class Web:
    """A web server with TLS 1.3.

    Args:
        folder: For keys and configuration.
        root: What it gives out.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root
        self._port = 0
        server_certificate(folder / "web.pem")

    def server(self) -> Server:
        """It, not ready yet."""
        self._port, folder = _free_port(), self._folder
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {folder}/web-{kind};\n" for kind in kinds)
        (folder / "nginx").write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n"
            f"events {{}}\nhttp {{\naccess_log off;\nsendfile on;\n{temporary}"
            f"server {{\nlisten 127.0.0.1:{self._port} ssl;\nssl_protocols TLSv1.3;\nroot {self._root};\n"
            f"ssl_certificate {folder}/web.pem;\nssl_certificate_key {folder}/web.pem;\n}}\n}}\n"
        )
        return Server(
            [_program("nginx") or "", "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx"], self._port
        )

    def curl(self, name: str, target: Path) -> list[str]:
        """The command that gets a file."""
        certificate = ["--cacert", f"{self._folder}/web.pem", "--tlsv1.3"]
        return [
            "curl",
            "-sS",
            "-f",
            *certificate,
            "-o",
            str(target),
            f"https://127.0.0.1:{self._port}/{name}",
        ]


@contextlib.contextmanager
def scratch(room: Path) -> Iterator[Path]:
    """A folder for one task, removed at its end."""
    with tempfile.TemporaryDirectory(dir=room) as folder:
        (Path(folder) / "there").mkdir()
        yield Path(folder)


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", module, *map(str, arguments)]
