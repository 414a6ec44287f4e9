"""pycryptodome is loaded without cffi, and cffi is not lost to others."""

import subprocess
import sys

import pytest

from messenger.crypto import process

BEFORE = "import cffi\n"
SCRIPT = """
import messenger.crypto.pycryptodome
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


def test_loading_it_runs_no_other_program() -> None:
    """It would ask `file`, whichever that is, what the interpreter is."""
    script = "import sys\nstarted = []\n"
    script += (
        "sys.addaudithook(lambda event, about: event == 'subprocess.Popen' and started.append(about[1]))\n"
    )
    script += "import messenger.crypto.pycryptodome\nprint(started)\n"
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=process.environment())
    assert done.stdout.strip() == "[]"
