"""What was laid out for messages, so that it is not laid out at every paint."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from messenger.core.ids import MessageId
from messenger.gui.timeline_model import KEPT

T = TypeVar("T")


class LaidOut(Generic[T]):
    """One thing for each message, of as many messages as may be near what is in sight."""

    def __init__(self) -> None:
        self._kept: OrderedDict[MessageId, tuple[tuple[object, ...], T]] = OrderedDict()

    def get(self, id_: MessageId, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """What belongs to a message.

        Args:
            id_: The message.
            key: All that it depends on; if this is another than last time, it is made anew.
            make: Makes it.
        """
        known = self._kept.get(id_)
        if known is None or known[0] != key:
            known = self._kept[id_] = (key, make())
            if len(self._kept) > 2 * KEPT:
                self._kept.popitem(last=False)
        return known[1]

    def forget(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared."""
        for id_ in ids:
            self._kept.pop(id_, None)

    def clear(self) -> None:
        """Lay everything out anew."""
        self._kept.clear()
