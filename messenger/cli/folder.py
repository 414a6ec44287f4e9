"""Where the profile is that is used when none is named."""

from pathlib import Path

import platformdirs


def default_folder() -> Path:
    """The profile that is used when none is named."""
    return platformdirs.user_data_path("sotto", appauthor=False)
