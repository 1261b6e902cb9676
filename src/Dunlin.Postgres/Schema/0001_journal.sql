-- What is locked by whoever appends, from before it takes an offset until its transaction has ended.
-- Why a row that is only locked and never changed: a lock leaves no old version behind. A row that holds the head and is
-- updated by every append would gather one dead version for each of them while any transaction of anybody is open, and
-- each append would step over all of them; so an idle transaction of an hour would slow everybody down.
CREATE TABLE dunlin_lock (
    id INTEGER PRIMARY KEY CHECK (id = 1)
);

INSERT INTO dunlin_lock (id) VALUES (1);

-- The word that other databases have for bytes, so that schema scripts of applications can be the same everywhere.
CREATE DOMAIN blob AS BYTEA;

-- The topics that ever had an event. The name is kept once here, so that the journal carries a small number only.
CREATE TABLE dunlin_topic (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    -- The offset of the last event of this topic that retention removed: a reader that resumes from an earlier position
    -- has missed something of this topic, one that resumes from here or later has not.
    trimmed_through BIGINT NOT NULL DEFAULT 0
);

-- The journal: every event in the order of commit.
-- Why no reader can fall into a gap:
--   1. Offsets are taken under the row lock of dunlin_lock: the last offset that is visible, and on from there. The lock is
--      held until the end of the transaction, so nobody takes an offset while another's are neither committed nor gone.
--   2. PostgreSQL makes a commit visible to new snapshots before it lets go of the transaction's locks. So whoever gets the
--      lock next sees everything of the one before, and no offset is taken twice or passed over.
--   3. Hence n+1 is committed by a transaction that began to append after n was visible: every snapshot that holds n+1
--      holds n. A rolled-back transaction leaves nothing, and its offsets go to the next one.
-- Nothing here asks which transactions are open (no xmin, no snapshot arithmetic): one that is open and idle, of whatever
-- age, delays nobody unless it holds that one row, and for that there is a time-out.
-- The head is the larger of the last offset here and counter 'trimmed_through': nothing has to be kept up beside it.
CREATE TABLE dunlin_journal (
    "offset" BIGINT PRIMARY KEY,
    topic BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    connection_id TEXT COLLATE "C",
    device_id TEXT COLLATE "C",
    -- Milliseconds since 1970, UTC.
    time BIGINT NOT NULL
);

-- One topic in order: a page of a few topics touches their events only.
CREATE INDEX dunlin_journal_by_topic ON dunlin_journal (topic, "offset");

-- Answers to requests that carried an idempotency key.
CREATE TABLE dunlin_idempotency (
    scope TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    -- Digest of the request, to tell a repetition from another request.
    fingerprint BYTEA NOT NULL,
    first_offset BIGINT NOT NULL,
    count INTEGER NOT NULL,
    -- Milliseconds since 1970, UTC.
    time BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Forgetting old keys without reading the young ones.
CREATE INDEX dunlin_idempotency_by_time ON dunlin_idempotency (time);

-- Single numbers of the database: 'epoch' names this history of the journal, 'trimmed_through' is the last offset that
-- retention removed from any topic.
CREATE TABLE dunlin_counter (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO dunlin_counter (name, value) VALUES
    ('epoch', floor(random() * 4294967295)::BIGINT + 1),
    ('trimmed_through', 0);

-- Fencing tokens. A sequence never gives a number twice, whatever is rolled back; and a number that a committed transaction
-- used is on the disk with that transaction.
CREATE SEQUENCE dunlin_fence AS BIGINT MINVALUE 1;
