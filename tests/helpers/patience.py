"""How long a test waits for what must come; only one that fails takes that long."""

from typing import Final

PATIENCE: Final = 180.0
"""Seconds. It says nothing of how fast a program has to be: other work may keep the machine busy."""
