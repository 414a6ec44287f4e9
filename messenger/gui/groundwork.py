"""What the window stands on and what needs no Qt: to be imported before it.

PySide6 reads the source of every module that is imported after it, to look for its own name there; of these
that would take 50 ms and 8 MiB (`linecache` keeps what was read).
"""

import asyncio  # noqa: F401

import messenger.control
import messenger.engine.engine
import messenger.storage.reader
import messenger.text  # noqa: F401
