"""The vault process loads what it needs for keys, and not what would double its memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from messenger.crypto import process
from messenger.crypto import vault_wire as wire
from messenger.crypto.rsa import Label
from tests.helpers.engines import prepare

SCRIPT = """
import sys
from messenger.crypto import vault_process
vault_process.run([])
print(*sorted(sys.modules), file=sys.stderr)
"""
ABSENT = (
    "cryptography",
    "_cffi_backend",
    "_hashlib",
    "_ssl",
    "ssl",
    "asyncio",
    "concurrent",
    "logging",
)
"""A second library of ciphers, OpenSSL, and what a process without a log and a loop does without."""


def test_opening_and_signing_load_no_more_than_they_should(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "alice", "alice")
    asked = (wire.Open(1, os.fsencode(folder), b""), wire.Sign(2, Label.PREKEYS, [b"field"]))
    command = [*process.command()[:-2], "-c", SCRIPT]
    with subprocess.Popen(
        command,
        env=process.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        replies = []
        for request in (None, *asked):  # a request is answered before the next is sent: they may overtake
            if request is not None:
                child.stdin.write(wire.frame(request))
                child.stdin.flush()
            size = wire.frame_size(child.stdout.read(wire.LENGTH_SIZE))
            replies.append(type(wire.read_reply(child.stdout.read(size))))
        child.stdin.close()
        loaded = set(child.stderr.read().decode().split())
    assert replies == [wire.Ready, wire.Opened, wire.Result]
    assert {"Crypto.Cipher.AES", "Crypto.PublicKey.RSA"} <= loaded
    assert sorted(loaded & set(ABSENT)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for libraries")
def test_no_openssl_is_in_its_memory() -> None:
    """However it may come: as a library of Python's, of `cryptography`'s, or of anything else's."""
    script = SCRIPT.replace("print(*sorted(sys.modules)", "print(open('/proc/self/maps').read()")
    done = subprocess.run(
        [*process.command()[:-2], "-c", script],
        env=process.environment(),
        input=b"",
        capture_output=True,
        check=True,
    )
    assert b"libpython" in done.stderr or b"bin/python" in done.stderr
    assert b"libcrypto" not in done.stderr
    assert b"libssl" not in done.stderr
