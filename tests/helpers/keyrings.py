"""System keyrings for tests, chosen with ``PYTHON_KEYRING_BACKEND=tests.helpers.keyrings.NAME``.

They are loaded by the process that speaks to the keyring, so what they keep lies in the
file named by ``SOTTO_TEST_KEYRING``.
"""

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Works, and shows what it keeps."""

    priority = 1.0

    def _entries(self) -> dict[str, str]:
        path = Path(os.environ["SOTTO_TEST_KEYRING"])
        entries: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return entries

    def _keep(self, entries: dict[str, str]) -> None:
        Path(os.environ["SOTTO_TEST_KEYRING"]).write_text(json.dumps(entries))

    def get_password(self, service: str, username: str) -> str | None:
        print("a library that talks on standard output")
        return self._entries().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._keep({**self._entries(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        del entries[f"{service} {username}"]
        self._keep(entries)


class ExplodingKeyring(FileKeyring):
    """Raises something that no documentation promised, with the secret in its message."""

    class Surprise(Exception):
        """Not one of keyring's own errors."""

    def get_password(self, service: str, username: str) -> str | None:
        raise self.Surprise(f"no luck with {service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.Surprise(f"no luck with {service} {username} {password}")


class StubbornKeyring(FileKeyring):
    """Gives nothing up."""

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError(f"{service} {username} stays")


class HangingKeyring(FileKeyring):
    """Waits for a person who never comes."""

    def get_password(self, service: str, username: str) -> str | None:
        if told := os.environ.get("SOTTO_TEST_WAITING"):
            Path(told).write_text("waiting")
        threading.Event().wait()
        return super().get_password(service, username)
