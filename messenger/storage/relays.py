"""The relays that this profile knows, and the queues that it has there."""

from collections.abc import Sequence
from typing import Final

from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.relays import OwnQueue, Relay, RelayUse
from messenger.storage.database import Database, Row

_RELAYS: Final = "SELECT fingerprint, addresses, use FROM relays"
_QUEUES: Final = """
SELECT id, relay, conversation, requests, recv_id, send_id, recv_key, send_key, queue_key, made_ms, used_ms,
    known, retired
FROM queues
"""
_ADD: Final = """
INSERT INTO relays (fingerprint, addresses, use, token, added_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE
SET addresses = excluded.addresses, use = excluded.use, token = excluded.token
"""
_LEARN: Final = (
    "INSERT OR IGNORE INTO relays (fingerprint, addresses, use, token, added_ms) VALUES (?, ?, ?, x'', ?)"
)
_ADD_QUEUE: Final = """
INSERT INTO queues
    (relay, conversation, requests, recv_id, send_id, recv_key, send_key, queue_key, made_ms, used_ms)
VALUES (?, ?, ?, x'', x'', ?, ?, ?, ?7, ?7) RETURNING id
"""
_CHANGED: Final = (
    "UPDATE contacts SET news = news + 1 WHERE id = (SELECT conversation FROM queues WHERE id = ?)"
)
_TOLD: Final = "UPDATE contacts SET news_told = max(news_told, ?) WHERE id = ?"
_UNTOLD: Final = "SELECT id FROM contacts WHERE news > news_told ORDER BY id"
_UNUSED: Final = f"""
DELETE FROM relays WHERE use IN ({RelayUse.UNASKED:d}, {RelayUse.ALLOWED:d}, {RelayUse.REFUSED:d})
    AND NOT EXISTS (SELECT 1 FROM places AS p WHERE p.relay = fingerprint)
    AND NOT EXISTS (SELECT 1 FROM first_places AS f WHERE f.relay = fingerprint)
    AND NOT EXISTS (SELECT 1 FROM queues AS q WHERE q.relay = fingerprint)
"""  # noqa: S608 -- constants only


class RelayTable:
    """Relays by fingerprint, and our queues by number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Relay]:
        """Every relay, in the order in which they became known."""
        return [_relay(row) for row in self._database.rows(f"{_RELAYS} ORDER BY added_ms, fingerprint")]

    def get(self, fingerprint: Fingerprint) -> Relay | None:
        """A relay, or None."""
        row = self._database.row(f"{_RELAYS} WHERE fingerprint = ?", (fingerprint,))
        return _relay(row) if row else None

    def token(self, fingerprint: Fingerprint) -> bytes:
        """The token that its owner gave us; may be empty."""
        row = self._database.row("SELECT token FROM relays WHERE fingerprint = ?", (fingerprint,))
        return bytes(row[0]) if row else b""

    def add(
        self,
        fingerprint: Fingerprint,
        addresses: Sequence[str],
        use: RelayUse,
        now_ms: int,
        token: bytes = b"",
    ) -> None:
        """Store a relay, or other addresses, use and token of one that is there."""
        with self._database.write():
            values = (fingerprint, " ".join(addresses), int(use), token, now_ms)
            self._database.rows(_ADD, values)

    def learn(self, fingerprint: Fingerprint, address: str, use: RelayUse, now_ms: int) -> bool:
        """Store a relay unless it is there; returns whether it was new."""
        with self._database.write():
            return self._database.change(_LEARN, (fingerprint, address, int(use), now_ms)) > 0

    def set_use(self, fingerprint: Fingerprint, use: RelayUse) -> None:
        """Change what a relay is to us."""
        with self._database.write():
            self._database.rows("UPDATE relays SET use = ? WHERE fingerprint = ?", (int(use), fingerprint))

    def remove(self, fingerprint: Fingerprint) -> None:
        """Forget a relay with our queues there."""
        with self._database.write():
            self._database.rows("DELETE FROM relays WHERE fingerprint = ?", (fingerprint,))

    def tidy(self) -> list[Fingerprint]:
        """Forget relays that are of no use to anybody any more; returns those that are left."""
        with self._database.write():
            self._database.rows(_UNUSED)
        return [relay.fingerprint for relay in self.all()]

    def add_queue(
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

    def queue(self, id_: int) -> OwnQueue | None:
        """A queue of ours, or None."""
        row = self._database.row(f"{_QUEUES} WHERE id = ?", (id_,))
        return _queue(row) if row else None

    def queues_at(self, relay: Fingerprint) -> list[OwnQueue]:
        """Our queues at a relay, the oldest first."""
        return [
            _queue(row) for row in self._database.rows(f"{_QUEUES} WHERE relay = ? ORDER BY id", (relay,))
        ]

    def queues_for(self, conversation: ConversationId) -> list[OwnQueue]:
        """Our queues for a contact that can be written to, the newest of a relay and no retired one.

        Those at the relay that became ours first come first.
        """
        sql = f"{_QUEUES} WHERE conversation = ? AND NOT retired AND recv_id <> x'' ORDER BY id"
        newest = {row[1]: row for row in self._database.rows(sql, (conversation,))}
        own = [relay.fingerprint for relay in self.all() if relay.use is RelayUse.OWN]
        return [_queue(newest[relay]) for relay in own if relay in newest]

    def request_queues(self) -> list[OwnQueue]:
        """Our queues for requests at relays that are ours."""
        own = [relay.fingerprint for relay in self.all() if relay.use is RelayUse.OWN]
        found = [queue for relay in own for queue in self.queues_at(relay)]
        return [queue for queue in found if queue.requests and not queue.retired and queue.recv_id]

    def heard(self, id_: int, now_ms: int, *, known: bool) -> bool:
        """Something came for a queue; if it is a retired one, they will be told again where to write to.

        Args:
            id_: The queue.
            now_ms: Unix milliseconds.
            known: It is from the contact that the queue is for.

        Returns:
            Whether they must be told.
        """
        with self._database.write():
            sql = "UPDATE queues SET used_ms = ?, known = max(known, ?) WHERE id = ?"
            self._database.rows(sql, (now_ms, int(known), id_))
            retired = self._database.row("SELECT 1 FROM queues WHERE id = ? AND retired", (id_,)) is not None
            if known and retired:
                self.changed(id_)
            return known and retired

    def note_news(self, conversation: ConversationId) -> None:
        """A contact has to be told something of us that goes with everything, as what we have read."""
        with self._database.write():
            self._database.rows("UPDATE contacts SET news = news + 1 WHERE id = ?", (conversation,))

    def changed(self, id_: int) -> None:
        """What the contact has to know of our queues is not what it was; in a transaction of the caller."""
        self._database.rows(_CHANGED, (id_,))

    def untold(self) -> list[ConversationId]:
        """The contacts who have to be told something of us."""
        return [ConversationId(row[0]) for row in self._database.rows(_UNTOLD)]

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

    def remove_queue(self, id_: int) -> None:
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
                self._database.rows("INSERT INTO prekey_queues (id, queue) VALUES (?, ?)", (id_, queue))
                taken[id_] = queue
            return [id_ for id_ in ids if taken.get(id_) == queue]


def _relay(row: Row) -> Relay:
    fingerprint, addresses, use = row
    return Relay(
        fingerprint=Fingerprint(bytes(fingerprint)), addresses=(*addresses.split(),), use=RelayUse(use)
    )


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
