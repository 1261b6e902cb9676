-- The topics that ever had an event. The name is stored here once, so that the journal contains only a small number.
CREATE TABLE dunlin_topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- The offset of the last event of this topic that retention deleted. A reader that resumes from an earlier position has missed an event
    -- of this topic; one that resumes from here or later has not.
    trimmed_through INTEGER NOT NULL DEFAULT 0
);

-- The journal: all events in commit order.
-- Why no reader can skip an event: one connection writes, one transaction after another. It assigns offsets inside the open transaction,
-- and reverts them when a unit of work rolls back. Offset n+1 is therefore never visible before n, and no skipped offset is filled later.
-- The head is the larger of the last offset here and the counter 'trimmed_through', so no separate value must be maintained.
CREATE TABLE dunlin_journal (
    offset INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    user_id TEXT,
    session_id TEXT,
    connection_id TEXT,
    device_id TEXT,
    -- Milliseconds since 1970-01-01 UTC.
    time INTEGER NOT NULL
);

-- Orders the events of one topic, so that a page of a few topics reads only their events. (The offset is the implied second column.)
CREATE INDEX dunlin_journal_by_topic ON dunlin_journal (topic);

-- The results of requests with an idempotency key.
CREATE TABLE dunlin_idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    -- A digest of the request, which distinguishes a repetition from another request.
    fingerprint BLOB NOT NULL,
    first_offset INTEGER NOT NULL,
    count INTEGER NOT NULL,
    -- Milliseconds since 1970-01-01 UTC.
    time INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;

-- Finds old keys without reading newer ones.
CREATE INDEX dunlin_idempotency_by_time ON dunlin_idempotency (time);

-- Counters of the database: 'epoch' identifies this history of the journal, 'fence' is the last fencing token, 'trimmed_through' the last
-- offset that retention deleted from any topic.
CREATE TABLE dunlin_counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO dunlin_counter (name, value) VALUES
    ('epoch', abs(random() % 4294967295) + 1),
    ('fence', 0),
    ('trimmed_through', 0);
