"""Where profiles are: the usual one, others of the same person, and what they are called.

A profile may lie in any folder (`--profile`); these are the ones that the program finds by itself.
"""

from typing import Final

from messenger.core.errors import InputError, InputProblem
from messenger.core.file_names import safe_name
from messenger.core.names import own_name

DATABASE: Final = "sotto.db"
"""The file in a profile folder by which it is known to be one."""

_APP: Final = "sotto"
_OTHERS: Final = "sotto-profiles"


def default_folder() -> str:
    """The profile that is used when none is named."""
    import platformdirs

    return platformdirs.user_data_dir(_APP, appauthor=False)


def others_folder() -> str:
    """Where the other profiles lie, each in a folder with its name."""
    import platformdirs

    return platformdirs.user_data_dir(_OTHERS, appauthor=False)


def folder_for(name: str) -> str:
    """The folder of another profile, which may be there already.

    Args:
        name: As a person typed it.

    Raises:
        InputError: EMPTY or TOO_LONG.
    """
    cleaned = own_name(name)
    folder = safe_name(cleaned).lstrip(".")
    if not folder:
        raise InputError(InputProblem.EMPTY)
    return f"{others_folder()}/{folder}"
