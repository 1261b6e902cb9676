-- Subscriptions of durable streams: cursors that wake a webhook or a pool of workers.
CREATE TABLE dunlin_stream_subscription (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    -- The pattern of topics; null for explicit streams only.
    pattern TEXT,
    -- The topic of the stream that wakes workers; null for a webhook.
    wake_topic TEXT,
    -- When a node must act next, in 100 ns ticks since year 1, UTC; null if only an append or a request changes the state.
    due_at INTEGER,
    -- The whole state (JSON).
    body TEXT NOT NULL
) STRICT;

-- Finds subscriptions that are due.
CREATE INDEX dunlin_stream_subscription_due ON dunlin_stream_subscription (due_at) WHERE due_at IS NOT NULL;

-- The cursor of a subscription on a stream.
CREATE TABLE dunlin_stream_link (
    subscription TEXT NOT NULL,
    topic TEXT NOT NULL,
    -- 1: the pattern matches the stream. 2: the stream was named. 3: both.
    kinds INTEGER NOT NULL,
    -- The offset through which the worker has processed the stream; -1 for nothing.
    acked INTEGER NOT NULL,
    -- The last append that the scan has found; -1 for none.
    tail INTEGER NOT NULL,
    PRIMARY KEY (subscription, topic)
) STRICT, WITHOUT ROWID;

-- Finds the cursors on a stream.
CREATE INDEX dunlin_stream_link_topic ON dunlin_stream_link (topic);

-- Finds the streams that are pending, the least advanced first.
CREATE INDEX dunlin_stream_link_pending ON dunlin_stream_link (subscription, acked, topic) WHERE tail > acked;

-- The offset through which the journal was scanned; null without subscriptions.
CREATE TABLE dunlin_stream_scan (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    through INTEGER
) STRICT;
