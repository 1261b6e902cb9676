-- Consumer groups: durable cursors on the journal, and the claim of one node on each.
CREATE TABLE dunlin_consumer (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The offset through which all events are processed; -1 before the first read of a group that starts at the oldest event.
    through BIGINT NOT NULL,
    -- The node that holds the group; null if it is free.
    holder TEXT,
    -- The fencing token of the last claim.
    token BIGINT NOT NULL,
    -- When the claim ends, in 100 ns ticks since year 1, UTC.
    until BIGINT,
    -- Failures since the last checkpoint, the time of the next attempt in ticks, and the text of the last failure.
    failures BIGINT NOT NULL,
    retry_at BIGINT,
    fault TEXT
);
