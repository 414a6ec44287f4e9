"""The other persons."""

from collections.abc import Sequence
from typing import Final, TypedDict, Unpack

import msgspec

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact, KeyNews, Standing
from messenger.storage import removal
from messenger.storage.chain import merge_heard
from messenger.storage.database import Database
from messenger.storage.rows import CONTACT_COLUMNS, contact_from
from messenger.storage.sealed import forget_sessions

_SELECT: Final = f"SELECT {CONTACT_COLUMNS} FROM contacts"  # noqa: S608 -- constants only
_BY_ID: Final = f"{_SELECT} WHERE id = ? AND standing > 0"  # here and below: see `removal.GONE`
_BY_FINGERPRINT: Final = f"{_SELECT} WHERE fingerprint = ?"
_ALL: Final = f"{_SELECT} WHERE standing > 0 ORDER BY id"
_ADD: Final = """
INSERT INTO contacts (fingerprint, name, alias, standing, awaiting, verified, addresses, created_ms, told)
VALUES (?, ?, '', ?, ?, 0, ?, ?, (SELECT coalesce(max(serial), 0) FROM successions)) RETURNING id
"""
_PINS: Final = "SELECT peer_not_before, peer_version FROM contacts WHERE id = ? AND standing > 0"
_MOVE_MESSAGES: Final = "UPDATE OR IGNORE messages SET conversation = ? WHERE conversation = ?"
_MOVE_RECEIPTS: Final = "UPDATE OR IGNORE sealed_receipts SET conversation = ? WHERE conversation = ?"
_SET_KNOCK: Final = "UPDATE contacts SET knock = ? WHERE id = ? AND standing > 0"
_MOVE_QUEUES: Final = "UPDATE queues SET conversation = ? WHERE conversation = ?"
_DROP_PLACES: Final = """
DELETE FROM places WHERE conversation = ? AND EXISTS (SELECT 1 FROM places WHERE conversation = ?)
"""
_MOVE_PLACES: Final = "UPDATE places SET conversation = ? WHERE conversation = ?"
_SUCCEED: Final = """
UPDATE contacts SET fingerprint = ?, succession = ?, key_news = max(key_news, ?), verified = 0,
    addresses = ?, seen_ms = ?, peer_not_before = 0, peer_version = 0, knock = zeroblob(0),
    prekey_serial = 0
WHERE id = ?
"""


class ContactChanges(TypedDict, total=False):
    """The fields of a contact that can be changed by `ContactTable.update`."""

    name: str
    alias: str
    standing: Standing
    awaiting: bool
    verified: bool
    key_news: KeyNews
    seen_ms: int | None
    note: str
    pinned: bool
    muted: bool
    archived: bool


class ContactTable:
    """Contacts by number or fingerprint. Whoever names one that is not there gets an InputError(UNKNOWN)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id_: ConversationId) -> Contact | None:
        """A contact by its number, or None."""
        row = self._database.row(_BY_ID, (id_,))
        return contact_from(row) if row else None

    def by_fingerprint(self, fingerprint: Fingerprint) -> Contact | None:
        """A contact by fingerprint (32 bytes), or None."""
        row = self._database.row(_BY_FINGERPRINT, (fingerprint,))
        return contact_from(row) if row else None

    def all(self) -> list[Contact]:
        """All contacts, in the order in which they were added."""
        return [contact_from(row) for row in self._database.rows(_ALL)]

    def add(
        self,
        fingerprint: Fingerprint,
        *,
        name: str = "",
        standing: Standing,
        awaiting: bool = False,
        addresses: Sequence[str] = (),
        now_ms: int,
    ) -> Contact:
        """Add a contact, who knows us as we are now; one who is there already is returned unchanged.

        Args:
            fingerprint: 32 bytes.
            name: The name that they give themselves, cleaned.
            standing: How they are regarded.
            awaiting: They have not accepted us yet.
            addresses: Where they were reached, newest first; the first
                `limits.ADDRESSES_PER_CONTACT` are kept.
            now_ms: Unix milliseconds.

        Raises:
            InputError: NOT_ALLOWED, a contact has given this key up.
        """
        with self._database.write():
            if (known := self.by_fingerprint(fingerprint)) is not None:
                return known
            if self.retired(fingerprint) is not None:
                raise InputError(InputProblem.NOT_ALLOWED)
            id_ = self._database.number(
                _ADD, (fingerprint, name, int(standing), int(awaiting), _packed(addresses), now_ms)
            )
            return self._known(ConversationId(id_))

    def update(self, id_: ConversationId, **changes: Unpack[ContactChanges]) -> Contact:
        """Change fields of a contact and return the contact as it is then.

        Raises:
            InputError: UNKNOWN, there is no such contact.
        """
        with self._database.write():
            return self._store(msgspec.structs.replace(self._known(id_), **changes))

    def note_address(self, id_: ConversationId, address: str) -> Contact:
        """Remember where a contact was reached just now, as the newest of their addresses.

        Args:
            id_: The contact.
            address: ``host:port``.

        Raises:
            InputError: UNKNOWN, there is no such contact.
        """
        with self._database.write():
            contact = self._known(id_)
            older = tuple(known for known in contact.addresses if known != address)
            addresses = (address, *older)[: limits.ADDRESSES_PER_CONTACT]
            return self._store(msgspec.structs.replace(contact, addresses=addresses))

    def succeed(
        self,
        id_: ConversationId,
        fingerprint: Fingerprint,
        *,
        old: Fingerprint,
        between: Sequence[Fingerprint] = (),
        serial: int,
    ) -> Contact:
        """Let a contact go on with another key, in the same conversation.

        They are not verified any more, which stops what is sent to them if they were. What was remembered
        of the old key's certificates, links and sealed sessions is forgotten. A message request by the new
        key, or by one between, is merged: its messages come into this conversation and it is gone.

        Args:
            id_: The contact.
            fingerprint: Who they are from now on, 32 bytes.
            old: Who they were, as in the statement.
            between: Keys that they had after the old and before the new one.
            serial: Number of the statement that names the new key.

        Raises:
            InputError: UNKNOWN, no such contact has the old key. NOT_ALLOWED: they are blocked, the
                number is not greater than that of their last change, one of the new keys has been
                given up before, or is that of somebody who is accepted or blocked.
        """
        with self._database.write():
            contact, keys = self._known(id_), (*between, fingerprint)
            if contact.fingerprint != old:
                raise InputError(InputProblem.UNKNOWN)
            if contact.standing is Standing.BLOCKED or serial <= self.succession(id_):
                raise InputError(InputProblem.NOT_ALLOWED)
            if any(self.retired(key) is not None for key in keys):
                raise InputError(InputProblem.NOT_ALLOWED)
            for other in filter(None, map(self.by_fingerprint, keys)):
                contact = self._merged(contact, other)
            forget_sessions(self._database, id_)
            news = KeyNews.STOP if contact.verified else KeyNews.NOTICE
            changed = (fingerprint, serial, int(news), _packed(contact.addresses), contact.seen_ms, id_)
            self._database.rows(_SUCCEED, changed)
            for key in (old, *between):
                self._database.rows(
                    "INSERT INTO retired_keys (fingerprint, contact) VALUES (?, ?)", (key, id_)
                )
            return self._known(id_)

    def succession(self, id_: ConversationId) -> int:
        """Number of the statement by which a contact came to their present key; 0 for their first key."""
        return self._database.number("SELECT succession FROM contacts WHERE id = ?", (id_,))

    def retired(self, fingerprint: Fingerprint) -> ConversationId | None:
        """The contact who has given up a key, or None: nobody is let in by it, whoever may hold it now."""
        row = self._database.row("SELECT contact FROM retired_keys WHERE fingerprint = ?", (fingerprint,))
        return ConversationId(row[0]) if row else None

    def remove(self, id_: ConversationId) -> None:
        """Delete a contact with all messages; nothing happens if it is not there.

        What was deleted is overwritten in the database and taken out of its log.
        """
        self.hide(id_)
        while self.remove_more():
            pass

    def hide(self, id_: ConversationId) -> None:
        """Let a contact vanish with all messages; `remove_more` deletes them."""
        removal.hide(self._database, id_)

    def remove_more(self) -> bool:
        """Delete a part of what is hidden; to be called again until it is False."""
        return removal.step(self._database)

    def pins(self, id_: ConversationId) -> tuple[int, int]:
        """The start of the newest exchange certificate and the highest protocol version seen of a contact.

        Both are 0 for a contact who never connected. Older ones are a downgrade or a replay.

        Raises:
            InputError: UNKNOWN, there is no such contact.
        """
        row = self._database.row(_PINS, (id_,))
        if row is None:
            raise InputError(InputProblem.UNKNOWN)
        return row[0], row[1]

    def set_pins(self, id_: ConversationId, not_before: int, version: int) -> None:
        """Raise the pins of a contact; they never become smaller.

        Args:
            id_: The contact.
            not_before: Start of their exchange certificate, in its own unit.
            version: Protocol version that was spoken.

        Raises:
            InputError: UNKNOWN, there is no such contact.
        """
        with self._database.write():
            changes = self._database.change(
                "UPDATE contacts SET peer_not_before = max(peer_not_before, ?),"
                " peer_version = max(peer_version, ?) WHERE id = ? AND standing > 0",
                (not_before, version, id_),
            )
            if not changes:
                raise InputError(InputProblem.UNKNOWN)

    def set_knock(self, id_: ConversationId, knock: bytes) -> None:
        """Remember the secret (32 bytes) by which a contact and we know each other before a handshake.

        Raises:
            InputError: UNKNOWN, there is no such contact.
        """
        with self._database.write():
            if not self._database.change(_SET_KNOCK, (knock, id_)):
                raise InputError(InputProblem.UNKNOWN)

    def knock(self, id_: ConversationId) -> bytes:
        """The knock secret of a contact; empty before the first link and for one who is not there."""
        row = self._database.row("SELECT knock FROM contacts WHERE id = ?", (id_,))
        return bytes(row[0]) if row else b""

    def knocks(self) -> list[bytes]:
        """The knock secrets of all accepted contacts."""
        sql = "SELECT knock FROM contacts WHERE standing = ? AND length(knock) > 0 ORDER BY id"
        return [bytes(row[0]) for row in self._database.rows(sql, (int(Standing.ACCEPTED),))]

    def count_requests(self) -> int:
        """How many message requests wait for an answer."""
        return self._database.number(
            "SELECT count(*) FROM contacts WHERE standing = ?", (int(Standing.REQUEST),)
        )

    def _merged(self, contact: Contact, request: Contact) -> Contact:
        """Take over what came with a request, which holds messages of theirs only, and delete it."""
        if request.standing is not Standing.REQUEST:
            raise InputError(InputProblem.NOT_ALLOWED)
        self._database.rows(_MOVE_MESSAGES, (contact.id, request.id))
        self._database.rows(_MOVE_RECEIPTS, (contact.id, request.id))
        for sql in (_MOVE_QUEUES, _DROP_PLACES, _MOVE_PLACES):
            self._database.rows(sql, (contact.id, request.id))
        merge_heard(self._database, contact.id, request.id)
        self._database.rows(
            "DELETE FROM contacts WHERE id = ?", (request.id,)
        )  # with messages that are doubles
        addresses = tuple(dict.fromkeys((*request.addresses, *contact.addresses)))
        seen = [moment for moment in (contact.seen_ms, request.seen_ms) if moment is not None]
        return msgspec.structs.replace(contact, addresses=addresses, seen_ms=max(seen, default=None))

    def _known(self, id_: ConversationId) -> Contact:
        contact = self.get(id_)
        if contact is None:
            raise InputError(InputProblem.UNKNOWN)
        return contact

    def _store(self, contact: Contact) -> Contact:
        self._database.rows(
            "UPDATE contacts SET name = ?, alias = ?, standing = ?, awaiting = ?, verified = ?,"
            " addresses = ?, seen_ms = ?, key_news = ?, note = ?, pinned = ?, muted = ?, archived = ?"
            " WHERE id = ?",
            (
                contact.name,
                contact.alias,
                int(contact.standing),
                int(contact.awaiting),
                int(contact.verified),
                _packed(contact.addresses),
                contact.seen_ms,
                int(contact.key_news),
                contact.note,
                int(contact.pinned),
                int(contact.muted),
                int(contact.archived),
                contact.id,
            ),
        )
        return contact


def _packed(addresses: Sequence[str]) -> bytes:
    return msgspec.msgpack.encode(tuple(addresses)[: limits.ADDRESSES_PER_CONTACT])
