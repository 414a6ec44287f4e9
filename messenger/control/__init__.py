"""The local control socket: a second start reaches the program that runs on its profile.

The window's engine thread runs a `ControlServer` on the engine's loop; whoever starts the program
again calls `raise_running` first.
"""

from messenger.control.client import has_window, raise_running
from messenger.control.server import ControlServer

__all__ = ["ControlServer", "has_window", "raise_running"]
