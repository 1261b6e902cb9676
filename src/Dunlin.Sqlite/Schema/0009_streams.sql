-- Durable streams: topics whose events are kept until the stream is trimmed, deleted or ends. The data is in the journal.
CREATE TABLE dunlin_stream (
    topic TEXT NOT NULL PRIMARY KEY,
    -- A random number: a later stream of the same topic has another one.
    id INTEGER NOT NULL UNIQUE,
    -- 0: live. 1: deleted while forks need the data. 2: removed; the row goes with the last event.
    status INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    -- The last offset of the journal before the stream began.
    starts_after INTEGER NOT NULL,
    trimmed_through INTEGER NOT NULL,
    -- The offset through which the events of the topic can be deleted; null if there is nothing to delete.
    trim_due INTEGER,
    -- The offset of the last append of a closed stream; null while it is open.
    closed_at INTEGER,
    -- The append of a producer that closed the stream: epoch, sequence and id, with spaces between.
    closed_by TEXT,
    last_sequence TEXT,
    -- Seconds without reads and writes after which the stream ends.
    ttl INTEGER,
    -- 100 ns ticks since year 1, UTC.
    expires_at INTEGER,
    -- The id of the stream that this one is a fork of.
    source INTEGER,
    -- The place of the fork and the parts of topics that it inherits (JSON).
    fork TEXT
) STRICT;

-- Finds streams that have ended.
CREATE INDEX dunlin_stream_expiry ON dunlin_stream (expires_at) WHERE status = 0 AND expires_at IS NOT NULL;

-- Finds streams with events to delete.
CREATE INDEX dunlin_stream_trim ON dunlin_stream (trim_due) WHERE trim_due IS NOT NULL;

-- Finds the forks of a stream.
CREATE INDEX dunlin_stream_source ON dunlin_stream (source) WHERE source IS NOT NULL;

-- The last append of each idempotent producer.
CREATE TABLE dunlin_stream_producer (
    stream INTEGER NOT NULL,
    producer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (stream, producer)
) STRICT, WITHOUT ROWID;
