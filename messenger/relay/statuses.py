"""How people in the directory want to be seen: the relay's word, for as long as their link lasts."""

from messenger.protocol.relay_finding import Status
from messenger.relay.ports import Correspondent


class Statuses:
    """By the number of the queue of an entry."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Correspondent, Status]] = {}
        self._by: dict[int, set[int]] = {}

    def get(self, queue: int) -> Status:
        """The status of somebody; OFFLINE if nobody has said another."""
        found = self._of.get(queue)
        return Status.OFFLINE if found is None else found[1]

    def set(self, queue: int, client: Correspondent, status: Status) -> None:
        """Remember what was said on a link."""
        self._of[queue] = (client, status)
        self._by.setdefault(id(client), set()).add(queue)

    def drop(self, queue: int) -> None:
        """There is no entry any more."""
        self._of.pop(queue, None)

    def leave(self, client: Correspondent) -> None:
        """A link has ended."""
        for queue in self._by.pop(id(client), ()):
            if queue in self._of and self._of[queue][0] is client:
                del self._of[queue]
