"""Starting with the session of the person: a file of theirs that the desktop reads.

Linux: `sotto.desktop` in the autostart folder of the XDG Autostart Specification. macOS: a launch agent.
Windows: a value under Run of the registry. Only the first is covered by tests.
"""

import os
import sys
from pathlib import Path
from typing import Final

from messenger import assets

_ID: Final = "app.sotto.Sotto"
_RUN: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"


def command(folder: Path) -> list[str]:
    """How this program is started again on a profile.

    Args:
        folder: The profile folder.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "--profile", str(folder)]
    return [sys.executable, "-P", "-m", "messenger", "--profile", str(folder)]


def apply(folder: Path, *, on: bool) -> None:
    """Start a profile with the session of the person, or not any more.

    Blocking: run it in a thread.

    Args:
        folder: The profile folder.
        on: Whether it shall be started.

    Raises:
        OSError: The system refused.
    """
    if sys.platform == "win32":
        _apply_run_key(folder, on=on)
        return
    place = _place()
    if not on:
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_name(place.name + ".new")
    new.write_bytes(_agent(folder) if sys.platform == "darwin" else desktop_entry(folder).encode())
    new.replace(place)


def applied(folder: Path) -> bool:
    """Whether the system starts this profile; blocking, run it in a thread.

    Args:
        folder: The profile folder.
    """
    if sys.platform == "win32":
        return _run_value() == _windows_line(folder)
    try:
        text = _place().read_bytes()
    except OSError:
        return False
    if sys.platform == "darwin":
        return text == _agent(folder)
    # Desktops that let people switch it off do it in the file itself.
    lines = text.decode("utf-8", "replace").lower().splitlines()
    return "hidden=true" not in lines and "x-gnome-autostart-enabled=false" not in lines


def desktop_entry(folder: Path) -> str:
    """The file for the autostart folder, made of the one that stands in the menu of programs.

    Args:
        folder: The profile folder.
    """
    words = " ".join(_quoted(word) for word in command(folder))
    lines = assets.read_text("sotto.desktop").splitlines()
    kept = [line for line in lines if not line.startswith(("Exec=", "MimeType=", "TryExec="))]
    return "\n".join([*kept, f"Exec={words}", "X-GNOME-Autostart-enabled=true", ""])


def _quoted(word: str) -> str:
    r"""A word of an Exec line: in double quotes, with ``" ` $ \`` escaped twice, and % doubled.

    Desktop Entry Specification 1.5, "The Exec key".
    """
    for sign in '\\"`$':
        word = word.replace(sign, "\\" + sign)
    return '"' + word.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n") + '"'


def _place() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{_ID}.plist"
    named = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(named) if Path(named).is_absolute() else Path.home() / ".config"
    return base / "autostart" / "sotto.desktop"


def _agent(folder: Path) -> bytes:
    import plistlib

    return plistlib.dumps({"Label": _ID, "ProgramArguments": command(folder), "RunAtLoad": True})


def _windows_line(folder: Path) -> str:
    return " ".join(f'"{word}"' if " " in word else word for word in command(folder))


def _apply_run_key(folder: Path, *, on: bool) -> None:
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN, 0, winreg.KEY_SET_VALUE) as key:
            if on:
                winreg.SetValueEx(key, "Sotto", 0, winreg.REG_SZ, _windows_line(folder))
            elif _run_value():
                winreg.DeleteValue(key, "Sotto")


def _run_value() -> str:
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN) as key:
                return str(winreg.QueryValueEx(key, "Sotto")[0])
        except OSError:
            return ""
    return ""
