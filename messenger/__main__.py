"""Where the program starts: window, terminal, or in the packed program one of its other processes."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn


class _Windows:
    """The window as `messenger.cli.window` sees it; Qt is loaded when one is needed."""

    def prepare(self) -> None:
        """Load the standard library without OpenSSL, of which a window needs nothing."""
        from messenger.crypto import no_openssl

        no_openssl.load_hashes()
        no_openssl.load_asyncio()

    def load(self) -> None:
        """Load Qt, after what needs none; raises ImportError where it, or a system library, is missing."""
        import linecache
        from importlib import import_module

        for name in ("groundwork", "app"):  # in this order: see there
            import_module(f"messenger.gui.{name}")
        linecache.clearcache()  # the sources that Qt has read

    def open(self, folder: Path, link: str) -> int:
        """Open the window on a profile."""
        from messenger.gui.app import run_window

        return run_window(folder, link)

    def demonstrate(self) -> int:
        """Run the demonstration in two windows."""
        from messenger.gui.demo import run_demo

        return run_demo()


def _fill_standard_streams() -> None:
    """Put an empty file in the place of each standard stream that was closed by whoever started us.

    Otherwise the next file that is opened, perhaps the database, would get its number, and whatever
    is said to that stream, here or in the vault process, would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            file = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(file, True)  # noqa: FBT003 -- the name of the function says it
            setattr(sys, name, os.fdopen(file, "w" if number else "r", encoding="utf-8", closefd=False))


def main() -> NoReturn:
    """Run the program with the arguments of this process, and end it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # a Ctrl-C while the program loads ends it without a word
    _fill_standard_streams()
    arguments = sys.argv[1:]
    if arguments[:1] == ["--vault"]:
        from messenger.crypto import vault_process

        vault_process.main(arguments[1:])
    if arguments[:1] == ["--picture"]:
        from messenger.gui import picture_process

        picture_process.main(arguments[1:])
    if arguments[:1] == ["--spelling"]:
        from messenger.gui import spell_process

        spell_process.main(arguments[1:])
    from messenger.cli.window import run_plain
    from messenger.crypto import process

    process.no_core_dumps()
    code = run_plain(arguments, _Windows())
    if code is None:
        from messenger.cli.app import run

        code = run(arguments, _Windows())
    sys.exit(code)


if __name__ == "__main__":
    main()
