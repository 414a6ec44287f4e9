"""The queues that we have at relays, and what those who write to them have to be told."""

from collections.abc import Sequence
from typing import Final

from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.relays import OwnQueue, RelayUse
from messenger.storage.database import Database, Row
from messenger.storage.relays import RelayTable

_QUEUES: Final = """
SELECT id, relay, conversation, requests, recv_id, send_id, recv_key, send_key, queue_key, made_ms, used_ms,
    known, retired
FROM queues
"""
_ADD_QUEUE: Final = """
INSERT INTO queues
    (relay, conversation, requests, recv_id, send_id, recv_key, send_key, queue_key, made_ms, used_ms)
VALUES (?, ?, ?, x'', x'', ?, ?, ?, ?7, ?7) RETURNING id
"""
_ASSIGN: Final = """
INSERT INTO prekey_queues (id, queue) -- nothing if either is gone by now
SELECT p.id, q.id FROM queues AS q, prekeys AS p WHERE q.id = ? AND p.id = ?
"""
_CHANGED: Final = (
    "UPDATE contacts SET news = news + 1 WHERE id = (SELECT conversation FROM queues WHERE id = ?)"
)
_TOLD: Final = "UPDATE contacts SET news_told = max(news_told, ?) WHERE id = ?"
_UNTOLD: Final = "SELECT id, news FROM contacts WHERE news > news_told ORDER BY id"


class QueueTable:
    """Our queues by number."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._relays = RelayTable(database)

    def add(
        self,
        relay: Fingerprint,
        conversation: ConversationId | None,
        keys: tuple[bytes, bytes, bytes],
        now_ms: int,
    ) -> OwnQueue:
        """Store a queue before the relay is asked for it.

        Args:
            relay: Where; it is known.
            conversation: For whom; None for requests.
            keys: recv_key, send_key, queue_key: 32 random bytes each.
            now_ms: Unix milliseconds.
        """
        with self._database.write():
            values = (relay, conversation, int(conversation is None), *keys, now_ms)
            number = self._database.number(_ADD_QUEUE, values)
            return _queue(self._database.rows(f"{_QUEUES} WHERE id = ?", (number,))[0])

    def made(self, id_: int, recv_id: bytes, send_id: bytes) -> None:
        """The relay has made a queue, with these ids."""
        with self._database.write():
            sql = "UPDATE queues SET recv_id = ?, send_id = ? WHERE id = ?"
            self._database.rows(sql, (recv_id, send_id, id_))
            self.changed(id_)

    def get(self, id_: int) -> OwnQueue | None:
        """A queue of ours, or None."""
        row = self._database.row(f"{_QUEUES} WHERE id = ?", (id_,))
        return _queue(row) if row else None

    def at(self, relay: Fingerprint) -> list[OwnQueue]:
        """Our queues at a relay, the oldest first."""
        return [
            _queue(row) for row in self._database.rows(f"{_QUEUES} WHERE relay = ? ORDER BY id", (relay,))
        ]

    def for_contact(self, conversation: ConversationId) -> list[OwnQueue]:
        """Our queues for a contact that can be written to, the newest of a relay and no retired one.

        Those at the relay that became ours first come first.
        """
        sql = f"{_QUEUES} WHERE conversation = ? AND NOT retired AND recv_id <> x'' ORDER BY id"
        newest = {row[1]: row for row in self._database.rows(sql, (conversation,))}
        own = [relay.fingerprint for relay in self._relays.all() if relay.use is RelayUse.OWN]
        return [_queue(newest[relay]) for relay in own if relay in newest]

    def for_requests(self) -> list[OwnQueue]:
        """Our queues for requests at relays that are ours."""
        own = [relay.fingerprint for relay in self._relays.all() if relay.use is RelayUse.OWN]
        found = [queue for relay in own for queue in self.at(relay)]
        return [queue for queue in found if queue.requests and not queue.retired and queue.recv_id]

    def heard(self, id_: int, now_ms: int, *, known: bool, again: bool = True) -> bool:
        """Something came for a queue; if it is a retired one, they will be told again where to write to.

        Args:
            id_: The queue.
            now_ms: Unix milliseconds.
            known: It is from the contact that the queue is for.
            again: They have not been told just now: two who both tell it each other would never end.

        Returns:
            Whether they must be told.
        """
        with self._database.write():
            sql = "UPDATE queues SET used_ms = ?, known = max(known, ?) WHERE id = ?"
            self._database.rows(sql, (now_ms, int(known), id_))
            retired = self._database.row("SELECT 1 FROM queues WHERE id = ? AND retired", (id_,)) is not None
            if known and retired and again:
                self.changed(id_)
            return known and retired and again

    def note_news(self, conversation: ConversationId) -> None:
        """A contact has to be told something of us that goes with everything, as what we have read."""
        with self._database.write():
            self._database.rows("UPDATE contacts SET news = news + 1 WHERE id = ?", (conversation,))

    def changed(self, id_: int) -> None:
        """What the contact has to know of our queues is not what it was; in a transaction of the caller."""
        self._database.rows(_CHANGED, (id_,))

    def untold(self) -> list[ConversationId]:
        """The contacts who have to be told something of us."""
        return [*self.changes()]

    def changes(self) -> dict[ConversationId, int]:
        """As `change`, of each contact who has to be told of one."""
        return {ConversationId(id_): change for id_, change in self._database.rows(_UNTOLD)}

    def change(self, conversation: ConversationId) -> int:
        """Number of the last change at our end that a contact has to be told of; 0 if there is none."""
        sql = "SELECT news FROM contacts WHERE id = ? AND news > news_told"
        return self._database.number(sql, (conversation,))

    def told(self, conversation: ConversationId, change: int) -> None:
        """A contact was told everything up to a change."""
        with self._database.write():
            self._database.rows(_TOLD, (change, conversation))

    def retire(self, ids: Sequence[int], now_ms: int) -> None:
        """Tell nobody of these queues any more; what is still written to them is fetched."""
        with self._database.write():
            for id_ in ids:
                sql = "UPDATE queues SET retired = 1, used_ms = ? WHERE id = ? AND NOT retired"
                if self._database.change(sql, (now_ms, id_)):
                    self.changed(id_)

    def remove(self, id_: int) -> None:
        """Forget a queue, which the relay has deleted or never had."""
        with self._database.write():
            self._database.rows("DELETE FROM queues WHERE id = ?", (id_,))

    def assign_prekeys(self, queue: int, ids: Sequence[bytes], wanted: int) -> list[bytes]:
        """Choose which prekeys a queue hands out: those that were its own before, and new ones.

        Args:
            queue: The queue for requests.
            ids: Of all prekeys that may be handed out.
            wanted: How many new ones it shall have, if there are so many that no queue has.

        Returns:
            Ids of those that are the queue's.
        """
        with self._database.write():
            rows = self._database.rows("SELECT id, queue FROM prekey_queues")
            taken = {bytes(id_): owner for id_, owner in rows}
            for id_ in [id_ for id_ in ids if id_ not in taken][: max(wanted, 0)]:
                if self._database.change(_ASSIGN, (queue, id_)):
                    taken[id_] = queue
            return [id_ for id_ in ids if taken.get(id_) == queue]


def _queue(row: Row) -> OwnQueue:
    id_, relay, conversation, requests, *rest = row
    recv_id, send_id, recv_key, send_key, queue_key, made_ms, used_ms, known, retired = rest
    return OwnQueue(
        id=id_,
        relay=Fingerprint(bytes(relay)),
        conversation=None if conversation is None else ConversationId(conversation),
        requests=bool(requests),
        recv_id=bytes(recv_id),
        send_id=bytes(send_id),
        recv_key=bytes(recv_key),
        send_key=bytes(send_key),
        queue_key=bytes(queue_key),
        made_ms=made_ms,
        used_ms=used_ms,
        known=bool(known),
        retired=bool(retired),
    )
