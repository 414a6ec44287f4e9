"""BLAKE3 of files: the only importer of the library.

Each use has a context of its own (the key derivation mode of BLAKE3), so that a hash for one cannot stand for
another. The contexts and what is hashed stand in SPEC.md section 17.
"""

from typing import Final, Protocol

from messenger.crypto.aead import Buffer

HASH_SIZE: Final = 32

_MANIFEST: Final = "sotto/1 manifest"
_CHUNK: Final = "sotto/1 chunk"
_CONTENT: Final = "sotto/1 content"


class Hasher(Protocol):
    """A hash in the making."""

    def update(self, data: Buffer, /) -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The hash of all bytes so far, 32 bytes."""


def chunk_hasher() -> Hasher:
    """Begin the hash of one chunk of the content."""
    from blake3 import blake3  # with the first file, not at the start

    return blake3(derive_key_context=_CHUNK)


def content_hasher() -> Hasher:
    """Begin the hash that proves the whole content: over the hashes of its chunks in order."""
    from blake3 import blake3

    return blake3(derive_key_context=_CONTENT)


def manifest_root(manifest: Buffer) -> bytes:
    """The hash of a list of files, 32 bytes."""
    from blake3 import blake3

    return blake3(manifest, derive_key_context=_MANIFEST).digest()
