-- The log. Offsets are given out by the writer, without gaps; `checkpoint.last_offset` keeps those of removed rows from
-- coming back. AUTOINCREMENT would not do: it counts inserts that a conflict turned into nothing.
CREATE TABLE events (
    "offset"        INTEGER PRIMARY KEY,
    type            TEXT    NOT NULL,
    received_us     INTEGER NOT NULL,
    conversation_id TEXT,
    message_id      TEXT,
    seq             INTEGER,
    source          TEXT    NOT NULL,
    late            INTEGER NOT NULL DEFAULT 0,
    sender          TEXT,
    body            TEXT    NOT NULL
) STRICT;
-- The judge of duplicates.
CREATE UNIQUE INDEX events_message ON events (message_id) WHERE message_id IS NOT NULL;

-- Messages behind an open hole: durable, but without an offset yet.
CREATE TABLE parked (
    message_id      TEXT    PRIMARY KEY,
    type            TEXT    NOT NULL,
    received_us     INTEGER NOT NULL,
    conversation_id TEXT    NOT NULL,
    seq             INTEGER NOT NULL,
    source          TEXT    NOT NULL,
    sender          TEXT,
    joined          TEXT,
    body            TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    id       TEXT    PRIMARY KEY,
    frontier INTEGER NOT NULL,
    anchor   INTEGER NOT NULL,
    top      INTEGER NOT NULL,
    -- Ranges given up but not proven absent, as "first-last,first-last".
    holes    TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- One row: whose state this is, how far the log goes, and how far sync has come.
CREATE TABLE checkpoint (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    last_offset   INTEGER NOT NULL DEFAULT 0,
    handle        TEXT,
    birth_us      INTEGER,
    sync_seen     TEXT,
    sync_acked    TEXT,
    reconciled_us INTEGER
) STRICT;
INSERT INTO checkpoint (id) VALUES (1);

CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    client_msg_id   TEXT    NOT NULL UNIQUE,
    recipient       TEXT,
    conversation_id TEXT,
    body            TEXT    NOT NULL,
    fingerprint     TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    poison          INTEGER NOT NULL DEFAULT 0,
    ambiguous       INTEGER NOT NULL DEFAULT 0,
    created_us      INTEGER NOT NULL,
    next_attempt_us INTEGER,
    expires_us      INTEGER NOT NULL,
    error           TEXT,
    message         TEXT,
    message_id      TEXT,
    replayed        INTEGER NOT NULL DEFAULT 0,
    backlog         TEXT
) STRICT;
CREATE INDEX outbox_state ON outbox (state, id);

CREATE TABLE consumers (
    name          TEXT    PRIMARY KEY,
    filter        TEXT,
    acked         INTEGER NOT NULL,
    given         INTEGER NOT NULL,
    max_in_flight INTEGER NOT NULL,
    created_us    INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
