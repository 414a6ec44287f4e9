"""Renders the windows of Sotto into PNG files, from a throw-away profile with an invented conversation.

    python packaging/screenshots.py OUT_DIR      every window, light and dark, at 100 % and 200 %, mirrored
                                                 and in German
    python packaging/screenshots.py --readme     packaging/screenshot.png for the README, under 300 KB

Nothing is shown on a screen: Qt draws into memory (platform ``offscreen``). `gallery` has what.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

import PySide6  # noqa: E402, F401 -- before qasync
import qasync  # noqa: E402
from gallery import chats, dialogs  # noqa: E402
from gallery.profile import seed  # noqa: E402
from gallery.studio import Studio, opened  # noqa: E402
from PySide6.QtCore import Qt  # noqa: E402

from messenger.core.settings import Theme as Choice  # noqa: E402
from messenger.gui.app import make_application  # noqa: E402
from messenger.gui.theme import Theme  # noqa: E402

README_PICTURE: Final = ROOT / "packaging" / "screenshot.png"
README_LIMIT: Final = 300_000
"""Most bytes of the picture in the README."""

WAYS: Final[dict[str, dict[str, str]]] = {
    "": {"QT_SCALE_FACTOR": "1"},
    "large": {"QT_SCALE_FACTOR": "2"},
    "mirrored": {"QT_SCALE_FACTOR": "1"},
    "german": {"QT_SCALE_FACTOR": "1", "SOTTO_LANGUAGE": "de"},
}
"""The ways in which everything is shown, each in a process with an environment of its own."""


async def gallery(out: Path, theme: Theme, place: Path, way: str) -> None:
    """All pictures in one way; mirrored and in German in the light scheme alone."""
    tag = "" if way in {"", "large"} else f"-{way}"
    for choice in (Choice.LIGHT,) if tag else (Choice.LIGHT, Choice.DARK):
        studio = Studio(out, theme, choice, tag)
        async with opened(theme, place / choice.value) as stage:
            await chats.conversations(studio, stage)
            await chats.deeds(studio, stage)
            await chats.searching(studio, stage)
            await dialogs.about_people(studio, stage)
            await dialogs.relays(studio, stage)
            await dialogs.settings(studio, stage)
            await dialogs.calling(studio, stage, place / "bob")
            await chats.files(studio, stage)
            await chats.narrow(studio, stage)
        await dialogs.beginning(studio, place / f"new-{choice.value}")


async def readme(theme: Theme, place: Path) -> None:
    """The picture in the README."""
    async with opened(theme, place / Choice.LIGHT.value) as stage:
        image = await chats.front(stage)
    image.save(str(README_PICTURE))
    size = README_PICTURE.stat().st_size
    if size > README_LIMIT:
        raise SystemExit(f"{README_PICTURE} has {size} bytes, more than {README_LIMIT}")
    print(f"{README_PICTURE}: {image.width()} x {image.height()}, {size} bytes")


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="?", type=Path, help="folder for the pictures")
    parser.add_argument("--readme", action="store_true", help="write packaging/screenshot.png")
    parser.add_argument("--way", choices=WAYS, help="only this way; nothing for plain, light and dark")
    options = parser.parse_args()
    if not options.readme and options.out is None:
        parser.error("name a folder, or --readme")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        if options.way is None:
            for way, environment in WAYS.items():
                command = [sys.executable, __file__, "--way", way, str(options.out)]
                subprocess.run(command, check=True, env={**os.environ, **environment})
            return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for choice in (Choice.LIGHT, Choice.DARK):
            asyncio.run(seed(place / choice.value, choice))
        app = make_application()
        if options.way == "mirrored":
            app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        theme = Theme(app, Choice.LIGHT)
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        work = (
            readme(theme, place) if options.readme else gallery(options.out, theme, place, options.way or "")
        )
        loop.run_until_complete(work)
        loop.close()


if __name__ == "__main__":
    main()
