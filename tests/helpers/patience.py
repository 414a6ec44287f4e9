"""How long a test waits for what must come; only one that fails takes that long."""

from typing import Final

PATIENCE: Final = 180.0
"""Seconds. It says nothing of how fast a program has to be: other work may keep the machine busy."""

LIMITS: Final = (
    "CONTROL_TIMEOUT",
    "HANDSHAKE_FIRST",
    "HANDSHAKE_STEP",
    "HANDSHAKE_TOTAL",
    "KEEPALIVE_TIMEOUT",
    "STOP_DEADLINE",
)
"""The shortest of `core.limits`: a machine may stand still for longer. Tests of something else raise them."""
