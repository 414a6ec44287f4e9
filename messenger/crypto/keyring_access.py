"""The system keyring, spoken to in a short-lived process of its own.

Keyring backends are plug-ins over D-Bus, GLib, COM or Keychain: they raise whatever they
like, may wait for a person for ever, and bring megabytes of libraries. A process of
their own turns all of that into one exit code and keeps the vault small.
"""

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
        done = subprocess.run(  # noqa: S603  (our own program, arguments of our own making)
            process.command("--keyring", operation, entry),
            input=text,
            capture_output=True,
            text=True,
            env=process.environment(),
            timeout=limits.KEYRING_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise KeyringMissing(type(e).__name__) from e
    if done.returncode:
        raise KeyringMissing(f"exit code {done.returncode}: {done.stderr[-_STDERR_SHOWN:]}")
    return done.stdout


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
