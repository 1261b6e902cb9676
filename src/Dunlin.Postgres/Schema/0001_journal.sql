-- The row that a writer locks before it assigns an offset, until its transaction ends.
-- The row is only locked and never updated, because a lock leaves no old row version behind. If each append updated a row with the head,
-- one dead version per append would accumulate while any transaction is open. Each append would then scan all of them, and one idle
-- transaction of an hour would slow down all writers.
CREATE TABLE dunlin_lock (
    id INTEGER PRIMARY KEY CHECK (id = 1)
);

INSERT INTO dunlin_lock (id) VALUES (1);

-- The type name that other databases use for bytes, so that applications can use the same schema scripts everywhere.
CREATE DOMAIN blob AS BYTEA;

-- The topics that ever had an event. The name is stored here once, so that the journal contains only a small number.
CREATE TABLE dunlin_topic (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    -- The offset of the last event of this topic that retention deleted. A reader that resumes from an earlier position has missed an event
    -- of this topic; one that resumes from here or later has not.
    trimmed_through BIGINT NOT NULL DEFAULT 0
);

-- The journal: all events in commit order. Why no reader can skip an event:
--   1. A writer assigns offsets under the row lock of dunlin_lock, starting after the last visible offset. It holds the lock until its
--      transaction ends, so no other writer assigns offsets while earlier ones are neither committed nor rolled back.
--   2. PostgreSQL makes a commit visible to new snapshots before it releases the locks of the transaction. The next holder of the lock
--      therefore sees all events of the previous one, and no offset is assigned twice or skipped.
--   3. Hence n+1 is committed by a transaction that started to append after n was visible: each snapshot with n+1 includes n. A
--      rolled-back transaction leaves no events, and the next one assigns its offsets.
-- No query depends on the set of open transactions (no xmin, no snapshot arithmetic). An idle open transaction of any age delays writers
-- only if it holds that one row, and a time-out limits that.
-- The head is the larger of the last offset here and the counter 'trimmed_through', so no separate value must be maintained.
CREATE TABLE dunlin_journal (
    "offset" BIGINT PRIMARY KEY,
    topic BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    connection_id TEXT COLLATE "C",
    device_id TEXT COLLATE "C",
    -- Milliseconds since 1970-01-01 UTC.
    time BIGINT NOT NULL
);

-- Orders the events of one topic, so that a page of a few topics reads only their events.
CREATE INDEX dunlin_journal_by_topic ON dunlin_journal (topic, "offset");

-- The results of requests with an idempotency key.
CREATE TABLE dunlin_idempotency (
    scope TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    -- A digest of the request, which distinguishes a repetition from another request.
    fingerprint BYTEA NOT NULL,
    first_offset BIGINT NOT NULL,
    count INTEGER NOT NULL,
    -- Milliseconds since 1970-01-01 UTC.
    time BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Finds old keys without reading newer ones.
CREATE INDEX dunlin_idempotency_by_time ON dunlin_idempotency (time);

-- Counters of the database: 'epoch' identifies this history of the journal, 'trimmed_through' is the last offset that retention deleted
-- from any topic.
CREATE TABLE dunlin_counter (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO dunlin_counter (name, value) VALUES
    ('epoch', floor(random() * 4294967295)::BIGINT + 1),
    ('trimmed_through', 0);

-- Fencing tokens. A sequence never returns a number twice, even after a rollback. A number that a committed transaction used is on disk
-- with that transaction.
CREATE SEQUENCE dunlin_fence AS BIGINT MINVALUE 1;
