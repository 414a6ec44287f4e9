"""Our prekeys at relays: each is handed out by one relay only, for each works once."""

from messenger.core import carrier_limits
from messenger.core.errors import VaultError
from messenger.core.relays import OwnQueue
from messenger.engine.context import Context
from messenger.engine.events import EngineFault
from messenger.engine.relay_link import RelayLink
from messenger.engine.sealing import Sealing
from messenger.protocol.prekeys import Prekey, PrekeyList
from messenger.protocol.relay_queues import PutPrekeys


class Larder:
    """Sees that no relay runs short of prekeys.

    Args:
        context: The open profile.
        sealing: Makes them.
    """

    def __init__(self, context: Context, sealing: Sealing) -> None:
        self._context = context
        self._sealing = sealing
        self._serials: dict[int, int] = {}

    def has(self, queue: OwnQueue) -> bool:
        """Whether a relay has been given something for a queue since the program started."""
        return queue.id in self._serials

    async def give(self, link: RelayLink, queue: OwnQueue, left: int) -> None:
        """Give the relay what people need who have never talked to us: each prekey to one relay only."""
        try:
            published = await self._sealing.prekeys()
        except VaultError as e:  # the next look tries again
            self._context.publish(EngineFault("prekeys", type(e).__name__))
            return
        serial = PrekeyList.decode(published.list).serial
        low = left < carrier_limits.PREKEYS_LOW
        if not low and self._serials.get(queue.id) == serial:
            return
        prekeys = {prekey.id: raw for raw in published.prekeys if (prekey := Prekey.decode(raw))}
        last = [raw for raw in published.prekeys if Prekey.decode(raw).last_resort]
        once = [id_ for id_, raw in prekeys.items() if raw not in last]
        wanted = carrier_limits.PREKEYS_PER_RELAY - left if low else 0
        mine = await self._context.stored(self._context.store.queues.assign_prekeys, queue.id, once, wanted)
        keys = (*(prekeys[id_] for id_ in mine), *last)
        await link.ask(PutPrekeys(0, queue.recv_id, published.list, keys), queue.recv_key)
        self._serials[queue.id] = serial
