"""The packets of profile pictures (SPEC.md 8.7); `messenger.protocol.packets` encodes and decodes them."""

from typing import Annotated

import msgspec

from messenger.core.portraits import PORTRAIT_HASH_SIZE, PORTRAIT_MAX

_HashField = Annotated[bytes, msgspec.Meta(min_length=PORTRAIT_HASH_SIZE, max_length=PORTRAIT_HASH_SIZE)]


class PortraitNews(msgspec.Struct, frozen=True, array_like=True):
    """Kind 31. Which picture of themselves the sender shows; among people who have accepted each other."""

    hash: Annotated[bytes, msgspec.Meta(max_length=PORTRAIT_HASH_SIZE)]
    """SHA-256 of it; empty for none any more."""

    def __repr__(self) -> str:
        return f"PortraitNews({'a picture' if self.hash else 'none'})"


class PortraitWanted(msgspec.Struct, frozen=True, array_like=True):
    """Kind 32. The sender does not have the picture with this hash."""

    hash: _HashField

    def __repr__(self) -> str:
        return "PortraitWanted()"


class Portrait(msgspec.Struct, frozen=True, array_like=True):
    """Kind 33. The picture that was asked for."""

    content: Annotated[bytes, msgspec.Meta(min_length=1, max_length=PORTRAIT_MAX)]
    """See `messenger.core.portraits`; whoever takes it checks the form."""

    def __repr__(self) -> str:
        return f"Portrait({len(self.content)} bytes)"
