"""Where files go that come, unless a person chooses another place."""

from pathlib import Path
from typing import Final

_FOLDER: Final = "Sotto"


def download_folder() -> Path:
    """A folder of ours in the one that this system keeps for downloads; it need not exist."""
    import platformdirs

    return platformdirs.user_downloads_path() / _FOLDER
