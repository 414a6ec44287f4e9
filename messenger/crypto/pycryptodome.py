"""What we use of pycryptodome, loaded without cffi.

pycryptodome reaches its C code through cffi where that is installed, as it is wherever
`cryptography` is, and else through ctypes. cffi brings a parser for C that costs 80 ms of
CPU at each start, in the window and again in the vault process; RSA is equally fast with
ctypes (measured: 2.2 ms a signature, 0.1 ms a verification, 3072 bits, either way). So
cffi is hidden while pycryptodome makes up its mind, and only then.
"""

import sys
from typing import cast

_HIDE = "cffi" not in sys.modules
if _HIDE:
    cast("dict[str, object]", sys.modules)["cffi"] = None  # the import system's own way of saying "not there"
try:
    from Crypto.Cipher import oaep
    from Crypto.Hash import SHA256
    from Crypto.PublicKey import RSA
    from Crypto.Signature import pss
finally:
    if _HIDE:
        del sys.modules["cffi"]

__all__ = ["RSA", "SHA256", "oaep", "pss"]
