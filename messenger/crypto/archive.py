"""A stream of any length under one secret: pieces that cannot be changed, reordered, doubled or cut off.

The plaintext is cut into pieces of 256 KiB, the last one shorter (perhaps empty). Each is sealed with
AES-256-GCM; its additional data is 0x01 for the last and 0x00 for all others, its nonce is counted by
`aead.Sealer`. After each 4096 pieces (1 GiB) key and iv are new: piece n belongs to part n / 4096, whose
key and iv are expand(secret, "export part", u64 part, 44). The secret is used for one stream.
"""

from collections.abc import Callable
from typing import BinaryIO, Final

from messenger.core import limits
from messenger.core.errors import CryptoError, InputError, InputProblem
from messenger.crypto import aead
from messenger.crypto.hkdf import expand

PIECE: Final = 256 * 1024
PART_PIECES: Final = 4096
_GOES_ON: Final = b"\x00"
_LAST: Final = b"\x01"


def seal(secret: bytes, source: BinaryIO, sink: BinaryIO, progress: Callable[[int], None]) -> None:
    """Encrypt everything that a file holds from here on.

    Args:
        secret: 32 bytes, for this stream only.
        source: To be read to its end.
        sink: Where pieces go.
        progress: Called with how many bytes of plaintext are done.

    Raises:
        OSError: A file refused.
    """
    done, number, piece = 0, 0, source.read(PIECE)
    sealer = aead.Sealer(*_part(secret, 0))
    while True:
        last = len(piece) < PIECE
        if number and number % PART_PIECES == 0:
            sealer = aead.Sealer(*_part(secret, number // PART_PIECES))
        sink.write(sealer.seal(piece, _LAST if last else _GOES_ON))
        done += len(piece)
        progress(done)
        if last:
            return
        number, piece = number + 1, source.read(PIECE)


def unseal(secret: bytes, source: BinaryIO, sink: BinaryIO, progress: Callable[[int], None]) -> None:
    """Decrypt what `seal` wrote, to the end of the file; each piece is written after it was checked.

    Until this has returned, nobody knows that the stream is whole.

    Args:
        secret: The one it was sealed with.
        source: Where it begins here.
        sink: Where the plaintext goes.
        progress: Called with how many bytes of plaintext are done.

    Raises:
        InputError: NOT_EXPORT, it was changed or cut, or something follows it.
        OSError: A file refused.
    """
    size = PIECE + limits.TAG_SIZE
    done, number, piece = 0, 0, source.read(size)
    opener = aead.Opener(*_part(secret, 0))
    while True:
        last = len(piece) < size  # the last one is shorter than all others
        if number and number % PART_PIECES == 0:
            opener = aead.Opener(*_part(secret, number // PART_PIECES))
        try:
            plain = opener.open(piece, _LAST if last else _GOES_ON)
        except CryptoError as e:
            raise InputError(InputProblem.NOT_EXPORT) from e
        sink.write(plain)
        done += len(plain)
        progress(done)
        if last:
            return
        number, piece = number + 1, source.read(size)


def _part(secret: bytes, number: int) -> tuple[bytes, bytes]:
    both = expand(secret, "export part", number.to_bytes(8, "big"), aead.KEY_SIZE + aead.IV_SIZE)
    return both[: aead.KEY_SIZE], both[aead.KEY_SIZE :]
