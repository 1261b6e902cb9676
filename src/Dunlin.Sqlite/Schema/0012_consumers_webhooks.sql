-- Consumer groups: durable cursors on the journal, and the claim of one node on each.
CREATE TABLE dunlin_consumer (
    name TEXT NOT NULL PRIMARY KEY,
    -- The offset through which all events are processed; -1 before the first read of a group that starts at the oldest event.
    through INTEGER NOT NULL,
    -- The node that holds the group; null if it is free.
    holder TEXT,
    -- The fencing token of the last claim.
    token INTEGER NOT NULL,
    -- When the claim ends, in 100 ns ticks since year 1, UTC.
    until INTEGER,
    -- Failures since the last checkpoint, the time of the next attempt in ticks, and the text of the last failure.
    failures INTEGER NOT NULL,
    retry_at INTEGER,
    fault TEXT
) STRICT;

-- Endpoints of webhooks.
CREATE TABLE dunlin_webhook (
    id TEXT NOT NULL PRIMARY KEY,
    -- The whole state (JSON), with the signing secrets.
    body TEXT NOT NULL
) STRICT;

-- Events that an endpoint has not received yet.
CREATE TABLE dunlin_webhook_delivery (
    webhook TEXT NOT NULL,
    -- The offset of the event.
    position INTEGER NOT NULL,
    -- 0: waiting. 1: dead.
    state INTEGER NOT NULL,
    -- When the next attempt is due, or since when the delivery is dead, in 100 ns ticks since year 1, UTC.
    at INTEGER NOT NULL,
    -- Message id, topic, type, attempts and last fault (JSON).
    body TEXT NOT NULL,
    -- The body of the request.
    payload BLOB NOT NULL,
    PRIMARY KEY (webhook, position)
) STRICT;

-- Finds the deliveries of one state in order.
CREATE INDEX dunlin_webhook_delivery_state ON dunlin_webhook_delivery (webhook, state, position);
