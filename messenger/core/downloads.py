"""Where files go that come, unless a person chooses another place."""


def download_folder() -> str:
    """A folder of ours in the one that this system keeps for downloads; it need not exist."""
    import platformdirs

    return f"{platformdirs.user_downloads_dir()}/Sotto"
