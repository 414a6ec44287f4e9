"""pycryptodome is loaded without cffi, and cffi is not lost to others."""

import subprocess
import sys

import pytest

from messenger.crypto import process

BEFORE = "import cffi\n"
SCRIPT = """
import messenger.crypto.rsa
from Crypto.Util import _raw_api
print(_raw_api.backend)
import cffi
print(cffi.FFI.__name__)
"""


@pytest.mark.parametrize(("before", "backend"), [("", "ctypes"), (BEFORE, "cffi")])
def test_backend(before: str, backend: str) -> None:
    command = [sys.executable, "-P", "-c", before + SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=process.environment())
    assert done.stdout.split() == [backend, "FFI"]
