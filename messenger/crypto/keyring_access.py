"""The system keyring, spoken to in a short-lived process of its own.

Keyring backends are plug-ins over D-Bus, GLib, COM or Keychain: they raise whatever they
like, may wait for a person for ever, and bring megabytes of libraries. A process of
their own turns all of that into one exit code and keeps the vault small.
"""

import os
import secrets
import subprocess
from typing import Final

from messenger.core import limits
from messenger.core.errors import KeyringMissing
from messenger.crypto import process

SERVICE: Final = "sotto"
"""Service name of our entries."""

_NOT_KEPT: Final = 3
_STDERR_SHOWN: Final = 200


def check() -> None:
    """Make sure that the keyring keeps secrets, before there is one that matters.

    Raises:
        KeyringMissing: As for `store`.
    """
    entry = f"check-{secrets.token_hex(8)}"
    store(entry, secrets.token_bytes(8))
    delete(entry)


def store(entry: str, secret: bytes) -> None:
    """Keep a secret in the keyring, and make sure that it can be read back.

    Raises:
        KeyringMissing: There is no keyring, it refused, forgets, or did not answer within
            limits.KEYRING_TIMEOUT.
    """
    _call("store", entry, secret.hex())


def load(entry: str) -> bytes:
    """Read a secret that `store` kept.

    Raises:
        KeyringMissing: As for `store`, or there is no such entry.
    """
    answer = _call("load", entry)
    try:
        return bytes.fromhex(answer)
    except ValueError as e:
        raise KeyringMissing("the keyring entry is not ours") from e


def delete(entry: str) -> None:
    """Remove an entry.

    Raises:
        KeyringMissing: As for `store`, or there is no such entry.
    """
    _call("delete", entry)


def _call(operation: str, entry: str, text: str = "") -> str:
    try:
        code, answer, complaint = _run(process.command("--keyring", operation, entry), text)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise KeyringMissing(type(e).__name__) from e
    if code:
        raise KeyringMissing(f"exit code {code}: {complaint[-_STDERR_SHOWN:]}")
    return answer


def _run(command: list[str], line: str) -> tuple[int, str, str]:
    """Give a process one line; its exit code and what it says.

    Its input stays open meanwhile: that is how it knows that we live.
    """
    reading, writing = os.pipe()
    try:
        os.write(writing, f"{line}\n".encode())  # far less than a pipe takes at once
        with subprocess.Popen(  # noqa: S603  (our own program, arguments of our own making)
            command,
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=process.environment(),
        ) as child:
            try:
                answer, complaint = child.communicate(timeout=limits.KEYRING_TIMEOUT)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
            return child.returncode, answer, complaint
    finally:
        os.close(writing)
        os.close(reading)


def serve(operation: str, entry: str, text: str) -> tuple[int, str]:
    """Carry out one operation; runs in the process that `store`, `load` and `delete` start.

    Args:
        operation: ``store``, ``load`` or ``delete``.
        entry: User name of the entry.
        text: The secret in hexadecimal, for ``store``.

    Returns:
        Exit code and answer.
    """
    import keyring

    if operation == "store":
        keyring.set_password(SERVICE, entry, text)
        # The null backend accepts everything and keeps nothing.
        return (0 if keyring.get_password(SERVICE, entry) == text else _NOT_KEPT), ""
    if operation == "load":
        secret = keyring.get_password(SERVICE, entry)
        return (_NOT_KEPT, "") if secret is None else (0, secret)
    keyring.delete_password(SERVICE, entry)
    return 0, ""
