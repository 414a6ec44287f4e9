"""Programs with mounts of their own, so that a test can have a full or read-only disk."""

import shutil
import subprocess
from typing import Final

import pytest

OWN_NAMESPACE: Final = ("unshare", "--user", "--map-root-user", "--mount")
"""Before a command: Linux gives it its own mounts."""


@pytest.fixture
def own_namespace() -> tuple[str, ...]:
    """A command that gives another one its own mounts, without any rights of this user being needed."""
    if shutil.which(OWN_NAMESPACE[0]) is None:
        pytest.skip("needs the program unshare to mount a file system for the test alone")
    mount = ("mount", "-t", "tmpfs", "none", "/mnt")
    if subprocess.run([*OWN_NAMESPACE, *mount], capture_output=True, check=False).returncode:
        pytest.skip("this kernel does not let programs mount a file system of their own")
    return OWN_NAMESPACE
