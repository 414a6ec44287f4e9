"""What the window stands on: to be imported before it.

What needs no Qt comes first, so that the first import of Qt finds it there. PySide6 puts an import of its own
in the place of Python's, which reads the source of every module that comes later to look for its own name
there, and which serves nothing but the switches of `__feature__`, of which none is used here. That would take
50 ms and 8 MiB, and more with everything that is loaded while the program runs: so Python's is put back.
"""

import asyncio  # noqa: F401
import builtins

import messenger.control
import messenger.engine.engine
import messenger.storage.reader
import messenger.text  # noqa: F401

_python = builtins.__import__
import PySide6.QtCore  # noqa: E402, F401

builtins.__import__ = _python
