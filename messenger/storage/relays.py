"""The relays that this profile knows."""

from collections.abc import Sequence
from typing import Final

from messenger.core import limits
from messenger.core.ids import Fingerprint
from messenger.core.relays import Listing, PersonStatus, Relay, RelayUse
from messenger.storage.database import Database, Row

_RELAYS: Final = "SELECT fingerprint, addresses, use, status, about FROM relays"
_ADD: Final = """
INSERT INTO relays (fingerprint, addresses, use, token, added_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE
SET addresses = excluded.addresses, use = excluded.use, token = excluded.token
"""
_LEARN: Final = (
    "INSERT OR IGNORE INTO relays (fingerprint, addresses, use, token, added_ms) VALUES (?, ?, ?, x'', ?)"
)
_UNUSED: Final = f"""
DELETE FROM relays WHERE use IN ({RelayUse.UNASKED:d}, {RelayUse.ALLOWED:d}, {RelayUse.REFUSED:d})
    AND NOT EXISTS (SELECT 1 FROM places AS p WHERE p.relay = fingerprint)
    AND NOT EXISTS (SELECT 1 FROM first_places AS f WHERE f.relay = fingerprint)
    AND NOT EXISTS (SELECT 1 FROM queues AS q WHERE q.relay = fingerprint)
"""  # noqa: S608 -- constants only


class RelayTable:
    """Relays by fingerprint."""

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

    def add_address(self, fingerprint: Fingerprint, address: str) -> None:
        """Note a further address of a relay that is there, behind those known; the last one gives way."""
        with self._database.write():
            known = self.get(fingerprint)
            if known is not None and address not in known.addresses:
                kept = (*known.addresses[: limits.INVITE_ADDRESSES_MAX - 1], address)
                sql = "UPDATE relays SET addresses = ? WHERE fingerprint = ?"
                self._database.rows(sql, (" ".join(kept), fingerprint))

    def set_use(self, fingerprint: Fingerprint, use: RelayUse) -> None:
        """Change what a relay is to us."""
        with self._database.write():
            self._database.rows("UPDATE relays SET use = ? WHERE fingerprint = ?", (int(use), fingerprint))

    def list_at(self, fingerprint: Fingerprint, listing: Listing | None) -> None:
        """Note how we want to be found in the directory of a relay, if at all."""
        with self._database.write():
            status = None if listing is None else int(listing.status)
            values = (status, listing.about if listing else "", fingerprint)
            self._database.rows("UPDATE relays SET status = ?, about = ? WHERE fingerprint = ?", values)

    def next_serial(self, fingerprint: Fingerprint, now: int) -> int:
        """Number for our next entry in a directory: greater than the last, and not less than the time."""
        sql = "UPDATE relays SET serial = max(serial + 1, ?) WHERE fingerprint = ? RETURNING serial"
        with self._database.write():
            return self._database.number(sql, (now, fingerprint))

    def remove(self, fingerprint: Fingerprint) -> None:
        """Forget a relay with our queues there."""
        with self._database.write():
            self._database.rows("DELETE FROM relays WHERE fingerprint = ?", (fingerprint,))

    def tidy(self) -> list[Fingerprint]:
        """Forget relays that are of no use to anybody any more; returns those that are left."""
        with self._database.write():
            self._database.rows(_UNUSED)
        return [relay.fingerprint for relay in self.all()]


def _relay(row: Row) -> Relay:
    fingerprint, addresses, use, status, about = row
    return Relay(
        fingerprint=Fingerprint(bytes(fingerprint)),
        addresses=(*addresses.split(),),
        use=RelayUse(use),
        listing=None if status is None else Listing(PersonStatus(status), about),
    )
