-- What version 3 of the database was, as its own program left it, dumped by the shell of SQLite.
-- Kept for ever: `tests/storage/test_versions.py` makes a file of it and opens that with today's program.

PRAGMA writable_schema=ON;

BEGIN TRANSACTION;

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
INSERT INTO actions VALUES(3692036096000000999,1,X'000102030405060708090A0B0C0D0E0F',1,13,4,X'0000000000000000000000000000000000000000000000000000000000000000',1,0,X'11000000000000000000000000000000','👍',1760500000000,1760500000000,1760500000000);
CREATE UNIQUE INDEX actions_by_id ON actions (conversation, outgoing, id);
CREATE INDEX actions_by_seq ON actions (conversation, seq) WHERE outgoing = 1;
CREATE INDEX actions_waiting ON actions (conversation, target) WHERE waiting = 1;

CREATE TABLE calendar ( -- the messages of each day
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    day INTEGER NOT NULL, -- on which they were stored: Unix milliseconds / 86400000
    last INTEGER NOT NULL, -- none has a larger position
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL, -- of their texts in UTF-8
    PRIMARY KEY (conversation, day)
) STRICT, WITHOUT ROWID;
INSERT INTO calendar VALUES(1,20370,3690987524194304002,2,49);
INSERT INTO calendar VALUES(1,20375,3691826380800000006,1,10);
INSERT INTO calendar VALUES(1,20376,3692036096000000007,1,12);
INSERT INTO calendar VALUES(3,20371,3691197235200000005,1,29);

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another contact
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    standing INTEGER NOT NULL,
    awaiting INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    addresses BLOB NOT NULL, -- MessagePack: array of texts
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER,
    peer_not_before INTEGER NOT NULL DEFAULT 0, -- highest start of their exchange certificate
    peer_version INTEGER NOT NULL DEFAULT 0, -- highest protocol version they spoke
    knock BLOB NOT NULL DEFAULT (zeroblob(0)), -- secret of the last link, which spares us puzzles
    next_seq INTEGER NOT NULL DEFAULT 1, -- of our next message
    last_hash BLOB NOT NULL DEFAULT (zeroblob(32)), -- of our last message
    succession INTEGER NOT NULL DEFAULT 0, -- number of the statement by which they came to this key
    prekey_serial INTEGER NOT NULL DEFAULT 0, -- of the newest list of prekeys that was seen of them
    told INTEGER NOT NULL DEFAULT 0 -- number of the last statement of ours that they have confirmed
, last_order INTEGER NOT NULL DEFAULT 0, forked INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO contacts VALUES(1,X'0100000000000000000000000000000000000000000000000000000000000000','Bob','Bobby',2,0,1,X'91AF3139322E302E322E313A3432303030',1760000000000,1760600000000,0,0,X'',5,X'AA00000000000000000000000000000000000000000000000000000000000000',0,0,0,1760500000000,0);
INSERT INTO contacts VALUES(3,X'0300000000000000000000000000000000000000000000000000000000000000','Carol','',1,0,0,X'90',1760100000000,NULL,0,0,X'',1,X'0000000000000000000000000000000000000000000000000000000000000000',0,0,0,0,0);

CREATE TABLE drafts ( -- what was written and not sent
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    text TEXT NOT NULL,
    reply BLOB
) STRICT;
INSERT INTO drafts VALUES(1,'not sent yet',X'11000000000000000000000000000000');

CREATE TABLE first_contacts ( -- that were taken, so that none is taken twice
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32), -- of the sender
    id BLOB NOT NULL CHECK (length(id) = 16), -- of the message
    until INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (fingerprint, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE forgotten ( -- messages of theirs that were too old, and may be sent again
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    until INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (conversation, id)
) STRICT, WITHOUT ROWID;
INSERT INTO forgotten VALUES(1,X'09090909090909090909090909090909',1800000000000);

CREATE TABLE heard ( -- which of their numbers are here: runs without a gap
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    before BLOB, -- hash that the first one names; NULL if it is not known
    hash BLOB, -- of the last one; NULL if it is not known
    PRIMARY KEY (conversation, first)
) STRICT, WITHOUT ROWID;
INSERT INTO heard VALUES(1,1,1,NULL,NULL);
INSERT INTO heard VALUES(3,1,1,NULL,NULL);

CREATE TABLE invites (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another invite
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
INSERT INTO invites VALUES(4,X'00000000000000000000000000000000',1760000000000,9999999999999);

CREATE TABLE messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    outgoing INTEGER NOT NULL,
    seq INTEGER NOT NULL, -- the author's count
    prev BLOB NOT NULL CHECK (length(prev) = 32), -- hash of the author's message before
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL
, reply BLOB, edited_ms INTEGER, edit_key BLOB, deleted INTEGER NOT NULL DEFAULT 0, reactions BLOB, original TEXT) STRICT;
INSERT INTO messages VALUES(3690987522097152001,1,X'11000000000000000000000000000000',1,1,X'0000000000000000000000000000000000000000000000000000000000000000',4,'','Déjà vu at the café',1760000001000,1760000001000,X'00000000000000000000000000000000',1760000000123,X'000000000000000000000000000000000000000000000000',0,NULL,NULL);
INSERT INTO messages VALUES(3690987524194304002,1,X'12000000000000000000000000000000',0,1,X'0000000000000000000000000000000000000000000000000000000000000000',7,'','東京で会いましょう',1760000002000,1760000003000,NULL,NULL,NULL,0,NULL,NULL);
INSERT INTO messages VALUES(3691197235200000005,3,X'13000000000000000000000000000000',0,1,X'0000000000000000000000000000000000000000000000000000000000000000',6,'','Hello, do you know the café?',1760100000000,1760100000500,NULL,NULL,NULL,0,NULL,NULL);
INSERT INTO messages VALUES(3691826380800000006,1,X'14000000000000000000000000000000',1,2,X'0000000000000000000000000000000000000000000000000000000000000000',5,'blocked','never sent',1760400000000,1760400000000,NULL,NULL,NULL,0,NULL,NULL);
INSERT INTO messages VALUES(3692036096000000007,1,X'15000000000000000000000000000000',1,3,X'0000000000000000000000000000000000000000000000000000000000000000',1,'','waiting 👍',1760500000000,1760500000000,NULL,NULL,NULL,0,NULL,NULL);
CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
    INSERT INTO search (rowid, conversation, text) VALUES (new.position, new.conversation, new.text);
    INSERT INTO calendar VALUES (
        new.conversation, new.stored_ms / 86400000, new.position, 1, octet_length(new.text)
    ) ON CONFLICT DO UPDATE SET
        last = max(last, excluded.last), messages = messages + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER message_changed AFTER UPDATE OF conversation, text, stored_ms ON messages BEGIN
    INSERT INTO search (search, rowid, conversation, text)
    VALUES ('delete', old.position, old.conversation, old.text);
    UPDATE calendar SET messages = messages - 1, bytes = bytes - octet_length(old.text)
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000;
    DELETE FROM calendar
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000 AND messages = 0;
    INSERT INTO search (rowid, conversation, text) VALUES (new.position, new.conversation, new.text);
    INSERT INTO calendar VALUES (
        new.conversation, new.stored_ms / 86400000, new.position, 1, octet_length(new.text)
    ) ON CONFLICT DO UPDATE SET
        last = max(last, excluded.last), messages = messages + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    INSERT INTO search (search, rowid, conversation, text)
    VALUES ('delete', old.position, old.conversation, old.text);
    UPDATE calendar SET messages = messages - 1, bytes = bytes - octet_length(old.text)
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000;
    DELETE FROM calendar
    WHERE conversation = old.conversation AND day = old.stored_ms / 86400000 AND messages = 0;
END;
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, outgoing, id);
CREATE INDEX messages_by_state ON messages (conversation, outgoing, state, seq);
CREATE INDEX messages_of_conversation ON messages (conversation);
CREATE INDEX messages_unread ON messages (conversation) WHERE state = 6;

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('name',X'416C69636520C3856E67737472C3B66D');
INSERT INTO meta VALUES('settings',X'7B22706F7274223A34323132332C227468656D65223A226461726B227D');

CREATE TABLE "outbox" ( -- of messages and of actions
    position INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO outbox VALUES(3692036096000000007,1,3);
INSERT INTO outbox VALUES(3692036096000000999,1,4);
CREATE UNIQUE INDEX outbox_by_seq ON outbox (conversation, seq);

CREATE TABLE prekey_lists ( -- the newest that was signed
    own BLOB PRIMARY KEY CHECK (length(own) = 32),
    serial INTEGER NOT NULL,
    list BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE prekeys ( -- our own; never part of a backup
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are to those who use it
    made INTEGER NOT NULL, -- Unix seconds
    secret BLOB NOT NULL
) STRICT;

CREATE TABLE retention ( -- where it differs from the settings
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    days INTEGER NOT NULL -- 0 for ever
) STRICT;
INSERT INTO retention VALUES(1,30);

CREATE TABLE retired_keys ( -- fingerprints that contacts have given up
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    contact INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO retired_keys VALUES(X'0900000000000000000000000000000000000000000000000000000000000000',1);
CREATE INDEX retired_keys_by_contact ON retired_keys (contact);

CREATE TABLE sealed_ids ( -- of the sessions in each state
    sid BLOB PRIMARY KEY CHECK (length(sid) = 32),
    conversation INTEGER NOT NULL REFERENCES sealed_sessions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX sealed_ids_by_conversation ON sealed_ids (conversation);

CREATE TABLE "sealed_outbox" ( -- what waits in the outbox, as it was sealed
    position INTEGER PRIMARY KEY REFERENCES "outbox" ON DELETE CASCADE,
    sid BLOB NOT NULL CHECK (length(sid) = 32), -- of the session
    kind INTEGER NOT NULL, -- of the envelope
    content BLOB NOT NULL
) STRICT;
INSERT INTO sealed_outbox VALUES(3692036096000000007,X'0606060606060606060606060606060606060606060606060606060606060606',1,X'7365616C6564');

CREATE TABLE sealed_receipts ( -- due for what came sealed
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    PRIMARY KEY (conversation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sealed_sessions ( -- with one contact; only the engine can read them
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are in them
    state BLOB NOT NULL
) STRICT;
INSERT INTO sealed_sessions VALUES(1,X'0505050505050505050505050505050505050505050505050505050505050505',X'61207374617465');

DELETE FROM sqlite_schema WHERE name='search' AND type='table';
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table','search','search',0,'CREATE VIRTUAL TABLE search USING fts5( -- the terms of `messenger.core.words`
    conversation, text, content = ''messages'', content_rowid = ''position'', tokenize = ''sotto'', columnsize = 0
)');

CREATE TABLE 'search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO search_config VALUES('secure-delete',1);
INSERT INTO search_config VALUES('version',4);

CREATE TABLE 'search_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO search_data VALUES(1,X'050517');
INSERT INTO search_data VALUES(10,X'000000010101010001010101');
INSERT INTO search_data VALUES(137438953473,X'000001F302303199CEA0D9C3F4808001020287E8808001020281BEDDF8B08080040202AFD7C280808001020201013399CEB8C5A18080800502020102617499CEA0D9C3F48080010601010401046361666599CEA0D9C3F480800106010106AFD7BA9880800406010107010464656A6199CEA0D9C3F48080010601010202016F99CEB8C5A18080800506010103010568656C6C6F99CEB8C5A1808080050601010201046B6E6F7799CEB8C5A1808080050601010501056E6576657299CF8088C48080800606010102010473656E7499CF8088C48080800606010103010374686599CEA0D9C3F480800106010105AFD7BA98808004060101060102767599CEA0D9C3F480800106010103010777616974696E6799CF97F4A580808007060101020103796F7599CEB8C5A180808005060101040106E38184E381BE99CEA0D9C7E88080020601010603018699CEA0D9C7E880800206010109030497E3828799CEA0D9C7E8808002060101080304A7E4BC9A99CEA0D9C7E8808002060101040304BEE3819799CEA0D9C7E88080020601010702058287E3818699CEA0D9C7E8808002060101090106E4BAACE381A799CEA0D9C7E8808002060101030205BC9AE3818499CEA0D9C7E8808002060101050106E69DB1E4BAAC99CEA0D9C7E8808002060101020104F09F918D99CF97F4A5808080070601010304280E111E1310141314131D111612151013131314151415');

CREATE TABLE 'search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO search_idx VALUES(1,X'',2);

CREATE TABLE successions ( -- our own
    serial INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;

DELETE FROM main.sqlite_sequence WHERE name='contacts';
INSERT INTO main.sqlite_sequence VALUES ('contacts', 3);
DELETE FROM main.sqlite_sequence WHERE name='invites';
INSERT INTO main.sqlite_sequence VALUES ('invites', 4);
DELETE FROM main.sqlite_sequence WHERE name='messages';
INSERT INTO main.sqlite_sequence VALUES ('messages', 3692036096000000007);

pragma user_version=3;

COMMIT TRANSACTION;

PRAGMA writable_schema=OFF;

BEGIN;
CREATE TABLE no_such_table(x,y,z);
ROLLBACK;
