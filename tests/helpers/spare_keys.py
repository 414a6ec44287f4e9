"""A vault process that is handed new keys instead of making them, so that no test waits for primes.

Everything else about it is real: ``python -m tests.helpers.spare_keys ...`` stands for the command
line of `messenger.crypto.process.command`. The keys lie in ``tests/vectors/spare_keys.json``, for
everybody to read; ``python -m tests.helpers.spare_keys --make`` wrote them.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from messenger.crypto import process, vault_process

if TYPE_CHECKING:
    import pytest  # each of these processes would load it, and take twice as long to come up

PATH: Final = Path(__file__).parent.parent / "vectors" / "spare_keys.json"
COUNT: Final = 12
"""New keys that one test may ask for: two for each new identity."""

_BITS: Final = 3072
_TAKEN: Final = "SOTTO_TEST_SPARE_KEYS_TAKEN"


def command(*arguments: str) -> list[str]:
    """The command line that starts such a process."""
    return [sys.executable, "-P", "-m", "tests.helpers.spare_keys", *arguments]


def use(monkeypatch: "pytest.MonkeyPatch", folder: Path) -> None:
    """Let every vault that this test starts be such a process.

    Args:
        monkeypatch: Of the test.
        folder: An empty folder, in which the keys that were handed out are noted.
    """
    folder.mkdir()
    monkeypatch.setattr(process, "command", command)
    monkeypatch.setenv(_TAKEN, str(folder))


def _next() -> bytes:
    """The secret form of a key that nobody has been handed in this test."""
    for number in range(COUNT):
        try:
            (Path(os.environ[_TAKEN]) / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        return bytes.fromhex(json.loads(PATH.read_text())["keys"][number])
    raise AssertionError("no spare key is left")


def main(arguments: list[str]) -> None:
    """Be a vault process, or hand out a key, or make new ones."""
    if arguments == ["--make"]:
        from messenger.crypto.rsa import PrivateKey

        comment = (
            "TEST KEYS, public on purpose: never use them for anything else. vec(p) vec(q) in hexadecimal."
        )
        keys = [PrivateKey.generate(_BITS).to_bytes().hex() for _ in range(COUNT)]
        PATH.write_text(json.dumps({"comment": comment, "keys": keys}, indent=1) + "\n")
    elif arguments == ["--generate", str(_BITS)]:
        sys.stdout.buffer.write(_next())
    else:
        process.command = command
        vault_process.main(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
