-- What version 5 of the database was, as its own program left it, dumped by the shell of SQLite.
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
, timer INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO actions VALUES(3692036096002171169,1,X'21212121212121212121212121212121',1,11,4,X'AA00000000000000000000000000000000000000000000000000000000000000',1,0,X'15000000000000000000000000000000','waiting for you 👍',1760500000001,1760500000000,1760500000000,0);
INSERT INTO actions VALUES(3692036096004334114,1,X'22222222222222222222222222222222',1,13,5,X'F07187D7BAC91149FA44A1CFB585D468A125B7AAA8D7E1F80F004751DF0CE593',1,0,X'12000000000000000000000000000000','🎉',1760500000002,1760500000001,1760500000001,0);
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
INSERT INTO calendar VALUES(1,20376,3692036096000000007,1,20);
INSERT INTO calendar VALUES(3,20371,3691197235200000005,1,29);

CREATE TABLE chunks ( -- that are here, or of ours were read, in runs
    transfer INTEGER NOT NULL REFERENCES transfers ON DELETE CASCADE,
    first INTEGER NOT NULL,
    hashes BLOB NOT NULL, -- 32 bytes each
    PRIMARY KEY (transfer, first)
) STRICT, WITHOUT ROWID;

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
, last_order INTEGER NOT NULL DEFAULT 0, forked INTEGER NOT NULL DEFAULT 0, key_news INTEGER NOT NULL DEFAULT 0, timer INTEGER NOT NULL DEFAULT 0, timer_key BLOB, note TEXT NOT NULL DEFAULT '', pinned INTEGER NOT NULL DEFAULT 0, muted INTEGER NOT NULL DEFAULT 0, archived INTEGER NOT NULL DEFAULT 0, news INTEGER NOT NULL DEFAULT 0, news_told INTEGER NOT NULL DEFAULT 0, portrait BLOB NOT NULL DEFAULT x'', portrait_wanted BLOB NOT NULL DEFAULT x'', portrait_asked INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO contacts VALUES(1,X'0100000000000000000000000000000000000000000000000000000000000000','Bob','Bobby',2,0,1,X'91AF3139322E302E322E313A3432303030',1760000000000,1760600000000,0,0,X'',6,X'854236C617274F74F54E55779E3B95A5A2489D1C4C91DDC13EE02F425CC9B48D',0,0,0,1760500000002,0,0,3600,X'0000000000000001','met at the café',1,0,0,0,0,X'ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB',X'',0);
INSERT INTO contacts VALUES(3,X'0300000000000000000000000000000000000000000000000000000000000000','Carol','',1,0,0,X'90',1760100000000,NULL,0,0,X'',1,X'0000000000000000000000000000000000000000000000000000000000000000',0,0,0,0,0,0,0,NULL,'',0,0,0,0,0,X'',X'',0);

CREATE TABLE drafts ( -- what was written and not sent
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    text TEXT NOT NULL,
    reply BLOB
) STRICT;
INSERT INTO drafts VALUES(1,'half a sent',X'12000000000000000000000000000000');

CREATE TABLE first_contacts ( -- that were taken, so that none is taken twice
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32), -- of the sender
    id BLOB NOT NULL CHECK (length(id) = 16), -- of the message
    until INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (fingerprint, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE first_places ( -- of queues for requests, where a first contact can be left
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    number INTEGER NOT NULL,
    relay BLOB NOT NULL CHECK (length(relay) = 32),
    place BLOB NOT NULL,
    secret BLOB NOT NULL, -- of the invite, or empty
    PRIMARY KEY (conversation, number)
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
, reply BLOB, edited_ms INTEGER, edit_key BLOB, deleted INTEGER NOT NULL DEFAULT 0, reactions BLOB, original TEXT, kind INTEGER NOT NULL DEFAULT 2, timer INTEGER NOT NULL DEFAULT 0, expires_ms INTEGER, delivered_ms INTEGER, read_ms INTEGER, transfer INTEGER, body BLOB) STRICT;
INSERT INTO messages VALUES(3690987522097152001,1,X'11000000000000000000000000000000',1,1,X'0000000000000000000000000000000000000000000000000000000000000000',4,'','Déjà vu at the café',1760000001000,1760000001000,NULL,NULL,NULL,0,NULL,NULL,2,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(3690987524194304002,1,X'12000000000000000000000000000000',0,1,X'0000000000000000000000000000000000000000000000000000000000000000',7,'','東京で会いましょう',1760000002000,1760000003000,NULL,NULL,NULL,0,X'9193C3C41800000199E5FA250222222222222222222222222222222222A4F09F8E89',NULL,2,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(3691197235200000005,3,X'13000000000000000000000000000000',0,1,X'0000000000000000000000000000000000000000000000000000000000000000',6,'','Hello, do you know the café?',1760100000000,1760100000500,NULL,NULL,NULL,0,NULL,NULL,2,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(3691826380800000006,1,X'14000000000000000000000000000000',1,2,X'0000000000000000000000000000000000000000000000000000000000000000',5,'blocked','never sent',1760400000000,1760400000000,NULL,NULL,NULL,0,NULL,NULL,2,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(3692036096000000007,1,X'15000000000000000000000000000000',1,3,X'0000000000000000000000000000000000000000000000000000000000000000',1,'','waiting for you 👍',1760500000000,1760500000000,NULL,1760500000000,X'00000199E5FA250121212121212121212121212121212121',0,NULL,'waiting 👍',2,0,NULL,NULL,NULL,NULL,NULL);
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
CREATE INDEX messages_expiring ON messages (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE INDEX messages_of_conversation ON messages (conversation);
CREATE INDEX messages_unread ON messages (conversation) WHERE state = 6;
CREATE TRIGGER offer_removed AFTER DELETE ON messages WHEN old.transfer IS NOT NULL BEGIN
    DELETE FROM transfers WHERE id = old.transfer AND (mine > 3 OR theirs > 3);
END;

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
INSERT INTO outbox VALUES(3692036096002171169,1,4);
INSERT INTO outbox VALUES(3692036096004334114,1,5);
CREATE UNIQUE INDEX outbox_by_seq ON outbox (conversation, seq);

CREATE TABLE places ( -- where contacts can be written to, the best first
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    number INTEGER NOT NULL,
    relay BLOB NOT NULL CHECK (length(relay) = 32),
    place BLOB NOT NULL,
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_by_relay ON places (relay);

CREATE TABLE portraits ( -- of contacts
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    content BLOB NOT NULL
) STRICT;
INSERT INTO portraits VALUES(1,X'FFD8FFE0');

CREATE TABLE prekey_lists ( -- the newest that was signed
    own BLOB PRIMARY KEY CHECK (length(own) = 32),
    serial INTEGER NOT NULL,
    list BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE prekey_queues ( -- at which queue a prekey is handed out: at no two
    id BLOB PRIMARY KEY REFERENCES prekeys ON DELETE CASCADE,
    queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX prekey_queues_by_queue ON prekey_queues (queue);

CREATE TABLE prekeys ( -- our own; never part of a backup
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are to those who use it
    made INTEGER NOT NULL, -- Unix seconds
    secret BLOB NOT NULL
) STRICT;

CREATE TABLE queues ( -- ours
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    relay BLOB NOT NULL REFERENCES relays ON DELETE CASCADE,
    conversation INTEGER REFERENCES contacts ON DELETE SET NULL,
    requests INTEGER NOT NULL,
    recv_id BLOB NOT NULL, -- empty until the relay has made it, as send_id
    send_id BLOB NOT NULL,
    recv_key BLOB NOT NULL CHECK (length(recv_key) = 32),
    send_key BLOB NOT NULL CHECK (length(send_key) = 32),
    queue_key BLOB NOT NULL CHECK (length(queue_key) = 32),
    made_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL, -- when something last came, or when it was retired
    known INTEGER NOT NULL DEFAULT 0,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX queues_by_conversation ON queues (conversation);
CREATE INDEX queues_by_relay ON queues (relay);

CREATE TABLE relays ( -- that we use, or that contacts use
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    addresses TEXT NOT NULL, -- with blanks between, the best first
    use INTEGER NOT NULL,
    token BLOB NOT NULL,
    added_ms INTEGER NOT NULL,
    status INTEGER, -- in its directory; NULL if we are not there
    about TEXT NOT NULL DEFAULT '',
    serial INTEGER NOT NULL DEFAULT 0 -- of the last entry there
) STRICT, WITHOUT ROWID;

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
INSERT INTO search_config VALUES('version',5);

CREATE TABLE 'search_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO search_data VALUES(1,X'050519');
INSERT INTO search_data VALUES(10,X'000000020102020002010101020101');
INSERT INTO search_data VALUES(137438953473,X'000001C102303199CEA0D9C3F4808001020287E8808001020281BEDDF8B0808004020201013399CEB8C5A18080800502020102617499CEA0D9C3F48080010601010401046361666599CEA0D9C3F480800106010106AFD7BA9880800406010107010464656A6199CEA0D9C3F48080010601010202016F99CEB8C5A18080800506010103010568656C6C6F99CEB8C5A1808080050601010201046B6E6F7799CEB8C5A1808080050601010501056E6576657299CF8088C48080800606010102010473656E7499CF8088C48080800606010103010374686599CEA0D9C3F480800106010105AFD7BA98808004060101060102767599CEA0D9C3F4808001060101030103796F7599CEB8C5A180808005060101040106E38184E381BE99CEA0D9C7E88080020601010603018699CEA0D9C7E880800206010109030497E3828799CEA0D9C7E8808002060101080304A7E4BC9A99CEA0D9C7E8808002060101040304BEE3819799CEA0D9C7E88080020601010702058287E3818699CEA0D9C7E8808002060101090106E4BAACE381A799CEA0D9C7E8808002060101030205BC9AE3818499CEA0D9C7E8808002060101050106E69DB1E4BAAC99CEA0D9C7E880800206010102041F0E111E1310141314131D11121510131313141514');
INSERT INTO search_data VALUES(274877906945,X'0000005F02303199CF97F4A58080800702020103666F7299CF97F4A58080800706010103010777616974696E6799CF97F4A580808007060101020103796F7599CF97F4A580808007060101040104F09F918D99CF97F4A58080800706010105040E121612');

CREATE TABLE 'search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO search_idx VALUES(1,X'',2);
INSERT INTO search_idx VALUES(2,X'',2);

CREATE TABLE successions ( -- our own
    serial INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE transfers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another transfer
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    message BLOB NOT NULL CHECK (length(message) = 16),
    outgoing INTEGER NOT NULL,
    body BLOB NOT NULL, -- of the offer
    mine INTEGER NOT NULL, -- our wish
    my_trouble INTEGER NOT NULL DEFAULT 0,
    my_count INTEGER NOT NULL DEFAULT 0,
    theirs INTEGER NOT NULL, -- theirs, as it was heard last
    their_trouble INTEGER NOT NULL DEFAULT 0,
    their_count INTEGER NOT NULL DEFAULT 0,
    staging BLOB NOT NULL DEFAULT (randomblob(16)), -- names the place where it grows
    folder TEXT NOT NULL DEFAULT '', -- where it goes, of theirs
    placed BLOB, -- MessagePack: array of paths at its top; of ours where it comes from
    manifest BLOB, -- of theirs once it has come
    sources BLOB, -- of ours
    done INTEGER NOT NULL DEFAULT 0, -- bytes
    root BLOB, -- hash over the hashes of all chunks, once all are there
    made_ms INTEGER NOT NULL
, turn INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE UNIQUE INDEX transfers_by_message ON transfers (conversation, outgoing, message);
CREATE INDEX transfers_going_on ON transfers (conversation) WHERE mine < 4 AND theirs < 4;

DELETE FROM main.sqlite_sequence WHERE name='contacts';
INSERT INTO main.sqlite_sequence VALUES ('contacts', 3);
DELETE FROM main.sqlite_sequence WHERE name='invites';
INSERT INTO main.sqlite_sequence VALUES ('invites', 4);
DELETE FROM main.sqlite_sequence WHERE name='messages';
INSERT INTO main.sqlite_sequence VALUES ('messages', 3692036096000000007);

pragma user_version=5;

COMMIT TRANSACTION;

PRAGMA writable_schema=OFF;

BEGIN;
CREATE TABLE no_such_table(x,y,z);
ROLLBACK;
