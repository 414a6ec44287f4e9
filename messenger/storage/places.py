"""Where contacts can be written to through relays. A place is a value that the engine reads and writes."""

from collections.abc import Sequence
from typing import Final

from messenger.core.ids import ConversationId, Fingerprint
from messenger.storage.database import Database

_PUT: Final = "INSERT INTO places (conversation, number, relay, place) VALUES (?, ?, ?, ?)"
_PUT_FIRST: Final = """
INSERT INTO first_places (conversation, number, relay, place, secret) VALUES (?, ?, ?, ?, ?)
"""

_AT: Final = """
SELECT conversation FROM places WHERE relay = ?1
UNION SELECT conversation FROM first_places WHERE relay = ?1
"""

_OF: Final = """
SELECT relay FROM places WHERE conversation = ?1
UNION SELECT relay FROM first_places WHERE conversation = ?1
"""

Named = tuple[Fingerprint, bytes]
"""A place with its relay."""


class PlaceTable:
    """Places by conversation, the best first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, conversation: ConversationId, places: Sequence[Named]) -> bool:
        """Store where a contact is written to from now on; returns whether that differs from before."""
        with self._database.write():
            before = self.get(conversation)
            if before == [*places]:
                return False
            self._database.rows("DELETE FROM places WHERE conversation = ?", (conversation,))
            for number, (relay, place) in enumerate(places):
                self._database.rows(_PUT, (conversation, number, relay, place))
            return True

    def get(self, conversation: ConversationId) -> list[Named]:
        """Where a contact is written to."""
        sql = "SELECT relay, place FROM places WHERE conversation = ? ORDER BY number"
        return [_named(*row) for row in self._database.rows(sql, (conversation,))]

    def all(self) -> dict[ConversationId, list[Named]]:
        """Where each contact is written to."""
        found: dict[ConversationId, list[Named]] = {}
        sql = "SELECT conversation, relay, place FROM places ORDER BY conversation, number"
        for conversation, relay, place in self._database.rows(sql):
            found.setdefault(ConversationId(conversation), []).append(_named(relay, place))
        return found

    def at(self, relay: Fingerprint) -> list[ConversationId]:
        """The contacts that are, or can be, written to at a relay."""
        return [ConversationId(row[0]) for row in self._database.rows(_AT, (relay,))]

    def relays_of(self, conversation: ConversationId) -> set[Fingerprint]:
        """The relays at which a contact is, or can be, written to."""
        return {Fingerprint(row[0]) for row in self._database.rows(_OF, (conversation,))}

    def put_first(self, conversation: ConversationId, places: Sequence[Named], secret: bytes) -> None:
        """Store where a first contact can be left, in place of what was known of that.

        Args:
            conversation: With whom.
            places: Of queues for requests.
            secret: Of the invite that names them, or empty.
        """
        with self._database.write():
            self._database.rows("DELETE FROM first_places WHERE conversation = ?", (conversation,))
            for number, (relay, place) in enumerate(places):
                self._database.rows(_PUT_FIRST, (conversation, number, relay, place, secret))

    def first(self, conversation: ConversationId) -> tuple[list[Named], bytes]:
        """Where a first contact can be left, and the secret of the invite that says so."""
        sql = "SELECT relay, place, secret FROM first_places WHERE conversation = ? ORDER BY number"
        rows = self._database.rows(sql, (conversation,))
        return [_named(relay, place) for relay, place, _ in rows], bytes(rows[0][2]) if rows else b""


def _named(relay: object, place: object) -> Named:
    if not isinstance(relay, bytes) or not isinstance(place, bytes):
        raise TypeError(type(place).__name__)
    return Fingerprint(relay), place
