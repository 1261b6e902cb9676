-- Events of transactions that run outside the store: each waits here until the store moves it into the journal. Such a transaction inserts
-- topic, type and data, and the other columns as it needs them.
-- SQLite runs one writing transaction at a time, so the order of the ids is the order of the commits.
CREATE TABLE dunlin_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    user_id TEXT,
    session_id TEXT,
    connection_id TEXT,
    device_id TEXT,
    -- As in dunlin_journal.
    extra BLOB,
    -- Milliseconds since 1970-01-01 UTC.
    time INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
) STRICT;

-- Rows of the outbox that the journal does not accept, with the reason. Nothing deletes them: correct and insert them again, or delete
-- them.
CREATE TABLE dunlin_outbox_refused (
    id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    user_id TEXT,
    session_id TEXT,
    connection_id TEXT,
    device_id TEXT,
    extra BLOB,
    reason TEXT NOT NULL,
    -- Milliseconds since 1970-01-01 UTC.
    time INTEGER NOT NULL
) STRICT;
