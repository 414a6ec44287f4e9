"""What we use of pycryptodome, loaded without cffi.

pycryptodome reaches its C code through cffi where that is installed, as it is wherever
`cryptography` is, and else through ctypes. cffi brings a parser for C that costs 80 ms of
CPU at each start, in the window and again in the vault process; RSA is equally fast with
ctypes (measured: 2.2 ms a signature, 0.1 ms a verification, 3072 bits, either way). So
cffi is hidden while pycryptodome makes up its mind, and only then.

With ctypes it asks for the kind of system, by running the program ``file`` on the interpreter, to know where
to search for libraries whose names are no paths. All of its names are paths, so it is told beforehand.
"""

import sys
from typing import TYPE_CHECKING, cast

_HIDE = "cffi" not in sys.modules
if _HIDE:
    cast("dict[str, object]", sys.modules)["cffi"] = None  # the import system's own way of saying "not there"
try:
    from Crypto.Util import _raw_api

    if getattr(_raw_api, "cached_architecture", None) == []:
        _raw_api.cached_architecture[:] = ["", "WindowsPE" if sys.platform == "win32" else "ELF"]
    from Crypto.Cipher import oaep
    from Crypto.Hash import SHA256
    from Crypto.PublicKey import RSA
    from Crypto.Signature import pss
finally:
    if _HIDE:
        del sys.modules["cffi"]

if TYPE_CHECKING:
    from Crypto.Cipher._mode_gcm import GcmMode

__all__ = ["RSA", "SHA256", "gcm", "oaep", "pss"]

_TAG_SIZE = 16


def gcm(key: bytes, nonce: bytes) -> "GcmMode":
    """AES-GCM with a tag of 16 bytes; the library loads it when it is first used, in the vault process alone.

    Args:
        key: 32 bytes.
        nonce: 12 bytes.
    """
    from Crypto.Cipher import AES

    return AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_SIZE)
