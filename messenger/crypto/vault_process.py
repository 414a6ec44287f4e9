"""The vault process: the only one that ever holds an RSA private key.

Started by `messenger.crypto.vault.Vault`, it answers the requests of `vault_wire` on its
standard input and output until the input closes. Two further forms of the same command
serve it: ``--generate BITS`` makes one RSA key (the library holds the interpreter for
seconds, so each key gets a process), ``--keyring OPERATION ENTRY`` talks to the system
keyring. Each form imports only what it needs.
"""

import os
import sys
import threading
from collections.abc import Sequence
from typing import Final, NoReturn

from messenger.core.errors import SottoError
from messenger.crypto import process

_USAGE_EXIT: Final = 64
"""Exit code for a command line that is none of ours (EX_USAGE of sysexits.h)."""

_LINE_MAX: Final = 1024
"""Most bytes of the secret for a keyring, in hexadecimal, with the end of its line."""

_GENERATOR_NICENESS: Final = 5
"""The window and the network keep their place while keys are made."""


def run(arguments: Sequence[str]) -> int:
    """Do what the command line asks; returns the exit code."""
    process.harden()
    source, sink = process.claim_channel()
    with os.fdopen(source, "rb", buffering=0) as reader, os.fdopen(sink, "wb", buffering=0) as writer:
        match arguments:
            case []:
                from messenger.crypto import no_openssl

                no_openssl.load_hashes()
                from messenger.crypto import vault_cipher
                from messenger.crypto.vault_server import VaultServer

                vault_cipher.use()
                VaultServer(reader, writer).run()
            case ["--generate", bits]:
                writer.write(_generate(int(bits), source))
            case ["--keyring", operation, entry]:
                from messenger.crypto import keyring_access

                given = reader.readline(_LINE_MAX).decode().removesuffix("\n")
                _end_with(source)  # a keyring may wait for a person
                code, text = keyring_access.serve(operation, entry, given)
                writer.write(text.encode())
                return code
            case _:
                return _USAGE_EXIT
    return 0


def _generate(bits: int, source: int) -> bytes:
    """Make a key, but die as soon as whoever wanted it does."""
    from messenger.crypto.rsa import PrivateKey

    _end_with(source)
    if sys.platform != "win32":
        os.nice(_GENERATOR_NICENESS)
    return PrivateKey.generate(bits).to_bytes()


def _end_with(source: int) -> None:
    """End this process as soon as nobody holds the other end of its input any more."""
    wanted = os.dup(source)  # of its own: whoever called us may close the other one while the thread starts

    def watch() -> None:
        os.read(wanted, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run as a vault process and end it, without waiting for work that nobody wants any more.

    Args:
        arguments: Those after the program name (after ``--vault`` in a packed program); those of
            this process unless given.
    """
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except SottoError as e:
        process.die_of_bug(e)
    os._exit(code)


if __name__ == "__main__":
    main()
