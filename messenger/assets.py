"""The files under resources/: icons, style, translations.

An installed package carries them as ``messenger/resources``; a source tree has them beside the package.
"""

from pathlib import Path
from typing import Final

_INSTALLED: Final = Path(__file__).parent / "resources"
_SOURCE: Final = Path(__file__).parent.parent / "resources"


def path(name: str) -> Path:
    """Where a resource is, whether or not it exists.

    Args:
        name: Path below resources/, with forward slashes.
    """
    root = _INSTALLED if _INSTALLED.is_dir() else _SOURCE
    return root.joinpath(*name.split("/"))


def read_text(name: str) -> str:
    """The text of a resource.

    Args:
        name: Path below resources/, with forward slashes.

    Raises:
        FileNotFoundError: There is no such file: a broken installation.
    """
    return path(name).read_text(encoding="utf-8")
