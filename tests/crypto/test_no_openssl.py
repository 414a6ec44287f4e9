"""The standard library without OpenSSL does the same, and OpenSSL is not lost to others."""

import hashlib
import hmac
import importlib.util
import subprocess
import sys

import pytest

from messenger.crypto import process

DATA = b"x" * 5000
SAYS = f"""
import sys
loaded = [name for name in ("_hashlib", "_ssl", "ssl") if name in sys.modules]
import hashlib, hmac
data = b"x" * {len(DATA)}
print(loaded)
for name in ("sha256", "sha3_256", "sha512"):
    print(hashlib.new(name, data).hexdigest())
print(hmac.digest(b"key", data, "sha256").hex(), hmac.compare_digest(b"a", b"b"), sep="\\n")
"""
LOOP = """
import asyncio, sys
async def speak():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\\n")
    print((await reader.read()).decode().strip(), type(asyncio.get_running_loop()).__module__)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=-1)
    print((await child.communicate())[0].decode().strip())
    writer.close()
    server.close()
    await server.wait_closed()
"""
UVLOOP = bool(importlib.util.find_spec("uvloop"))


def run(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=process.environment(),
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_hashes_are_the_same() -> None:
    loaded, *said = run(f"from messenger.crypto import no_openssl\nno_openssl.load_hashes()\n{SAYS}")
    assert said == [
        hashlib.sha256(DATA).hexdigest(),
        hashlib.sha3_256(DATA).hexdigest(),
        hashlib.sha512(DATA).hexdigest(),
        hmac.digest(b"key", DATA, "sha256").hex(),
        "False",
    ]
    assert loaded == "[]"


def test_what_is_loaded_already_stays() -> None:
    loaded, *_ = run(
        f"import hashlib, ssl\nfrom messenger.crypto import no_openssl\nno_openssl.load_hashes()\n{SAYS}"
    )
    assert loaded == "['_hashlib', '_ssl', 'ssl']"


def test_openssl_is_there_for_whoever_asks() -> None:
    script = """
from messenger.crypto import no_openssl
no_openssl.load_hashes()
no_openssl.load_asyncio()
import ssl, _hashlib
print(ssl.create_default_context().verify_mode.name, _hashlib.openssl_sha256(b"").name)
"""
    assert run(script) == ["CERT_REQUIRED sha256"]


@pytest.mark.parametrize("loop", ["asyncio", *(["uvloop"] if UVLOOP else [])])
def test_a_loop_without_tls_speaks_and_starts_processes(loop: str) -> None:
    start = {
        "asyncio": "asyncio.run(speak())",
        "uvloop": "import uvloop\nuvloop.run(speak())",
    }[loop]
    script = f"""
from messenger.crypto import no_openssl
no_openssl.load_hashes()
no_openssl.load_asyncio()
{LOOP}
{start}
{SAYS}
"""
    answer, child, loaded, *_ = run(script)
    assert answer.split()[0] == "HELLO"
    assert answer.split()[1].startswith(loop)
    assert (child, loaded) == ("1", "[]")
