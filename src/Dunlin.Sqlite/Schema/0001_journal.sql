-- The topics that ever had an event. The name is kept once here, so that the journal carries a small number only.
CREATE TABLE dunlin_topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- The offset of the last event of this topic that retention removed: a reader that resumes from an earlier position
    -- has missed something of this topic, one that resumes from here or later has not.
    trimmed_through INTEGER NOT NULL DEFAULT 0
);

-- The journal: every event in the order of commit.
-- Why no reader can fall into a gap: one connection alone writes, one transaction after the other; it takes the offsets
-- inside the open transaction, and takes them back where a unit of work rolls back. So offset n+1 is never visible
-- before n, and no offset that was passed over is ever filled later.
-- The head is the larger of the last offset here and counter 'trimmed_through': nothing has to be kept up beside it.
CREATE TABLE dunlin_journal (
    offset INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    user_id TEXT,
    session_id TEXT,
    connection_id TEXT,
    device_id TEXT,
    -- Milliseconds since 1970, UTC.
    time INTEGER NOT NULL
);

-- One topic in order: a page of a few topics touches their events only. (The offset is the implied second column.)
CREATE INDEX dunlin_journal_by_topic ON dunlin_journal (topic);

-- Answers to requests that carried an idempotency key.
CREATE TABLE dunlin_idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Digest of the request, to tell a repetition from another request.
    fingerprint BLOB NOT NULL,
    first_offset INTEGER NOT NULL,
    count INTEGER NOT NULL,
    -- Milliseconds since 1970, UTC.
    time INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;

-- Forgetting old keys without reading the young ones.
CREATE INDEX dunlin_idempotency_by_time ON dunlin_idempotency (time);

-- Single numbers of the database: 'epoch' names this history of the journal, 'fence' is the last fencing token,
-- 'trimmed_through' the last offset that retention removed from any topic.
CREATE TABLE dunlin_counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO dunlin_counter (name, value) VALUES
    ('epoch', abs(random() % 4294967295) + 1),
    ('fence', 0),
    ('trimmed_through', 0);
