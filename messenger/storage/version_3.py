"""From version 2 of the tables to version 3: replies, edits, deletions, reactions, drafts, gaps and forks."""

from typing import Final

VERSION_3: Final = """
ALTER TABLE contacts ADD COLUMN last_order INTEGER NOT NULL DEFAULT 0; -- greatest of what was done in it
ALTER TABLE contacts ADD COLUMN forked INTEGER NOT NULL DEFAULT 0; -- their chain does not fit together
ALTER TABLE messages ADD COLUMN reply BLOB; -- id of the message that it answers
ALTER TABLE messages ADD COLUMN edited_ms INTEGER;
ALTER TABLE messages ADD COLUMN edit_key BLOB; -- of the edit that holds: order, id
ALTER TABLE messages ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN reactions BLOB; -- MessagePack: array of arrays of outgoing, key, emoji
ALTER TABLE messages ADD COLUMN original TEXT; -- of ours that are changed and not delivered: as they are sent

CREATE TABLE actions ( -- edits, deletions and reactions: ours until they are delivered, theirs for a while
    position INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    outgoing INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    prev BLOB NOT NULL CHECK (length(prev) = 32),
    state INTEGER NOT NULL, -- of ours as of messages; 0 of theirs
    waiting INTEGER NOT NULL, -- theirs whose message is not here yet
    target BLOB NOT NULL CHECK (length(target) = 16),
    content TEXT NOT NULL,
    orders INTEGER NOT NULL, -- its order as its author wrote it
    sent_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX actions_by_id ON actions (conversation, outgoing, id);
CREATE INDEX actions_by_seq ON actions (conversation, seq) WHERE outgoing = 1;
CREATE INDEX actions_waiting ON actions (conversation, target) WHERE waiting = 1;

CREATE TABLE outbox_of_all ( -- of messages and of actions
    position INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_of_all SELECT position, conversation, seq FROM outbox;
CREATE TABLE sealed_of_all ( -- what waits in the outbox, as it was sealed
    position INTEGER PRIMARY KEY REFERENCES outbox_of_all ON DELETE CASCADE,
    sid BLOB NOT NULL CHECK (length(sid) = 32), -- of the session
    kind INTEGER NOT NULL, -- of the envelope
    content BLOB NOT NULL
) STRICT;
INSERT INTO sealed_of_all SELECT position, sid, kind, content FROM sealed_outbox;
DROP TABLE sealed_outbox;
DROP TABLE outbox;
ALTER TABLE outbox_of_all RENAME TO outbox;
ALTER TABLE sealed_of_all RENAME TO sealed_outbox;
CREATE UNIQUE INDEX outbox_by_seq ON outbox (conversation, seq);

CREATE TABLE heard ( -- which of their numbers are here: runs without a gap
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    before BLOB, -- hash that the first one names; NULL if it is not known
    hash BLOB, -- of the last one; NULL if it is not known
    PRIMARY KEY (conversation, first)
) STRICT, WITHOUT ROWID;
INSERT INTO heard -- what was deleted by age, before the first that is left, counts as heard
SELECT conversation,
    iif(island = min(island) OVER (PARTITION BY conversation), 1, min(seq)), max(seq), NULL, NULL
FROM (
    SELECT conversation, seq, seq - row_number() OVER (PARTITION BY conversation ORDER BY seq) AS island
    FROM (SELECT DISTINCT conversation, seq FROM messages WHERE outgoing = 0)
) GROUP BY conversation, island;

CREATE TABLE drafts ( -- what was written and not sent
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    text TEXT NOT NULL,
    reply BLOB
) STRICT;
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
