"""Our prekeys: what a relay hands to people who want to write to us and have no session (SPEC.md 10.6)."""

import asyncio
from dataclasses import dataclass

from messenger.core import limits
from messenger.core.ids import Fingerprint
from messenger.crypto.identity import Bundle
from messenger.engine.context import Context
from messenger.protocol.prekeys import PrekeyList, SecretPrekey, draft_list, make_prekeys
from messenger.storage.store import Store


@dataclass(frozen=True, slots=True)
class Published:
    """What a relay gets.

    Attributes:
        list: The signed list.
        prekeys: Those of it that can still be used, the one of last resort among them.
    """

    list: bytes
    prekeys: tuple[bytes, ...]


class Prekeys:
    """Keeps a signed list that can be published at any time.

    Args:
        context: The open profile.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._turn = asyncio.Lock()

    async def published(self) -> Published:
        """The list as it is, or a new one if that is half over, used up, or names an old exchange key.

        Everything is stored before it is returned.

        Raises:
            VaultError: It cannot be signed.
            StorageError: It cannot be stored.
        """
        async with self._turn:
            context, bundle, now = self._context, self._context.bundle, self._context.now
            found = await context.stored(_find, context.store, bundle, now)
            if found is not None:
                return found
            serial, prekeys = await context.stored(_prepare, context.store, bundle.fingerprint, now)
            draft = draft_list(bundle, serial, prekeys, now)
            needed = draft.needed
            signed = draft.signed(await context.vault.sign(needed.label, needed.fields)).encode()
            await context.stored(context.store.prekeys.put_list, bundle.fingerprint, serial, signed)
            return Published(signed, tuple(sorted(prekey.public.encode() for prekey in prekeys)))


def _find(store: Store, bundle: Bundle, now: int) -> Published | None:
    """The list that was signed last, if it will do."""
    stored = store.prekeys.list(bundle.fingerprint)
    if stored is None:
        return None
    listed = PrekeyList.decode(stored[1])
    age = limits.PREKEY_LIST_LIFETIME - (listed.not_after - now)
    if listed.bundle != bundle or not 0 <= age < limits.PREKEY_LIST_RENEW:
        return None
    publics = [prekey.public for prekey in _usable(store, bundle.fingerprint)]
    left = [public for public in publics if public.hash in listed.hashes]
    if sum(not public.last_resort for public in left) < limits.PREKEYS_LEAST:
        return None
    return Published(stored[1], tuple(sorted(public.encode() for public in left)))


def _prepare(store: Store, own: Fingerprint, now: int) -> tuple[int, list[SecretPrekey]]:
    """Serial and prekeys for a new list; those that are new are stored."""
    with store.transaction():
        stored = store.prekeys.list(own)
        serial = max(now, stored[0] + 1 if stored else 0)
        kept = [prekey for prekey in _usable(store, own) if prekey.made <= now and prekey.listed(now)]
        last = [prekey for prekey in kept if prekey.last_resort][-1:]
        once = [prekey for prekey in kept if not prekey.last_resort][-limits.PREKEYS_MAX :]
        new = make_prekeys(limits.PREKEYS_MAX - len(once), now)
        if not last:
            new += make_prekeys(1, now, last_resort=True)
        store.prekeys.add(own, [(prekey.id, prekey.made, prekey.encode()) for prekey in new])
        return serial, [*last, *once, *new]


def _usable(store: Store, own: Fingerprint) -> list[SecretPrekey]:
    return [SecretPrekey.decode(secret) for secret in store.prekeys.all(own)]
