"""The standard library without the system's OpenSSL, for processes that need it for nothing.

`hashlib` and `hmac` load it where there is one, for functions that Python carries itself, and `asyncio` loads
it for TLS, which nothing of ours speaks: 5 MiB in the window, 4 in the vault process, each time. So it is
hidden while these make up their minds, and only then: whoever asks for it later gets it.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import cast

_HASHES = "_hashlib"
_TLS = "ssl"
_SHA2 = ("_sha2",) if sys.version_info >= (3, 12) else ("_sha256", "_sha512")
_OWN = ("_md5", "_sha1", *_SHA2, "_sha3", "_blake2")
"""Where Python keeps its own hashes: all that `hashlib` promises."""


def load_hashes() -> None:
    """Load `hashlib` and `hmac` so; to be called before anything else imports them.

    Where they are loaded already, or Python was built without hashes of its own, nothing is changed.
    """
    if "hashlib" in sys.modules or "hmac" in sys.modules or not _complete():
        return
    with _in_the_place_of(_HASHES, None):
        import hashlib  # noqa: F401
        import hmac  # noqa: F401 -- it looks for the same library


def load_asyncio() -> None:
    """Load `asyncio` so, and `uvloop` if it is there; to be called before anything else imports them."""
    if _TLS in sys.modules or "asyncio" in sys.modules:
        return
    with _in_the_place_of(_TLS, None):
        import asyncio  # noqa: F401
    with _in_the_place_of(_TLS, _NoTls(_TLS)), contextlib.suppress(ImportError):
        import uvloop  # noqa: F401


class _NoTls(ModuleType):
    """Stands in for `ssl` while `uvloop` loads, which wants to find its names, but uses them for TLS only."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return 0 if name.startswith("SSL_ERROR_") else type(name, (Exception,), {})


@contextlib.contextmanager
def _in_the_place_of(name: str, stand_in: ModuleType | None) -> Iterator[None]:
    """Let an import find something else, or, with None, nothing."""
    cast("dict[str, object]", sys.modules)[name] = stand_in  # None is the import system's "not there"
    try:
        yield
    finally:
        del sys.modules[name]


def _complete() -> bool:
    """Whether this Python has what `hashlib` promises; some are built without."""
    try:
        for name in _OWN:
            importlib.import_module(name)
    except ImportError:
        return False
    return True
