"""The gallery script renders every window."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "screenshots.py"
WINDOWS = {
    "choose",
    "chat-bob",
    "verify",
    "host",
    "connect",
    "connect-failed",
    "connect-question",
    "settings-0",
    "chat-reply",
    "menu-own",
    "emoji",
    "message-info",
    "message-delete",
    "link",
    "keep",
    "panel",
    "search-here",
    "search-everywhere",
    "switch",
    "keys",
    "date",
    "files",
    "files-above",
    "files-panel",
    "transfers",
    "send",
    "drop",
}
PAGES = {"first-name", "first-passphrase", "first-working", "empty", "unlock-wrong"}
NARROW = {"narrow-list", "narrow-chat", "narrow-panel"}


@pytest.mark.long
def test_every_window_is_rendered_in_both_schemes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPT), "--way", "", str(tmp_path)], check=True, capture_output=True)
    names = {path.stem for path in tmp_path.glob("*.png") if path.stat().st_size > 500}
    assert {
        f"{name}-{scheme}-100" for name in WINDOWS | PAGES | NARROW for scheme in ("light", "dark")
    } <= names
